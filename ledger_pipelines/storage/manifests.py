"""The manifest of one day of one entity: what was fetched, when, over which window, and what its columns were.

Belongs here: the manifest, its text form, what changed in the columns. Does not belong here: rows (`snapshots`).
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import pyarrow as pa

FILE = "manifest.json"
METADATA_KEY = b"ledger_manifest"


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Columns that are not as they were declared, or not as they were the day before."""

    new: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()
    """(column, type before, type now)."""

    def __bool__(self) -> bool:
        return bool(self.new or self.missing or self.changed)

    def __str__(self) -> str:
        parts = [f"new: {', '.join(self.new)}"] if self.new else []
        parts += [f"missing: {', '.join(self.missing)}"] if self.missing else []
        parts += [f"{name} was {before}, is {now}" for name, before, now in self.changed]
        return "; ".join(parts) or "as declared"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one entity of one connection.

    Attributes:
        day: The partition, a date of the books.
        rows: Rows of the day; 0 is a day that was fetched and is empty.
        content_hash: SHA-256 over the rows in their order, and the columns.
        written_at: Instant, UTC.
        window_start: Instant from which was asked, inclusive. window_end: until when, exclusive. UTC.
        basis: What decides the day of a row (`lastmodifieddate`, `created`, `deposit_date`...).
        run_id: The run that wrote it.
        columns: (name, Arrow type) of the columns, in order.
        drift: What differs from the declared columns.
        read_until: Instant until which changes of the day are in it, UTC; None = not told.
    """

    connection: str
    entity: str
    day: date
    rows: int
    content_hash: str
    written_at: datetime
    window_start: datetime
    window_end: datetime
    basis: str
    run_id: str
    columns: tuple[tuple[str, str], ...]
    drift: Drift = Drift()
    read_until: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """Digest of the columns and their types, whatever their order."""
        text = "\n".join(sorted(f"{name}\t{kind}" for name, kind in self.columns))
        return hashlib.sha256(text.encode()).hexdigest()

    def encoded(self) -> bytes:
        """As JSON, for the file beside the data and for the data file itself."""
        return msgspec.json.encode(self)

    @classmethod
    def decoded(cls, raw: bytes) -> Manifest:
        """From `encoded`. Raises msgspec.ValidationError."""
        return msgspec.json.decode(raw, type=cls)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The columns of a day differ from those of the day before it."""

    day: date
    drift: Drift


def columns_of(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    """(name, type) of each column."""
    return tuple((field.name, str(field.type)) for field in schema)


def compare(before: tuple[tuple[str, str], ...], now: tuple[tuple[str, str], ...]) -> Drift:
    """What differs between two lists of columns."""
    old, new = dict(before), dict(now)
    return Drift(
        new=tuple(name for name, _ in now if name not in old),
        missing=tuple(name for name, _ in before if name not in new),
        changed=tuple((name, old[name], kind) for name, kind in now if name in old and old[name] != kind),
    )


def changes(manifests: list[Manifest]) -> list[SchemaChange]:
    """Each day whose columns differ from the day before, in order."""
    found = []
    for before, now in itertools.pairwise(manifests):
        drift = compare(before.columns, now.columns)
        if drift:
            found.append(SchemaChange(now.day, drift))
    return found
