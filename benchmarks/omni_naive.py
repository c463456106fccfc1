"""The naive way from a store into Omni: every record by itself, nothing remembered. What `omni_calls` is measured against.

Belongs here: what a script without a journal, snapshots and batches does to be sure that nothing is made twice. Does not belong here:
counting, what we do.

Of each order it asks: is the contact there, is the order there; makes what is not, one record a call, reads the order back, and pays it.
An order that is there already is asked for its payment. Where a call ends without an answer, it begins again from the start: it has no
other way to learn what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from ledger_pipelines_tests.omni_stage import OmniStage
from ledger_pipelines_tests.shop_history import PRICE
from ledger_pipelines_tests.store_stage import Record

TRIES = 3
_WANTED = ["Username", "Email", "BillAddress", "OrderLine", "OrderLine.Quantity"]


def naive(stage: OmniStage, orders: Sequence[str]) -> None:
    """All of them; from the start again where a call had no answer."""
    asked = {"Filter": {"OrderID": list(orders), "OutputSelector": _WANTED}}
    there = {order["OrderID"]: order for order in stage.shop("GetOrder", asked)["Order"]}
    for _ in range(TRIES):
        try:
            for number in orders:
                _one(stage, there[number])
        except httpx.TransportError:
            continue
        return
    raise SystemExit("the naive way had no answer three times")


def naive_dispatch(stage: OmniStage, orders: Sequence[str], day: str) -> None:
    """Each is looked up, dispatched, and read back."""
    for number in orders:
        own = _found(stage, "SalesOrders", "reference", number)[0]["id"]
        _made(stage, "PUT", "SalesOrders", {"id": own, "dispatchedDate": day, "stage": "Dispatched"})
        if not stage.omni("GET", f"SalesOrders/{own}")["dispatchedDate"]:
            raise SystemExit(f"the naive way did not dispatch {number}")


def _one(stage: OmniStage, order: Record) -> None:
    number, email = str(order["OrderID"]), str(order["Email"])
    contacts = _found(stage, "Contacts", "email", email)
    person = {
        "type": "Customer",
        "firstName": order["BillFirstName"],
        "lastName": order["BillLastName"],
        "email": email,
    }
    contact = contacts[0]["id"] if contacts else _made(stage, "POST", "Contacts", person)  # fmt: skip
    own = _found(stage, "SalesOrders", "reference", number)
    if own and _found(stage, "Payments", "orderId", int(own[0]["id"])):
        return
    made = own[0]["id"] if own else _made(stage, "POST", "SalesOrders", _body(order, contact))
    total = stage.omni("GET", f"SalesOrders/{made}")["total"]
    payment = {"orderId": made, "amount": float(total), "method": "PayPal Checkout", "transactionRef": number}
    _made(stage, "POST", "Payments", payment)


def _body(order: Record, contact: int) -> Record:
    lines = [
        {"code": line["SKU"], "qty": int(line["Quantity"]), "unitPrice": float(PRICE)}
        for line in order["OrderLine"]
    ]
    return {
        "reference": order["OrderID"], "memberId": contact, "taxStatus": "Incl", "taxRate": 10, "lineItems": lines,
    }  # fmt: skip


def _found(stage: OmniStage, path: str, field: str, value: str | int) -> list[Any]:
    told = str(value) if isinstance(value, int) else f"'{value}'"
    found: list[Any] = stage.omni("GET", path, where=f"{field}={told}")
    return found


def _made(stage: OmniStage, method: str, path: str, record: Record) -> int:
    told = stage.omni(method, path, [record])[0]
    if not told["success"]:
        raise SystemExit(f"the naive way was refused: {told}")
    return int(told["id"])
