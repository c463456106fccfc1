"""What kinds mean."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines.documents.settlement import Component, TransactionClass
from ledger_pipelines.systems.amazon.settlement.chain import Balances, balances, roll_forward
from ledger_pipelines.systems.amazon.vocabulary import CATEGORIES, classify

KNOWN = """
Order|ItemPrice|Principal|Order|product|sales
Order|ItemPrice|ShippingTax|Order|tax|tax_collected
Order|ItemPrice|Goodwill|Order|other|other_income
Order|Promotion|Shipping|Order|promotion|promotion
Order|ItemWithheldTax|MarketplaceFacilitatorVAT-Principal|Order|withheld_tax|tax_withheld
Order|ItemWithheldTax|LowValueGoodsTax-Shipping|Order|withheld_tax|tax_withheld
Order|ItemWithheldTax|TDS (Section 194-O)|Order|withheld_tax|tax_withheld
Order|ItemFees|FBAPerOrderFulfillmentFee|Order|fees|fba_fees
Order|ShipmentFees|FBA transportation fee|Order|fees|fba_fees
Order|DirectPayment|CollectOnDeliveryRevenue|Order|other|direct_payment
Order|Points|PointsGranted|Order|other|points
Refund|ItemPrice|RestockingFee|Refund|other|restocking
Refund|ItemFees|RefundCommission|Refund|fees|refund_administration
A-to-z Guarantee Refund|ItemPrice|Principal|Chargeback|product|sales
Order_Retrocharge|ItemPrice|Tax|Retrocharge|tax|tax_collected
Liquidations|ItemFees|LiquidationsBrokerageFee|Other|fees|liquidation
ServiceFee|Cost of Advertising|TransactionTotalAmount|Fee|fees|advertising
ServiceFee|Deals|Promotion Fee Special|Fee|fees|deals_and_coupons
other-transaction|other-transaction|Storage Fee|Fee|fees|storage
FBAFees|FBA Inventory Storage Fee|Base fee|Fee|fees|storage
FBAFees|Inbound Defect Fee|Tax on fee|Fee|fees|inbound
FBAFees|FBA Removal Order: Disposal Fee|Base fee|Fee|fees|removal
AmazonFees|Coupon Performance Based Fee|Discount on Fee|Fee|fees|deals_and_coupons
AmazonFees|FBA fulfilment fee per unit - Correction|Base fee|Fee|fees|fba_fees
CouponRedemptionFee|CouponRedemptionFee|Storage Fee week: 10% off|Fee|fees|deals_and_coupons
other-transaction|FBA Inventory Reimbursement|WAREHOUSE_LOST|Reimbursement|other|reimbursement
other-transaction|other-transaction|Current Reserve Amount|Reserve|other|reserve
other-transaction|other-transaction|Payable to Amazon|Transfer|other|payable_to_amazon
other-transaction|other-transaction|Successful charge|Transfer|other|card_charge
other-transaction|other-transaction|Transfer of funds unsuccessful: Your bank, (x).|Transfer|other|failed_payout
Transfers|Micro Deposit|Micro Deposit|Transfer|other|micro_deposit
Debt Adjustment|Debt Adjustment|Cross-Account Debt Adjustment against BE, FR|Transfer|other|debt_adjustment
""".strip().splitlines()


@pytest.mark.parametrize("line", KNOWN)
def test_a_known_kind_has_its_class_component_and_category(line: str) -> None:
    *triple, cls, component, category = line.split("|")
    found = classify(*triple)
    assert (found.cls, found.kind.component, found.kind.category) == (cls, component, category)
    assert found.kind.known
    assert found.kind.triple == "/".join(triple)


@pytest.mark.parametrize("line", KNOWN)
def test_case_and_spelling_of_other_eras_mean_the_same(line: str) -> None:
    *triple, _, _, category = line.split("|")
    for change in (
        str.upper,
        str.lower,
        lambda t: t.replace(" ", ""),
        lambda t: t.replace("fulfilment", "fulfillment"),
    ):
        assert classify(*map(change, triple)).kind.category == category


@pytest.mark.parametrize(
    ("triple", "component"),
    [
        (("Order", "ItemFees", "BrandNewFee"), Component.FEES),
        (("Order", "ItemPrice", "BrandNew"), Component.OTHER),
        (("Brand", "New", "Thing"), Component.OTHER),
        (("other-transaction", "other-transaction", "Brand New"), Component.OTHER),
        (("", "", ""), Component.OTHER),
    ],
)
def test_an_unknown_kind_is_kept_apart(triple: tuple[str, str, str], component: Component) -> None:
    found = classify(*triple)
    assert (found.kind.known, found.kind.category, found.kind.component) == (False, "unknown", component)


def test_a_description_alone_never_decides() -> None:
    assert classify("Order", "Promotion", "Principal").kind.component is Component.PROMOTION
    assert classify("Order", "ItemPrice", "Shipping").kind.component is Component.SHIPPING
    assert classify("Order", "ItemPrice", "Storage Fee").kind.known is False


def test_every_category_is_described_and_belongs_to_one_class_per_account_level_type() -> None:
    classes: dict[str, set[TransactionClass]] = {}
    for line in KNOWN:
        *triple, _, _, category = line.split("|")
        assert category in CATEGORIES
        if triple[0] == "other-transaction":
            classes.setdefault(category, set()).add(classify(*triple).cls)
    assert all(len(found) == 1 for found in classes.values())


def reserve(total: str, *amounts: tuple[str, str]) -> Balances:
    return balances(
        Decimal(total),
        [
            (classify("other-transaction", "other-transaction", name).kind, Decimal(amount))
            for name, amount in amounts
        ],
    )


def test_a_reserve_that_comes_back_whole_rolls_forward() -> None:
    before = reserve(
        "64.50", ("Previous Reserve Amount Balance", "20.00"), ("Current Reserve Amount", "-30.00")
    )
    assert roll_forward(before, reserve("1", ("Previous Reserve Amount Balance", "30.00"))).holds
    found = roll_forward(before, reserve("1", ("Previous Reserve Amount Balance", "25.00")))
    assert found.reserve_difference == Decimal("-5.00")
    assert "missing" in found.sentences()[0]


def test_a_debt_is_carried_over_charged_or_not() -> None:
    before = reserve("-321.69")
    assert roll_forward(
        before, reserve("0", ("Payable to Amazon", "-321.69"), ("Successful charge", "321.69"))
    ).holds
    assert roll_forward(before, reserve("-329.44", ("Payable to Amazon", "-321.69"))).holds
    assert roll_forward(before, reserve("5")).debt_difference == Decimal("321.69")
