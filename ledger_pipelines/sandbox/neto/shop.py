"""What every action of a Neto store works with: the store's records, its clock and zone, filters and selectors.

Belongs here: reading filters, pages, selected fields. Does not belong here: any entity's rules.
Source: neto.md 3.1, 4.3, 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.settings import Settings
from ledger_pipelines.sandbox.neto.shapes import as_list
from ledger_pipelines.sandbox.neto.store import Row, Store, stamp

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class NetoError(Exception):
    """The call cannot be done: `Ack: Error` with this text."""


@dataclass
class Shop:
    """One store."""

    store: Store
    clock: SandboxClock
    _settings: Settings | None = field(default=None)
    at: datetime | None = field(default=None)
    """While a seed is made: the instant it pretends to be, naive UTC."""

    def now(self) -> datetime:
        """The present instant, naive UTC."""
        if self.at is not None:
            return self.at
        return self.clock.now().astimezone(UTC).replace(tzinfo=None, microsecond=0)

    @property
    def settings(self) -> Settings:
        """The switches in force."""
        if self._settings is None:
            kept = self.store.setting("settings")
            self._settings = Settings() if kept is None else Settings.model_validate(kept)
        return self._settings

    def change_settings(self, changes: Document) -> Settings:
        """Change switches. Raises pydantic.ValidationError."""
        changed = Settings.model_validate(self.settings.model_dump(mode="json") | changes)
        with self.store.transaction():
            self.store.put_setting("settings", changed.model_dump(mode="json"))
        self._settings = changed
        return changed

    def reload(self) -> None:
        """Forget what was remembered of the store."""
        self._settings = None

    @property
    def zone(self) -> ZoneInfo:
        """The store's time zone."""
        return ZoneInfo(self.settings.time_zone)

    def local(self, kept: str) -> datetime:
        """An instant as kept (UTC), in the store's zone, naive."""
        told = datetime.strptime(kept, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return told.astimezone(self.zone).replace(tzinfo=None)

    def tax_rate(self) -> Decimal:
        """The default tax as a fraction."""
        return Decimal(self.settings.tax_percent) / 100


@dataclass(frozen=True, slots=True)
class Filter:
    """A read request's filter. Raises NetoError for what cannot be read."""

    fields: Document

    @classmethod
    def of(cls, sent: object) -> Filter:
        """Out of a body `{"Filter": {...}}`."""
        told = sent.get("Filter") if isinstance(sent, dict) else None
        if not isinstance(told, dict):
            raise NetoError("Filter is required.")
        return cls(told)

    @property
    def selected(self) -> frozenset[str]:
        """The output selectors."""
        return frozenset(str(one) for one in as_list(self.fields.get("OutputSelector")))

    def texts(self, name: str) -> list[str] | None:
        """A filter's values; None when it is absent."""
        if name not in self.fields:
            return None
        told = self.fields[name]
        return [""] if told == "" else [_text(one) for one in as_list(told)]

    def flags(self, name: str) -> set[bool] | None:
        """A boolean filter's values; None when it is absent."""
        told = self.texts(name)
        return None if told is None else {flag(one) for one in told}

    def instants(self, name: str) -> tuple[str | None, str | None]:
        """`NameFrom` and `NameTo` as kept text, inclusive; a day alone begins or ends with itself."""
        first, last = (self.fields.get(f"{name}{end}") for end in ("From", "To"))
        return (
            None if not first else instant(str(first), end=False),
            None if not last else instant(str(last), end=True),
        )

    @property
    def has_criteria(self) -> bool:
        """Whether anything but page and selectors is asked for."""
        return bool(
            set(self.fields)
            - {"Page", "Limit", "OutputSelector", "OrderBy", "OrderDirection", "UpdateResults"}
        )

    def page(self, found: Sequence[Row], settings: Settings) -> Sequence[Row]:
        """The page (from 0) of what was found; all without a limit."""
        limit = _integer(self.fields.get("Limit"), 0)
        number = _integer(self.fields.get("Page"), 0)
        if limit <= 0:
            return found if number == 0 else ()
        if settings.short_pages and limit > 2:
            limit -= limit // 3
        return found[number * limit : (number + 1) * limit]


Test = Callable[[Row], bool]


def chosen(rows: Iterable[Row], tests: Sequence[Test]) -> list[Row]:
    """The rows for which all tests hold."""
    return [row for row in rows if all(test(row) for test in tests)]


def among(values: Sequence[str] | None, read: Callable[[Row], object], *, fold: bool = False) -> list[Test]:
    """A test that a field is one of the values; none when the filter is absent."""
    if values is None:
        return []
    known = {value.casefold() if fold else value for value in values}

    def test(row: Row) -> bool:
        told = _text(read(row))
        return (told.casefold() if fold else told) in known

    return [test]


def field_of(name: str) -> Callable[[Row], object]:
    """Reads one field of a record."""
    return lambda row: row.body.get(name)


def flagged(values: set[bool] | None, name: str) -> list[Test]:
    """A test that a boolean field is one of the values; none when the filter is absent."""
    return [] if values is None else [lambda row: bool(row.body[name]) in values]


def between(bounds: tuple[str | None, str | None], read: Callable[[Row], object]) -> list[Test]:
    """A test that an instant lies within bounds, both inclusive; blank never does."""
    first, last = bounds
    if first is None and last is None:
        return []

    def test(row: Row) -> bool:
        told = _text(read(row))
        return bool(told) and (first is None or told >= first) and (last is None or told <= last)

    return [test]


def pick(body: Mapping[str, object], selected: frozenset[str], keys: Sequence[str]) -> Document:
    """The selected fields and the keys."""
    return {name: value for name, value in body.items() if name in selected or name in keys}


def instant(told: str, *, end: bool) -> str:
    """A filter's date or instant as kept text. Raises NetoError."""
    value = told.strip()
    if _DAY.fullmatch(value):
        return f"{value} {'23:59:59' if end else '00:00:00'}"
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise NetoError(f"Invalid date: {told}") from None
    return stamp(found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found)


def day(told: object) -> str:
    """`YYYY-MM-DD` out of a date or an instant's text. Raises NetoError."""
    try:
        return date.fromisoformat(str(told).strip()[:10]).isoformat()
    except ValueError:
        raise NetoError(f"Invalid date: {told}") from None


def flag(told: object) -> bool:
    """A boolean however it is written."""
    return str(told).strip().lower() in ("true", "1", "y", "yes")


def decimal(told: object, name: str = "Amount") -> Decimal:
    """A number out of text or number; blank is zero. Raises NetoError."""
    if told in (None, ""):
        return Decimal(0)
    try:
        found = Decimal(str(told))
    except InvalidOperation:
        raise NetoError(f"{name} is not a number: {told}") from None
    if not found.is_finite():
        raise NetoError(f"{name} is not a number: {told}")
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    return "" if value is None else str(value)


def _integer(value: object, otherwise: int) -> int:
    try:
        return otherwise if value in (None, "") else int(str(value))
    except ValueError:
        raise NetoError(f"Not a number: {value}") from None
