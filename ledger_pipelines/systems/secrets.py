"""Secrets: values that never show, and the redaction of every text that might carry one.

Belongs here: the `Secret` type, `Redactor`, the log filter.
Does not belong here: which variables a connection needs (`config`), how a secret is sent (`systems/<vendor>`).
The rules are reliability.md 8: by value, also URL-encoded, base64 and JSON-escaped.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus

from ledger_pipelines.errors import ConfigurationError

MASK = "***"
SHORTEST = 4
"""Values shorter than this are not redacted by value: they would blank out ordinary words."""


class Secret:
    """A value whose repr, str, format and pickling show nothing. `reveal()` at the last moment only."""

    __slots__ = ("_value", "name")

    def __init__(self, value: str, *, name: str = "") -> None:
        self._value = value
        self.name = name

    @classmethod
    def from_env(cls, variable: str, *, connection: str, environ: Mapping[str, str] | None = None) -> Secret:
        """Read an environment variable.

        Raises:
            ConfigurationError: not set or empty; names the variable and the connection.
        """
        value = (os.environ if environ is None else environ).get(variable, "").strip()
        if not value:
            raise ConfigurationError(
                f"Connection {connection!r}: the environment variable {variable} is not set.",
                remedy=f"Set {variable}, or name another variable in the connection.",
                code="missing-secret",
            )
        return cls(value, name=variable)

    @classmethod
    def from_file_env(
        cls, variable: str, *, connection: str, environ: Mapping[str, str] | None = None
    ) -> Secret:
        """Read the file whose path an environment variable gives (a mounted key).

        Raises:
            ConfigurationError: variable not set, or file not readable.
        """
        path = cls.from_env(variable, connection=connection, environ=environ).reveal()
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"Connection {connection!r}: the file named by {variable} cannot be read"
                f" ({type(error).__name__}).",
                remedy=f"Point {variable} at a readable text file.",
                code="missing-secret",
            ) from None
        return cls(text, name=variable)

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self.name or MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled; name its environment variable instead.")


def _base64_cores(raw: bytes) -> set[str]:
    """What base64 of any text containing `raw` is sure to contain, for each of the three alignments."""
    cores = set()
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        first = (lead * 8 + 5) // 6
        last = (lead + len(raw)) * 8 // 6
        core = encoded[first:last]
        if len(core) >= 8:
            cores |= {core, core.replace("+", "-").replace("/", "_")}
    return cores


def _spellings(value: str) -> set[str]:
    spellings = {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]}
    lower = re.compile(r"%[0-9A-F]{2}")
    spellings |= {lower.sub(lambda m: m.group().lower(), s) for s in spellings}
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= 16}
    return spellings | lines | _base64_cores(value.encode())


class Redactor:
    """Replaces known secrets in texts by a mask, however they are spelt. Safe to share between threads."""

    def __init__(self, secrets: Iterable[Secret | str] = ()) -> None:
        self._lock = threading.RLock()
        self._known: set[str] = set()
        self._spelt: tuple[str, ...] = ()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret | str) -> None:
        """Learn one more value (an access token, a signed address)."""
        value = secret.reveal() if isinstance(secret, Secret) else secret
        if len(value) < SHORTEST:
            return
        with self._lock:
            if value in self._known:
                return
            self._known |= _spellings(value)
            self._spelt, self._pattern = (), None
        _learned.again()

    def clean(self, text: str) -> str:
        """The text with every known secret masked, and query strings of signed addresses cut."""
        # Looking for each spelling on its own is many times faster than one pattern of all, and nearly all texts have none.
        if any(map(text.__contains__, self.spellings())):
            text = (self._pattern or self._compiled()).sub(MASK, text)
        return _SIGNED.sub(_signed, text) if _may_be_signed(text) else text

    def spellings(self) -> tuple[str, ...]:
        """Of all known values, the longest first."""
        spelt = self._spelt  # looked at once: another thread may be learning
        if spelt:
            return spelt
        with self._lock:
            if not self._spelt:
                found = (known for known in self._known if len(known) >= SHORTEST)
                self._spelt = tuple(sorted(found, key=len, reverse=True))
            return self._spelt

    def _compiled(self) -> re.Pattern[str]:
        """The pattern of all of them; made when the first text has one, since compiling it takes 0.1 s."""
        with self._lock:
            if self._pattern is None:
                self._pattern = re.compile("|".join(map(re.escape, self.spellings())))
            return self._pattern


_SIGNED = re.compile(
    r"((?:X-Amz-(?:Signature|Credential|Security-Token)|client_assertion|refresh_token|client_secret"
    r"|access_token|oauth_signature)=[\"']?)[^&\s\"',]+",
    re.IGNORECASE,
)
_BEGINNINGS = ("x-amz-", "client_", "_token=", "oauth_signature=")


def _may_be_signed(text: str) -> bool:
    """False only where `_SIGNED` finds nothing, which takes long to say by itself."""
    if not text.isascii():
        return True  # letters of other scripts count as their kin
    lower = text.lower()
    return any(map(lower.__contains__, _BEGINNINGS))


def _signed(found: re.Match[str]) -> str:
    return f"{found[1]}{MASK}"


class _Learned:
    """A mark that is another one each time any redactor has learnt something, whatever threads do so at once."""

    __slots__ = ("mark",)

    def __init__(self) -> None:
        self.mark = object()

    def again(self) -> None:
        """Something is known now that was not."""
        self.mark = object()


_learned = _Learned()
_guarding = threading.Lock()
_guards: weakref.WeakSet[Redactor] = weakref.WeakSet()
_SIGNERS = ("oauthlib", "requests_oauthlib")
"""Loggers that tell how a request is signed, step by step, down to the signature."""


def guard_logs(redactor: Redactor) -> None:
    """From now on, what this redactor knows is masked in every log record of the process, whichever logger makes it.

    A filter on a logger does not see the records of the loggers below it (`httpcore.http11` logs whole headers), and the
    handlers are not ours: hence where records are made.
    """
    with _guarding:
        _guards.add(redactor)
        _learned.again()
        before = logging.getLogRecordFactory()
        if not isinstance(before, _GuardedRecords):
            logging.setLogRecordFactory(_GuardedRecords(before))


class _GuardedRecords:
    """Makes log records without secrets.

    Redactors of one connection are many in a process that carries out many assets, and know the same. So each spelling is
    looked for once; nearly no record has any, and one that has goes through each redactor.
    """

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make
        self._known: tuple[object, tuple[str, ...]] = (None, ())

    def _spellings(self) -> tuple[str, ...]:
        """All that any of the redactors knows, or knew when the last of them learnt something."""
        mark, known = self._known
        if mark is not _learned.mark:
            mark = _learned.mark  # before looking: what is learnt meanwhile makes another one
            with _guarding:
                redactors = list(_guards)
            known = tuple({spelt for redactor in redactors for spelt in redactor.spellings()})
            self._known = (mark, known)
        return known

    def __call__(self, *args: Any, **named: Any) -> logging.LogRecord:
        record = self._make(*args, **named)
        # logging.makeLogRecord (Dagster's way) begins with a record that has no name yet.
        if (record.name or "").partition(".")[0] in _SIGNERS:
            record.msg, record.args = MASK, ()
        try:
            told = record.getMessage()
        except (
            TypeError,
            ValueError,
        ):  # a message that does not fit its arguments: logging tells, when it is written
            told = f"{record.msg} {record.args}"
        clean = self._clean(told)
        if clean != told:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[1] is not None:
            text = logging.Formatter().formatException(record.exc_info)
            shown = self._clean(text)
            if shown != text:
                record.exc_text = shown
        return record

    def _clean(self, text: str) -> str:
        if not any(map(text.__contains__, self._spellings())) and not _may_be_signed(text):
            return text
        with _guarding:
            redactors = list(_guards)
        for redactor in redactors:
            text = redactor.clean(text)
        return text


class RedactingFilter(logging.Filter):
    """Log filter by value: install on handlers so that records of every logger pass through it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Render the message, mask it, and let it pass."""
        record.msg = self.redactor.clean(record.getMessage())
        record.args = ()
        if record.exc_info and record.exc_info[1] is not None and not record.exc_text:
            record.exc_text = self.redactor.clean(logging.Formatter().formatException(record.exc_info))
        elif record.exc_text:
            record.exc_text = self.redactor.clean(record.exc_text)
        return True
