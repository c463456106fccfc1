"""The documents a file presupposes: with them in the books, every group finds its match and clearing ends at zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.books import BookRecord
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision
from ledger_pipelines.integrations.amazon_netsuite.sandbox_documents import (
    PREFIX,
    Needed,
    needed_documents,
)
from ledger_pipelines.integrations.amazon_netsuite.settlement_journal import expected_clearing
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import (
    SID,
    ZONE,
    books,
    context,
    group,
    when,
)

ORDER, REFUND = TransactionClass.ORDER, TransactionClass.REFUND


def settlement(groups: list[SettlementGroup]) -> Settlement:
    net = Money(sum((g.amounts.net for g in groups), ZERO), "USD")
    day = when(date(2026, 9, 1))
    return Settlement(
        "amazon_us", SID, "v2-flat", "utf-8", "USD", day, day, day, net, 1, net, "c" * 64, "r" * 64
    )


def needed(groups: list[SettlementGroup], **more: object) -> Needed:
    return needed_documents(groups, settlement(groups), ZONE, **more)  # type: ignore[arg-type] # keywords passed on


def decided(groups: list[SettlementGroup], **more: object) -> list[Decision]:
    """Decisions of the product with exactly these documents in the books."""
    documents = [d.as_book(str(500 + at), "USD") for at, d in enumerate(needed(groups, **more).documents)]
    in_books = books(*documents)
    skus = {line.sku: BookRecord("61", line.sku, line.sku, "", False) for g in groups for line in g.lines}
    in_books = replace(in_books, items_by_sku=skus)
    return list(decide(context(groups, in_books), groups).decisions)


def shipment(order: str, part: int, amounts: dict[str, str], **more: object) -> SettlementGroup:
    """One shipment of an order: an item of its own, with a code of its own."""
    made = group(ORDER, amounts, order=order, shipment=f"S{part}", sku=f"SKU{part}", **more)  # type: ignore[arg-type] # passed on
    return structs.replace(
        made, lines=(structs.replace(made.lines[0], order_item_code=f"0400000000000{part}"),)
    )


def states(decisions: list[Decision]) -> set[str]:
    return {d.state.value for d in decisions}


def test_an_fba_order_is_an_invoice_and_a_merchant_order_a_sales_order() -> None:
    found = needed(
        [
            group(ORDER, {"Principal": "100.00", "Shipping": "5.00", "Commission": "-15.00"}, order="A"),
            group(ORDER, {"Principal": "60.00", "Promotion": "-6.00"}, order="B", channel="MFN"),
        ]
    )
    assert [(d.order_id, d.kind, d.total) for d in found.documents] == [
        ("A", "invoice", Decimal("105.00")),
        ("B", "salesOrder", Decimal("54.00")),
    ]
    assert all(d.reference.startswith(f"{PREFIX}-") for d in found.documents)
    assert all(d.day < d.posted for d in found.documents)


def test_withheld_tax_is_not_on_the_invoice_and_the_sellers_own_tax_is() -> None:
    withheld = group(
        ORDER,
        {"Principal": "100.00", "Tax": "8.40", "MarketplaceFacilitatorTax-Principal": "-8.40"},
        order="A",
    )
    own = group(ORDER, {"Principal": "100.00", "Tax": "20.00"}, order="B")
    found = needed([withheld, own])
    assert [d.total for d in found.documents] == [Decimal("100.00"), Decimal("120.00")]
    assert states(decided([withheld, own])) == {"Matched"}


def test_a_zero_order_of_another_channel_gets_nothing() -> None:
    mcf = group(
        ORDER, {"Principal": "0.00", "FBAPerUnitFulfillmentFee": "-4.20"}, order="S01-1234567-1234567"
    )
    assert needed([mcf]).documents == ()


def test_an_order_that_a_promotion_makes_free_still_runs_the_whole_way() -> None:
    free = group(ORDER, {"Principal": "10.00", "Promotion": "-10.00"}, order="A")
    assert [d.total for d in needed([free]).documents] == [Decimal("10.00")]
    (decision,) = decided([free])
    assert decision.state is GroupState.MATCHED
    assert decision.documents[0].amount == Decimal("10.00")


def test_several_shipments_become_one_invoice_or_one_each_and_both_occur() -> None:
    counts = set()
    for number in range(20):
        order = f"114-0000000-{number:07d}"
        shipments = [shipment(order, part, {"Principal": f"{10 + part}.00"}) for part in range(3)]
        counts.add(len(needed(shipments).documents))
        assert states(decided(shipments)) == {"Matched"}
    assert counts == {1, 3}


def test_a_merchant_order_with_several_shipments_is_one_sales_order() -> None:
    shipments = [shipment("A", part, {"Principal": "10.00"}, channel="MFN") for part in range(2)]
    (document,) = needed(shipments).documents
    assert (document.kind, document.total) == ("salesOrder", Decimal("20.00"))
    assert states(decided(shipments)) == {"Matched"}


def test_a_refund_of_an_earlier_order_finds_an_invoice_paid_outside_clearing() -> None:
    refund = group(
        REFUND,
        {"Principal": "-50.00", "Shipping": "-5.00", "Promotion": "3.00", "Commission": "7.50"},
        order="OLD",
        adjustment="adj",
        quantity=None,
    )
    (document,) = needed([refund]).documents
    assert (document.paid, document.total) == (True, Decimal("52.00"))
    assert document.as_book("1", "USD").unpaid == 0
    (decision,) = decided([refund])
    assert decision.state is GroupState.MATCHED, decision.reason
    assert [d.kind for d in decision.documents] == ["creditMemo", "customerRefund"]


def test_a_refund_within_its_order_needs_nothing_more_and_one_beyond_it_does() -> None:
    sale = group(ORDER, {"Principal": "50.00"}, order="A")
    part = group(REFUND, {"Principal": "-20.00"}, order="A", adjustment="1", quantity=None)
    beyond = group(REFUND, {"Principal": "-80.00"}, order="A", adjustment="2", quantity=None)
    assert len(needed([sale, part]).documents) == 1
    assert [d.paid for d in needed([sale, part, beyond]).documents] == [True, False]
    assert states(decided([sale, part, beyond])) == {"Matched"}


def test_further_goods_of_an_order_known_from_another_settlement_never_become_a_second_sales_order() -> None:
    sale = group(ORDER, {"Principal": "50.00"}, order="A", channel="MFN")
    refund = group(REFUND, {"Principal": "-20.00"}, order="B", adjustment="1")
    assert [d.kind for d in needed([sale, refund], elsewhere=frozenset({"A", "B"})).documents] == ["invoice"]


@pytest.mark.parametrize(("leave_out", "count"), [(0, 0), (3, 3), (Decimal("0.25"), 3), (99, 10)])
def test_leaving_out_is_exact_deterministic_and_seeded(leave_out: int | Decimal, count: int) -> None:
    groups = [group(ORDER, {"Principal": "1.00"}, order=f"O{n}") for n in range(10)]
    first = needed(groups, leave_out=leave_out)
    assert len(first.left_out) == count
    assert {d.order_id for d in first.documents}.isdisjoint(first.left_out)
    assert first == needed(groups, leave_out=leave_out)
    if count == 3:
        assert any(
            needed(groups, leave_out=leave_out, seed=s).left_out != first.left_out for s in range(1, 9)
        )
        found = decided(groups, leave_out=leave_out)
        assert sum(d.state is GroupState.NO_ORDER for d in found) == 3


cents = st.integers(min_value=0, max_value=20_000)


@st.composite
def sales(draw: st.DrawFn) -> list[SettlementGroup]:
    groups = []
    for number in range(draw(st.integers(1, 4))):
        order = f"O{number}"
        channel = draw(st.sampled_from(["AFN", "MFN"]))
        for part in range(draw(st.integers(1, 3))):
            price = draw(cents)
            tax = draw(st.integers(0, 500))
            amounts = {
                "Principal": Decimal(price),
                "Shipping": Decimal(draw(st.integers(0, 900))),
                "Promotion": -Decimal(draw(st.integers(0, price))),
                "Commission": Decimal(-15),
            }
            if draw(st.booleans()):
                amounts |= {"Tax": Decimal(tax), "MarketplaceFacilitatorTax-Principal": -Decimal(tax)}
            texts = {name: str(value / 100) for name, value in amounts.items()}
            groups.append(
                group(
                    ORDER,
                    texts,
                    order=order,
                    shipment=f"S{part}",
                    channel=channel,
                    quantity=draw(st.integers(1, 3)),
                )
            )
    return groups


@settings(deadline=None, max_examples=60)
@given(sales())
def test_whatever_the_sales_every_group_is_matched_and_clearing_is_expected_at_zero(
    groups: list[SettlementGroup],
) -> None:
    found = decided(groups)
    assert states(found) == {"Matched"}, [(d.group.key, d.state, d.reason) for d in found]
    assert expected_clearing(found, journal=True) == 0
