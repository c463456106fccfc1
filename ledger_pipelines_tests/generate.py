"""Synthetic settlements that balance to the cent: built by hand for one case, or N orders from a seed.

Belongs here: rows of V2 and V1 flat files as Amazon writes them (amazon-settlement.md 2, 3). Does not belong here:
any real data, reading, books.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
CENT = Decimal("0.01")
_V2 = (
    "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type "
    "order-id merchant-order-id adjustment-id shipment-id marketplace-name amount-type amount-description amount "
    "fulfillment-id posted-date posted-date-time order-item-code merchant-order-item-id merchant-adjustment-item-id "
    "sku quantity-purchased promotion-id"
)
V2_COLUMNS = _V2.split()
_V1 = (
    "settlement-id settlement-start-date settlement-end-date deposit-date total-amount currency transaction-type "
    "order-id merchant-order-id adjustment-id shipment-id marketplace-name shipment-fee-type shipment-fee-amount "
    "order-fee-type order-fee-amount fulfillment-id posted-date order-item-code merchant-order-item-id "
    "merchant-adjustment-item-id sku quantity-purchased price-type price-amount item-related-fee-type "
    "item-related-fee-amount misc-fee-amount other-fee-amount other-fee-reason-description promotion-id "
    "promotion-type promotion-amount direct-payment-type direct-payment-amount other-amount"
)
V1_COLUMNS = _V1.split()
PRICE, FEES, WITHHELD, PROMOTION, OTHER = (
    "ItemPrice", "ItemFees", "ItemWithheldTax", "Promotion", "other-transaction"
)  # fmt: skip
FACILITATOR = "MarketplaceFacilitatorTax-Principal"
PRODUCTS = (
    ("MUG-BLUE", Decimal("50.00")),
    ("TEAPOT-1L", Decimal("60.00")),
    ("TEA-30", Decimal("12.95")),
    ("CUP SET/4", Decimal("34.49")),
    ('PLATE 8"', Decimal("19.99")),
    ("INFUSER", Decimal("8.25")),
)
START = datetime(2026, 3, 2, 14, 0, 11, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Amount:
    """One amount of a group, with the file's sign."""

    type: str
    description: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one item of one transaction. quantity: on the rows of an order; blank on refunds, as in real files."""

    transaction_type: str
    posted: datetime
    amounts: tuple[Amount, ...]
    order_id: str = ""
    merchant_order_id: str = ""
    adjustment_id: str = ""
    shipment_id: str = ""
    marketplace: str = ""
    channel: str = ""
    item_code: str = ""
    sku: str = ""
    quantity: str = ""

    @property
    def net(self) -> Decimal:
        """Sum of its amounts."""
        return sum((part.amount for part in self.amounts), ZERO)


@dataclass(frozen=True, slots=True)
class SettlementFile:
    """A settlement to be written in any variant."""

    settlement_id: str
    groups: tuple[Group, ...]
    currency: str = "USD"
    start: datetime = START
    end: datetime = START + timedelta(days=14)

    @property
    def total(self) -> Decimal:
        """What the groups sum to."""
        return sum((group.net for group in self.groups), ZERO)

    @property
    def deposit(self) -> datetime:
        """Two days after the end."""
        return self.end + timedelta(days=2)

    def v2(self, *, total: Decimal | None = None, comma: bool = False) -> bytes:
        """A V2 flat file. total: other than the sum, for a file that does not foot. comma: decimal comma, and dates
        day first with dots, as in European files."""
        rows = [V2_COLUMNS, self._summary(len(V2_COLUMNS), total, comma=comma, as_iso=False)]
        for group in self.groups:
            for part in group.amounts:
                cells = {
                    "amount-type": part.type,
                    "amount-description": part.description,
                    "amount": number(part.amount, comma=comma),
                    "posted-date": day(group.posted, comma=comma),
                    "posted-date-time": stamp(group.posted, comma=comma),
                    "quantity-purchased": group.quantity,
                }
                rows.append(self._row(V2_COLUMNS, group, cells))
        return render(rows)

    def v1(self) -> bytes:
        """A V1 flat file of 36 columns, with a quantity row before the amounts of an order's item."""
        rows = [V1_COLUMNS, self._summary(len(V1_COLUMNS), None, comma=False, as_iso=True)]
        for group in self.groups:
            posted = {"posted-date": iso(group.posted)}
            if group.quantity:
                rows.append(self._row(V1_COLUMNS, group, posted | {"quantity-purchased": group.quantity}))
            rows += [self._row(V1_COLUMNS, group, posted | _v1_cells(part)) for part in group.amounts]
        return render(rows)

    def _row(self, columns: Sequence[str], group: Group, cells: dict[str, str]) -> list[str]:
        known = {
            "settlement-id": self.settlement_id,
            "transaction-type": group.transaction_type,
            "order-id": group.order_id,
            "merchant-order-id": group.merchant_order_id or group.order_id,
            "adjustment-id": group.adjustment_id,
            "shipment-id": group.shipment_id,
            "marketplace-name": group.marketplace or ("Amazon.com" if group.order_id else ""),
            "fulfillment-id": group.channel,
            "order-item-code": group.item_code,
            "sku": group.sku,
        } | cells
        return [known.get(column, "") for column in columns]

    def _summary(self, width: int, total: Decimal | None, *, comma: bool, as_iso: bool) -> list[str]:
        instants = [self.start, self.end, self.deposit]
        dates = [iso(i) if as_iso else stamp(i, comma=comma) for i in instants]
        shown = number(self.total if total is None else total, comma=comma)
        row = [self.settlement_id, *dates, shown, self.currency]
        return row + [""] * (width - len(row))


