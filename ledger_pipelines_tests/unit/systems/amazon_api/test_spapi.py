"""Listing and fetching settlement reports: rates, tokens, paging, documents."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.errors import ConfigurationError, CredentialError, PermanentError, TransientError
from ledger_pipelines.systems.amazon.lwa import AmazonConnection
from ledger_pipelines.systems.amazon.spapi import AmazonRefusedError, ReportEntry, SpApi
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.unit.systems.netsuite.fake import FakeClock

TSV = b"settlement-id\tamount\n18834420011\t1.00\n"
S3 = (
    "https://tortuga-prod-eu.s3-eu-west-1.amazonaws.com/doc?X-Amz-Expires=300&X-Amz-Signature=CANARYSIGNATURE"
)


def report(number: int, **more: Any) -> dict[str, Any]:
    return {
        "reportId": str(50000 + number),
        "reportType": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
        "createdTime": f"2026-09-{number:02d}T16:04:30+00:00",
        "processingStatus": "DONE",
        "marketplaceIds": ["ATVPDKIKX0DER"],
        "reportDocumentId": f"amzn1.spdoc.1.4.na.{number}",
        "dataStartTime": "2026-08-31T14:00:11+00:00",
        "dataEndTime": "2026-09-14T14:00:11+00:00",
    } | more


class FakeAmazon:
    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.times: list[datetime] = []
        self.clock = FakeClock()
        self.tokens = 0
        self.routes: dict[str, Callable[[httpx.Request], httpx.Response]] = {}

    def on(
        self, start: str, answer: Callable[[httpx.Request], httpx.Response] | httpx.Response
    ) -> FakeAmazon:
        self.routes[start] = answer if callable(answer) else lambda _: answer
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.times.append(self.clock.now())
        if request.url.path == "/auth/o2/token" and "/auth" not in self.routes:
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"Atza|token{self.tokens}", "expires_in": 3600})
        for start, answer in self.routes.items():
            if request.url.path.startswith(start):
                return answer(request)
        return httpx.Response(404, json={"errors": [{"code": "NotFound", "message": "no"}]})

    def api(self, **more: Any) -> SpApi:
        values: dict[str, Any] = {
            "name": "shop",
            "region": "eu",
            "client_id": Secret("amzn1.application-oa2-client.1"),
            "client_secret": Secret("client-secret-canary"),
            "refresh_token": Secret("Atzr|refresh-canary"),
        }
        connection = AmazonConnection(**(values | more))
        return SpApi(connection, clock=self.clock, transport=httpx.MockTransport(self))


REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents/"
ENTRY = ReportEntry("50001", "T", datetime(2026, 9, 1, tzinfo=UTC), "DONE", "amzn1.spdoc.1.4.na.1")


def paged(request: httpx.Request) -> httpx.Response:
    if "nextToken" not in request.url.params:
        body = {"reports": [report(2), report(3, processingStatus="IN_PROGRESS")], "nextToken": "page2"}
    else:
        body = {"reports": [report(1), report(2)]}
    return httpx.Response(200, json=body)


def test_reports_are_listed_once_each_oldest_first_and_only_when_done() -> None:
    fake = FakeAmazon().on(REPORTS, paged)
    found = fake.api().list_settlement_reports()
    assert [e.report_id for e in found] == ["50001", "50002"]
    assert found[0].period_end == datetime(2026, 9, 14, 14, 0, 11, tzinfo=UTC)


def test_the_next_token_travels_alone() -> None:
    fake = FakeAmazon().on(REPORTS, paged)
    fake.api().list_settlement_reports()
    first, second = fake.asked[1:]
    assert dict(first.url.params)["pageSize"] == "100"
    assert list(second.url.params) == ["nextToken"]


def test_the_listing_stays_inside_ninety_days() -> None:
    fake = FakeAmazon().on(REPORTS, httpx.Response(200, json={"reports": []}))
    fake.api().list_settlement_reports(datetime(2020, 1, 1, tzinfo=UTC))
    asked = datetime.fromisoformat(fake.asked[1].url.params["createdSince"])
    assert timedelta(days=89) < fake.clock.now() - asked < timedelta(days=90) - timedelta(hours=1)


def test_a_list_that_repeats_itself_is_not_taken() -> None:
    fake = FakeAmazon().on(REPORTS, httpx.Response(200, json={"reports": [], "nextToken": "same"}))
    with pytest.raises(TransientError, match="repeats itself"):
        fake.api().list_settlement_reports()


def test_calls_carry_the_token_and_the_date_and_the_product() -> None:
    fake = FakeAmazon().on(REPORTS, httpx.Response(200, json={"reports": []}))
    fake.api().list_settlement_reports()
    token, call = fake.asked
    assert b"grant_type=refresh_token" in token.content
    assert call.headers["x-amz-access-token"] == "Atza|token1"
    assert call.headers["x-amz-date"] == "20260920T120000Z"
    assert call.headers["user-agent"].startswith("ledger-pipelines/")
    assert call.url.host == "sellingpartnerapi-eu.amazon.com"


def test_an_expired_token_is_renewed_once() -> None:
    fake = FakeAmazon().on(
        REPORTS,
        lambda r: (
            httpx.Response(200, json={"reports": []})
            if r.headers["x-amz-access-token"].endswith("2")
            else httpx.Response(403, json={"errors": [{"code": "Unauthorized", "message": "denied"}]})
        ),
    )
    assert fake.api().list_settlement_reports() == []
    assert fake.tokens == 2


def test_a_role_that_is_missing_is_a_credential_error_after_one_renewal() -> None:
    fake = FakeAmazon().on(
        REPORTS, httpx.Response(403, json={"errors": [{"code": "Unauthorized", "message": "denied"}]})
    )
    with pytest.raises(CredentialError, match="Unauthorized denied"):
        fake.api().list_settlement_reports()
    assert len(fake.asked) == 4


def test_a_revoked_refresh_token_is_a_credential_error() -> None:
    fake = FakeAmazon().on("/auth", httpx.Response(400, json={"error": "invalid_grant"}))
    with pytest.raises(CredentialError, match="invalid_grant"):
        fake.api().list_settlement_reports()
    assert len(fake.asked) == 1


@pytest.mark.parametrize("lead", range(180, 200))
def test_a_secret_that_a_refusal_repeats_is_not_shown_in_part(lead: int) -> None:
    # An answer was cut to 200 bytes before it was masked: a secret cut in two was no longer recognised.
    fake = FakeAmazon().on("/auth", httpx.Response(400, text="x" * lead + "Atzr|refresh-canary"))
    with pytest.raises(CredentialError) as caught:
        fake.api().list_settlement_reports()
    assert "Atzr" not in str(caught.value)


def test_a_bad_request_is_amazons_own_refusal() -> None:
    fake = FakeAmazon().on(
        REPORTS,
        httpx.Response(400, json={"errors": [{"code": "InvalidInput", "message": "bad", "details": ""}]}),
    )
    with pytest.raises(AmazonRefusedError) as caught:
        fake.api().list_settlement_reports()
    assert caught.value.error_code == "InvalidInput"


def test_the_burst_goes_at_once_and_then_one_a_refill() -> None:
    fake = FakeAmazon().on(DOCUMENTS, httpx.Response(200, json={"reportDocumentId": "d", "url": S3}))
    api = fake.api()
    for _ in range(17):
        api.document_link("amzn1.spdoc.1.4.na.1")
    calls = [t for t, r in zip(fake.times, fake.asked, strict=True) if r.url.path.startswith(DOCUMENTS)]
    assert calls[14] == calls[0]
    assert 59 < (calls[15] - calls[0]).total_seconds() < 61
    assert 119 < (calls[16] - calls[0]).total_seconds() < 122


def test_processes_share_the_rate_through_the_folder(tmp_path: Path) -> None:
    fake = FakeAmazon().on(REPORTS, httpx.Response(200, json={"reports": []}))
    for _ in range(10):
        fake.api(state_folder=tmp_path).list_settlement_reports()
    assert not fake.clock.slept
    fake.api(state_folder=tmp_path).list_settlement_reports()
    assert 44 < sum(fake.clock.slept) < 46


def test_a_rate_named_by_amazon_is_taken_over() -> None:
    fake = FakeAmazon().on(
        REPORTS, httpx.Response(200, json={"reports": []}, headers={"x-amzn-RateLimit-Limit": "0.1"})
    )
    api = fake.api()
    for _ in range(12):
        api.list_settlement_reports()
    assert 50 < sum(fake.clock.slept) < 60, "at the default rate it would be 90 s"


def test_a_429_waits_at_least_one_refill() -> None:
    answers = [httpx.Response(429, json={"errors": [{"code": "QuotaExceeded", "message": "m"}]}),
               httpx.Response(200, json={"reports": []})]  # fmt: skip
    fake = FakeAmazon().on(REPORTS, lambda _: answers.pop(0))
    fake.api().list_settlement_reports()
    assert (fake.times[2] - fake.times[1]).total_seconds() >= 45


def test_patience_ends() -> None:
    fake = FakeAmazon().on(REPORTS, httpx.Response(429))
    with pytest.raises(TransientError):
        fake.api(patience=100).list_settlement_reports()
    assert len(fake.asked) <= 5


def stored(body: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(200, stream=httpx.ByteStream(body), headers=headers)


def document(body: bytes, *, packed: bool = False, **headers: str) -> FakeAmazon:
    listed = {"reportDocumentId": "d", "url": S3} | ({"compressionAlgorithm": "GZIP"} if packed else {})
    return (
        FakeAmazon()
        .on(DOCUMENTS, httpx.Response(200, json=listed))
        .on("/doc", lambda _: stored(body, **headers))
    )


@pytest.mark.parametrize(
    ("body", "packed", "headers"),
    [
        (TSV, False, {}),
        (gzip.compress(TSV), True, {}),
        (gzip.compress(TSV), False, {}),
        (TSV, True, {}),
        (gzip.compress(TSV), True, {"Content-Encoding": "gzip"}),
        (gzip.compress(gzip.compress(TSV)), True, {"Content-Encoding": "gzip"}),
        (gzip.compress(TSV[:10]) + gzip.compress(TSV[10:]), True, {}),
    ],
    ids=[
        "plain",
        "packed",
        "undeclared",
        "already unpacked",
        "declared twice",
        "packed twice",
        "two members",
    ],
)
def test_documents_are_unpacked_once_however_they_are_declared(
    body: bytes, packed: bool, headers: dict[str, str], tmp_path: Path
) -> None:
    got = document(body, packed=packed, **headers).api().fetch(ENTRY, tmp_path)
    assert got.path.read_bytes() == TSV
    assert (got.size, got.sha256) == (len(TSV), hashlib.sha256(TSV).hexdigest())
    assert got.path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["50001.txt"]


def test_the_charset_is_recorded(tmp_path: Path) -> None:
    headers = {"Content-Type": "text/plain; charset=Cp1252"}
    assert document(TSV, **headers).api().fetch(ENTRY, tmp_path).charset == "cp1252"


def test_no_token_travels_to_the_storage(tmp_path: Path) -> None:
    fake = document(TSV)
    fake.api().fetch(ENTRY, tmp_path)
    download = fake.asked[-1]
    assert "x-amz-access-token" not in download.headers
    assert "authorization" not in download.headers


def test_an_expired_address_is_asked_for_once_more(tmp_path: Path) -> None:
    answers = [
        httpx.Response(403, text="<Error>Request has expired</Error>"),
        stored(TSV),
    ]
    fake = document(TSV).on("/doc", lambda _: answers.pop(0))
    assert fake.api().fetch(ENTRY, tmp_path).size == len(TSV)
    assert sum(r.url.path.startswith(DOCUMENTS) for r in fake.asked) == 2


def test_a_document_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    fake = document(gzip.compress(TSV * 100)[:-20], packed=True)
    with pytest.raises(TransientError, match="cut off"):
        fake.api().fetch(ENTRY, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TransientError, match="checksum"):
        document(TSV, **{"Content-MD5": base64.b64encode(b"x" * 16).decode()}).api().fetch(ENTRY, tmp_path)


def test_a_document_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    with pytest.raises(PermanentError, match="unpacks to more"):
        document(bomb, packed=True).api(max_document=1_000_000).fetch(ENTRY, tmp_path)
    with pytest.raises(PermanentError, match="larger than"):
        document(b"0" * 5_000_000).api(max_document=1_000_000).fetch(ENTRY, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://tortuga.s3.amazonaws.com/doc",
        "https://evil.example/doc",
        "https://ec2-10-0-0-1.compute-1.amazonaws.com/doc",
        "https://a.s3.amazonaws.com.evil.example/doc",
        "https://user@tortuga.s3.amazonaws.com/doc",
        "http://127.0.0.1:8707/doc",
        "https://169.254.169.254/doc",
    ],
)
def test_documents_come_from_the_storage_only(url: str, tmp_path: Path) -> None:
    fake = FakeAmazon().on(DOCUMENTS, httpx.Response(200, json={"reportDocumentId": "d", "url": url}))
    with pytest.raises(ConfigurationError, match="may not call"):
        fake.api().fetch(ENTRY, tmp_path)


def test_a_document_on_this_machine_is_for_sandboxes(tmp_path: Path) -> None:
    fake = FakeAmazon().on("/doc", stored(TSV)).on(
        DOCUMENTS, httpx.Response(200, json={"reportDocumentId": "d", "url": "http://127.0.0.1:8707/doc"})
    )  # fmt: skip
    api = fake.api(
        sandbox=True, base_url="http://127.0.0.1:8707", token_url="http://127.0.0.1:8707/auth/o2/token"
    )
    assert api.fetch(ENTRY, tmp_path).size == len(TSV)


def test_no_secret_shows_in_errors_logs_or_reprs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(request: httpx.Request) -> httpx.Response:
        said = request.headers["x-amz-access-token"] + " client-secret-canary " + S3
        return httpx.Response(400, json={"errors": [{"code": "InvalidInput", "message": said}]})

    texts = []
    fake = FakeAmazon().on(REPORTS, echo)
    api = fake.api()
    with pytest.raises(AmazonRefusedError) as caught:
        api.list_settlement_reports()
    texts += [str(caught.value), repr(caught.value)]

    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"broken {S3}")

    broken = document(TSV).on("/doc", fail)
    with pytest.raises(TransientError) as other:
        broken.api().fetch(ENTRY, tmp_path)
    link = broken.api().document_link("d")
    texts += [
        str(other.value),
        repr(link),
        repr(api.connection),
        caplog.text,
        json.dumps([repr(c) for c in api.calls()]),
    ]
    for text in texts:
        for canary in ("CANARYSIGNATURE", "client-secret-canary", "refresh-canary", "Atza|token1"):
            assert canary not in text


def test_calls_are_counted_by_operation(tmp_path: Path) -> None:
    fake = document(TSV)
    api = fake.api()
    api.fetch(ENTRY, tmp_path)
    assert {(c.method, c.pattern, c.count) for c in api.calls()} == {
        ("POST", "/auth/o2/token", 1),
        ("GET", "/reports/2021-06-30/documents/{id}", 1),
        ("GET", "/{document}", 1),
    }
