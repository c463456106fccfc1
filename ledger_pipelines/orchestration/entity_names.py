"""Which entities a connection has, known without its credentials, when definitions load.

Belongs here: names. Does not belong here: reading (`reading`), and anything that makes loading slow.
"""

from __future__ import annotations

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.connections import NetSuiteConnectionConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.systems.cin7.entities import ENTITIES as CIN7
from ledger_pipelines.systems.neto.entities import ENTITIES as NETO
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection, TokenCredentials
from ledger_pipelines.systems.saasu.entities import ENTITIES as SAASU
from ledger_pipelines.systems.secrets import Secret

DayConfig = NetoConnectionConfig | SaasuConnectionConfig | Cin7ConnectionConfig
"""A connection of an integration by days."""
ReadConfig = NetSuiteConnectionConfig | DayConfig
"""A connection whose entities are kept as daily snapshots."""

_NOBODY = TokenCredentials(Secret(""), Secret(""), Secret(""), Secret(""))


def entity_names(configured: ReadConfig) -> tuple[str, ...]:
    """Those named in its configuration, else all there are for such an account."""
    if configured.entities:
        return configured.entities
    if isinstance(configured, NetoConnectionConfig):
        return tuple(NETO)
    if isinstance(configured, SaasuConnectionConfig):
        return tuple(SAASU)
    if isinstance(configured, Cin7ConnectionConfig):
        return tuple(CIN7)
    account = NetSuiteConnection(
        name="",
        account=configured.account,
        credentials=_NOBODY,
        one_world=configured.one_world,
        multi_currency=configured.multi_currency,
        base_currency=configured.base_currency,
        order_item_field=configured.order_item_field,
    )
    return tuple(entities(account))
