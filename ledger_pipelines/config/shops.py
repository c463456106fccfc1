"""Connections of Neto stores and Saasu files.

Belongs here: their models. Does not belong here: how they are called (`systems/<vendor>`). Facts: neto.md 2, saasu.md 2, 3.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from ledger_pipelines.config.base import (
    Address,
    Currency,
    Days,
    EnvName,
    Model,
    Slug,
    TimeZoneName,
    on_this_machine,
)


class NetoKey(Model):
    """An API key of the store (Settings & tools > API), or of a staff user."""

    method: Literal["key"] = "key"
    """key: an API key. app: the pair of an add-on of the store's app market."""
    key_env: EnvName
    """Variable with the API key. It is longer than the box that shows it: copy it whole."""
    username: str = Field(default="", max_length=100)
    """Login name of the staff user the key belongs to. Empty for the store's global key."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.key_env,)


class NetoApp(Model):
    """The pair of an add-on (OAuth)."""

    method: Literal["app"]
    """app: client id and access token of an add-on."""
    client_id_env: EnvName
    """Variable with the client id."""
    access_token_env: EnvName
    """Variable with the access token."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.client_id_env, self.access_token_env)


def _key_by_default(value: object) -> object:
    return {"method": "key", **value} if isinstance(value, dict) and "method" not in value else value


class NetoConnectionConfig(Model):
    """One Neto (Maropost Commerce) store."""

    system: Literal["neto"]
    """neto."""
    store: Address
    """Address of the store, like https://www.mystore.com.au or https://mystore.neto.com.au."""
    sandbox: bool = False
    """Whether this is the sandbox that comes with ledger_pipelines, not a real store."""
    auth: Annotated[
        Annotated[NetoKey | NetoApp, Field(discriminator="method")], BeforeValidator(_key_by_default)
    ]
    """How to log in."""
    time_zone: TimeZoneName
    """Time zone of the store (Settings > Localisation): an API key does not tell it, and it decides an order's day."""
    currency: Currency = "AUD"
    """Currency the store sells in. Orders and the payments shown on them name none: all are taken to be in it."""
    books_time_zone: TimeZoneName | None = None
    """Time zone of the books its days are cut by, where they are not the books named at the top of this file."""
    calls_per_second: int = Field(default=8, ge=1, le=8)
    """Most calls a second. Neto allows 500 a minute for all programs of the store together."""
    settle_window_seconds: int = Field(default=300, ge=0, le=86400)
    """How long a write may still take effect after we lost sight of it. Neto does not say; see docs/systems/neto.md."""
    request_timeout_seconds: float = Field(default=60, gt=0, le=900)  # not money: seconds
    """Longest wait for one answer; pages with many fields are slow."""
    orders_a_page: int = Field(default=100, ge=1, le=1000)
    """Orders asked for in one call, with their lines and payments."""
    ca_bundle: str | None = None
    """PEM file of certificate authorities to trust instead of the usual ones."""
    proxy: Address | None = None
    """Address of an outgoing proxy, without a password."""
    entities: tuple[Slug, ...] = ()
    """Entities to take snapshots of. Empty: all that there are."""
    start_date: date
    """First day of its snapshots: the integration date. Moving it earlier adds days; moving it later hides them."""
    lookback_days: Days = 1
    """Each run reads this many days before today again where they were not read to their end."""

    @model_validator(mode="after")
    def _address_fits(self) -> NetoConnectionConfig:
        if self.sandbox and not on_this_machine(self.store):
            raise ValueError("sandbox: true needs a store on this machine, like http://127.0.0.1:8701")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the store."""
        return ZoneInfo(self.time_zone)

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this connection needs."""
        return self.auth.variables()


class SaasuLogin(Model):
    """User name and password of a login without two-factor."""

    method: Literal["password"] = "password"
    """password: a login without two-factor, with refresh. access_key: the older key of one user and file."""
    username_env: EnvName
    """Variable with the user name (an e-mail address)."""
    password_env: EnvName
    """Variable with the password."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.username_env, self.password_env)


class SaasuAccessKey(Model):
    """The older access key (Settings > Web Services)."""

    method: Literal["access_key"]
    """access_key: it knows no two-factor; Saasu means to end it some day."""
    access_key_env: EnvName
    """Variable with the access key."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.access_key_env,)


def _login_by_default(value: object) -> object:
    return {"method": "password", **value} if isinstance(value, dict) and "method" not in value else value


class SaasuConnectionConfig(Model):
    """One Saasu file."""

    system: Literal["saasu"]
    """saasu."""
    file_id: int = Field(ge=1)
    """The file (its FileId): `ledger-pipelines check` lists those of the login."""
    sandbox: bool = False
    """Whether this is the sandbox that comes with ledger_pipelines, not a real file. Allows `base_url`."""
    base_url: Address | None = None
    """Address of the sandbox. The real one is Saasu's own."""
    auth: Annotated[
        Annotated[SaasuLogin | SaasuAccessKey, Field(discriminator="method")],
        BeforeValidator(_login_by_default),
    ]
    """How to log in."""
    currency: Currency = "AUD"
    """Base currency of the file."""
    books_time_zone: TimeZoneName | None = None
    """Time zone of the books its days are cut by, where they are not the books named at the top of this file."""
    calls_per_day_of_plan: int = Field(default=4000, ge=1, le=1_000_000)
    """Calls a day that the file's plan allows: Small 4000, Growing 3000, Medium 6000, Large 8000, X-Large 20000."""
    share_of_quota: int = Field(default=80, ge=1, le=100)
    """Percent of them that this program may use; the rest is for people and other programs of the file."""
    seconds_between_calls: float = Field(default=1.0, ge=0, le=60)  # not money: seconds
    """Saasu allows one call a second for each file."""
    settle_window_seconds: int = Field(default=600, ge=0, le=86400)
    """How long a write may still take effect after we lost sight of it. Saasu does not say; see docs/systems/saasu.md."""
    request_timeout_seconds: float = Field(default=60, gt=0, le=900)  # not money: seconds
    """Longest wait for one answer."""
    ca_bundle: str | None = None
    """PEM file of certificate authorities to trust instead of the usual ones."""
    proxy: Address | None = None
    """Address of an outgoing proxy, without a password."""
    entities: tuple[Slug, ...] = ()
    """Entities to take snapshots of. Empty: all that there are."""
    start_date: date
    """First day of its snapshots. Moving it earlier adds days; moving it later hides them."""
    lookback_days: Days = 1
    """Each run reads this many days before today again where they were not read to their end."""

    @model_validator(mode="after")
    def _address_fits(self) -> SaasuConnectionConfig:
        if self.base_url is not None and not self.sandbox:
            host = urlsplit(self.base_url).hostname or ""
            if host != "api.saasu.com":
                raise ValueError(
                    "base_url is not Saasu's; leave it out, or set sandbox: true for the sandbox"
                )
        if self.sandbox and not on_this_machine(self.base_url):
            raise ValueError("sandbox: true needs base_url, on this machine, like http://127.0.0.1:8702")
        return self

    @property
    def calls_per_day(self) -> int:
        """Calls a day that are ours."""
        return max(1, self.calls_per_day_of_plan * self.share_of_quota // 100)  # not money: calls

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this connection needs."""
        return self.auth.variables()
