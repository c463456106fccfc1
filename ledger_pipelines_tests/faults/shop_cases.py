"""Cases that only a shop with Saasu has: what its plans list, what may change after planning, other shapes, a bad payment.

Belongs here: each case from an installation with everything still to be written, to its verdict. Does not belong here: the
business (`shop_scene`), the cases of any integration by days (`day_cases`), which integration has which (`own_cases`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.sync.gates import StalePlanError
from ledger_pipelines_tests.faults import shop_books
from ledger_pipelines_tests.faults.day_cases import Case, OneCase
from ledger_pipelines_tests.faults.drill_books import doubles
from ledger_pipelines_tests.faults.shop_entry import NETO_SAASU, written
from ledger_pipelines_tests.faults.tampering import ALTERATIONS

SCENE = NETO_SAASU.scenes["small"]
BAD_METHOD = "Cheque"
"""A method of the store that the settings give no account."""


# --- plan --------------------------------------------------------------------------------------------------------------


def _refreshed(one: OneCase) -> date:
    service = one.stage.service
    service.refresh()
    return service.today()


def _exact(one: OneCase) -> None:
    """Flow by flow: what is new in the file is what the plan lists, and no more calls than that; then nothing is left."""
    stage = one.stage
    day = _refreshed(one)
    for turn in (1, 2):
        for flow in stage.service.flows:
            plan = stage.service.plan(flow, day)
            before, calls = Counter(shop_books.references(stage)), written(stage)
            stage.service.export(flow, day)
            made = Counter(shop_books.references(stage)) - before
            listed = Counter(name for effect in plan.effects() for name in _names(effect))
            one.must(made == listed, f"{flow}: planned {listed - made} and not made, made {made - listed}")
            file = 0 if flow in _TO_STORE else len(plan.effects())
            one.must(written(stage) - calls == file, f"{flow}: {written(stage) - calls} calls for {file}")
            sold = flow == "stock_from_saasu"  # quantities are read anew, and the invoices have changed them
            one.must(turn == 1 or sold or not plan.effects(), f"{flow}: planned again {plan.effects()[:2]}")
            one.found.reached |= {row.action.value for row in plan.rows}
            one.count("planned", len(plan.effects()))
        service = stage.service
        service.refresh()
    one.same()


_TO_STORE = ("items_from_saasu", "stock_from_saasu")


def _names(effect: Effect) -> list[str]:
    """What a document that is made is known by, and the payment inside it."""
    if effect.action is not Action.CREATE:
        return []
    kind = "product" if effect.flow in _TO_STORE else effect.kind
    body = decode(effect.body)
    quick = body.get("QuickPayment") if isinstance(body, dict) else None
    inside = [f"payment {quick['Reference']}"] if isinstance(quick, dict) else []
    return [f"{kind} {effect.external_id}", *inside]


def _stale(one: OneCase) -> None:
    """The order is changed, and read again, after planning: the old plan is refused in words, and nothing arrives."""
    stage = one.stage
    day = _refreshed(one)
    _planned_before(one, "invoices", day)
    stage.service.plan("invoices", day)
    number = next(order["key"] for order in stage.store()["order"] if order.get("BillFirstName") == "Tom")
    wish = {"OrderID": number, "OrderLine": [{"SKU": "TIN-200", "Quantity": "4"}], "ShippingCost": "9.95"}
    stage.control.post("/neto/edit", json=wish).raise_for_status()
    stage.clock.jump(60)
    stage.service.refresh()
    _refused(one, "invoices", day, [str(number)])


def _settings(one: OneCase) -> None:
    """A setting is changed after planning."""
    day = _refreshed(one)
    _planned_before(one, "payments", day)
    one.stage.service.plan("payments", day)
    one.stage.again(payments__methods={"Direct Deposit": "PayPal Clearing", "PayPal Checkout": "ANZ Cheque"})
    _refused(one, "payments", day, [])


def _altered(one: OneCase) -> None:
    """A stored plan that somebody edited, in each way, with or without making its digest fit."""
    stage = one.stage
    day = _refreshed(one)
    _planned_before(one, "payments", day)
    for alteration in ALTERATIONS.values():
        alteration(stage.folder / "data" / "plans", stage.service.plan("payments", day))
        _refused(one, "payments", day, [])


def _planned_before(one: OneCase, flow: str, day: date) -> None:
    """What comes before a flow is written."""
    service = one.stage.service
    for earlier in service.flows[: service.flows.index(flow)]:
        service.plan(earlier, day)
        service.export(earlier, day)


def _refused(one: OneCase, flow: str, day: date, words: Sequence[str]) -> None:
    stage = one.stage
    before = NETO_SAASU.picture(stage)

    def export() -> None:
        try:
            result = stage.service.export(flow, day)
            one.must(False, f"the export of {flow} was not refused: {result.counts()}")
        except StalePlanError as error:
            one.must(error.difference or not words, "the refusal names no difference")
            for word in words:
                one.must(word in str(error), f"the refusal does not say {word!r}: {error}")
        except LedgerError as error:
            one.must(not words, f"refused, but not as stale: {error}")

    one.nothing(f"a refused export of {flow}", export)
    one.found.problems += NETO_SAASU.picture(stage).differences(before)
    one.count("refused", 1)


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
    "plan": {"exact": _exact, "stale": _stale, "settings": _settings, "altered": _altered},
    "redeliver": {"shapes": _shapes},
    "isolation": {"record": _bad_record},
}  # fmt: skip
"""By drill and kind."""
