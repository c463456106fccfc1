"""Which stops and troubles a drill goes through, and their names.

Belongs here: the list. Does not belong here: carrying one out (`drill`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines.sync.states import FAULT_POINTS
from ledger_pipelines_tests.generate import START, SettlementFile, account, many, order, refund

SOURCE = Path(__file__).parents[2] / "ledger_pipelines"
_REACHED = re.compile(r'\breached\("([a-z_.]+)"\)')
SMALL = SettlementFile(
    "26700000001",
    (
        account("Previous Reserve Amount Balance", "20.00", posted=START),
        order("113-6700000-0000001", "100.00", shipping="5.00", tax="8.40", quantity=2),
        order("113-6700000-0000002", "60.00", sku="TEAPOT-1L", channel="MFN", promotion="-6.00"),
        order("113-6700000-0000003", "12.95", sku="TEA-30", channel="MFN"),
        order("113-6700000-0000004", "34.49", sku="CUP SET/4", posted=START + timedelta(days=5)),
        refund("113-6700000-0000001", "50.00"),
        refund("113-6700000-0000003", "12.95", sku="TEA-30", channel="MFN"),
        account("Storage Fee", "-12.30"),
        account("Current Reserve Amount", "-30.00", posted=START + timedelta(days=14)),
    ),
)
DEMO_ID = "26000000001"
WIDE = many(130, settlement_id="26700000002", merchant=Decimal("0.03"), refunds=Decimal("0.03"))
FILES: Mapping[str, tuple[str, bytes]] = {
    "demo": (DEMO_ID, demo_settlement_files()[0].content),
    "small": (SMALL.settlement_id, SMALL.v2()),
    "wide": (WIDE.settlement_id, WIDE.v2()),
}
"""Settlements a drill runs, by name: id and file. `wide` has more of a kind than one batch of 100 holds."""

TROUBLES: Mapping[str, Mapping[str, object]] = {
    "cut_after": {"kind": "cut_after"},
    "5xx_after": {"kind": "5xx_after", "status": 500},
    "apply_late": {"kind": "apply_late", "seconds": 8},
    "search_lag": {"kind": "search_lag", "seconds": 12},
    "429": {"kind": "429"},
}
"""What goes wrong at the sandbox meanwhile; those with an instant stay inside the settle window."""
WRITES = {"path": "/record/v1/"}
FIRST_ANSWER_LOST = (("apply.before_confirm", 1),)
_AFTER_A_LOST_ANSWER = frozenset(
    {
        "recover.expired",
        "recover.before_probe",
        "recover.after_probe",
        "recover.before_adopt",
        "recover.adopted",
    }
)
_OF_A_REFUSED_FILE = frozenset({"landing.after_reason", "landing.after_put_aside"})
_FAST = (
    "small:settlement.after_rows#1",
    "small:apply.marked_sent#2",
    "small:apply.after_send#2",
    "small:apply.before_confirm#1,recover.before_adopt#1",
    "small:landing.after_reason#1",
    "small:apply.after_send#3+search_lag",
    "small:apply.marked_sent#3+apply_late",
    "small:none+cut_after",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One drill: a settlement, where its process is stopped (start by start), and the sandbox's trouble."""

    settlement: str
    stops: tuple[tuple[str, int], ...]
    trouble: str = ""

    @property
    def name(self) -> str:
        """`SETTLEMENT:POINT#N[,POINT#N][+TROUBLE]`, which `--case` takes."""
        stops = ",".join(f"{point}#{nth}" for point, nth in self.stops) or "none"
        return f"{self.settlement}:{stops}" + (f"+{self.trouble}" if self.trouble else "")

    @property
    def with_refused_file(self) -> bool:
        """Whether a file that must be refused lies in the drop folder, too."""
        return any(point in _OF_A_REFUSED_FILE for point, _ in self.stops)

    @property
    def point(self) -> str:
        """The point it is about: the last stop."""
        return self.stops[-1][0] if self.stops else ""


def parse(name: str) -> Case:
    """Read `Case.name`. Raises ValueError."""
    settlement, _, rest = name.partition(":")
    stops_text, _, trouble = rest.partition("+")
    if settlement not in FILES or (trouble and trouble not in TROUBLES):
        raise ValueError(f"{name!r}: settlements are {', '.join(FILES)}; troubles {', '.join(TROUBLES)}")
    stops = []
    for stop in stops_text.split(",") if stops_text not in ("", "none") else ():
        point, _, nth = stop.partition("#")
        stops.append((point, int(nth or 1)))
    return Case(settlement, tuple(stops), trouble)


def points() -> list[str]:
    """Every fault point that exists: those the engine names, and those in the source."""
    found = {name for path in SOURCE.rglob("*.py") for name in _REACHED.findall(path.read_text())}
    return sorted(found | set(FAULT_POINTS))


def fast_cases() -> list[Case]:
    """Eight that take well under a minute together."""
    return [parse(name) for name in _FAST]


def all_cases(reached: Mapping[str, Mapping[str, int]], seed: int) -> list[Case]:
    """Each point at its first, its last and a chosen reach, for each settlement; then combined with each trouble.

    Args:
        reached: By settlement: how often a run that is left alone reaches each point.
        seed: Chooses the reaches between.
    """
    chooser = random.Random(seed)
    cases: dict[str, Case] = {}

    def add(case: Case) -> None:
        cases.setdefault(case.name, case)

    for settlement, counts in reached.items():
        for point in points() if settlement != "wide" else _amid_writing():
            before = FIRST_ANSWER_LOST if point in _AFTER_A_LOST_ANSWER else ()
            last = 1 if before or point in _OF_A_REFUSED_FILE else counts.get(point, 1)
            for nth in sorted({1, last, chooser.randint(1, last)}):
                add(Case(settlement, (*before, (point, nth))))
    for trouble in TROUBLES:
        for settlement, counts in reached.items():
            add(Case(settlement, (), trouble))
            for point in _amid_writing():
                nth = chooser.randint(1, max(1, min(4, counts.get(point, 1))))  # troubles leave fewer reaches
                add(Case(settlement, ((point, nth),), trouble))
        add(Case("small", (*FIRST_ANSWER_LOST, ("recover.after_probe", 1)), trouble))
        add(Case("small", (*FIRST_ANSWER_LOST, ("recover.before_adopt", 1)), trouble))
    return list(cases.values())


def _amid_writing() -> Iterable[str]:
    return ("apply.marked_sent", "apply.after_send", "apply.before_confirm", "netsuite.submitted")
