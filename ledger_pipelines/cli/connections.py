"""The commands `check` and `options`: what a connection needs, and what it lets us see.

Belongs here: asking each connection a few harmless questions and putting the answers in a table.
Does not belong here: how a vendor is asked (`systems`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.connections import (
    AmazonConnectionConfig,
    NetSuiteConnectionConfig,
    missing_variables,
)
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import LedgerConfig
from ledger_pipelines.config.shops import NetoConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import ConfigurationError, PermanentError
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.integrations.opening import BY_DAY, warnings_of
from ledger_pipelines.systems.cin7 import check as cin7_check
from ledger_pipelines.systems.cin7 import connect as cin7_connect
from ledger_pipelines.systems.cin7.client import Cin7Client
from ledger_pipelines.systems.cin7.options import Options as Cin7Options
from ledger_pipelines.systems.http import SANDBOX_HINT
from ledger_pipelines.systems.looking import Finding as Looked
from ledger_pipelines.systems.looking import Option
from ledger_pipelines.systems.neto import check as neto_check
from ledger_pipelines.systems.neto import connect as neto_connect
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines.systems.neto.options import Options as NetoOptions
from ledger_pipelines.systems.netsuite.check import check as netsuite_check
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.connect import connect
from ledger_pipelines.systems.netsuite.options import Options
from ledger_pipelines.systems.saasu import check as saasu_check
from ledger_pipelines.systems.saasu import connect as saasu_connect
from ledger_pipelines.systems.saasu.client import SaasuClient
from ledger_pipelines.systems.saasu.options import Options as SaasuOptions


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. remedy: what to do when it is not ok."""

    connection: str
    what: str
    ok: bool
    text: str
    remedy: str = ""


def check(loaded: LoadedConfig) -> Iterator[Finding]:
    """Everything found, connection after connection; problems of the file first."""
    for problem in loaded.problems:
        yield Finding(
            ".".join(map(str, problem.path[:2])), "configuration", False, str(problem), "Correct the file."
        )
    for name, connection in loaded.config.connections.items():
        missing = missing_variables(connection, os.environ)
        if missing:
            yield Finding(
                name,
                "secrets",
                False,
                f"not set in the environment: {', '.join(missing)}",
                "Set them; for the sandbox, `ledger-pipelines sandbox` and README show the values.",
            )
        else:
            yield Finding(name, "secrets", True, f"{len(connection.variables())} environment variables set")
        if isinstance(connection, AmazonConnectionConfig):
            yield from _amazon(name, connection, reachable=not missing)
        elif not missing and isinstance(connection, NetSuiteConnectionConfig):
            yield from _netsuite(loaded.config, name)
        elif not missing:
            yield from _shop(loaded.config, name)
    for name, integration in loaded.config.integrations.items():
        if integration.kind in BY_DAY:
            for found in warnings_of(loaded, name):
                wrong = found.wrong and integration.mode is not Mode.PLAN
                what = "settings" if wrong else "warning"
                yield Finding(name, what, not wrong, f"{found.field} {found.message}", found.remedy)


def _amazon(name: str, connection: AmazonConnectionConfig, *, reachable: bool) -> Iterator[Finding]:
    if connection.drop is not None:
        folder = Path(connection.drop.path)
        if not folder.exists():
            yield Finding(name, "drop folder", True, f"{folder} (made with the first file)")
        else:
            usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
            yield Finding(
                name,
                "drop folder",
                usable,
                str(folder),
                "" if usable else "Give this user read and write rights.",
            )
    if connection.api is None or not connection.api.enabled or not reachable:
        return
    api = connection.api
    form = {
        "grant_type": "refresh_token",
        "refresh_token": os.environ[api.refresh_token_env],
        "client_id": os.environ[api.client_id_env],
        "client_secret": os.environ[api.client_secret_env],
    }
    try:
        # Errors of httpx name the address only; the form is in none of them.
        answer = httpx.post(connection.token_address, data=form, timeout=30, trust_env=False)
    except httpx.HTTPError as error:
        yield Finding(
            name,
            "login",
            False,
            f"{connection.token_address} cannot be reached: {error}",
            SANDBOX_HINT if connection.sandbox else "Check the network.",
        )
        return
    if answer.status_code != httpx.codes.OK:
        yield Finding(
            name,
            "login",
            False,
            f"Amazon refuses the credentials (HTTP {answer.status_code})",
            "Authorize the application again and store the new refresh token.",
        )
        return
    yield Finding(name, "login", True, f"access token granted by {connection.token_address}")


