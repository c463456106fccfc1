"""An account opened for a sweep of its entities.

Belongs here: the client's life, and its entities by name. Does not belong here: reading (`systems/<vendor>`).
Each vendor is imported when one of its accounts is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, cast

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings, Records
from ledger_pipelines.systems.entities import ChangesReader, EntityLike
from ledger_pipelines.systems.http import CallCount


class _Client(Protocol):
    def calls(self) -> Sequence[CallCount]:
        """Calls made, by kind."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, slots=True)
class OpenReading:
    """One account. system: as people call it."""

    system: str
    client: _Client
    reader: ChangesReader
    known: Mapping[str, EntityLike]

    def entity(self, name: str) -> EntityLike:
        """An entity by name. Raises ConfigurationError."""
        if name not in self.known:
            raise ConfigurationError(
                f"{self.system} has no entity {name!r} here.", remedy=f"There are: {', '.join(self.known)}."
            )
        return self.known[name]

    def calls(self) -> int:
        """Calls made so far."""
        return sum(count.count for count in self.client.calls())


@contextmanager
def open_connection(loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[OpenReading]:
    """Open the account; closed at the end of the block.

    Raises:
        ConfigurationError: There is no such connection, or a credential is not set.
    """
    configured = loaded.config.connections.get(connection)
    if isinstance(configured, NetoConnectionConfig):
        opened = _neto(loaded, connection, configured, run_id)
    elif isinstance(configured, SaasuConnectionConfig):
        opened = _saasu(loaded, connection, configured, run_id)
    elif isinstance(configured, Cin7ConnectionConfig):
        opened = _cin7(loaded, connection, configured, run_id)
    else:
        opened = _netsuite(loaded, connection, run_id)
    try:
        yield opened
    finally:
        opened.client.close()


def _neto(loaded: LoadedConfig, name: str, configured: NetoConnectionConfig, run_id: str) -> OpenReading:
    from ledger_pipelines.systems.neto.connect import connect  # noqa: PLC0415 (one vendor a run)
    from ledger_pipelines.systems.neto.entities import ENTITIES  # noqa: PLC0415
    from ledger_pipelines.systems.neto.reader import NetoReader  # noqa: PLC0415

    client = connect(name, configured, state_folder=loaded.config.data_folder / "state", run_id=run_id)
    reader = cast("ChangesReader", NetoReader(client, orders_a_page=configured.orders_a_page))
    return OpenReading("Neto", client, reader, ENTITIES)


def _saasu(loaded: LoadedConfig, name: str, configured: SaasuConnectionConfig, run_id: str) -> OpenReading:
    from ledger_pipelines.systems.saasu.connect import connect  # noqa: PLC0415 (one vendor a run)
    from ledger_pipelines.systems.saasu.entities import ENTITIES  # noqa: PLC0415
    from ledger_pipelines.systems.saasu.reader import SaasuReader  # noqa: PLC0415

    client = connect(name, configured, state_folder=loaded.config.data_folder / "state", run_id=run_id)
    reader = cast("ChangesReader", SaasuReader(client))
    return OpenReading("Saasu", client, reader, ENTITIES)


def _cin7(loaded: LoadedConfig, name: str, configured: Cin7ConnectionConfig, run_id: str) -> OpenReading:
    from ledger_pipelines.systems.cin7.connect import connect  # noqa: PLC0415 (one vendor a run)
    from ledger_pipelines.systems.cin7.entities import ENTITIES  # noqa: PLC0415
    from ledger_pipelines.systems.cin7.reader import Cin7Reader  # noqa: PLC0415

    client = connect(name, configured, state_folder=loaded.config.data_folder / "state", run_id=run_id)
    reader = cast("ChangesReader", Cin7Reader(client))
    return OpenReading("Cin7", client, reader, ENTITIES)


def _netsuite(loaded: LoadedConfig, name: str, run_id: str) -> OpenReading:
    from ledger_pipelines.systems.netsuite.connect import connect  # noqa: PLC0415 (one vendor a run)
    from ledger_pipelines.systems.netsuite.entities import entities  # noqa: PLC0415
    from ledger_pipelines.systems.netsuite.reader import Reader  # noqa: PLC0415

    summary, transaction = _record_types(loaded, name)
    client = connect(
        name,
        loaded.config.netsuite(name),
        state_folder=loaded.config.data_folder / "state",
        run_id=run_id,
        summary_record=summary,
        transaction_record=transaction,
    )
    reader = cast("ChangesReader", Reader(client))  # it is given entities of its own only: `known`
    return OpenReading("NetSuite", client, reader, entities(client.connection))


def _record_types(loaded: LoadedConfig, connection: str) -> tuple[str, str]:
    """The ids of the settlement record types, as the integration that writes them names them."""
    for integration in loaded.config.integrations.values():
        if integration.target == connection and isinstance(integration.settings, AmazonNetSuiteSettings):
            records = integration.settings.records
            return records.summary_record, records.transaction_record
    defaults = Records()
    return defaults.summary_record, defaults.transaction_record
