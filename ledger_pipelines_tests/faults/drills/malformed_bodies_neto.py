"""Answers of Neto that are not as they should be: lists of orders, new products, quantities; and the verdicts.

Belongs here: neto.md 3 and 4 gone wrong; a refusal comes with 200. Does not belong here: carrying them out
(`malformed_answers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ledger_pipelines.documents.effects import (
    Confirmed,
    CredentialsRefused,
    Exists,
    NotSent,
    Refused,
    Unknown,
)
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, DataError, PermanentError, TransientError
from ledger_pipelines_tests.faults.drills.malformed_bodies import (
    Ask,
    BodyItem,
    EndsAs,
    ReadAs,
    RefusedAs,
    Sent,
    Vendor,
    Verdict,
)
from ledger_pipelines_tests.faults.drills.malformed_bodies_any import MARK, items
from ledger_pipelines_tests.faults.drills.malformed_scenes import encoded

_NOT_JSON: Final = RefusedAs(TransientError, "cannot be read")
_CUT: Final = RefusedAs(TransientError, "cut short")
_EMPTY: Final = RefusedAs(TransientError, "an empty answer")
_MOVED: Final = RefusedAs(TransientError, "another address")
_PAGE: Final = RefusedAs(TransientError, 'a web page titled "Maintenance"')
_NO_ACK: Final = RefusedAs(TransientError, "has no Ack")
_NO_WORDS: Final = RefusedAs(TransientError, "no JSON")
_GAVE_UP: Final = RefusedAs(TransientError, "Gave up after 6 attempts")
_READING: Final[Mapping[str, Verdict]] = {
    "web page": _PAGE, "web page called JSON": _PAGE, "empty": _EMPTY, "blanks": _EMPTY, "moved": _MOVED,
    "moved for good": _MOVED, "cut": _CUT, "cut in a text": _CUT, "text": _NO_ACK, "number": _NO_ACK, "plain words": _NO_WORDS,
    "UTF-16": _NO_WORDS, "byte order mark": _NO_WORDS, "no gzip": _GAVE_UP, "half a gzip": _CUT,
    "moved nowhere": _GAVE_UP, "retry in the year 9999": _GAVE_UP,
}  # fmt: skip
_UNKNOWN: Final = EndsAs((Unknown,), "It does not tell what was written")
_CUT_OFF: Final = EndsAs((Unknown,), "may have been applied")
_WIRE: Final[Mapping[str, EndsAs]] = {"no gzip": _CUT_OFF, "moved nowhere": _CUT_OFF}


def corpus() -> Iterator[BodyItem]:
    """All of Neto's."""
    yield from items(Vendor.NETO, Ask.LIST, _orders(_order(GrandTotal=MARK)), _NOT_JSON, _READING,
        taken=ReadAs(("N1",), ("10.00",)))  # fmt: skip
    yield from _shapes()
    yield from _records()
    yield from items(Vendor.NETO, Ask.WRITE, _done({"SKU": "TEA", "InventoryID": MARK}), _UNKNOWN, _WIRE,
        taken=EndsAs((Confirmed,), ""))  # fmt: skip
    yield from _written()
    yield from _several()


# --- lists -----------------------------------------------------------------------------------------------------------


def _order(**more: Json) -> dict[str, Json]:
    """One order of the day."""
    return {
        "OrderID": "N1",
        "DatePlaced": "2026-09-15 10:00:00",
        "DateUpdated": "2026-09-15 11:00:00",
        "GrandTotal": "10.00",
        **more,
    }


def _orders(*orders: Json, ack: Json = "Success", **more: Json) -> bytes:
    return encoded({"Order": list(orders), "CurrentTime": "2026-09-20 12:00:00", "Ack": ack, **more})


def _list(name: str, what: str, body: bytes, verdict: Verdict, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.NETO, Ask.LIST, what, Sent(body, status), verdict)


def _messages(kind: str, *texts: str) -> Json:
    return {kind: [{"Message": text, "SeverityCode": kind} for text in texts]}