def _v1_cells(part: Amount) -> dict[str, str]:
    amount = number(part.amount)
    if part.type == PRICE:
        return {"price-type": part.description, "price-amount": amount}
    if part.type in (FEES, WITHHELD):
        return {"item-related-fee-type": part.description, "item-related-fee-amount": amount}
    if part.type == PROMOTION:
        return {"promotion-type": part.description, "promotion-amount": amount, "promotion-id": "Autumn Sale"}
    return {"other-amount": amount}


def render(rows: Iterable[Sequence[str]]) -> bytes:
    """Tab separated, LF."""
    return "".join("\t".join(row) + "\n" for row in rows).encode("ascii")


def number(amount: Decimal, *, comma: bool = False) -> str:
    """Two decimals."""
    text = str(cents(amount))
    return text.replace(".", ",") if comma else text


def cents(amount: Decimal) -> Decimal:
    """To the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def iso(instant: datetime) -> str:
    """As V1 files of today write an instant."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def day(instant: datetime, *, comma: bool = False) -> str:
    """As V2 files write a date."""
    return f"{instant:%d.%m.%Y}" if comma else f"{instant:%Y-%m-%d}"


def stamp(instant: datetime, *, comma: bool = False) -> str:
    """As V2 files write an instant."""
    return f"{day(instant, comma=comma)} {instant:%H:%M:%S} UTC"


# --- groups --------------------------------------------------------------------------------------------------------


def order(
    order_id: str,
    principal: str | Decimal,
    *,
    posted: datetime = START + timedelta(days=3),
    sku: str = "MUG-BLUE",
    quantity: int = 1,
    shipping: str | Decimal = ZERO,
    tax: str | Decimal = ZERO,
    promotion: str | Decimal = ZERO,
    commission: str | Decimal | None = None,
    channel: str = "AFN",
    shipment_id: str = "",
    item_code: str = "",
    withheld: bool = True,
) -> Group:
    """One item of an order. tax is withheld by Amazon unless said otherwise; commission: 15 % by default."""
    gross = Decimal(principal)
    fee = -cents(gross * Decimal("0.15")) if commission is None else Decimal(commission)
    parts = [Amount(PRICE, "Principal", gross)]
    parts += [Amount(PRICE, "Shipping", Decimal(shipping))] if Decimal(shipping) else []
    parts += [Amount(PRICE, "Tax", Decimal(tax))] if Decimal(tax) else []
    parts += [Amount(WITHHELD, FACILITATOR, -Decimal(tax))] if Decimal(tax) and withheld else []
    parts += [Amount(PROMOTION, "Principal", Decimal(promotion))] if Decimal(promotion) else []
    parts += [Amount(FEES, "Commission", fee)] if fee else []
    return Group(
        "Order", posted, tuple(parts), order_id, shipment_id=shipment_id or "D" + order_id[-7:], channel=channel,
        item_code=item_code or "04" + order_id[-7:].replace("-", "0"), sku=sku, quantity=str(quantity),
    )  # fmt: skip


def refund(
    order_id: str,
    principal: str | Decimal,
    *,
    posted: datetime = START + timedelta(days=9),
    sku: str = "MUG-BLUE",
    tax: str | Decimal = ZERO,
    withheld: bool = True,
    restocking: str | Decimal = ZERO,
    number_of: int = 1,
    channel: str = "AFN",
    item_code: str = "",
) -> Group:
    """A refund; amounts given are positive. Commission comes back less a fifth."""
    gross, back = Decimal(principal), cents(Decimal(principal) * Decimal("0.15"))
    parts = [Amount(PRICE, "Principal", -gross)] if gross else []
    parts += [Amount(PRICE, "Tax", -Decimal(tax))] if Decimal(tax) else []
    parts += [Amount(WITHHELD, FACILITATOR, Decimal(tax))] if Decimal(tax) and withheld else []
    parts += [Amount(PRICE, "RestockingFee", Decimal(restocking))] if Decimal(restocking) else []
    if back:
        parts.append(Amount(FEES, "Commission", back))
        parts.append(Amount(FEES, "RefundCommission", -cents(back / 5)))
    return Group(
        "Refund", posted, tuple(parts), order_id, adjustment_id=f"amzn1:crow:{order_id[-7:]}{number_of:02d}/+AA",
        channel=channel, item_code=item_code or "04" + order_id[-7:].replace("-", "0"), sku=sku,
    )  # fmt: skip


