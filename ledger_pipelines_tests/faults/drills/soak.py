"""soak: a day in the life under random faults, for minutes, in one process that lives on.

Belongs here: how long, and what is counted. Does not belong here: what happens in a day (`soak_settlements`, `soak_shop`, `soak_omni`),
single faults at single points (`crash`).

Work arrives, comes again, is edited; the program is closed and opened, time passes, and whatever can go wrong with a call
goes wrong. Then calm: every open item has to end by itself. The judge reads the sandbox's own books. Memory, descriptors
and threads are looked at in its last half.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from time import monotonic
from typing import Any

from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.faults.drill_cases import TROUBLES
from ledger_pipelines_tests.faults.entries import ENTRIES, SETTLEMENTS, Entry
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.soak_day import WARM, Day
from ledger_pipelines_tests.faults.soak_omni import OmniDay
from ledger_pipelines_tests.faults.soak_settlements import SettlementDay
from ledger_pipelines_tests.faults.soak_shop import ShopDay

DAYS: Mapping[str, type[Day[Any]]] = {
    "amazon_netsuite": SettlementDay, "neto_saasu": ShopDay, "neto_cin7": OmniDay,
}  # fmt: skip
"""The day of each integration."""
SECONDS: Mapping[str, int] = {"amazon_netsuite": 80, "neto_saasu": 40, "neto_cin7": 40}
"""How long; on a slow machine longer, until there are rounds enough to see a leak."""
FAST_SECONDS = 4


class DRILL(Drill):
    """See the module."""

    name = "soak"
    shows = (
        "minutes of random faults on a day's work: 0 lost, 0 doubled, open items end, memory and files flat"
    )
    weight = 2
    waits = True

    def cases(self) -> Sequence[str]:
        """One day an integration: `ENTRY:SECONDS`; `minutes=N` is taken, too."""
        if self.setting.fast:
            return [f"{next(iter(SETTLEMENTS))}:{FAST_SECONDS}"]
        return [f"{name}:{SECONDS[name]}" for name in DAYS]

    def carry_out(self, case: str) -> Verdict:
        """One day."""
        name, _, seconds = case.partition(":")
        if name.startswith("minutes="):
            name, seconds = next(iter(SETTLEMENTS)), str(60 * int(name.removeprefix("minutes=")))
        entry = ENTRIES[name]
        folder = self.setting.folder / f"{name}-{seconds}"
        folder.mkdir()
        with running_sandbox(seed="demo", vendors=entry.vendors) as sandbox:
            stage = entry.open(sandbox, folder)
            try:
                return self._day(case, entry, stage, float(seconds))
            finally:
                stage.close()

    def _day(self, case: str, entry: Entry[Any], stage: Any, seconds: float) -> Verdict:
        day = DAYS[entry.name](entry, stage, random.Random(self.setting.seed))
        day.begin()
        until = monotonic() + seconds
        least = 0 if self.setting.fast else 4 * WARM
        while monotonic() < until or day.told["rounds"] < least:
            day.round()
        day.flat()
        day.calm()
        lost, doubled = day.judge()
        figures = dict(day.told) | {
            "settlements or orders": day.pieces,
            "faults": day.struck.total(),
            "kinds of fault": sum(count > 0 for count in day.struck.values()),
            "documents": len(entry.names(stage)),
            "lost": lost,
            "doubled": doubled,
        }
        reached = frozenset(kind for kind, count in day.struck.items() if count)
        return Verdict(case, tuple(day.problems), figures, reached)

    def must_reach(self) -> Collection[str]:
        """Every kind of fault, in the full tier."""
        return () if self.setting.fast else {str(rule["kind"]) for rule in TROUBLES.values()}
