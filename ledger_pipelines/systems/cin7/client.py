"""One Cin7 Omni account's calls: address, Basic login, three limits, the 429 that is bare text, errors of reads.

Belongs here: what every call has in common. Does not belong here: what is asked for (`reader`), what an answer to a write
means (`endings`). Facts: cin7-omni.md 2, 4, 8, 9.

The limits are the account's, shared by all processes of this machine. A 429 that asks for a short wait is heeded by a read,
which is then made again; one that asks for a long one means that the day's calls are spent, perhaps by another program: the
account is left alone by all processes until then, and no process sleeps for hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, LedgerError, PermanentError, TransientError
from ledger_pipelines.systems.cin7.records import Record, camel
from ledger_pipelines.systems.cin7.settings import Cin7Connection
from ledger_pipelines.systems.http import (
    LATER,
    LONGEST_WORDS,
    AllowList,
    Answer,
    CallCount,
    Http,
    HttpSettings,
    Retries,
    json_body,
    query_string,
)
from ledger_pipelines.systems.limits import BucketRate, TokenBuckets
from ledger_pipelines.systems.quota import DailyQuota, Spent
from ledger_pipelines.systems.secrets import Redactor

_HOSTS = (r"api\.cin7\.com",)
PAGE: Final = 250
"""Most rows of a page, and most records of a write (cin7-omni.md 4, 7)."""
CHUNK: Final = 20
"""So many values of an IN (...) fit into an address (cin7-omni.md 4)."""
PAUSES: Final = (1.0, 3.0)  # not money: seconds
"""Before a read is made again."""
BAD_ANSWER: Final = "bad-answer"
THROTTLED: Final = "throttled"
_PASSING: Final = frozenset({BAD_ANSWER, "no-answer"})
_PERIODS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 3600.0}  # not money: seconds
"""How long to wait where a 429 names its window and no time: of a day, an hour, for its end is not known."""
_PERIOD = re.compile(r"per\s+(second|minute|hour|day)", re.IGNORECASE)
_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}


def pattern_of(path: str) -> str:
    """The path with ids replaced, as calls are counted: `/v1/SalesOrders/{id}`."""
    return re.sub(r"/[0-9]+(?=/|$)", "/{id}", path.split("?", maxsplit=1)[0])


def module_of(path: str) -> str:
    """The module a path belongs to, as permissions are granted: `SalesOrders`."""
    return pattern_of(path).removeprefix("/v1/").split("/", maxsplit=1)[0]


def quoted(text: str) -> str:
    """A text inside a condition: `'O''Neil'` (cin7-omni.md 4)."""
    return "'" + text.replace("'", "''") + "'"


def utc_text(moment: datetime) -> str:
    """An instant inside a condition, without its quotes: `2026-03-01T00:00:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def one_of(field: str, values: Sequence[str | int]) -> str:
    """`field IN (...)`: texts quoted, numbers bare."""
    listed = ",".join(str(one) if isinstance(one, int) else quoted(one) for one in values)
    return f"{field} IN ({listed})"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for. order: field and direction, which is always sent: Cin7's default is disputed."""

    where: str = ""
    order: str = "id ASC"
    page: int = 1
    rows: int = PAGE

    def params(self) -> dict[str, str | int]:
        """As parameters of the address."""
        asked: dict[str, str | int] = {"page": self.page, "rows": self.rows, "order": self.order}
        return {**asked, "where": self.where} if self.where else asked


class Cin7RefusedError(PermanentError):
    """Cin7 refused a request in its own words."""

    def __init__(self, message: str, text: str, status: int) -> None:
        super().__init__(
            message,
            remedy="Correct in Cin7 what it names; if that does not help, tell the makers.",
            code="cin7-refused",
        )
        self.text, self.status = text, status


class Cin7Client:
    """Calls of one account. Safe to share between threads; close when done.

    Args:
        connection: The account.
        clock: Waits and dates.
        redactor: Learns the credentials.
        transport: For tests.
    """

    def __init__(
        self,
        connection: Cin7Connection,
        *,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.connection = connection
        self.clock = clock or SystemClock()
        self.redactor = redactor or Redactor()
        username, key = connection.username.reveal(), connection.key.reveal()
        for secret in (key, f"{username}:{key}"):  # the pair is what travels, in base64
            self.redactor.add(secret)
        settings = HttpSettings(
            connection=connection.name,
            allow=AllowList(_HOSTS, sandbox=connection.sandbox),
            read_timeout=connection.read_timeout,
            run_id=connection.run_id,
            retries=Retries(attempts=3),
            ca_bundle=connection.ca_bundle,
            proxy=connection.proxy,
        )
        login = httpx.BasicAuth(username, key)
        self.http = Http(settings, self.clock, self.redactor, auth=login, transport=transport)
        self._buckets = TokenBuckets(connection.state_folder, self.clock)
        self._rates = _rates(connection)
        self.quota = DailyQuota(
            connection.state_folder, connection.limited, self.clock, connection.calls_per_day
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def calls(self) -> list[CallCount]:
        """Calls so far by method and path pattern."""
        return self.http.calls()

    def spent(self) -> Spent:
        """Where the account stands with today's calls."""
        return self.quota.spent()

    # --- reading -----------------------------------------------------------------------------------------------------

    def page(self, path: str, asked: Asked) -> tuple[Record, ...]:
        """One page of a list; fewer than `asked.rows` are the last ones.

        Raises:
            TransientError: throttled, quota spent, or no answer. CredentialError: login or permission refused.
            Cin7RefusedError: 400 and the like, or an object in place of a list, in Cin7's words.
        """
        answer = self.answer(path, asked.params())
        body = self._decoded(answer, path)
        if isinstance(body, dict):
            told = self.redactor.clean(text_of(answer))
            raise Cin7RefusedError(f"{self._place('GET', path)}: {told}", told, answer.status)
        if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
            raise TransientError(
                f"{self._place('GET', path)}: the answer is no list of records.",
                remedy=LATER,
                code=BAD_ANSWER,
            )
        return tuple(row for row in body if isinstance(row, dict))

    def record(self, path: str, record_id: str) -> Record | None:
        """A record by its id; None when it is gone: 404, null, or an empty answer (cin7-omni.md 8). Raises as `page`."""
        place = f"{path}/{record_id}"
        try:
            answer = self.answer(place, {})
        except Cin7RefusedError as error:
            if error.status == 404:
                return None
            raise
        body = self._decoded(answer, place) if answer.body.strip() else None
        if isinstance(body, list) and len(body) == 1:
            body = body[0]
        if body is None or body in ("", [], {}):
            return None
        if not isinstance(body, dict) or "id" not in body:
            raise TransientError(
                f"{self._place('GET', place)}: the answer is no record.", remedy=LATER, code=BAD_ANSWER
            )
        return body

    def _decoded(self, answer: Answer, path: str) -> Json:
        try:
            return camel(answer.json())
        except msgspec.DecodeError:
            raise TransientError(
                f"{self._place('GET', path)}: the answer is cut or no JSON.", remedy=LATER, code=BAD_ANSWER
            ) from None

    def answer(self, path: str, params: Mapping[str, str | int]) -> Answer:
        """A read; its headers matter to whoever asks. One that came to nothing, or was throttled for a short while, is made
        again, twice at most: a long reading must not end at one bad answer. Raises as `page`."""
        for pause in PAUSES:
            try:
                return self._answer(path, params)
            except TransientError as error:
                if error.code == THROTTLED and not self._too_long(error.retry_after):
                    self.clock.sleep(max(pause, error.retry_after or 0))
                elif error.code in _PASSING:
                    self.clock.sleep(pause)
                else:
                    raise
        return self._answer(path, params)

    def _answer(self, path: str, params: Mapping[str, str | int]) -> Answer:
        self._wait()
        answer = self.http.read_once(
            "GET", self._address(path, params), pattern=pattern_of(path), headers=_HEADERS
        )
        self._heed(answer)
        if answer.is_html or not answer.ok:
            raise self.refusal(answer, "GET", path)
        return answer

    # --- writing -----------------------------------------------------------------------------------------------------

    def write(self, method: str, path: str, records: Sequence[Json]) -> Answer:
        """One attempt at a call that may change something; any status returns. The body is always a list (cin7-omni.md 1.3).

        Raises:
            TransientError: not sent (quota, block, refused connection). UnknownOutcomeError.
        """
        self._wait()
        answer = self.http.write(
            method,
            self._address(path, {}),
            pattern=pattern_of(path),
            headers=_HEADERS,
            body=json_body(list(records)),
        )
        self._heed(answer)
        return answer

    # --- what went wrong ---------------------------------------------------------------------------------------------

    def refusal(self, answer: Answer, method: str, path: str) -> LedgerError:
        """What to raise for an answer that is not a success."""
        place = self._place(method, path)
        told = self.redactor.clean(text_of(answer))
        if answer.status == 429:
            return self._throttled(place, answer, told)
        if answer.status == 401:
            return CredentialError(
                f"{place}: the login is refused (HTTP 401).",
                remedy="Check user name and key of the API connection (Settings > Integrations > API v1 in Cin7).",
            )
        if answer.status == 403 and not answer.is_html:
            needed = {"GET": "READ", "POST": "WRITE", "PUT": "UPDATE"}.get(method, "DELETE")
            return CredentialError(
                f"{place}: the API connection may not {needed} {module_of(path)} (HTTP 403 {told[:120]}).",
                remedy=f"Give it {module_of(path)} {needed} (Settings > Integrations > API v1 in Cin7).",
                code="no-permission",
            )
        if answer.is_html or answer.status >= 500 or answer.status == 408 or answer.status < 400:
            what = answer.instead or "an error of the server"
            return TransientError(f"{place}: {what} (HTTP {answer.status}).", remedy=LATER, code=BAD_ANSWER)
        return Cin7RefusedError(f"{place}: {told}", told, answer.status)

    def wait_asked(self, answer: Answer) -> float:  # not money: seconds
        """Seconds a 429 asks to wait: `Retry-After`, else by the window its text names (cin7-omni.md 8, 9)."""
        if answer.retry_after is not None:
            return answer.retry_after
        found = _PERIOD.search(text_of(answer))
        return _PERIODS[found[1].lower()] if found else _PERIODS["minute"]

    def _throttled(self, place: str, answer: Answer, told: str) -> TransientError:
        wait, until = self.wait_asked(answer), self.quota.spent().blocked_until
        remedy = "Other programs use the same account; nothing is lost, run again later."
        if until is not None:
            wait = max(wait, (until - self.clock.now()).total_seconds())
            remedy = f"The account is left alone until {until:%Y-%m-%d %H:%M} UTC; nothing is lost, the rest goes on after that."
        return TransientError(
            f"{place}: too many calls (HTTP 429 {told[:120]}).",
            remedy=remedy,
            code=THROTTLED,
            retry_after=wait,
        )

    def _too_long(self, seconds: float | None) -> bool:  # not money: seconds
        return seconds is not None and seconds > self.connection.longest_wait

    def _heed(self, answer: Answer) -> None:
        """After a 429 all processes are slow for a moment, or leave the account alone for as long as it says."""
        if answer.status != 429:
            return
        wait = self.wait_asked(answer)
        if self._too_long(wait):
            self.quota.block(wait / 3600)  # not money: hours
            return
        for name, rate in self._rates.items():
            self._buckets.empty(name, rate)

    def _place(self, method: str, path: str) -> str:
        return f"Cin7 connection {self.connection.name!r}, {method} {pattern_of(path)}"

    def _wait(self) -> None:
        """The day's counter first: a spent quota waits for tomorrow, not for a second."""
        self.quota.take()
        for name, rate in self._rates.items():
            self._buckets.take(name, rate)

    def _address(self, path: str, params: Mapping[str, str | int]) -> str:
        return self.connection.base + path + query_string(params)


def _rates(connection: Cin7Connection) -> dict[str, BucketRate]:
    """Names and rates of the account's two buckets. No minute ever holds more than its calls: what may be called at once and
    what comes by in a minute are its calls together."""
    found: dict[str, BucketRate] = {}
    minute = connection.calls_per_minute
    if minute:
        burst = max(1, minute // 6)  # not money: calls
        by = (minute - burst) / 60  # not money: calls a second
        found[f"{connection.limited}, a minute"] = BucketRate(by, burst)
    if connection.seconds_between_calls:
        each = BucketRate(1 / connection.seconds_between_calls, 1)  # not money: a rate
        found[f"{connection.limited}, a second"] = each
    return found


def text_of(answer: Answer) -> str:
    """Cin7's words: a JSON string (429), an object with `message`, or whatever came (cin7-omni.md 8)."""
    told = answer.body.decode("utf-8", "replace").strip()
    try:
        read = camel(answer.json())
    except msgspec.DecodeError:
        read = told
    if isinstance(read, dict):
        words = [str(read[name]) for name in ("message", "exceptionMessage", "errors") if read.get(name)]
        read = "; ".join(words) or told
    return str(read or "").strip()[:LONGEST_WORDS] or f"HTTP {answer.status}"
