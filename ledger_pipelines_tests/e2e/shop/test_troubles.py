"""What goes wrong on the way: a clear sentence that names the record, nothing lost, nothing doubled.

Troubles that pass by themselves share one installation; each of the others begins with the small shop as it was set up.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.errors import CredentialError, TransientError
from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines.sync.result import Outcome, RowResult
from ledger_pipelines.systems.http import Answer
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import (
    SYDNEY,
    agrees,
    change_item,
    expected,
    no_doubles,
    number,
    outcomes,
    refill,
    settings,
    stock_of,
    unsettled,
    waiting,
    writes,
)
from ledger_pipelines_tests.shop_stage import Record, ShopStage

POT: Record = {"SKU": "POT-600", "Quantity": "1"}
INVOICE = r"/Invoice\?"
SETTLED = 120
"""Seconds after which a write in doubt is settled: longer than the stage's settle window."""


@pytest.fixture(scope="module")
def calms() -> list[ShopStage]:
    """Installations for troubles that pass; the last one counts."""
    return []


@pytest.fixture
def calm(opened: Opened, calms: list[ShopStage]) -> ShopStage:
    """An installation for troubles that pass; its contact is known, so that a run with one new order makes one writing call.
    It is made anew where another scene has taken its place, for tests come in any order.
    """
    if not calms or calms[-1].control.is_closed:
        stage = opened()
        stage.order(POT)
        run(stage)
        calms.append(stage)
    return calms[-1]


@pytest.fixture
def restless(calm: ShopStage) -> Iterator[ShopStage]:
    """The same; a test's faults end with it."""
    yield calm
    calm.control.delete("/faults").raise_for_status()


def run(stage: ShopStage) -> RunResult:
    """A run, some time after the last one."""
    stage.clock.jump(SETTLED)
    return stage.run()


def paid_order(stage: ShopStage, *lines: Record) -> str:
    """A customer orders, and pays in full."""
    order = stage.order(*lines or (POT,))
    stage.pay(order, str(stage.owed(order)))
    return order


def result_of(result: RunResult, order: str, flow: str = "invoices") -> RowResult:
    """What became of an order's one document that was to be written."""
    found = [one for one in outcomes(result, order, flow) if one.outcome is not Outcome.SKIPPED]
    assert len(found) == 1, found
    return found[0]


def stopped(result: RunResult) -> Reason:
    """Why a run ended before its plans did."""
    (why,) = (one.result.stopped for one in result.runs if one.result is not None and one.result.stopped)
    return why


def booked_once(stage: ShopStage) -> None:
    """Every order has its one invoice and every payment is there once: the books agree with the store to the cent."""
    no_doubles(stage.file())
    agrees(stage.file(), expected(stage.store()))
    assert stage.unfinished() == 0


# --- answers that are none -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", ["neto", "saasu"])
@pytest.mark.parametrize("kind", ["html_200", "truncated_body", "5xx_before"])
def test_one_bad_answer_to_a_reading_call_does_not_end_the_run(
    restless: ShopStage, vendor: str, kind: str
) -> None:
    paid_order(restless)
    restless.fault(kind, vendor, path="/Invoices" if vendor == "saasu" else "", times=1)
    assert unsettled(run(restless)) == []
    assert restless.fired() == 1
    booked_once(restless)


@pytest.mark.parametrize(
    ("vendor", "words"),
    [
        ("neto", "Neto connection 'shop', GetItem: a web page titled"),
        ("saasu", "Saasu connection 'saasu'.* web page in place of an answer"),
    ],
)
def test_a_web_page_in_place_of_every_answer_ends_the_run_naming_the_connection_and_the_next_run_goes_on(
    restless: ShopStage, vendor: str, words: str
) -> None:
    order = paid_order(restless)
    restless.fault("html_200", vendor)
    with pytest.raises(TransientError, match=words) as ended:
        run(restless)
    assert ended.value.remedy
    assert restless.file().invoices(order) == []
    restless.control.delete("/faults")
    run(restless)
    booked_once(restless)


ACCIDENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("5xx_before", {}), ("5xx_after", {}), ("cut_before", {}), ("cut_after", {}), ("truncated_body", {}),
    ("html_200", {"applied": True}), ("html_200", {"applied": False}), ("apply_late", {"seconds": 10}),
    ("apply_twice", {}), ("429", {}),
)  # fmt: skip


def test_an_invoice_with_its_payment_is_written_once_whatever_becomes_of_the_call(
    restless: ShopStage,
) -> None:
    orders = [paid_order(restless) for _ in ACCIDENTS]
    for place, (kind, more) in enumerate(ACCIDENTS, 1):
        restless.fault(kind, path=INVOICE, method="POST", nth=place, **more)
    result = run(restless)
    for order in orders:
        first = result_of(result, order)
        if first.outcome is Outcome.OPEN:
            assert first.number == order
            assert "written" in first.reason.text or "applied" in first.reason.text
            assert "looked for" in first.reason.remedy
    for _ in ACCIDENTS:
        if not restless.unfinished():
            break
        run(restless)
    assert restless.fired() == len(ACCIDENTS)
    restless.forget_calls()
    run(restless)
    assert writes(restless) == {}
    for order in orders:
        (invoice,) = restless.file().invoices(order)
        assert invoice["AmountOwed"] == "0.00"
    booked_once(restless)


@pytest.mark.parametrize("path", [r"/Contact\?", INVOICE])
def test_a_call_that_never_arrived_is_made_by_the_run_in_which_its_settle_window_ends_and_by_none_after(
    opened: Opened, path: str
) -> None:
    """The year of a shop once saw a write in the run that had nothing to do: the window had ended in the run before, after that
    day's plan, in which the row was still in doubt and passed over."""
    stage = opened()
    order = paid_order(stage)
    stage.fault("cut_before", path=path, method="POST", times=1)
    run(stage)
    assert stage.file().invoices(order) == []
    stage.control.delete("/faults")

    def window_ends(what: str, done: int, total: int) -> None:
        if (what, done) == ("refunds", 0):
            stage.clock.jump(SETTLED)

    stage.close_service()
    stage.service.run(progress=window_ends)
    assert [one["TotalAmount"] for one in stage.file().invoices(order)] == ["59.90"]
    booked_once(stage)
    stage.forget_calls()
    assert unsettled(run(stage)) == []
    assert writes(stage) == {}


# --- the login -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [("token_expired",), ("token_expired", "refresh_token_revoked")])
def test_a_token_that_another_worker_has_replaced_is_asked_for_anew_and_nobody_notices(
    restless: ShopStage, faults: tuple[str, ...]
) -> None:
    paid_order(restless)
    for kind in faults:
        restless.fault(kind, times=1)
    assert unsettled(run(restless)) == []
    assert restless.fired() == len(faults)
    booked_once(restless)


def test_a_login_with_two_factor_is_named_and_says_what_to_do(restless: ShopStage) -> None:
    paid_order(restless)
    restless.close_service()
    shutil.rmtree(restless.folder / "data" / "state")
    settings(restless, two_factor=True)
    with pytest.raises(CredentialError, match="two-factor") as refused:
        run(restless)
    settings(restless, two_factor=False)
    assert refused.value.code == "two-factor"
    assert "access key" in refused.value.remedy
    run(restless)
    booked_once(restless)


# --- the day's calls -----------------------------------------------------------------------------------------------------


def test_when_the_vendor_blocks_in_mid_run_the_rest_says_so_and_goes_on_the_next_day(
    restless: ShopStage,
) -> None:
    orders = [paid_order(restless) for _ in range(6)]
    used = int(restless.control.get("/saasu/meter").json()["5150"]["used"])
    settings(restless, daily_quota=used + 12)
    cut = run(restless)
    parked = stopped(cut)
    assert "The file is left alone until" in parked.text
    written = [one for one in orders if restless.file().invoices(one)]
    assert 0 < len(written) < len(orders)
    assert result_of(cut, orders[-1]).outcome is Outcome.LEFT
    with pytest.raises(TransientError, match="blocked by the vendor until") as blocked:
        run(restless)
    assert blocked.value.code == "blocked"
    settings(restless, daily_quota=None)
    restless.clock.jump(24 * 3600)
    assert unsettled(run(restless)) == []
    booked_once(restless)


