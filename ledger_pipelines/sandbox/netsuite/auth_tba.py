"""Token-based authentication: the OAuth 1.0a HMAC-SHA256 verifier.

Belongs here: header parsing, base string, signature, and every check on nonce, clock and realm.
Does not belong here: who the tokens are (users) or HTTP. Source: netsuite.md section 2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_PAIR = re.compile(r'\s*([A-Za-z0-9_]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
_REQUIRED = (
    "oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature_method", "oauth_signature",
)  # fmt: skip
WINDOW_SECONDS = 300


class TbaRefusedError(Exception):
    """Refused; `cause` is one of the vendor's audit-trail names (netsuite.md 2.5)."""

    def __init__(self, cause: str, token: str = ""):
        super().__init__(cause)
        self.cause = cause
        self.token = token


@dataclass(frozen=True)
class TokenSecrets:
    """What signs: consumer key and secret, token and secret."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


def encode(text: str) -> str:
    """RFC 5849 percent encoding: only letters, digits and `-._~` stay."""
    return quote(text, safe="-._~")


def parse_header(header: str) -> dict[str, str]:
    """The parameters of an `Authorization: OAuth ...` header, decoded, `realm` included. Raises TbaRefusedError."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        raise TbaRefusedError("MissingTokenPassportRequiredFields")
    found: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = _PAIR.match(rest, position)
        if match is None:
            raise TbaRefusedError("parameter_rejected")
        name, value = match.group(1), unquote(match.group(2))
        if name in found:
            raise TbaRefusedError("parameter_rejected")
        found[name] = value
        position = match.end()
    return found


def base_string(method: str, url: str, oauth: Sequence[tuple[str, str]]) -> str:
    """Steps 1 to 3 of netsuite.md 2.3. `oauth` excludes the signature and the realm; `url` keeps its query."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}.get(parts.scheme.lower())
    if parts.port is not None and parts.port != default:
        host = f"{host}:{parts.port}"
    query = parse_qsl(parts.query, keep_blank_values=True)
    pairs = sorted((encode(name), encode(value)) for name, value in [*query, *oauth])
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    where = f"{parts.scheme.lower()}://{host}{parts.path}"
    return "&".join((method.upper(), encode(where), encode(joined)))


def signature(method: str, url: str, oauth: Sequence[tuple[str, str]], secrets: TokenSecrets) -> str:
    """The base64 HMAC-SHA256 of a request."""
    key = f"{encode(secrets.consumer_secret)}&{encode(secrets.token_secret)}"
    digest = hmac.new(key.encode(), base_string(method, url, oauth).encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def check_shape(params: dict[str, str], realm: str) -> None:
    """Everything that needs no secret: fields, algorithm, version, nonce, realm. Raises TbaRefusedError."""
    token = params.get("oauth_token", "")
    missing = [name for name in _REQUIRED if name not in params]
    if missing:
        raise TbaRefusedError("MissingTokenPassportRequiredFields", token)
    if any(not params[name] for name in _REQUIRED):
        raise TbaRefusedError("parameter_rejected", token)
    if params["oauth_signature_method"] != "HMAC-SHA256":
        raise TbaRefusedError("UnknownAlgorithm", token)
    if params.get("oauth_version", "1.0") != "1.0":
        raise TbaRefusedError("VersionRejected", token)
    if len(params["oauth_nonce"]) < 6:
        raise TbaRefusedError("nonce_rejected", token)
    if not params["oauth_timestamp"].isdigit():
        raise TbaRefusedError("InvalidTimestamp", token)
    if params.get("realm") != realm:
        raise TbaRefusedError("parameter_rejected", token)


def check_clock(params: dict[str, str], now: float) -> None:
    """Within five minutes of the server's clock. Raises TbaRefusedError."""
    if abs(now - int(params["oauth_timestamp"])) > WINDOW_SECONDS:
        raise TbaRefusedError("InvalidTimestamp", params["oauth_token"])


def check_signature(method: str, urls: Sequence[str], params: dict[str, str], secrets: TokenSecrets) -> None:
    """The signature must fit one of the addresses that the client may have used. Raises TbaRefusedError."""
    oauth = [(name, value) for name, value in params.items() if name not in {"realm", "oauth_signature"}]
    for url in urls:
        expected = signature(method, url, oauth, secrets)
        if hmac.compare_digest(expected.encode(), params["oauth_signature"].encode()):
            return
    raise TbaRefusedError("InvalidSignature", params["oauth_token"])
