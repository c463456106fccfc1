"""What `corrupt` damages: small settlements of every variant, and a reading of them that shares nothing with ours.

Belongs here: the files, and an independent parser: plain text, split, Decimal. Does not belong here: the damage, the
verdict (`corrupt`), anything of `systems`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from ledger_pipelines_tests.generate import (
    START,
    V1_COLUMNS,
    V2_COLUMNS,
    Group,
    SettlementFile,
    account,
    iso,
    number,
    order,
    refund,
    v1_account,
)

_NUMBER = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,6})?")
_V1_MONEY = [name for name in V1_COLUMNS if name.endswith("-amount") and name != "total-amount"]
_TWICE = 4
"""An order whose rows stand in the file twice, byte for byte: both are true."""


class Line(NamedTuple):
    """One amount: what a ledger is booked from."""

    order_id: str
    sku: str
    amount: Decimal
    kind: str = ""
    quantity: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file states, read without our code. total: of the summary row."""

    settlement_id: str
    currency: str
    total: Decimal
    lines: tuple[Line, ...]

    @property
    def sum(self) -> Decimal:
        """Of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class Subject:
    """A settlement to be damaged. full: whether kind and quantity of its rows are compared, too."""

    name: str
    content: bytes
    read: Callable[[bytes], Stated]
    full: bool = False

    @property
    def stated(self) -> Stated:
        """What it states undamaged."""
        return self.read(self.content)


# --- the independent reading -----------------------------------------------------------------------------------------


def _decimal(text: str) -> Decimal:
    """Raises ValueError: not one of the numbers these files hold."""
    if not _NUMBER.fullmatch(text.strip(" ")):
        raise ValueError(f"{text!r} is no number")
    return Decimal(text.strip(" ").replace(",", "."))


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252")


# A line says the same in each of thousands of damaged files: what it says is worked out once.


@dataclass(frozen=True, slots=True)
class _Row:
    """A row under the header's names. detail, summary: which it is; it may be both, or none."""

    cells: Mapping[str, str]
    settlement_id: str
    detail: bool
    summary: bool


@lru_cache(maxsize=64)
def _names(line: str) -> tuple[str, ...]:
    return tuple(re.sub(r"[_\s]+", "-", cell.strip().lower()) for cell in line.split("\t"))


@lru_cache(maxsize=4096)
def _row(names: tuple[str, ...], line: str) -> _Row:
    found = line.split("\t")
    if len(found) > len(names):
        raise ValueError("a row has more fields than the header")
    cells = dict(zip(names, [*found, *[""] * (len(names) - len(found))], strict=True))
    kind, total = cells["transaction-type"].strip(), cells["total-amount"].strip()
    return _Row(cells, cells["settlement-id"].strip(), bool(kind or not total), bool(total and not kind))


def _table(content: bytes) -> tuple[tuple[str, ...], list[str]]:
    """Names and rows."""
    lines = re.split("\r\n|\r|\n", _text(content))
    first, *rows = (line for line in lines if line.strip(" \t\v\f"))
    return _names(first), rows


def _stated(rows: Sequence[_Row], lines: Sequence[Line]) -> Stated:
    summaries = [row for row in rows if row.summary]
    if len(summaries) != 1 or {row.settlement_id for row in rows} != {summaries[0].settlement_id}:
        raise ValueError("not one settlement")
    cells = summaries[0].cells
    return Stated(
        summaries[0].settlement_id, cells["currency"].strip(), _decimal(cells["total-amount"]), tuple(lines)
    )


@lru_cache(maxsize=4096)
def _line_of_v2(names: tuple[str, ...], line: str) -> Line:
    row = _row(names, line).cells
    return Line(
        row.get("order-id", ""),
        row.get("sku", ""),
        _decimal(row["amount"]),
        f"{row['transaction-type']}/{row['amount-type']}/{row['amount-description']}",
        row.get("quantity-purchased", "").strip(" "),
    )


@lru_cache(maxsize=4096)
def _lines_of_v1(names: tuple[str, ...], line: str) -> tuple[Line, ...]:
    row = _row(names, line).cells
    return tuple(
        Line(row.get("order-id", ""), row.get("sku", ""), _decimal(row[name]))
        for name in _V1_MONEY
        if row.get(name, "").strip()
    )


def read_v2(content: bytes) -> Stated:
    """A V2 flat file. Raises ValueError, KeyError, UnicodeError: it is none."""
    names, texts = _table(content)
    rows = [_row(names, text) for text in texts]
    return _stated(
        rows, [_line_of_v2(names, text) for row, text in zip(rows, texts, strict=True) if row.detail]
    )


def read_v1(content: bytes) -> Stated:
    """A V1 flat file: every money column of every row. Raises as `read_v2`."""
    names, texts = _table(content)
    rows = [_row(names, text) for text in texts]
    lines = [
        line
        for row, text in zip(rows, texts, strict=True)
        if row.detail
        for line in _lines_of_v1(names, text)
    ]
    return _stated(rows, lines)


_XML_AMOUNT = re.compile(r"<Amount\b[^>]*>([^<]*)</Amount\s*>")
_XML_EVENT = re.compile(r"<(Order|Refund|OtherTransaction)\s*>(.*?)</\1\s*>", re.DOTALL)
_XML_ORDER = re.compile(r"<AmazonOrderID\s*>([^<]*)</AmazonOrderID\s*>")
_XML_SKU = re.compile(r"<SKU\s*>([^<]*)</SKU\s*>")


