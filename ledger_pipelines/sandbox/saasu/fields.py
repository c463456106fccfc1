"""Binding what was sent to the fields a resource has, the way .NET binds it.

Belongs here: kinds of field, their limits, what a missing one becomes. Does not belong here: rules between fields.
Source: saasu.md 4.3: unknown fields are ignored, a missing one binds as null, a missing boolean as false.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import SaasuError


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    MAYBE = "flag or null"
    DATE = "date"
    LIST = "list"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Field:
    """One writable field. longest: most characters. initial: what a POST that leaves it out gets."""

    kind: Kind
    longest: int | None = None
    initial: object = None


TEXT, NUMBER, INTEGER = Field(Kind.TEXT), Field(Kind.NUMBER), Field(Kind.INTEGER)
FLAG, MAYBE, DATE, LIST, OBJECT = (
    Field(Kind.FLAG), Field(Kind.MAYBE), Field(Kind.DATE), Field(Kind.LIST), Field(Kind.OBJECT),
)  # fmt: skip
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?")
_TRUE, _FALSE = frozenset({"1", "true", "yes"}), frozenset({"0", "false", "no"})


def text(longest: int) -> Field:
    """A text of at most so many characters."""
    return Field(Kind.TEXT, longest)


def bind(spec: Mapping[str, Field], sent: object) -> Document:
    """The fields of `spec` out of a body. Raises SaasuError (400) for a value of the wrong kind or too long."""
    if not isinstance(sent, dict):
        raise SaasuError("The request is invalid.")
    return {name: _bound(name, field, sent.get(name)) for name, field in spec.items()}


def bind_new(spec: Mapping[str, Field], sent: object) -> Document:
    """The same for a new record: initial values for what is left out."""
    bound = bind(spec, sent)
    for name, field in spec.items():
        if bound[name] is None and field.initial is not None:
            bound[name] = field.initial
    return bound


def _bound(name: str, field: Field, value: object) -> object:
    if value is None:
        return False if field.kind is Kind.FLAG else None
    try:
        return _READ[field.kind](name, field, value)
    except (TypeError, ValueError, InvalidOperation) as error:
        raise SaasuError(f"The request is invalid. {name}: {error}") from error


def _text(name: str, field: Field, value: object) -> str:
    if isinstance(value, dict | list):
        raise TypeError("a text was expected")
    told = str(value).lower() if isinstance(value, bool) else str(value)
    if field.longest is not None and len(told) > field.longest:
        raise SaasuError(f"The {_words(name)} must not exceed {field.longest} characters.")
    return told


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", name).lower()


def _number(name: str, field: Field, value: object) -> Decimal:
    del name, field
    if isinstance(value, bool | dict | list):
        raise TypeError("a number was expected")
    found = Decimal(str(value))
    if not found.is_finite():
        raise ValueError("a number was expected")
    return found


def _integer(name: str, field: Field, value: object) -> int:
    number = _number(name, field, value)
    if number != number.to_integral_value() or abs(number) >= 2**31:
        raise ValueError("a whole number of 32 bits was expected")
    return int(number)


def _flag(name: str, field: Field, value: object) -> bool:
    del name, field
    if isinstance(value, bool):
        return value
    if str(value).lower() in _TRUE:
        return True
    if str(value).lower() in _FALSE:
        return False
    raise ValueError("true or false was expected")


def _date(name: str, field: Field, value: object) -> str:
    del name, field
    return f"{day(value).isoformat()}T00:00:00"


def _list(name: str, field: Field, value: object) -> list[object]:
    del name, field
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value


def _object(name: str, field: Field, value: object) -> Document:
    del name, field
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return value


_READ = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.FLAG: _flag,
    Kind.MAYBE: _flag,
    Kind.DATE: _date,
    Kind.LIST: _list,
    Kind.OBJECT: _object,
}


def day(value: object) -> date:
    """A calendar date out of `YYYY-MM-DD` or an ISO instant (its own day, never shifted). Raises ValueError."""
    found = _DATE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is no date")
    return date.fromisoformat(found[1])


def instant(value: str) -> datetime:
    """An instant of a query, as naive UTC: ISO 8601, `yyyy-MM-dd HH:mm:ssZ`, or a date. Raises ValueError."""
    told = (
        value.strip().replace(" ", "T", 1)
        if re.match(r"\d{4}-\d{2}-\d{2} \d", value.strip())
        else value.strip()
    )
    told = re.sub(r"(\.\d{6})\d+", r"\1", told).replace("Z", "+00:00")
    found = datetime.fromisoformat(told)
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    return found


def flag_of(value: str) -> bool:
    """A boolean of a query: `1|0|true|false|yes|no`. Raises SaasuError."""
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise SaasuError(f"The value '{value}' is not valid.")
