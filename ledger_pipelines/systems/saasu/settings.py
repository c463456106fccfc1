"""What a Saasu connection is made of.

Belongs here: plain settings. Does not belong here: reading them from a file (`config`), using them (siblings).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ledger_pipelines.systems.secrets import Secret

BASE = "https://api.saasu.com"


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A login without two-factor (saasu.md 2.1)."""

    username: Secret
    password: Secret


@dataclass(frozen=True, slots=True)
class AccessKeyCredentials:
    """The older access key of one user and one file; it travels in addresses, which are never logged (saasu.md 2.2)."""

    access_key: Secret


@dataclass(frozen=True, slots=True)
class SaasuConnection:
    """One file.

    Args:
        name: Of the connection.
        file_id: The file.
        credentials: How to log in.
        state_folder: Shared by all processes: the grant, the limiter, the day's counter.
        base_url: "" = Saasu's own.
        sandbox: Whether the address may be on this machine.
        calls_per_day: Most calls of ours a day: a share of the plan's quota. None = only counted.
        seconds_between_calls: Saasu allows one call a second (saasu.md 3.4).
        settle_window: How long a call may still take effect after its answer was lost.
        read_timeout: Seconds.
        run_id: Goes into the user agent.
        ca_bundle: PEM file of certificate authorities, instead of the usual ones.
        proxy: Address of an outgoing proxy.
    """

    name: str
    file_id: int
    credentials: PasswordCredentials | AccessKeyCredentials
    state_folder: Path
    base_url: str = ""
    sandbox: bool = False
    calls_per_day: int | None = None
    seconds_between_calls: float = 1.0  # not money: seconds
    settle_window: timedelta = timedelta(minutes=10)
    read_timeout: float = 60.0  # not money: seconds
    run_id: str = ""
    ca_bundle: Path | None = None
    proxy: str | None = None

    @property
    def base(self) -> str:
        """Base address without a slash at the end."""
        return self.base_url.rstrip("/") or BASE
