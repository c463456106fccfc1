"""One Neto store's calls: the one address, the action header, keys, what `Ack` and `Messages` say.

Belongs here: what every call has in common. Does not belong here: what actions are asked for (`reader`), collapsed
collections (`shapes`). Facts: neto.md 2, 3. A refusal comes with status 200; a page of HTML is no answer at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, Self
from zoneinfo import ZoneInfo

import httpx

from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import CredentialError, LedgerError, PermanentError, TransientError
from ledger_pipelines.systems.http import AllowList, Answer, CallCount, Http, HttpSettings, json_body
from ledger_pipelines.systems.limits import BucketRate, TokenBuckets
from ledger_pipelines.systems.neto.shapes import as_list
from ledger_pipelines.systems.neto.strange import decoded, strange
from ledger_pipelines.systems.secrets import Redactor, Secret

PATH: Final = "/do/WS/NetoAPI"
PER_SECOND: Final = 8
"""Calls a second at most: 500 a minute are allowed for all programs of the store together (neto.md 13)."""


@dataclass(frozen=True, slots=True)
class KeyCredentials:
    """An API key; a user's key needs the user's name, a global one none (neto.md 2.1)."""

    key: Secret
    username: str = ""


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The pair of an add-on of the store's app market."""

    client_id: Secret
    access_token: Secret


@dataclass(frozen=True, slots=True)
class NetoConnection:
    """One store.

    Args:
        name: Of the connection.
        base: Address of the store, without a slash at the end.
        credentials: How to log in.
        time_zone: The store's: an API key does not tell it.
        sandbox: Whether the address may be on this machine.
        calls_per_second: Most calls a second of all processes together.
        read_timeout: Seconds; heavy pages are slow.
        state_folder: Shared by all processes: the rate limit. None = this process only.
        run_id: Goes into the user agent.
        ca_bundle: PEM file of certificate authorities, instead of the usual ones.
        proxy: Address of an outgoing proxy.
    """

    name: str
    base: str
    credentials: KeyCredentials | AppCredentials
    time_zone: ZoneInfo
    sandbox: bool = False
    calls_per_second: int = PER_SECOND
    read_timeout: float = 60.0  # not money: seconds
    state_folder: Path | None = None
    run_id: str = ""
    ca_bundle: Path | None = None
    proxy: str | None = None

    def headers(self) -> dict[str, str]:
        """Who calls."""
        given = self.credentials
        if isinstance(given, AppCredentials):
            return {"X_ACCESS_KEY": given.client_id.reveal(), "X_SECRET_KEY": given.access_token.reveal()}
        named = {"NETOAPI_USERNAME": given.username} if given.username else {}
        return {"NETOAPI_KEY": given.key.reveal(), **named}


@dataclass(frozen=True, slots=True)
class NetoAnswer:
    """An answer that is Neto's own.

    Args:
        action: What was asked.
        body: All of it.
        errors: Texts of `Messages.Error`; with one of them nothing was done.
        warnings: Texts of `Messages.Warning`: part of the call may have failed.
        current_time: The store's own clock, UTC; None when it does not say.
    """

    action: str
    body: Mapping[str, Json]
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    current_time: datetime | None

    @property
    def refused(self) -> bool:
        """Whether `Ack` is Error."""
        return str(self.body.get("Ack", "")).lower() == "error"

    @property
    def text(self) -> str:
        """What was said, in one line."""
        return "; ".join((*self.errors, *self.warnings)) or "no words"

    @property
    def bad_key(self) -> bool:
        """One text stands for every refusal of credentials and rights (neto.md 3.4)."""
        return any("invalid api key" in one.lower() for one in self.errors)


