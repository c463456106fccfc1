"""The whole of ledger.yaml: books, places, connections, integrations.

Belongs here: the root model and what hangs directly under it. Does not belong here: reading the file (`load`),
the settings of one integration (`integrations/<name>/settings.py`, given to `load` from above).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SerializeAsAny, field_validator, model_validator

from ledger_pipelines.config.base import Cron, Currency, EnvName, Model, Slug, TimeZoneName
from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.connections import (
    AmazonConnectionConfig,
    AnyConnection,
    Connection,
    NetSuiteConnectionConfig,
)
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.errors import ConfigurationError

S = TypeVar("S", bound=BaseModel)
JOURNAL_FILE = "journal.sqlite"


class Books(Model):
    """The books that everything ends in."""

    time_zone: TimeZoneName
    """Time zone of the books: which day, and which month, an instant belongs to; also the zone of schedules."""
    currency: Currency | None = None
    """Base currency of the books; only shown."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)


class IntegrationConfig(Model):
    """One integration: what flows from a source connection into a target connection."""

    kind: str
    """Which integration: amazon_netsuite, neto_saasu."""
    source: Slug
    """Name of the connection that is read."""
    target: Slug
    """Name of the connection that is written to."""
    mode: Mode = Mode.PLAN
    """plan (default): nothing is written. test: only the orders named in test mode. live: everything planned."""
    start_date: date | None = None
    """First day that is booked. Default: the source connection's start date."""
    schedule: Cron | None = None
    """When it runs by itself, as five cron fields in the books' time zone. Empty: on arrival, or by hand."""
    settings: SerializeAsAny[BaseModel]
    """The integration's own settings; docs/<kind>.md lists them."""

    def settings_as(self, model: type[S]) -> S:
        """The settings as the integration's own model. Raises TypeError for another integration's."""
        if not isinstance(self.settings, model):
            raise TypeError(
                f"IntegrationConfig {self.kind} has {type(self.settings).__name__}, not {model.__name__}."
            )
        return self.settings


class LedgerConfig(Model):
    """ledger.yaml."""

    books: Books
    """The books that everything ends in."""
    data_dir: str = ".ledger"
    """Where snapshots, landed files, plans and reports are kept: a folder, relative to this file, or a bucket URL."""
    journal_url: str | None = None
    """Database of the journal (SQLAlchemy URL, without a password). Default: a SQLite file in `data_dir`."""
    journal_url_env: EnvName | None = None
    """Variable with the journal's URL, for a URL that holds a password."""
    connections: Mapping[Slug, Connection] = Field(default_factory=dict)
    """Accounts on systems, by name."""
    integrations: Mapping[Slug, SerializeAsAny[IntegrationConfig]] = Field(default_factory=dict)
    """Integrations, by name."""

    @field_validator("journal_url")
    @classmethod
    def _no_password(cls, url: str | None) -> str | None:
        if url is not None and "://" not in url:
            raise ValueError("a database is named by a URL, like sqlite:////var/lib/ledger/journal.sqlite")
        if url is not None and urlsplit(url).password is not None:
            raise ValueError("a password does not belong in this file; put the whole URL in the environment "
                             "and name the variable in journal_url_env")  # fmt: skip
        return url

    @model_validator(mode="after")
    def _journal_has_a_place(self) -> LedgerConfig:
        if self.journal_url is not None and self.journal_url_env is not None:
            raise ValueError("give journal_url or journal_url_env, not both")
        if "://" in self.data_dir and self.journal_url is None and self.journal_url_env is None:
            raise ValueError("data_dir is no folder of this machine, so the journal needs journal_url_env")
        return self

    @property
    def data_folder(self) -> Path:
        """`data_dir` as a local folder. Raises ConfigurationError where it is a bucket."""
        if "://" in self.data_dir:
            raise ConfigurationError(
                f"data_dir {self.data_dir} is no folder of this machine.",
                remedy="Use a local data_dir for this.",
            )
        return Path(self.data_dir)

    def journal_address(self, environ: Mapping[str, str]) -> str:
        """SQLAlchemy URL of the journal.

        Raises:
            ConfigurationError: The variable named by `journal_url_env` is not set.
        """
        if self.journal_url_env is not None:
            url = environ.get(self.journal_url_env, "")
            if not url:
                raise ConfigurationError(
                    f"The environment variable {self.journal_url_env} (journal_url_env) is not set.",
                    remedy="Set it to the SQLAlchemy URL of the journal's database.",
                )
            return url
        return self.journal_url or f"sqlite:///{self.data_folder / JOURNAL_FILE}"

    def netsuite(self, name: str) -> NetSuiteConnectionConfig:
        """That NetSuite connection. Raises ConfigurationError when there is none."""
        found = self._connection(name)
        if not isinstance(found, NetSuiteConnectionConfig):
            raise ConfigurationError(f"Connection {name} is {found.system}, not netsuite.")
        return found

    def amazon(self, name: str) -> AmazonConnectionConfig:
        """That Amazon connection. Raises ConfigurationError when there is none."""
        found = self._connection(name)
        if not isinstance(found, AmazonConnectionConfig):
            raise ConfigurationError(f"Connection {name} is {found.system}, not amazon.")
        return found

    def neto(self, name: str) -> NetoConnectionConfig:
        """That Neto connection. Raises ConfigurationError when there is none."""
        found = self._connection(name)
        if not isinstance(found, NetoConnectionConfig):
            raise ConfigurationError(f"Connection {name} is {found.system}, not neto.")
        return found

    def saasu(self, name: str) -> SaasuConnectionConfig:
        """That Saasu connection. Raises ConfigurationError when there is none."""
        found = self._connection(name)
        if not isinstance(found, SaasuConnectionConfig):
            raise ConfigurationError(f"Connection {name} is {found.system}, not saasu.")
        return found

    def cin7(self, name: str) -> Cin7ConnectionConfig:
        """That Cin7 connection. Raises ConfigurationError when there is none."""
        found = self._connection(name)
        if not isinstance(found, Cin7ConnectionConfig):
            raise ConfigurationError(f"Connection {name} is {found.system}, not cin7.")
        return found

    def _connection(self, name: str) -> AnyConnection:
        found = self.connections.get(name)
        if found is None:
            names = ", ".join(self.connections) or "none"
            raise ConfigurationError(f"There is no usable connection {name}.", remedy=f"There are: {names}.")
        return found

    def integration(self, name: str) -> IntegrationConfig:
        """That integration. Raises ConfigurationError when there is none, or it was left out."""
        found = self.integrations.get(name)
        if found is None:
            names = ", ".join(self.integrations) or "none"
            raise ConfigurationError(f"There is no usable integration {name}.", remedy=f"There are: {names}.")
        return found


@dataclass(frozen=True, slots=True)
class Finding:
    """What a cross-check found. field: dotted, relative to the integration (`settings.payment.enabled`).

    Args:
        wrong: It cannot be meant: what needs it is not written.
    """

    field: str
    message: str
    remedy: str = ""
    wrong: bool = False


CrossCheck = Callable[[IntegrationConfig, BaseModel, BaseModel], Iterable[Finding]]
"""(integration, source connection, target connection) -> what is wrong between them."""


@dataclass(frozen=True, slots=True)
class IntegrationKind:
    """A kind of integration as the layers above declare it: `kind` is `<source system>_<target system>`."""

    settings: type[BaseModel]
    check: CrossCheck | None = None
