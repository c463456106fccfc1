"""The XML variant, read by element name; best effort, as its structure is known from second hand only.

Belongs here: finding the elements. Does not belong here: what the amounts mean (`vocabulary`).
Facts: amazon-settlement.md 4. Entities and document types are refused, control characters that XML forbids dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from ledger_pipelines.systems.amazon.settlement import columns, v1
from ledger_pipelines.systems.amazon.settlement.careful import extra_json
from ledger_pipelines.systems.amazon.settlement.checks import (
    EXACT,
    Findings,
    check_foots,
    check_posted,
    read_amount,
    read_summary,
    read_time,
)
from ledger_pipelines.systems.amazon.settlement.findings import Partial, refuse
from ledger_pipelines.systems.amazon.settlement.options import MEBIBYTE, ReadOptions, ReadSettlement, Summary
from ledger_pipelines.systems.amazon.settlement.rows import AmountRow, RowWriter
from ledger_pipelines.systems.amazon.settlement.source import Plain

_ILLEGAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_SERVICE = "ServiceFee"
_ITEM_PARTS = {
    "ItemPrice": "ItemPrice", "ItemPriceAdjustments": "ItemPrice",
    "ItemFees": "ItemFees", "ItemFeeAdjustments": "ItemFees",
    "ItemWithheldTax": "ItemWithheldTax", "ItemWithheldTaxAdjustments": "ItemWithheldTax",
    "ItemTaxWithheld": "ItemWithheldTax", "Points": "Points",
}  # fmt: skip
_PROMOTIONS = ("Promotion", "PromotionAdjustment")
_OWN_AMOUNTS = {"ShipmentFees": "ShipmentFees", "OrderFees": "OrderFees", "DirectPayment": "DirectPayment"}


def is_xml(head: bytes) -> bool:
    """Whether the file begins like a settlement in XML (another XML document is refused by its reader)."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return (
        text.startswith((b"<?xml", b"<AmazonEnvelope", b"<SettlementReport"))
        and b"<html" not in text[:1000].lower()
    )


@dataclass(slots=True)
class _Event:
    """One event of the report (an order, a refund, ...): what its amounts share."""

    kind: str
    posted: tuple[datetime, str] | None
    text: dict[str, str]
    amounts: list[tuple[tuple[str, str, str], str, str, int | None, dict[str, str]]] = field(
        default_factory=list
    )


def read_xml(plain: Plain, rows_path: Path, options: ReadOptions) -> ReadSettlement:
    """Read an XML settlement and write its rows; `ordinal` counts amounts, `line` is null.

    Raises:
        SettlementRefusedError: with findings that name the element instead of line and column.
    """
    partial = Partial(variant=columns.XML, encoding=plain.encoding or "utf-8")
    findings = Findings(partial)
    partial.encoding = _declared(plain)
    found: tuple[Summary, str] | None = None
    summaries = 0
    seen_report = False
    total, ordinal = Decimal(0), 0
    styles: dict[str, None] = {}
    with RowWriter(rows_path, always=options.rows_of_refused) as writer:
        for element in _elements(plain, findings):
            seen_report = True
            if element.tag == "SettlementData":
                summaries += 1
                if summaries == 1:
                    found = _summary(element, options, findings)
                    if found is not None:
                        styles.update(dict.fromkeys(found[1].split("+")))
                continue
            for event in _events(element, options, findings):
                if event.posted:
                    styles[event.posted[1]] = None
                for triple, cell, name, quantity, extra in event.amounts:
                    _check_currency(extra.pop("currency", ""), found, findings)
                    amount = read_amount(cell, ".", findings, None, name)
                    ordinal += 1
                    if amount is None or event.posted is None:
                        continue
                    if found is not None:
                        check_posted(event.posted[0], found[0], findings, None)
                    total = EXACT.add(total, amount)
                    writer.add(_row(event, triple, amount, quantity, extra, ordinal))
        amounts = writer.count
        partial.rows, partial.sum = ordinal, total
        if not seen_report and not findings.wrong:
            findings.add(
                "not-a-settlement", "The XML document holds no SettlementReport.",
                "Drop a settlement report (flat file V2, flat file V1 or XML) as Amazon gives it.",
            )  # fmt: skip
        elif summaries != 1 and not findings.wrong:
            findings.add(
                "two-summary-rows" if summaries else "no-summary-row",
                f"The document holds {summaries} SettlementData elements, not one.",
            )  # fmt: skip
        if found is not None and not findings.wrong:
            check_foots(found[0], total, findings, None)
        if findings.wrong or found is None:
            raise findings.refusal()
    return ReadSettlement(
        summary=found[0], variant=columns.XML, encoding=partial.encoding or "utf-8", rows=ordinal, amounts=amounts,
        sum=total, number_style=".", date_style="+".join(styles), columns=(), unknown_columns=(), short_rows=0,
        warnings=tuple(findings.odd), path="careful",
    )  # fmt: skip


