"""What becomes of one order in Omni: the words that payments and status updates share.

Belongs here: Decision, what an order is called. Does not belong here: deciding (`orders`, `edits`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import SalesOrder


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one order in Omni.

    Args:
        order: It.
        rows: Of the plan of flow `orders`.
        key: Of the effect that makes it.
        target: What a payment refers to (`orderId`): the link to that effect; None: there is no order of ours in Omni, and none
            is planned (`reason` says why).
        reason: Why there is none, or why the order waits; None when all is well.
        booked: The order as last read from Omni.
        ours: Whether we wrote it, or will.
        waits: Whether what Omni holds is not what the store has, or not known to be: a change of it is not confirmed yet, or
            waits for a person (its row is blocked).
    """

    order: SalesDocument
    rows: tuple[PlanRow, ...]
    key: str
    target: Json = None
    reason: Reason | None = None
    booked: SalesOrder | None = None
    ours: bool = True
    waits: bool = False


def titled(order: SalesDocument) -> str:
    """An order in rows of its own, for people."""
    return f"Order {order.number}, {order.party.title}"
