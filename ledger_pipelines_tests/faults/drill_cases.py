"""What the crash drill goes through: settlements, fault points, troubles.

Belongs here: the lists. Does not belong here: which are crossed (`drills.crash`), carrying one out (`chain_case`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines.sync.states import FAULT_POINTS
from ledger_pipelines_tests.faults.engine_server import HANG_SECONDS
from ledger_pipelines_tests.generate import START, SettlementFile, account, many, order, refund

SOURCE = Path(__file__).parents[2] / "ledger_pipelines"
SYSTEMS = frozenset(path.parent.name for path in (SOURCE / "systems").glob("*/writer.py"))
"""Those that records are written to; the fault points of a writer begin with its system's name."""
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

PAST_WAIT = 960
"""Seconds after which nobody waits for a batch (`batch_wait_seconds`), and its settle window is over."""
TROUBLES: Mapping[str, Mapping[str, object]] = {
    "cut_before": {"kind": "cut_before"},
    "cut_after": {"kind": "cut_after"},
    "5xx_before": {"kind": "5xx_before", "status": 503},
    "5xx_after": {"kind": "5xx_after", "status": 500},
    "429": {"kind": "429"},
    "hang": {"kind": "hang", "seconds": HANG_SECONDS},
    "hang_applied": {"kind": "hang", "seconds": HANG_SECONDS, "applied": True},
    "apply_late": {"kind": "apply_late", "seconds": 8},
    "search_lag": {"kind": "search_lag", "seconds": 12},
    "html_200": {"kind": "html_200"},
    "html_200_applied": {"kind": "html_200", "applied": True},
    "truncated_body": {"kind": "truncated_body"},
    "refuse": {"kind": "refuse"},
    "apply_twice": {"kind": "apply_twice"},
}
"""What goes wrong at the sandbox meanwhile; those with an instant stay inside the settle window."""
INSIDE: Mapping[str, Mapping[str, object]] = {
    "error_200": {"kind": "error_200"},
    "task_500": {"kind": "task_failed", "status": 500},
    "task_500_applied": {"kind": "task_failed", "status": 500, "applied": True},
    "task_refused": {"kind": "task_failed", "status": 400},
}
"""What goes wrong inside of an answer that says all is well, at some vendors only."""
_BOTH = {"rate": 1.0, "times": 2}
"""The first two batches: there are few of them."""
_SILENT = {"kind": "5xx_before", "status": 503, "rate": 1.0, "times": 1000, "vendor": "netsuite"}
BATCHES: Mapping[str, Sequence[Mapping[str, object]]] = {
    "job_500": ({"kind": "job_failed", "status": 500, **_BOTH},),
    "job_500_applied": ({"kind": "job_failed", "status": 500, "applied": True, **_BOTH},),
    "job_refused": ({"kind": "job_failed", "status": 400, **_BOTH},),
    "job_stopped": ({"kind": "job_stopped", **_BOTH},),
    "job_lost": ({"kind": "job_lost", **_BOTH},),
    "job_lost_applied": (
        {"kind": "job_lost", "applied": True, **_BOTH},
        {"kind": "search_lag", "seconds": 12},
    ),
    "job_late": ({"kind": "job_late", "seconds": 8, **_BOTH},),
    "job_late_beyond": ({"kind": "job_late", "seconds": PAST_WAIT, **_BOTH},),
    "job_untold": ({"kind": "job_failed", "status": 500, **_BOTH}, {**_SILENT, "path": "/async/v1/job"}),
    "results_untold": ({"kind": "task_failed", "status": 500}, {**_SILENT, "path": "/task/.*/result"}),
    "results_untold_applied": (
        {"kind": "task_failed", "status": 500, "applied": True},
        {"kind": "search_lag", "seconds": 12},
        {**_SILENT, "path": "/task/.*/result"},
    ),
}
"""What befalls a batch that was accepted (netsuite.md 4.10): it fails wholly or from its middle on, is lost, is late within the
wait for it or beyond the settle window after that wait, or its state or results cannot be read."""
_ONLY_OF: Mapping[str, frozenset[str]] = {
    "error_200": frozenset({"cin7", "neto"}),
    **dict.fromkeys(
        ("task_failed", "job_failed", "job_stopped", "job_lost", "job_late"), frozenset({"netsuite"})
    ),
}
"""Vendors whose answers with status 200 tell of errors (neto.md 1.2, cin7-omni.md 1.5), and those that accept a batch whose records
then fail one by one (netsuite.md 4.10). Saasu's interface has none but HTML."""
REFUSED_INSIDE = ("error_200", "task_refused", "job_refused")
"""Those that wait for a person: there is nothing wrong with the record, which no program can tell."""
ALL_TROUBLES: Mapping[str, Sequence[Mapping[str, object]]] = {
    **{name: (rule,) for name, rule in {**TROUBLES, **INSIDE}.items()},
    **BATCHES,
}
"""By name the rules of each; one of several has come when each of its rules has struck."""


