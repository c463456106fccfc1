"""NetSuite's two ways to authenticate, and the breaker that keeps a user from being locked out.

Belongs here: OAuth 2.0 machine-to-machine (the default), token-based authentication. Does not belong here: requests.
Facts: netsuite.md 2 and 3. Every attempt is signed afresh; five failures would lock the user for 30 minutes, so three
refusals in a row stop all further calls.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import msgspec
from oauthlib import oauth1

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.errors import ConfigurationError, CredentialError, TransientError
from ledger_pipelines.systems.http import Http
from ledger_pipelines.systems.netsuite.settings import MachineCredentials, TokenCredentials
from ledger_pipelines.systems.secrets import Redactor
from ledger_pipelines.systems.tokens import AccessToken, TokenCache

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE = timedelta(minutes=5)


class Breaker:
    """Counts refusals in a row; open after `limit` of them, until the process starts anew."""

    def __init__(self, connection: str, limit: int = 3) -> None:
        self._connection = connection
        self._limit = limit
        self._count = 0
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise CredentialError when open."""
        if self._count >= self._limit:
            raise CredentialError(
                f"NetSuite refused the credentials of connection {self._connection!r} {self._count} times in a row;"
                " nothing more is sent, because five refusals lock the user for 30 minutes.",
                remedy="Correct the credentials (Setup > Users/Roles > Login Audit Trail tells why), then start again.",
            )

    def note(self, status: int) -> None:
        """Learn from an answer."""
        with self._lock:
            self._count = self._count + 1 if status == 401 else 0


class TbaAuth(httpx.Auth):
    """OAuth 1.0a with HMAC-SHA256 (netsuite.md 2.6). The JSON body is never part of the signature."""

    requires_request_body = False

    def __init__(
        self,
        realm: str,
        credentials: TokenCredentials,
        breaker: Breaker,
        *,
        nonce: Callable[[], str] | None = None,
        timestamp: Callable[[], str] | None = None,
    ) -> None:
        self._realm = realm
        self._credentials = credentials
        self._breaker = breaker
        self._nonce = nonce
        self._timestamp = timestamp

    def _client(self) -> oauth1.Client:
        given = self._credentials
        return oauth1.Client(
            given.consumer_key.reveal(),
            client_secret=given.consumer_secret.reveal(),
            resource_owner_key=given.token_id.reveal(),
            resource_owner_secret=given.token_secret.reveal(),
            signature_method=oauth1.SIGNATURE_HMAC_SHA256,
            realm=self._realm,
            nonce=self._nonce() if self._nonce else None,
            timestamp=self._timestamp() if self._timestamp else None,
        )

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign and send once."""
        self._breaker.check()
        method: Any = request.method  # the stubs allow literals only
        _, headers, _ = self._client().sign(str(request.url), method)
        request.headers["Authorization"] = headers["Authorization"]
        response = yield request
        self._breaker.note(response.status_code)


class MachineAuth(httpx.Auth):
    """Bearer tokens from OAuth 2.0 client credentials; a 401 renews the token once and tries once more.

    A 401 is a definite no (reliability.md 1.3), so that one repetition is safe for writes too.
    """

    requires_request_body = False

    def __init__(self, tokens: TokenCache, breaker: Breaker) -> None:
        self._tokens = tokens
        self._breaker = breaker

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with the token at hand; on 401 with a new one, once."""
        self._breaker.check()
        token = self._tokens.get()
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        self._breaker.note(response.status_code)
        if response.status_code == 401:
            self._breaker.check()
            renewed = self._tokens.get(refused=token)
            request.headers["Authorization"] = f"Bearer {renewed.value}"
            response = yield request
            self._breaker.note(response.status_code)


@lru_cache(maxsize=8)
def _signing_key(algorithm: str, pem: str) -> Any:
    """The key as the signer wants it, kept for the process: reading an RSA key checks its primes, which is slow."""
    return jwt.get_algorithm_by_name(algorithm).prepare_key(pem)


def assertion(credentials: MachineCredentials, audience: str, now: datetime, connection: str) -> str:
    """The signed JWT that asks for a token. Raises ConfigurationError when the key does not fit."""
    claims = {
        "iss": credentials.client_id.reveal(),
        "aud": credentials.audience or audience,
        "scope": ["rest_webservices"],
        "iat": int(now.timestamp()),
        "exp": int((now + _ASSERTION_LIFE).timestamp()),
        "jti": uuid.uuid4().hex,
    }
    try:
        return jwt.encode(
            claims,
            _signing_key(credentials.algorithm, credentials.private_key.reveal()),
            algorithm=credentials.algorithm,
            headers={"typ": "JWT", "kid": credentials.certificate_id.reveal()},
        )
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConfigurationError(
            f"Connection {connection!r}: the private key cannot sign with {credentials.algorithm}"
            f" ({type(error).__name__}).",
            remedy="Give the PEM key that belongs to the uploaded certificate: RSA for PS256, EC for ES256.",
            code="bad-key",
        ) from None


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: int | str = 3600


def machine_tokens(
    connection: str,
    base: str,
    credentials: MachineCredentials,
    http: Http,
    *,
    clock: Clock,
    redactor: Redactor,
    breaker: Breaker,
    folder: Path | None,
) -> TokenCache:
    """The token cache of one connection. `http` carries no authentication of its own."""
    url = base + TOKEN_PATH

    def fetch() -> AccessToken:
        breaker.check()
        signed = assertion(credentials, url, clock.now(), connection)
        redactor.add(signed)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": signed,
        }
        answer = http.read(
            "POST",
            url,
            pattern=TOKEN_PATH,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        if answer.status in {400, 401, 403} and not answer.is_html:
            breaker.note(401)
            word = redactor.clean(answer.body[:10_000].decode("utf-8", "replace"))[:200]
            raise CredentialError(
                f"NetSuite refuses a token for connection {connection!r}: HTTP {answer.status} {word}",
                remedy="Check client id, certificate id, private key and that the integration has M2M enabled.",
            )
        try:
            read = msgspec.convert(answer.json(), _TokenAnswer)
            token = AccessToken.lasting(read.access_token, clock.now(), int(read.expires_in))
        except (msgspec.DecodeError, ValueError):
            raise TransientError(
                f"NetSuite's token answer for connection {connection!r} cannot be read (HTTP {answer.status}).",
                remedy="Nothing was sent; run again later. If it comes back, tell the makers.",
            ) from None
        redactor.add(token.value)
        return token

    parts = (connection, base, credentials.client_id.reveal(), credentials.certificate_id.reveal())
    return TokenCache(fetch, clock, redactor, folder=folder, name="netsuite", identity=parts)
