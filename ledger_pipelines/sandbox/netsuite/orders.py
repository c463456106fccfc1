"""How far a sales order is fulfilled and billed, and what of it can be billed now.

Belongs here: quantities, the order's status letter and its links to fulfilments, invoices and cash sales.
Source: netsuite.md 8.6 (preconditions [I]), 7.3 and 7.5 (links, letters).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document, number, plain
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import user_error
from ledger_pipelines.sandbox.netsuite.sales import needs_fulfilment
from ledger_pipelines.sandbox.netsuite.store import Row

LINK = {"invoice": "OrdBill", "cashSale": "OrdBill", "itemFulfillment": "ShipRcpt"}


@dataclass(frozen=True)
class LineState:
    """One order line: ordered, fulfilled, billed (in units) and billed (in money)."""

    line: Document
    ordered: Decimal
    fulfilled: Decimal
    billed: Decimal
    billed_amount: Decimal

    @property
    def closed(self) -> bool:
        """Closed by the user: counts as done."""
        return bool(self.line.get("isClosed"))


def states(company: Company, order: Row) -> list[LineState]:
    """Every line of the order with its quantities."""
    shipped: dict[int, Decimal] = {}
    billed: dict[int, Decimal] = {}
    money: dict[int, Decimal] = {}
    for kind, line, quantity, amount in company.store.db.execute(
        'SELECT t.type, l.orderline, l.quantity, l.foreignamount FROM ns_line l JOIN ns_transaction t ON t.id = l."transaction" '
        "WHERE l.createdfrom = ? AND l.orderline IS NOT NULL",
        (order.id,),
    ):
        at = int(line)
        if kind == "ItemShip":
            shipped[at] = shipped.get(at, ZERO) - number(quantity)
        elif kind in {"CustInvc", "CashSale"}:
            billed[at] = billed.get(at, ZERO) - number(quantity)
            money[at] = money.get(at, ZERO) - number(amount)
    result = []
    for line in order.body.get("item", []):
        at = int(line["line"])
        ordered = number(line["quantity"]) if line.get("quantity") is not None else Decimal(1)
        item = company.store.master("item", int(line["item"]))
        fulfilled = shipped.get(at, ZERO) if item is not None and needs_fulfilment(item) else ordered
        was_billed = billed.get(at, ZERO)
        if line.get("quantity") is None and at in money:
            was_billed = Decimal(1)
        result.append(LineState(line, ordered, fulfilled, was_billed, money.get(at, ZERO)))
    return result


def refresh(company: Company, order_id: int) -> None:
    """Recompute line quantities and the order's status, and keep both."""
    order = company.store.get("transaction", order_id)
    if order is None or order.rectype != "salesOrder":
        return
    found = states(company, order)
    for state in found:
        state.line["quantityBilled"] = state.billed
        state.line["quantityFulfilled"] = state.fulfilled
    status = order.body.get("orderStatus") or "B"
    if status not in {"A", "C"}:
        status = _status(found)
    order.body["orderStatus"] = status
    company.store.put(order)
    company.store.db.execute("UPDATE ns_transaction SET status = ? WHERE id = ?", (status, order_id))


def _status(found: list[LineState]) -> str:
    live = [state for state in found if not state.closed]
    if not live:
        return "H"
    if all(state.billed >= state.ordered for state in live):
        return "G"
    if all(state.fulfilled >= state.ordered for state in live):
        return "F"
    shipped = any(
        state.fulfilled > 0
        for state in live
        if state.line.get("itemType") in {"InvtPart", "Kit", "NonInvtPart"}
    )
    if not shipped:
        return "B"
    unbilled = any(state.fulfilled > state.billed for state in live)
    return "E" if unbilled else "D"


def billable_lines(company: Company, order: Row) -> list[Document]:
    """Lines for an invoice or cash sale of what may be billed now. Raises NetSuiteError when nothing may."""
    status = order.body.get("orderStatus")
    if status in {"A", "C", "G", "H"}:
        names = {"A": "pending approval", "C": "cancelled", "G": "fully billed", "H": "closed"}
        raise user_error(
            f"The sales order {order.body.get('tranId')} is {names[status]} and cannot be billed."
        )
    result = []
    for state in states(company, order):
        limit = state.ordered if company.features.invoiceInAdvance else state.fulfilled
        quantity = limit - state.billed
        if state.closed or quantity <= 0:
            continue
        line = _copy(state.line, order.id)
        whole = number(state.line["amount"])
        if state.line.get("quantity") is not None:
            line["quantity"] = quantity
        share = (
            whole - state.billed_amount
            if quantity + state.billed == state.ordered
            else whole * quantity / state.ordered
        )
        line["amount"] = share
        result.append(line)
    if not result:
        raise user_error(f"There are no lines to bill on the sales order {order.body.get('tranId')}.")
    return result


def fulfilable_lines(company: Company, order: Row) -> list[Document]:
    """Lines for an item fulfilment of everything still to ship. Raises NetSuiteError when nothing is."""
    if order.body.get("orderStatus") in {"A", "C", "G", "H"}:
        raise user_error(
            f"The sales order {order.body.get('tranId')} cannot be fulfilled in its present status."
        )
    result = []
    for state in states(company, order):
        if state.fulfilled < state.ordered and not state.closed:
            line = _copy(state.line, order.id)
            line["quantity"] = state.ordered - state.fulfilled
            result.append(line)
    if not result:
        raise user_error(f"There are no lines to fulfil on the sales order {order.body.get('tranId')}.")
    return result


def _copy(line: Document, order_id: int) -> Document:
    dropped = {
        "lineUniqueKey",
        "quantityBilled",
        "quantityFulfilled",
        "quantityCommitted",
        "isClosed",
        "grossAmt",
    }
    copied = {name: value for name, value in line.items() if name not in dropped}
    return copied | {"orderDoc": str(order_id), "orderLine": int(line["line"])}


def link(company: Company, row: Row) -> None:
    """Write the header link from the order to what was made of it."""
    source = row.body.get("createdFrom")
    kind = LINK.get(row.rectype)
    company.store.db.execute(
        "DELETE FROM ns_link WHERE nextdoc = ? AND linktype IN ('OrdBill', 'ShipRcpt')", (row.id,)
    )
    if not source or kind is None:
        return
    header = company.store.db.execute(
        "SELECT type FROM ns_transaction WHERE id = ?", (int(source),)
    ).fetchone()
    if header is None or header[0] != "SalesOrd":
        return
    code = company.schema.types[row.rectype.lower()].type_code
    for line in row.body.get("item", []):
        if line.get("orderDoc") != source:
            continue
        company.store.insert(
            "ns_link",
            {
                "previousdoc": int(source), "previousline": int(line.get("orderLine") or 0), "previoustype": "SalesOrd",
                "nextdoc": row.id, "nextline": int(line["line"]), "nexttype": code, "linktype": kind,
                "foreignamount": plain(number(line.get("amount"))), "lastmodifieddate": row.modified_local,
                "via": row.id, "visible_at": row.visible_at,
            },
        )  # fmt: skip