def test_when_our_own_share_is_spent_in_mid_run_the_rest_waits_for_tomorrow_and_says_so(
    opened: Opened, calm: ShopStage
) -> None:
    del calm  # its scenes are over: there is one sandbox
    share = {"calls_per_day_of_plan": 40, "share_of_quota": 100}
    stage = opened(connections={"saasu": share})
    orders = [paid_order(stage) for _ in range(20)]
    cut = run(stage)
    parked = stopped(cut)
    assert "has used its 40 calls of 2026-10-19 (UTC)" in parked.text
    written = [one for one in orders if stage.file().invoices(one)]
    assert 0 < len(written) < len(orders)
    assert written == orders[: len(written)]
    assert int(stage.control.get("/saasu/meter").json()["5150"]["used"]) <= 40
    with pytest.raises(TransientError, match="tomorrow") as spent:
        run(stage)
    assert spent.value.code == "quota-spent"
    stage.clock.jump(24 * 3600)
    assert unsettled(run(stage)) == []
    booked_once(stage)


def test_the_store_is_told_its_stock_though_our_share_of_saasu_is_spent(
    opened: Opened, calm: ShopStage
) -> None:
    del calm  # its scenes are over: there is one sandbox
    share = {"calls_per_day_of_plan": 40, "share_of_quota": 100}
    stage = opened(connections={"saasu": share}, inventory_from_saasu__enabled=True)
    for _ in range(20):
        paid_order(stage)
    refill(stage, "HONEY-500", 9)
    stage.clock.jump(3700)
    cut = run(stage)
    assert "has used its 40 calls" in stopped(cut).text
    told = [one.result for one in cut.runs if one.flow == "stock_from_saasu" and one.result is not None]
    assert [row.number for one in told for row in one.having(Outcome.WRITTEN)] == ["HONEY-500"]
    after = [one.flow for one in cut.runs if one.flow in {"refunds", "other_items_to_saasu"}]
    assert after == [], "what goes to the connection that is shut waits"


# --- a number of Saasu's own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_an_invoice_that_saasu_numbers_is_found_by_our_purchase_order_number_when_its_answer_is_lost(
    opened: Opened, calm: ShopStage, kind: str
) -> None:
    del calm  # its scenes are over: there is one sandbox
    stage = opened(orders_to_saasu__numbering="auto", orders_to_saasu__prefix="W-")
    order = paid_order(stage)
    stage.fault(kind, path=INVOICE, method="POST", times=1)
    assert result_of(run(stage), order).outcome is Outcome.OPEN
    run(stage)
    run(stage)
    (invoice,) = stage.file().invoices(f"W-{order}")
    assert invoice["InvoiceNumber"].startswith("INV-")
    assert len(stage.file().payments()) == 1
    assert stage.unfinished() == 0


# --- the books as somebody left them -------------------------------------------------------------------------------------


