"""Cases that only a shop with Saasu has: what its plans write, what may change after planning, other shapes, a bad payment.

Belongs here: each case from an installation with everything still to be written, to its verdict. Does not belong here: the
business (`shop_scene`), the cases of any integration by days (`day_cases`), which integration has which (`own_cases`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.keys import decode
from ledger_pipelines_tests.faults import drift_cases, plan_cases, shop_books
from ledger_pipelines_tests.faults.day_cases import Case, OneCase
from ledger_pipelines_tests.faults.drill_books import doubles
from ledger_pipelines_tests.faults.plan_cases import (
    Change,
    Planned,
    order_cancelled,
    order_edited,
    read_again,
    toms,
)
from ledger_pipelines_tests.faults.shop_entry import written

BAD_METHOD = "Cheque"
"""A method of the store that the settings give no account."""


# --- plan --------------------------------------------------------------------------------------------------------------

_TO_STORE = ("items_from_saasu", "stock_from_saasu")


def _names(effect: Effect) -> list[str]:
    """What a document that is made is known by, and the payment inside it."""
    if not plan_cases.creates(effect):
        return []
    kind = "product" if effect.flow in _TO_STORE else effect.kind
    body = decode(effect.body)
    quick = body.get("QuickPayment") if isinstance(body, dict) else None
    inside = [f"payment {quick['Reference']}"] if isinstance(quick, dict) else []
    return [f"{kind} {effect.external_id}", *inside]


def _number(one: OneCase, kind: str, reference: str) -> str:
    return next(iter(shop_books.found_by_hand(one.stage, kind, reference)), "")


def _billed_by_hand(one: OneCase, day: date) -> list[str]:
    """The bookkeeper makes the invoice herself."""
    number = toms(one)
    item = next(row["Id"] for row in one.stage.file().records("item") if row["Code"] == "TIN-200")
    line = {"InventoryId": item, "Quantity": 1, "UnitPrice": "8.80", "TaxCode": "G1", "TotalAmount": "8.80"}
    one.stage.book("POST", "/Invoice", {
        "TransactionType": "S", "InvoiceType": "Tax Invoice", "Layout": "I", "InvoiceNumber": f"BY-HAND-{number}",
        "PurchaseOrderNumber": number, "TransactionDate": day.isoformat(), "LineItems": [line],
    })  # fmt: skip
    return read_again(one, number)


def _paid_by_hand(one: OneCase, day: date) -> list[str]:
    """The bookkeeper books a payment that is planned herself."""
    plan = one.stage.service.plan("payments", day)
    effect = next(
        effect for effect in plan.effects() if plan_cases.creates(effect) and effect.kind == "payment"
    )
    assert effect.expected.amount is not None
    invoice = next(row for row in one.stage.file().invoices() if row["PurchaseOrderNumber"] in effect.number)
    one.stage.book("POST", "/Payment", {
        "TransactionType": "SP", "TransactionDate": day.isoformat(), "PaymentAccountId": 9002,
        "PaymentItems": [{"InvoiceTransactionId": invoice["Id"], "AmountPaid": str(effect.expected.amount.amount)}],
    })  # fmt: skip
    return read_again(one, str(invoice["PurchaseOrderNumber"]))


def _settings(one: OneCase, day: date) -> list[str]:
    del day
    one.stage.again(payments__methods={"Direct Deposit": "PayPal Clearing", "PayPal Checkout": "ANZ Cheque"})
    return []


PLANNED = Planned(
    days=1,
    vendor=lambda flow: "neto" if flow in _TO_STORE else "saasu",
    names=_names,
    calls=lambda plan: 0 if plan.flow in _TO_STORE else len(plan.effects()),
    number=_number,
    changes={
        "order-edited": Change("invoices", order_edited),
        "order-cancelled": Change("invoices", order_cancelled),
        "invoice-by-hand": Change("invoices", _billed_by_hand),
        "paid-by-hand": Change("payments", _paid_by_hand),
        "setting-changed": Change("payments", _settings),
    },
    moves=frozenset({"stock_from_saasu"}),  # quantities are read anew, and the invoices have changed them
)


# --- redeliver ---------------------------------------------------------------------------------------------------------


def _shapes(one: OneCase) -> None:
    """Both vendors answer in the other shapes that were observed, and repeat the row a page ends with."""
    stage = one.stage
    neto = {
        "single_line_as_object": True,
        "messages_as_list": True,
        "empty_dates": "zero",
        "short_pages": True,
    }
    stage.control.post("/neto/settings", json=neto).raise_for_status()
    stage.control.post("/saasu/settings", json={"duplicate_rows": True}).raise_for_status()
    one.must(one.run() == 0, "the run does not end well")
    one.nothing("the run after it", lambda: one.must(one.run() == 0, "the run after it does not end well"))
    one.same()


# --- isolation ---------------------------------------------------------------------------------------------------------


def _bad_record(one: OneCase) -> None:
    """A payment by a method that has no account: it alone waits, in words; once it has one it alone is written."""
    stage = one.stage
    number = stage.order({"SKU": "TIN-200", "Quantity": "1"})
    stage.pay(number, str(stage.owed(number)), BAD_METHOD)
    one.must(one.run() == 1, "with a bad record the run does not end with 1")
    items = stage.service.errors()
    one.must([item.number for item in items] == [number], f"open is not {number} alone: {items}")
    one.must(all(item.text and item.remedy and item.code for item in items), f"no reason or remedy: {items}")
    if items:
        one.found.reached.add("bad record")
    books = stage.file()
    one.must(books.invoices(number), f"the invoice of {number} was not written")
    references = Counter(shop_books.references(stage))
    lacking = [part for part in _REFERENCES if not any(part in name for name in references)]
    one.must(not lacking, f"not written beside the bad one: {lacking}")
    before = references
    stage.again(payments__methods={**_METHODS, BAD_METHOD: "ANZ Cheque"})
    calls = written(stage)
    one.must(one.run() == 0, f"repaired, the run does not end well: {stage.service.errors()}")
    made = Counter(shop_books.references(stage)) - before
    one.must(
        written(stage) - calls == 1 and made.total() == 1,
        f"after the repair: {written(stage) - calls} calls, {made}",
    )
    one.found.problems += [f"twice: {name}" for name in doubles(shop_books.references(stage))]


_METHODS = {"PayPal Checkout": "PayPal Clearing", "Credit Card": "ANZ Cheque", "Direct Deposit": "ANZ Cheque"}
_REFERENCES = ("-RMA", "NETO-REFUND", "-OVER", "company Chen Tea House", "item BOOK-NEW", "product INFUSER")


CASES: Mapping[str, Mapping[str, Case]] = {
    "plan": plan_cases.cases(PLANNED),
    "redeliver": {"shapes": _shapes, **drift_cases.cases({**drift_cases.STORE, **drift_cases.FILE})},
    "isolation": {"record": _bad_record},
}  # fmt: skip
"""By drill and kind."""