def _one(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    if len(found) != 1:
        raise ValueError(f"{len(found)} times {pattern}")
    return str(found[0]).strip()


def read_xml(content: bytes) -> Stated:
    """The XML of `xml_subject`, by regular expression. Raises ValueError, UnicodeError."""
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", content.decode())
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as the standard says
    lines = []
    for _, event in _XML_EVENT.findall(text):
        who = ([*_XML_ORDER.findall(event), ""])[0].strip()
        sku = ([*_XML_SKU.findall(event), ""])[0]
        lines += [Line(who, sku, _decimal(amount.strip())) for amount in _XML_AMOUNT.findall(event)]
    currency, total = re.findall(r"""<TotalAmount\s+currency\s*=\s*["']([^"']*)["']\s*>([^<]*)<""", text)[0]
    settlement = _one(r"<AmazonSettlementID\s*>([^<]*)<", text)
    return Stated(settlement, currency, _decimal(total.strip()), tuple(lines))


# --- the files -----------------------------------------------------------------------------------------------------


def _groups(count: int, *, v1: bool = False, fees: int = 1) -> tuple[Group, ...]:
    """Orders of every shape; the last rows do not cancel, so that no cut off end leaves the same total."""
    made: list[Group] = [] if v1 else [account("Previous Reserve Amount Balance", "20.00", posted=START)]
    for n in range(1, count + 1):
        who = f"113-6700000-{n:07d}"
        posted = START + timedelta(days=1 + n % 12)
        one = order(
            who, Decimal(1000 + 37 * n).scaleb(-2), posted=posted, quantity=1 + n % 2, channel="AFN" if n % 2 else "MFN",
            tax="1.25" if n % 3 == 0 else "0", sku=("MUG", "TEA-30", 'PLATE 8"')[n % 3], item_code=f"04{n:05d}",
            shipment_id=f"D{n}",
        )  # fmt: skip
        made += [one, one] if n == _TWICE else [one]
        if n % 5 == 0:
            made.append(refund(who, "4.10", sku=one.sku, item_code=one.item_code))
    fee = v1_account if v1 else account
    return (*made, *[fee("Storage Fee", "-12.30")] * fees, fee("Subscription Fee", "-39.99"))


def _lean(content: bytes, columns: Sequence[str], *, lines: int) -> bytes:
    """The file without what carries nothing here, so that each of its bytes can be damaged in reasonable time.

    Raises ValueError: it has not so many lines.
    """
    rows = [line.split("\t") for line in content.decode().splitlines()]
    if len(rows) != lines:
        raise ValueError(f"the settlement has {len(rows)} lines, not {lines}")
    blank = [columns.index(name) for name in ("merchant-order-id", "marketplace-name", "shipment-id")]
    without = columns.index("posted-date")
    for number_, row in enumerate(rows):
        for at in blank if number_ else ():
            row[at] = ""
        del row[without]
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def v2_file(
    orders: int, settlement_id: str = "26800000001", currency: str = "USD", *, fees: int = 1
) -> SettlementFile:
    """A settlement of so many orders and fees."""
    return SettlementFile(settlement_id, _groups(orders, fees=fees), currency)


def xml_file(file: SettlementFile) -> bytes:
    """A settlement as Amazon's XML (amazon-settlement.md 4), without element content that carries nothing here."""
    currency = file.currency
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope><Message><SettlementReport>\n<SettlementData>'
        f"<AmazonSettlementID>{file.settlement_id}</AmazonSettlementID>"
        f'<TotalAmount currency="{currency}">{number(file.total)}</TotalAmount>'
        f"<StartDate>{iso(file.start)}</StartDate><EndDate>{iso(file.end)}</EndDate>"
        f"<DepositDate>{iso(file.deposit)}</DepositDate></SettlementData>\n"
    )
    out = [head]
    for group in file.groups:
        amounts = [
            (p.description, f'<Amount currency="{currency}">{number(p.amount)}</Amount>')
            for p in group.amounts
        ]
        posted = f"<PostedDate>{iso(group.posted)}</PostedDate>"
        if not group.order_id:
            out.append(
                f"<OtherTransaction><TransactionType>{amounts[0][0]}</TransactionType>{posted}{amounts[0][1]}"
                "</OtherTransaction>\n"
            )
            continue
        tag, item = ("Order", "Item") if group.transaction_type == "Order" else ("Refund", "AdjustedItem")
        parts = "".join(f"<Component><Type>{name}</Type>{amount}</Component>" for name, amount in amounts)
        out.append(
            f"<{tag}><AmazonOrderID>{group.order_id}</AmazonOrderID><Fulfillment>{posted}<{item}><SKU>{group.sku}</SKU>"
            f"<Quantity>{group.quantity or 1}</Quantity><ItemPrice>{parts}</ItemPrice></{item}></Fulfillment></{tag}>\n"
        )  # fmt: skip
    out.append("</SettlementReport></Message></AmazonEnvelope>\n")
    return "".join(out).encode()


@lru_cache(maxsize=1)
def subjects() -> Mapping[str, Subject]:
    """By name. `v2` is the settlement of 200 lines; the others are shorter, and each of their bytes is damaged more."""
    long = v2_file(59, fees=5)
    comma = v2_file(6, "26800000002", "EUR")
    old = SettlementFile("26800000003", _groups(6, v1=True), "CAD")
    made = (
        Subject("v2", _lean(long.v2(), V2_COLUMNS, lines=200), read_v2, full=True),
        Subject("v2-comma", comma.v2(comma=True), read_v2, full=True),
        Subject("v1", old.v1(), read_v1),
        Subject("xml", xml_file(v2_file(5, "26800000004", "EUR")), read_xml),
    )
    return {one.name: one for one in made}
