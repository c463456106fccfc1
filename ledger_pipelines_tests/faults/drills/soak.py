"""soak: a day in the life under random faults, for minutes, in one process that lives on.

Belongs here: what happens in such a day, and its judge. Does not belong here: single faults at single points (`crash`).

New settlements arrive, old files come again, somebody edits a document, the program is closed and opened, time passes, and
whatever can go wrong with a call goes wrong. Then calm: every open item has to end by itself. The judge reads the
sandbox's own books: each order paid once, each refund credited and paid out once, one journal a settlement, the clearing
account at 0.00. Memory, descriptors and threads are looked at in its last half.
"""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic

import psutil

from ledger_pipelines.errors import LedgerError
from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.faults.drill_books import doubles
from ledger_pipelines_tests.faults.drill_cases import TROUBLES
from ledger_pipelines_tests.faults.entries import SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.settlement_entry import hurry
from ledger_pipelines_tests.generate import SettlementFile, many
from ledger_pipelines_tests.stage import CLEARING, WINDOW, Stage

SECONDS, FAST_SECONDS = 120, 4
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


@dataclass(slots=True)
class Day:
    """One installation, and all that happened to it."""

    entry: Entry[Stage]
    stage: Stage
    chooser: random.Random
    files: dict[str, SettlementFile] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    held: list[Held] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def round(self) -> None:
        """Something happens, and something goes wrong meanwhile."""
        act = self.chooser.choices(
            [self._arrives, self._runs, self._again, self._edited, self._restart, self._time],
            [3, 6, 1, 1, 1, 2],
        )[0]
        act()
        self.told["rounds"] += 1
        self.held.append(Held.now())

    # --- what happens ----------------------------------------------------------------------------------------------

    def _arrives(self) -> None:
        self._calm_line()
        number = len(self.files) + 1
        file = many(
            self.chooser.randint(2, 9), seed=number, settlement_id=f"2699{number:07d}", refunds=Decimal("0.3"),
            merchant=Decimal("0.2"),
        )  # fmt: skip
        self.stage.arrive(file.v2(), name=f"settlement-{number}.txt")
        self.files[file.settlement_id] = file
        self._runs(file.settlement_id)

    def _runs(self, settlement_id: str = "") -> None:
        if not self.files:
            self._arrives()
            return
        chosen = settlement_id or self.chooser.choice(list(self.files))
        self._trouble()
        try:
            self.stage.run(chosen)
            self.told["runs"] += 1
        except LedgerError:
            self.told["runs cut short"] += 1
        finally:
            self._calm_line()

    def _again(self) -> None:
        """An old file comes once more: nothing is new."""
        if self.files:
            chosen = self.chooser.choice(list(self.files.values()))
            outcome = self.stage.receive(chosen.v2(), f"again-{self.told['rounds']}.txt")
            if not outcome.accepted:
                self.problems.append(
                    f"the file of settlement {chosen.settlement_id} was refused: {outcome.message}"
                )
            self.told["files again"] += 1

    def _edited(self) -> None:
        """Somebody writes a note on a document of the books."""
        invoices = self.stage.books().records("invoice")
        if invoices:
            record = str(self.chooser.choice(invoices)["id"])
            self.stage.change("invoice", record, {"memo": f"seen {self.told['rounds']}"})
            self.told["edits"] += 1

    def _restart(self) -> None:
        self.stage.again()
        self.told["restarts"] += 1

    def _time(self) -> None:
        self.stage.clock.jump(self.chooser.choice([1, 15, WINDOW + 1, 3700, PARKED]))

    # --- what goes wrong -------------------------------------------------------------------------------------------

    def _trouble(self) -> None:
        name = self.chooser.choice(list(TROUBLES))
        chance = {"rate": 0.3, "seed": self.chooser.randrange(10**6), "times": 3}
        if name != "search_lag":
            chance |= {"path": self.chooser.choice([self.entry.path, ""]) or "."}
        self.stage.fault(**{**TROUBLES[name], **(chance if name != "search_lag" else {})})  # type: ignore[arg-type]  # kind is among them

    def _calm_line(self) -> None:
        """Nothing goes wrong from here on; what struck is counted."""
        for fault in self.stage.control.get("/faults").json()["faults"]:
            self.struck[str(fault["kind"])] += fault["fired"]
        self.stage.control.delete("/faults").raise_for_status()

    # --- the end of the day ----------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Once nothing fails any more, everything ends in a few runs."""
        open_ = list(self.files)
        for _ in range(CALM):
            self.stage.clock.jump(PARKED)
            open_ = [one for one in open_ if self.stage.run(one).exit_code != 0]
            if not open_ and not self.stage.unfinished():
                return
        self.problems.append(f"still open: {', '.join(open_) or 'none'}, {self.stage.unfinished()} effects")

    def judge(self) -> tuple[int, int]:
        """Read the books: how many documents are lost, how many doubled."""
        books = self.stage.books()
        twice = doubles(books.external_ids())
        self.problems += [f"external id twice: {name}" for name in twice]
        lost, doubled = 0, len(twice)
        for settlement_id, file in self.files.items():
            wanted = expected(file)
            for kind, least in wanted.items():
                made = len(books.ours(kind, settlement_id))
                lost, doubled = lost + max(0, least - made), doubled + max(0, made - least)
                if made != least:
                    self.problems.append(f"settlement {settlement_id}: {made} {kind} instead of {least}")
            posted = books.posted(settlement_id, CLEARING[file.currency])
            if posted:
                self.problems.append(f"settlement {settlement_id} leaves {posted} in clearing")
        return lost, doubled

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


