"""From a configured connection to what its client takes: secrets are read here, at the moment of use.

Belongs here: the translation of `config` models into `systems/<vendor>` settings. Does not belong here: calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from ledger_pipelines.config.connections import MachineToMachine, NetSuiteConnectionConfig
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.systems.netsuite.settings import (
    MachineCredentials,
    NetSuiteConnection,
    TokenCredentials,
)


def netsuite_credentials(
    name: str, config: NetSuiteConnectionConfig, environ: Mapping[str, str]
) -> MachineCredentials | TokenCredentials:
    """The secrets of a connection. Raises ConfigurationError naming the variable that is not set."""
    auth = config.auth
    if isinstance(auth, MachineToMachine):
        return MachineCredentials.from_env(
            name,
            client_id=auth.client_id_env,
            certificate_id=auth.certificate_id_env,
            private_key=auth.private_key_env or "",
            private_key_path=auth.private_key_file_env or "",
            algorithm=auth.algorithm,
            environ=environ,
        )
    return TokenCredentials.from_env(
        name,
        consumer_key=auth.consumer_key_env,
        consumer_secret=auth.consumer_secret_env,
        token_id=auth.token_id_env,
        token_secret=auth.token_secret_env,
        environ=environ,
    )


def netsuite_connection(
    name: str,
    config: NetSuiteConnectionConfig,
    environ: Mapping[str, str],
    *,
    settings: AmazonNetSuiteSettings | None = None,
    state_folder: Path | None = None,
    run_id: str = "",
) -> NetSuiteConnection:
    """What `NetSuiteClient` takes.

    Args:
        name: Of the connection.
        config: Its configuration.
        environ: Where the secrets are.
        settings: Of the integration that uses it: names of custom fields and records.
        state_folder: Shared by all processes: slots and the token cache.
        run_id: Goes into the user agent.

    Raises:
        ConfigurationError: A variable is not set.
    """
    settings = settings or AmazonNetSuiteSettings()
    return NetSuiteConnection(
        name=name,
        account=config.account,
        credentials=netsuite_credentials(name, config, environ),
        base_url=config.base_url or "",
        sandbox=config.sandbox,
        time_zone=config.zone,
        concurrency=config.workers,
        settle_window=timedelta(seconds=config.settle_window_seconds),
        one_world=config.one_world,
        multi_currency=config.multi_currency,
        base_currency=config.base_currency,
        order_id_fields=(
            *settings.general.order_id_fields,
            *(("otherrefnum",) if settings.general.match_other_ref_num else ()),
        ),
        order_item_field=config.order_item_field,
        summary_record=settings.records.summary_record,
        transaction_record=settings.records.transaction_record,
        read_timeout=config.request_timeout_seconds,
        batch_wait=config.batch_wait_seconds,
        state_folder=state_folder,
        run_id=run_id,
        ca_bundle=None if config.ca_bundle is None else Path(config.ca_bundle),
        proxy=config.proxy,
    )
