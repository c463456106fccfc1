"""Connections: one account on one system, with its credentials (by name), limits and clock.

Belongs here: the model of each system's connection. Does not belong here: how it is called (`systems/<vendor>`).
Neto and Saasu: `shops`; Cin7: `cin7`. Facts: netsuite.md 1-3 (hosts, both authentications), amazon-settlement.md 15 (regions, rates, 90-day horizon).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig

_NETSUITE_DOMAIN = ".suitetalk.api.netsuite.com"
_AMAZON_HOSTS = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}
_AMAZON_TOKEN_URL = "https://api.amazon.com/auth/o2/token"  # noqa: S105 (an address, no secret)


class MachineToMachine(Model):
    """OAuth 2.0 machine to machine (client credentials with a certificate): the default."""

    method: Literal["m2m"] = "m2m"
    """m2m: OAuth 2.0 with a certificate. tba: the older token-based authentication."""
    client_id_env: EnvName
    """Variable with the client id of the integration record."""
    certificate_id_env: EnvName
    """Variable with the certificate id that NetSuite shows on its OAuth 2.0 set-up page."""
    private_key_env: EnvName | None = None
    """Variable with the private key itself, as PEM text. Give this or `private_key_file_env`."""
    private_key_file_env: EnvName | None = None
    """Variable with the path of a PEM file. Give this or `private_key_env`."""
    algorithm: Literal["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] = "PS256"
    """Signature of the assertion; it fits the certificate's key: PS for RSA, ES for elliptic curve."""

    @model_validator(mode="after")
    def _one_key(self) -> MachineToMachine:
        if (self.private_key_env is None) == (self.private_key_file_env is None):
            raise ValueError("give exactly one of private_key_env and private_key_file_env")
        return self

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        key = self.private_key_env or self.private_key_file_env or ""
        return (self.client_id_env, self.certificate_id_env, key)


