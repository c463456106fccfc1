"""The corpus of settlement files: what each is, and the verdict it must get (reliability.md 3 and 4).

Belongs here: the files and the written verdicts. Does not belong here: carrying them out (`malformed`), bodies of APIs
(`malformed_bodies`).
"""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from ledger_pipelines_tests.faults.drills.corrupt_subjects import xml_file
from ledger_pipelines_tests.generate import V1_COLUMNS, V2_COLUMNS, SettlementFile, account, order, refund

BASE = SettlementFile(
    "26900000001",
    (
        order("113-6900000-0000001", "50.00", commission="-7.50"),
        order("113-6900000-0000002", "12.95", sku="TEA-30", commission="-1.94"),
        refund("113-6900000-0000001", "10.00"),
        account("Storage Fee", "-12.30"),
    ),
)
ROWS = sum(len(group.amounts) for group in BASE.groups)
FIRST = 3
"""Line of the first detail row."""
_REST = BASE.total - Decimal("50.00")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The settlement is in the store, with this total, so many rows and, where it matters, this first SKU."""

    total: Decimal = BASE.total
    rows: int = ROWS
    sku: str = "MUG-BLUE"


@dataclass(frozen=True, slots=True)
class Refused:
    """The file lies in refused/ beside its reason, which has this code."""

    code: str


@dataclass(frozen=True, slots=True)
class FileItem:
    """One file. what: in words. put: makes it at the path given; the file's name is `file`."""

    name: str
    what: str
    put: Callable[[Path], None]
    verdict: Accepted | Refused
    file: str = "m.txt"


def corpus() -> Mapping[str, FileItem]:
    """By name."""
    items = [
        *_money(), *_shapes(), *_encodings(), *_foreign(), *_archives(), *_places(), *_summaries(), *_names(),
    ]  # fmt: skip
    named = {item.name: item for item in items}
    if len(named) != len(items):
        raise ValueError("two files of the corpus have one name")
    return named


def _bytes(content: bytes) -> Callable[[Path], None]:
    def put(path: Path) -> None:
        path.write_bytes(content)

    return put


def _item(
    name: str, what: str, content: bytes | str, verdict: Accepted | Refused, file: str = "m.txt"
) -> FileItem:
    data = content.encode() if isinstance(content, str) else content
    return FileItem(name, what, _bytes(data), verdict, file)


# --- changes of the base ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Text:
    """The base as lines of cells; line 1 is the header, line 2 the summary."""

    lines: tuple[tuple[str, ...], ...] = field(
        default_factory=lambda: tuple(tuple(line.split("\t")) for line in BASE.v2().decode().splitlines())
    )

    def cell(self, line: int, column: str, value: str) -> _Text:
        cells = list(self.lines[line - 1])
        cells[self.lines[0].index(column)] = value
        return _Text((*self.lines[: line - 1], tuple(cells), *self.lines[line:]))

    def header(self, column: str, name: str) -> _Text:
        return self.cell(1, column, name)

    def without(self, column: str) -> _Text:
        at = self.lines[0].index(column)
        return _Text(tuple((*line[:at], *line[at + 1 :]) for line in self.lines))

    def every(self, column: str, value: Callable[[str], str]) -> _Text:
        made = self
        for number, line in enumerate(self.lines[1:], start=2):
            old = line[self.lines[0].index(column)]
            made = made.cell(number, column, value(old)) if old else made
        return made

    def text(self, end: str = "\n") -> str:
        return "".join("\t".join(line) + end for line in self.lines)


def _priced(amount: str, read_as: str) -> str:
    """The first amount written so, in a file that would foot if it were read so."""
    total = _REST + Decimal(read_as)
    return _Text().cell(FIRST, "amount", amount).cell(2, "total-amount", f"{total:f}").text()


