"""The Reports API: which settlement reports there are, and their documents.

Belongs here: getReports, getReport, getReportDocument, their rates, errors and oddities. Does not belong here:
downloading (`download`), reading a settlement (`settlement`). Facts: amazon-settlement.md 15.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from ledger_pipelines.documents.dates import Clock, SystemClock
from ledger_pipelines.documents.keys import digest
from ledger_pipelines.errors import CredentialError, PermanentError, TransientError
from ledger_pipelines.systems.amazon.download import DocumentLink, ExpiredLinkError, Fetched, download
from ledger_pipelines.systems.amazon.lwa import API_HOSTS, DOCUMENT_HOSTS, AmazonConnection, lwa_tokens
from ledger_pipelines.systems.http import AllowList, Answer, CallCount, Http, HttpSettings, query_string
from ledger_pipelines.systems.limits import BucketRate, TokenBuckets
from ledger_pipelines.systems.secrets import Redactor
from ledger_pipelines.systems.tokens import AccessToken

ROOT: Final = "/reports/2021-06-30"
V2_FLAT_FILE: Final = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
HORIZON: Final = timedelta(days=90)
MARGIN: Final = timedelta(hours=2)
"""Asking exactly at the horizon races with the clock and fails (amazon-settlement.md 15.1)."""

RATES: Final = {
    "getReports": BucketRate(0.0222, 10),
    "getReport": BucketRate(2, 15),
    "getReportDocument": BucketRate(0.0167, 15),
}
"""Default rates of amazon-settlement.md 15.1, tokens a second and burst."""

ATTEMPTS: Final = 8

_PATTERNS: Final = {
    "getReports": f"{ROOT}/reports",
    "getReport": f"{ROOT}/reports/{{id}}",
    "getReportDocument": f"{ROOT}/documents/{{id}}",
}


class AmazonRefusedError(PermanentError):
    """Amazon refused a request for good. `error_code` is Amazon's own ("InvalidInput")."""

    def __init__(self, message: str, *, status: int, error_code: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy, code="amazon-refused")
        self.status = status
        self.error_code = error_code


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """A report as listed. The period is the settlement's; times in UTC.

    `marketplace_ids` lists all marketplaces of the region, and tells nothing (amazon-settlement.md 15.2).
    """

    report_id: str
    report_type: str
    created: datetime
    status: str
    document_id: str = ""
    period_start: datetime | None = None
    period_end: datetime | None = None
    marketplace_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchedDocument:
    """A report on disk, unpacked. charset: as the server declares it, "" = not declared. sha256: of the file."""

    path: Path
    report_id: str
    document_id: str
    charset: str
    size: int
    sha256: str
    created: datetime
    period_start: datetime | None
    period_end: datetime | None


class _Report(msgspec.Struct, rename="camel"):
    report_id: str
    report_type: str
    created_time: datetime
    processing_status: str
    report_document_id: str = ""
    data_start_time: datetime | None = None
    data_end_time: datetime | None = None
    marketplace_ids: list[str] = []

    def entry(self) -> ReportEntry:
        return ReportEntry(
            self.report_id,
            self.report_type,
            _utc(self.created_time),
            self.processing_status,
            self.report_document_id,
            _utc(self.data_start_time) if self.data_start_time else None,
            _utc(self.data_end_time) if self.data_end_time else None,
            tuple(self.marketplace_ids),
        )


class _Reports(msgspec.Struct, rename="camel"):
    reports: list[_Report]
    next_token: str | None = None


class _Document(msgspec.Struct, rename="camel"):
    report_document_id: str
    url: str
    compression_algorithm: str | None = None


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct):
    errors: list[_Error]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_Shape = TypeVar("_Shape", _Reports, _Report, _Document)


