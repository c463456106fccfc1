"""The one HTTP stack: retries by meaning, the allow list, sizes, counts, redaction."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ledger_pipelines.documents.effects import CredentialsRefused, NotSent, Unknown
from ledger_pipelines.errors import (
    ConfigurationError,
    CredentialError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from ledger_pipelines.systems.http import (
    AllowList,
    Answer,
    Http,
    HttpSettings,
    Retries,
    classify,
    query_string,
    retry_after,
    user_agent,
)
from ledger_pipelines.systems.secrets import Redactor
from ledger_pipelines_tests.unit.systems.netsuite.fake import FakeClock

ALLOW = AllowList((r"api\.vendor\.example",))
URL = "https://api.vendor.example/orders"


class Wire:
    def __init__(self, *answers: httpx.Response | Exception, **settings: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.clock = FakeClock()
        self.redactor = Redactor()
        self.http = Http(
            HttpSettings(**({"connection": "shop", "allow": ALLOW} | settings)),
            self.clock,
            self.redactor,
            transport=httpx.MockTransport(self._answer),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def read(self) -> Answer:
        return self.http.read("GET", URL, pattern="/orders")

    def write(self) -> Answer:
        return self.http.write("POST", URL, pattern="/orders", body=b"{}")


OK = httpx.Response(200, json={"a": 1})


@pytest.mark.parametrize(
    "bad", [httpx.Response(429), httpx.Response(503), httpx.ReadTimeout("x"), httpx.ConnectError("x")]
)
def test_reads_are_tried_again_on_what_may_pass(bad: Any) -> None:
    wire = Wire(bad, bad, OK)
    assert wire.read().status == 200
    assert len(wire.requests) == 3


def test_a_refusal_that_repeats_the_credentials_arrives_without_them() -> None:
    """NetSuite's words with the token in them were shown by `check`."""
    for status, told in (
        (400, {"title": "***", "name": "\u00fc"}),
        (200, {"title": "t0ken-of-mine", "name": "\u00fc"}),
    ):
        wire = Wire(httpx.Response(status, json={"title": "t0ken-of-mine", "name": "\u00fc"}))
        wire.redactor.add("t0ken-of-mine")
        assert wire.read().json() == told
        assert wire.write().json() == told


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_reads_are_not_tried_again_on_a_definite_no(status: int) -> None:
    wire = Wire(httpx.Response(status))
    assert wire.read().status == status
    assert len(wire.requests) == 1


@pytest.mark.parametrize("bad", [httpx.Response(429), httpx.Response(500), httpx.Response(503)])
def test_writes_are_never_tried_again(bad: httpx.Response) -> None:
    wire = Wire(bad)
    assert wire.write().status == bad.status_code
    assert len(wire.requests) == 1
    assert wire.clock.slept == []


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
)
def test_a_write_that_never_left_is_transient(error: Callable[[str], Exception]) -> None:
    wire = Wire(error("x"))
    with pytest.raises(TransientError, match="Nothing was sent"):
        wire.write()
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.DecodingError],
)  # fmt: skip
def test_a_write_that_may_have_arrived_is_an_unknown_outcome(error: Callable[[str], Exception]) -> None:
    wire = Wire(error("x"))
    with pytest.raises(UnknownOutcomeError, match="may have been applied"):
        wire.write()
    assert len(wire.requests) == 1


def test_retry_after_is_obeyed_in_seconds_and_as_a_date() -> None:
    wire = Wire(httpx.Response(429, headers={"Retry-After": "17"}), OK)
    wire.read()
    assert 17 <= sum(wire.clock.slept) <= 18
    now = datetime(2026, 9, 20, 12, tzinfo=UTC)
    assert retry_after(httpx.Headers({"Retry-After": "Sun, 20 Sep 2026 12:01:30 GMT"}), now) == 90
    assert retry_after(httpx.Headers({"Retry-After": "Sun, 20 Sep 2026 11:00:00 GMT"}), now) == 0
    assert retry_after(httpx.Headers({"Retry-After": "soon"}), now) is None


