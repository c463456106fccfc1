"""The journal: the only mutable state of the product (SQLite by default, PostgreSQL by URL).

Belongs here: storing and finding. Does not belong here: deciding (`sync`).
"""

from ledger_pipelines.storage.journal.effects import Change, fingerprint, intent_values
from ledger_pipelines.storage.journal.records import (
    ApplyRun,
    ChainBreak,
    Entry,
    Event,
    Link,
    LoggedEvent,
    Parked,
    Problem,
    Search,
    SeenFile,
)
from ledger_pipelines.storage.journal.repository import Journal, Unit

__all__ = [
    "ApplyRun",
    "ChainBreak",
    "Change",
    "Entry",
    "Event",
    "Journal",
    "Link",
    "LoggedEvent",
    "Parked",
    "Problem",
    "Search",
    "SeenFile",
    "Unit",
    "fingerprint",
    "intent_values",
]