class SpApi:
    """Settlement reports of one seller account. Safe to share between threads; close when done.

    Args:
        connection: The account.
        clock: Waits and dates.
        redactor: Of the process; learns this connection's secrets.
        transport: For tests.
    """

    def __init__(
        self,
        connection: AmazonConnection,
        *,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.connection = connection
        self.clock = clock or SystemClock()
        self.redactor = redactor or Redactor()
        for secret in (connection.client_id, connection.client_secret, connection.refresh_token):
            self.redactor.add(secret)

        def http(hosts: tuple[str, ...], max_body: int) -> Http:
            settings = HttpSettings(
                connection=connection.name,
                allow=AllowList(hosts, sandbox=connection.sandbox),
                max_body=max_body,
                run_id=connection.run_id,
                ca_bundle=connection.ca_bundle,
                proxy=connection.proxy,
            )
            return Http(settings, self.clock, self.redactor, transport=transport)

        self._api = http(API_HOSTS, 16 * 2**20)
        self._storage = http(DOCUMENT_HOSTS, connection.max_document)
        self._tokens = lwa_tokens(connection, self._api, self.clock, self.redactor)
        self._buckets = TokenBuckets(connection.state_folder, self.clock)
        self._rates = dict(RATES)
        self._account = digest(connection.client_id.reveal(), connection.refresh_token.reveal())[:16]
        self._random = random.Random()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._api.close()
        self._storage.close()

    def calls(self) -> list[CallCount]:
        """Calls so far by method and path pattern, downloads and token requests included."""
        return self._api.calls() + self._storage.calls()

    def list_settlement_reports(
        self, since: datetime | None = None, *, report_types: Sequence[str] = (V2_FLAT_FILE,)
    ) -> list[ReportEntry]:
        """Finished settlement reports created since then, oldest first; at most 90 days back.

        Calls: one each 100 reports. Settlement reports cannot be requested, only listed.

        Raises:
            TransientError, CredentialError, AmazonRefusedError.
        """
        earliest = self.clock.now() - HORIZON + MARGIN
        created = max(since, earliest) if since is not None else earliest
        params: dict[str, str | int] = {
            "reportTypes": ",".join(report_types),
            "createdSince": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "pageSize": 100,
        }
        found: dict[str, ReportEntry] = {}
        seen: set[str] = set()
        while True:
            answer = self._call("getReports", f"{ROOT}/reports{query_string(params)}")
            page = self._read(answer, _Reports)
            found |= {r.report_id: r.entry() for r in page.reports}
            if not page.next_token:
                break
            if page.next_token in seen:
                raise TransientError(
                    "Amazon's list of reports repeats itself; it was not taken.", code="paging-loop"
                )
            seen.add(page.next_token)
            params = {"nextToken": page.next_token}  # alone, or the call fails
        done = [e for e in found.values() if e.status == "DONE" and e.document_id]
        return sorted(done, key=lambda e: (e.created, e.report_id))

    def get_report(self, report_id: str) -> ReportEntry:
        """One report. One call."""
        answer = self._call("getReport", f"{ROOT}/reports/{quote(report_id, safe='')}")
        return self._read(answer, _Report).entry()

    def document_link(self, document_id: str) -> DocumentLink:
        """Where a document can be fetched for the next five minutes. One call."""
        answer = self._call("getReportDocument", f"{ROOT}/documents/{quote(document_id, safe='')}")
        document = self._read(answer, _Document)
        if document.compression_algorithm not in {None, "", "GZIP"}:
            raise PermanentError(
                f"Amazon packed document {document_id} by {document.compression_algorithm!r}, which is not known here."
            )
        return DocumentLink(document.url, document.compression_algorithm == "GZIP")

    def fetch(self, entry: ReportEntry, folder: Path) -> FetchedDocument:
        """Download a report, unpacked, into `folder` (file 0600, whole or not at all).

        Calls: one to Amazon and one download; an expired address is asked for once more.

        Raises:
            TransientError, CredentialError, AmazonRefusedError; PermanentError: larger than allowed.
        """
        name = re.sub(r"[^0-9A-Za-z_-]", "_", entry.report_id) or "report"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{name}.txt"
        link = self.document_link(entry.document_id)
        try:
            got = self._download(link, path)
        except ExpiredLinkError:
            got = self._download(self.document_link(entry.document_id), path)
        return FetchedDocument(
            path,
            entry.report_id,
            entry.document_id,
            got.charset,
            got.size,
            got.sha256,
            entry.created,
            entry.period_start,
            entry.period_end,
        )

    def _download(self, link: DocumentLink, path: Path) -> Fetched:
        for attempt in range(3):
            try:
                return download(self._storage, link, path, self.connection.max_document)
            except ExpiredLinkError:
                raise
            except TransientError:
                if attempt == 2:
                    raise
                self.clock.sleep(self._random.uniform(0, 2.0 ** (attempt + 1)))
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _call(self, operation: str, path: str) -> Answer:
        """One operation, with its rate, back-off and at most one renewal of the token."""
        pattern = re.sub(r"^(.*/(?:reports|documents))/[^/?]+", r"\1/{id}", path.split("?", maxsplit=1)[0])
        pattern = pattern if pattern.startswith(ROOT) else path.split("?", maxsplit=1)[0]
        bucket = f"amazon:{self._account}:{operation}"
        refused: AccessToken | None = None
        started = self.clock.now()
        problem = ""
        for attempt in range(ATTEMPTS):
            rate = self._rates[operation]
            spent = (self.clock.now() - started).total_seconds()
            self._buckets.take(bucket, rate, longest=max(0.0, self.connection.patience - spent))
            token = self._tokens.get(refused=refused)
            try:
                answer = self._api.read_once(
                    "GET", self.connection.base + path, pattern=pattern, headers=self._headers(token)
                )
            except TransientError as error:
                problem = str(error)
                self.clock.sleep(self._random.uniform(0, min(60.0, 2.0**attempt)))
                continue
            self._learn(operation, answer)
            if answer.ok:
                return answer
            if answer.status == 403 and refused is None:
                refused = token
                continue
            if answer.status == 429:
                self._buckets.empty(bucket, rate)
                problem = f"{operation}: HTTP 429, the quota is used up."
                wait = max(rate.seconds_per_token, 2.0**attempt, answer.retry_after or 0.0)
                self.clock.sleep(wait + self._random.uniform(0, 1))
            elif answer.status >= 500:
                problem = f"{operation}: HTTP {answer.status}."
                self.clock.sleep(self._random.uniform(0, min(60.0, 2.0**attempt)))
            else:
                raise self._refusal(operation, answer)
            if (self.clock.now() - started).total_seconds() > self.connection.patience:
                break
        raise TransientError(
            f"Amazon connection {self.connection.name!r}: {problem} Gave up.", remedy="Try again later."
        )

    def _headers(self, token: AccessToken) -> Mapping[str, str]:
        return {
            "x-amz-access-token": token.value,
            "x-amz-date": self.clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"),
            "Accept": "application/json",
        }

    def _learn(self, operation: str, answer: Answer) -> None:
        """Take over the rate the answer names; the burst stays."""
        text = answer.headers.get("x-amzn-ratelimit-limit", "").strip()
        if re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII) and 0 < float(text) < 1000:
            self._rates[operation] = BucketRate(float(text), RATES[operation].burst)

    def _refusal(self, operation: str, answer: Answer) -> PermanentError:
        try:
            first = msgspec.json.decode(answer.body, type=_Errors).errors[0]
        except (msgspec.DecodeError, IndexError):
            first = _Error("", "")
        words = (
            f"Amazon connection {self.connection.name!r}, {operation}: HTTP {answer.status}"
            f" {first.code} {self.redactor.clean(first.message)}".rstrip()
        )
        if answer.status in {401, 403}:
            return CredentialError(
                f"{words}.",
                remedy="Check that the application has the Finance and Accounting role, and the seller's authorisation.",
            )
        return AmazonRefusedError(f"{words}.", status=answer.status, error_code=first.code)

    def _read(self, answer: Answer, kind: type[_Shape]) -> _Shape:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.DecodeError:
            raise TransientError(
                f"Amazon connection {self.connection.name!r}, {answer.pattern}: the answer cannot be read."
            ) from None
