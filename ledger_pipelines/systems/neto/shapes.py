"""Reading Neto's answers: every scalar is a text, collections collapse in several ways.

Belongs here: the one normaliser, and typed reads of a field. Does not belong here: what fields mean (`records`).
Facts: neto.md 4.1, 4.2. A value that does not fit its field is refused with its record's name, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.entities import is_too_large

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_INSTANT = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "y", "yes", "1"}), frozenset({"false", "n", "no", "0"})


def as_list(value: Json, inner: str = "") -> list[Json]:
    """One, several or none of something, however it was collapsed.

    Args:
        value: None, "", {} or [] for none; a bare value for one; a list; with `inner`, objects that hold them under
            that name, in lists or not.
        inner: Name of the element that wraps them, "" for none.
    """
    if value in (None, "", {}, []):
        return []
    if isinstance(value, dict) and inner and inner in value:
        return as_list(value[inner])
    if isinstance(value, list):
        return [
            part
            for one in value
            for part in (as_list(one, inner) if inner and isinstance(one, dict) and inner in one else [one])
        ]
    return [value]


@dataclass(frozen=True, slots=True)
class Fields:
    """One record of an answer, read field by field.

    Args:
        body: As it came.
        what: The record for people: "order N10234".
    """

    body: Mapping[str, Json]
    what: str

    @classmethod
    def of(cls, value: Json, what: str) -> Fields:
        """A record out of a decoded answer. Raises DataError when it is no object."""
        if not isinstance(value, dict):
            raise DataError(
                f"Neto's {what} is no object but {type(value).__name__}.",
                remedy="Report it to the makers, with the store's answer.",
                code="unexpected-shape",
            )
        return cls(value, what)

    def text(self, name: str) -> str:
        """A text; "" when it is absent."""
        value = self.body.get(name)
        if value is None or value == {}:
            return ""
        if isinstance(value, dict | list):
            raise self._wrong(name, value, "a text")
        if isinstance(value, bool):
            return "True" if value else "False"
        return str(value).strip()

    def number(self, name: str) -> Decimal | None:
        """A number; None when it is absent. Raises DataError."""
        told = self.text(name)
        if not told:
            return None
        if not _NUMBER.fullmatch(told) or is_too_large(found := Decimal(told)):
            raise self._wrong(name, told, "a number")
        return found

    def amount(self, name: str) -> Decimal:
        """A number; zero when it is absent. Raises DataError."""
        return self.number(name) or Decimal(0)

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """A boolean in any of its spellings. Raises DataError."""
        told = self.text(name).lower()
        if not told:
            return otherwise
        if told not in _TRUE | _FALSE:
            raise self._wrong(name, told, "True or False")
        return told in _TRUE

    def instant(self, name: str) -> datetime | None:
        """An instant, UTC; None when blank or zero. Raises DataError."""
        told = self.text(name)
        if not told or told.startswith("0000"):
            return None
        found = _INSTANT.fullmatch(told)
        if found is None:
            raise self._wrong(name, told, "a date and time")
        try:
            year, month, day, hour, minute, second = (int(part) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            raise self._wrong(name, told, "a date and time") from None

    def day(self, name: str) -> date | None:
        """A calendar day of the store; None when blank or zero. Raises DataError."""
        told = self.text(name)
        if not told or told.startswith("0000"):
            return None
        try:
            return date.fromisoformat(told[:10])
        except ValueError:
            raise self._wrong(name, told, "a date") from None

    def parts(self, name: str, inner: str = "", what: str = "") -> list[Fields]:
        """The objects of a collection."""
        return [
            Fields.of(one, what or f"{name} of {self.what}") for one in as_list(self.body.get(name), inner)
        ]

    def _wrong(self, name: str, value: object, wanted: str) -> DataError:
        return DataError(
            f"Neto's {self.what}: {name} is {str(value)[:60]!r}, not {wanted}.",
            remedy="Correct it in Neto, or report it to the makers if Neto shows it rightly.",
            code="unexpected-value",
        )
