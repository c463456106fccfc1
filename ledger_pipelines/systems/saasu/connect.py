"""A client for a connection of ledger.yaml.

Belongs here: the configuration's fields onto the client's. Does not belong here: either of them.
Credentials are read from the environment here, when a client is asked for: never when definitions load.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ledger_pipelines.config.shops import SaasuConnectionConfig, SaasuLogin
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.settings import AccessKeyCredentials, PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.secrets import Secret


def connect(
    name: str,
    config: SaasuConnectionConfig,
    *,
    state_folder: Path,
    run_id: str = "",
    clock: Clock | None = None,
) -> SaasuClient:
    """Open a client; it makes no call yet. Raises ConfigurationError: an environment variable is missing."""
    auth = config.auth
    credentials: PasswordCredentials | AccessKeyCredentials
    if isinstance(auth, SaasuLogin):
        credentials = PasswordCredentials(
            Secret.from_env(auth.username_env, connection=name),
            Secret.from_env(auth.password_env, connection=name),
        )
    else:
        credentials = AccessKeyCredentials(Secret.from_env(auth.access_key_env, connection=name))
    connection = SaasuConnection(
        name=name,
        file_id=config.file_id,
        credentials=credentials,
        state_folder=state_folder,
        base_url=config.base_url or "",
        sandbox=config.sandbox,
        calls_per_day=config.calls_per_day,
        seconds_between_calls=config.seconds_between_calls,
        settle_window=timedelta(seconds=config.settle_window_seconds),
        read_timeout=config.request_timeout_seconds,
        run_id=run_id,
        ca_bundle=None if config.ca_bundle is None else Path(config.ca_bundle),
        proxy=config.proxy,
    )
    return SaasuClient(connection, clock=clock)