class TokenBased(Model):
    """Token-based authentication (OAuth 1.0a, HMAC-SHA256), for those who have tokens."""

    method: Literal["tba"]
    """tba: token-based authentication. NetSuite means to end it in 2028 (netsuite.md 2)."""
    consumer_key_env: EnvName
    """Variable with the consumer key of the integration record."""
    consumer_secret_env: EnvName
    """Variable with the consumer secret."""
    token_id_env: EnvName
    """Variable with the token id."""
    token_secret_env: EnvName
    """Variable with the token secret."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.consumer_key_env, self.consumer_secret_env, self.token_id_env, self.token_secret_env)


def _machine_by_default(value: object) -> object:
    return {"method": "m2m", **value} if isinstance(value, dict) and "method" not in value else value


NetSuiteAuth = Annotated[
    Annotated[MachineToMachine | TokenBased, Field(discriminator="method")],
    BeforeValidator(_machine_by_default),
]


class NetSuiteConnectionConfig(Model):
    """One NetSuite account."""

    system: Literal["netsuite"]
    """netsuite."""
    account: str = Field(pattern=r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)?$")
    """Account id as NetSuite shows it: 9123456, or 9123456_SB1 for a NetSuite sandbox account."""
    sandbox: bool = False
    """Whether this is the sandbox that comes with ledger_pipelines, not a real account. Allows `base_url`."""
    base_url: Address | None = None
    """Address of the sandbox. A real account's address follows from its id."""
    auth: NetSuiteAuth
    """How to log in."""
    time_zone: TimeZoneName = "America/Los_Angeles"
    """Time zone of the role that logs in (Home > Set Preferences): what dates from SuiteQL are in."""
    one_world: bool = False
    """Whether the account has subsidiaries (OneWorld)."""
    multi_currency: bool = True
    """Whether the account has the feature Multiple Currencies."""
    base_currency: Currency = "USD"
    """Currency of the account's own books; used where `multi_currency` is off."""
    order_item_field: str = ""
    """Line field of orders and invoices that holds the channel's order item id, like custcol_azs_item. Empty: none."""
    workers: int = Field(default=2, ge=1, le=50)
    """Most requests at once. The account's limit is shared with all its other integrations."""
    settle_window_seconds: int = Field(default=960, ge=0, le=86400)
    """How long a request may still take effect after we lost sight of it; NetSuite gives it up to 15 minutes."""
    request_timeout_seconds: float = Field(default=180, gt=0, le=900)  # not money: seconds
    """Longest wait for one answer."""
    batch_wait_seconds: float = Field(default=900, gt=0, le=86400)  # not money: seconds
    """Longest wait for an asynchronous batch before what it still lacks is called unknown."""
    ca_bundle: str | None = None
    """PEM file of certificate authorities to trust instead of the usual ones."""
    proxy: Address | None = None
    """Address of an outgoing proxy, without a password."""
    entities: tuple[Slug, ...] = ()
    """Entities to take snapshots of. Empty: all that the integrations need."""
    start_date: date
    """First day of its snapshots. Moving it earlier adds days; moving it later hides them."""
    lookback_days: Days = 3
    """Each nightly run reads this many days again."""

    @model_validator(mode="after")
    def _address_fits(self) -> NetSuiteConnectionConfig:
        if self.base_url is not None and not self.sandbox:
            host = urlsplit(self.base_url).hostname or ""
            if not self.base_url.startswith("https://") or not host.endswith(_NETSUITE_DOMAIN):
                raise ValueError(
                    f"base_url is not an address of NetSuite (https://...{_NETSUITE_DOMAIN}); leave it out for a "
                    "real account, or set sandbox: true for the sandbox"
                )
        if self.sandbox and not on_this_machine(self.base_url):
            raise ValueError("sandbox: true needs base_url, on this machine, like http://127.0.0.1:8706")
        return self

    @property
    def realm(self) -> str:
        """The account id in the form of the OAuth realm: 9123456_SB1."""
        return self.account.upper().replace("-", "_")

    @property
    def url(self) -> str:
        """Base address without a slash at the end; the host form of the account id has `-` and lower case."""
        host = self.account.lower().replace("_", "-")
        return self.base_url or f"https://{host}{_NETSUITE_DOMAIN}"

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the account's dates."""
        return ZoneInfo(self.time_zone)

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this connection needs."""
        return self.auth.variables()


class DropFolder(Model):
    """A folder in which people put settlement files."""

    path: str = Field(min_length=1)
    """The folder; relative to the configuration file. It is made when absent."""
    max_bytes: int = Field(default=2_000_000_000, ge=1)
    """Larger files are refused. A settlement row takes about 200 bytes."""
    poll_seconds: int = Field(default=15, ge=5, le=3600)
    """How often the folder is looked at."""
    stable_seconds: int = Field(default=5, ge=0, le=3600)
    """A file is taken when its size and time have not changed for this long: never half a file."""
    max_files_per_look: int = Field(default=20, ge=1, le=1000)
    """Most new files taken at one look; the others come with the next."""


class SellingPartnerApi(Model):
    """Amazon's Selling Partner API, from which settlement reports can be fetched."""

    enabled: bool = True
    """Whether new reports are fetched. Off: only the drop folder is read."""
    client_id_env: EnvName
    """Variable with the client id of the application (LWA)."""
    client_secret_env: EnvName
    """Variable with the client secret."""
    refresh_token_env: EnvName
    """Variable with the refresh token that the seller granted; it belongs to one region."""
    poll_seconds: int = Field(default=3600, ge=60, le=86400)
    """How often reports are listed. Amazon allows one listing in 45 seconds."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.client_id_env, self.client_secret_env, self.refresh_token_env) if self.enabled else ()


class AmazonConnectionConfig(Model):
    """One Amazon seller account in one region."""

    system: Literal["amazon"]
    """amazon."""
    seller: str = Field(min_length=1, max_length=100)
    """What you call the seller account; it is written on the settlement records."""
    region: Literal["na", "eu", "fe"]
    """na: North America. eu: Europe, Middle East, India. fe: Japan, Australia, Singapore."""
    currencies: tuple[Currency, ...] = Field(min_length=1)
    """Currencies this account is paid in. A settlement in any other is refused."""
    slash_dates: Literal["month-first", "day-first"] | None = None
    """How dates like 05/03/2026 in its files are read. Empty: such a date is refused, never guessed."""
    sandbox: bool = False
    """Whether this is the sandbox that comes with ledger_pipelines. Allows `base_url` and `token_url`."""
    base_url: Address | None = None
    """Address of the sandbox. The real one follows from the region."""
    token_url: Address | None = None
    """Address at which the sandbox gives access tokens. Default: Amazon's, or `base_url` + /auth/o2/token."""
    drop: DropFolder | None = None
    """The drop folder."""
    ca_bundle: str | None = None
    """PEM file of certificate authorities to trust instead of the usual ones."""
    proxy: Address | None = None
    """Address of an outgoing proxy, without a password."""
    api: SellingPartnerApi | None = None
    """Fetching by the Selling Partner API."""
    start_date: date
    """Settlements deposited before this day are not booked."""

    @model_validator(mode="after")
    def _consistent(self) -> AmazonConnectionConfig:
        if self.sandbox and self.api is not None and not on_this_machine(self.base_url):
            raise ValueError(
                "sandbox: true with api needs base_url, on this machine, like http://127.0.0.1:8707"
            )
        for name, value in (("base_url", self.base_url), ("token_url", self.token_url)):
            host = urlsplit(value or "").hostname or ""
            if value is not None and not self.sandbox and not re.search(r"(^|\.)amazon\.com$", host):
                raise ValueError(
                    f"{name} is not an address of Amazon; leave it out for a real account, or set sandbox: true"
                )
        if self.drop is None and self.api is None:
            raise ValueError("nothing would ever arrive: give a drop folder, api, or both")
        return self

    @property
    def url(self) -> str:
        """Base address of the API, without a slash at the end."""
        return self.base_url or _AMAZON_HOSTS[self.region]

    @property
    def token_address(self) -> str:
        """Where access tokens are asked for."""
        if self.token_url is not None:
            return self.token_url
        return f"{self.base_url}/auth/o2/token" if self.sandbox and self.base_url else _AMAZON_TOKEN_URL

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this connection needs."""
        return self.api.variables() if self.api is not None else ()


AnyConnection = (
    NetSuiteConnectionConfig
    | AmazonConnectionConfig
    | NetoConnectionConfig
    | SaasuConnectionConfig
    | Cin7ConnectionConfig
)
"""Any connection."""
Connection = Annotated[AnyConnection, Field(discriminator="system")]
"""Any connection, told apart by `system`."""


def missing_variables(connection: AnyConnection, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the environment variables a connection needs that are not set, or empty."""
    return tuple(name for name in connection.variables() if not environ.get(name, "").strip())
