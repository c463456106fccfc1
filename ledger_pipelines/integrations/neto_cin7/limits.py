"""The guards every plan of this integration is held to before anything is written.

Belongs here: which guards, from the user's limits. Does not belong here: what a guard is (`sync.guards`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger_pipelines.integrations.neto_cin7.settings import General
from ledger_pipelines.sync.guards import Guard, MostDocuments, MostTotal


def guards_of(limits: General, currency: str) -> Sequence[Guard]:
    """No more is written than the user allows."""
    return (
        MostDocuments(limits.most_documents),
        MostTotal({currency: limits.most_total}, others=limits.most_total),
    )
