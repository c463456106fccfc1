from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from ledger_pipelines.sandbox.amazon.demo_files import COLUMNS, DemoFile, demo_settlement_files

Row = dict[str, str]


def rows(file: DemoFile) -> tuple[Row, list[Row]]:
    lines = [line.split("\t") for line in file.content.decode("ascii").splitlines()]
    assert lines[0] == COLUMNS
    padded = [dict(zip(COLUMNS, line + [""] * (24 - len(line)), strict=True)) for line in lines[1:]]
    return padded[0], padded[1:]


FILES = [rows(file) for file in demo_settlement_files()]


def amount(row: Row) -> Decimal:
    return Decimal(row["amount"])


@pytest.mark.parametrize(("summary", "details"), FILES)
def test_each_balances_to_the_cent_inside_its_period(summary: Row, details: list[Row]) -> None:
    assert sum(map(amount, details)) == Decimal(summary["total-amount"])
    assert {row["settlement-id"] for row in details} == {summary["settlement-id"]}
    for row in details:
        assert summary["settlement-start-date"] <= row["posted-date-time"] <= summary["settlement-end-date"]
        assert row["posted-date-time"].startswith(row["posted-date"])


def test_the_same_bytes_come_at_every_call() -> None:
    assert demo_settlement_files() == demo_settlement_files()
    assert all(
        len(line.split("\t")) <= 24
        for f in demo_settlement_files()
        for line in f.content.decode().splitlines()
    )


def test_they_chain_in_time_and_in_reserve() -> None:
    for (before, earlier), (after, later) in pairwise(FILES):
        assert after["settlement-start-date"] == before["settlement-end-date"]
        held = [amount(r) for r in earlier if r["amount-description"] == "Current Reserve Amount"]
        released = [amount(r) for r in later if r["amount-description"] == "Previous Reserve Amount Balance"]
        assert released == [-held[0]]


def test_the_first_is_the_worked_example() -> None:
    summary, details = FILES[0]
    assert (summary["settlement-id"], summary["total-amount"]) == ("26000000001", "64.50")
    nets: Counter[tuple[str, str]] = Counter()
    for row in details:
        nets[row["transaction-type"], row["order-id"] or row["amount-description"]] += amount(row)  # type: ignore[assignment]  # Counter adds any number
    order_a, order_b = "111-2600001-0000001", "111-2600001-0000002"
    assert nets == {
        ("Order", order_a): Decimal("85.80"),
        ("Order", order_b): Decimal("45.00"),
        ("Refund", order_a): Decimal("-44.00"),
        ("other-transaction", "Storage Fee"): Decimal("-12.30"),
        ("other-transaction", "Previous Reserve Amount Balance"): Decimal("20.00"),
        ("other-transaction", "Current Reserve Amount"): Decimal("-30.00"),
    }
    assert {row["posted-date"][:7] for row in details} == {"2026-09"}
    fulfilment = {row["order-id"]: row["fulfillment-id"] for row in details if row["order-id"]}
    assert fulfilment == {order_a: "AFN", order_b: "MFN"}


def test_the_second_spans_the_month_end_with_every_kind() -> None:
    summary, details = FILES[1]
    assert {row["posted-date"][:7] for row in details} == {"2026-09", "2026-10"}
    orders = [row for row in details if row["transaction-type"] == "Order"]
    assert len({row["order-id"] for row in orders}) == 25
    assert {row["fulfillment-id"] for row in orders} == {"AFN", "MFN"}
    assert {row["quantity-purchased"] for row in orders} == {"1", "2", "3"}
    refunds = {
        row["adjustment-id"]: row["order-id"] for row in details if row["transaction-type"] == "Refund"
    }
    assert len(refunds) == 3
    principal = {
        r["order-id"]: amount(r)
        for r in orders
        if (r["amount-type"], r["amount-description"]) == ("ItemPrice", "Principal")
    }
    back = [
        (r["order-id"], -amount(r))
        for r in details
        if (r["transaction-type"], r["amount-type"], r["amount-description"])
        == ("Refund", "ItemPrice", "Principal")
    ]
    assert sum(given < principal[order] for order, given in back) == 1
    described = {row["amount-description"] for row in details}
    assert {
        "TransactionTotalAmount",
        "Subscription Fee",
        "Storage Fee",
        "WAREHOUSE_DAMAGE",
        "Shipping",
    } <= described
    assert Decimal(summary["total-amount"]) > 0


def test_facilitator_tax_is_withheld_in_full_in_all() -> None:
    for _, details in FILES:
        tax = [
            amount(r)
            for r in details
            if r["amount-description"] == "Tax" or r["amount-type"] == "ItemWithheldTax"
        ]
        assert tax
        assert sum(tax) == 0


def test_the_third_is_negative() -> None:
    assert Decimal(FILES[2][0]["total-amount"]) < 0


def test_the_periods_are_the_documented_ones() -> None:
    stamps = [
        datetime.strptime(s["settlement-end-date"], "%Y-%m-%d %H:%M:%S UTC")
        .replace(tzinfo=UTC)
        .date()
        .isoformat()
        for s, _ in FILES
    ]
    assert stamps == ["2026-09-15", "2026-10-13", "2026-10-27"]
