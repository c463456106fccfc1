"""What a run and a status say.

Belongs here: the shapes. Does not belong here: making them (`service`), showing them (`cli`, `orchestration`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger_pipelines.documents.settlement import Settlement
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One flow of a run."""

    flow: str
    plan: Plan
    result: ApplyResult


@dataclass(frozen=True, slots=True)
class RunResult:
    """A settlement's run through some or all flows."""

    settlement_id: str
    flows: tuple[FlowRun, ...]
    reconciliation: Reconciliation | None
    statement: Path | None = None

    @property
    def exit_code(self) -> int:
        """0 when nothing needs a person."""
        needs = any(run.result.exit_code for run in self.flows)
        return int(needs or (self.reconciliation is not None and not self.reconciliation.clean))


@dataclass(frozen=True, slots=True)
class SettlementStatus:
    """Where one settlement stands, from what is stored; no call is made.

    carried_out: every flow has a plan, and the journal knows each of its writes to be done (or ignored by a person).
    """

    settlement: Settlement
    planned: bool
    reconciliation: Reconciliation | None
    open_items: int
    status: str
    carried_out: bool