def _money() -> Iterator[FileItem]:
    """Section 3: each would foot if the text were read as the tools of its table read it."""
    refused = {
        "12.345 rounded": ("12.345", "12.35", "not-footing"),
        "12.345 cut": ("12.345", "12.34", "not-footing"),
        "half a cent": ("0.005", "0.01", "not-footing"),
        "half a cent to even": ("-0.005", "0.00", "not-footing"),
        "exponent": ("1e3", "1000", "unreadable-number"),
        "capital exponent": ("1E3", "1000", "unreadable-number"),
        "point behind": ("12.", "12", "unreadable-number"),
        "point before": (".5", "0.5", "unreadable-number"),
        "underscore": ("1_000.00", "1000.00", "unreadable-number"),
        "Arabic-Indic digits": ("١٢.٣٤", "12.34", "unreadable-number"),
        "full-width digits": ("１２.３４", "12.34", "unreadable-number"),
        "no-break space behind": ("12.34\u00a0", "12.34", "unreadable-number"),
        "minus behind": ("12.34-", "-12.34", "unreadable-number"),
        "dollar sign": ("$12.34", "12.34", "unreadable-number"),
        "currency code behind": ("12.34 USD", "12.34", "unreadable-number"),
        "grouped by comma": ("1,234.56", "1234.56", "unreadable-number"),
        "grouped by point": ("1.234,56", "1234.56", "unreadable-number"),
        "grouped by blank": ("1 234.56", "1234.56", "unreadable-number"),
        "the other decimal sign": ("1234,56", "1234.56", "ambiguous-number"),
        "NaN": ("NaN", "0", "unreadable-number"),
        "infinity": ("inf", "0", "unreadable-number"),
        "null word": ("NULL", "0", "unreadable-number"),
        "no amount": ("", "0", "unreadable-number"),
        "hexadecimal": ("0x10", "16", "unreadable-number"),
        "two points": ("1.2.3", "1.23", "unreadable-number"),
        "two minus": ("--12.34", "12.34", "unreadable-number"),
        "seventeen whole digits": ("12345678901234567.00", "12345678901234567.00", "unreadable-number"),
        "formula": ("=12.34", "12.34", "unreadable-number"),
    }  # fmt: skip
    for name, (text, naive, code) in refused.items():
        yield _item(f"money {name}", f"an amount written {text!r}", _priced(text, naive), Refused(code))
    accepted = {
        "three decimals": ("12.345", "12.345"),
        "leading plus": ("+12.34", "12.34"),
        "parentheses": ("(12.34)", "-12.34"),
        "U+2212": ("\u221212.34", "-12.34"),
        "leading zeros": ("0012.34", "12.34"),
        "minus zero": ("-0.00", "0.00"),
        "blanks around": (" 12.34 ", "12.34"),
        "twelve whole digits": ("999999999999.99", "999999999999.99"),
    }
    for name, (text, exact) in accepted.items():
        yield _item(
            f"money {name}",
            f"an amount written {text!r}, read exactly",
            _priced(text, exact),
            Accepted(_REST + Decimal(exact)),
        )
    yen = replace(BASE, groups=(order("113-1", "1200", commission="-180"),), currency="JPY")
    whole = yen.v2().replace(b".00", b"")
    yield _item("money yen", "whole yen, no decimal sign anywhere", whole, Accepted(Decimal(1020), 2))
    cents = whole.replace(b"\t1200\t", b"\t1200.50\t").replace(b"\t1020\t", b"\t1020.50\t")
    yield _item(
        "money yen with cents", "digits beyond the yen's own are kept, not rounded", cents,
        Accepted(Decimal("1020.50"), 2),
    )  # fmt: skip
    yield _item(
        "money two currencies",
        "a detail row in EUR in a USD settlement",
        _Text().cell(FIRST, "currency", "EUR").text(),
        Refused("mixed-currency"),
    )
    for name, code, why in (
        ("unknown", "XQX", "wrong-currency"),
        ("in words", "dollars", "unknown-currency"),
        ("in small letters", "usd", "unknown-currency"),
        ("blank", "", "unknown-currency"),
    ):
        yield _item(
            f"money currency {name}",
            f"the currency {code!r}",
            _Text().cell(2, "currency", code).text(),
            Refused(why),
        )


