"""The corpus of answers of the vendors' APIs: what each is, and the verdict it must get (reliability.md 1.3 and 4).

Belongs here: what an item is, the corpus of all vendors. Does not belong here: the items (`malformed_bodies_netsuite` and
its like), what every vendor may send (`malformed_bodies_any`), carrying them out (`malformed_answers`), files
(`malformed_files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger_pipelines.documents.effects import Ending
from ledger_pipelines.errors import LedgerError


class Vendor(StrEnum):
    """Whose answer it is; the value is how people call it."""

    NETSUITE = "NetSuite"
    NETO = "Neto"
    SAASU = "Saasu"
    CIN7 = "Cin7"


class Ask(StrEnum):
    """What is asked when the item comes in place of a good answer.

    LOGIN: a token, before a list is read. LOGIN_TO_WRITE: a token, before one record is written. LIST: a list of orders or
    invoices, for a day's snapshot. RECORD: one record by its id. WRITE: one new record. SECOND: one new record of another
    kind. BATCH: two new records in one call.
    """

    LOGIN = "login"
    LOGIN_TO_WRITE = "login to write"
    LIST = "list"
    RECORD = "record"
    WRITE = "write"
    SECOND = "second kind"
    BATCH = "batch"

    @property
    def writes(self) -> bool:
        """Whether endings come of it, and no rows."""
        return self in {Ask.LOGIN_TO_WRITE, Ask.WRITE, Ask.SECOND, Ask.BATCH}


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer as it goes over the wire. headers: besides `Content-Type: application/json`, which one of them replaces."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ReadAs:
    """The answer is taken: these records, by id, are what is stored of it, and nothing else. totals: their amounts, as text.

    unread: a word of the sentence in which a record of them is refused when it is read; "" = they are read, or nobody asks.
    """

    ids: tuple[str, ...]
    totals: tuple[str, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class RefusedAs:
    """The reading is refused with this error, whose sentence holds this word; what was stored before stays as it was."""

    error: type[LedgerError]
    word: str


@dataclass(frozen=True, slots=True)
class EndsAs:
    """What becomes of each record, in the order sent, a word of what is told of each, and how many writing calls were made.

    More than one call only where the vendor said that nothing of the first was done.
    """

    endings: tuple[type[Ending], ...]
    word: str
    calls: int = 1


Verdict = ReadAs | RefusedAs | EndsAs


@dataclass(frozen=True, slots=True)
class BodyItem:
    """One answer. what: in words. sent: what comes, each time it is asked for."""

    name: str
    vendor: Vendor
    ask: Ask
    what: str
    sent: Sent
    verdict: Verdict


def named(items: Iterable[BodyItem]) -> Mapping[str, BodyItem]:
    """By name, each with its vendor and what is asked before it. Raises ValueError: two have one name."""
    found: dict[str, BodyItem] = {}
    for item in items:
        name = f"{item.vendor} {item.ask}, {item.name}"
        if name in found:
            raise ValueError(f"two answers of the corpus are called {name!r}")
        found[name] = item
    return found
