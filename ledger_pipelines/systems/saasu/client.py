"""One Saasu file's calls: addresses, the grant, one call a second, the day's quota, errors of reads.

Belongs here: what every call has in common. Does not belong here: what is asked for (`reader`), what an answer to a write
means (`endings`). Facts: saasu.md 1, 2, 3.

The limiter and the counter are the file's, shared by all processes. What a throttled or blocked answer looks like is not
known (saasu.md 11.1): 429 is one whatever it says, 403 unless it names a feature of the plan, 503 when its words are
of limits. It parks the file at once for all processes: for ten seconds, at the second in a row, whichever processes were told,
for an hour, and for as long as the answer says (saasu.md 3.4). `check` and every later run say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, LedgerError, PermanentError, TransientError
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
from ledger_pipelines.systems.saasu.auth import BearerAuth, KeyAuth, grants
from ledger_pipelines.systems.saasu.settings import PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.secrets import Redactor

_HOSTS = (r"api\.saasu\.com",)
PAGE: Final = 100
"""Most rows of a page (saasu.md 1)."""
STRIKES: Final = 2
"""So many throttled answers in a row park the file for long (saasu.md 3.4)."""
AT_ONCE: Final = 1 / 360  # not money: hours
"""Hours it is parked at the first, when Saasu does not say how long: ten seconds, in which a burst of another program is over,
and which a run under way waits."""
PARKED: Final = 1.0  # not money: hours
"""The same at the second: a block lasts 24."""
PAUSES: Final = (1.0, 3.0)  # not money: seconds
"""Before a read is made again."""
BAD_ANSWER: Final = "bad-answer"
_PASSING: Final = frozenset({BAD_ANSWER, "no-answer"})
_LIMIT = re.compile(
    r"exceed|too many|throttl|rate limit|quota|daily limit|number of (api )?(requests|calls)|blocked",
    re.IGNORECASE,
)
_FEATURE = re.compile(
    r"subscription|\bplans?\b|feature|upgrade|not (allowed|included|available|permitted)|does not include|permission",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"\r?\n?Parameter name: \w+\s*$")


def pattern_of(path: str) -> str:
    """The path with ids replaced, as calls are counted: `/Invoice/{id}`."""
    return re.sub(r"/[0-9]+(?=/|$)", "/{id}", path.split("?", maxsplit=1)[0])


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. more: there may be another; linked: Saasu links to it; at: when it was read, by Saasu's clock."""

    rows: tuple[Mapping[str, Json], ...]
    more: bool
    linked: bool = False
    at: datetime | None = None


class SaasuRefusedError(PermanentError):
    """Saasu refused a request in its own words."""

    def __init__(self, message: str, text: str, status: int) -> None:
        super().__init__(
            message,
            remedy="Correct in Saasu what it names; if that does not help, tell the makers.",
            code="saasu-refused",
        )
        self.text, self.status = text, status


def is_throttled(answer: Answer) -> bool:
    """Whether an answer looks like "too many calls" or "blocked", and not like a refusal or a failure."""
    if answer.status == 429:
        return True
    if answer.status not in {403, 503} or answer.is_html:
        return False
    words = text_of(answer)
    if _LIMIT.search(words):
        return True
    return answer.status == 403 and not _FEATURE.search(words)


