import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger_pipelines.sandbox.amazon.summary import V1, V2, XML, NoSummaryError, read_summary
from ledger_pipelines_tests.unit.sandbox.kit import settlement

SAMPLES = Path(
    os.environ.get("LEDGER_SAMPLES", Path(__file__).parents[5] / "shared" / "samples" / "settlements")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-15 14:00:11 UTC", datetime(2026, 5, 15, 14, 0, 11, tzinfo=UTC)),
        ("15.05.2026 14:00:11 UTC", datetime(2026, 5, 15, 14, 0, 11, tzinfo=UTC)),
        ("2026/05/15 14:00:11 UTC", datetime(2026, 5, 15, 14, 0, 11, tzinfo=UTC)),
        ("2026-05-15T07:00:11-07:00", datetime(2026, 5, 15, 14, 0, 11, tzinfo=UTC)),
    ],
)
def test_every_date_style_is_read(text: str, expected: datetime) -> None:
    assert read_summary(settlement(end=text)).end == expected


def test_a_blank_line_and_a_byte_order_mark_before_the_summary_row_do_no_harm() -> None:
    content = b"\xef\xbb\xbf" + settlement().replace(b"\n", b"\r\n\r\n", 1)
    assert read_summary(content).settlement_id == "26111111111"
    assert read_summary(content).report_type == V2


def test_an_xml_settlement_is_read_by_tag() -> None:
    content = b"""<?xml version="1.0" encoding="ISO-8859-1"?><AmazonEnvelope><Message><SettlementReport><SettlementData>
    <AmazonSettlementID>27333333333</AmazonSettlementID><TotalAmount currency="EUR">34.37</TotalAmount>
    <StartDate>2026-04-29T09:43:19+00:00</StartDate><EndDate>2026-05-13T09:35:05+00:00</EndDate>
    </SettlementData></SettlementReport></Message></AmazonEnvelope>"""
    summary = read_summary(content)
    assert (summary.report_type, summary.settlement_id) == (XML, "27333333333")
    assert summary.end == datetime(2026, 5, 13, 9, 35, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "lacks the columns"),
        (settlement().splitlines()[0], "no row has a total-amount"),
        (b"<html><p></html>", "not XML"),
        (b"<a></a>", "no SettlementData"),
        (b"<!DOCTYPE a><a></a>", "document type declaration"),
        (settlement(end="15-05"), "not a date"),
    ],
)
def test_what_cannot_be_read_is_said(content: bytes, says: str) -> None:
    with pytest.raises(NoSummaryError, match=says):
        read_summary(content)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"the real samples are not at {SAMPLES}")
def test_the_real_samples_are_read() -> None:
    files = sorted(SAMPLES.glob("*.txt"))
    assert files
    for file in files:
        summary = read_summary(file.read_bytes())
        assert summary.settlement_id in file.name
        assert summary.report_type == (V1 if file.name.startswith("v1_") else V2)
        assert summary.start < summary.end