def test_the_budget_bounds_all_attempts_together() -> None:
    wire = Wire(httpx.Response(429, headers={"Retry-After": "1000"}))
    with pytest.raises(TransientError) as caught:
        wire.read()
    assert caught.value.retry_after == 1000
    assert len(wire.requests) == 1
    assert wire.clock.slept == []


def test_waits_have_full_jitter_and_grow() -> None:
    for _ in range(20):
        wire = Wire(httpx.Response(503), retries=Retries(attempts=5, first=2, cap=8, budget=1000))
        with pytest.raises(TransientError):
            wire.read()
        assert len(wire.clock.slept) == 4
        assert all(0 <= s <= limit for s, limit in zip(wire.clock.slept, (2, 4, 8, 8), strict=True))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.vendor.example/orders",
        "https://evil.example/orders",
        "https://api.vendor.example.evil.example/",
        "https://api.vendor.example@evil.example/",
        "https://api.vendor.example:8443/",
        "https://127.0.0.1/",
        "http://localhost:8700/",
        "ftp://api.vendor.example/",
        "https://xapi.vendor.example/",
    ],
)
def test_only_allowed_addresses_are_called(url: str) -> None:
    wire = Wire(OK)
    with pytest.raises(ConfigurationError, match="may not call"):
        wire.http.read("GET", url, pattern="/")
    assert wire.requests == []


def test_loopback_is_for_connections_declared_sandbox() -> None:
    wire = Wire(OK, allow=AllowList((), sandbox=True))
    assert wire.http.read("GET", "http://127.0.0.1:8706/x", pattern="/x").ok
    with pytest.raises(ConfigurationError):
        wire.http.read("GET", "http://192.168.0.9:8706/x", pattern="/x")


def test_a_public_name_that_leads_into_a_private_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    http = Http(HttpSettings("shop", ALLOW), FakeClock(), Redactor())
    with pytest.raises(ConfigurationError, match="private network"):
        http.read("GET", URL, pattern="/orders")


def test_redirects_are_answers_not_followed() -> None:
    wire = Wire(httpx.Response(302, headers={"Location": "https://evil.example/"}))
    assert wire.read().status == 302
    assert len(wire.requests) == 1


def test_an_answer_too_large_is_refused_and_for_a_write_unknown() -> None:
    wire = Wire(httpx.Response(200, content=b"x" * 2000), max_body=1000)
    with pytest.raises(PermanentError, match="larger than 1000"):
        wire.read()
    with pytest.raises(UnknownOutcomeError, match="larger than 1000"):
        wire.write()


def test_calls_are_counted_with_their_retries() -> None:
    wire = Wire(httpx.Response(503), OK)
    wire.read()
    wire.write()
    assert [(c.connection, c.method, c.pattern, c.count) for c in wire.http.calls()] == [
        ("shop", "GET", "/orders", 2),
        ("shop", "POST", "/orders", 1),
    ]


def test_the_user_agent_names_product_and_run() -> None:
    wire = Wire(OK, run_id="r-17")
    wire.read()
    assert wire.requests[0].headers["user-agent"] == user_agent("r-17")
    assert user_agent("r-17").startswith("ledger-pipelines/")
    assert user_agent("r-17").endswith("(run r-17)")


def test_blanks_in_queries_are_percent_encoded() -> None:
    assert query_string({"q": 'a IS "b c"', "limit": 5}) == "?q=a%20IS%20%22b%20c%22&limit=5"
    assert query_string({}) == ""


def test_errors_and_logs_carry_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire = Wire(httpx.ReadError("broken: token s3cr3t/value+1 and s3cr3t%2Fvalue%2B1"))
    wire.redactor.add("s3cr3t/value+1")
    with pytest.raises(UnknownOutcomeError) as caught:
        wire.write()
    for text in (str(caught.value), repr(caught.value), caplog.text):
        assert "s3cr3t" not in text
    assert caught.value.__suppress_context__


def _answer(status: int, **more: Any) -> Answer:
    response = httpx.Response(status, **more)
    return Answer(
        status, response.headers, response.content, "POST", "/orders", datetime(2026, 9, 20, tzinfo=UTC)
    )


