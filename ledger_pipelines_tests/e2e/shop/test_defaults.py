"""The main flows with the settings of the page's own example: what is needed, and defaults for all the rest.

Sale orders that become invoices when their order is dispatched; unknown SKUs block; money above what is owed waits; what is edited or
cancelled after its export is reported; no stock flows.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ledger_pipelines_tests.e2e.shop.conftest import Opened
from ledger_pipelines_tests.e2e.shop.kit import (
    INCOME,
    Scenes,
    agrees,
    expected,
    give_back,
    no_doubles,
    number,
    staff,
    stock_of,
    unsettled,
    waiting,
)
from ledger_pipelines_tests.shop_stage import NAME, Record

PAGE = Path(__file__).parents[3] / "docs" / "neto_saasu.md"
POT: Record = {"SKU": "POT-600", "Quantity": "1"}
GONE: Record = {"SKU": "GONE-1", "Quantity": "1", "UnitPrice": "14.30", "ItemDescription": "A tea of old"}
NEW: Record = {
    "SKU": "MUG-NEW",
    "Name": "Enamel mug",
    "DefaultPrice": "16.50",
    "CostPrice": "6.00",
    "IsInventoried": False,
}


def example() -> dict[str, object]:
    """The settings of the page's ledger.yaml."""
    text = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    found: dict[str, object] = YAML(typ="safe").load(text.group(1))["integrations"][NAME]["settings"]
    return found


@pytest.fixture(scope="module")
def plain(opened: Opened) -> Scenes:
    """Two days of a shop: orders of every kind, then what becomes of them, then nothing."""
    scenes = Scenes(opened(only=example()))
    stage, place = scenes.stage, scenes.place
    stage.shop("AddItem", {"Item": [NEW]})
    place("sent", POT, pay=True, OrderStatus="Dispatched")
    place("picked", POT, pay=True)
    card = place("by card", POT, PaymentMethod="Credit Card")
    scenes.paid["by card"] = stage.pay(card, str(stage.owed(card)), "Credit Card")
    place("unpaid", POT, OrderStatus="New")
    place("new product", {"SKU": "MUG-NEW", "Quantity": "2"}, pay=True)
    place("unknown", POT, GONE, pay=True)
    place("overpaid", POT, pay="75.00")
    place("by hand", POT)
    stage.pay(scenes.orders["by hand"], "10.00", "Direct Deposit")  # a method that has no account
    place("coming back", {"SKU": "CUP-2", "Quantity": "2"}, OrderStatus="Dispatched", pay=True)
    for name in ("edited", "cancelled"):
        place(name, POT, pay=True)
    scenes.run()
    stage.status(scenes.orders["picked"], "Dispatched")
    rma = scenes.orders["return"] = give_back(stage, scenes.orders["coming back"])
    made = staff(stage, f"/rmas/{rma}/refunds", {"RefundAmount": "32.73", "PaymentMethod": "PayPal Checkout"})
    staff(stage, f"/rmas/{rma}/refunds/{made['RefundID']}/paid")
    staff(stage, "/edit", {"OrderID": scenes.orders["edited"], "OrderLine": [POT | {"Quantity": "2"}]})
    stage.status(scenes.orders["cancelled"], "Cancelled")
    stage.clock.jump(26 * 3600)
    scenes.run()
    scenes.run()
    return scenes


def test_every_run_ends_and_nothing_is_left_in_doubt(plain: Scenes) -> None:
    assert [unsettled(run) for run in plain.runs] == [[], [], []]
    assert plain.stage.unfinished() == 0
    no_doubles(plain.file)