def _shapes() -> Iterator[BodyItem]:
    read, none = ReadAs(("N1",), ("10.00",)), ReadAs(())
    key = _messages("Error", "Invalid API Key")
    yield _list("list for an object", "the orders alone", encoded([_order()]), _NO_ACK)
    yield _list("null", "JSON null", b"null", _NO_ACK)
    yield _list("no Ack", "the orders without a word of how it went", encoded({"Order": [_order()]}), _NO_ACK)
    yield _list("Ack null", "null where a word belongs", _orders(_order(), ack=None), _NO_ACK)
    yield _list("Ack of its own", "a word that Neto does not have", _orders(_order(), ack="Partial"), _NO_ACK)
    yield _list("no Order", "success, and no list, not even an empty one", encoded({"Ack": "Success"}), RefusedAs(TransientError, "has no Order"))  # fmt: skip
    yield _list("a full page for ever", "100 orders, whatever page is asked for: nothing new is the end",
        _orders(*(_order(OrderID=f"N{n}") for n in range(101, 201))), ReadAs(tuple(f"N{n}" for n in range(101, 201))))  # fmt: skip
    yield _list("none", "an empty list: a day without orders", _orders(), none)
    yield _list(
        "Order empty text", "a text of no character is none", encoded({"Order": "", "Ack": "Success"}), none
    )
    yield _list("Order null", "null is none", encoded({"Order": None, "Ack": "Success"}), none)
    yield _list(
        "one bare",
        "an object where a list of one belongs",
        encoded({"Order": _order(), "Ack": "Success"}),
        read,
    )
    yield _list("wrapped", "all of it inside another object", encoded({"GetOrderResponse": {"Order": [_order()], "Ack": "Success"}}), read)  # fmt: skip
    yield _list(
        "orders of text",
        "texts where orders belong",
        _orders("N1"),
        RefusedAs(DataError, "is no object but str"),
    )
    yield _list(
        "lists in a list",
        "a list where an order belongs",
        _orders([_order()]),
        RefusedAs(DataError, "no object but list"),
    )
    yield _list("error with 200", "refused, in Neto's words", _orders(ack="Error", Messages=_messages("Error", "JSON Error")),
        RefusedAs(PermanentError, "JSON Error"))  # fmt: skip
    yield _list(
        "error with orders",
        "refused, though orders came",
        _orders(_order(), ack="Error"),
        RefusedAs(PermanentError, "no words"),
    )
    yield _list("error of a bare text", "messages that are a text", _orders(ack="Error", Messages="busy"), RefusedAs(PermanentError, "no words"))  # fmt: skip
    yield _list("messages nested", "lists in lists where messages belong", _orders(ack="Error", Messages=[[["busy"]]]),
        RefusedAs(PermanentError, "no words"))  # fmt: skip
    yield _list("bad key", "the one text for every refusal of a key", _orders(ack="Error", Messages=key),
        RefusedAs(CredentialError, "Invalid API Key"))  # fmt: skip
    yield _list("warning with orders", "the call ran, and warns", _orders(_order(), ack="Warning", Messages=_messages("Warning", "x")), read)  # fmt: skip
    yield _list(
        "time of nobody",
        "the store's clock says nothing that is a time",
        _orders(_order(), CurrentTime="soon"),
        read,
    )
    yield _list("204", "no content where a list is due", b"", _EMPTY, 204)
    yield _list("404", "not found, by a gateway", b"{}", RefusedAs(TransientError, "HTTP 404"), 404)
    yield _list(
        "403 of a gateway", "forbidden, by a gateway", b"{}", RefusedAs(TransientError, "HTTP 403"), 403
    )


