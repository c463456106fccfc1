"""The forms in which a settlement file comes a second time, and what must come of each.

Belongs here: other bytes of the same content, and other content under the same id; by integration. Does not belong
here: delivering them (`redeliver`).
"""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ledger_pipelines.integrations.amazon_netsuite.arrival import Arrival

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Args:
        name: What a case calls it.
        make: The bytes that come, of those that came first.
        outcome: What must come of it.
        code: Of the refusal, when it must be refused.
        file: The name under which it is dropped.
    """

    name: str
    make: Callable[[bytes], bytes]
    outcome: Arrival
    code: str = ""
    file: str = "again.txt"


def _rows(content: bytes) -> Rows:
    return [line.split("\t") for line in content.decode().splitlines()]


def _text(rows: Sequence[Sequence[str]], end: str = "\n") -> bytes:
    return "".join("\t".join(row) + end for row in rows).encode()


def _changed(change: Callable[[Rows], Rows]) -> Callable[[bytes], bytes]:
    return lambda content: _text(change(_rows(content)))


def _zip(*names: str) -> Callable[[bytes], bytes]:
    def make(content: bytes) -> bytes:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, content)
        return memory.getvalue()

    return make


def _reversed_columns(rows: Rows) -> Rows:
    return [row[::-1] for row in rows]


def _shuffled(rows: Rows) -> Rows:
    details = rows[2:]
    random.Random(1).shuffle(details)
    return [*rows[:2], *details]


def _cells(rows: Rows, column: str) -> list[tuple[int, int]]:
    """Places of the filled cells of a column, below the summary."""
    at = rows[0].index(column)
    return [(number, at) for number, row in enumerate(rows) if number > 1 and row[at]]


def _swapped(rows: Rows) -> Rows:
    """Two different amounts change places: the total stays."""
    (one, at), *others = _cells(rows, "amount")
    two = next(number for number, _ in others if rows[number][at] != rows[one][at])
    rows[one][at], rows[two][at] = rows[two][at], rows[one][at]
    return rows


def _cent_moved(rows: Rows) -> Rows:
    """A row more, of a cent, and a row less, of a cent: the total stays."""
    extra = [list(rows[-1]), list(rows[-1])]
    at = rows[0].index("amount")
    extra[0][at], extra[1][at] = "0.01", "-0.01"
    return [*rows, *extra]


def _row_more(rows: Rows) -> Rows:
    """An amount of nothing more."""
    extra = list(rows[-1])
    extra[rows[0].index("amount")] = "0.00"
    return [*rows, extra]


def _other_text(column: str, value: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        number, at = _cells(rows, column)[0]
        rows[number][at] = value
        return rows

    return change


def _other_total(rows: Rows) -> Rows:
    """A cent more, in a row and in the total: a file that foots."""
    number, at = _cells(rows, "amount")[0]
    total = rows[0].index("total-amount")
    for row, place in ((rows[number], at), (rows[1], total)):
        digits = row[place].replace(".", "")
        more = str(int(digits) + 1).rjust(3, "0")
        row[place] = f"{more[:-2]}.{more[-2:]}"
    return rows


_SAME, _ROWS, _REFUSED = Arrival.SAME_CONTENT, Arrival.SAME_ROWS, Arrival.REFUSED
SETTLEMENT: tuple[Form, ...] = (
    Form("same", lambda c: c, _SAME, file="settlement.txt"),
    Form("renamed", lambda c: c, _SAME, file="Copy of settlement (1).txt"),
    Form("gzip", lambda c: gzip.compress(c, mtime=0), _ROWS, file="again.txt.gz"),
    Form("zip", _zip("settlement.txt"), _ROWS, file="again.zip"),
    Form("zip-folder", _zip("2026/march/settlement.txt"), _ROWS, file="again.zip"),
    Form("zip-twice", _zip("a.txt", "b/a.txt"), _REFUSED, "archive-members", "again.zip"),
    Form("crlf", lambda c: c.replace(b"\n", b"\r\n"), _ROWS),
    Form("cr", lambda c: c.replace(b"\n", b"\r"), _ROWS),
    Form("bom", lambda c: b"\xef\xbb\xbf" + c, _ROWS),
    Form("utf-16", lambda c: c.decode().encode("utf-16"), _ROWS),
    Form("no-final-newline", lambda c: c.rstrip(b"\n"), _ROWS),
    Form("blank-lines", lambda c: c.replace(b"\n", b"\n\n"), _ROWS),
    Form("columns", _changed(_reversed_columns), _ROWS),
    Form("header-case", lambda c: c.split(b"\n", 1)[0].upper() + b"\n" + c.split(b"\n", 1)[1], _ROWS),
    Form("cut-fields", lambda c: b"\n".join(line.rstrip(b"\t") for line in c.split(b"\n")), _ROWS),
    Form("row-order", _changed(_shuffled), _ROWS),
    Form("amounts-swapped", _changed(_swapped), _REFUSED, "content-conflict"),
    Form("cent-moved", _changed(_cent_moved), _REFUSED, "content-conflict"),
    Form("row-of-nothing-more", _changed(_row_more), _REFUSED, "content-conflict"),
    Form("other-sku", _changed(_other_text("sku", "OTHER")), _REFUSED, "content-conflict"),
    Form("other-order", _changed(_other_text("order-id", "113-9999999-9999999")), _REFUSED, "content-conflict"),
    Form("other-day", _changed(_other_text("posted-date-time", "2026-03-03 00:00:00 UTC")), _REFUSED, "content-conflict"),
    Form("other-total", _changed(_other_total), _REFUSED, "content-conflict"),
)  # fmt: skip
FORMS: Mapping[str, tuple[Form, ...]] = {"amazon_netsuite": SETTLEMENT}
"""By integration; one that no file drives has none."""
