"""Alembic's entry: runs the migrations on the connection that `database.upgrade` holds, in its transaction."""

from __future__ import annotations

from alembic import context

from ledger_pipelines.storage.journal.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=False,
)
context.run_migrations()
