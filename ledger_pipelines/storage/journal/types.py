"""Column types that keep instants in UTC and amounts exact on SQLite and PostgreSQL alike.

Belongs here: how a value is stored. Does not belong here: which columns there are (`models`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import TIMESTAMP, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger_pipelines.documents.money import from_plain, plain

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Instant(TypeDecorator[datetime]):
    """An instant in UTC: `timestamptz` on PostgreSQL, sortable ISO text with microseconds elsewhere.

    Raises:
        ValueError: for an instant without a zone.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """PostgreSQL has instants of its own."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Into the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone.")
        instant = value.astimezone(UTC)
        return instant if dialect.name == "postgresql" else instant.strftime(INSTANT_FORMAT)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - signature of SQLAlchemy
        """Out of the database, always in UTC."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return datetime.fromisoformat(value)


class ExactAmount(TypeDecorator[Decimal]):
    """An amount as plain decimal text: no database arithmetic, hence no rounding, ever."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - signature of SQLAlchemy
        """Into the database."""
        return None if value is None else plain(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - signature of SQLAlchemy
        """Out of the database."""
        return None if value is None else from_plain(value)
