"""What becomes of one order in the file: the words that invoices, payments and returns share.

Belongs here: Decision. Does not belong here: deciding (`invoices`, `revisions`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.neto_saasu.quick import Quick
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuInvoice


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one order in the file.

    Args:
        order: It.
        rows: Of the plan of flow `invoices`, in the order they are to be carried out.
        key: Of the effect that creates the order's present invoice (the latest revision).
        invoice: What a payment refers to (`InvoiceTransactionId`): `{"$link": key}` for ours, the id as text for one that
            somebody else wrote; None: there is no invoice of this order, and none is planned (`reason` says why).
        reason: Why there is none, or why the order waits; None when all is well.
        total: What the invoice comes to in Saasu, once it says what the books hold or the plan wants.
        owed: The total less `quick`: what payments of the flow `payments` may sum up to. For someone else's invoice: what
            the books say is owed.
        quick: The payment inside the invoice's call.
        booked: The invoice as last read from the books.
        ours: Whether we wrote it, or will.
        contact: `BillingContactId` of it; None where it is not known.
        credits: Keys of our adjustment notes for it (edited or cancelled orders), oldest first.
    """

    order: SalesDocument
    rows: tuple[PlanRow, ...]
    key: str
    invoice: Json = None
    reason: Reason | None = None
    total: Money | None = None
    owed: Money | None = None
    quick: Quick | None = None
    booked: SaasuInvoice | None = None
    ours: bool = True
    contact: Json = None
    credits: tuple[str, ...] = ()
