"""What a NetSuite connection is made of, and the account id in its two spellings.

Belongs here: plain settings. Does not belong here: reading them from a file (`config`), using them (siblings).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.secrets import Secret

Algorithm = Literal["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


@dataclass(frozen=True, slots=True)
class MachineCredentials:
    """OAuth 2.0 machine-to-machine (netsuite.md 3).

    Args:
        client_id: Of the integration record.
        certificate_id: Shown in the M2M set-up page; becomes the `kid`.
        private_key: PEM.
        algorithm: RS256 is not accepted by NetSuite.
        audience: The `aud` claim; "" = the token address itself.
    """

    client_id: Secret
    certificate_id: Secret
    private_key: Secret
    algorithm: Algorithm = "PS256"
    audience: str = ""

    @classmethod
    def from_env(
        cls,
        connection: str,
        *,
        client_id: str,
        certificate_id: str,
        private_key: str = "",
        private_key_path: str = "",
        algorithm: Algorithm = "PS256",
        environ: Mapping[str, str] | None = None,
    ) -> MachineCredentials:
        """From names of environment variables; the key directly, or the path of its file.

        Raises:
            ConfigurationError: a variable is missing.
        """

        def secret(name: str) -> Secret:
            return Secret.from_env(name, connection=connection, environ=environ)

        if private_key_path:
            key = Secret.from_file_env(private_key_path, connection=connection, environ=environ)
        else:
            key = secret(private_key)
        return cls(secret(client_id), secret(certificate_id), key, algorithm)


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """Token-based authentication, OAuth 1.0a with HMAC-SHA256 (netsuite.md 2). Ends with 2028.1."""

    consumer_key: Secret
    consumer_secret: Secret
    token_id: Secret
    token_secret: Secret

    @classmethod
    def from_env(
        cls,
        connection: str,
        *,
        consumer_key: str,
        consumer_secret: str,
        token_id: str,
        token_secret: str,
        environ: Mapping[str, str] | None = None,
    ) -> TokenCredentials:
        """From names of environment variables. Raises ConfigurationError when one is missing."""
        names = (consumer_key, consumer_secret, token_id, token_secret)
        return cls(*(Secret.from_env(n, connection=connection, environ=environ) for n in names))


@dataclass(frozen=True, slots=True)
class NetSuiteConnection:
    """One NetSuite account.

    Args:
        name: Of the connection.
        account: Account id in any spelling (`9123456_SB2`, `9123456-sb2`).
        credentials: M2M (default way) or TBA.
        base_url: "" = the account's own host.
        sandbox: Whether base_url may be on this machine.
        time_zone: The account's (Setup > Company > General Preferences): SuiteQL times are in it.
        concurrency: Calls under way at once, of all processes; a standard account has 5 for all its programs.
        settle_window: How long a request whose answer was lost may still be applied (15 min request limit).
        one_world: Whether the account has subsidiaries. Without, no query names one.
        multi_currency: Whether transactions have a currency field.
        base_currency: ISO code used where multi_currency is off.
        order_id_fields: Transaction body columns that may hold the order id, in order of trust.
        order_item_field: Transaction line column that holds the channel's order item id; "" = none.
        summary_record: Script id of the settlement summary record type.
        transaction_record: Script id of the settlement transaction record type.
        deletable: Record kinds besides custom records that VOID may delete.
        read_timeout: Seconds.
        batch_wait: Seconds to wait for an asynchronous batch before its rest is called unknown.
        state_folder: Shared by all processes: slots and the token cache. None = this process only.
        run_id: Goes into the user agent.
        ca_bundle: PEM file of certificate authorities, instead of the usual ones.
        proxy: Address of an outgoing proxy.
    """

    name: str
    account: str
    credentials: MachineCredentials | TokenCredentials
    base_url: str = ""
    sandbox: bool = False
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("America/Los_Angeles"))
    concurrency: int = 2
    settle_window: timedelta = timedelta(minutes=16)
    one_world: bool = True
    multi_currency: bool = True
    base_currency: str = "USD"
    order_id_fields: tuple[str, ...] = ("otherrefnum",)
    order_item_field: str = ""
    summary_record: str = "customrecord_azs_summary"
    transaction_record: str = "customrecord_azs_txn"
    deletable: frozenset[str] = frozenset()
    read_timeout: float = 180.0  # not money: seconds
    batch_wait: float = 900.0  # not money: seconds
    state_folder: Path | None = None
    run_id: str = ""
    ca_bundle: Path | None = None
    proxy: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)?", self.account, re.ASCII):
            raise ConfigurationError(
                f"Connection {self.name!r}: {self.account!r} is not a NetSuite account id.",
                remedy="It looks like 9123456 or 9123456_SB1 (Setup > Company > Company Information).",
            )
        columns = (*self.order_id_fields, *filter(None, [self.order_item_field]))
        for name in (*columns, self.summary_record, self.transaction_record):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name, re.ASCII):
                raise ConfigurationError(
                    f"Connection {self.name!r}: {name!r} is not a NetSuite field or record id.",
                    remedy="Use the script id in lower case, like custbody_azs_order_id.",
                )

    @property
    def realm(self) -> str:
        """`9123456_SB2`: how the account is named in signatures."""
        return self.account.upper().replace("-", "_")

    @property
    def base(self) -> str:
        """`https://9123456-sb2.suitetalk.api.netsuite.com`, or the address given."""
        host = self.account.lower().replace("_", "-")
        return self.base_url.rstrip("/") or f"https://{host}.suitetalk.api.netsuite.com"