def test_what_was_deleted_in_the_books_is_named_is_not_made_again_and_does_not_stop_the_rest(
    opened: Opened, calm: ShopStage
) -> None:
    del calm
    stage = opened()
    product = {
        "SKU": "TOWEL",
        "Name": "Tea towel",
        "DefaultPrice": "10.00",
        "IsInventoried": False,
        "Approved": True,
    }
    stage.shop("AddItem", {"Item": [product]})
    first = stage.order(POT)
    run(stage)
    (invoice,) = stage.file().invoices(first)
    (item,) = (one for one in stage.file().records("item") if one["Code"] == "TOWEL")
    stage.book("DELETE", f"/Invoice/{invoice['Id']}")
    stage.book("DELETE", f"/Contact/{invoice['BillingContactId']}")
    stage.book("DELETE", f"/Item/{item['Id']}")
    theirs = stage.order(POT)
    towel = stage.order({"SKU": "TOWEL", "Quantity": "1"}, Username="tom.harris1", Email="tom@example.com")
    tom = stage.order(POT, Username="tom.harris1", Email="tom@example.com")
    stage.forget_calls()
    result = run(stage)
    assert unsettled(result) == []
    told = {one: waiting(result, one) for one in (first, theirs, towel)}
    assert {one: reason.code for one, reason in told.items()} == {
        first: "deleted-in-saasu", theirs: "contact-deleted", towel: "item-deleted",
    }  # fmt: skip
    assert first in told[first].text
    assert {theirs, "Priya Nair"} <= words(told[theirs], theirs, "Priya Nair")
    assert {towel, "TOWEL"} <= words(told[towel], towel, "TOWEL")
    assert len(stage.file().invoices(tom)) == 1
    assert writes(stage) == {"POST /Contact": 1, "POST /Invoice": 1}
    body = {
        "GivenName": "Priya", "FamilyName": "Nair", "ContactId": "priya.nair0", "IsActive": True, "IsCustomer": True,
    }  # fmt: skip
    made = stage.book("POST", "/Contact", body)["InsertedContactId"]
    run(stage)
    assert stage.file().invoices(theirs)[0]["BillingContactId"] == made


def words(reason: Reason, *wanted: str) -> set[str]:
    """Which of these a sentence has."""
    return {one for one in wanted if one in reason.text}


def test_a_code_that_differs_by_case_or_a_blank_blocks_by_name_until_it_is_corrected(opened: Opened) -> None:
    stage = opened()
    (item,) = (one for one in stage.file().records("item") if one["Code"] == "STRAINER")
    for code in ("strainer", "STRAINER "):
        change_item(stage, item["Id"], Code=code)
        order = paid_order(stage, {"SKU": "STRAINER", "Quantity": "1"})
        reason = waiting(run(stage), order)
        assert reason.code == "sku-spelling"
        assert words(reason, order, "'STRAINER'", f"'{code}'") == {order, "'STRAINER'", f"'{code}'"}
        assert stage.file().invoices(order) == []
    change_item(stage, item["Id"], Code="STRAINER")
    run(stage)
    booked_once(stage)


@pytest.mark.parametrize("what", ["invoices", "payments"])
def test_a_locked_period_refuses_by_the_order_s_number_and_the_rest_follows_when_it_is_taken_up_again(
    opened: Opened, what: str
) -> None:
    stage = opened()
    order = stage.order(POT)
    if what == "payments":
        run(stage)
    stage.pay(order, "59.90")
    settings(stage, locked_until="2026-10-31")
    refused = result_of(run(stage), order, what)
    assert (refused.outcome, refused.number, refused.reason.code) == (Outcome.REFUSED, order, "locked-period")
    assert "2026-10-31" in refused.reason.text
    stage.forget_calls()
    run(stage)
    assert writes(stage) == {}
    assert [one.number for one in stage.service.errors()] == [order]
    settings(stage, locked_until=None)
    stage.service.retry([order], "test", "the period is open again")
    run(stage)
    booked_once(stage)


def test_want_of_stock_is_refused_by_name_where_no_sale_order_is_wanted(opened: Opened) -> None:
    stage = opened(orders_to_saasu__retry_as_sale_order=False)
    order = paid_order(stage, {"SKU": "KETTLE", "Quantity": "3"})
    refused = result_of(run(stage), order)
    assert (refused.outcome, refused.number, refused.reason.code) == (
        Outcome.REFUSED,
        order,
        "negative-stock",
    )
    assert "KETTLE" in refused.reason.text
    assert stage.file().payments() == []
    refill(stage, "KETTLE", 5)
    stage.service.retry([order], "test", "goods came in")
    run(stage)
    booked_once(stage)


# --- the store -----------------------------------------------------------------------------------------------------------


