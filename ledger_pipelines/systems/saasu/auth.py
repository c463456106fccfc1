"""Logging in: one grant shared by all processes of a file, refreshed once on 401; access keys.

Belongs here: tokens. Does not belong here: calls (`client`). Facts: saasu.md 2: a refresh gives a new access token, keeps the
refresh token and kills the old access token, so two processes that refreshed apart would shut each other out.
"""

from __future__ import annotations

from collections.abc import Generator

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.keys import Json, digest
from ledger_pipelines.errors import CredentialError, TransientError
from ledger_pipelines.systems.http import Answer, Http, json_body
from ledger_pipelines.systems.saasu.settings import PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.secrets import Redactor, Secret
from ledger_pipelines.systems.tokens import AccessToken, TokenCache, write_private

TOKEN, REFRESH = "/authorisation/token", "/authorisation/refresh"
TWO_FACTOR = "2fa_code_required"
_REFUSALS = frozenset({400, 401, 403})
"""Statuses by which a login is refused; of any other it is not known."""
_HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "X-Api-Version": "1.0"}


class _Grant(msgspec.Struct):
    access_token: str
    refresh_token: str = ""
    expires_in: int = 10_800
    scope: str = ""


def grants(
    connection: SaasuConnection, given: PasswordCredentials, http: Http, clock: Clock, redactor: Redactor
) -> TokenCache:
    """The file's access token: refreshed while the refresh token is good (12 months), else a new login.

    Fetching raises CredentialError (refused; two-factor; no right to the file) and TransientError.
    """
    for secret in (given.username, given.password):
        redactor.add(secret)
    parts = (connection.name, connection.base, given.username.reveal(), given.password.reveal())
    kept = connection.state_folder / f"saasu-{digest(*parts)[:24]}.refresh"

    def ask(path: str, body: Json) -> Answer:
        return http.read("POST", connection.base + path, pattern=path, headers=_HEADERS, body=json_body(body))

    def fetch() -> AccessToken:
        answer = None
        if kept.exists():
            told = kept.read_text(encoding="utf-8").strip()
            redactor.add(told)
            answer = ask(REFRESH, {"grant_type": "refresh_token", "refresh_token": told})
        if answer is None or answer.status == 401:
            login: Json = {
                "grant_type": "password",
                "username": given.username.reveal(),
                "password": given.password.reveal(),
                "scope": "full",
            }
            answer = ask(TOKEN, login)
        if answer.status in _REFUSALS and not answer.is_html:
            raise _refused(connection.name, answer)
        if not answer.ok:
            raise _strange(connection.name, answer)
        try:
            grant = msgspec.convert(answer.json(), _Grant)
            token = AccessToken.lasting(grant.access_token, clock.now(), grant.expires_in)
        except (msgspec.DecodeError, ValueError):
            raise _strange(connection.name, answer) from None
        for secret in (grant.access_token, grant.refresh_token):
            redactor.add(secret)
        if grant.scope and f"fileid:{connection.file_id}" not in grant.scope.lower().split():
            raise CredentialError(
                f"Saasu connection {connection.name!r}: the login may not open file {connection.file_id}.",
                remedy=f"It may open: {grant.scope.replace('full', '').strip() or 'none'}.",
                code="file-not-allowed",
            )
        if grant.refresh_token:
            write_private(kept, grant.refresh_token.encode())
        return token

    return TokenCache(fetch, clock, redactor, folder=connection.state_folder, name="saasu", identity=parts)


def _strange(name: str, answer: Answer) -> TransientError:
    """An answer that says nothing of the login: a page, half a grant, another address."""
    return TransientError(
        f"Saasu's token answer for connection {name!r} cannot be read (HTTP {answer.status}).",
        remedy="Nothing was sent; run again later. If it comes back, tell the makers.",
    )


def _refused(name: str, answer: Answer) -> CredentialError:
    try:
        body = answer.json()
    except msgspec.DecodeError:
        body = None
    code = str(body.get("error", "")) if isinstance(body, dict) else ""
    if code == TWO_FACTOR:
        return CredentialError(
            f"Saasu connection {name!r}: the login asks for a code by text message (two-factor), which no program can give.",
            remedy="Make a login of its own without two-factor for this program, or use an access key.",
            code="two-factor",
        )
    return CredentialError(
        f"Saasu connection {name!r}: the login is refused (HTTP {answer.status} {code}).",
        remedy="Check user name and password.",
    )


class BearerAuth(httpx.Auth):
    """A bearer token on each call; one that is refused is renewed once, and the call made once more."""

    def __init__(self, tokens: TokenCache) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """A 401 is a definite no: the call was not carried out."""
        token = self._tokens.get()
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code == 401:
            fresh = self._tokens.get(refused=token)
            request.headers["Authorization"] = f"Bearer {fresh.value}"
            yield request


class KeyAuth(httpx.Auth):
    """The access key in the query."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Added at the last moment, so that no address that is shown holds it."""
        request.url = request.url.copy_merge_params({"wsAccessKey": self._key.reveal()})
        yield request
