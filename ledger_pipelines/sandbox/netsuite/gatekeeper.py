"""Who is calling: every request's credentials against users, nonces, locks and the audit trail.

Belongs here: the decision, and what is written down about it. Does not belong here: cryptography (auth_*).
Source: netsuite.md 2.4, 2.5, 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ledger_pipelines.sandbox.netsuite import auth_m2m, auth_tba
from ledger_pipelines.sandbox.netsuite.auth_tba import TbaRefusedError
from ledger_pipelines.sandbox.netsuite.clock import utc_text
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import invalid_login
from ledger_pipelines.sandbox.netsuite.users import ROLES, TOKENS, Identity

FAILURES_TO_LOCK = 5
LOCK_SECONDS = 1800
_NONCE_LIFE = 600
_COUNTED = frozenset({"InvalidSignature", "InvalidTimestamp", "NonceUsed", "token_rejected"})


class Gatekeeper:
    """Verifies requests for one company."""

    def __init__(self, company: Company):
        self.company = company

    def identify(self, method: str, urls: Sequence[str], authorization: str, at: datetime) -> Identity:
        """The caller of a request received at `at` (UTC). Raises NetSuiteError 401, always the same body."""
        scheme = authorization.partition(" ")[0].lower()
        if scheme == "bearer":
            return self._bearer(authorization.partition(" ")[2].strip(), at)
        try:
            return self._tba(method, urls, authorization, at)
        except TbaRefusedError as refused:
            self._fail(refused, at)
            raise invalid_login() from refused

    def _bearer(self, token: str, at: datetime) -> Identity:
        bearer = auth_m2m.read_bearer(token, at)
        if bearer is None or bearer.role not in ROLES:
            self.audit("oauth2", "failure", "invalid_grant", "", at)
            raise invalid_login()
        if "rest_webservices" not in bearer.scopes:
            self.audit("oauth2", "failure", "scope", bearer.client_id, at)
            raise invalid_login()
        return Identity(ROLES[bearer.role], bearer.client_id)

    def _tba(self, method: str, urls: Sequence[str], authorization: str, at: datetime) -> Identity:
        params = auth_tba.parse_header(authorization)
        token = params.get("oauth_token", "")
        auth_tba.check_shape(params, self.company.features.account)
        known = TOKENS.get(token)
        if known is None:
            raise TbaRefusedError("token_rejected", token)
        secrets, role = known
        if params["oauth_consumer_key"] != secrets.consumer_key:
            raise TbaRefusedError("consumer_key_unknown", token)
        if self._locked_until(token) > at.timestamp():
            raise TbaRefusedError("temporary_locked", token)
        auth_tba.check_clock(params, at.timestamp())
        auth_tba.check_signature(method, urls, params, secrets)
        self._use_nonce(token, params["oauth_nonce"], int(params["oauth_timestamp"]), at)
        return Identity(ROLES[role], token)

    def _use_nonce(self, token: str, nonce: str, stamp: int, at: datetime) -> None:
        db = self.company.store.db
        with self.company.store.aside(), self.company.store.transaction():
            db.execute("DELETE FROM ns_nonce WHERE stamp < ?", (at.timestamp() - _NONCE_LIFE,))
            used = db.execute(
                "INSERT OR IGNORE INTO ns_nonce VALUES (?, ?, ?)", (token, nonce, stamp)
            ).rowcount
            db.execute("DELETE FROM ns_lock WHERE token = ?", (token,))
        if not used:
            raise TbaRefusedError("NonceUsed", token)

    def _locked_until(self, token: str) -> float:
        found = self.company.store.db.execute(
            "SELECT locked_until FROM ns_lock WHERE token = ?", (token,)
        ).fetchone()
        return float(found[0] or 0) if found else 0.0

    def _fail(self, refused: TbaRefusedError, at: datetime) -> None:
        with self.company.store.transaction():
            self.audit("tba", "failure", refused.cause, refused.token, at)
            if refused.cause not in _COUNTED or refused.token not in TOKENS:
                return
            db = self.company.store.db
            db.execute(
                "INSERT INTO ns_lock VALUES (?, 1, 0) ON CONFLICT (token) DO UPDATE SET failures = "
                "CASE WHEN locked_until > 0 AND locked_until <= ? THEN 1 ELSE failures + 1 END, "
                "locked_until = CASE WHEN locked_until <= ? THEN 0 ELSE locked_until END",
                (refused.token, at.timestamp(), at.timestamp()),
            )
            db.execute(
                "UPDATE ns_lock SET locked_until = ? WHERE token = ? AND failures >= ? AND locked_until = 0",
                (at.timestamp() + LOCK_SECONDS, refused.token, FAILURES_TO_LOCK),
            )

    def audit(
        self, kind: str, outcome: str, cause: str, identity: str, at: datetime, detail: str = ""
    ) -> None:
        """Write one line of the login audit trail."""
        self.company.store.db.execute(
            "INSERT INTO ns_audit (at, kind, outcome, cause, identity, detail) VALUES (?, ?, ?, ?, ?, ?)",
            (utc_text(at), kind, outcome, cause, identity, detail),
        )
