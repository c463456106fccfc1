"""The product's own parts, put together for a run: service, settlements, files that arrive.

Belongs here: which parts make a whole. Does not belong here: what they do. Imported at run time only: what it imports
is heavy, and definitions load without it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger_pipelines.config.connections import AmazonConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome, receive_file
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite, build_service
from ledger_pipelines.orchestration.services import Unfinished
from ledger_pipelines.storage.journal import Entry, Search
from ledger_pipelines.storage.settlements import SettlementManifest, SettlementStore
from ledger_pipelines.systems.amazon.lwa import AmazonConnection
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.spapi import SpApi

_UNFINISHED = (EffectState.APPROVED, EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN)
_MOST_UNFINISHED = 10_000


class Service(AmazonNetSuite):
    """The integration's service, with what only orchestration asks."""

    def unfinished(self) -> list[Unfinished]:
        """Settlements with writes that are meant and not known to be done; from the journal, no call is made.

        A row is resolvable once no other run can hold it and, when it was sent, the target can no longer be working
        on it (`settle_window_seconds` of the connection).
        """
        window = timedelta(seconds=self.setup.target_config.settle_window_seconds)
        search = Search(integration=self.name, states=_UNFINISHED, limit=_MOST_UNFINISHED)
        found: dict[str, tuple[int, datetime]] = {}
        for entry in self.journal.find(search):
            rows, at = found.get(entry.effect.partition, (0, datetime.min.replace(tzinfo=UTC)))
            found[entry.effect.partition] = (rows + 1, max(at, _resolvable_at(entry, window)))
        return [Unfinished(sid, rows, at) for sid, (rows, at) in found.items()]

    def not_reconciled(self) -> list[str]:
        """Settlements that are not wholly booked, oldest first; from what is stored, no call is made."""
        return [
            one.settlement.settlement_id
            for one in self.status()
            if one.reconciliation is None or not one.reconciliation.clean
        ]


def _resolvable_at(entry: Entry, window: timedelta) -> datetime:
    moments = [entry.updated_at]
    if entry.state in (EffectState.CLAIMED, EffectState.SENT) and entry.lease_until is not None:
        moments.append(entry.lease_until)
    if entry.state in (EffectState.SENT, EffectState.UNKNOWN):
        moments.append((entry.settle_from or entry.sent_at or entry.updated_at) + window)
    if entry.not_before is not None:
        moments.append(entry.not_before)
    return max(moments)


def settlement_service(loaded: LoadedConfig, name: str, run_id: str) -> Service:
    """The service of one integration. Raises ConfigurationError."""
    made = build_service(loaded, name, run_id=run_id)
    return Service(made.setup, made.store, run_id=run_id)


class Arrivals:
    """Settlement files of one Amazon connection: taking them in, and which are known."""

    def __init__(self, loaded: LoadedConfig, connection: str) -> None:
        self.connection = connection
        self.configured: AmazonConnectionConfig = loaded.config.amazon(connection)
        self._data = loaded.config.data_folder
        self._store = SettlementStore(self._data)

    def known(self) -> list[SettlementManifest]:
        """Accepted settlements, oldest period first."""
        return self._store.all(self.connection)

    @property
    def refused_folder(self) -> Path:
        """Where files that were refused lie, each beside its reason."""
        drop = self.configured.drop
        return Path(drop.path) / "refused" if drop else self._data / "refused" / self.connection

    @property
    def accepted_folder(self) -> Path:
        """Where dropped files lie after they were taken."""
        drop = self.configured.drop
        return Path(drop.path) / "accepted" if drop else self._data / "accepted" / self.connection

    @property
    def fetched_folder(self) -> Path:
        """Where fetched reports lie until they are taken."""
        return self._data / "fetched" / self.connection

    def receive(self, path: Path, *, name: str = "", charset: str | None = None) -> ArrivalOutcome:
        """Take one file in. Raises as `receive_file`."""
        drop = self.configured.drop
        most = ReadOptions().max_bytes if drop is None else drop.max_bytes
        return receive_file(
            path,
            connection=self.connection,
            store=self._store,
            currencies=tuple(self.configured.currencies),
            drop_folder=path.parent,
            refused_folder=self.refused_folder,
            options=replace(ReadOptions(), max_bytes=most, charset=charset or None),
            name=name or None,
        )

    def api(self, *, patience: float, run_id: str = "") -> SpApi:
        """A client of the Reports API; close it. Raises ConfigurationError: a credential is not set, or none is named."""
        api = self.configured.api
        if api is None:
            raise ConfigurationError(
                f"Connection {self.connection} has no api.", remedy="Give it `api:` in ledger.yaml."
            )
        made = AmazonConnection.from_env(
            self.connection,
            self.configured.region,
            client_id=api.client_id_env,
            client_secret=api.client_secret_env,
            refresh_token=api.refresh_token_env,
            base_url=self.configured.base_url or "",
            token_url=self.configured.token_address,
            sandbox=self.configured.sandbox,
            state_folder=self._data / "state",
        )
        ca_bundle = self.configured.ca_bundle
        return SpApi(
            replace(
                made,
                patience=patience,
                run_id=run_id,
                proxy=self.configured.proxy,
                ca_bundle=None if ca_bundle is None else Path(ca_bundle),
            )
        )
