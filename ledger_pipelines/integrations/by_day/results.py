"""What a run and a status say.

Belongs here: the shapes. Does not belong here: making them (`service`), showing them (`cli`, `orchestration`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.integrations.open_items import OpenItem
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One flow of one day. result: None where nothing may be written (mode plan)."""

    flow: str
    plan: Plan
    result: ApplyResult | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run over some days. calls: to both sides; read: rows read anew by entity; doubles: documents of ours that the target has
    more than once."""

    days: tuple[date, ...]
    runs: tuple[FlowRun, ...]
    calls: int
    read: Mapping[str, int] = field(default_factory=dict)
    doubles: tuple[OpenItem, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when nothing needs a person."""
        blocked = any(row.action.value == "blocked" for run in self.runs for row in run.plan.rows)
        return int(
            bool(self.doubles)
            or blocked
            or any(run.result is not None and run.result.exit_code for run in self.runs)
        )


@dataclass(frozen=True, slots=True)
class DayStatus:
    """Where an integration stands. calls_today, calls_left: of the target's day; None = not asked."""

    name: str
    kind: str
    mode: Mode
    initial_sync: datetime | None
    written: int
    open_items: int
    days_due: tuple[date, ...]
    calls_today: int | None
    calls_left: int | None
