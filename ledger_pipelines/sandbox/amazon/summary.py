"""The summary row of a settlement file: its id, its period and the report type, nothing else.

Belongs here: just enough reading to give a report its dates, as Amazon would know them; written apart from the
product's reader on purpose. Does not belong here: amounts, detail rows, judgement of the file.
Formats: reference amazon-settlement.md sections 2, 3, 4, 7.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime

V1 = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE"
V2 = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
XML = "GET_V2_SETTLEMENT_REPORT_DATA_XML"
SETTLEMENT_TYPES = (V1, V2, XML)

_FORMATS = ("%Y-%m-%d %H:%M:%S UTC", "%d.%m.%Y %H:%M:%S UTC", "%Y/%m/%d %H:%M:%S UTC")


@dataclass(frozen=True)
class Summary:
    """What the listing needs. Instants are aware, UTC."""

    report_type: str
    settlement_id: str
    start: datetime
    end: datetime


class NoSummaryError(ValueError):
    """The file has no readable summary row; the text says what is missing."""


def read_summary(content: bytes) -> Summary:
    """Read the first summary row of a V1, V2 or XML settlement. Raises :class:`NoSummaryError`."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    return _read_xml(text) if text.lstrip().startswith("<") else _read_flat(text)


def _read_flat(text: str) -> Summary:
    lines = [line for line in text.splitlines() if line.strip()]
    header = [name.strip().lower() for name in lines[0].split("\t")] if lines else []
    needed = (
        "settlement-id",
        "settlement-start-date",
        "settlement-end-date",
        "total-amount",
        "transaction-type",
    )
    missing = [name for name in needed if name not in header]
    if missing:
        raise NoSummaryError(f"the first line lacks the columns {', '.join(missing)}")
    for line in lines[1:]:
        row = dict(zip(header, (cell.strip() for cell in line.split("\t")), strict=False))
        if row.get("total-amount") and not row.get("transaction-type"):
            return Summary(
                V2 if "amount-description" in header else V1,
                row["settlement-id"],
                _instant(row["settlement-start-date"]),
                _instant(row["settlement-end-date"]),
            )
    raise NoSummaryError("no row has a total-amount and no transaction-type")


def _read_xml(text: str) -> Summary:
    cleaned = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|^\s*<\?xml[^>]*\?>", "", text)
    if re.search(r"<!(DOCTYPE|ENTITY)", cleaned, re.IGNORECASE):
        raise NoSummaryError("a document type declaration is not part of a settlement")
    try:
        data = ET.fromstring(cleaned).find(".//SettlementData")  # noqa: S314  declarations were refused above
    except ET.ParseError as error:
        raise NoSummaryError(f"not XML: {error}") from error
    if data is None:
        raise NoSummaryError("the document has no SettlementData element")
    values = {child.tag: (child.text or "").strip() for child in data}
    try:
        start, end = _instant(values["StartDate"]), _instant(values["EndDate"])
        return Summary(XML, values["AmazonSettlementID"], start, end)
    except KeyError as error:
        raise NoSummaryError(f"SettlementData has no {error.args[0]}") from error


def _instant(text: str) -> datetime:
    for pattern in _FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise NoSummaryError(f"{text!r} is not a date of a settlement") from error
    if instant.tzinfo is None:
        raise NoSummaryError(f"{text!r} has no zone")
    return instant.astimezone(UTC)