def _records() -> Iterator[BodyItem]:
    read, no_total = ReadAs(("N1",), ("10.00",)), ReadAs(("N1",), ("",))
    not_number = ReadAs(("N1",), ("",), unread="GrandTotal")
    too_large, too_long = not_number, no_total
    yield _list(
        "id null",
        "an order without its number",
        _orders(_order(OrderID=None)),
        RefusedAs(DataError, "without OrderID"),
    )
    yield _list("id a number", "digits without quotes", _orders(_order(OrderID=7)), ReadAs(("7",)))
    yield _list(
        "id a list",
        "a list where a number belongs",
        _orders(_order(OrderID=["N1"])),
        RefusedAs(DataError, "OrderID"),
    )
    yield _list("id twice", "an order that comes twice", _orders(_order(), _order()), read)
    yield _list("id twice, changed", "the later change of two counts",
        _orders(_order(GrandTotal="12.00", DateUpdated="2026-09-15 11:30:00"), _order()), ReadAs(("N1",), ("12.00",)))  # fmt: skip
    yield _list(
        "never changed",
        "no time of change",
        _orders(_order(DateUpdated="")),
        ReadAs(("N1",), ("10.00",)),
    )
    yield _list("changed at nought", "a time of noughts is none", _orders(_order(DateUpdated="0000-00-00 00:00:00")),
        ReadAs(("N1",), ("10.00",)))  # fmt: skip
    yield _list("changed on no day", "the 45th of the 13th month", _orders(_order(DateUpdated="2026-13-45 11:00:00")),
        ReadAs(("N1",), ("10.00",), unread="2026-13-45"))  # fmt: skip
    yield _list("changed on another day", "a change the window was not asked for is of its own day",
        _orders(_order(DateUpdated="2026-08-01 11:00:00")), ReadAs(()))  # fmt: skip
    yield _list("amount NaN", "the text NaN", _orders(_order(GrandTotal="NaN")), not_number)
    yield _list("amount with a comma", "1,234.50", _orders(_order(GrandTotal="1,234.50")), not_number)
    yield _list("amount with an exponent", "the text 1e400", _orders(_order(GrandTotal="1e400")), not_number)
    yield _list(
        "amount in other digits", "Arabic-Indic digits", _orders(_order(GrandTotal="١٢.٣٤")), not_number
    )
    yield _list("amount true", "a flag where an amount belongs", _orders(_order(GrandTotal=True)), not_number)
    yield _list(
        "amount a list", "a list where an amount belongs", _orders(_order(GrandTotal=["10.00"])), not_number
    )
    yield _list(
        "amount of 30 digits",
        "more behind the point than are kept",
        _orders(_order(GrandTotal="0." + "3" * 30)),
        too_long,
    )
    yield _list(
        "amount too large", "40 digits before the point", _orders(_order(GrandTotal="9" * 40)), too_large
    )
    yield _list("amount an object", "an empty object is none", _orders(_order(GrandTotal={})), no_total)
    yield _list("amount null", "null is none", _orders(_order(GrandTotal=None)), no_total)
    yield _list("escaped NUL", "a zero character, escaped", _orders(_order(Email="a\x00b")), read)


# --- writes ----------------------------------------------------------------------------------------------------------


def _done(*listed: Json, ack: Json = "Success", **more: Json) -> bytes:
    return encoded({"Item": list(listed), "CurrentTime": "2026-09-20 12:00:00", "Ack": ack, **more})


def _wrote(ask: Ask, name: str, what: str, body: bytes, verdict: EndsAs, status: int = 200) -> BodyItem:
    return BodyItem(name, Vendor.NETO, ask, what, Sent(body, status), verdict)


