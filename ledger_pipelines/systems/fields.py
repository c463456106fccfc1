"""Reading one record of a vendor's field by field: texts, numbers, flags, days, instants, each with the record's name at hand.

Belongs here: what is alike for vendors that answer in plain JSON objects. Does not belong here: which field means what
(`systems/<vendor>/records.py`). A value that does not fit its field is refused with its record's name, never guessed.

Instants are UTC, whatever suffix they came with or without; business dates are never shifted. Numbers are exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.entities import Cell, Kind, beside, is_too_large

Record = Mapping[str, Json]
"""A record as decoded: fractions are Decimals."""

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)
"""As JSON and people write numbers; Decimal would take more: underscores, the digits of other scripts, NaN."""
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII | re.DOTALL)


def instant(text: str) -> datetime:
    """A UTC instant as vendors print it: without suffix (means UTC), with `Z` or an offset; 0 to 7 digits of a second.

    Digits beyond the microsecond are cut, never rounded, so that no instant moves into the next window.

    Raises:
        ValueError: the text is none.
    """
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no instant")
    day, clock, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(
        microsecond=int((fraction or "")[:6].ljust(6, "0")), tzinfo=UTC
    )
    if zone is None or zone in "Zz":
        return moment
    try:
        offset = datetime.strptime(zone.replace(":", ""), "%z").tzinfo
        return moment.replace(tzinfo=offset).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is no instant") from None


def business_day(text: str) -> date:
    """A date of the vendor's calendar: `2025-05-02T00:00:00` is 2 May wherever one stands. Raises ValueError."""
    found = _DAY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no date")
    return date.fromisoformat(found[1])


class Fields:
    """The fields of one record, read with its name at hand. A vendor gives `system` and `ids`.

    Args:
        record: As decoded.
        what: Kind of record, for people ("item").
        labels: Fields whose values people know it by, best first.
    """

    system: ClassVar[str] = ""
    """Whose record it is, for people."""
    ids: ClassVar[tuple[str, ...]] = ("id",)
    """Fields that may hold its id, best first."""

    def __init__(self, record: Record, what: str, *labels: str) -> None:
        self._record, self._what, self._labels = record, what, labels

    def value(self, name: str) -> Json:
        """A field as it is; None for none."""
        return self._record.get(name)

    @property
    def title(self) -> str:
        """The record's name for people: `Saasu item TEA-1 (id 301455)`."""
        key = next((str(found) for name in self.ids if (found := self.value(name))), "")
        named = next((str(found) for label in self._labels if (found := self.value(label))), "")
        parts = (f"{self.system} {self._what}".strip(), named, f"(id {key})" if key else "")
        return " ".join(part for part in parts if part)

    def refused(self, name: str, why: str) -> DataError:
        """What to raise for a value that does not fit."""
        value = self.value(name)
        shown = repr(value)[:80] if isinstance(value, str) else str(value)[:80]
        return DataError(
            f"{self.title}: {name} is {shown}, {why}.",
            remedy=f"Look at the record in {self.system}; if it is as it should be there, tell the makers.",
            code="unexpected-value",
        )

    def text(self, name: str) -> str:
        """A text, or a number's digits; "" for none."""
        value = self.value(name)
        if value is None:
            return ""
        if isinstance(value, bool | list | dict):
            raise self.refused(name, "which is no text")
        return str(value)

    def key(self, name: str) -> str:
        """An id that must be there."""
        value = self.text(name).strip()
        if not value:
            raise DataError(
                f"{self.title} has no {name}.",
                remedy=f"Look at the record in {self.system}; if it is as it should be there, tell the makers.",
                code="unexpected-value",
            )
        return value

    def number(self, name: str) -> Decimal | None:
        """An exact number; None for none."""
        value = self.value(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool | list | dict):
            raise self.refused(name, "which is no number")
        told = str(value).strip()
        if not _NUMBER.fullmatch(told):
            raise self.refused(name, "which is no number")
        found = Decimal(told)
        if is_too_large(found):
            raise self.refused(name, "which is too large a number")
        return found

    def amount(self, name: str) -> Decimal:
        """A number that must be there."""
        found = self.number(name)
        if found is None:
            raise self.refused(name, "where an amount belongs")
        return found

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        """True or false; `otherwise` for none."""
        found = self.maybe(name)
        return otherwise if found is None else found

    def maybe(self, name: str) -> bool | None:
        """True or false, None for none."""
        value = self.value(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return value
        told = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        if told is None:
            raise self.refused(name, "which is neither true nor false")
        return told

    def day(self, name: str) -> date | None:
        """A business date; None for none."""
        value = self.text(name)
        try:
            return business_day(value) if value else None
        except ValueError:
            raise self.refused(name, "which is no date") from None

    def instant(self, name: str) -> datetime | None:
        """An instant, UTC; None for none."""
        value = self.text(name)
        try:
            return instant(value) if value else None
        except ValueError:
            raise self.refused(name, "which is no point of time") from None

    def needed_day(self, name: str) -> date:
        """A business date that must be there."""
        found = self.day(name)
        if found is None:
            raise self.refused(name, "where a date belongs")
        return found

    def column(self, kind: Kind, name: str, *, key: bool, needed: bool = False) -> Cell:
        """A field as a value beside its record (`entities.beside`). key: of the key; needed: the record cannot be placed without."""
        if key or needed:
            return self.cell(kind, name, key=key)
        return beside(kind, lambda: self.cell(kind, name))

    def cell(self, kind: Kind, name: str, *, key: bool = False) -> Cell:
        """A field as a value of a snapshot; None for none. key: it must be there."""
        match kind:
            case Kind.NUMBER:
                return self.number(name)
            case Kind.DAY:
                return self.day(name)
            case Kind.INSTANT:
                return self.instant(name)
            case Kind.FLAG:
                return self.maybe(name)
            case _:
                return self.key(name) if key else self.text(name) or None
