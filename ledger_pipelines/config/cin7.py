"""Connections of Cin7 Omni accounts.

Belongs here: their model. Does not belong here: how they are called (`systems/cin7`). Facts: cin7-omni.md 2, 5, 7, 9.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

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

HOST = "api.cin7.com"


class Cin7Key(Model):
    """An API connection of the account (Settings > Integrations > API v1 > Add API connection); not a person's login."""

    username_env: EnvName
    """Variable with the user name of the API connection."""
    key_env: EnvName
    """Variable with its key."""

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this needs."""
        return (self.username_env, self.key_env)


class Cin7ConnectionConfig(Model):
    """One Cin7 Omni account (not Cin7 Core, which has another API)."""

    system: Literal["cin7"]
    """cin7."""
    account: str = Field(default="", max_length=100)
    """What you call the account. Connections with the same name share its limits. Default: the connection's own name."""
    sandbox: bool = False
    """Whether this is the sandbox that comes with ledger_pipelines, not a real account. Allows `base_url`."""
    base_url: Address | None = None
    """Address of the sandbox, without /api. The real one is Cin7's own."""
    auth: Cin7Key
    """How to log in."""
    currency: Currency = "AUD"
    """Base currency of the account: amounts of orders in another one come back in it."""
    amounts_in_base_currency: bool = True
    """Whether amounts of an order in a foreign currency come back in the base currency, as two integrations measured."""
    books_time_zone: TimeZoneName | None = None
    """Time zone of the books its days are cut by, where they are not the books named at the top of this file."""
    calls_per_day_allowed: int = Field(default=5000, ge=1, le=1_000_000)
    """Calls a day that Cin7 allows."""
    share_of_quota: int = Field(default=80, ge=1, le=100)
    """Percent of them that this program may use; the rest is for other programs of the account."""
    calls_per_minute: int = Field(default=60, ge=6, le=600)
    """Most calls in any minute, of all processes of this machine. Cin7 allows 60."""
    seconds_between_calls: float = Field(default=0.35, ge=0, le=60)  # not money: seconds
    """Cin7 allows 3 calls a second."""
    longest_wait_seconds: int = Field(default=120, ge=1, le=3600)
    """When Cin7 asks to wait longer than this, nothing is called until then, by any process: the day's calls are spent."""
    records_a_call: int = Field(default=50, ge=1, le=250)
    """Most records written in one call. Cin7 takes 250; a call whose answer is lost leaves all its records in doubt."""
    dispatches_a_call: int = Field(default=1, ge=1, le=250)
    """Most orders dispatched in one call. Cin7 was seen to answer 500 to a dispatch that it had made."""
    stock_branches: tuple[int, ...] = ()
    """Ids of the branches whose stock is read. Empty: all of them, which takes one call for each 250 rows of each."""
    settle_window_seconds: int = Field(default=600, ge=0, le=86400)
    """How long a write may still take effect after we lost sight of it. Cin7 does not say; see docs/systems/cin7.md."""
    request_timeout_seconds: float = Field(default=120, gt=0, le=900)  # not money: seconds
    """Longest wait for one answer; calls that write many records are slow."""
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
    def _address_fits(self) -> Cin7ConnectionConfig:
        if self.base_url is not None and not self.sandbox:
            host = urlsplit(self.base_url).hostname or ""
            if host != HOST:
                raise ValueError("base_url is not Cin7's; leave it out, or set sandbox: true for the sandbox")
        if self.sandbox and not on_this_machine(self.base_url):
            raise ValueError("sandbox: true needs base_url, on this machine, like http://127.0.0.1:8703")
        return self

    @property
    def calls_per_day(self) -> int:
        """Calls a day that are ours."""
        return max(1, self.calls_per_day_allowed * self.share_of_quota // 100)  # not money: calls

    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables this connection needs."""
        return self.auth.variables()
