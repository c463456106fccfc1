"""The one HTTP stack: time-outs, retries by meaning, allow list, size limit, redaction, call counts.

Belongs here: what is true of HTTP for every vendor. Does not belong here: what a vendor's status or body means,
its authentication, its rates (`systems/<vendor>`).

Reads are retried within a budget. **Writes are never retried** and never travel on a used connection, because a
reset on a stale connection cannot be told from an accepted write (reliability.md 1.3). Every failure of a call is
one of two: `TransientError` = definitely not sent, `UnknownOutcomeError` = may have been applied (writes only).
"""

from __future__ import annotations

import importlib.metadata
import ipaddress
import logging
import random
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import CredentialsRefused, NotSent, Unknown
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.errors import (
    ConfigurationError,
    CredentialError,
    LedgerError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from ledger_pipelines.machine import explained
from ledger_pipelines.systems.secrets import RedactingFilter, Redactor, guard_logs

NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Nothing of the request left: DNS, refused or timed out connect, TLS set-up, no free connection."""

_OURS = frozenset({"too-many-files", "out-of-memory"})
LATER: Final = "Nothing is lost; run again later. If it comes back, tell the makers."
"""What to do about an answer that is none."""
LONGEST_WORDS: Final = 500
"""Characters of an answer that are kept as the vendor's words: their sentences have fewer."""
SANDBOX_HINT = "Start the sandbox: ledger-pipelines sandbox"
"""What helps where nobody listens at the address of a connection declared `sandbox: true`."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
DEEPEST: Final = 100
"""Lists and objects in each other, at most: no vendor's record comes near, and what walks through one needs no more."""
_HTML = re.compile(rb"^\s*(?:<!doctype\s+html|<html)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AllowList:
    """Where a connection may call: https on hosts matching one of `hosts` (regular expressions, whole host).

    Args:
        hosts: Patterns of host names, lower case.
        sandbox: Also allow http and https on the loopback address: for connections declared `sandbox: true`.
    """

    hosts: tuple[str, ...]
    sandbox: bool = False

    def check(self, url: httpx.URL, connection: str) -> None:
        """Raise ConfigurationError unless the address may be called."""
        host = url.host.lower()
        if self.sandbox and host in _LOOPBACK and url.scheme in {"http", "https"} and not url.userinfo:
            return
        fits = any(re.fullmatch(pattern, host) for pattern in self.hosts)
        if url.scheme == "https" and fits and url.port in {None, 443} and not url.userinfo:
            return
        raise ConfigurationError(
            f"Connection {connection!r} may not call {url.scheme}://{host}.",
            remedy="Use the vendor's own https address; `sandbox: true` allows one on this machine.",
            code="address-not-allowed",
        )


@dataclass(frozen=True, slots=True)
class Retries:
    """How reads are retried: at most `attempts` calls within `budget` seconds, waits doubling from `first`."""

    attempts: int = 6
    first: float = 1.0
    cap: float = 60.0
    budget: float = 300.0


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """What one connection's calls are bound by. Times in seconds, sizes in bytes."""

    connection: str
    allow: AllowList
    connect_timeout: float = 10.0
    read_timeout: float = 180.0
    body_deadline: float = 600.0
    max_body: int = 64 * 2**20
    retries: Retries = field(default_factory=Retries)
    run_id: str = ""
    ca_bundle: Path | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `pattern` is the path with ids replaced, as calls are counted."""

    status: int
    headers: httpx.Headers
    body: bytes
    method: str
    pattern: str
    received: datetime

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def is_html(self) -> bool:
        """Whether a gateway's page came instead of an answer of the vendor's program."""
        return "html" in self.headers.get("content-type", "").lower() or bool(_HTML.match(self.body[:256]))

    @property
    def instead(self) -> str:
        """What came in place of an answer of the vendor's program, in words; empty when it may be one."""
        if self.is_html:
            return "a web page in place of an answer"
        if 300 <= self.status < 400:
            return "another address in place of an answer, which is not followed"
        return ""

    def json(self) -> Json:
        """The body as JSON, fractions as Decimals. Raises msgspec.DecodeError, also when it is nested deeper than `DEEPEST`."""
        value = decode(self.body)
        if self.body.count(b"[") + self.body.count(b"{") > DEEPEST:
            _refuse_deep(value)
        return value

    @property
    def retry_after(self) -> float | None:
        """Seconds the other side asks to wait: `Retry-After` in its seconds or date form."""
        return retry_after(self.headers, self.received)

    @property
    def server_time(self) -> datetime | None:
        """The `Date` header, UTC."""
        return _http_date(self.headers.get("date", ""))


@dataclass(frozen=True, slots=True)
class CallCount:
    """How often one operation was called."""

    connection: str
    method: str
    pattern: str
    count: int


def _http_date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _refuse_deep(value: Json) -> None:
    """Raise msgspec.DecodeError when lists and objects lie in each other too deep; level by level, without recursion."""
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise msgspec.DecodeError("JSON is nested too deep")


def retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds to wait by the `Retry-After` header; None when absent or unreadable."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(?:\.\d+)?", text, re.ASCII):
        return float(text)
    when = _http_date(text) if text else None
    return None if when is None else max(0.0, (when - now).total_seconds())


def query_string(params: Mapping[str, str | int]) -> str:
    """`?a=b&c=d` with blanks as %20 (netsuite.md 2.6); "" for none."""
    return (
        "?" + urlencode({k: str(v) for k, v in params.items()}, quote_via=quote, safe=",") if params else ""
    )


def classify(outcome: Answer | LedgerError) -> NotSent | Unknown | CredentialsRefused | None:
    """The ending of a *write* as far as HTTP alone can tell (reliability.md 1.3).

    None: the target answered in its own words (2xx or 4xx that is not HTML); its connector reads them.
    """
    if isinstance(outcome, CredentialError):
        return CredentialsRefused(str(outcome))
    if isinstance(outcome, TransientError):
        return NotSent(str(outcome), outcome.retry_after)
    if isinstance(outcome, LedgerError):
        return Unknown(str(outcome))
    if outcome.status == 429:
        return NotSent("The target asks to slow down (HTTP 429).", outcome.retry_after)
    if outcome.status == 401:
        return CredentialsRefused("The target refuses the credentials (HTTP 401).")
    if outcome.is_html or outcome.status >= 500 or outcome.status < 200 or 300 <= outcome.status < 400:
        return Unknown(f"HTTP {outcome.status} does not tell whether the record was written.")
    return None


@lru_cache(maxsize=64)
def user_agent(run_id: str = "") -> str:
    """Product, version and, if given, the run that calls."""
    try:
        version = importlib.metadata.version("ledger-pipelines")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    return f"ledger-pipelines/{version}" + (f" (run {run_id})" if run_id else "")


def _refuse_private(host: str, port: int, connection: str) -> None:
    """Raise ConfigurationError when a public name leads into a private network. DNS failures are left to httpx."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for *_, address in found:
        if not ipaddress.ip_address(str(address[0]).split("%")[0]).is_global:
            raise ConfigurationError(
                f"Connection {connection!r}: {host} leads to an address inside a private network.",
                remedy="Check the name server, or name a proxy in the connection.",
                code="address-not-allowed",
            )


@lru_cache(maxsize=8)
def _tls(bundle: str | None) -> ssl.SSLContext:
    """What every connection verifies with; once a process, since reading the authorities takes 20 ms."""
    context = ssl.create_default_context(cafile=bundle) if bundle else httpx.create_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Http:
    """Calls of one connection. Safe to share between threads; close when done.

    Args:
        settings: Bounds of the calls.
        clock: Waits and dates.
        redactor: Learns every secret of the connection; cleans every text that leaves here.
        auth: Signs each attempt; raises CredentialError or TransientError before anything is sent.
        transport: For tests.
        slot: Gives a context held for the length of each call (`limits.Slots.hold`).
        chance: Spreads the waits between repeated reads.
    """

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        redactor: Redactor,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        slot: Callable[[], AbstractContextManager[None]] = nullcontext,
        chance: random.Random | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.redactor = redactor
        self._slot = slot
        self._random = chance or random.Random()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._real = transport is None
        quiet_wire_logs(redactor)
        verify: ssl.SSLContext | bool = True
        if transport is None:
            verify = _tls(None if settings.ca_bundle is None else str(settings.ca_bundle))

        def client(keepalive: int) -> httpx.Client:
            return httpx.Client(
                timeout=httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout),
                limits=httpx.Limits(max_keepalive_connections=keepalive, keepalive_expiry=5.0),
                headers={"User-Agent": user_agent(settings.run_id), "Accept-Encoding": "gzip"},
                follow_redirects=False,
                trust_env=False,
                verify=verify,
                proxy=settings.proxy,
                transport=transport,
                auth=auth,
                event_hooks={"request": [self._count]},
            )

        self._reads = client(4)
        self._writes = client(0)

    def close(self) -> None:
        """Close all connections."""
        self._reads.close()
        self._writes.close()

    def calls(self) -> list[CallCount]:
        """What has been called so far, retries included, in alphabetical order."""
        with self._lock:
            counts = sorted(self._counts.items(), key=lambda item: (item[0][1], item[0][0]))
        return [CallCount(self.settings.connection, method, pattern, n) for (method, pattern), n in counts]

    def read(
        self,
        method: str,
        url: str,
        *,
        pattern: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        unusable: Callable[[Answer], TransientError | None] | None = None,
    ) -> Answer:
        """A call that changes nothing. Retried on 429, 5xx and transport errors within the budget.

        Args:
            method: HTTP method; a POST that only reads (SuiteQL, tokens) is a read.
            url: Absolute address.
            pattern: Path with ids replaced, for counting.
            headers: More headers.
            body: Request body.
            unusable: What is wrong with an answer that is worth another attempt, in the vendor's terms; raised with the
                number of attempts when none is left. None = nothing is wrong; 429 and 5xx are never taken for an answer.

        Raises:
            TransientError: no answer worth having within the budget. StorageError: no handle or memory for a call.
            ConfigurationError: the address is not allowed.
        """
        policy = self.settings.retries
        started = self.clock.now()
        attempt = 0
        while True:
            attempt += 1
            wanted: float | None = None
            remedy = ""
            try:
                answer = self._call(self._reads, method, url, pattern=pattern, headers=headers, body=body)
            except BodyError as error:
                raise PermanentError(self._words(method, pattern, error), code="body-refused") from None
            except httpx.HTTPError as error:
                self._raise_refusal(error)
                problem, remedy = self._words(method, pattern, error), self._remedy(error)
            else:
                again = answer.status == 429 or answer.status >= 500
                wrong = None if unusable is None else unusable(answer)
                if not again and wrong is None:
                    return answer
                problem = (
                    f"{method} {pattern} of connection {self.settings.connection!r}: HTTP {answer.status}."
                    if wrong is None
                    else wrong.message
                )
                remedy = "" if wrong is None else wrong.remedy
                wanted = answer.retry_after
            wait = self._random.uniform(0, min(policy.cap, policy.first * 2 ** (attempt - 1)))
            wait = wait if wanted is None else wanted + min(wait, 1.0)
            spent = (self.clock.now() - started).total_seconds()
            if attempt >= policy.attempts or spent + wait > policy.budget:
                raise TransientError(
                    f"{problem} Gave up after {attempt} attempts.",
                    remedy=remedy or "Try again later.",
                    code="no-answer",
                    retry_after=wanted,
                )
            self.clock.sleep(wait)

    def read_once(
        self,
        method: str,
        url: str,
        *,
        pattern: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One attempt at a call that changes nothing, for connectors with retry rules of their own.

        Raises:
            TransientError: no whole answer. PermanentError: an answer too large.
        """
        try:
            return self._call(self._reads, method, url, pattern=pattern, headers=headers, body=body)
        except BodyError as error:
            raise PermanentError(self._words(method, pattern, error), code="body-refused") from None
        except httpx.HTTPError as error:
            raise self.failure(method, pattern, error) from None

    def write(
        self,
        method: str,
        url: str,
        *,
        pattern: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """A call that may change something: one attempt, on a fresh connection. Any status is returned.

        Raises:
            TransientError: definitely not sent.
            UnknownOutcomeError: sent, at least in part, and no whole answer.
            CredentialError: no credentials to send it with; not sent.
            ConfigurationError: the address is not allowed; not sent.
        """
        try:
            return self._call(self._writes, method, url, pattern=pattern, headers=headers, body=body)
        except NOT_SENT as error:
            self._raise_refusal(error)
            raise TransientError(
                f"{self._words(method, pattern, error)} Nothing was sent.", code="not-sent"
            ) from None
        except (httpx.HTTPError, BodyError) as error:
            raise UnknownOutcomeError(
                f"{self._words(method, pattern, error)} It may have been applied.",
                remedy="It is looked up in the target before anything is sent again.",
            ) from None

    @contextmanager
    def stream(
        self, url: str, *, pattern: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """A download in pieces; not retried. Raises httpx.HTTPError (use `failure` to put it in words)."""
        address = self._allowed(url)
        with (
            self._slot(),
            self._reads.stream(
                "GET", address, headers=dict(headers or {}), extensions={"pattern": pattern}
            ) as response,
        ):
            yield response

    def failure(self, method: str, pattern: str, error: httpx.HTTPError) -> TransientError:
        """A transport error of a read, in words without secrets."""
        return TransientError(
            self._words(method, pattern, error),
            remedy=self._remedy(error) or "Try again later.",
            code="no-answer",
        )

    def _remedy(self, error: Exception) -> str:
        """Nobody listens at a sandbox's address: it was not started."""
        down = isinstance(error, httpx.ConnectError) and self.settings.allow.sandbox
        return SANDBOX_HINT if down else ""

    def _raise_refusal(self, error: Exception) -> None:
        """Raise StorageError when this machine, and not the network, kept a connection from being made."""
        refusal = explained(error, f"a connection to {self.settings.connection!r}")
        if refusal is not None and refusal.code in _OURS:
            raise refusal from None

    def _words(self, method: str, pattern: str, error: Exception) -> str:
        detail = self.redactor.clean(str(error))[:200]
        return f"{method} {pattern} of connection {self.settings.connection!r}: {type(error).__name__} ({detail})."

    def _allowed(self, url: str) -> httpx.URL:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            raise ConfigurationError(
                f"Connection {self.settings.connection!r}: the address cannot be read.",
                code="address-not-allowed",
            ) from None
        self.settings.allow.check(address, self.settings.connection)
        sandbox = self.settings.allow.sandbox and address.host in _LOOPBACK
        if self._real and not sandbox and self.settings.proxy is None:
            _refuse_private(address.host, address.port or 443, self.settings.connection)
        return address

    def _count(self, request: httpx.Request) -> None:
        """Called by httpx for every request, those repeated with a renewed token too."""
        with self._lock:
            self._counts[request.method, str(request.extensions.get("pattern", ""))] += 1

    def _call(
        self,
        client: httpx.Client,
        method: str,
        url: str,
        *,
        pattern: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
    ) -> Answer:
        address = self._allowed(url)
        started = self.clock.now()
        with (
            self._slot(),
            client.stream(
                method, address, headers=dict(headers or {}), content=body, extensions={"pattern": pattern}
            ) as response,
        ):
            whole = self._whole(response.iter_bytes(), started)
            if not response.is_success:
                whole = self._without_secrets(whole)
            return Answer(response.status_code, response.headers, whole, method, pattern, self.clock.now())

    def _without_secrets(self, body: bytes) -> bytes:
        """What a refusal says is shown to people, whoever words it: some repeat the request with its headers."""
        return self.redactor.clean(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def _whole(self, pieces: Iterable[bytes], started: datetime) -> bytes:
        parts = bytearray()
        for piece in pieces:
            parts += piece
            if len(parts) > self.settings.max_body:
                raise BodyError(f"the answer is larger than {self.settings.max_body} bytes")
            if (self.clock.now() - started).total_seconds() > self.settings.body_deadline:
                raise BodyError(f"the answer took longer than {self.settings.body_deadline:.0f} s")
        return bytes(parts)


class BodyError(httpx.TransportError):
    """An answer too large or too slow to be taken whole: for a write, the outcome is unknown."""


_quiet_lock = threading.Lock()


def quiet_wire_logs(redactor: Redactor) -> None:
    """httpx logs whole addresses (signed ones too) and httpcore whole headers: hold both at WARNING, and redact.

    Loggers that are turned up again, here or anywhere else, are redacted all the same (`guard_logs`).
    """
    guard_logs(redactor)
    with _quiet_lock:
        for name in ("httpx", "httpcore", "oauthlib"):
            logger = logging.getLogger(name)
            if logger.level in {logging.NOTSET, logging.DEBUG, logging.INFO}:
                logger.setLevel(logging.WARNING)
            if not any(isinstance(f, RedactingFilter) and f.redactor is redactor for f in logger.filters):
                logger.addFilter(RedactingFilter(redactor))


_BODY = msgspec.json.Encoder(decimal_format="number")


def json_body(value: Json) -> bytes:
    """Compact JSON with exact decimals as numbers (`144.10`, never `144.09999999999999`)."""
    return _BODY.encode(value)