def test_the_first_run_books_what_it_can_to_the_cent(plain: Scenes) -> None:
    waits = [plain.orders["unknown"]]
    sums = plain.sums[0]
    for order in waits:
        sums.totals.pop(order)
    there = {one["PurchaseOrderNumber"]: number(one["TotalAmount"]) for one in plain.files[0].invoices()}
    assert there == sums.totals


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("sent", ["Tax Invoice", "Tax Invoice"]),
        ("picked", ["Sale Order", "Tax Invoice"]),
        ("overpaid", ["Sale Order", "Sale Order"]),
    ],
)
def test_a_sale_order_becomes_an_invoice_when_its_order_is_sent(
    plain: Scenes, name: str, types: list[str]
) -> None:
    assert [plain.invoice(name, run)["InvoiceType"] for run in (0, 1)] == types


def test_payments_go_with_their_order_into_their_account(plain: Scenes) -> None:
    assert plain.payments("sent", 0) == {f"NETO-PAY-{plain.paid['sent']}": plain.total("sent")}
    assert plain.payments("by card", 0) == {f"NETO-PAY-{plain.paid['by card']}": plain.total("by card")}
    assert plain.files[0].balance("ANZ Cheque") == plain.total("by card")


def test_a_new_product_becomes_an_item_before_its_order_is_written(plain: Scenes) -> None:
    (item,) = (one for one in plain.file.records("item") if one["Code"] == "MUG-NEW")
    assert item["SaleIncomeAccountId"] == INCOME
    assert item["Id"] in {line["InventoryId"] for line in plain.invoice("new product")["LineItems"]}
    assert plain.total("new product") == Decimal("42.95")


def test_a_return_that_was_paid_out_is_a_note_and_leaves_the_bank(plain: Scenes) -> None:
    (note,) = plain.file.invoices(f"{plain.orders['coming back']}-RMA{plain.orders['return']}")
    assert (note["InvoiceType"], number(note["TotalAmount"])) == ("Adjustment Note", Decimal("-32.73"))
    (refund,) = (one for one in plain.file.payments() if one["Reference"].startswith("NETO-REFUND-"))
    assert number(refund["PaymentItems"][0]["AmountPaid"]) == Decimal("-32.73")


@pytest.mark.parametrize(
    ("name", "flow", "code", "word"),
    [
        ("unknown", "invoices", "sku-unknown", "GONE-1"),
        ("overpaid", "payments", "overpaid", "15.10"),
        ("by hand", "payments", "method-unmapped", "Direct Deposit"),
        ("edited", "invoices", "order-edited", "is now"),
        ("cancelled", "invoices", "cancelled-after-export", ""),
    ],
)
def test_what_does_not_fit_waits_with_its_reason(
    plain: Scenes, name: str, flow: str, code: str, word: str
) -> None:
    run = plain.runs[1] if name in ("edited", "cancelled") else plain.runs[0]
    reason = waiting(run, plain.orders[name], flow)
    assert reason.code == code
    assert word in reason.text
    assert reason.remedy


def test_an_unpaid_order_is_left_alone_and_no_stock_flows(plain: Scenes) -> None:
    assert plain.file.invoices(plain.orders["unpaid"]) == []
    assert {one.flow for run in plain.runs for one in run.runs} & {
        "stock_from_saasu",
        "items_from_saasu",
    } == set()


def test_a_run_after_which_nothing_happened_writes_nothing(plain: Scenes) -> None:
    assert plain.written[-1] == {}


def test_with_everything_cleared_both_sides_agree(opened: Opened, plain: Scenes) -> None:
    """And stock flows with the default basis, warehouse apart."""
    del plain  # those scenes are over: there is one sandbox
    stage = opened(only=example(), inventory_from_saasu__enabled=True, inventory_from_saasu__warehouse="1")
    orders = [stage.order(POT, OrderStatus=status) for status in ("Pick", "Pack", "Dispatched")]
    for order in orders:
        stage.pay(order, str(stage.owed(order)))
    for _ in range(2):
        stage.clock.jump(3700)
        assert unsettled(stage.run()) == []
        agrees(stage.file(), expected(stage.store()))
        assert stock_of(stage, "POT-600") <= 498, "two were sent, and one is being picked"
    today = stage.service.today()
    (found,) = (one for one in stage.service.reconcile(today, today).checks() if one.name == "stock_agrees")
    assert found.passed, found
