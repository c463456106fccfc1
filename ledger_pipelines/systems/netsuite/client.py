"""One NetSuite account's calls: addresses, headers, authentication, errors of reads.

Belongs here: what every NetSuite call has in common. Does not belong here: SuiteQL (`suiteql`), record verbs
(`records`), what an answer to a write means (`endings`). Facts: netsuite.md 1, 4 and 12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Final, Self

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import TransientError
from ledger_pipelines.systems.http import LATER, AllowList, Answer, CallCount, Http, HttpSettings, json_body
from ledger_pipelines.systems.limits import Slots
from ledger_pipelines.systems.netsuite.auth import Breaker, MachineAuth, TbaAuth, machine_tokens
from ledger_pipelines.systems.netsuite.errors import read_error
from ledger_pipelines.systems.netsuite.settings import MachineCredentials, NetSuiteConnection
from ledger_pipelines.systems.secrets import Redactor

RECORD: Final = "/services/rest/record/v1/"
SUITEQL: Final = "/services/rest/query/v1/suiteql"
JOB: Final = "/services/rest/async/v1/job/"
SERVER_TIME: Final = "/services/rest/system/v1/serverTime"

_HOSTS = (r"[a-z0-9]+(?:-[a-z0-9]+)?\.suitetalk\.api\.netsuite\.com",)


def pattern_of(path: str) -> str:
    """The path with ids replaced, as calls are counted: `/services/rest/record/v1/invoice/{id}`."""
    path = path.split("?", maxsplit=1)[0]
    path = re.sub(r"/eid:[^/]+", "/{eid}", path)
    return re.sub(r"/[0-9]+(?=/|$)", "/{id}", path)


class NetSuiteClient:
    """Calls of one account. Safe to share between threads; close when done.

    Args:
        connection: The account.
        clock: Waits and dates.
        redactor: Of the process; learns this connection's secrets.
        transport: For tests.
        chance: Spreads the waits between repeated reads.
    """

    def __init__(
        self,
        connection: NetSuiteConnection,
        *,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        transport: httpx.BaseTransport | None = None,
        chance: Random | None = None,
    ) -> None:
        self.connection = connection
        self.clock = clock or SystemClock()
        self.redactor = redactor or Redactor()
        self._breaker = Breaker(connection.name)
        settings = HttpSettings(
            connection=connection.name,
            allow=AllowList(_HOSTS, sandbox=connection.sandbox),
            read_timeout=connection.read_timeout,
            run_id=connection.run_id,
            ca_bundle=connection.ca_bundle,
            proxy=connection.proxy,
        )
        given = connection.credentials
        self._token_http: Http | None = None
        auth: httpx.Auth
        if isinstance(given, MachineCredentials):
            for secret in (given.client_id, given.certificate_id, given.private_key):
                self.redactor.add(secret)
            self._token_http = Http(settings, self.clock, self.redactor, transport=transport, chance=chance)
            tokens = machine_tokens(
                connection.name,
                connection.base,
                given,
                self._token_http,
                clock=self.clock,
                redactor=self.redactor,
                breaker=self._breaker,
                folder=connection.state_folder,
            )
            auth = MachineAuth(tokens, self._breaker)
        else:
            for secret in (given.consumer_key, given.consumer_secret, given.token_id, given.token_secret):
                self.redactor.add(secret)
            auth = TbaAuth(connection.realm, given, self._breaker, timestamp=self._timestamp)
        slots = Slots(connection.state_folder, f"netsuite-{connection.realm}", connection.concurrency)
        self.http = Http(
            settings, self.clock, self.redactor, auth=auth, transport=transport, slot=slots.hold, chance=chance
        )  # fmt: skip

    def _timestamp(self) -> str:
        """Of a signature: by the clock that everything else of this connection goes by."""
        return str(int(self.clock.now().timestamp()))

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

    def read(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A call that changes nothing; only successes return.

        Raises:
            TransientError: no answer within the budget.
            CredentialError: credentials or rights refused.
            NetSuiteRefusedError: any other refusal.
        """
        answer = self.http.read(
            method,
            self.connection.base + path,
            pattern=pattern_of(path),
            headers=self._headers(headers, body is not None),
            body=None if body is None else json_body(body),
        )
        if not answer.ok or answer.is_html:
            raise read_error(answer, self.connection.name)
        return answer

    def json(self, path: str, *, headers: Mapping[str, str] | None = None) -> Json:
        """What a GET reads. Raises as `read`; TransientError: it is no JSON."""
        answer = self.read("GET", path, headers=headers)
        try:
            return answer.json()
        except msgspec.DecodeError:
            raise TransientError(
                f"NetSuite connection {self.connection.name!r}, GET {pattern_of(path)}: the answer is cut or no JSON.",
                remedy=LATER,
            ) from None

    def write(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One attempt at a call that may change something; any status returns.

        Raises:
            TransientError, UnknownOutcomeError, CredentialError: as `Http.write`.
        """
        return self.http.write(
            method,
            self.connection.base + path,
            pattern=pattern_of(path),
            headers=self._headers(headers, body is not None),
            body=None if body is None else json_body(body),
        )

    def look(self, path: str) -> Answer:
        """A GET whose refusal is itself the finding: any status but 429 and 5xx returns.

        Raises:
            TransientError: no such answer within the budget.
        """
        return self.http.read(
            "GET", self.connection.base + path, pattern=pattern_of(path), headers=self._headers(None, False)
        )

    def look_once(self, path: str) -> Answer:
        """The same, asked once; any status returns.

        Raises:
            TransientError: no whole answer.
        """
        return self.http.read_once(
            "GET", self.connection.base + path, pattern=pattern_of(path), headers=self._headers(None, False)
        )

    def _headers(self, more: Mapping[str, str] | None, has_body: bool) -> dict[str, str]:
        headers = {
            "Accept": "application/json, application/vnd.oracle.resource+json",
            "X-NetSuite-PropertyNameValidation": "error",
        }
        if has_body:
            headers["Content-Type"] = "application/json"
        return headers | dict(more or {})