def _declared(plain: Plain) -> str:
    if plain.encoding:
        return plain.encoding
    with plain.path.open("rb") as file:
        match = re.match(rb"""\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""", file.read(200))
    return match[1].decode().lower() if match else "utf-8"


def _elements(plain: Plain, findings: Findings) -> Iterator[ET.Element]:
    """Children of SettlementReport, one at a time, freed when done with."""
    parser: Any = ET.XMLPullParser(["start", "end"])
    depth: list[ET.Element] = []
    tail = b""
    try:
        with plain.path.open("rb") as file:
            file.seek(plain.start)
            while True:
                piece = file.read(MEBIBYTE)
                if piece:
                    if _DECLARATION.search(tail + piece):
                        raise refuse("unsafe-xml", "The XML document declares a document type or entities.")
                    tail = piece[-16:]
                    data = _ILLEGAL.sub(b"", piece)
                    if plain.encoding == "utf-16":
                        data = re.sub(rb"^(<\?xml[^>]*?)\s+encoding=[\"'][^\"']*[\"']", rb"\1", data)
                    parser.feed(data)
                else:
                    parser.close()
                for event, element in parser.read_events():
                    if event == "start":
                        depth.append(element)
                        continue
                    depth.pop()
                    if depth and _local(depth[-1].tag) == "SettlementReport":
                        for part in element.iter():
                            part.tag = _local(part.tag)
                        yield element
                        depth[-1].remove(element)
                if not piece:
                    return
    except ET.ParseError as error:
        line = error.position[0]
        findings.add("not-a-settlement", f"Line {line}: the XML document is damaged: {error}.", line=line)
    except (LookupError, ValueError) as error:
        findings.add(
            "not-a-settlement",
            f"Line 1: the XML document declares an encoding that cannot be read: {error}.",
            line=1,
        )


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _text(element: ET.Element | None, name: str) -> str:
    return (element.findtext(name) or "").strip() if element is not None else ""


def _summary(element: ET.Element, options: ReadOptions, findings: Findings) -> tuple[Summary, str] | None:
    total = element.find("TotalAmount")
    cells = {
        columns.ID: _text(element, "AmazonSettlementID"),
        columns.START: _text(element, "StartDate"),
        columns.END: _text(element, "EndDate"),
        columns.DEPOSIT: _text(element, "DepositDate"),
        columns.TOTAL: (total.text or "") if total is not None else "",
        columns.CURRENCY: total.get("currency", "") if total is not None else "",
    }
    return read_summary(cells, ".", options, findings, None)


def _check_currency(currency: str, found: tuple[Summary, str] | None, findings: Findings) -> None:
    if currency and found is not None and currency != found[0].currency:
        findings.add(
            "mixed-currency", f"Element Amount: an amount in {currency}, the settlement is in {found[0].currency}.",
            column="Amount", value=currency,
        )  # fmt: skip


def _events(element: ET.Element, options: ReadOptions, findings: Findings) -> Iterator[_Event]:
    common = {
        "order_id": _text(element, "AmazonOrderID"),
        "merchant_order_id": _text(element, "MerchantOrderID"),
        "adjustment_id": _text(element, "AdjustmentID"),
        "shipment_id": _text(element, "ShipmentID"),
        "marketplace_name": _text(element, "MarketplaceName"),
    }
    fulfillments = element.findall("Fulfillment")
    if element.tag == "AdvertisingTransactionDetails":
        yield _advertising(element, common, options, findings)
    elif fulfillments:
        for number, fulfillment in enumerate(fulfillments):
            event = _Event(
                element.tag,
                _posted(fulfillment, element, options, findings),
                {**common, "fulfillment_id": _text(fulfillment, "MerchantFulfillmentID")},
            )
            if number == 0:
                _own_amounts(element, event)
            for item in [*fulfillment.findall("Item"), *fulfillment.findall("AdjustedItem")]:
                yield _item(item, event)
            if event.amounts:
                yield event
    else:
        event = _Event(element.tag, _posted(element, element, options, findings), common)
        _other(element, event)
        yield event


def _posted(
    element: ET.Element, parent: ET.Element, options: ReadOptions, findings: Findings
) -> tuple[datetime, str] | None:
    cell = _text(element, "PostedDate") or _text(parent, "PostedDate")
    return read_time(cell, options, findings, None, "PostedDate")


