"""Payments: records of their own that point at an order.

Belongs here: their rules. Does not belong here: totals. Source: cin7-omni.md 10.5; nothing keeps one from being posted twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from ledger_pipelines.sandbox.cin7 import schemas
from ledger_pipelines.sandbox.cin7.answers import ItemError
from ledger_pipelines.sandbox.cin7.fields import Spec
from ledger_pipelines.sandbox.cin7.resource import DELETED, Resource
from ledger_pipelines.sandbox.cin7.store import Row, Store, stamp
from ledger_pipelines.sandbox.codec import ZERO, Document, number

_OWNERS = {"order": "SalesOrder", "credit": "CreditNote"}


class Payments(Resource):
    """Money that came in, or went out."""

    path, kind, sequence, called = "Payments", "payment", "payment", "Payment"
    spec: ClassVar[Spec] = schemas.PAYMENT
    verbs = DELETED

    def code(self, row: Row) -> str | None:
        """The transaction reference."""
        return row.body.get("transactionRef")

    def completed(self, body: Document, sent: Document, row: Row | None) -> None:
        """The order it pays; without an amount all that is owed."""
        del sent, row
        owner = self._owner(int(body["orderId"]))
        if owner is None:
            raise ItemError(f"Order {body['orderId']} not found.")
        body["orderType"], body["orderRef"] = _OWNERS[owner.kind], owner.body["reference"]
        body["branchId"] = body["branchId"] or owner.body["branchId"]
        body["paymentDate"] = body["paymentDate"] or stamp(self.account.now())
        if body["amount"] is None:
            body["amount"] = number(owner.body["total"]) - paid(self.store, owner.id)

    def _owner(self, order_id: int) -> Row | None:
        found = (self.store.get(kind, order_id) for kind in _OWNERS)
        return next((row for row in found if row is not None), None)


def paid(store: Store, order_id: int) -> Decimal:
    """The sum of an order's payments."""
    found = store.select("payment", "json_extract(body, '$.orderId') = ?", (order_id,), index="orderId")
    return sum((number(row.body["amount"]) for row in found), ZERO)
