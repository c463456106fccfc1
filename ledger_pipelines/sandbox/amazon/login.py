"""Login with Amazon: the token endpoint, and the check of access tokens.

Belongs here: grants, expiry, refusals (reference amazon-settlement.md section 14). Does not belong here: the API.
"""

import json
import secrets
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from ledger_pipelines.sandbox.amazon.answers import token_answer, token_error, unauthorized
from ledger_pipelines.sandbox.clock import SandboxClock
from ledger_pipelines.sandbox.state import StateStore
from ledger_pipelines.sandbox.vendor import call_info

CLIENT_ID = "amzn1.application-oa2-client.sandbox00000000000000000000000000"
CLIENT_SECRET = "amzn1.oa2-cs.v1.sandbox-not-a-secret"  # noqa: S105  fake and documented
REFRESH_TOKEN = "Atzr|sandbox-not-a-secret"  # noqa: S105  fake and documented
LIFETIME = timedelta(seconds=3600)
_TOKENS, _META = "amazon.token", "amazon.login"


class Login:
    """Tokens issued, in the state store."""

    def __init__(self, store: StateStore, clock: SandboxClock):
        self._store = store
        self._clock = clock

    def clear(self) -> None:
        """Forget every token."""
        self._store.clear(_TOKENS)
        self._store.clear(_META)

    @property
    def issued(self) -> int:
        """How many access tokens were issued."""
        return int(str(self._store.get(_META, "issued") or 0))

    async def token(self, request: Request) -> Response:
        """``POST /auth/o2/token``."""
        form = _fields(await request.body(), request.headers.get("content-type", ""))
        missing = [name for name in ("grant_type", "client_id", "client_secret") if not form.get(name)]
        if missing:
            return token_error(
                400, "invalid_request", f"The request is missing a required parameter : {missing[0]}"
            )
        if form["grant_type"] != "refresh_token":
            return token_error(400, "unsupported_grant_type", "The requested grant_type is not supported.")
        if form["client_id"] != CLIENT_ID or form["client_secret"] != CLIENT_SECRET:
            return token_error(401, "invalid_client", "Client authentication failed")
        if not form.get("refresh_token"):
            return token_error(
                400, "invalid_request", "The request is missing a required parameter : refresh_token"
            )
        revoked = call_info(request.scope).fault("refresh_token_revoked")
        if form["refresh_token"] != REFRESH_TOKEN or revoked is not None:
            return token_error(
                400, "invalid_grant", "The request has an invalid grant parameter : refresh_token"
            )
        return token_answer(
            {
                "access_token": self._issue(),
                "refresh_token": REFRESH_TOKEN,
                "token_type": "bearer",
                "expires_in": int(LIFETIME.total_seconds()),
            }
        )

    def _issue(self) -> str:
        token = f"Atza|{secrets.token_urlsafe(48)}"
        now = self._clock.now()
        with self._store.transaction():
            number = self.issued + 1
            if number % 100 == 0:
                self._forget_those_expired_before(now - timedelta(days=1))
            self._store.put(_TOKENS, token, (now + LIFETIME).isoformat())
            self._store.put(_META, "issued", number)
        return token

    def _forget_those_expired_before(self, instant: datetime) -> None:
        for token, expires in self._store.items(_TOKENS):
            if datetime.fromisoformat(str(expires)) < instant:
                self._store.delete(_TOKENS, token)

    def refusal(self, request: Request) -> Response | None:
        """403 when the call's access token is missing, unknown or expired; ``None`` when it is good."""
        info = call_info(request.scope)
        token = request.headers.get("x-amz-access-token")
        expires = None if token is None else self._store.get(_TOKENS, token)
        if expires is None:
            return unauthorized()
        if (
            datetime.fromisoformat(str(expires)) <= info.received_at
            or info.fault("token_expired") is not None
        ):
            return unauthorized("The access token you provided has expired.")
        return None


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    # Some public clients send JSON here and Amazon takes it; the documented form is form-encoded.
    if content_type.startswith("application/json"):
        try:
            given = json.loads(body)
        except ValueError:
            return {}
        return {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    return dict(parse_qsl(body.decode("utf-8", errors="replace")))