def _shapes() -> Iterator[FileItem]:
    lines = _Text().text().split("\n")
    yield _item("short rows", "trailing empty fields are cut off", "\n".join(line.rstrip("\t") for line in lines), Accepted())  # fmt: skip
    long = [*lines[:3], lines[3] + "\tmore", *lines[4:]]
    yield _item("long row", "a row with a field more", "\n".join(long), Refused("too-many-fields"))
    shifted = lines[2].split("\t")
    shifted.insert(7, "tab in the text")
    yield _item("shifted row", "a tab inside a field", "\n".join([*lines[:2], "\t".join(shifted), *lines[3:]]), Refused("too-many-fields"))  # fmt: skip
    yield _item("row cut before the amount", "a row that ends before its amount", "\n".join([*lines[:2], "\t".join(lines[2].split("\t")[:10]), *lines[3:]]), Refused("unreadable-number"))  # fmt: skip
    yield _item("blank lines", "blank lines between rows", "\n\n".join(lines), Accepted())
    yield _item("CR LF", "line ends CR LF", "\r\n".join(lines), Accepted())
    yield _item("CR", "line ends CR", "\r".join(lines), Accepted())
    mixed = "".join(line + ("\n", "\r\n", "\r")[n % 3] for n, line in enumerate(lines[:-1]))
    yield _item("mixed line ends", "LF, CR LF and CR in turn", mixed, Accepted())
    yield _item("no final line end", "the last row does not end", "\n".join(lines[:-1]), Accepted())
    yield _item("cut in a number", "cut in the last amount", "\n".join(lines)[: "\n".join(lines).rindex("12.30") + 2], Refused("unreadable-date"))  # fmt: skip
    yield _item("quote in a SKU", "a SKU with an inch mark", _Text().cell(FIRST, "sku", '12" PIPE').text(), Accepted(sku='12" PIPE'))  # fmt: skip
    yield _item("quote at the start", "a field that starts with a quote swallows nothing", _Text().cell(FIRST, "sku", '"PIPE').text(), Accepted(sku='"PIPE'))  # fmt: skip
    for text in ("=1+1", "+CMD|calc", "@SUM(A1)", "-2+3"):
        yield _item(f"formula {text[0]}", "formula text, stored as it is", _Text().cell(FIRST, "sku", text).text(), Accepted(sku=text))  # fmt: skip
    yield _item("SQL in a SKU", "SQL text, stored as it is", _Text().cell(FIRST, "sku", "'); DROP TABLE r; --").text(), Accepted(sku="'); DROP TABLE r; --"))  # fmt: skip
    yield _item("identical rows", "two identical rows are both true", "\n".join([lines[0], lines[1].replace(f"{BASE.total}", f"{BASE.total + 50}"), lines[2], *lines[2:]]), Accepted(BASE.total + 50, ROWS + 1))  # fmt: skip
    yield _item("identical row once", "one of two identical rows is missing", "\n".join([lines[0], lines[1].replace(f"{BASE.total}", f"{BASE.total + 50}"), *lines[2:]]), Refused("not-footing"))  # fmt: skip
    yield _item("huge line", "two megabytes without a line end", "\n".join([*lines[:2], lines[2] + "x" * (2 << 20)]), Refused("too-long-line"))  # fmt: skip
    columns = list(V2_COLUMNS)
    turned = [[line[columns.index(c)] for c in reversed(columns)] for line in _Text().lines]
    yield _item("reordered header", "the columns in reverse", "".join("\t".join(line) + "\n" for line in turned), Accepted())  # fmt: skip
    yield _item("renamed amount", "the column amount renamed", _Text().header("amount", "betrag").text(), Refused("missing-column"))  # fmt: skip
    yield _item("renamed order id", "the column order-id renamed", _Text().header("order-id", "bestellnummer").text(), Refused("missing-column"))  # fmt: skip
    yield _item("renamed SKU", "the column sku renamed", _Text().header("sku", "artikel").text(), Refused("missing-column"))  # fmt: skip
    yield _item("missing column", "no column total-amount", _Text().without("total-amount").text(), Refused("missing-column"))  # fmt: skip
    yield _item("no promotion id", "23 columns, as older files have", _Text().without("promotion-id").text(), Accepted())  # fmt: skip
    added = "\n".join(
        line + ("\tnew-column" if n == 0 else "\tx") if line else "" for n, line in enumerate(lines)
    )
    yield _item("new column", "a column nobody knows yet", added, Accepted())
    yield _item("column twice", "the column amount twice", _Text().header("sku", "amount").text(), Refused("duplicate-column"))  # fmt: skip
    yield _item("nameless column", "a column without a name", _Text().header("sku", "").text(), Refused("unnamed-column"))  # fmt: skip
    yield _item("shouting header", "capitals and underscores", "\n".join([lines[0].upper().replace("-", "_"), *lines[1:]]), Accepted())  # fmt: skip
    yield _item("quoted cells", "every cell in quotes, as a spreadsheet saves it", "\n".join("\t".join(f'"{c}"' for c in line.split("\t")) for line in lines[:-1]), Refused("not-a-settlement"))  # fmt: skip
    yield _item("header twice", "the header again in the middle", "\n".join([*lines[:3], lines[0], *lines[3:]]), Refused("foreign-settlement-rows"))  # fmt: skip
    for name, value, code in (
        ("no such day", "2026-02-30 09:10:11 UTC", "unreadable-date"),
        ("no such hour", "2026-03-05 25:10:11 UTC", "unreadable-date"),
        ("no zone", "2026-03-05 09:10:11", "unreadable-date"),
        ("zone of four days", "2026-03-05T09:10:11+99:00", "unreadable-date"),
        ("day or month", "05/03/2026 09:10:11 UTC", "ambiguous-date"),
        ("year 0", "0000-03-05 09:10:11 UTC", "unreadable-date"),
    ):
        yield _item(f"date {name}", f"posted {value!r}", _Text().cell(FIRST, "posted-date-time", value).text(), Refused(code))  # fmt: skip
    yield _item("quantity of a word", "a quantity that is no number", _Text().cell(FIRST, "quantity-purchased", "two").text(), Refused("unreadable-number"))  # fmt: skip
    yield _item("quantity of 400 digits", "a quantity no integer holds", _Text().cell(FIRST, "quantity-purchased", "9" * 400).text(), Refused("unreadable-number"))  # fmt: skip
    v1 = BASE.v1().decode()
    yield _item("V1", "a V1 file", v1, Accepted())
    yield _item("V1 renamed amount", "a V1 file without price-amount", v1.replace("price-amount", "preis"), Refused("missing-column"))  # fmt: skip
    two = "\t".join(V1_COLUMNS) + "\n"
    yield _item("V1 header alone", "a V1 header", two, Refused("header-only"))


