"""Logins: password grant with refresh, two-factor, access keys; which files a login reaches.

Belongs here: tokens, refusals. Does not belong here: the limits. Source: saasu.md 2.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from ledger_pipelines.sandbox.codec import MalformedJsonError, loads
from ledger_pipelines.sandbox.saasu.answers import json_answer, unauthorised
from ledger_pipelines.sandbox.saasu.book import Book
from ledger_pipelines.sandbox.vendor import call_info

LIFE = timedelta(seconds=10_800)
REFRESH_LIFE = timedelta(days=365)
ACCESS, REFRESH = "access", "refresh"
CODE = "123456"


@dataclass(frozen=True, slots=True)
class Login:
    """A user of Saasu. Fixed, public and fake."""

    username: str
    password: str
    files: tuple[int, ...]
    access_key: str
    two_factor: bool = False


BOOKS = Login(
    "books@harbourtea.example", "sandbox-not-a-secret", (5150, 6021), "5a0d1e9c4b7f42d8a3c6e1f09b8d7c21"
)
OWNER = Login(
    "owner@harbourtea.example",
    "sandbox-not-a-secret",
    (5150,),
    "0c9b8a7d6e5f41328a7b6c5d4e3f2a10",
    two_factor=True,
)
LOGINS = {login.username: login for login in (BOOKS, OWNER)}
_BY_KEY = {login.access_key: login for login in LOGINS.values()}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls. echo: what an access key adds to links ("" for a token)."""

    login: Login
    echo: str = ""


class Gate:
    """Grants and checks."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def token(self, request: Request) -> Response:
        """`POST /authorisation/token` and `/authorisation/token-2fa`."""
        sent = _json(await request.body())
        login = LOGINS.get(str(sent.get("username", "")).strip().lower())
        if sent.get("grant_type") != "password":
            return _refused("unsupported_grant_type", "grant_type must be password.")
        if login is None or sent.get("password") != login.password:
            return _refused("invalid_grant", "The user name or password is incorrect.")
        second = login.two_factor or (login is BOOKS and self._book.settings.two_factor)
        given = sent.get("verification_code")
        if second and not (request.url.path.lower().endswith("/token-2fa") and given == CODE):
            return _refused("2fa_code_required", "A verification code is required.")
        return json_answer(self._grant(login, secrets.token_hex(8)))

    async def refresh(self, request: Request) -> Response:
        """`POST /authorisation/refresh`: a new access token, the same refresh token; the old access token dies."""
        sent = _json(await request.body())
        told = str(sent.get("refresh_token", ""))
        kept = self._kept(told)
        if (
            sent.get("grant_type") != "refresh_token"
            or kept is None
            or kept[1] != REFRESH
            or self._over(kept[3])
        ):
            return _refused("invalid_grant", "The refresh token is invalid.")
        if call_info(request.scope).fault("refresh_token_revoked") is not None:
            return _refused("invalid_grant", "The refresh token is invalid.")
        return json_answer(self._grant(LOGINS[kept[0]], kept[2], told))

    def _grant(self, login: Login, family: str, refresh: str = "") -> dict[str, object]:
        store, now = self._book.store, self._book.now()
        access = f"eyJ0eXAi.{secrets.token_urlsafe(32)}"
        told = refresh or f"eyJ0eXAi.{secrets.token_urlsafe(32)}"
        with store.transaction():
            store.db.execute("DELETE FROM saasu_token WHERE family = ? AND kind = ?", (family, ACCESS))
            rows = [(access, login.username, ACCESS, family, (now + LIFE).isoformat())]
            if not refresh:
                rows.append((told, login.username, REFRESH, family, (now + REFRESH_LIFE).isoformat()))
            store.db.executemany("INSERT INTO saasu_token VALUES (?,?,?,?,?)", rows)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(LIFE.total_seconds()),
            "refresh_token": told,
            "scope": " ".join(["full", *(f"fileid:{file}" for file in login.files)]),
        }

    def _kept(self, token: str) -> tuple[str, str, str, str] | None:
        found: tuple[str, str, str, str] | None = self._book.store.db.execute(
            "SELECT login, kind, family, expires FROM saasu_token WHERE token = ?", (token,)
        ).fetchone()
        return found

    def _over(self, expires: str, at: datetime | None = None) -> bool:
        return datetime.fromisoformat(expires) <= (at or self._book.now())

    def identify(self, request: Request, params: dict[str, str]) -> Identity:
        """Who calls. Raises SaasuError (401)."""
        info = call_info(request.scope)
        if info.fault("token_expired") is not None:
            raise unauthorised()
        key = params.get("wsaccesskey")
        if key:
            login = _BY_KEY.get(key.lower())
            if login is None:
                raise unauthorised()
            return Identity(login, f"&wsaccesskey={key}")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        kept = self._kept(token.strip()) if scheme.lower() == "bearer" else None
        at = info.received_at.astimezone(UTC).replace(tzinfo=None)
        if kept is None or kept[1] != ACCESS or self._over(kept[3], at):
            raise unauthorised()
        return Identity(LOGINS[kept[0]])

    @staticmethod
    def file_of(identity: Identity, params: dict[str, str]) -> int:
        """The file of the call. Raises SaasuError (401) when it is missing, 0 or not the login's."""
        told = params.get("fileid", "")
        if not told.isdigit() or int(told) not in identity.login.files:
            raise unauthorised()
        return int(told)


def _json(body: bytes) -> dict[str, object]:
    try:
        sent = loads(body)
    except MalformedJsonError:
        return {}
    return sent if isinstance(sent, dict) else {}


def _refused(error: str, description: str) -> Response:
    return json_answer({"error": error, "error_description": description}, 401)