def _add(
    event: _Event, triple: tuple[str, str, str], amount: ET.Element | None, name: str, quantity: int | None = None,
    **extra: str,
) -> None:  # fmt: skip
    if amount is None or not (amount.text or "").strip():
        return
    more = {key: value for key, value in extra.items() if value}
    currency = amount.get("currency", "")
    if currency:
        more["currency"] = currency
    event.amounts.append((triple, amount.text or "", name, quantity, more))


def _own_amounts(element: ET.Element, event: _Event) -> None:
    """Fees of the order or shipment as a whole."""
    for tag, amount_type in _OWN_AMOUNTS.items():
        for parent in element.findall(tag):
            for part in list(parent):
                _add(
                    event,
                    (event.kind, amount_type, _text(part, "Type")),
                    part.find("Amount"),
                    f"{tag}/Amount",
                )


def _item(item: ET.Element, parent: _Event) -> _Event:
    digits = _text(item, "Quantity")
    quantity = int(digits) if digits.isascii() and digits.isdigit() else None
    event = _Event(
        parent.kind,
        parent.posted,
        {
            **parent.text,
            "order_item_code": _text(item, "AmazonOrderItemCode"),
            "merchant_order_item_id": _text(item, "MerchantOrderItemID"),
            "merchant_adjustment_item_id": _text(item, "MerchantAdjustmentItemID"),
            "sku": (item.findtext("SKU") or ""),
        },
    )
    for child in item:
        if child.tag in _PROMOTIONS:
            event.text["promotion_id"] = _text(child, "MerchantPromotionID")
            triple = (event.kind, "Promotion", _text(child, "Type"))
            _add(event, triple, child.find("Amount"), f"{child.tag}/Amount", quantity)
        elif child.tag in _ITEM_PARTS or len(child):
            amount_type = _ITEM_PARTS.get(child.tag, child.tag)
            for part in child:
                triple = (event.kind, amount_type, _text(part, "Type"))
                _add(event, triple, part.find("Amount"), f"{child.tag}/Amount", quantity)
    return event


def _other(element: ET.Element, event: _Event) -> None:
    """An account-level event: its own Amount already includes its items' (section 4)."""
    item = element.find("OtherTransactionItem")
    event.text["sku"] = (item.findtext("SKU") or "") if item is not None else ""
    digits = _text(item, "Quantity")
    kind = _text(element, "TransactionType")
    triple = v1.misc(kind) if kind else (element.tag, element.tag, element.tag)
    quantity = int(digits) if digits.isascii() and digits.isdigit() else None
    amount = element.find("Amount")
    _add(
        event,
        triple,
        amount,
        f"{element.tag}/Amount",
        quantity,
        transaction_id=_text(element, "TransactionID"),
    )
    if amount is None:
        for part in element.iter():
            if part is not element and part.find("Amount") is not None:
                name = _text(part, "Type") or part.tag
                _add(event, (element.tag, element.tag, name), part.find("Amount"), f"{part.tag}/Amount")


def _advertising(
    element: ET.Element, common: dict[str, str], options: ReadOptions, findings: Findings
) -> _Event:
    """TransactionAmount is base and tax together, as in V2's one row; else the two are taken apart."""
    event = _Event(element.tag, _posted(element, element, options, findings), common)
    triple = (_SERVICE, "Cost of Advertising", "TransactionTotalAmount")
    if _text(element, "TransactionType").lower().startswith("refund"):
        triple = (_SERVICE, "Refund for Advertiser", "TransactionTotalAmount")
    whole = element.find("TransactionAmount")
    names = ("TransactionAmount",) if whole is not None else ("BaseAmount", "TaxAmount")
    for name in names:
        _add(event, triple, element.find(name), name, invoice_id=_text(element, "InvoiceId"))
    return event


def _row(
    event: _Event, triple: tuple[str, str, str], amount: Decimal, quantity: int | None, extra: dict[str, str],
    ordinal: int,
) -> AmountRow:  # fmt: skip
    if event.posted is None:
        raise ValueError("a row needs its posting time")
    text = {name: event.text.get(name, "") for name in columns.TEXT_COLUMNS.values()}
    return AmountRow(
        ordinal=ordinal, part=0, line=None, transaction_type=triple[0], amount_type=triple[1],
        amount_description=triple[2], amount=amount, posted_at=event.posted[0].astimezone(UTC).replace(tzinfo=None),
        quantity=quantity, extra=extra_json(extra), **text,
    )  # fmt: skip
