"""Invoices, payments, journals: tax, stock, what is owed, and the ledger behind them (saasu.md 5.8 to 5.10, 6)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_pipelines.sandbox.saasu.money import line_amount, taxed
from ledger_pipelines_tests.unit.sandbox.saasu.desk import (
    CHEQUE,
    LIABILITY,
    PAYPAL,
    SALES,
    SHIPPING,
    Desk,
    line,
)


def test_the_references_own_example_comes_out_to_the_cent(desk: Desk) -> None:
    item = desk.item()
    terms = {"Type": 1, "Interval": 14, "IntervalType": 1}
    made = desk.post(
        "/Invoice",
        desk.sale(line(item, 2, 49.95), line(SHIPPING, 1, 12), TransactionDate="2025-05-02", Terms=terms),
    )
    assert made["GeneratedInvoiceNumber"] == "INV-20418"
    read = desk.get(f"/Invoice/{made['InsertedEntityId']}")
    assert (read["TotalAmount"], read["TotalTaxAmount"], read["AmountOwed"]) == (
        Decimal("111.90"),
        Decimal("10.17"),
        Decimal("111.90"),
    )
    assert (read["DueDate"], read["PaymentStatus"], read["InvoiceStatus"]) == (
        "2025-05-16T00:00:00",
        "U",
        "I",
    )
    books = desk.balances()
    assert (books["Accounts Receivable"], books["GST Collected"]) == (Decimal("111.90"), Decimal("-10.17"))
    assert (books["Sales"], books["Shipping Income"]) == (Decimal("-90.82"), Decimal("-10.91"))
    assert books["Cost of Goods Sold"] == Decimal("8.00")


def test_a_list_is_a_summary_without_lines(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING), NotesInternal="n", PurchaseOrderNumber="N1")
    (row,) = desk.get("/Invoices", PurchaseOrderNumber="N1")["Invoices"]
    assert row["TransactionId"] == number
    assert not {"LineItems", "NotesInternal", "Terms"} & set(row)
    assert len(desk.get(f"/Invoice/{number}")["LineItems"]) == 1


def test_an_order_commits_stock_and_becomes_an_invoice_but_never_goes_back(desk: Desk) -> None:
    item = desk.item(stock=3)
    number = desk.invoice(line(item, 5), InvoiceType="Sale Order")
    read = desk.get(f"/Item/{item}")
    assert (read["StockOnHand"], read["Committed"]) == (3, 5)
    assert "Sales" not in desk.balances()
    whole = desk.get(f"/Invoice/{number}")
    status, text = desk.refused("PUT", f"/Invoice/{number}", whole | {"InvoiceType": "Tax Invoice"})
    assert (status, "negative stock-on-hand for POT" in text) == (400, True)
    assert desk.get(f"/Invoice/{number}")["InvoiceStatus"] == "O"
    whole["LineItems"][0]["Quantity"] = 2
    desk.put(f"/Invoice/{number}", whole | {"InvoiceType": "Tax Invoice"})
    read = desk.get(f"/Item/{item}")
    assert (read["StockOnHand"], read["Committed"]) == (1, 0)
    whole = desk.get(f"/Invoice/{number}")
    assert (
        "conversion from invoice to non invoice"
        in desk.refused("PUT", f"/Invoice/{number}", whole | {"InvoiceType": "Sale Order"})[1]
    )


def test_selling_more_than_there_is_is_refused_and_leaves_nothing(desk: Desk) -> None:
    item = desk.item(stock=1)
    assert "negative stock" in desk.refused("POST", "/Invoice", desk.sale(line(item, 2)))[1]
    assert desk.get("/Invoices")["Invoices"] == []
    assert desk.get(f"/Item/{item}")["StockOnHand"] == 1


def test_numbers_are_unique_and_a_free_one_is_found(desk: Desk) -> None:
    desk.invoice(line(SHIPPING), InvoiceNumber="INV-20418")
    assert (
        "already used"
        in desk.refused("POST", "/Invoice", desk.sale(line(SHIPPING), InvoiceNumber="INV-20418"))[1]
    )
    made = desk.post("/Invoice", desk.sale(line(SHIPPING)))
    assert made["GeneratedInvoiceNumber"] == "INV-20419"
    own = desk.post("/Invoice", desk.sale(line(SHIPPING), InvoiceNumber="WEB-1"))
    assert own["GeneratedInvoiceNumber"] is None


def test_a_payment_lowers_what_is_owed_and_never_below_zero(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING, 1, 100))
    desk.post("/Payment", desk.payment(number, "60.00"))
    assert "exceeds" in desk.refused("POST", "/Payment", desk.payment(number, "40.01"))[1]
    last = desk.post("/Payment", desk.payment(number, "40.00", FeeAmount=1.5))["InsertedEntityId"]
    read = desk.get(f"/Invoice/{number}")
    assert (read["AmountPaid"], read["AmountOwed"], read["PaymentStatus"], read["PaymentCount"]) == (
        Decimal(100),
        0,
        "P",
        2,
    )
    books = desk.balances()
    assert (books["ANZ Cheque"], books["Merchant Fees"]) == (Decimal("98.50"), Decimal("1.50"))
    assert "Accounts Receivable" not in books
    desk.ask("DELETE", f"/Payment/{last}")
    assert desk.get(f"/Invoice/{number}")["AmountOwed"] == Decimal(40)
    assert "cannot be deleted" in desk.refused("DELETE", f"/Invoice/{number}")[1]


def test_a_payment_needs_a_bank_and_a_fee_needs_a_fee_account(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING, 1, 100))
    assert (
        desk.refused("POST", "/Payment", desk.payment(number, "1", PaymentAccountId=SALES))[1]
        == "The referenced Bank Account does not exist."
    )
    assert (
        "merchant fee"
        in desk.refused(
            "POST", "/Payment", desk.payment(number, "1", PaymentAccountId=PAYPAL, FeeAmount=0.1)
        )[1]
    )
    assert "SP" in desk.refused("POST", "/Payment", desk.payment(number, "1", TransactionType="PP"))[1]
    quote = desk.invoice(line(SHIPPING), InvoiceType="Quote")
    assert "quote" in desk.refused("POST", "/Payment", desk.payment(quote, "1"))[1]


def test_a_quick_payment_is_part_of_the_invoice_or_there_is_no_invoice(desk: Desk) -> None:
    quick = {"DatePaid": "2026-09-02", "BankedToAccountId": CHEQUE, "Amount": 11, "Reference": "P-1"}
    number = desk.invoice(line(SHIPPING, 1, 11), QuickPayment=quick)
    read = desk.get(f"/Invoice/{number}")
    assert (read["PaymentCount"], read["PaymentStatus"]) == (1, "P")
    assert (
        "exceeds"
        in desk.refused("POST", "/Invoice", desk.sale(line(SHIPPING, 1, 10.99), QuickPayment=quick))[1]
    )
    assert len(desk.get("/Invoices")["Invoices"]) == 1


def test_payments_cover_the_last_month_unless_dates_are_given(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING, 1, 100), TransactionDate="2025-01-01")
    desk.post("/Payment", desk.payment(number, "10", TransactionDate="2025-01-02"))
    assert desk.get("/Payments", ForInvoiceId=number)["PaymentTransactions"] == []
    (row,) = desk.get(
        "/Payments", ForInvoiceId=number, PaymentFromDate="2000-01-01", PaymentToDate="2099-12-31"
    )["PaymentTransactions"]
    assert (row["TotalAmount"], "PaymentItems" in row) == (Decimal(10), False)


def test_one_payment_of_two_invoices_shows_each_its_part(desk: Desk) -> None:
    one, two = desk.invoice(line(SHIPPING, 1, 30)), desk.invoice(line(SHIPPING, 1, 50))
    parts = [{"InvoiceTransactionId": one, "AmountPaid": 30}, {"InvoiceTransactionId": two, "AmountPaid": 20}]
    desk.post("/Payment", desk.payment(one, "1", PaymentItems=parts, TransactionDate=_today(desk)))
    (row,) = desk.get("/Payments", ForInvoiceId=two)["PaymentTransactions"]
    assert row["TotalAmount"] == Decimal(20)
    assert desk.get("/Payments")["PaymentTransactions"][0]["TotalAmount"] == Decimal(50)
    assert desk.get(f"/Invoice/{two}")["AmountOwed"] == Decimal(30)


def test_an_adjustment_note_has_negative_lines_and_takes_negative_payments(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING, -1, 22), InvoiceType="Adjustment Note")
    read = desk.get(f"/Invoice/{number}")
    assert (read["TotalAmount"], read["AmountOwed"]) == (Decimal(-22), Decimal(-22))
    assert desk.refused("POST", "/Payment", desk.payment(number, "22"))[0] == 400
    assert desk.refused("POST", "/Payment", desk.payment(number, "-22.01"))[0] == 400
    desk.post("/Payment", desk.payment(number, "-22"))
    assert desk.balances() == {
        "ANZ Cheque": Decimal(-22),
        "Shipping Income": Decimal(20),
        "GST Collected": Decimal(2),
    }


def test_a_journal_must_balance_and_may_touch_a_bank_without_tax(desk: Desk) -> None:
    items = [
        {"Type": "Debit", "AccountId": CHEQUE, "Amount": 5.05},
        {"Type": "Credit", "AccountId": LIABILITY, "Amount": 5.05},
    ]
    desk.post("/Journal", {"TransactionDate": "2026-09-02", "Items": items, "Reference": "P-1-OVER"})
    assert desk.balances() == {"ANZ Cheque": Decimal("5.05"), "Deposits Received Clearing": Decimal("-5.05")}
    off = [items[0] | {"Amount": 1880.6}, items[1]]
    assert (
        "Out of balance: 1,875.55."
        in desk.refused("POST", "/Journal", {"TransactionDate": "2026-09-02", "Items": off})[1]
    )
    taxed_bank = [items[0] | {"TaxCode": "G1"}, items[1]]
    assert (
        "Tax Code for use with a Bank"
        in desk.refused("POST", "/Journal", {"TransactionDate": "2026-09-02", "Items": taxed_bank})[1]
    )


def test_a_service_sale_names_accounts_and_codes_with_commas(desk: Desk) -> None:
    lines = [
        {"Description": "x", "AccountId": SALES, "TaxCode": "G1,G2", "TotalAmount": 50},
        {"Description": "y", "AccountId": SALES, "TaxCode": "G1", "TotalAmount": -5.5},
    ]
    number = desk.invoice(*lines, Layout="S")
    assert desk.get(f"/Invoice/{number}")["TotalTaxAmount"] == Decimal("-0.50")
    assert (
        "tax code"
        in desk.refused("POST", "/Invoice", desk.sale(lines[0] | {"TaxCode": "G99"}, Layout="S"))[1]
    )
    assert (
        "bank account"
        in desk.refused("POST", "/Invoice", desk.sale(lines[0] | {"AccountId": CHEQUE}, Layout="S"))[1]
    )


def test_a_foreign_sale_is_booked_at_its_rate_and_the_difference_shown(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING, 1, 100, "G1,G2"), Currency="USD", FxRate=1.5)
    desk.post("/Payment", desk.payment(number, "100", Currency="USD", FxRate=1.6))
    assert desk.balances() == {
        "ANZ Cheque": Decimal(160),
        "Shipping Income": Decimal(-150),
        "Exchange Gain or Loss": Decimal(-10),
    }
    whole = desk.get(f"/Invoice/{number}")
    assert "FX rate cannot be changed" in desk.refused("PUT", f"/Invoice/{number}", whole | {"FxRate": 2})[1]
    assert (
        desk.refused("POST", "/Invoice", desk.sale(line(SHIPPING), Currency="XXX"))[1]
        == '"Please include a valid currency"'
    )
    assert "FX Rate" in desk.refused("POST", "/Invoice", desk.sale(line(SHIPPING), Currency="USD"))[1]


def test_a_locked_period_refuses_every_kind_of_write(desk: Desk) -> None:
    number = desk.invoice(line(SHIPPING, 1, 100))
    desk.settings(locked_until="2026-09-30")
    assert "locked" in desk.refused("POST", "/Invoice", desk.sale(line(SHIPPING)))[1]
    assert "locked" in desk.refused("POST", "/Payment", desk.payment(number, "1"))[1]
    assert "locked" in desk.refused("DELETE", f"/Invoice/{number}")[1]
    desk.settings(locked_until=None)


def test_a_purchase_raises_stock_at_its_cost_and_an_order_only_what_is_on_order(desk: Desk) -> None:
    item = desk.item(stock=0)
    bought = desk.sale(
        line(item, 4, 11, "G11"),
        TransactionType="P",
        InvoiceType="Purchase Order",
        PurchaseOrderNumber="<Auto Number>",
    )
    order = desk.post("/Invoice", bought)
    assert order["GeneratedInvoiceNumber"].startswith("PO-")
    assert desk.get(f"/Item/{item}")["OnOrder"] == 4
    desk.post("/Invoice", bought | {"InvoiceType": "Tax Invoice"})
    read = desk.get(f"/Item/{item}")
    assert (read["StockOnHand"], read["CurrentValue"]) == (4, Decimal("40.00"))
    assert desk.balances() == {
        "Accounts Payable": Decimal(-44),
        "GST Paid": Decimal(4),
        "Inventory": Decimal(40),
    }


def test_deleting_an_invoice_gives_stock_and_ledger_back(desk: Desk) -> None:
    item = desk.item(stock=5)
    before = desk.balances()
    number = desk.invoice(line(item, 3))
    desk.ask("DELETE", f"/Invoice/{number}")
    assert desk.get(f"/Item/{item}")["StockOnHand"] == 5
    assert desk.balances() == before
    assert desk.get("/DeletedEntities", EntityType="Sale")["Entities"][0]["EntityId"] == number


@pytest.mark.parametrize(
    ("amount", "net", "tax"),
    [("99.90", "90.82", "9.08"), ("12.00", "10.91", "1.09"), ("-0.05", "-0.05", "0.00")],
)
def test_tax_out_of_an_amount_rounds_half_away_from_zero(amount: str, net: str, tax: str) -> None:
    parts = taxed(Decimal(amount), Decimal("0.1"), inclusive=True)
    assert (parts.net, parts.tax) == (Decimal(net), Decimal(tax))


@settings(max_examples=60, deadline=None)
@given(
    quantity=st.decimals(-999, 999, places=3), unit=st.decimals(0, 9999, places=4), discount=st.integers(0, 100),
    rate=st.sampled_from(["0", "0.1", "0.15"]),
)  # fmt: skip
def test_net_and_tax_make_the_line_whatever_it_is(
    quantity: Decimal, unit: Decimal, discount: int, rate: str
) -> None:
    amount = line_amount(quantity, unit, Decimal(discount))
    assert taxed(amount, Decimal(rate), inclusive=True).gross == amount
    assert (
        taxed(-amount, Decimal(rate), inclusive=True).net == -taxed(amount, Decimal(rate), inclusive=True).net
    )


def _today(desk: Desk) -> str:
    return str(desk.control.get("/clock").json()["now"])[:10]
