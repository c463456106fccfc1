"""The guards every plan of this integration is held to before anything is written.

Belongs here: which guards, from the user's limits. Does not belong here: what a guard is (`sync.guards`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.neto_saasu.settings import General
from ledger_pipelines.sync.guards import Balanced, Guard, MostDocuments, MostTotal


def guards_of(limits: General, currency: str) -> list[Guard]:
    """Journals balance, and no more is written than the user allows."""
    return [
        Balanced(lambda effect: _journal_lines(effect, currency)),
        MostDocuments(limits.most_documents),
        MostTotal({currency: limits.most_total}, others=limits.most_total),
    ]


def _journal_lines(effect: Effect, currency: str) -> Sequence[Money] | None:
    """The signed lines of a journal entry, debits positive; None for any other document."""
    if effect.kind != "journal":
        return None
    body = decode(effect.body)
    items = body.get("Items") if isinstance(body, dict) else None
    lines = []
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            amount = Decimal(str(item.get("Amount") or 0))
            lines.append(Money(amount if item.get("Type") == "Debit" else -amount, currency))
    return lines
