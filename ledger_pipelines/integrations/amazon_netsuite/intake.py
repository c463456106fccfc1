"""Settlement files on their way in: one connection's folders, and its client of the Reports API.

Belongs here: where files wait, lie when accepted or refused, and under which of the connection's settings they are read.
Does not belong here: reading and accepting one (`arrival`), when to look (`orchestration`, `cli`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ledger_pipelines.config.connections import AmazonConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.errors import ConfigurationError, TransientError
from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome, receive_file
from ledger_pipelines.integrations.amazon_netsuite.restore import restore_settlements
from ledger_pipelines.storage.landing import REASON_SUFFIX, Identity, put_aside, shown_name
from ledger_pipelines.storage.settlements import SettlementManifest, SettlementStore
from ledger_pipelines.systems.amazon.lwa import AmazonConnection
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.spapi import SpApi


class Arrivals:
    """Settlement files of one Amazon connection: taking them in, and which are known."""

    def __init__(self, connection: str, configured: AmazonConnectionConfig, data: Path) -> None:
        self.connection = connection
        self.configured = configured
        self._data = data
        self._store = SettlementStore(data)

    @classmethod
    def of(cls, loaded: LoadedConfig, connection: str) -> Arrivals:
        """Of a connection of the configuration. Raises ConfigurationError: there is none of that name."""
        return cls(connection, loaded.config.amazon(connection), loaded.config.data_folder)

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

    def waiting(self) -> Iterator[Path]:
        """What lies in the drop folder, by name; hidden files, folders and reasons are passed over.

        Links, pipes and the like are among them: taking one refuses it, without opening it.
        """
        drop = self.configured.drop
        if drop is None or not Path(drop.path).is_dir():
            return
        for file in sorted(Path(drop.path).iterdir()):
            hidden = file.name.startswith(".") or file.name.endswith(REASON_SUFFIX)
            if not hidden and (file.is_symlink() or not file.is_dir()):
                yield file

    def take(self, path: Path, *, name: str = "") -> ArrivalOutcome:
        """Take one file in, and put it into accepted/ when it was; refused ones are put aside with their reason.

        Two processes may take the same file at once: one of them puts it away.

        Raises:
            TransientError: It is still being written; `file-gone`: another process took it. DataError: It is none of
            the folder's files. OSError: The disk.
        """
        try:
            seen = Identity.of(path)
            outcome = self.receive(path, name=name)
        except FileNotFoundError as error:
            raise TransientError(
                f"{shown_name(path)} is no longer there: another process has taken it.", code="file-gone"
            ) from error
        if outcome.accepted:
            with contextlib.suppress(FileNotFoundError):
                # what lies there by now under the same name may be another file, that nobody has read
                if Identity.of(path) == seen:
                    put_aside(path, self.accepted_folder)
        return outcome

    def receive(self, path: Path, *, name: str = "", charset: str | None = None) -> ArrivalOutcome:
        """Land, read and store one file, which stays where it is unless it is refused. Raises as `receive_file`."""
        return receive_file(
            path,
            connection=self.connection,
            store=self._store,
            currencies=tuple(self.configured.currencies),
            drop_folder=path.parent,
            refused_folder=self.refused_folder,
            options=replace(self._options, charset=charset or None),
            name=name or None,
        )

    def restore(self) -> Iterator[ArrivalOutcome]:
        """Make the store of settlements again from the landed files; no call is made. Raises as `restore_settlements`."""
        options = replace(self._options, currencies=tuple(self.configured.currencies))
        return restore_settlements(self.connection, self._store, options)

    @property
    def _options(self) -> ReadOptions:
        drop = self.configured.drop
        most = ReadOptions().max_bytes if drop is None else drop.max_bytes
        return ReadOptions(max_bytes=most, slash_dates=self.configured.slash_dates)

    def api(self, *, patience: float, run_id: str = "") -> SpApi:  # not money: seconds
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
