"""Putting an integration together for a command: configuration, stored settlements, application service.

Belongs here: which parts make a service. Does not belong here: what the parts do.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite, Setup, build_service
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.storage.settlements import SettlementStore
from ledger_pipelines.systems.amazon.vocabulary import classify


class StoredSettlements:
    """The accepted settlements of one connection, as the service asks for them."""

    def __init__(self, setup: Setup) -> None:
        self._connection = setup.source
        self._store = SettlementStore(setup.data)

    def ids(self) -> list[str]:
        """Settlement ids, oldest period first."""
        return [manifest.settlement_id for manifest in self._store.list(self._connection)]

    def settlement(self, settlement_id: str) -> Settlement:
        """One settlement. Raises DataError when there is none."""
        return self._store.get(self._connection, settlement_id).settlement()

    def groups(self, settlement_id: str, zone: ZoneInfo) -> Sequence[SettlementGroup]:
        """Its groups, in the order of the file."""
        self._store.get(self._connection, settlement_id)
        rows = self._store.rows_path(self._connection, settlement_id)
        return tuple(SettlementRows(rows, classify).groups(zone))


def amazon_netsuite(loaded: LoadedConfig, name: str) -> AmazonNetSuite:
    """The application service of one integration. Raises ConfigurationError: there is none of that name and kind."""
    return build_service(loaded, name, StoredSettlements)
