"""The guards every plan of this integration is held to before anything is written.

Belongs here: which guards, from the user's limits and the books. Does not belong here: what a guard is (`sync.guards`).
"""

from __future__ import annotations

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.integrations.amazon_netsuite.bodies import journal_lines
from ledger_pipelines.integrations.amazon_netsuite.books import Books
from ledger_pipelines.integrations.amazon_netsuite.settings import Guards
from ledger_pipelines.sync.guards import Balanced, Guard, MostDocuments, MostTotal, OpenPeriod


def guards_of(limits: Guards, books: Books) -> list[Guard]:
    """Journals balance, periods are open, and no more is written than the user allows."""
    guards: list[Guard] = [Balanced(journal_lines), OpenPeriod(lambda effect: _is_open(books, effect))]
    if limits.max_documents is not None:
        guards.append(MostDocuments(limits.max_documents))
    if limits.max_total:
        guards.append(MostTotal(limits.max_total))
    return guards


def _is_open(books: Books, effect: Effect) -> bool | None:
    day = effect.expected.day
    if day is None:
        return True
    period = books.period_of(day)
    return None if period is None else not period.closed