def account(
    description: str, amount: str | Decimal, *, posted: datetime = START + timedelta(days=11)
) -> Group:
    """An account-level row, like `Storage Fee` or `Current Reserve Amount`."""
    return Group(OTHER, posted, (Amount(OTHER, description, Decimal(amount)),))


def v1_account(
    description: str, amount: str | Decimal, *, posted: datetime = START + timedelta(days=11)
) -> Group:
    """The same for V1, which has the name in the transaction type."""
    return Group(description, posted, (Amount(OTHER, "", Decimal(amount)),))


def many(
    orders: int,
    *,
    seed: int = 1,
    settlement_id: str = "26100000001",
    refunds: Decimal = Decimal("0.04"),
    merchant: Decimal = Decimal("0.25"),
    currency: str = "USD",
    start: datetime = START,
    days: int = 14,
    skus: int = 6,
    items: int = 1,
) -> SettlementFile:
    """A settlement of so many orders, with refunds of some, fees and reserves.

    Args:
        orders: Number of orders; one in eight has an item more.
        seed: Chooses amounts, kinds and shares.
        refunds: Share of the orders of this file that are refunded, whole or a part.
        merchant: Share of orders that the seller ships (MFN).
        days: Length of the period.
        skus: Number of different products.
        items: Items of each order; every eighth has one more.
    """
    chooser = random.Random(seed)
    end = start + timedelta(days=days)
    step = (end - start - timedelta(days=1)) / max(orders, 1)
    products = [PRODUCTS[n] if n < len(PRODUCTS) else (f"SKU-{n:05d}", cents(Decimal(chooser.randrange(500, 9000)) / 100))
                for n in range(skus)]  # fmt: skip
    groups: list[Group] = [account("Previous Reserve Amount Balance", "120.00", posted=start)]
    back: list[Group] = []
    prefix = settlement_id[-7:]
    for count in range(1, orders + 1):
        order_id = f"113-{prefix}-{count:07d}"
        posted = start + step * (count - 1) + timedelta(hours=1)
        mfn = Decimal(chooser.randrange(1000)) / 1000 < merchant
        parts = []
        for item in range(items + (count % 8 == 0)):
            sku, price = products[chooser.randrange(len(products))]
            quantity = chooser.choice((1, 1, 1, 2, 3))
            parts.append(order(
                order_id, price * quantity, posted=posted, sku=sku, quantity=quantity,
                shipping="5.99" if mfn and count % 2 else ZERO,
                tax=cents(price * quantity * Decimal("0.0825")) if count % 4 else ZERO,
                promotion=-cents(price * quantity / 10) if count % 5 == 0 else ZERO,
                channel="MFN" if mfn else "AFN", shipment_id=f"D{prefix}{count}", item_code=f"0{prefix}{count:06d}{item}",
            ))  # fmt: skip
        groups += parts
        if Decimal(chooser.randrange(1000)) / 1000 < refunds:
            first = parts[0]
            gross = first.amounts[0].amount
            given = gross if chooser.random() < 0.5 else cents(gross / 2)
            back.append(refund(
                order_id, given, posted=min(posted + timedelta(days=2), end - timedelta(hours=1)), sku=first.sku,
                channel=first.channel, item_code=first.item_code,
            ))  # fmt: skip
    groups += sorted(back, key=lambda group: group.posted)
    groups += [
        Group("ServiceFee", end - timedelta(days=3), (Amount("Cost of Advertising", "TransactionTotalAmount", Decimal("-41.17")),)),
        account("Subscription Fee", "-39.99", posted=end - timedelta(days=4)),
        account("Storage Fee", "-17.46", posted=end - timedelta(days=2)),
        account("Current Reserve Amount", "-45.00", posted=end),
    ]  # fmt: skip
    return SettlementFile(settlement_id, tuple(groups), currency, start, end)


def changed(file: SettlementFile, position: int, amount: str) -> SettlementFile:
    """The same file with the first amount of one group changed."""
    group = file.groups[position]
    first = replace(group.amounts[0], amount=Decimal(amount))
    groups = list(file.groups)
    groups[position] = replace(group, amounts=(first, *group.amounts[1:]))
    return replace(file, groups=tuple(groups))
