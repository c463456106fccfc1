"""A client for a connection of ledger.yaml.

Belongs here: the configuration's fields onto the client's. Does not belong here: either of them.
Credentials are read from the environment here, when a client is asked for: never when definitions load.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.settings import Cin7Connection
from ledger_pipelines.systems.secrets import Secret


def connect(
    name: str,
    config: Cin7ConnectionConfig,
    *,
    state_folder: Path,
    run_id: str = "",
    clock: Clock | None = None,
) -> Cin7Client:
    """Open a client; it makes no call yet. Raises ConfigurationError: an environment variable is missing."""
    connection = Cin7Connection(
        name=name,
        username=Secret.from_env(config.auth.username_env, connection=name),
        key=Secret.from_env(config.auth.key_env, connection=name),
        state_folder=state_folder,
        account=config.account,
        base_url=config.base_url or "",
        sandbox=config.sandbox,
        currency=config.currency,
        base_amounts=config.amounts_in_base_currency,
        calls_per_day=config.calls_per_day,
        calls_per_minute=config.calls_per_minute,
        seconds_between_calls=config.seconds_between_calls,
        longest_wait=config.longest_wait_seconds,
        records_a_call=config.records_a_call,
        dispatches_a_call=config.dispatches_a_call,
        stock_branches=config.stock_branches,
        settle_window=timedelta(seconds=config.settle_window_seconds),
        read_timeout=config.request_timeout_seconds,
        run_id=run_id,
        ca_bundle=None if config.ca_bundle is None else Path(config.ca_bundle),
        proxy=config.proxy,
    )
    return Cin7Client(connection, clock=clock)
