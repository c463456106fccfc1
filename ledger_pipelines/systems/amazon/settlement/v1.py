"""Flat file V1 in the terms of V2.

Belongs here: the mapping of section 3.4, rows that carry two amounts, quantities that stand on rows of their own.
Does not belong here: reading cells. Facts: amazon-settlement.md 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ledger_pipelines.systems.amazon.settlement import columns

_REIMBURSEMENT = "FBA Inventory Reimbursement"
_REIMBURSEMENTS = frozenset(
    {
        "WAREHOUSE_DAMAGE", "WAREHOUSE_DAMAGE_EXCEPTION", "WAREHOUSE_LOST", "WAREHOUSE_LOST_MANUAL",
        "MISSING_FROM_INBOUND", "MISSING_FROM_INBOUND_CLAWBACK", "REVERSAL_REIMBURSEMENT", "COMPENSATED_CLAWBACK",
        "FREE_REPLACEMENT_REFUND_ITEMS", "CS_ERROR_ITEMS", "CS_ERROR_NON_ITEMIZED", "INCORRECT_FEES_ITEMS",
        "INCORRECT_FEES_NON_ITEMIZED", "RE_EVALUATION", "MULTICHANNEL_ORDER_LOST", "MULTICHANNEL_ORDER_DAMAGED",
        "MULTICHANNEL_ORDER_LATE", "REMOVAL_ORDER_DAMAGED", "REMOVAL_ORDER_LOST",
    }
)  # fmt: skip
_KEPT_TYPES = frozenset({"ServiceFee"})
_OTHER = "other-transaction"
_ITEM_TYPES = frozenset({"order", "refund", "chargeback refund", "a-to-z guarantee refund"})
RESERVE_HINT = (
    "The file has no reserve or payable row; V1 files of some accounts leave them out (amazon-settlement.md 10): "
    "the V2 file of the same settlement has them."
)
RESERVE_TYPES = ("payable to amazon", "previous reserve amount balance", "current reserve amount")


class Part(NamedTuple):
    """One amount of a row, as text, with the V2 triple it has."""

    column: str
    transaction_type: str
    amount_type: str
    amount_description: str
    cell: str
    quantity: int | None
    extra: dict[str, str]


@dataclass(slots=True)
class Quantities:
    """Quantity rows carry no money; their quantity belongs to the component rows of the same item that follow."""

    current: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def of(self, row: dict[str, str], quantity: int | None) -> int | None:
        """Remember or recall the quantity of the row's item."""
        key = (row.get("order-id", ""), row.get("shipment-id", ""), row.get("order-item-code", ""))
        if not all(key):
            return quantity
        if quantity is not None:
            self.current[key] = quantity
        return self.current.get(key)


def parts(row: dict[str, str], kind: str, quantities: Quantities, quantity: int | None) -> list[Part]:
    """Every amount of a V1 detail row, in file order. None for a quantity row: it carries no money."""
    amount_of_item = quantities.of(row, quantity)
    found: list[Part] = []
    for column in columns.V1_MONEY:
        cell = row.get(column, "")
        if not cell.strip():
            continue
        triple, extra = _triple(row, kind, column)
        found.append(Part(column, *triple, cell, amount_of_item, extra))
    return found


def _triple(row: dict[str, str], kind: str, column: str) -> tuple[tuple[str, str, str], dict[str, str]]:
    def cell(name: str) -> str:
        return row.get(name, "").strip()

    if column == "price-amount":
        return (kind, "ItemPrice", cell("price-type")), {}
    if column == "promotion-amount":
        return (kind, "Promotion", cell("promotion-type")), {}
    if column == "shipment-fee-amount":
        return (kind, "ShipmentFees", cell("shipment-fee-type")), {}
    if column == "order-fee-amount":
        return (kind, "OrderFees", cell("order-fee-type")), {}
    if column == "direct-payment-amount":
        return (kind, "DirectPayment", cell("direct-payment-type")), {}
    service = kind in _KEPT_TYPES or not cell("order-id")
    if column == "item-related-fee-amount":
        if service:
            return (kind, cell("item-related-fee-type"), "TransactionTotalAmount"), {}
        return (kind, "ItemFees", cell("item-related-fee-type")), {}
    if column == "other-fee-amount":
        reason = cell("other-fee-reason-description")
        fee = cell("item-related-fee-type")
        if service and fee:
            # V2 writes one row for both; the sums per description then agree (section 3.4)
            return (kind, fee, "TransactionTotalAmount"), {"other-fee-reason-description": reason}
        return (kind, "OtherFees", reason), {}
    if kind.lower() in _ITEM_TYPES:
        return (kind, "OtherFees" if column == "misc-fee-amount" else _OTHER, column), {}
    return misc(kind), {}


def misc(kind: str) -> tuple[str, str, str]:
    """The triple of a V1 row whose transaction-type is the description itself (3.2, 3.4)."""
    if kind.lower() == "micro deposit":
        return ("Transfers", "Micro Deposit", "Micro Deposit")
    if kind.upper() in _REIMBURSEMENTS:
        return (_OTHER, _REIMBURSEMENT, kind)
    return (_OTHER, _OTHER, kind)
