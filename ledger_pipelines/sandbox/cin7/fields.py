"""Kinds of field, and binding what was sent to them, as the vendor's .NET does.

Belongs here: kinds, lengths, enums, dates; what null and "" mean. Does not belong here: which fields a resource has.
Source: cin7-omni.md 2 (unknown names ignored), 5 (formats; null leaves unchanged, "" clears).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from ledger_pipelines.sandbox.cin7.answers import ItemError
from ledger_pipelines.sandbox.cin7.store import stamp
from ledger_pipelines.sandbox.codec import Document


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    DATE = "date"
    ENUM = "enum"
    LIST = "list"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    longest: most characters. choices: names of an enum, the first of them being the integer `first`. written: whether
    a client may send it. initial: what a new record has that was not sent it.
    """

    kind: Kind
    longest: int | None = None
    choices: tuple[str, ...] = ()
    first: int = 0
    written: bool = True
    initial: object = None


Spec = Mapping[str, Field]
TEXT, NUMBER, INTEGER, FLAG, DATE, LIST, OBJECT = (
    Field(kind)
    for kind in (Kind.TEXT, Kind.NUMBER, Kind.INTEGER, Kind.FLAG, Kind.DATE, Kind.LIST, Kind.OBJECT)
)
SHORT, LONG = Field(Kind.TEXT, 50), Field(Kind.TEXT, 250)
AMOUNT, COUNT, OFF, ON = (
    Field(Kind.NUMBER, initial=Decimal(0)),
    Field(Kind.INTEGER, initial=0),
    Field(Kind.FLAG, initial=False),
    Field(Kind.FLAG, initial=True),
)
LARGEST_EXPONENT = 18
"""Of numbers and, in digits, of ids: as wide as the vendor's columns can be."""
_DATE = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,7}))?\s*(Z|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)


def read_only(field: Field) -> Field:
    """The same field, not to be sent."""
    return Field(field.kind, field.longest, field.choices, field.first, written=False, initial=field.initial)


def fields(field: Field, names: str) -> dict[str, Field]:
    """Several fields of one kind; names separated by spaces."""
    return dict.fromkeys(names.split(), field)


def bind(spec: Spec, sent: Document) -> Document:
    """What was sent for the fields a client may write, under their own names; null and unknown ones are left out.

    Raises ItemError with every fault found.
    """
    told = {str(name).lower(): value for name, value in sent.items()}
    bound: Document = {}
    errors: list[str] = []
    for name, field in spec.items():
        value = told.get(name.lower())
        if value is None or not field.written:
            continue
        try:
            bound[name] = read(field, value)
        except (TypeError, ValueError, InvalidOperation):
            errors.append(f"The value for {name} is invalid.")
            continue
        if field.longest is not None and len(str(bound[name] or "")) > field.longest:
            errors.append(f"{name} must not exceed {field.longest} characters.")
    if errors:
        raise ItemError(*errors)
    return bound


def initial(spec: Spec) -> Document:
    """A record to which nothing was sent."""
    made: Document = {}
    for name, field in spec.items():
        empty: object = [] if field.kind is Kind.LIST else {} if field.kind is Kind.OBJECT else None
        made[name] = empty if field.initial is None else field.initial
    return made


def read(field: Field, value: object) -> object:
    """One value; "" clears. Raises TypeError, ValueError or InvalidOperation."""
    if field.kind in (Kind.LIST, Kind.OBJECT):
        if not isinstance(value, list if field.kind is Kind.LIST else dict):
            raise TypeError(value)
        return value
    if isinstance(value, list | dict):
        raise TypeError(value)
    if value == "":
        return "" if field.kind is Kind.TEXT else field.initial
    return _READ[field.kind](field, value)


def _text(field: Field, value: object) -> str:
    del field
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: object) -> Decimal:
    """A finite decimal. Raises ValueError, InvalidOperation."""
    if isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004  read alike by callers
    found = Decimal(str(value))
    if not found.is_finite() or found.adjusted() > LARGEST_EXPONENT:
        raise ValueError(value)
    return found


def record_id(value: object) -> int | None:
    """An id as a client gives it, a number or its digits; None for what is none."""
    told = "" if isinstance(value, bool) else str(value)
    return int(told) if told.isascii() and told.isdecimal() and len(told) <= LARGEST_EXPONENT else None


def _integer(field: Field, value: object) -> int:
    del field
    found = number(value)
    if found != found.to_integral_value() or abs(found) >= 2**31:
        raise ValueError(value)
    return int(found)


def flag(value: object) -> bool:
    """A boolean: `true`, `1`, in any case. Raises ValueError."""
    told = str(value).lower()
    if told in ("true", "1"):
        return True
    if told in ("false", "0"):
        return False
    raise ValueError(value)


def choice(field: Field, value: object) -> str:
    """A name of the enum, from a name in any case or an integer. Raises ValueError."""
    told = str(value)
    if told.lstrip("-").isdigit():
        index = int(told) - field.first
        if not 0 <= index < len(field.choices):
            raise ValueError(value)
        return field.choices[index]
    for name in field.choices:
        if name.lower() == told.lower():
            return name
    raise ValueError(value)


def instant(value: object) -> str:
    """An instant as it is kept; no zone means UTC, no time means midnight. Raises ValueError."""
    found = _DATE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(value)
    day, minutes, seconds, fraction, zone = found.groups()
    text = f"{day}T{minutes or '00:00'}{seconds or ':00'}.{(fraction or '0')[:6].ljust(6, '0')}"
    offset = "+00:00" if (zone or "Z").upper() == "Z" else zone
    try:
        return stamp(datetime.fromisoformat(f"{text}{offset}").astimezone(UTC).replace(tzinfo=None))
    except OverflowError as error:
        raise ValueError(value) from error


_READ: Mapping[Kind, Callable[[Field, object], object]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: lambda _, value: number(value),
    Kind.INTEGER: _integer,
    Kind.FLAG: lambda _, value: flag(value),
    Kind.DATE: lambda _, value: instant(value),
    Kind.ENUM: choice,
}


def changed(spec: Spec, before: Document, bound: Document) -> Document:
    """A body with what was sent; of an object only the keys sent change."""
    objects = {
        name: before[name] | value
        for name, value in bound.items()
        if spec[name].kind is Kind.OBJECT and isinstance(before.get(name), dict)
    }
    return before | bound | objects


def shown_date(kept: object) -> object:
    """An instant on the wire: to the second, with `Z` (5)."""
    return None if kept is None or kept == "" else f"{str(kept)[:19]}Z"


def shown(spec: Spec, body: Document) -> Document:
    """A body on the wire, in the order of the fields."""
    return dict(_shown(spec, body))


def _shown(spec: Spec, body: Document) -> Iterator[tuple[str, object]]:
    for name, field in spec.items():
        value = body.get(name)
        yield name, shown_date(value) if field.kind is Kind.DATE else value