def test_of_a_batch_of_stock_what_the_store_does_not_know_is_named_and_the_rest_is_set(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = opened(inventory_from_saasu__enabled=True)
    refill(stage, "POT-600", 7)
    refill(stage, "HONEY-500", 9)
    service, day = stage.service, stage.service.today()
    stage.clock.jump(2 * 3600)
    service.refresh()
    service.plan("stock_from_saasu", day)
    real = NetoClient.write

    def deleted(client: NetoClient, action: str, body: dict[str, Any]) -> Answer:
        """Between the plan and the call staff delete the honey, which no call of the API can do: the store does not know it."""
        sent = json.loads(json.dumps(body).replace("HONEY-500", "HONEY-GONE"))
        answer = real(client, action, sent)
        return replace(answer, body=answer.body.replace(b"HONEY-GONE", b"HONEY-500"))

    monkeypatch.setattr(NetoClient, "write", deleted)
    result = service.export("stock_from_saasu", day)
    found = {row.number: row for row in result.rows if row.action == "update"}
    assert found["POT-600"].outcome is Outcome.WRITTEN
    assert found["HONEY-500"].outcome is Outcome.REFUSED
    assert "HONEY-500" in found["HONEY-500"].reason.text
    assert stock_of(stage, "POT-600") == 507
    assert stock_of(stage, "HONEY-500") == 500
    monkeypatch.setattr(NetoClient, "write", real)
    service.retry(["HONEY-500"], "test", "it is there again")
    run(stage)
    assert stock_of(stage, "HONEY-500") == 509


def test_orders_that_move_between_pages_while_they_are_read_are_all_booked(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = opened(connections={"shop": {"orders_a_page": 3}})
    orders = [paid_order(stage) for _ in range(8)]
    stage.status(orders[0], "On Hold")
    left = [orders[0]]
    real = NetoClient.read

    def moving(client: NetoClient, action: str, body: dict[str, Any]) -> Any:
        """After the first page staff release an order of it: the rows behind move up by one."""
        answer = real(client, action, body)
        if action == "GetOrder" and left and body["Filter"].get("Page") == 0:
            stage.clock.jump(2)
            stage.status(left.pop(), "Pick")
            stage.shop("UpdateOrder", {"Order": [{"OrderID": orders[3], "InternalOrderNotes": "call first"}]})
        return answer

    monkeypatch.setattr(NetoClient, "read", moving)
    run(stage)
    monkeypatch.setattr(NetoClient, "read", real)
    run(stage)
    assert left == []
    assert {one["PurchaseOrderNumber"] for one in stage.file().invoices()} == set(orders)
    booked_once(stage)


# --- time ----------------------------------------------------------------------------------------------------------------


def test_orders_and_payments_of_the_day_the_clocks_go_forward_are_of_their_own_days(opened: Opened) -> None:
    """4 October 2026 has 23 hours in Sydney: two o'clock is three."""
    stage = opened(at="2026-10-03T23:30:00", start="2026-10-02")
    made: dict[str, str] = {}
    for local in ("2026-10-03T23:59:30", "2026-10-04T00:00:30", "2026-10-04T01:59:30", "2026-10-04T03:00:30",
                  "2026-10-04T23:59:30", "2026-10-05T00:00:30"):  # fmt: skip
        wanted = datetime.fromisoformat(local).replace(tzinfo=SYDNEY)
        stage.clock.jump((wanted - stage.clock.now()).total_seconds())
        made[local] = paid_order(stage)
        run(stage)
    days = {
        local: (stage.file().invoices(order)[0]["TransactionDate"][:10], paid_on(stage, order))
        for local, order in made.items()
    }
    assert days == {local: (local[:10], local[:10]) for local in made}
    booked_once(stage)
    before = stage.file().counts()
    stage.forget_calls()
    stage.run(stage.service.mirror.days())
    assert writes(stage) == {}
    assert stage.file().counts() == before


def paid_on(stage: ShopStage, order: str) -> str:
    """The day of the one payment of an order's invoice."""
    (invoice,) = stage.file().invoices(order)
    (payment,) = (
        one
        for one in stage.file().payments()
        if one["PaymentItems"][0]["InvoiceTransactionId"] == invoice["Id"]
    )
    assert number(payment["PaymentItems"][0]["AmountPaid"]) == Decimal("59.90")
    return str(payment["TransactionDate"][:10])
