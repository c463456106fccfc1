"""What is accepted: the checklist of amazon-settlement.md 20, each case on the fast and on the careful path."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines_tests.unit.systems.amazon.conftest import Reader
from ledger_pipelines_tests.unit.systems.amazon.files import (
    ORDER,
    PROMOTION_COLUMNS,
    V1,
    V1_ITEM,
    V2,
    balanced,
    detail,
    dotted,
    example,
    localized,
    put,
    slashed,
    summary,
    text,
    v1,
    v1_example,
    v1_summary,
)

TOTAL = Decimal("15.14")


def test_the_reference_example_is_read_exactly(read: Reader, tmp_path: Path) -> None:
    result = read(put(tmp_path, text(example())))
    assert result.read is not None
    found = result.read.summary
    assert (found.settlement_id, found.currency, found.total) == ("26111111111", "USD", TOTAL)
    assert found.start == datetime(2026, 5, 1, 14, 0, 11, tzinfo=UTC)
    assert found.deposit == datetime(2026, 5, 17, 14, 0, 11, tzinfo=UTC)
    assert (result.read.rows, result.read.amounts, result.read.sum) == (8, 8, TOTAL)
    assert result.read.variant == "v2-flat"
    assert [row["ordinal"] for row in result.rows] == list(range(1, 9))
    assert [row["line"] for row in result.rows] == list(range(3, 11))
    assert result.rows[0]["order_item_code"] == "04000000000001"
    assert result.rows[0]["quantity"] == 2
    assert result.rows[5]["promotion_id"] == "Spring Sale 3 off"
    assert result.rows[7]["quantity"] is None


VARIATIONS = {
    "23 columns": text(example(), V2[:-1]),
    "columns permuted": text(example(), list(reversed(V2))),
    "header in other case with underscores": text(example()).replace(
        "\t".join(V2), "\t".join(name.upper().replace("-", "_") for name in V2)
    ),
    "header with blanks": text(example()).replace(
        "\t".join(V2), "\t".join(f" {n.replace('-', ' ')} " for n in V2)
    ),
    "short rows": text(example(), cut=True),
    "CR LF": text(example(), end="\r\n"),
    "CR": text(example(), end="\r"),
    "mixed line ends": text(example()).replace("\n", "\r\n", 4),
    "no final newline": text(example(), final=False),
    "blank line first": "\n" + text(example()),
    "blank line after the header": text(example()).replace("\n", "\n\n", 1),
    "blank line in the middle": text(example())
    .replace("Tax\t2.40", "Tax\t2.40")
    .replace("\n26", "\n\n26", 4),
    "blank line last": text(example()) + "\n",
    "a line of tabs": text(example()) + "\t" * 23 + "\n",
    "trailing blanks in an amount": text(example()).replace("\t-4.50\t", "\t-4.50    \t"),
    "leading plus": text(example()).replace("\t30.00\t", "\t+30.00\t"),
    "parentheses": text(example()).replace("\t-4.50\t", "\t(4.50)\t"),
    "U+2212": text(example()).replace("\t-4.50\t", "\t−4.50\t"),
    "one decimal": text(example()).replace("\t2.40\t", "\t2.4\t"),
    "more decimals than the currency has": text(example()).replace("\t2.40\t", "\t2.4000\t"),
    "three decimals, the sign known": text(example()).replace("\t2.40\t", "\t2.400\t"),
    "summary row last": text([*example()[1:], example()[0]]),
    "ISO with T and Z": text(localized(example(), lambda d: d.replace(" UTC", "Z").replace(" ", "T"), ".")),
    "ISO with offset": text(localized(example(), lambda d: d.replace(" UTC", "+00:00"), ".")),
    "decimal comma, day first": text(localized(example(), dotted, ",")),
    "point, day first": text(localized(example(), dotted, ".")),
    "comma, year first": text(localized(example(), lambda d: d, ",")),
    "year/month/day": text(localized(example(), slashed, ".")),
}


@pytest.mark.parametrize("content", VARIATIONS.values(), ids=VARIATIONS.keys())
def test_every_spelling_of_the_same_settlement_gives_the_same_total_and_rows(
    read: Reader, tmp_path: Path, content: str
) -> None:
    reference = read(put(tmp_path, text(example()), "reference.txt"))
    result = read(put(tmp_path, content))
    assert result.read is not None, result.codes
    assert result.read.summary == reference.read.summary  # type: ignore[union-attr]
    assert result.read.sum == TOTAL

    def stated(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{k: v for k, v in row.items() if k not in ("line", "promotion_id")} for row in rows]

    assert stated(result.rows) == stated(reference.rows)


@pytest.mark.parametrize(
    ("encoding", "sku", "currency", "recorded"),
    [
        ("utf-8", "TASSE-ÄÖ", "EUR", "utf-8"),
        ("utf-8-sig", "TASSE-ÄÖ", "EUR", "utf-8-sig"),
        ("utf-16", "TASSE-ÄÖ", "EUR", "utf-16"),
        ("cp1252", "TASSE-ÄÖ€", "EUR", "cp1252"),
        ("cp932", "マグカップ①", "JPY", "cp932"),
        ("utf-8", "マグカップ①", "JPY", "utf-8"),
    ],
)
def test_the_encoding_is_found_and_recorded_and_the_sku_kept(
    read: Reader, tmp_path: Path, encoding: str, sku: str, currency: str, recorded: str
) -> None:
    rows = balanced([detail("Order", "ItemPrice", "Principal", "48210", **{**ORDER, "sku": sku})], currency)
    result = read(put(tmp_path, text(rows), encoding=encoding))
    assert result.read is not None, result.refusal
    assert result.read.encoding == recorded
    assert result.rows[0]["sku"] == sku
    assert result.rows[0]["amount"] == Decimal(48210)


def test_a_declared_charset_is_believed_when_it_fits(read: Reader, tmp_path: Path) -> None:
    rows = balanced([detail("Order", "ItemPrice", "Principal", "1.00", **{**ORDER, "sku": "é"})])
    path = put(tmp_path, text(rows), encoding="latin-1")
    result = read(path, ReadOptions(charset="ISO-8859-1"))
    assert result.read is not None
    assert result.read.encoding == "iso8859-1"


def test_short_rows_are_counted(read: Reader, tmp_path: Path) -> None:
    result = read(put(tmp_path, text(example(), cut=True)))
    assert result.read is not None
    assert result.read.short_rows == 8


def test_unknown_columns_are_kept_and_reported(read: Reader, tmp_path: Path) -> None:
    rows = example()
    rows[1]["new-field"], rows[1]["other-new"], rows[2]["new-field"] = 'a "b"', "é", "c"
    columns = [*V2[:5], "other-new", *V2[5:], "new-field"]
    result = read(put(tmp_path, text(rows, columns)))
    assert result.read is not None
    assert result.read.unknown_columns == ("new-field", "other-new")
    assert [row["extra"] for row in result.rows[:3]] == [
        '{"new-field":"a \\"b\\"","other-new":"é"}', '{"new-field":"c"}', "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sku", ['5" PLATE', ' "quoted"', " LEADING", "TRAILING ", "=1+1", "'x", "a,b", "\\t"]
)
def test_a_sku_is_kept_verbatim(read: Reader, tmp_path: Path, sku: str) -> None:
    rows = balanced([detail("Order", "ItemPrice", "Principal", "1.00", **{**ORDER, "sku": sku})])
    assert read(put(tmp_path, text(rows))).rows[0]["sku"] == sku


def test_identical_rows_all_count(read: Reader, tmp_path: Path) -> None:
    rows = balanced([detail("Order", "ItemPrice", "Principal", "1.10", **ORDER)] * 3)
    result = read(put(tmp_path, text(rows)))
    assert result.read is not None
    assert result.read.sum == Decimal("3.30")
    assert len(result.rows) == 3


@pytest.mark.parametrize("amount", ["0.00", "-17.20", "999999999999.99"])
def test_zero_negative_and_large_totals_are_accepted(read: Reader, tmp_path: Path, amount: str) -> None:
    result = read(put(tmp_path, text(balanced([detail("Order", "ItemPrice", "Principal", amount)]))))
    assert result.read is not None
    assert result.read.summary.total == Decimal(amount)


def test_a_settlement_without_rows_and_with_zero_total_is_accepted(read: Reader, tmp_path: Path) -> None:
    result = read(put(tmp_path, text([summary("0.00")])))
    assert result.read is not None
    assert result.read.rows == 0


@pytest.mark.parametrize(
    ("kind", "amount_type", "description"),
    [
        ("CouponRedemptionFee", "CouponRedemptionFee", "20% off, spring; new"),
        (
            "other-transaction",
            "other-transaction",
            "Transfer of funds unsuccessful: The bank's account, see (a).",
        ),
        ("Something New", "Brand New", "Never Seen"),
        ("Other-Transaction", "", ""),
    ],
)
def test_free_text_and_unknown_kinds_are_kept(
    read: Reader, tmp_path: Path, kind: str, amount_type: str, description: str
) -> None:
    result = read(put(tmp_path, text(balanced([detail(kind, amount_type, description, "-1.00")]))))
    assert result.rows[0]["amount_description"] == description
    assert result.rows[0]["transaction_type"] == kind


def test_ids_are_text(read: Reader, tmp_path: Path) -> None:
    row = detail(
        "Refund", "ItemPrice", "Principal", "-1.00", order_id="FBA19ABCDEF", adjustment_id="amzn1:crow:a+b/c==",
        order_item_code="00000000000001", marketplace_name="Non-Amazon US",
    )  # fmt: skip
    found = read(put(tmp_path, text(balanced([row])))).rows[0]
    assert found["adjustment_id"] == "amzn1:crow:a+b/c=="
    assert found["order_item_code"] == "00000000000001"
    assert found["order_id"] == "FBA19ABCDEF"


def test_a_posting_after_the_period_is_a_warning(read: Reader, tmp_path: Path) -> None:
    row = detail("Order", "ItemPrice", "Principal", "1.00", posted_date="2026-06-20")
    row["posted-date-time"] = "2026-06-20 00:00:00 UTC"
    result = read(put(tmp_path, text(balanced([row]))))
    assert result.read is not None
    assert [warning.code for warning in result.read.warnings] == ["posted-outside-period"]


def test_an_announced_month_first_posted_date_is_proven_by_the_time(read: Reader, tmp_path: Path) -> None:
    row = detail("Order", "ItemPrice", "Principal", "1.00", posted_date="05/03/26")
    result = read(put(tmp_path, text(balanced([row]))))
    assert result.read is not None
    assert result.rows[0]["posted_at"].replace(tzinfo=UTC) == datetime(2026, 5, 3, 9, 10, 11, tzinfo=UTC)


def test_slash_dates_are_read_when_their_order_is_stated(read: Reader, tmp_path: Path) -> None:
    rows = localized(example(), lambda d: f"{d[5:7]}/{d[8:10]}/{d[:4]}{d[10:]}", ".")
    result = read(put(tmp_path, text(rows)), ReadOptions(slash_dates="month-first"))
    assert result.rows[0]["posted_at"].replace(tzinfo=UTC) == datetime(2026, 5, 3, 9, 10, 11, tzinfo=UTC)


def test_an_offset_is_honoured(read: Reader, tmp_path: Path) -> None:
    row = detail("Order", "ItemPrice", "Principal", "1.00", posted_date_time="2026-05-03T23:30:00-07:00")
    row["posted-date"] = "2026-05-04"
    assert read(put(tmp_path, text(balanced([row])))).rows[0]["posted_at"].replace(tzinfo=UTC) == datetime(
        2026, 5, 4, 6, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("kind", ["gzip", "zip", "gzip of V1"])
def test_a_compressed_file_is_read(read: Reader, tmp_path: Path, kind: str) -> None:
    content = text(v1_example(), V1) if "V1" in kind else text(example())
    if kind == "zip":
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("settlement.txt", content)
        data = memory.getvalue()
    else:
        data = gzip.compress(content.encode())
    result = read(put(tmp_path, data))
    assert result.read is not None
    assert result.read.sum == (Decimal("12.34") if "V1" in kind else TOTAL)


# ------------------------------------------------------------------------------------------------ V1


@pytest.mark.parametrize("columns", [V1, [c for c in V1 if c not in PROMOTION_COLUMNS]], ids=["36", "33"])
def test_v1_is_read_with_and_without_promotion_columns(
    read: Reader, tmp_path: Path, columns: list[str]
) -> None:
    result = read(put(tmp_path, text(v1_example(), columns) + "\n"))
    assert result.read is not None
    assert result.read.variant == "v1-flat"
    assert (result.read.rows, result.read.amounts, result.read.sum) == (5, 5, Decimal("12.34"))


def test_a_v1_row_with_two_amounts_gives_two_parts_of_one_kind(read: Reader, tmp_path: Path) -> None:
    rows = [row for row in read(put(tmp_path, text(v1_example(), V1))).rows if row["ordinal"] == 4]
    assert [(row["part"], row["amount"]) for row in rows] == [(0, Decimal(-8)), (1, Decimal("-0.91"))]
    assert {row["amount_type"] for row in rows} == {"Cost of Advertising"}
    assert {row["amount_description"] for row in rows} == {"TransactionTotalAmount"}
    assert rows[1]["extra"] == '{"other-fee-reason-description":"TaxAmount"}'


def test_a_v1_quantity_row_gives_its_quantity_to_the_rows_after_it(read: Reader, tmp_path: Path) -> None:
    rows = [
        v1_summary("30.00"),
        v1("Order", quantity_purchased="1", **V1_ITEM),
        v1("Order", price_type="Principal", price_amount="10.00", **V1_ITEM),
        v1("Order", quantity_purchased="2", **V1_ITEM),
        v1("Order", price_type="Principal", price_amount="20.00", **V1_ITEM),
    ]
    result = read(put(tmp_path, text(rows, V1)))
    assert [(row["ordinal"], row["quantity"]) for row in result.rows] == [(2, 1), (4, 2)]


@pytest.mark.parametrize(
    ("cells", "triple"),
    [
        (
            {"kind": "Order", "promotion_type": "Shipping", "promotion_amount": "-1"},
            ("Order", "Promotion", "Shipping"),
        ),
        (
            {"kind": "Order", "shipment_fee_type": "FBA transportation fee", "shipment_fee_amount": "-1"},
            ("Order", "ShipmentFees", "FBA transportation fee"),
        ),
        (
            {
                "kind": "Order",
                "direct_payment_type": "CollectOnDeliveryRevenue",
                "direct_payment_amount": "-1",
            },
            ("Order", "DirectPayment", "CollectOnDeliveryRevenue"),
        ),
        (
            {"kind": "Storage Fee", "other_amount": "-1"},
            ("other-transaction", "other-transaction", "Storage Fee"),
        ),
        (
            {"kind": "WAREHOUSE_DAMAGE", "other_amount": "-1"},
            ("other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_DAMAGE"),
        ),
        ({"kind": "Micro Deposit", "other_amount": "-1"}, ("Transfers", "Micro Deposit", "Micro Deposit")),
    ],
)
def test_v1_rows_get_the_triple_they_have_in_v2(
    read: Reader, tmp_path: Path, cells: dict[str, str], triple: tuple[str, str, str]
) -> None:
    item = V1_ITEM if cells["kind"] == "Order" else {}
    row = v1(cells["kind"], **item, **{name: value for name, value in cells.items() if name != "kind"})
    found = read(put(tmp_path, text([v1_summary("-1"), row], V1))).rows[0]
    assert (found["transaction_type"], found["amount_type"], found["amount_description"]) == triple


# ------------------------------------------------------------------------------------------------ XML

XML = """<?xml version="1.0" encoding="UTF-8"?>
<AmazonEnvelope><Message><SettlementReport>
<SettlementData><AmazonSettlementID>27333333333</AmazonSettlementID><TotalAmount currency="EUR">{total}</TotalAmount>
<StartDate>2026-04-29T09:43:19+00:00</StartDate><EndDate>2026-05-13T09:35:05+00:00</EndDate>
<DepositDate>2026-05-15T09:35:05+00:00</DepositDate></SettlementData>
<Order><AmazonOrderID>303-1</AmazonOrderID><ShipmentID>Dab</ShipmentID><MarketplaceName>Amazon.de</MarketplaceName>
<Fulfillment><MerchantFulfillmentID>AFN</MerchantFulfillmentID><PostedDate>2026-05-02T00:00:00+00:00</PostedDate>
<Item><AmazonOrderItemCode>0123</AmazonOrderItemCode><SKU>CAF\x01É</SKU><Quantity>2</Quantity>
<ItemPrice><Component><Type>Principal</Type><Amount currency="EUR">30.00</Amount></Component></ItemPrice>
<ItemFees><Fee><Type>Commission</Type><Amount currency="EUR">-4.50</Amount></Fee></ItemFees>
<Promotion><MerchantPromotionID>P1</MerchantPromotionID><Type>Principal</Type><Amount currency="EUR">-1.00</Amount>
</Promotion></Item></Fulfillment></Order>
<Refund><AmazonOrderID>303-2</AmazonOrderID><AdjustmentID>amzn1:crow:x</AdjustmentID>
<Fulfillment><MerchantFulfillmentID>AFN</MerchantFulfillmentID><PostedDate>2026-05-03T00:00:00+00:00</PostedDate>
<AdjustedItem><AmazonOrderItemCode>9</AmazonOrderItemCode><MerchantAdjustmentItemID>7</MerchantAdjustmentItemID>
<SKU>S</SKU><ItemPriceAdjustments><Component><Type>Principal</Type><Amount currency="EUR">-10.00</Amount></Component>
</ItemPriceAdjustments></AdjustedItem></Fulfillment></Refund>
<OtherTransaction><TransactionType>WAREHOUSE_LOST</TransactionType><PostedDate>2026-05-04T00:00:00+00:00</PostedDate>
<Amount currency="EUR">5.00</Amount><OtherTransactionItem><SKU>S</SKU><Quantity>1</Quantity><Amount>5.00</Amount>
</OtherTransactionItem></OtherTransaction>
<AdvertisingTransactionDetails><TransactionType>Charge</TransactionType><PostedDate>2026-05-05T00:00:00+00:00</PostedDate>
<InvoiceId>I</InvoiceId><BaseAmount currency="EUR">-4.00</BaseAmount><TaxAmount currency="EUR">-0.50</TaxAmount>
<TransactionAmount currency="EUR">-4.50</TransactionAmount></AdvertisingTransactionDetails>
</SettlementReport></Message></AmazonEnvelope>
"""


def test_an_xml_settlement_with_control_characters_is_read_by_element_name(
    read: Reader, tmp_path: Path
) -> None:
    result = read(put(tmp_path, XML.format(total="15.00"), "report.xml"))
    assert result.read is not None, result.codes
    assert result.read.variant == "xml"
    assert result.read.sum == Decimal("15.00")
    assert result.rows[0]["sku"] == "CAFÉ"
    assert [(r["transaction_type"], r["amount_type"], r["amount_description"], str(r["amount"])) for r in result.rows] == [
        ("Order", "ItemPrice", "Principal", "30.000000"),
        ("Order", "ItemFees", "Commission", "-4.500000"),
        ("Order", "Promotion", "Principal", "-1.000000"),
        ("Refund", "ItemPrice", "Principal", "-10.000000"),
        ("other-transaction", "FBA Inventory Reimbursement", "WAREHOUSE_LOST", "5.000000"),
        ("ServiceFee", "Cost of Advertising", "TransactionTotalAmount", "-4.500000"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (XML.format(total="15.01"), "not-footing"),
        (XML.format(total="15.00").replace("<AmazonEnvelope>", '<!DOCTYPE x [<!ENTITY a "b">]><AmazonEnvelope>'), "unsafe-xml"),
        (XML.format(total="15.00")[:-60], "not-a-settlement"),
        ('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "not-a-settlement"),
        (XML.format(total="15.00").replace('currency="EUR">5.00', 'currency="SEK">5.00'), "mixed-currency"),
    ],
)  # fmt: skip
def test_a_damaged_xml_settlement_is_refused(read: Reader, tmp_path: Path, content: str, code: str) -> None:
    assert read(put(tmp_path, content, "report.xml")).codes == [code]
