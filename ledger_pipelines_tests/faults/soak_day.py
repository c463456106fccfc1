"""A day in the life of an installation, for the drill `soak`: something happens, something goes wrong, nothing may leak.

Belongs here: rounds, troubles, what the process holds. Does not belong here: what happens in the day of one integration and
how its books are judged (`soak_settlements`, `soak_store`), how long it lasts (`drills.soak`).
"""

from __future__ import annotations

import gc
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import psutil

from ledger_pipelines.errors import LedgerError
from ledger_pipelines_tests.faults.drill_cases import TROUBLES
from ledger_pipelines_tests.faults.entry import Entry

S = TypeVar("S", bound=Any)
PARKED = 16 * 60
"""Longer than a parked connection rests."""
CALM = 12
"""Most runs of everything, once nothing fails any more."""
MOST_GROWTH = 24 * 2**20
"""Bytes by which memory may grow from the third to the last quarter of the day, rubbish collected."""
WARM = 20
"""Fewest rounds of a quarter that is looked at: in the first, libraries load what they need and pools fill."""


@dataclass(slots=True)
class Held:
    """What the process holds at one moment."""

    memory: int
    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> Held:
        """After rubbish is collected."""
        gc.collect()
        me = psutil.Process()
        return cls(me.memory_info().rss, me.num_fds(), me.num_threads())

    @classmethod
    def most(cls, held: Sequence[Held]) -> Held:
        """The most of each over several moments."""
        return cls(
            max(one.memory for one in held),
            max(one.descriptors for one in held),
            max(one.threads for one in held),
        )


class Day(ABC, Generic[S]):
    """One installation, and all that happened to it. What happens is in `acts`, with weights."""

    def __init__(self, entry: Entry[S], stage: S, chooser: random.Random) -> None:
        self.entry, self.stage, self.chooser = entry, stage, chooser
        self.told: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.held: list[Held] = []
        self.problems: list[str] = []
        self._next: list[str] = []
        self.acts: Sequence[tuple[Callable[[], None], int]] = ()

    @abstractmethod
    def begin(self) -> None:
        """The books as they are at first; sets `acts`."""

    @property
    @abstractmethod
    def pieces(self) -> int:
        """How much has come so far: settlements, orders."""

    @abstractmethod
    def calm(self) -> None:
        """Once nothing fails any more, everything ends in a few runs."""

    @abstractmethod
    def judge(self) -> tuple[int, int]:
        """Read the books: how many documents are lost, how many doubled."""

    def round(self) -> None:
        """Something happens, and something goes wrong meanwhile."""
        acts, weights = zip(*self.acts, strict=True)
        self.chooser.choices(acts, weights)[0]()
        self.told["rounds"] += 1
        self.held.append(Held.now())

    def restart(self) -> None:
        """The program ends, and is begun anew."""
        self.stage.again()
        self.told["restarts"] += 1

    def attempt(self, what: str, act: Callable[[], object]) -> None:
        """The program runs; a failure that it puts into words is part of such a day."""
        try:
            act()
            self.told[what] += 1
        except LedgerError:
            self.told["runs cut short"] += 1

    # --- what goes wrong -------------------------------------------------------------------------------------------

    def trouble(self, where: Mapping[str, str], rate: float = 0.3) -> None:
        """Some calls go wrong from here on. where: a fault's vendor, method, path; a slow search is slow everywhere.
        rate: the share of them; of a day that makes few calls, most."""
        if not self._next:  # each in its turn, so that a short day has all of them
            self._next = sorted(TROUBLES.keys() - self.entry.beyond)
            self.chooser.shuffle(self._next)
        name = self._next.pop()
        chance = {"rate": rate, "seed": self.chooser.randrange(10**6), "times": 3}
        places = [{"vendor": one} for one in self.entry.targets]
        these = places if name == "search_lag" else [{**chance, **where}]
        faults = [{**TROUBLES[name], **one} for one in these]
        self.stage.control.post("/faults", json=faults).raise_for_status()

    def calm_line(self) -> None:
        """Nothing goes wrong from here on; what struck is counted."""
        for fault in self.stage.control.get("/faults").json()["faults"]:
            self.struck[str(fault["kind"])] += fault["fired"]
        self.stage.control.delete("/faults").raise_for_status()

    # --- what is held ----------------------------------------------------------------------------------------------

    def flat(self) -> None:
        """The most held at once in the last quarter, beside the quarter before: a restart amid either is no growth."""
        quarter = len(self.held) // 4
        if quarter < WARM:
            return
        before, after = Held.most(self.held[-2 * quarter : -quarter]), Held.most(self.held[-quarter:])
        if after.memory - before.memory > MOST_GROWTH:
            self.problems.append(
                f"memory grew by {(after.memory - before.memory) / 2**20:.0f} MiB in the last quarter"
            )
        if after.descriptors > before.descriptors + 3:
            self.problems.append(f"open files grew from {before.descriptors} to {after.descriptors}")
        if after.threads > before.threads + 2:
            self.problems.append(f"threads grew from {before.threads} to {after.threads}")