def _written() -> Iterator[BodyItem]:
    silent = EndsAs((Unknown,), "did not say what became of TEA")
    both = EndsAs((Unknown,), "nothing was done")
    tea: Json = {"SKU": "TEA", "InventoryID": "2060"}
    told: list[tuple[str, str, bytes, EndsAs]] = [
        ("nothing listed", "success, and no product", _done(), silent),
        ("no Item", "success, and no list", encoded({"Ack": "Success"}), silent),
        ("another listed", "success for another product", _done({"SKU": "POT"}), silent),
        ("spelt otherwise", "success for a name in another case", _done({"SKU": "Tea"}), silent),
        ("listed in a list", "a list in the list", _done(["TEA"]), silent),
        ("listed as a text", "the name alone", encoded({"Item": "TEA", "Ack": "Success"}), EndsAs((Confirmed,), "")),
        ("no Ack", "the product listed, without a word of how it went", encoded({"Item": [tea]}), _UNKNOWN),
        ("Ack null", "the product listed, and null", _done(tea, ack=None), _UNKNOWN),
        ("error and listed", "refused and listed as done: one of both is wrong", _done(tea, ack="Error"), both),
        ("error without words", "refused, and not why", _done(ack="Error"), EndsAs((Refused,), "no words")),
        ("bad key", "the key is refused", _done(ack="Error", Messages=_messages("Error", "Invalid API Key")), EndsAs((CredentialsRefused,), "Invalid API Key")),
        ("exists", "a warning that there is one", _done(ack="Warning", Messages=_messages("Warning", "SKU TEA already exists")), EndsAs((Exists,), "already exists")),
        ("warned of and not listed", "refused by a warning", _done(ack="Warning", Messages=_messages("Warning", "TEA: no name")), EndsAs((Refused,), "no name")),
    ]  # fmt: skip
    yield from (_wrote(Ask.WRITE, *one) for one in told)
    yield _wrote(
        Ask.WRITE, "500 with success", "an error of the server around a success", _done(tea), _UNKNOWN, 500
    )
    yield _wrote(
        Ask.WRITE, "403", "forbidden, no page", b"{}", EndsAs((CredentialsRefused,), "HTTP 403"), 403
    )
    yield _wrote(Ask.WRITE, "page with 403", "a firewall's page", b"<html>blocked</html>", _UNKNOWN, 403)
    yield _wrote(
        Ask.WRITE,
        "page with 429",
        "too many calls",
        b"<html>slow</html>",
        EndsAs((NotSent,), "slow down"),
        429,
    )
    yield _wrote(Ask.WRITE, "204", "no content where the product is due", b"", _UNKNOWN, 204)


def _several() -> Iterator[BodyItem]:
    tea, pot = {"SKU": "TEA"}, {"SKU": "POT"}
    pot_refused = _messages("Warning", "Cannot add POT")
    warehouse = _messages("Warning", "Cannot find Warehouse 3")
    told: list[tuple[str, str, bytes, EndsAs]] = [
        ("fewer than sent", "of two products one is listed", _done(dict(tea)), EndsAs((Confirmed, Unknown), "became of POT")),
        ("in another order", "both, the second first", _done(dict(pot), dict(tea)), EndsAs((Confirmed, Confirmed), "")),
        ("one twice", "one of both, twice", _done(dict(tea), dict(tea)), EndsAs((Confirmed, Unknown), "became of POT")),
        ("more than sent", "both, and one nobody asked for", _done(dict(tea), dict(pot), {"SKU": "CUP"}), EndsAs((Confirmed, Confirmed), "")),
        ("one refused", "a warning names one", _done(dict(tea), ack="Warning", Messages=pot_refused), EndsAs((Confirmed, Refused), "Cannot add POT")),
        ("web page", "a page: nothing is known of either", b"<html>down</html>", EndsAs((Unknown, Unknown), "web page")),
        ("error and listed", "refused and listed", _done(dict(tea), ack="Error"), EndsAs((Unknown, Unknown), "nothing was done")),
        ("refused whole", "nothing was done, so each is sent alone, and refused alone", _done(ack="Error", Messages=_messages("Error", "No name")),
            EndsAs((Refused, Refused), "No name", calls=3)),
    ]  # fmt: skip
    yield from (_wrote(Ask.BATCH, *one) for one in told)
    yield _wrote(Ask.SECOND, "listed and warned", "the product is listed, its warehouse was not found",
        _done(dict(tea), ack="Warning", Messages=warehouse), EndsAs((Unknown,), "Warehouse 3"))  # fmt: skip
    yield _wrote(Ask.SECOND, "nothing listed", "success, and an empty text", encoded({"Item": "", "Ack": "Success"}),
        EndsAs((Unknown,), "became of TEA"))  # fmt: skip
    yield _wrote(Ask.SECOND, "cut", "half an answer", _done(dict(tea))[:-4], EndsAs((Unknown,), "cut short"))