def test_classify_follows_the_table_of_endings() -> None:
    assert isinstance(classify(TransientError("x", retry_after=3)), NotSent)
    assert isinstance(classify(UnknownOutcomeError("x")), Unknown)
    assert isinstance(classify(CredentialError("x")), CredentialsRefused)
    assert classify(_answer(429, headers={"Retry-After": "5"})) == NotSent(
        "The target asks to slow down (HTTP 429).", 5.0
    )
    assert isinstance(classify(_answer(401)), CredentialsRefused)
    for status in (301, 500, 502, 503, 504):
        assert isinstance(classify(_answer(status)), Unknown)
    assert isinstance(classify(_answer(200, html="<html></html>")), Unknown)
    assert isinstance(classify(_answer(400, content=b" <!DOCTYPE html><html>")), Unknown)
    for status in (200, 204, 400, 404, 409, 422):
        assert classify(_answer(status, json={})) is None


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A raw server on loopback; `behave` gets each connection."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.05)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(10)
            with connection:
                behave(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        stop.set()
        listening.close()
        thread.join(timeout=5)


def _loopback(**more: Any) -> Http:
    settings: dict[str, Any] = {"connection": "shop", "allow": AllowList((), sandbox=True)}
    return Http(HttpSettings(**(settings | more)), FakeClock(), Redactor())


def test_a_real_refused_connection_is_not_sent() -> None:
    with server(lambda _: None) as port:
        pass
    with pytest.raises(TransientError, match="Nothing was sent"):
        _loopback().write("POST", f"http://127.0.0.1:{port}/", pattern="/", body=b"{}")


def test_a_real_short_body_is_an_unknown_outcome() -> None:
    def short(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")

    with server(short) as port, pytest.raises(UnknownOutcomeError):
        _loopback().write("POST", f"http://127.0.0.1:{port}/", pattern="/", body=b"{}")


def test_a_real_silent_server_is_an_unknown_outcome() -> None:
    release = threading.Event()

    def silent(connection: socket.socket) -> None:
        connection.recv(65536)
        release.wait(10)

    with server(silent) as port:
        with pytest.raises(UnknownOutcomeError, match="ReadTimeout"):
            _loopback(read_timeout=0.2).write("POST", f"http://127.0.0.1:{port}/", pattern="/", body=b"{}")
        release.set()


def test_every_write_has_a_connection_of_its_own() -> None:
    seen: list[int] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.getpeername()[1])
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.recv(65536)

    http = _loopback()
    with server(answer) as port:
        for _ in range(3):
            http.write("POST", f"http://127.0.0.1:{port}/", pattern="/", body=b"{}")
    assert len(set(seen)) == 3


def test_a_certificate_nobody_vouches_for_is_not_sent_to(tmp_path: Path) -> None:
    with server(lambda c: (c.recv(1024), c.sendall(b"not tls"))[1]) as port, pytest.raises(
        TransientError, match="Nothing was sent"
    ):  # fmt: skip
        _loopback().write("POST", f"https://127.0.0.1:{port}/", pattern="/", body=b"{}")


def _answered(body: bytes) -> Answer:
    return Answer(200, httpx.Headers(), body, "GET", "/orders", datetime(2026, 9, 20, tzinfo=UTC))


def test_an_answer_nested_deeper_than_a_record_can_be_is_no_json_and_one_as_deep_as_allowed_is() -> None:
    deep = b'{"a":' * 100 + b"1" + b"}" * 100
    assert isinstance(_answered(deep).json(), dict)
    with pytest.raises(msgspec.DecodeError, match="too deep"):
        _answered(b"[" + deep + b"]").json()


def test_many_records_beside_each_other_are_not_deep() -> None:
    many = _answered(b"[" + b",".join([b'{"a":[{}]}'] * 1_000) + b"]").json()
    assert isinstance(many, list)
    assert len(many) == 1_000


def test_a_date_no_clock_can_hold_is_no_date_and_no_traceback() -> None:
    beyond = "Fri, 31 Dec 9999 23:59:59 -2300"
    assert retry_after(httpx.Headers({"Retry-After": beyond}), datetime(2026, 9, 20, tzinfo=UTC)) is None
    answer = Answer(
        503, httpx.Headers({"Date": beyond}), b"", "GET", "/orders", datetime(2026, 9, 20, tzinfo=UTC)
    )
    assert answer.server_time is None