def _encodings() -> Iterator[FileItem]:
    text = _Text().cell(FIRST, "sku", "TASSE Ä").text()
    for name, codec in (
        ("UTF-8", "utf-8"),
        ("BOM", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-16 big-endian", "utf-16-be"),
        ("Latin-1", "latin-1"),
        ("cp1252", "cp1252"),
    ):
        bom = b"\xfe\xff" if codec == "utf-16-be" else b""
        yield _item(
            f"encoding {name}", f"the file in {codec}", bom + text.encode(codec), Accepted(sku="TASSE Ä")
        )
    plain = _Text().text().encode()
    yield _item("NUL in a cell", "a NUL in a SKU", plain.replace(b"MUG", b"M\0G"), Refused("undecodable"))
    yield _item("NUL in the header", "a NUL in a column's name", plain.replace(b"sku", b"s\0u"), Refused("undecodable"))  # fmt: skip
    yield _item(
        "NULs at the end", "a file system's hole at the end", plain + b"\0" * 512, Refused("undecodable")
    )
    yield _item(
        "UTF-8 and Latin-1", "two encodings in one file", text.encode() + b"\xe4\n", Refused("undecodable")
    )
    yield _item("UTF-16 without mark", "UTF-16 that does not say so", text.encode("utf-16-le"), Refused("undecodable"))  # fmt: skip
    yield _item("UTF-16 cut", "UTF-16 with half a character at the end", text.encode("utf-16")[:-1], Refused("undecodable"))  # fmt: skip
    yield _item("UTF-32", "UTF-32, which begins like UTF-16", text.encode("utf-32"), Refused("undecodable"))
    yield _item("byte of no encoding", "a byte that cp1252 does not have", plain.replace(b"MUG", b"M\x81G"), Refused("undecodable"))  # fmt: skip


def _foreign() -> Iterator[FileItem]:
    files: dict[str, tuple[bytes, str]] = {
        "nothing": (b"", "empty-file"),
        "blanks": (b" \n\t\n ", "empty-file"),
        "header alone": (("\t".join(V2_COLUMNS) + "\n").encode(), "header-only"),
        "HTML error page": (b"<!DOCTYPE html><html><body>503</body></html>", "html-page"),
        "JSON error": (b'{"errors":[{"code":"QuotaExceeded","message":"x"}]}', "not-a-settlement"),
        "XML error": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "not-a-settlement"),
        "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", "not-a-settlement"),
        "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 8, "undecodable"),
        "executable": (b"\x7fELF\x02\x01\x01" + b"\0" * 600, "undecodable"),
        "comma separated": (_Text().text().replace("\t", ",").encode(), "not-a-settlement"),
        "another report": (b"sku\tasin\tprice\tquantity\nA\tB\t1.00\t1\n", "not-a-settlement"),
        "date range report": (b'"Includes"\n"date/time","settlement id","type","total"\n', "date-range-report"),
        "a million blanks": (b" " * 1_000_000, "empty-file"),
    }  # fmt: skip
    for name, (content, code) in files.items():
        yield _item(f"not a settlement: {name}", name, content, Refused(code))
    xml = xml_file(BASE)
    yield _item("XML", "an XML settlement", xml, Accepted(), "m.xml")
    for name, old, new, code in (
        ("cut", b"</SettlementReport></Message></AmazonEnvelope>\n", b"", "not-a-settlement"),
        ("entity", b"<AmazonEnvelope>", b'<!DOCTYPE a [<!ENTITY x "y">]><AmazonEnvelope>', "unsafe-xml"),
        ("not footing", b">50.00<", b">50.01<", "not-footing"),
        ("two currencies", b'currency="USD">50.00', b'currency="EUR">50.00', "mixed-currency"),
        ("amount of a word", b">50.00<", b">fifty<", "unreadable-number"),
        ("unknown encoding", b"UTF-8", b"UTF-99", "not-a-settlement"),
        ("NUL", b"MUG-BLUE", b"MUG\0BLUE", ""),
        ("no settlement data", b"<SettlementData>", b"<Settlement>", "not-a-settlement"),
    ):
        verdict = Refused(code) if code else Accepted(sku="MUGBLUE")
        yield _item(f"XML {name}", f"an XML settlement: {name}", xml.replace(old, new, 1), verdict, "m.xml")


