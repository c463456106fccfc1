"""What a Cin7 Omni connection is made of.

Belongs here: plain settings. Does not belong here: reading them from a file (`config`), using them (siblings).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ledger_pipelines.systems.secrets import Secret

BASE = "https://api.cin7.com"
API = "/api"


@dataclass(frozen=True, slots=True)
class Cin7Connection:
    """One account, by one API connection of it.

    Args:
        name: Of the connection.
        username: Of the API connection (cin7-omni.md 2).
        key: Of the API connection.
        state_folder: Shared by all processes: the limiters, the day's counter.
        account: What is limited: connections of the same account share its limits. "" = `name`.
        base_url: Without `/api`; "" = Cin7's own.
        sandbox: Whether the address may be on this machine.
        currency: Base currency of the account.
        base_amounts: Whether amounts of foreign orders come back in `currency` (cin7-omni.md 5).
        calls_per_day: Most calls of ours a day; None = only counted.
        calls_per_minute: Most calls in any minute; 0 = not limited.
        seconds_between_calls: 0 = not limited.
        longest_wait: Seconds; when Cin7 asks for more, the account is left alone by all processes until then.
        records_a_call: Most records of one write.
        dispatches_a_call: Most orders that are dispatched by one write.
        stock_branches: Ids of branches whose stock is read; () = all.
        settle_window: How long a call may still take effect after its answer was lost.
        read_timeout: Seconds.
        run_id: Goes into the user agent.
        ca_bundle: PEM file of certificate authorities, instead of the usual ones.
        proxy: Address of an outgoing proxy.
    """

    name: str
    username: Secret
    key: Secret
    state_folder: Path
    account: str = ""
    base_url: str = ""
    sandbox: bool = False
    currency: str = "AUD"
    base_amounts: bool = True
    calls_per_day: int | None = None
    calls_per_minute: int = 60
    seconds_between_calls: float = 0.35  # not money: seconds
    longest_wait: float = 120.0  # not money: seconds
    records_a_call: int = 50
    dispatches_a_call: int = 1
    stock_branches: tuple[int, ...] = ()
    settle_window: timedelta = timedelta(minutes=10)
    read_timeout: float = 120.0  # not money: seconds
    run_id: str = ""
    ca_bundle: Path | None = None
    proxy: str | None = None

    @property
    def base(self) -> str:
        """Address that paths like `/v1/Contacts` follow."""
        given = self.base_url.rstrip("/").removesuffix(API) or BASE
        return given + API

    @property
    def limited(self) -> str:
        """The account whose limits these are, for people."""
        return f"Cin7 account {self.account or self.name}"