@contextmanager
def netsuite_client(config: LedgerConfig, name: str) -> Iterator[NetSuiteClient]:
    """A client of a configured connection, closed at the end. Raises ConfigurationError."""
    settings = next(
        (
            one.settings
            for one in config.integrations.values()
            if one.target == name and isinstance(one.settings, AmazonNetSuiteSettings)
        ),
        AmazonNetSuiteSettings(),
    )
    general = settings.general
    client = connect(
        name,
        config.netsuite(name),
        state_folder=config.data_folder / "state",
        order_id_fields=(
            *general.order_id_fields,
            *(("otherrefnum",) if general.match_other_ref_num else ()),
        ),
        summary_record=settings.records.summary_record,
        transaction_record=settings.records.transaction_record,
    )
    try:
        yield client
    finally:
        client.close()


def _netsuite(config: LedgerConfig, name: str) -> Iterator[Finding]:
    with netsuite_client(config, name) as client:
        for found in netsuite_check(client):
            yield Finding(name, found.name, found.ok, found.text, found.remedy)


@contextmanager
def shop_client(config: LedgerConfig, name: str) -> Iterator[NetoClient | SaasuClient | Cin7Client]:
    """A client of a Neto, Saasu or Cin7 connection, closed at the end. Raises ConfigurationError."""
    state = config.data_folder / "state"
    found = config.connections[name]
    client: NetoClient | SaasuClient | Cin7Client
    if isinstance(found, NetoConnectionConfig):
        client = neto_connect.connect(name, found, state_folder=state)
    elif isinstance(found, Cin7ConnectionConfig):
        client = cin7_connect.connect(name, found, state_folder=state)
    else:
        client = saasu_connect.connect(name, config.saasu(name), state_folder=state)
    try:
        yield client
    finally:
        client.close()


def _shop(config: LedgerConfig, name: str) -> Iterator[Finding]:
    with shop_client(config, name) as client:
        looked: Iterable[Looked]
        if isinstance(client, NetoClient):
            looked = neto_check.check(client)
        elif isinstance(client, Cin7Client):
            looked = cin7_check.check(client)
        else:
            looked = saasu_check.check(client, currency=config.saasu(name).currency)
        for found in looked:
            yield Finding(name, found.name, found.ok, found.text, found.remedy)


@dataclass(frozen=True, slots=True)
class OptionList:
    """Records of one kind that a setting may name."""

    kind: str
    options: tuple[Option, ...]
    refused: str = ""


class Lists(Protocol):
    """Lists of one account."""

    def names(self) -> tuple[str, ...]:
        """Kinds there are."""
        ...

    def read(self, name: str, search: str = "") -> tuple[Option, ...]:
        """One of them."""
        ...


@contextmanager
def _lists(config: LedgerConfig, name: str) -> Iterator[Lists]:
    if isinstance(config.connections[name], NetSuiteConnectionConfig):
        with netsuite_client(config, name) as netsuite:
            yield Options(netsuite)
        return
    with shop_client(config, name) as client:
        if isinstance(client, NetoClient):
            yield NetoOptions(client)
        elif isinstance(client, Cin7Client):
            yield Cin7Options(client)
        else:
            yield SaasuOptions(client)


def options(config: LedgerConfig, name: str, kind: str | None, search: str) -> Iterator[OptionList]:
    """What a setting may name, asked of the account itself: one list a kind.

    Args:
        config: The configuration.
        name: Of a NetSuite, Neto, Saasu or Cin7 connection.
        kind: One list; None: all, those the role may not see with the reason.
        search: Part of the name.

    Raises:
        ConfigurationError: The connection has no lists, or none of that name.
        LedgerError: The account refuses the one list asked for.
    """
    found = config.connections.get(name)
    if found is None or isinstance(found, AmazonConnectionConfig):
        raise ConfigurationError(
            f"Connection {name} has no lists that a setting may name.",
            remedy="Name a NetSuite, Neto, Saasu or Cin7 connection.",
        )
    with _lists(config, name) as lists:
        if kind is not None:
            yield OptionList(kind, lists.read(kind, search))
            return
        for one in lists.names():
            try:
                yield OptionList(one, lists.read(one, search))
            except PermanentError as error:
                yield OptionList(one, (), error.message)
