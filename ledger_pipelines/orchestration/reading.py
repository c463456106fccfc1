"""A NetSuite account opened for a sweep of its entities.

Belongs here: the client's life, and its entities by name. Does not belong here: reading (`systems/netsuite`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings, Records
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.connect import connect
from ledger_pipelines.systems.netsuite.entities import Entity, entities
from ledger_pipelines.systems.netsuite.reader import Reader


@dataclass(frozen=True, slots=True)
class NetSuiteReading:
    """One account."""

    client: NetSuiteClient
    reader: Reader
    known: dict[str, Entity]

    def entity(self, name: str) -> Entity:
        """An entity by name. Raises ConfigurationError."""
        if name not in self.known:
            raise ConfigurationError(
                f"NetSuite has no entity {name!r} here.", remedy=f"There are: {', '.join(self.known)}."
            )
        return self.known[name]

    def calls(self) -> int:
        """Calls made so far."""
        return sum(count.count for count in self.client.calls())


@contextmanager
def open_netsuite(loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[NetSuiteReading]:
    """Open the account; closed at the end of the block. Raises ConfigurationError: a credential is not set."""
    summary, transaction = _record_types(loaded, connection)
    client = connect(
        connection,
        loaded.config.netsuite(connection),
        state_folder=loaded.config.data_folder / "state",
        run_id=run_id,
        summary_record=summary,
        transaction_record=transaction,
    )
    try:
        yield NetSuiteReading(client, Reader(client), entities(client.connection))
    finally:
        client.close()


def _record_types(loaded: LoadedConfig, connection: str) -> tuple[str, str]:
    """The ids of the settlement record types, as the integration that writes them names them."""
    for integration in loaded.config.integrations.values():
        if integration.target == connection and isinstance(integration.settings, AmazonNetSuiteSettings):
            records = integration.settings.records
            return records.summary_record, records.transaction_record
    defaults = Records()
    return defaults.summary_record, defaults.transaction_record