def _zip(*members: tuple[str, bytes], mode: int = 0) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return memory.getvalue()


def _flagged(data: bytes) -> bytes:
    """The ZIP as if its member were encrypted: bit 0 of both flag fields."""
    made = bytearray(data)
    made[6] |= 1
    made[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def _lying(data: bytes) -> bytes:
    """The ZIP with a member that says it is 10 bytes long."""
    made = bytearray(data)
    at = data.rindex(b"PK\x01\x02")
    made[at + 24 : at + 28] = (10).to_bytes(4, "little")
    made[22:26] = (10).to_bytes(4, "little")
    return bytes(made)


def _archives() -> Iterator[FileItem]:
    plain = BASE.v2()
    link = 0o120777
    many = [(f"{n}.txt", b"x") for n in range(500)]
    files: dict[str, tuple[bytes, Accepted | Refused]] = {
        "gzip": (gzip.compress(plain), Accepted()),
        "zip": (_zip(("settlement.txt", plain)), Accepted()),
        "zip with a folder": (_zip(("2026/03/settlement.txt", plain)), Accepted()),
        "gzip cut": (gzip.compress(plain)[:-9], Refused("damaged-archive")),
        "gzip with a wrong checksum": (
            gzip.compress(plain)[:-8] + b"\0\0\0\0" + gzip.compress(plain)[-4:], Refused("damaged-archive"),
        ),
        "gzip of nothing": (gzip.compress(b""), Refused("empty-file")),
        "gzip magic alone": (b"\x1f\x8b", Refused("damaged-archive")),
        "gzip bomb": (gzip.compress(b"\0" * 40_000_000), Refused("unsafe-archive")),
        "gzip in gzip": (gzip.compress(gzip.compress(plain)), Refused("unsafe-archive")),
        "gzip of a PDF": (gzip.compress(b"%PDF-1.7\n"), Refused("not-a-settlement")),
        "zip empty": (_zip(), Refused("archive-members")),
        "zip of two": (_zip(("a.txt", plain), ("b.txt", plain)), Refused("archive-members")),
        "zip of 500": (_zip(*many), Refused("archive-members")),
        "zip in zip": (_zip(("a.zip", _zip(("a.txt", plain)))), Refused("unsafe-archive")),
        "zip cut": (_zip(("a.txt", plain))[:-30], Refused("damaged-archive")),
        "zip with ..": (_zip(("../../a.txt", plain)), Refused("unsafe-archive")),
        "zip with an absolute path": (_zip(("/etc/a.txt", plain)), Refused("unsafe-archive")),
        "zip with a drive": (_zip(("C:\\a.txt", plain)), Refused("unsafe-archive")),
        "zip with a link": (_zip(("a.txt", b"/etc/passwd"), mode=link), Refused("unsafe-archive")),
        "zip encrypted": (_flagged(_zip(("a.txt", plain))), Refused("damaged-archive")),
        "zip that lies": (_lying(_zip(("a.txt", plain))), Refused("damaged-archive")),
        "zip bomb": (_zip(("a.txt", b"\0" * 40_000_000)), Refused("unsafe-archive")),
        "xlsx": (
            _zip(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>"), ("xl/s.xml", b"")),
            Refused("archive-members"),
        ),
    }  # fmt: skip
    for name, (content, verdict) in files.items():
        yield _item(f"archive {name}", name, content, verdict, "m.zip" if "zip" in name else "m.gz")


def _places() -> Iterator[FileItem]:
    def link(path: Path) -> None:
        target = path.parent.parent / "outside.txt"
        target.write_bytes(BASE.v2())
        path.symlink_to(target)

    def dangling(path: Path) -> None:
        path.symlink_to(path.parent / "nowhere")

    yield FileItem("a link in the drop folder", "a symbolic link to a good file", link, Refused("not-a-file"))
    yield FileItem("a dangling link", "a symbolic link to nothing", dangling, Refused("not-a-file"))
    yield FileItem("a pipe", "a FIFO that nobody writes", os.mkfifo, Refused("not-a-file"))


def _summaries() -> Iterator[FileItem]:
    lines = _Text().text().split("\n")
    total = f"{BASE.total}"
    yield _item("no summary row", "no row carries the total", "\n".join([lines[0], *lines[2:]]), Refused("no-summary-row"))  # fmt: skip
    yield _item("two summary rows", "the summary twice", "\n".join([*lines[:2], lines[1], *lines[2:]]), Refused("two-summary-rows"))  # fmt: skip
    yield _item("summary at the end", "the summary as the last row", "\n".join([lines[0], *lines[2:-1], lines[1], ""]), Accepted())  # fmt: skip
    yield _item("a cent too much", "the total is a cent more", lines[0] + "\n" + "\n".join(lines[1:]).replace(total, f"{BASE.total + Decimal('0.01')}"), Refused("not-footing"))  # fmt: skip
    yield _item("a millionth too much", "an amount is a millionth more", _Text().cell(FIRST, "amount", "50.000001").text(), Refused("not-footing"))  # fmt: skip
    yield _item("two settlements", "two settlements in one file", _Text().text() + _Text().text().replace(BASE.settlement_id, "26900000009").split("\n", 1)[1], Refused("two-summary-rows"))  # fmt: skip
    yield _item("a foreign row", "a row of another settlement", _Text().cell(FIRST, "settlement-id", "26900000009").text(), Refused("foreign-settlement-rows"))  # fmt: skip
    yield _item("total on a detail row", "a detail row with a total", _Text().cell(FIRST, "total-amount", total).text(), Refused("total-on-detail-row"))  # fmt: skip
    for name, value in (
        ("spreadsheet", "2.69E+10"),
        ("of a path", "../../26900000001"),
        ("of 21 digits", "9" * 21),
    ):
        yield _item(f"settlement id {name}", f"the settlement id {value!r}", _Text().every("settlement-id", lambda _, v=value: v).text(), Refused("unreadable-settlement-id"))  # type: ignore[misc]  # fmt: skip
    yield _item("ends before it starts", "the period is turned round", _Text().cell(2, "settlement-end-date", "2026-01-01 00:00:00 UTC").text(), Refused("unreadable-date"))  # fmt: skip
    empty = replace(BASE, groups=())
    yield _item(
        "no rows and a total of nothing", "a settlement without rows", empty.v2(), Accepted(Decimal(0), 0, "")
    )
    yield _item("no rows and a total", "a settlement without rows, with money", empty.v2(total=Decimal("9.99")), Refused("not-footing"))  # fmt: skip


def _names() -> Iterator[FileItem]:
    names = {
        "newline": "m\nx.txt",
        "quotes": "m'\"`.txt",
        "SQL": "m'); DROP TABLE settlements; --.txt",
        "shell": "m$(touch hacked);&.txt",
        "unicode": "m-Größe-日本-\u202etxt.txt",
        "dash": "-rf.txt",
        "not UTF-8": os.fsdecode(b"m\xff\xfe.txt"),
        "of 255 bytes": "m" * 251 + ".txt",
        "of 255 bytes in Japanese": "長" * 85,
        "of 240 bytes": "m" * 236 + ".txt",
    }
    for name, file in names.items():
        yield _item(f"name {name}: good", f"a good file named by {name}", BASE.v2(), Accepted(), file)
        yield _item(
            f"name {name}: bad", f"a bad file named by {name}", b"nonsense", Refused("not-a-settlement"), file
        )
