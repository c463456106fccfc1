"""The journal's tables.

Belongs here: columns, keys, indexes. Does not belong here: queries (`effects`, `events`, ...), changes of an existing
journal (`migrations`: a column added here needs a migration there, and a test compares the two).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from ledger_pipelines.storage.journal.types import ExactAmount, Instant

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")

effects = Table(
    "effects",
    metadata,
    Column("key", String, primary_key=True),
    Column("connection", String, nullable=False),
    Column("integration", String, nullable=False),
    Column("flow", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("action", String, nullable=False),
    Column("external_id", String, nullable=False),
    Column("number", String, nullable=False),
    Column("title", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("body_hash", String, nullable=False),
    Column("expected_amount", ExactAmount),
    Column("expected_currency", String),
    Column("expected_day", Date),
    Column("expected_lines", Integer),
    Column("origin", String, nullable=False),
    Column("target_id", String, nullable=False),
    Column("depends_on", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("plan_digest", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("lease_owner", String),
    Column("lease_until", Instant),
    Column("not_before", Instant),
    Column("sent_at", Instant),
    Column("settle_from", Instant),
    Column("error_code", String),
    Column("error_text", Text),
    Column("error_remedy", Text),
    Column("remote_id", String),
    Column("remote_number", String),
    Column("adopted", Boolean, nullable=False),
    Column("held_from", String),
    Column("conflict", Text),
    Column("acted_by", String),
    Column("acted_why", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Index("effects_by_state", "connection", "state", "confirmed_at"),
    Index("effects_by_partition", "integration", "partition", "flow", "state"),
    Index("effects_by_number", "number"),
    Index("effects_by_external_id", "external_id"),
    Index("effects_by_remote_id", "remote_id"),
)

links = Table(
    "links",
    metadata,
    Column("connection", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("external_id", String, primary_key=True),
    Column("remote_id", String, nullable=False),
    Column("remote_number", String, nullable=False),
    Column("effect_key", String, nullable=False),
    Column("body_hash", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("voided", Boolean, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("links_by_remote_id", "connection", "kind", "remote_id"),
    Index("links_by_effect", "effect_key"),
)

events = Table(
    "events",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("what", String, nullable=False),
    Column("from_state", String, nullable=False),
    Column("to_state", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
    Index("events_by_subject", "subject", "seq"),
)

chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", _Id, nullable=False),
    Column("hash", String, nullable=False),
    Column("born_at", Instant, nullable=False),
)
"""One row: the end of the event log, and the instant the journal was born. Locking it serialises writers."""

parked = Table(
    "parked",
    metadata,
    Column("connection", String, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("try_again_at", Instant, nullable=False),
    Column("code", String, nullable=False),
    Column("text", Text, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("connection", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("settlement_id", String, nullable=False),
    Column("names", Text, nullable=False),
    Column("verdict", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Index("files_by_settlement", "connection", "settlement_id"),
)

applies = Table(
    "applies",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("connection", String, nullable=False),
    Column("integration", String, nullable=False),
    Column("flow", String, nullable=False),
    Column("partition", String, nullable=False),
    Column("plan_digest", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("who", String, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("summary", Text, nullable=False),
    Index("applies_by_partition", "integration", "flow", "partition"),
    sqlite_autoincrement=True,
)
"""Every run of the engine. `id` is its fence number: it only grows."""
