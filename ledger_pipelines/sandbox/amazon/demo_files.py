"""Three invented V2 settlements of one US seller: the demo seed, and what a demo drops into its folder.

Belongs here: amounts and rows of settlements 26000000001 to 26000000003, the same bytes at every call; each balances
to the cent. Does not belong here: any real data. Layout: reference amazon-settlement.md 2.1; the first one is the
worked example of celigo-amazon-netsuite.md 8.7.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

COLUMNS = [
    "settlement-id",
    "settlement-start-date",
    "settlement-end-date",
    "deposit-date",
    "total-amount",
    "currency",
    "transaction-type",
    "order-id",
    "merchant-order-id",
    "adjustment-id",
    "shipment-id",
    "marketplace-name",
    "amount-type",
    "amount-description",
    "amount",
    "fulfillment-id",
    "posted-date",
    "posted-date-time",
    "order-item-code",
    "merchant-order-item-id",
    "merchant-adjustment-item-id",
    "sku",
    "quantity-purchased",
    "promotion-id",
]

_CENT = Decimal("0.01")
_ORDER, _REFUND, _OTHER = "Order", "Refund", "other-transaction"
_PRICE, _FEES, _WITHHELD, _PROMOTION = "ItemPrice", "ItemFees", "ItemWithheldTax", "Promotion"
_FBA_FEE = "FBAPerUnitFulfillmentFee"
_FACILITATOR = "MarketplaceFacilitatorTax-Principal"


@dataclass(frozen=True)
class DemoFile:
    """A settlement file: the name it would be downloaded under, and its bytes (ASCII, LF, final LF)."""

    name: str
    content: bytes


@dataclass(frozen=True)
class _Amount:
    type: str
    description: str
    amount: Decimal
    promotion_id: str = ""


@dataclass(frozen=True)
class _Group:
    """Rows that share everything but the amount. ``quantity`` is blank on refunds, as in real files."""

    transaction_type: str
    posted: datetime
    amounts: Sequence[_Amount]
    order_id: str = ""
    adjustment_id: str = ""
    shipment_id: str = ""
    fulfillment: str = ""
    item_code: str = ""
    adjustment_item_id: str = ""
    sku: str = ""
    quantity: str = ""


@dataclass(frozen=True)
class _Settlement:
    settlement_id: str
    start: datetime
    end: datetime
    groups: Sequence[_Group] = field(default=())

    @property
    def total(self) -> Decimal:
        return sum((amount.amount for group in self.groups for amount in group.amounts), Decimal("0.00"))


def demo_settlement_files() -> list[DemoFile]:
    """The three files, oldest first: 64.50 USD (worked example), a month-spanning one, a negative one."""
    settlements = (_worked_example(), _over_the_month_end(), _negative())
    return [DemoFile(f"{5009300 + n:07d}020720.txt", _render(s)) for n, s in enumerate(settlements, start=1)]


def _worked_example() -> _Settlement:
    start, end = datetime(2026, 9, 1, 14, 0, 11), datetime(2026, 9, 15, 14, 0, 11)  # noqa: DTZ001  UTC by format
    order_a, order_b = "111-2600001-0000001", "111-2600001-0000002"
    groups = [
        _reserve(start, "Previous Reserve Amount Balance", "20.00"),
        _Group(
            _ORDER,
            start + timedelta(days=3, hours=2),
            [
                _Amount(_PRICE, "Principal", Decimal("100.00")),
                _Amount(_PRICE, "Shipping", Decimal("5.00")),
                _Amount(_PRICE, "Tax", Decimal("8.40")),
                _Amount(_WITHHELD, _FACILITATOR, Decimal("-8.40")),
                _Amount(_FEES, "Commission", Decimal("-15.00")),
                _Amount(_FEES, _FBA_FEE, Decimal("-4.20")),
            ],
            order_id=order_a,
            shipment_id="DaaAAaa1A",
            fulfillment="AFN",
            item_code="04000000000001",
            sku="MUG-BLUE",
            quantity="2",
        ),
        _Group(
            _ORDER,
            start + timedelta(days=5, hours=4),
            [
                _Amount(_PRICE, "Principal", Decimal("60.00")),
                _Amount(_PROMOTION, "Principal", Decimal("-6.00"), "Autumn Sale 10 percent"),
                _Amount(_FEES, "Commission", Decimal("-9.00")),
            ],
            order_id=order_b,
            shipment_id="DbbBBbb2B",
            fulfillment="MFN",
            item_code="04000000000002",
            sku="TEAPOT-1L",
            quantity="1",
        ),
        _Group(
            _REFUND,
            start + timedelta(days=9, hours=1),
            [
                _Amount(_PRICE, "Principal", Decimal("-50.00")),
                _Amount(_FEES, "Commission", Decimal("7.50")),
                _Amount(_FEES, "RefundCommission", Decimal("-1.50")),
            ],
            order_id=order_a,
            adjustment_id="amzn1:crow:AAAAAAAAAAAAAAAAAAAA+/",
            fulfillment="AFN",
            item_code="04000000000001",
            adjustment_item_id="260000000001",
            sku="MUG-BLUE",
        ),
        _account(start + timedelta(days=12), "Storage Fee", "-12.30"),
        _reserve(end, "Current Reserve Amount", "-30.00"),
    ]
    return _Settlement("26000000001", start, end, groups)


@dataclass(frozen=True)
class _Product:
    sku: str
    price: Decimal
    fba_fee: Decimal


_PRODUCTS = (
    _Product("MUG-BLUE", Decimal("50.00"), Decimal("4.20")),
    _Product("TEAPOT-1L", Decimal("60.00"), Decimal("6.35")),
    _Product("TEA-30", Decimal("12.95"), Decimal("3.22")),
    _Product("CUP SET/4", Decimal("34.49"), Decimal("5.40")),
    _Product('PLATE 8"', Decimal("19.99"), Decimal("4.75")),
    _Product("INFUSER", Decimal("8.25"), Decimal("2.92")),
)


def _orders(chooser: random.Random, count: int, prefix: str, first: datetime, last: datetime) -> list[_Group]:
    """``count`` single-line orders spread evenly over the time given; every fifth line is of another shape."""
    step = (last - first) / count
    orders: list[_Group] = []
    for number in range(1, count + 1):
        product = _PRODUCTS[chooser.randrange(len(_PRODUCTS))]
        quantity = 3 if number == 7 else chooser.choice((1, 1, 1, 2, 3))
        by_amazon = number % 3 != 0
        principal = product.price * quantity
        amounts = [_Amount(_PRICE, "Principal", principal)]
        shipping = Decimal("5.99") if not by_amazon and number % 2 else Decimal(0)
        if shipping:
            amounts.append(_Amount(_PRICE, "Shipping", shipping))
        if number % 4 != 0:
            tax = _cents(principal * Decimal("0.0825"))
            amounts += [_Amount(_PRICE, "Tax", tax), _Amount(_WITHHELD, _FACILITATOR, -tax)]
        if number % 5 == 0:
            amounts.append(
                _Amount(
                    _PROMOTION, "Principal", -_cents(principal * Decimal("0.10")), "Autumn Sale 10 percent"
                )
            )
        amounts.append(_Amount(_FEES, "Commission", -_cents((principal + shipping) * Decimal("0.15"))))
        if by_amazon:
            amounts.append(_Amount(_FEES, _FBA_FEE, -product.fba_fee * quantity))
        orders.append(
            _Group(
                _ORDER,
                first + step * (number - 1) + timedelta(seconds=chooser.randrange(0, 3600)),
                amounts,
                order_id=f"112-{prefix}-{1000000 + number * 37:07d}",
                shipment_id=f"D{prefix[-3:]}x{number:03d}Q",
                fulfillment="AFN" if by_amazon else "MFN",
                item_code=f"0{prefix}{number:06d}",
                sku=product.sku,
                quantity=str(quantity),
            )
        )
    return orders


def _refund(order: _Group, number: int, posted: datetime, share: Decimal = Decimal(1)) -> _Group:
    """A refund of ``share`` of an order: price, tax and promotion back, 20 % of the commission kept."""
    back: list[_Amount] = []
    for given in order.amounts:
        amount = -_cents(given.amount * share)
        if given.description == _FBA_FEE:
            continue
        back.append(_Amount(given.type, given.description, amount, given.promotion_id))
        if given.description == "Commission":
            back.append(_Amount(_FEES, "RefundCommission", -_cents(amount * Decimal("0.20"))))
    return _Group(
        _REFUND,
        posted,
        back,
        order_id=order.order_id,
        adjustment_id=f"amzn1:crow:Zz+{number:02d}/" + "B" * 16,
        fulfillment=order.fulfillment,
        item_code=order.item_code,
        adjustment_item_id=f"2600000001{number:02d}",
        sku=order.sku,
    )


def _over_the_month_end() -> _Settlement:
    start, end = datetime(2026, 9, 15, 14, 0, 11), datetime(2026, 10, 13, 14, 0, 11)  # noqa: DTZ001  UTC by format
    chooser = random.Random(26000000002)
    orders = _orders(chooser, 25, "2600002", start + timedelta(hours=3), end - timedelta(days=1))
    groups = [
        _reserve(start, "Previous Reserve Amount Balance", "30.00"),
        *orders,
        _refund(orders[1], 1, start + timedelta(days=11, hours=5)),
        _refund(orders[6], 2, start + timedelta(days=19, hours=6), share=Decimal(1) / 3),
        _refund(orders[11], 3, start + timedelta(days=26, hours=7)),
        _advertising(start + timedelta(days=10), "-41.17"),
        _advertising(start + timedelta(days=24), "-38.02"),
        _account(start + timedelta(days=16), "Subscription Fee", "-39.99"),
        _account(start + timedelta(days=22), "Storage Fee", "-17.46"),
        _Group(
            _OTHER,
            start + timedelta(days=18, hours=9),
            [_Amount("FBA Inventory Reimbursement", "WAREHOUSE_DAMAGE", Decimal("21.60"))],
            adjustment_id="2600000077",
            sku="TEAPOT-1L",
            quantity="1",
        ),
        _reserve(end, "Current Reserve Amount", "-45.00"),
    ]
    return _Settlement("26000000002", start, end, groups)


def _negative() -> _Settlement:
    start, end = datetime(2026, 10, 13, 14, 0, 11), datetime(2026, 10, 27, 14, 0, 11)  # noqa: DTZ001  UTC by format
    chooser = random.Random(26000000003)
    orders = _orders(chooser, 3, "2600003", start + timedelta(hours=8), end - timedelta(days=4))
    groups = [
        _reserve(start, "Previous Reserve Amount Balance", "45.00"),
        *orders,
        _refund(orders[0], 4, end - timedelta(days=2)),
        _advertising(start + timedelta(days=7), "-212.40"),
        _account(start + timedelta(days=8), "Subscription Fee", "-39.99"),
        _account(start + timedelta(days=9), "Storage Fee", "-58.13"),
    ]
    return _Settlement("26000000003", start, end, groups)


def _reserve(posted: datetime, description: str, amount: str) -> _Group:
    return _Group(_OTHER, posted, [_Amount(_OTHER, description, Decimal(amount))])


def _account(posted: datetime, description: str, amount: str) -> _Group:
    return _Group(_OTHER, posted, [_Amount(_OTHER, description, Decimal(amount))])


def _advertising(posted: datetime, amount: str) -> _Group:
    return _Group(
        "ServiceFee", posted, [_Amount("Cost of Advertising", "TransactionTotalAmount", Decimal(amount))]
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _render(settlement: _Settlement) -> bytes:
    lines = [COLUMNS, _summary_row(settlement)]
    lines += [row for group in settlement.groups for row in _rows(settlement.settlement_id, group)]
    return "".join("\t".join(line) + "\n" for line in lines).encode("ascii")


def _summary_row(settlement: _Settlement) -> list[str]:
    deposit = settlement.end + timedelta(hours=48)
    row = [
        settlement.settlement_id,
        _stamp(settlement.start),
        _stamp(settlement.end),
        _stamp(deposit),
        str(_cents(settlement.total)),
        "USD",
    ]
    return row + [""] * (len(COLUMNS) - len(row))


def _rows(settlement_id: str, group: _Group) -> Iterable[list[str]]:
    for amount in group.amounts:
        row = [
            *(settlement_id, "", "", "", "", "", group.transaction_type),
            *(group.order_id, group.order_id, group.adjustment_id, group.shipment_id),
            "Amazon.com" if group.order_id else "",
            *(amount.type, amount.description, str(_cents(amount.amount)), group.fulfillment),
            *(f"{group.posted:%Y-%m-%d}", _stamp(group.posted)),
            *(group.item_code, "", group.adjustment_item_id, group.sku, group.quantity, amount.promotion_id),
        ]
        # account-level rows end after the last filled column, as Amazon cuts them
        while not group.order_id and row[-1] == "":
            row.pop()
        yield row


def _stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
