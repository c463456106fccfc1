"""What an integration by days is made of, whatever it joins: its name, its connections, its places.

Belongs here: what the common service needs. Does not belong here: settings, the configuration of connections (each integration's own
`setup`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.effects import Mode


@dataclass(frozen=True, slots=True)
class DaySetup:
    """One integration. source, target: names of its connections; zone: of the books.

    start_date: The integration date: nothing of earlier days is written.
    """

    name: str
    source: str
    target: str
    mode: Mode
    zone: ZoneInfo
    data: Path
    journal_address: str
    start_date: date

    @property
    def folder(self) -> Path:
        """Where what is kept of this integration is."""
        return self.data / "integrations" / self.name
