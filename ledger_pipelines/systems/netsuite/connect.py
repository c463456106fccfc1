"""A client for a connection of ledger.yaml.

Belongs here: the configuration's fields onto the client's. Does not belong here: either of them.
Credentials are read from the environment here, when a client is asked for: never when definitions load.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from ledger_pipelines.config.connections import MachineToMachine, NetSuiteAuth, NetSuiteConnectionConfig
from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.settings import (
    MachineCredentials,
    NetSuiteConnection,
    TokenCredentials,
)


def connect(
    name: str,
    config: NetSuiteConnectionConfig,
    *,
    state_folder: Path,
    order_id_fields: Sequence[str] = ("otherrefnum",),
    summary_record: str = "customrecord_azs_summary",
    transaction_record: str = "customrecord_azs_txn",
    run_id: str = "",
    clock: Clock | None = None,
) -> NetSuiteClient:
    """Open a client; it makes no call yet.

    Raises:
        ConfigurationError: an environment variable is missing, or a field id is none.
    """
    connection = NetSuiteConnection(
        name=name,
        account=config.account,
        credentials=_credentials(name, config.auth),
        base_url=config.base_url or "",
        sandbox=config.sandbox,
        time_zone=config.zone,
        concurrency=config.workers,
        settle_window=timedelta(seconds=config.settle_window_seconds),
        one_world=config.one_world,
        multi_currency=config.multi_currency,
        base_currency=config.base_currency,
        order_id_fields=tuple(order_id_fields),
        order_item_field=config.order_item_field,
        summary_record=summary_record,
        transaction_record=transaction_record,
        read_timeout=config.request_timeout_seconds,
        batch_wait=config.batch_wait_seconds,
        state_folder=state_folder,
        run_id=run_id,
        ca_bundle=None if config.ca_bundle is None else Path(config.ca_bundle),
        proxy=config.proxy,
    )
    return NetSuiteClient(connection, clock=clock)


def _credentials(name: str, auth: NetSuiteAuth) -> MachineCredentials | TokenCredentials:
    if isinstance(auth, MachineToMachine):
        return MachineCredentials.from_env(
            name,
            client_id=auth.client_id_env,
            certificate_id=auth.certificate_id_env,
            private_key=auth.private_key_env or "",
            private_key_path=auth.private_key_file_env or "",
            algorithm=auth.algorithm,
        )
    return TokenCredentials.from_env(
        name,
        consumer_key=auth.consumer_key_env,
        consumer_secret=auth.consumer_secret_env,
        token_id=auth.token_id_env,
        token_secret=auth.token_secret_env,
    )