class NetoClient:
    """Calls of one store. Safe to share between threads; close when done.

    Args:
        connection: The store.
        clock: Waits and dates.
        redactor: Learns the credentials.
        transport: For tests.
        chance: Spreads the waits between repeated reads.
    """

    def __init__(
        self,
        connection: NetoConnection,
        *,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        transport: httpx.BaseTransport | None = None,
        chance: Random | None = None,
    ) -> None:
        self.connection = connection
        self.clock = clock or SystemClock()
        self.redactor = redactor or Redactor()
        given = connection.credentials
        secrets = (given.client_id, given.access_token) if isinstance(given, AppCredentials) else (given.key,)
        for secret in secrets:
            self.redactor.add(secret)
        host = httpx.URL(connection.base).host
        settings = HttpSettings(
            connection=connection.name,
            allow=AllowList((rf"{host.replace('.', '[.]')}",) if host else (), sandbox=connection.sandbox),
            read_timeout=connection.read_timeout,
            run_id=connection.run_id,
            ca_bundle=connection.ca_bundle,
            proxy=connection.proxy,
        )
        self.http = Http(settings, self.clock, self.redactor, transport=transport, chance=chance)
        self._buckets = TokenBuckets(connection.state_folder, self.clock)
        self._rate = BucketRate(per_second=connection.calls_per_second, burst=connection.calls_per_second)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def calls(self) -> list[CallCount]:
        """Calls so far, by action."""
        return self.http.calls()

    def read(self, action: str, body: Json) -> NetoAnswer:
        """A Get action. Warnings are given back with the data.

        Raises:
            TransientError: no answer of Neto's own within the budget (HTML, cut, 429).
            CredentialError: the key is refused. PermanentError: any other refusal.
        """
        self._wait()
        answer = self.http.read(
            "POST",
            self.connection.base + PATH,
            pattern=action,
            headers=self._headers(action),
            body=json_body(body),
            unusable=lambda got: self._unusable(action, got),
        )
        read = read_answer(action, answer, self.redactor)
        if read is None:
            raise self._strange(action, answer)
        if read.refused:
            raise self.refusal(read)
        return read

    def write(self, action: str, body: Json) -> Answer:
        """One attempt at an Add or Update action; any answer returns (`read_answer` reads it).

        Raises:
            TransientError, UnknownOutcomeError: as `Http.write`.
        """
        self._wait()
        return self.http.write(
            "POST",
            self.connection.base + PATH,
            pattern=action,
            headers=self._headers(action),
            body=json_body(body),
        )

    def _unusable(self, action: str, answer: Answer) -> TransientError | None:
        """Why a read is worth another attempt."""
        passing = answer.ok or answer.status >= 500
        return (
            self._strange(action, answer)
            if passing and read_answer(action, answer, self.redactor) is None
            else None
        )

    def _strange(self, action: str, answer: Answer) -> TransientError:
        """What to raise for a read's answer that is not Neto's own."""
        found = strange(answer)
        return TransientError(
            f"{self._place(action)}: {self.redactor.clean(found.text)}.",
            remedy=found.remedy,
            code="bad-answer",
        )

    def refusal(self, answer: NetoAnswer) -> LedgerError:
        """What to raise for an answer with `Ack: Error`."""
        if answer.bad_key:
            return CredentialError(
                f"{self._place(answer.action)}: {answer.text}.",
                remedy="Check the key (it is longer than the box that shows it), its user name, and the user's permissions.",
            )
        return PermanentError(
            f"{self._place(answer.action)}: {answer.text}.",
            remedy="Correct in Neto what it names; if that does not help, tell the makers.",
            code="neto-refused",
        )

    def _place(self, action: str) -> str:
        return f"Neto connection {self.connection.name!r}, {action}"

    def _wait(self) -> None:
        self._buckets.take(f"neto:{self.connection.base}", self._rate)

    def _headers(self, action: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "NETOAPI_ACTION": action,
            **self.connection.headers(),
        }


def read_answer(action: str, answer: Answer, redactor: Redactor) -> NetoAnswer | None:
    """An answer read; None when it is not Neto's own (a gateway's page, half a body, another status than 2xx). What Neto says is shown
    to people: a refusal, which comes with 200, may repeat the key."""
    body = decoded(answer) if answer.ok else None
    if body is None:
        return None
    errors, warnings = (tuple(map(redactor.clean, _said(body, kind))) for kind in ("Error", "Warning"))
    return NetoAnswer(action, body, errors, warnings, _time(body))


def _said(body: Mapping[str, Json], kind: str) -> tuple[str, ...]:
    """The texts of `Messages`, which come as an object, a list, or nothing (neto.md 3.3)."""
    holders = [one for one in as_list(body.get("Messages")) if isinstance(one, dict)]
    found = [one for holder in holders for one in as_list(holder.get(kind))]
    return tuple(str(one.get("Message", "")) if isinstance(one, dict) else str(one) for one in found)


def _time(body: Mapping[str, Json]) -> datetime | None:
    try:
        return datetime.strptime(str(body.get("CurrentTime", "")), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


OVERLAP: Final = timedelta(minutes=10)
"""A window of changes begins that much before the last one ended: late updates, pages that move (neto.md 13)."""
