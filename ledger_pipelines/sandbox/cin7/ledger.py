"""The stock and sales ledger: what Omni's account comes to, worked out anew from its documents.

Belongs here: sums, and whether what is kept agrees with them. Does not belong here: the rules that made the documents.
Omni has no general ledger; this stands where the other vendors have a trial balance.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ledger_pipelines.sandbox.cin7.account import Account
from ledger_pipelines.sandbox.cin7.orders import moves_of
from ledger_pipelines.sandbox.cin7.stock import arrivals_of
from ledger_pipelines.sandbox.cin7.store import Cell, Level, Move, Row
from ledger_pipelines.sandbox.cin7.totals import totals
from ledger_pipelines.sandbox.codec import ZERO, Document, number, plain

_SUMMED = ("productTotal", "freightTotal", "surcharge", "discountTotal", "total")


def ledger(account: Account) -> Document:
    """`{currency, sales, payments, orders, stock, adds_up, differences}`.

    sales: by status, count and sums in the base currency. orders: total, paid, outstanding of each. stock: on hand = in by
    adjustments - out by dispatched orders. differences: where a kept total or level is not what the documents come to.
    """
    orders = list(account.store.select("order"))
    payments = list(account.store.select("payment"))
    paid: dict[int, Decimal] = {}
    for payment in payments:
        owner = payment.body["orderId"]
        paid[owner] = paid.get(owner, ZERO) + number(payment.body["amount"])
    differences: list[str] = []
    shown = [_order(row, paid.get(row.id, ZERO), differences) for row in orders]
    stock = _stock(account, orders, differences)
    return {
        "currency": account.settings.base_currency,
        "sales": {status: _sales(orders, status) for status in ("DRAFT", "APPROVED", "VOID")},
        "payments": _payments(payments),
        "orders": shown,
        "stock": stock,
        "adds_up": not differences,
        "differences": differences,
    }


def _sales(orders: Iterable[Row], status: str) -> Document:
    chosen = [row.body for row in orders if row.body["status"] == status]
    sums = {name: plain(sum((number(body[name]) for body in chosen), ZERO)) for name in _SUMMED}
    return {"count": len(chosen), "dispatched": sum(1 for body in chosen if body["dispatchedDate"]), **sums}


def _payments(payments: list[Row]) -> Document:
    by_method: dict[str, Decimal] = {}
    for row in payments:
        method = str(row.body["method"] or "")
        by_method[method] = by_method.get(method, ZERO) + number(row.body["amount"])
    return {
        "count": len(payments),
        "amount": plain(sum(by_method.values(), ZERO)),
        "by_method": {method: plain(amount) for method, amount in sorted(by_method.items())},
    }


def _order(row: Row, paid: Decimal, differences: list[str]) -> Document:
    body, sums = row.body, totals(row.body, row.body["lineItems"])
    kept = {"productTotal": sums.product, "total": sums.taxed}
    differences += [
        f"order {row.id}: {name} is {body[name]}, its lines come to {amount}"
        for name, amount in kept.items()
        if number(body[name]) != amount
    ]
    return {
        "id": row.id, "reference": body["reference"], "status": body["status"], "stage": body["stage"],
        "dispatched": bool(body["dispatchedDate"]), "total": plain(number(body["total"])), "paid": plain(paid),
        "outstanding": plain(number(body["total"]) - paid),
    }  # fmt: skip


def _stock(account: Account, orders: Iterable[Row], differences: list[str]) -> list[Document]:
    arrived, ordered = _sums(account.store.select("adjustment"), arrivals=True), _sums(orders, arrivals=False)
    levels = account.store.levels()
    codes = {
        Cell(row.body["id"], row.body["size"] or "", 0): row.body["code"]
        for row in account.store.select("option")
    }
    nothing, shown = Move(Cell(0, "", 0)), []
    for cell in sorted(
        arrived.keys() | ordered.keys() | levels.keys(), key=lambda c: (c.option, c.size, c.branch)
    ):
        came, went = arrived.get(cell, nothing), ordered.get(cell, nothing)
        level = levels.get(cell, Level())
        hand, sold = came.on_hand + went.on_hand, went.open_sales
        code = codes[Cell(cell.option, cell.size, 0)]
        if (hand, sold) != (level.on_hand, level.open_sales):
            differences.append(
                f"stock of {code} at branch {cell.branch}: {level.on_hand} on hand and {level.open_sales} sold are kept, "
                f"the documents come to {hand} and {sold}"
            )
        shown.append(
            {"code": code, "branchId": cell.branch, "adjusted": plain(came.on_hand), "dispatched": plain(-went.on_hand),
             "stockOnHand": plain(hand), "openSales": plain(sold), "available": plain(hand - sold)}
        )  # fmt: skip
    return shown


def _sums(documents: Iterable[Row], *, arrivals: bool) -> dict[Cell, Move]:
    sums: dict[Cell, Move] = {}
    for row in documents:
        for move in arrivals_of(row.body) if arrivals else moves_of(row.body):
            was = sums.get(move.cell, Move(move.cell))
            sums[move.cell] = Move(move.cell, was.on_hand + move.on_hand, was.open_sales + move.open_sales)
    return sums
