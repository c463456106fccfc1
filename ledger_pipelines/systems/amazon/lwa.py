"""Login with Amazon: the connection's settings and its access token.

Belongs here: region, credentials, hosts, the token. Does not belong here: the Reports API (`spapi`).
Facts: amazon-settlement.md 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlencode

import msgspec

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.errors import CredentialError, TransientError
from ledger_pipelines.systems.http import Http
from ledger_pipelines.systems.secrets import Redactor, Secret
from ledger_pipelines.systems.tokens import AccessToken, TokenCache

TOKEN_URL: Final = "https://api.amazon.com/auth/o2/token"  # noqa: S105 - an address
API_HOSTS: Final = (r"(?:sandbox\.)?sellingpartnerapi-(?:na|eu|fe)\.amazon\.com", r"api\.amazon\.com")
DOCUMENT_HOSTS: Final = (r"[a-z0-9][a-z0-9.-]*\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com",)
"""Object storage only: other names under amazonaws.com can be anyone's machine."""


@dataclass(frozen=True, slots=True)
class AmazonConnection:
    """One seller account in one region.

    Args:
        name: Of the connection.
        region: na, eu or fe; a refresh token belongs to one.
        client_id: Of the application.
        client_secret: Of the application.
        refresh_token: Granted by the seller.
        base_url: "" = the region's own.
        token_url: "" = Amazon's.
        sandbox: Whether the addresses, and those of documents, may be on this machine.
        max_document: Largest report, unpacked, in bytes.
        patience: Longest wait for a rate limit, in seconds.
        state_folder: Shared by all processes: rate limits and the token cache. None = this process only.
        run_id: Goes into the user agent.
        ca_bundle: PEM file of certificate authorities, instead of the usual ones.
        proxy: Address of an outgoing proxy.
    """

    name: str
    region: Literal["na", "eu", "fe"]
    client_id: Secret
    client_secret: Secret
    refresh_token: Secret
    base_url: str = ""
    token_url: str = ""
    sandbox: bool = False
    max_document: int = 2 * 2**30
    patience: float = 1800.0
    state_folder: Path | None = None
    run_id: str = ""
    ca_bundle: Path | None = None
    proxy: str | None = None

    @classmethod
    def from_env(
        cls,
        name: str,
        region: Literal["na", "eu", "fe"],
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        base_url: str = "",
        token_url: str = "",
        sandbox: bool = False,
        state_folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> AmazonConnection:
        """From names of environment variables. Raises ConfigurationError when one is missing."""

        def secret(variable: str) -> Secret:
            return Secret.from_env(variable, connection=name, environ=environ)

        return cls(
            name,
            region,
            secret(client_id),
            secret(client_secret),
            secret(refresh_token),
            base_url,
            token_url,
            sandbox=sandbox,
            state_folder=state_folder,
        )

    @property
    def base(self) -> str:
        """Base address of the API."""
        return self.base_url.rstrip("/") or f"https://sellingpartnerapi-{self.region}.amazon.com"


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: int | str = 3600


def lwa_tokens(connection: AmazonConnection, http: Http, clock: Clock, redactor: Redactor) -> TokenCache:
    """The token cache of one connection: one hour's token, renewed at 80 % of it."""
    url = connection.token_url or TOKEN_URL

    def fetch() -> AccessToken:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": connection.refresh_token.reveal(),
            "client_id": connection.client_id.reveal(),
            "client_secret": connection.client_secret.reveal(),
        }
        answer = http.read(
            "POST",
            url,
            pattern="/auth/o2/token",
            headers={"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-store"},
            body=urlencode(form).encode(),
        )
        if not answer.ok:
            word = redactor.clean(answer.body[:10_000].decode("utf-8", "replace"))[:200]
            raise CredentialError(
                f"Amazon refuses a token for connection {connection.name!r}: HTTP {answer.status} {word}",
                remedy="Let the seller authorise the application again, and set the new refresh token.",
            )
        try:
            read = msgspec.json.decode(answer.body, type=_TokenAnswer)
            life = int(read.expires_in)
        except (msgspec.DecodeError, ValueError):
            raise TransientError(
                f"Amazon's token answer for connection {connection.name!r} cannot be read."
            ) from None
        redactor.add(read.access_token)
        return AccessToken.lasting(read.access_token, clock.now(), life)

    parts = (connection.name, url, connection.client_id.reveal(), connection.refresh_token.reveal())
    return TokenCache(fetch, clock, redactor, folder=connection.state_folder, name="amazon", identity=parts)
