"""The accepted settlements of one connection, as the service asks for them.

Belongs here: the settlement store seen with Amazon's vocabulary. Does not belong here: taking files in (`arrival`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.money import Money
from ledger_pipelines.documents.settlement import Footing, Settlement, SettlementGroup
from ledger_pipelines.memory import making_many
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.vocabulary import classify


class StoredSettlements:
    """Settlements under `<data>/settlements/<connection>`."""

    def __init__(self, data: Path, connection: str) -> None:
        self.store = SettlementStore(data)
        self._connection = connection

    def ids(self) -> list[str]:
        """Settlement ids, oldest period first."""
        return [manifest.settlement_id for manifest in self.store.all(self._connection)]

    def settlement(self, settlement_id: str) -> Settlement:
        """One settlement. Raises DataError when there is none."""
        return self.store.get(self._connection, settlement_id).settlement()

    def groups(self, settlement_id: str, zone: ZoneInfo) -> Sequence[SettlementGroup]:
        """Its groups, in the order of the file."""
        self.store.get(self._connection, settlement_id)
        rows = self.store.rows_path(self._connection, settlement_id)
        with making_many():
            return tuple(SettlementRows(rows, classify).groups(zone))

    def footing(self, settlement_id: str, zone: ZoneInfo) -> Footing:
        """What its rows sum to, as they lie on the disk now, by kind and month of `zone`."""
        manifest = self.store.get(self._connection, settlement_id)
        rows = SettlementRows(self.store.rows_path(self._connection, settlement_id), classify)
        return Footing(Money(manifest.total, manifest.currency), rows.by_month(zone))
