"""What is refused, with a code, a line, a column, a value and a remedy; the same on both paths."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines_tests.unit.systems.amazon.conftest import Reader
from ledger_pipelines_tests.unit.systems.amazon.files import (
    ORDER,
    V1,
    V2,
    balanced,
    detail,
    example,
    localized,
    put,
    summary,
    text,
    v1_example,
)


def principal(amount: str, **more: str) -> dict[str, str]:
    return detail("Order", "ItemPrice", "Principal", amount, **{**ORDER, **more})


def changed(line: int, column: str, value: str) -> str:
    """The example with one cell changed; line 1 is the header."""
    rows = example()
    rows[line - 2][column] = value
    return text(rows)


CELLS = {
    "grouped thousands": (5, "amount", "1,234.50", "unreadable-number"),
    "a word": (5, "amount", "NaN", "unreadable-number"),
    "an exponent": (5, "amount", "1e3", "unreadable-number"),
    "a currency sign": (5, "amount", "$1.00", "unreadable-number"),
    "minus behind": (5, "amount", "1.00-", "unreadable-number"),
    "no digits before the point": (5, "amount", ".50", "unreadable-number"),
    "no digits after the point": (5, "amount", "5.", "unreadable-number"),
    "an underscore": (5, "amount", "1_000.00", "unreadable-number"),
    "Arabic digits": (5, "amount", "١٢.٣٤", "unreadable-number"),
    "a no-break space": (5, "amount", "1.00\u00a0", "unreadable-number"),
    "seven decimals": (5, "amount", "1.0000001", "unreadable-number"),
    "thirteen whole digits": (5, "amount", "1234567890123.00", "unreadable-number"),
    "no amount": (5, "amount", "", "unreadable-number"),
    "the other sign": (5, "amount", "-4,50", "ambiguous-number"),
    "a fraction of a piece": (5, "quantity-purchased", "1.5", "unreadable-number"),
    "no such day": (5, "posted-date-time", "2026-02-30 09:10:11 UTC", "unreadable-date"),
    "no such hour": (5, "posted-date-time", "2026-05-03 25:10:11 UTC", "unreadable-date"),
    "no zone": (5, "posted-date-time", "2026-05-03 09:10:11", "unreadable-date"),
    "a zone of four days": (5, "posted-date-time", "2026-05-03T09:10:11+99:00", "unreadable-date"),
    "no time": (5, "posted-date-time", "2026-05-03", "unreadable-date"),
    "day or month first": (5, "posted-date-time", "05/03/2026 09:10:11 UTC", "ambiguous-date"),
    "a date that is none": (5, "posted-date", "yesterday", "unreadable-date"),
    "start day or month first": (2, "settlement-start-date", "05/01/2026 14:00:11 UTC", "ambiguous-date"),
    "end before start": (2, "settlement-end-date", "2026-04-15 14:00:11 UTC", "unreadable-date"),
    "another settlement": (5, "settlement-id", "26111111112", "foreign-settlement-rows"),
    "another currency": (5, "currency", "EUR", "mixed-currency"),
    "a total on a detail row": (5, "total-amount", "15.14", "total-on-detail-row"),
    "no currency": (2, "currency", "", "unknown-currency"),
    "a damaged settlement id": (2, "settlement-id", "2.61111E+10", "unreadable-settlement-id"),
}


@pytest.mark.parametrize(("line", "column", "value", "code"), CELLS.values(), ids=CELLS.keys())
def test_a_bad_cell_is_named_by_line_column_and_value(
    read: Reader, tmp_path: Path, line: int, column: str, value: str, code: str
) -> None:
    result = read(put(tmp_path, changed(line, column, value)))
    assert result.refusal is not None
    found = {finding.code: finding for finding in result.refusal.findings}
    assert code in found, result.codes
    finding = found[code]
    assert (finding.line, finding.column) == (line, column)
    assert finding.value.strip() == value.strip()
    assert f"Line {line}, column {column}" in finding.message
    assert finding.remedy


def test_a_file_off_by_a_cent_is_refused_with_the_difference(read: Reader, tmp_path: Path) -> None:
    result = read(put(tmp_path, changed(2, "total-amount", "15.15")))
    assert result.codes == ["not-footing"]
    assert result.refusal is not None
    assert "0.01 is missing" in str(result.refusal)
    assert result.refusal.partial.sum == Decimal("15.14")
    assert result.refusal.partial.total == Decimal("15.15")


def test_a_file_off_by_a_millionth_is_refused(read: Reader, tmp_path: Path) -> None:
    assert read(put(tmp_path, changed(3, "amount", "30.000001"))).codes == ["not-footing"]


def test_a_v1_file_without_reserve_rows_says_what_may_be_missing(read: Reader, tmp_path: Path) -> None:
    rows = v1_example()
    rows[0]["total-amount"] = "10.00"
    result = read(put(tmp_path, text(rows, V1)))
    assert result.codes == ["not-footing"]
    assert "reserve" in str(result.refusal)


def test_v2_never_hints_at_missing_reserve_rows(read: Reader, tmp_path: Path) -> None:
    assert "reserve" not in str(read(put(tmp_path, changed(2, "total-amount", "1.00"))).refusal)


def test_a_file_without_summary_row_is_refused(read: Reader, tmp_path: Path) -> None:
    assert read(put(tmp_path, text(example()[1:]))).codes == ["no-summary-row"]


def test_a_file_with_two_summary_rows_is_refused(read: Reader, tmp_path: Path) -> None:
    result = read(put(tmp_path, text([*example(), summary()])))
    assert result.codes == ["two-summary-rows"]
    assert result.refusal is not None
    assert result.refusal.findings[0].line == 11


def test_two_settlements_in_one_file_are_refused(read: Reader, tmp_path: Path) -> None:
    other = [{**row, "settlement-id": "26111111112"} for row in example()]
    result = read(put(tmp_path, text([*example(), *other])))
    assert set(result.codes) == {"two-summary-rows", "foreign-settlement-rows"}


def test_two_files_put_together_are_refused(read: Reader, tmp_path: Path) -> None:
    assert "foreign-settlement-rows" in read(put(tmp_path, text(example()) * 2)).codes


def test_more_fields_than_the_header_are_refused(read: Reader, tmp_path: Path) -> None:
    lines = text(example()).split("\n")
    lines[4] += "\tmore"
    result = read(put(tmp_path, "\n".join(lines)))
    assert result.codes == ["too-many-fields"]
    assert result.refusal is not None
    finding = result.refusal.findings[0]
    assert (finding.line, finding.column, finding.value) == (5, "field 25", "more")


@pytest.mark.parametrize("amount", ["1.234", "-12,345"])
def test_an_amount_that_may_mean_thousands_is_refused_when_nothing_tells(
    read: Reader, tmp_path: Path, amount: str
) -> None:
    result = read(put(tmp_path, text([summary("0"), principal(amount)])))
    assert result.codes == ["ambiguous-number"]


def test_dates_with_slashes_are_refused_unless_their_order_is_stated(read: Reader, tmp_path: Path) -> None:
    rows = localized(example(), lambda d: f"{d[5:7]}/{d[8:10]}/{d[:4]}{d[10:]}", ".")
    result = read(put(tmp_path, text(rows)))
    assert set(result.codes) == {"ambiguous-date"}
    assert result.refusal is not None
    assert "settings" in result.refusal.remedy


DATE_RANGE = (
    b'\xef\xbb\xbf"Includes Amazon Marketplace transactions"\n"All amounts in USD"\n'
    b'"date/time","settlement id","type","order id","sku","total"\n'
)
WHOLE_FILES = {
    "nothing": (b"", "empty-file"),
    "blanks": (b"\n \n\t\n", "empty-file"),
    "a byte order mark alone": (b"\xef\xbb\xbf", "empty-file"),
    "a header alone": (("\t".join(V2) + "\n").encode(), "header-only"),
    "a header without line end": ("\t".join(V2).encode(), "header-only"),
    "a web page": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "html-page"),
    "a web page in XML": (b'<?xml version="1.0"?>\n<html xmlns="x"></html>', "html-page"),
    "an error answer": (b'{"errors":[{"code":"QuotaExceeded"}]}', "not-a-settlement"),
    "another report": (b"sku\tasin\tprice\n1\t2\t3\n", "not-a-settlement"),
    "commas for tabs": (text(example()).replace("\t", ",").encode(), "not-a-settlement"),
    "a date-range report": (
        DATE_RANGE,
        "date-range-report",
    ),
    "a missing column": (text(example(), [c for c in V2 if c != "amount"]).encode(), "missing-column"),
    "a renamed order-id": (text(example()).replace("\torder-id\t", "\tbestellnummer\t").encode(), "missing-column"),
    "XML in an unknown encoding": (b'<?xml version="1.0" encoding="UTF-99"?><AmazonEnvelope/>', "not-a-settlement"),
    "a column twice": (text(example(), [*V2, "sku"]).encode(), "duplicate-column"),
    "a byte of no encoding": (changed(5, "sku", "A").replace("\tA\t", "\tA@\t").encode().replace(b"@", b"\x81"), "undecodable"),
    "UTF-8 and other bytes": (
        changed(5, "sku", "Ä").encode().replace(b"Spring Sale", b"Fr\xfchling"), "undecodable",
    ),
    "UTF-16 cut": (text(example()).encode("utf-16")[:-1], "undecodable"),
    "a NUL": (changed(5, "sku", "A\0B").encode(), "undecodable"),
    "a cut gzip": (gzip.compress(text(example()).encode())[:-20], "damaged-archive"),
    "a gzip in a gzip": (gzip.compress(gzip.compress(text(example()).encode())), "unsafe-archive"),
    "gzip magic without gzip": (b"\x1f\x8bno gzip at all", "damaged-archive"),
    "a bomb": (gzip.compress(b"0" * 30_000_000), "unsafe-archive"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code"), WHOLE_FILES.values(), ids=WHOLE_FILES.keys())
def test_what_is_no_settlement_is_refused_by_name(
    read: Reader, tmp_path: Path, content: bytes, code: str
) -> None:
    result = read(put(tmp_path, content))
    assert result.codes == [code], str(result.refusal)
    assert result.refusal is not None
    assert result.refusal.remedy


def zipped(*members: tuple[str, str], link: bool = False) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            if link:
                entry.external_attr = 0o120777 << 16
            archive.writestr(entry, content)
    return memory.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (zipped(), "archive-members"),
        (zipped(("a.txt", "x"), ("b.txt", "y")), "archive-members"),
        (zipped(("../a.txt", text(example()))), "unsafe-archive"),
        (zipped(("/etc/a.txt", text(example()))), "unsafe-archive"),
        (zipped(("a.txt", "/etc/passwd"), link=True), "unsafe-archive"),
    ],
)
def test_an_archive_that_is_not_one_plain_file_is_refused(
    read: Reader, tmp_path: Path, data: bytes, code: str
) -> None:
    result = read(put(tmp_path, data))
    assert code in result.codes or result.codes == ["damaged-archive"]


def test_a_file_beyond_the_limit_is_refused(read: Reader, tmp_path: Path) -> None:
    content = text(example())
    assert read(put(tmp_path, content), ReadOptions(max_bytes=1000)).codes == ["too-large"]
    packed = put(tmp_path, gzip.compress(content.encode()), "packed.gz")
    assert read(packed, ReadOptions(max_bytes=1000)).codes == ["too-large"]


def test_a_settlement_in_another_currency_than_the_connection_is_refused(
    read: Reader, tmp_path: Path
) -> None:
    result = read(put(tmp_path, text(example())), ReadOptions(currencies=("EUR",)))
    assert result.codes == ["wrong-currency"]
    assert read(put(tmp_path, text(example())), ReadOptions(currencies=("USD",))).codes == []


def test_links_folders_and_pipes_are_refused(read: Reader, tmp_path: Path) -> None:
    target = put(tmp_path, text(example()))
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    folder = tmp_path / "folder"
    folder.mkdir()
    assert [read(path).codes for path in (link, pipe, folder)] == [["not-a-file"]] * 3


def test_many_bad_cells_are_all_named_up_to_twenty(read: Reader, tmp_path: Path) -> None:
    rows = balanced([principal("1.00") for _ in range(30)])
    for row in rows[1:]:
        row["amount"] = "x"
    assert read(put(tmp_path, text(rows))).codes == ["unreadable-number"] * 20


def test_a_refused_file_says_what_could_be_read(read: Reader, tmp_path: Path) -> None:
    result = read(put(tmp_path, changed(5, "amount", "x")))
    assert result.refusal is not None
    partial = result.refusal.partial
    assert (partial.settlement_id, partial.currency, partial.total) == (
        "26111111111",
        "USD",
        Decimal("15.14"),
    )
    assert (partial.variant, partial.encoding, partial.rows) == ("v2-flat", "utf-8", 8)
