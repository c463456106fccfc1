"""Effects of the journal as plans see them.

Belongs here: the hand-over. Does not belong here: what follows (`decide`).
"""

from __future__ import annotations

from ledger_pipelines.integrations.amazon_netsuite import bodies
from ledger_pipelines.integrations.amazon_netsuite.context import Known
from ledger_pipelines.storage.journal import Entry


def known(entry: Entry) -> Known:
    """An effect as plans see it."""
    effect, problem = entry.effect, entry.problem
    return Known(
        key=entry.key,
        state=entry.state,
        remote_id=entry.remote_id or "",
        number=entry.remote_number or "",
        body_hash=entry.body_hash,
        amount=None if effect.expected.amount is None else effect.expected.amount.amount,
        applied=bodies.applied(effect),
        forward=bodies.forward(effect),
        taken=bodies.taken(effect),
        sent_at=entry.sent_at,
        code="" if problem is None else problem.code,
        text="" if problem is None else problem.text,
        remedy="" if problem is None else problem.remedy,
    )