def expected(file: SettlementFile) -> dict[str, int]:
    """Documents a settlement has to make: a payment an order, a credit memo and a refund a refund, one journal."""
    orders = {group.order_id for group in file.groups if group.transaction_type == "Order"}
    refunds = sum(group.transaction_type == "Refund" for group in file.groups)
    return {
        "customerPayment": len(orders),
        "creditMemo": refunds,
        "customerRefund": refunds,
        "journalEntry": 1,
    }


class DRILL(Drill):
    """See the module."""

    name = "soak"
    shows = (
        "minutes of random faults on a day's work: 0 lost, 0 doubled, open items end, memory and files flat"
    )
    weight = 8

    def cases(self) -> Sequence[str]:
        """One day an integration: `ENTRY:SECONDS`; `minutes=N` is taken, too."""
        return [f"{name}:{FAST_SECONDS if self.setting.fast else SECONDS}" for name in SETTLEMENTS]

    def carry_out(self, case: str) -> Verdict:
        """One day."""
        name, _, seconds = case.partition(":")
        if name.startswith("minutes="):
            name, seconds = next(iter(SETTLEMENTS)), str(60 * int(name.removeprefix("minutes=")))
        entry = SETTLEMENTS[name]
        folder = self.setting.folder / f"{name}-{seconds}"
        folder.mkdir()
        with running_sandbox(seed="demo") as sandbox:
            stage = entry.open(sandbox, folder)
            try:
                return self._day(case, entry, stage, float(seconds))
            finally:
                stage.close()

    def _day(self, case: str, entry: Entry[Stage], stage: Stage, seconds: float) -> Verdict:
        hurry(stage)
        day = Day(entry, stage, random.Random(self.setting.seed))
        until = monotonic() + seconds
        while monotonic() < until:
            day.round()
        day.flat()
        day.calm()
        lost, doubled = day.judge()
        figures = dict(day.told) | {
            "settlements": len(day.files),
            "faults": day.struck.total(),
            "kinds of fault": sum(count > 0 for count in day.struck.values()),
            "documents": len(stage.books().external_ids()),
            "lost": lost,
            "doubled": doubled,
        }
        reached = frozenset(kind for kind, count in day.struck.items() if count)
        return Verdict(case, tuple(day.problems), figures, reached)

    def must_reach(self) -> Collection[str]:
        """Every kind of fault, in the full tier."""
        return () if self.setting.fast else {str(rule["kind"]) for rule in TROUBLES.values()}
