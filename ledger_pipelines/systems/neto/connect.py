"""A client for a connection of ledger.yaml.

Belongs here: the configuration's fields onto the client's. Does not belong here: either of them.
Credentials are read from the environment here, when a client is asked for: never when definitions load.
"""

from __future__ import annotations

from pathlib import Path

from ledger_pipelines.config.shops import NetoConnectionConfig, NetoKey
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.systems.neto.client import AppCredentials, KeyCredentials, NetoClient, NetoConnection
from ledger_pipelines.systems.secrets import Secret


def connect(
    name: str,
    config: NetoConnectionConfig,
    *,
    state_folder: Path,
    run_id: str = "",
    clock: Clock | None = None,
) -> NetoClient:
    """Open a client; it makes no call yet. Raises ConfigurationError: an environment variable is missing."""
    auth = config.auth
    credentials: KeyCredentials | AppCredentials
    if isinstance(auth, NetoKey):
        credentials = KeyCredentials(Secret.from_env(auth.key_env, connection=name), auth.username)
    else:
        credentials = AppCredentials(
            Secret.from_env(auth.client_id_env, connection=name),
            Secret.from_env(auth.access_token_env, connection=name),
        )
    connection = NetoConnection(
        name=name,
        base=config.store,
        credentials=credentials,
        time_zone=config.zone,
        sandbox=config.sandbox,
        calls_per_second=config.calls_per_second,
        read_timeout=config.request_timeout_seconds,
        state_folder=state_folder,
        run_id=run_id,
        ca_bundle=None if config.ca_bundle is None else Path(config.ca_bundle),
        proxy=config.proxy,
    )
    return NetoClient(connection, clock=clock)