def known_to(rule: Mapping[str, object], vendor: str) -> bool:
    """Whether a vendor can have what a rule says."""
    return vendor in _ONLY_OF.get(str(rule["kind"]), {vendor}) and rule.get("vendor", vendor) == vendor


def struck_rare(entry: str, trouble: str, write: Mapping[str, object]) -> str:
    """What is reached when a trouble strikes a kind of write of which there are few (`Entry.writes` with a rate)."""
    return f"{entry}+{trouble} at {write['vendor']} {write.get('header') or write.get('path')}"


def rules(trouble: str) -> list[dict[str, object]]:
    """The sandbox's rules of a trouble, or of several: `NAME[@SECONDS][&NAME ...]`. Raises ValueError."""
    found: list[dict[str, object]] = []
    for part in trouble.split("&") if trouble else ():
        name, _, seconds = part.partition("@")
        if name not in ALL_TROUBLES:
            raise ValueError(f"no trouble {name!r}; there are {', '.join(ALL_TROUBLES)}")
        late = {"seconds": float(seconds)} if seconds else {}
        found += [{**rule, **late} for rule in ALL_TROUBLES[name]]
    return found


def asked_again(trouble: str, window: float) -> bool:
    """Whether a target may be asked again for what it has made: it was asked twice by others, or is later than its window allows."""
    return any(
        rule["kind"] == "apply_twice"
        or (rule["kind"] in {"apply_late", "job_late"} and float(str(rule["seconds"])) > window)
        for rule in rules(trouble)
    )


FIRST_ANSWER_LOST = "apply.before_confirm#1"
AFTER_A_LOST_ANSWER = frozenset(
    {
        "recover.expired",
        "recover.before_probe",
        "recover.after_probe",
        "recover.before_adopt",
        "recover.adopted",
    }
)
"""Points that a start reaches only after an earlier one was killed at `FIRST_ANSWER_LOST`."""
AMID_WRITING = ("apply.marked_sent", "apply.after_send", "apply.before_confirm")
"""Points of the engine between the intent to call and the knowledge of its end."""
_OF_A_REFUSED_FILE = frozenset({"landing.after_reason", "landing.after_put_aside"})


def is_of_a_refused_file(point: str) -> bool:
    """Whether the point is reached only when a file is refused."""
    return point in _OF_A_REFUSED_FILE


@cache
def points() -> tuple[str, ...]:
    """Every fault point that exists: those the engine names, and those in the source.

    Raises:
        ValueError: one is reached by another name than a literal: no drill could ask for it.
    """
    found = {name for path in SOURCE.rglob("*.py") for name in _reached(path)}
    return tuple(sorted(found | set(FAULT_POINTS)))


def _reached(path: Path) -> Iterator[str]:
    text = path.read_text()
    for call in ast.walk(ast.parse(text)) if "reached(" in text else ():
        if not isinstance(call, ast.Call) or _name(call.func) != "reached":
            continue
        match call.args:
            case [ast.Constant(value=str(name))]:
                yield name
            case _:
                raise ValueError(f"{path}:{call.lineno}: a fault point's name is no literal.")


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
