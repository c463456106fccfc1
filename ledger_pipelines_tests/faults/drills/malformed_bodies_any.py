"""What any vendor, or whatever stands before it, may send in place of an answer: pages, halves, encodings, nestings, redirects.

Belongs here: the ways a good answer is broken. Does not belong here: verdicts, which are the vendors'
(`malformed_bodies_netsuite` and its like), and what only one vendor can say.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger_pipelines_tests.faults.drills.malformed_bodies import Ask, BodyItem, Sent, Vendor, Verdict

MARK = "MARK"
"""A text that stands once in a good answer, in quotes, where an amount or an id may stand; it is replaced."""
ELSEWHERE = "https://elsewhere.example/take-it"
DEEPER_THAN_ANY = 100_000
DEEPER_THAN_OURS = 600
"""Less than Python's own limit for one call, more than what walks through a record may take."""


@dataclass(frozen=True, slots=True)
class Break:
    """One way to break an answer."""

    name: str
    what: str
    sent: Sent


def breaks(good: bytes) -> Iterator[Break]:
    """Every way. good: an answer that is right, with `"MARK"` in it."""
    right = good.replace(MARK.encode(), b"10.00")
    page = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>"
    yield Break("web page", "a page with 200", Sent(page, headers=(("Content-Type", "text/html"),)))
    yield Break("web page called JSON", "a page with 200 that says it is JSON", Sent(page))
    yield Break("empty", "200 and no body", Sent(b""))
    yield Break("blanks", "200 and line ends only", Sent(b" \r\n\t \r\n"))
    yield Break("cut", "the last characters are missing", Sent(right[:-3]))
    yield Break("cut in a text", "it ends inside a name", Sent(right[: right.rindex(b'":') - 2]))
    yield Break("twice", "two answers in one body", Sent(right + right))
    yield Break("text", "a JSON text", Sent(b'"busy"'))
    yield Break("number", "a JSON number", Sent(b"17"))
    yield Break(
        "plain words",
        "words that are no JSON",
        Sent(b"Service busy", headers=(("Content-Type", "text/plain"),)),
    )
    yield Break("NaN", "a number that is none", _marked(good, b"NaN"))
    yield Break("Infinity", "a number without end", _marked(good, b"-Infinity"))
    yield Break("endless exponent", "1e99999999999999999999", _marked(good, b"1e99999999999999999999"))
    yield Break("too many digits", "a whole number of 5,000 digits", _marked(good, b"9" * 5_000))
    yield Break("Latin-1", "a text in another charset, which the header names", Sent(
        good.replace(MARK.encode(), b"caf\xe9"), headers=(("Content-Type", "application/json; charset=iso-8859-1"),)
    ))  # fmt: skip
    yield Break("UTF-16", "the whole of it in UTF-16", Sent(
        right.decode().encode("utf-16"), headers=(("Content-Type", "application/json; charset=utf-16"),)
    ))  # fmt: skip
    yield Break("byte order mark", "EF BB BF before it", Sent(b"\xef\xbb\xbf" + right))
    yield Break("lone surrogate", "half a character, escaped", _marked(good, b'"\\ud800"'))
    yield Break("raw surrogate", "half a character, as bytes", _marked(good, b'"\xed\xa0\x80"'))
    yield Break("NUL", "a zero byte in a text", _marked(good, b'"a\x00b"'))
    yield Break("no gzip", "it says gzip, and is none", Sent(right, headers=(("Content-Encoding", "gzip"),)))
    yield Break("half a gzip", "a packed answer that is cut", Sent(
        gzip.compress(right)[:30], headers=(("Content-Encoding", "gzip"),)
    ))  # fmt: skip
    yield Break(
        "nested without end",
        "100,000 lists in each other",
        Sent(b"[" * DEEPER_THAN_ANY + b"]" * DEEPER_THAN_ANY),
    )
    yield Break("nested in a field", "600 objects in each other, in a field of it", _marked(
        good, b'{"a":' * DEEPER_THAN_OURS + b"1" + b"}" * DEEPER_THAN_OURS
    ))  # fmt: skip
    yield Break("moved", "302 to another host", Sent(b"", 302, (("Location", ELSEWHERE),)))
    yield Break(
        "moved for good",
        "308 to another host, which would be sent the body again",
        Sent(b"", 308, (("Location", ELSEWHERE),)),
    )
    yield Break(
        "moved nowhere", "307 to an address that is none", Sent(b"", 307, (("Location", "https://[::1"),))
    )
    yield Break("retry in the year 9999", "503 with a date no clock can hold", Sent(
        b"busy", 503, (("Retry-After", "Fri, 31 Dec 9999 23:59:59 -2300"), ("Date", "Fri, 31 Dec 9999 23:59:59 -2300"))
    ))  # fmt: skip


def packed(good: bytes) -> Sent:
    """A good answer, packed, called plain text: nothing is wrong with it."""
    right = good.replace(MARK.encode(), b"10.00")
    return Sent(gzip.compress(right), headers=(("Content-Encoding", "gzip"), ("Content-Type", "text/plain")))


def items(
    vendor: Vendor,
    ask: Ask,
    good: bytes,
    verdict: Verdict,
    but: Mapping[str, Verdict],
    *,
    taken: Verdict | None = None,
) -> Iterator[BodyItem]:
    """Every break of an answer, with the verdict of this vendor. but: other verdicts, by name; taken: of the packed one.

    Raises ValueError: a verdict is for a break that there is not.
    """
    known = {one.name: one for one in breaks(good)}
    if unknown := but.keys() - known.keys():
        raise ValueError(f"there is no such break: {sorted(unknown)}")
    for one in known.values():
        yield BodyItem(one.name, vendor, ask, one.what, one.sent, but.get(one.name, verdict))
    if taken is not None:
        yield BodyItem(
            "packed plain text", vendor, ask, "gzip, called text/plain, and right", packed(good), taken
        )


def _marked(good: bytes, value: bytes) -> Sent:
    return Sent(good.replace(f'"{MARK}"'.encode(), value))
