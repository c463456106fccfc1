"""Making settlement files for tests: rows as dictionaries, written in any variant, style and encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path

V2 = [
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
V1 = [
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
    "shipment-fee-type",
    "shipment-fee-amount",
    "order-fee-type",
    "order-fee-amount",
    "fulfillment-id",
    "posted-date",
    "order-item-code",
    "merchant-order-item-id",
    "merchant-adjustment-item-id",
    "sku",
    "quantity-purchased",
    "price-type",
    "price-amount",
    "item-related-fee-type",
    "item-related-fee-amount",
    "misc-fee-amount",
    "other-fee-amount",
    "other-fee-reason-description",
    "promotion-id",
    "promotion-type",
    "promotion-amount",
    "direct-payment-type",
    "direct-payment-amount",
    "other-amount",
]
PROMOTION_COLUMNS = ("promotion-id", "promotion-type", "promotion-amount")
ID = "26111111111"
Row = dict[str, str]


def summary(total: str = "15.14", currency: str = "USD", settlement_id: str = ID, **more: str) -> Row:
    return {
        "settlement-id": settlement_id,
        "settlement-start-date": "2026-05-01 14:00:11 UTC",
        "settlement-end-date": "2026-05-15 14:00:11 UTC",
        "deposit-date": "2026-05-17 14:00:11 UTC",
        "total-amount": total,
        "currency": currency,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def detail(kind: str, amount_type: str, description: str, amount: str, **more: str) -> Row:
    return {
        "settlement-id": ID,
        "transaction-type": kind,
        "amount-type": amount_type,
        "amount-description": description,
        "amount": amount,
        "posted-date": "2026-05-03",
        "posted-date-time": "2026-05-03 09:10:11 UTC",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


ORDER = {
    "order_id": "111-0000001-0000001",
    "merchant_order_id": "111-0000001-0000001",
    "shipment_id": "BaaAAaa1A",
    "marketplace_name": "Amazon.com",
    "fulfillment_id": "AFN",
    "order_item_code": "04000000000001",
    "sku": "MUG-BLUE",
    "quantity_purchased": "2",
}


def example() -> list[Row]:
    """The balanced US example of amazon-settlement.md 2.3."""
    return [
        summary(),
        detail("Order", "ItemPrice", "Principal", "30.00", **ORDER),
        detail("Order", "ItemPrice", "Tax", "2.40", **ORDER),
        detail("Order", "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", "-2.40", **ORDER),
        detail("Order", "ItemFees", "Commission", "-4.50", **ORDER),
        detail("Order", "ItemFees", "FBAPerUnitFulfillmentFee", "-7.36", **ORDER),
        detail("Order", "Promotion", "Principal", "-3.00", promotion_id="Spring Sale 3 off", **ORDER),
        detail("other-transaction", "other-transaction", "Previous Reserve Amount Balance", "20.00"),
        detail("other-transaction", "other-transaction", "Current Reserve Amount", "-20.00"),
    ]


def text(
    rows: Iterable[Row],
    columns: Sequence[str] = V2,
    *,
    end: str = "\n",
    final: bool = True,
    cut: bool = False,
) -> str:
    lines = ["\t".join(columns)]
    for row in rows:
        line = "\t".join(row.get(name, "") for name in columns)
        lines.append(line.rstrip("\t") if cut else line)
    return end.join(lines) + (end if final else "")


def localized(rows: Iterable[Row], day: Callable[[str], str], sign: str) -> list[Row]:
    """The same rows with another date style and decimal sign."""
    changed = []
    for row in rows:
        copy = dict(row)
        for name, value in row.items():
            if "date" in name and value:
                copy[name] = day(value)
            if name in ("amount", "total-amount"):
                copy[name] = value.replace(".", sign)
        changed.append(copy)
    return changed


def dotted(value: str) -> str:
    return f"{value[8:10]}.{value[5:7]}.{value[:4]}{value[10:]}"


def slashed(value: str) -> str:
    return value.replace("-", "/")


def put(folder: Path, content: str | bytes, name: str = "settlement.txt", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def balanced(details: Sequence[Row], currency: str = "USD") -> list[Row]:
    """The rows with a summary that foots."""
    total = sum((Decimal(row["amount"]) for row in details), Decimal(0))
    return [summary(f"{total:f}", currency), *details]


def v1_summary(total: str) -> Row:
    return {
        "settlement-id": "27222222222",
        "settlement-start-date": "2026-03-01T10:00:00+00:00",
        "settlement-end-date": "2026-03-15T10:00:00+00:00",
        "deposit-date": "2026-03-17T10:00:00+00:00",
        "total-amount": total,
        "currency": "CAD",
    }


def v1(kind: str, **cells: str) -> Row:
    return {
        "settlement-id": "27222222222",
        "transaction-type": kind,
        "posted-date": "2026-03-02T08:00:00+00:00",
        **{name.replace("_", "-"): value for name, value in cells.items()},
    }


V1_ITEM = {
    "order_id": "701-0000001-0000001",
    "shipment_id": "BbbBBbb2B",
    "marketplace_name": "Amazon.ca",
    "order_item_code": "100000000000001",
    "sku": "TEA-30",
    "fulfillment_id": "AFN",
}


def v1_example() -> list[Row]:
    """The V1 example of amazon-settlement.md 3.3; 25.00 - 3.75 - 8.00 - 0.91 + 0.00 = 12.34."""
    return [
        v1_summary("12.34"),
        v1("Order", quantity_purchased="1", **V1_ITEM),
        v1("Order", price_type="Principal", price_amount="25.00", **V1_ITEM),
        v1("Order", item_related_fee_type="Commission", item_related_fee_amount="-3.75", **V1_ITEM),
        v1(
            "ServiceFee", item_related_fee_type="Cost of Advertising", item_related_fee_amount="-8.00",
            other_fee_amount="-0.91", other_fee_reason_description="TaxAmount",
        ),
        v1("Successful charge", other_amount="0.00    "),
    ]  # fmt: skip
