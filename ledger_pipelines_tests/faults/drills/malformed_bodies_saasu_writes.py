"""Answers of Saasu to writes that are not as they should be: new invoices, new contacts; and the verdicts.

Belongs here: saasu.md 3 and 4.2 gone wrong; an error is a bare text or a JSON one. Does not belong here: answers to reads
(`malformed_bodies_saasu`), carrying them out (`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger_pipelines.documents.effects import (
    Confirmed,
    CredentialsRefused,
    Exists,
    NotSent,
    Refused,
    Unknown,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies import (
    Ask,
    BodyItem,
    EndsAs,
    Sent,
    Vendor,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies_any import MARK, items
from ledger_pipelines_tests.faults.drills.malformed_scenes import encoded

_UNKNOWN: Final = EndsAs((Unknown,), "HTTP")
_CUT_OFF: Final = EndsAs((Unknown,), "may have been applied")


def corpus() -> Iterator[BodyItem]:
    """All of Saasu's answers to writes."""
    yield from items(Vendor.SAASU, Ask.WRITE, encoded({"InsertedEntityId": 900, "LastUpdatedId": MARK}), _UNKNOWN,
        {"no gzip": _CUT_OFF, "moved nowhere": _CUT_OFF}, taken=EndsAs((Confirmed,), ""))  # fmt: skip
    yield from _invoices()
    yield from _contacts()


def _invoice(
    name: str, what: str, body: bytes, verdict: EndsAs, status: int = 200, ask: Ask = Ask.WRITE
) -> BodyItem:
    return BodyItem(name, Vendor.SAASU, ask, what, Sent(body, status), verdict)


def _invoices() -> Iterator[BodyItem]:
    no_id = EndsAs((Unknown,), "without the new record's id")
    stock = b"Unable to complete the requested operation as it will cause negative stock-on-hand for TEA"
    refused = EndsAs((Refused,), "negative stock")
    blocked = EndsAs((NotSent,), "throttled or blocked")
    told: list[tuple[str, str, bytes, EndsAs, int]] = [
        ("id nought", "0 is no record", encoded({"InsertedEntityId": 0}), no_id, 200),
        ("id null", "null where the id belongs", encoded({"InsertedEntityId": None}), no_id, 200),
        ("id true", "a flag where the id belongs", encoded({"InsertedEntityId": True}), no_id, 200),
        ("id of words", "a text that is no number", encoded({"InsertedEntityId": "new"}), no_id, 200),
        ("id in other digits", "Arabic-Indic digits", encoded({"InsertedEntityId": "٩٠٠"}), no_id, 200),
        ("id of another kind", "the id of a contact", encoded({"InsertedContactId": 900}), no_id, 200),
        ("id a text", "digits as a text", encoded({"InsertedEntityId": "900"}), EndsAs((Confirmed,), ""), 200),
        ("number a list", "a generated number that is none", encoded({"InsertedEntityId": 900, "GeneratedInvoiceNumber": ["x"]}), EndsAs((Confirmed,), ""), 200),
        ("list for an object", "a list with the answer", encoded([{"InsertedEntityId": 900}]), no_id, 200),
        ("null", "JSON null", b"null", no_id, 200),
        ("204", "no content where the id is due", b"", no_id, 204),
        ("error with 200", "an error's sentence as a success", b'"Invoice number already used."', no_id, 200),
        ("error as text", "400, bare text", stock, refused, 400),
        ("error as JSON text", "400, a JSON text", b'"' + stock + b'"', refused, 400),
        ("error as an object", "400, an object", encoded({"Message": stock.decode()}), refused, 400),
        ("error with a parameter's name", "400, .NET's own line behind it", stock + b"\r\nParameter name: InventoryUid\r\n", refused, 400),
        ("error in Latin-1", "400 that is not UTF-8: refused all the same", b"Prix n\xe9gatif", EndsAs((Refused,), "Prix n"), 400),
        ("error nested", "400 and 100,000 lists in each other: refused, its words cut", b"[" * 100_000, EndsAs((Refused,), "saasu-refused"), 400),
        ("error without words", "400 and nothing", b"", EndsAs((Refused,), "HTTP 400"), 400),
        ("number used", "400: there is such a number", b'"Invoice number already used."', EndsAs((Exists,), "already used"), 400),
        ("stale", "400: changed since last read", b'"Record to be updated has changed since last read."', EndsAs((NotSent,), "read again"), 400),
        ("page with 400", "a gateway's page", b"<html>bad request</html>", _UNKNOWN, 400),
        ("page with 403", "a firewall's page", b"<html>blocked</html>", _UNKNOWN, 403),
        ("403 without a word", "blocked, as far as is known", b"", blocked, 403),
        ("403 of the plan", "a feature that the plan does not have", b'"Your subscription does not include this."', EndsAs((Refused,), "feature-missing"), 403),
        ("503 of limits", "a limit's words: not carried out", b"Too many requests", blocked, 503),
        ("503 of nobody", "it may have been carried out", b"busy", _UNKNOWN, 503),
        ("500 with an id", "an error of the server around a success", encoded({"InsertedEntityId": 900}), _UNKNOWN, 500),
        ("401 without a word", "the login is refused", b"", EndsAs((CredentialsRefused,), "401"), 401),
    ]  # fmt: skip
    yield from (_invoice(*one) for one in told)


def _contacts() -> Iterator[BodyItem]:
    told: list[tuple[str, str, bytes, EndsAs, int]] = [
        ("right", "the id under its own name", encoded({"InsertedContactId": 900}), EndsAs((Confirmed,), ""), 200),
        ("id of another kind", "the id of an invoice", encoded({"InsertedEntityId": 900}), EndsAs((Unknown,), "record's id"), 200),
        ("cut", "half an answer", b'{"InsertedContactId":900', EndsAs((Unknown,), "record's id"), 200),
        ("exists", "400: there is such a contact", b'"You already have a contact with this id."', EndsAs((Exists,), "already have"), 400),
    ]  # fmt: skip
    yield from (_invoice(*one, ask=Ask.SECOND) for one in told)
