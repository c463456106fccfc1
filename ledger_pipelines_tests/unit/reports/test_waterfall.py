"""The waterfall: every amount in one step, the steps sum to the deposit, the picture is well-formed."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.reports.waterfall import as_markdown, data_uri, svg, waterfall_of
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import group

EXAMPLE = [
    group(TransactionClass.ORDER, {"Principal": "100.00", "Shipping": "5.00", "Tax": "8.40",
          "MarketplaceFacilitatorTax-Principal": "-8.40", "Commission": "-15.00", "FBAPerUnitFulfillmentFee": "-4.20"}, order="A"),
    group(TransactionClass.ORDER, {"Principal": "60.00", "Promotion": "-6.00", "Commission": "-9.00"}, order="B"),
    group(TransactionClass.REFUND, {"Principal": "-50.00", "Commission": "7.50", "RefundCommission": "-1.50"}, order="A"),
    group(TransactionClass.FEE, {"Storage Fee": "-12.30"}),
    group(TransactionClass.RESERVE, {"Previous Reserve Amount Balance": "20.00", "Current Reserve Amount": "-30.00"}),
]  # fmt: skip


def test_the_worked_example_goes_from_gross_to_deposit() -> None:
    fall = waterfall_of(EXAMPLE, "USD")
    assert [(step.label, step.amount) for step in fall.steps] == [
        ("Product sales", Decimal("160.00")),
        ("Shipping and gift wrap", Decimal("5.00")),
        ("Promotions", Decimal("-6.00")),
        ("Refunds", Decimal("-50.00")),
        ("Selling fees", Decimal("-16.50")),
        ("Storage", Decimal("-12.30")),
        ("FBA fees", Decimal("-4.20")),
        ("Refund administration", Decimal("-1.50")),
        ("Reserve", Decimal("-10.00")),
    ]
    assert fall.deposit == Decimal("64.50")
    assert fall.steps[-1].after == fall.deposit


classes = st.sampled_from(list(TransactionClass))
names = st.sampled_from(
    [
        "Principal",
        "Shipping",
        "GiftWrap",
        "Tax",
        "Commission",
        "Promotion",
        "Storage Fee",
        "Odd",
        "RestockingFee",
    ]
)


@st.composite
def groups(draw: st.DrawFn) -> list[SettlementGroup]:
    drawn = draw(
        st.lists(
            st.tuples(classes, st.dictionaries(names, st.integers(-99999, 99999), min_size=1)), max_size=6
        )
    )
    return [
        group(cls, {name: str(Decimal(cents) / 100) for name, cents in amounts.items()}, order=f"O{at}")
        for at, (cls, amounts) in enumerate(drawn)
    ]  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(groups())
def test_steps_always_sum_to_the_settlement_and_each_begins_where_the_last_ended(
    found: list[SettlementGroup],
) -> None:
    fall = waterfall_of(found, "USD")
    assert fall.deposit == sum((g.amounts.net for g in found), ZERO)
    assert sum((step.amount for step in fall.steps), ZERO) == fall.deposit
    ends = [ZERO, *(step.after for step in fall.steps)]
    assert [step.before for step in fall.steps] == ends[:-1]
    picture = ET.fromstring(svg(fall))
    bars = [e for e in picture.iter() if e.tag.endswith("rect") and e.get("class")]
    assert len(bars) == len(fall.steps) + 1
    assert all(Decimal(str(bar.get("width"))) > 0 for bar in bars)


def test_the_address_holds_the_picture_and_the_table_adds_up() -> None:
    fall = waterfall_of(EXAMPLE, "USD")
    assert base64.b64decode(data_uri(fall).split(",", 1)[1]).decode() == svg(fall)
    lines = as_markdown(fall).splitlines()
    assert lines[-1] == "| **Deposit** | **64.50** | |"
    amounts = [Decimal(line.split("|")[2].strip()) for line in lines[2:-1]]
    assert sum(amounts) == Decimal("64.50")
