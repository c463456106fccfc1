"""The journal's first form.

Frozen: a released migration is never edited; a change of the tables is a new module beside this one.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import context, op

from ledger_pipelines.storage.journal.types import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and note when this journal was born."""
    op.create_table(
        "effects",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("integration", sa.String(), nullable=False),
        sa.Column("flow", sa.String(), nullable=False),
        sa.Column("partition", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("expected_amount", sa.String()),
        sa.Column("expected_currency", sa.String()),
        sa.Column("expected_day", sa.Date()),
        sa.Column("expected_lines", sa.Integer()),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("target_id", sa.String(), nullable=False),
        sa.Column("depends_on", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("plan_digest", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.String()),
        sa.Column("lease_until", Instant()),
        sa.Column("not_before", Instant()),
        sa.Column("sent_at", Instant()),
        sa.Column("settle_from", Instant()),
        sa.Column("error_code", sa.String()),
        sa.Column("error_text", sa.Text()),
        sa.Column("error_remedy", sa.Text()),
        sa.Column("remote_id", sa.String()),
        sa.Column("remote_number", sa.String()),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("held_from", sa.String()),
        sa.Column("conflict", sa.Text()),
        sa.Column("acted_by", sa.String()),
        sa.Column("acted_why", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant()),
    )
    op.create_index("effects_by_state", "effects", ["connection", "state"])
    op.create_index("effects_by_partition", "effects", ["integration", "flow", "partition", "state"])
    op.create_index("effects_by_number", "effects", ["number"])
    op.create_index("effects_by_external_id", "effects", ["external_id"])
    op.create_index("effects_by_remote_id", "effects", ["remote_id"])
    op.create_table(
        "links",
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("external_id", sa.String(), primary_key=True),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("remote_number", sa.String(), nullable=False),
        sa.Column("effect_key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("voided", sa.Boolean(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
    )
    op.create_index("links_by_remote_id", "links", ["connection", "kind", "remote_id"])
    op.create_index("links_by_effect", "links", ["effect_key"])
    op.create_table(
        "events",
        sa.Column("seq", _ID, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=False),
        sa.Column("to_state", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
    )
    op.create_index("events_by_subject", "events", ["subject", "seq"])
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", _ID, nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("born_at", Instant(), nullable=False),
    )
    op.create_table(
        "parked",
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("try_again_at", Instant(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_table(
        "files",
        sa.Column("connection", sa.String(), primary_key=True),
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("settlement_id", sa.String(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_seen", Instant(), nullable=False),
        sa.Column("last_seen", Instant(), nullable=False),
    )
    op.create_index("files_by_settlement", "files", ["connection", "settlement_id"])
    op.create_table(
        "applies",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("connection", sa.String(), nullable=False),
        sa.Column("integration", sa.String(), nullable=False),
        sa.Column("flow", sa.String(), nullable=False),
        sa.Column("partition", sa.String(), nullable=False),
        sa.Column("plan_digest", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.Column("summary", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("applies_by_partition", "applies", ["integration", "flow", "partition"])
    born = context.config.attributes.get("born_at") or datetime.now(UTC)
    chain = sa.table(
        "chain",
        sa.column("id", sa.Integer()),
        sa.column("seq", _ID),
        sa.column("hash", sa.String()),
        sa.column("born_at", Instant()),
    )
    op.execute(sa.insert(chain).values(id=1, seq=0, hash="0" * 64, born_at=born))