class SaasuClient:
    """Calls of one file. Safe to share between threads; close when done.

    Args:
        connection: The file.
        clock: Waits and dates.
        redactor: Learns the credentials.
        transport: For tests.
    """

    def __init__(
        self,
        connection: SaasuConnection,
        *,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.connection = connection
        self.clock = clock or SystemClock()
        self.redactor = redactor or Redactor()
        settings = HttpSettings(
            connection=connection.name,
            allow=AllowList(_HOSTS, sandbox=connection.sandbox),
            read_timeout=connection.read_timeout,
            run_id=connection.run_id,
            retries=Retries(attempts=3),
            ca_bundle=connection.ca_bundle,
            proxy=connection.proxy,
        )
        self._buckets = TokenBuckets(connection.state_folder, self.clock)
        seconds = connection.seconds_between_calls
        self._rate = BucketRate(per_second=1 / seconds, burst=1) if seconds else None  # not money: a rate
        self.quota = DailyQuota(connection.state_folder, self._account, self.clock, connection.calls_per_day)
        self._token_http: Http | None = None
        given = connection.credentials
        auth: httpx.Auth
        if isinstance(given, PasswordCredentials):
            self._token_http = Http(settings, self.clock, self.redactor, transport=transport)
            auth = BearerAuth(grants(connection, given, self._token_http, self.clock, self.redactor))
        else:
            self.redactor.add(given.access_key)
            auth = KeyAuth(given.access_key)
        self.http = Http(settings, self.clock, self.redactor, auth=auth, transport=transport)

    @property
    def _account(self) -> str:
        return f"Saasu file {self.connection.file_id}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.http.close()
        if self._token_http is not None:
            self._token_http.close()

    def calls(self) -> list[CallCount]:
        """Calls so far by method and path pattern, token requests included."""
        return self.http.calls() + (self._token_http.calls() if self._token_http else [])

    def spent(self) -> Spent:
        """Where the file stands with today's calls."""
        return self.quota.spent()

    def get(self, path: str, **params: str | int) -> Json:
        """Read one thing.

        Raises:
            TransientError: throttled, blocked, quota spent, or no answer. CredentialError: the login is refused.
            SaasuRefusedError: 400, 404 and the like, in Saasu's words.
        """
        return self._decoded(self.answer(path, **params), path)

    def _decoded(self, answer: Answer, path: str) -> Json:
        try:
            return answer.json()
        except msgspec.DecodeError:
            raise TransientError(
                f"{self._place('GET', path)}: the answer is cut or no JSON.", remedy=LATER
            ) from None

    def page(self, path: str, key: str, number: int, size: int = PAGE, /, **params: str | int) -> Page:
        """Read one page of a list, `size` rows at most (100 is most). key: the list's own array key. Raises as `get`.

        A full page without a link to the next is followed all the same: one more call, which finds nothing.
        """
        answer = self.answer(path, **params, Page=number, PageSize=size)
        body = self._decoded(answer, path)
        rows = body.get(key) if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise TransientError(f"{self._place('GET', path)}: the answer has no list {key}.", remedy=LATER)
        links = body.get("_links") if isinstance(body, dict) else None
        linked = (
            any(isinstance(one, dict) and one.get("rel") == "next" for one in links)
            if isinstance(links, list)
            else False
        )
        held = tuple(row for row in rows if isinstance(row, dict))
        return Page(held, linked or len(rows) >= size, linked, answer.server_time or self.clock.now())

    def answer(self, path: str, **params: str | int) -> Answer:
        """A read; its headers matter to whoever asks. One that came to nothing is made again, twice at most: a long reading
        must not end at one bad answer. A throttled one is not (see above). Raises as `get`."""
        for pause in PAUSES:
            try:
                return self._answer(path, params)
            except TransientError as error:
                if error.code not in _PASSING:
                    raise
                self.clock.sleep(pause)
        return self._answer(path, params)

    def _answer(self, path: str, params: Mapping[str, str | int]) -> Answer:
        with self._turn():
            answer = self.http.read_once(
                "GET", self._address(path, params), pattern=pattern_of(path), headers=_HEADERS
            )
        self._heed(answer)
        if answer.is_html or not answer.ok:
            raise self.refusal(answer, "GET", path)
        return answer

    def write(self, method: str, path: str, body: Json = None) -> Answer:
        """One attempt at a call that may change something; any status returns.

        Raises:
            TransientError: not sent (quota, block, refused connection). UnknownOutcomeError, CredentialError.
        """
        with self._turn():
            answer = self.http.write(
                method,
                self._address(path, {}),
                pattern=pattern_of(path),
                headers=_HEADERS,
                body=None if body is None else json_body(body),
            )
        self._heed(answer)
        return answer

    def refusal(self, answer: Answer, method: str, path: str) -> LedgerError:
        """What to raise for an answer that is not a success."""
        place = self._place(method, path)
        told = self.redactor.clean(text_of(answer))
        if is_throttled(answer):
            return self._throttled(place, answer, told)
        if answer.status == 401:
            return CredentialError(
                f"{place}: the login is refused (HTTP 401).",
                remedy="Check the login, and that it may open this file.",
            )
        if answer.is_html or answer.status >= 500 or answer.status < 400:
            what = answer.instead or "an error without words of Saasu"
            return TransientError(f"{place}: {what} (HTTP {answer.status}).", remedy=LATER, code=BAD_ANSWER)
        return SaasuRefusedError(f"{place}: {told}", told, answer.status)

    def _throttled(self, place: str, answer: Answer, told: str) -> TransientError:
        wait, until = answer.retry_after, self.quota.spent().blocked_until
        remedy = "Other programs use the same file; nothing is lost, run again later."
        if until is not None:
            wait = max(wait or 0, (until - self.clock.now()).total_seconds())
            remedy = f"The file is left alone until {until:%Y-%m-%d %H:%M} UTC; nothing is lost, the rest goes on after that."
        return TransientError(
            f"{place}: throttled or blocked (HTTP {answer.status} {told[:120]}).",
            remedy=remedy,
            code="throttled",
            retry_after=wait,
        )

    def _heed(self, answer: Answer) -> None:
        """Leave the file alone for a while when the answer asks for it."""
        if not is_throttled(answer):
            self.quota.eased()
            return
        strikes = self.quota.throttled()
        told = (answer.retry_after or 0.0) / 3600  # not money: hours
        self.quota.block((told or AT_ONCE) if strikes < STRIKES else max(PARKED, told))

    def _place(self, method: str, path: str) -> str:
        return f"Saasu connection {self.connection.name!r}, {method} {pattern_of(path)}"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One call. The day's counter first: a spent quota waits for tomorrow, not for a second.

        The next one begins an interval after this one ended, not after it began: Saasu counts calls as they arrive, and one that
        travels slowly (it logs in first, the machine is busy) would have the next one close behind it. One of another process may
        begin meanwhile, an interval after this one began.
        """
        self.quota.take()
        if self._rate is None:
            yield
            return
        self._buckets.take(self._account, self._rate)
        try:
            yield
        finally:
            self._buckets.empty(self._account, self._rate)

    def _address(self, path: str, params: Mapping[str, str | int]) -> str:
        return self.connection.base + path + query_string({"FileId": self.connection.file_id, **params})


_HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "X-Api-Version": "1.0"}


def text_of(answer: Answer) -> str:
    """Saasu's words: bare text or a JSON string (saasu.md 3.2), without .NET's parameter names."""
    told = answer.body.decode("utf-8", "replace").strip()
    try:
        read = answer.json()
    except msgspec.DecodeError:
        read = told
    if isinstance(read, dict):
        read = next(
            (
                str(read[name])
                for name in ("Message", "message", "error_description", "error")
                if read.get(name)
            ),
            told,
        )
    words = _PARAMETER.sub("", str(read)).strip()
    return words[:LONGEST_WORDS] or f"HTTP {answer.status}"
