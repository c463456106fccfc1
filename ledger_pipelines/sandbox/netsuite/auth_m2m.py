"""OAuth 2.0 client credentials with a certificate: the token endpoint's checks, and bearer tokens.

Belongs here: assertion and token JWTs. Does not belong here: who the clients are (users) or HTTP.
Source: netsuite.md section 3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import jwt

from ledger_pipelines.sandbox.codec import Document

ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES = frozenset({"restlets", "rest_webservices", "suite_analytics"})
LIFE_SECONDS = 3600
_SECRET = hashlib.sha256(b"ledger sandbox netsuite access tokens").hexdigest()


class TokenRefusedError(Exception):
    """The token endpoint's refusal: HTTP status, OAuth error code, and the cause for the audit trail."""

    def __init__(self, status: int, error: str, cause: str):
        super().__init__(cause)
        self.status = status
        self.error = error
        self.cause = cause


@dataclass(frozen=True)
class Certificate:
    """A registered client: its certificate id (`kid`), public key (PEM) and the role and entity it acts as."""

    client_id: str
    certificate_id: str
    public_key_pem: str
    role: int
    entity: int


@dataclass(frozen=True)
class Bearer:
    """A valid access token."""

    role: int
    entity: int
    client_id: str
    scopes: frozenset[str]


def issue(
    form: Mapping[str, str], certificates: Collection[Certificate], audiences: Collection[str], now: datetime
) -> Document:
    """Answer a token request: `{"access_token", "expires_in": 3600, "token_type": "Bearer"}`.

    Raises TokenRefusedError: 400 invalid_request (field missing or wrong), 401 invalid_client (unknown `iss`),
    400 invalid_grant (signature, kid, aud, life, scope).
    """
    for name in ("grant_type", "client_assertion_type", "client_assertion"):
        if not form.get(name):
            raise TokenRefusedError(400, "invalid_request", f"{name} is missing")
    if form["grant_type"] != "client_credentials":
        raise TokenRefusedError(400, "unsupported_grant_type", "grant_type")
    if form["client_assertion_type"] != ASSERTION_TYPE:
        raise TokenRefusedError(400, "invalid_request", "client_assertion_type")
    certificate, claims = _verify(form["client_assertion"], certificates, audiences)
    stamp = now.timestamp()
    try:
        issued, expires = float(claims["iat"]), float(claims["exp"])
    except (KeyError, TypeError, ValueError) as error:
        raise TokenRefusedError(400, "invalid_grant", "iat and exp are needed") from error
    if expires - issued >= LIFE_SECONDS:
        raise TokenRefusedError(400, "invalid_grant", "exp must be less than 60 minutes after iat")
    if expires <= stamp:
        raise TokenRefusedError(400, "invalid_grant", "the assertion has expired")
    if issued > stamp + 300:
        raise TokenRefusedError(400, "invalid_grant", "iat is in the future")
    scopes = _scopes(claims.get("scope"))
    payload = {
        "sub": f"{certificate.role};{certificate.entity}",
        "aud": [certificate.client_id],
        "scope": sorted(scopes),
        "iss": "sandbox",
        "iat": int(stamp),
        "exp": int(stamp) + LIFE_SECONDS,
    }
    token = jwt.encode(payload, _SECRET, algorithm="HS256")
    return {"access_token": token, "expires_in": LIFE_SECONDS, "token_type": "Bearer"}


def _verify(
    assertion: str, certificates: Collection[Certificate], audiences: Collection[str]
) -> tuple[Certificate, Document]:
    try:
        header = jwt.get_unverified_header(assertion)
        unverified = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise TokenRefusedError(400, "invalid_grant", "the assertion is not a JWT") from error
    mine = [item for item in certificates if item.client_id == unverified.get("iss")]
    if not mine:
        raise TokenRefusedError(401, "invalid_client", "unknown iss")
    certificate = next((item for item in mine if item.certificate_id == header.get("kid")), None)
    if certificate is None:
        raise TokenRefusedError(400, "invalid_grant", "unknown kid")
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefusedError(400, "invalid_grant", f"algorithm {header.get('alg')} is not accepted")
    try:
        claims: Document = jwt.decode(
            assertion,
            certificate.public_key_pem,
            algorithms=[str(header["alg"])],
            audience=list(audiences),
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidAudienceError as error:
        raise TokenRefusedError(400, "invalid_grant", "wrong aud") from error
    except (jwt.InvalidTokenError, jwt.InvalidKeyError) as error:
        raise TokenRefusedError(400, "invalid_grant", f"bad signature: {error}") from error
    return certificate, claims


def _scopes(value: object) -> frozenset[str]:
    if isinstance(value, str):
        found = frozenset(value.replace(",", " ").split())
    elif isinstance(value, list):
        found = frozenset(str(item) for item in value)
    else:
        found = frozenset()
    if not found or not found <= SCOPES:
        raise TokenRefusedError(400, "invalid_grant", f"scope must name some of {sorted(SCOPES)}")
    return found


def read_bearer(token: str, now: datetime) -> Bearer | None:
    """The identity of an access token that this server issued and that has not expired, else None."""
    try:
        claims = jwt.decode(
            token,
            _SECRET,
            algorithms=["HS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError:
        return None
    if float(claims["exp"]) <= now.timestamp():
        return None
    role, _, entity = str(claims["sub"]).partition(";")
    return Bearer(int(role), int(entity), str(claims["aud"][0]), frozenset(claims["scope"]))
