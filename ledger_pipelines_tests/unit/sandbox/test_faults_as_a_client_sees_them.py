"""Every core fault kind, seen through httpx; the count of issued tokens tells whether the request was applied."""

import socket
import time

import httpx
import pytest

from ledger_pipelines_tests.unit.sandbox.kit import REPORTS, V2, Kit


def test_refuse_resets_the_connection_and_applies_nothing(kit: Kit) -> None:
    kit.fault(kind="refuse")
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        kit.amazon.get(REPORTS)
    # when the reset arrives while the client still writes its body, httpx names it otherwise
    with pytest.raises((httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)):
        kit.login()
    assert kit.applied() == 0


def test_429_carries_the_vendors_body_and_the_retry_after_asked_for(kit: Kit) -> None:
    access = kit.access()
    kit.fault(kind=429, retry_after=7, path=REPORTS)
    answer = kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=access)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["errors"][0]["code"] == "QuotaExceeded"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_5xx_before_applies_nothing_and_5xx_after_has_applied(kit: Kit, status: int) -> None:
    kit.fault(kind="5xx_before", status=status, nth=1)
    assert kit.login().status_code == status
    assert kit.applied() == 0
    kit.fault(kind="5xx_after", status=status, nth=1)
    assert kit.login().status_code == status
    assert kit.applied() == 1


@pytest.mark.parametrize(("applied", "count"), [(False, 0), (True, 1)])
def test_hang_gives_no_byte_until_the_client_gives_up(kit: Kit, applied: bool, count: int) -> None:
    kit.fault(kind="hang", seconds=30, applied=applied)
    with pytest.raises(httpx.ReadTimeout):
        kit.amazon.post("/auth/o2/token", data=kit.grant(), timeout=0.2)
    assert kit.applied() == count


def test_hang_ends_in_a_closed_connection(kit: Kit) -> None:
    kit.fault(kind="hang", seconds=0.1)
    started = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        kit.login()
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(("kind", "count"), [("cut_before", 0), ("cut_after", 1)])
def test_cut_closes_without_a_byte(kit: Kit, kind: str, count: int) -> None:
    kit.fault(kind=kind)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        kit.login()
    assert kit.applied() == count


def test_apply_late_loses_the_answer_and_applies_when_sandbox_time_has_come(kit: Kit) -> None:
    kit.fault(kind="apply_late", seconds=300, nth=1)
    with pytest.raises(httpx.RemoteProtocolError):
        kit.login()
    assert kit.applied() == 0
    kit.advance(200)
    assert kit.applied() == 0
    assert kit.control.get("/faults").json()["pending_late_applies"] == 1
    kit.advance(101)
    assert kit.applied() == 1
    assert kit.control.get("/faults").json()["pending_late_applies"] == 0


def test_apply_late_happens_by_itself_when_the_clock_runs(kit: Kit) -> None:
    kit.fault(kind="apply_late", seconds=0.1, nth=1)
    with pytest.raises(httpx.RemoteProtocolError):
        kit.login()
    deadline = time.monotonic() + 10
    while kit.applied() == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert kit.applied() == 1


def test_truncated_body_announces_more_than_it_sends(kit: Kit) -> None:
    kit.fault(kind="truncated_body")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        kit.login()
    assert kit.applied() == 1


@pytest.mark.parametrize(("applied", "count"), [(False, 0), (True, 1)])
def test_html_200_is_a_gateways_page(kit: Kit, applied: bool, count: int) -> None:
    kit.fault(kind="html_200", applied=applied)
    answer = kit.login()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<html>" in answer.text
    assert kit.applied() == count


def test_apply_twice_applies_twice_and_answers_once(kit: Kit) -> None:
    kit.fault(kind="apply_twice")
    assert kit.login().status_code == 200
    assert kit.applied() == 2


def test_slow_and_drip_answer_whole_after_their_time(kit: Kit) -> None:
    for kind in ("slow", "drip"):
        kit.fault(kind=kind, seconds=0.15, nth=1)
        started = time.monotonic()
        assert kit.login().json()["token_type"] == "bearer"
        assert time.monotonic() - started >= 0.14
    assert kit.applied() == 2


def test_a_spoilt_record_is_spoilt_in_one_field_and_no_other_record_is(kit: Kit) -> None:
    kit.fault(kind="spoilt_record", record="bearer", name="expires_in", value="soon")
    told = kit.login().json()
    assert (told["token_type"], told["expires_in"]) == ("bearer", "soon")
    kit.control.delete("/faults")
    kit.fault(kind="spoilt_record", record="another", name="expires_in", value="soon")
    assert kit.login().json()["expires_in"] == 3600


def test_a_shut_port_refuses_the_connection_itself_and_opens_again(kit: Kit) -> None:
    kit.login()
    try:
        assert kit.control.post("/listen", json={"vendor": "amazon", "open": False}).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.post(f"{kit.sandbox.base_urls['amazon']}/auth/o2/token", data=kit.grant(), trust_env=False)
    finally:
        kit.control.post("/listen", json={"vendor": "amazon", "open": True})
    assert httpx.post(
        f"{kit.sandbox.base_urls['amazon']}/auth/o2/token", data=kit.grant(), trust_env=False
    ).is_success


def test_the_nth_matching_call_is_counted_from_when_the_fault_was_set(kit: Kit) -> None:
    kit.login()
    kit.fault(kind="5xx_before", nth=[2, 4], path="token", method="post")
    kit.amazon.get("/elsewhere")
    assert [kit.login().status_code for _ in range(5)] == [200, 500, 200, 500, 200]
    fault = kit.control.get("/faults").json()["faults"][0]
    assert (fault["matched"], fault["fired"]) == (5, 2)
    assert [firing["call"] for firing in fault["firings"]] == [2, 4]


def test_every_and_times_limit_a_fault(kit: Kit) -> None:
    kit.fault(kind="5xx_before", every=2, times=2)
    assert [kit.login().status_code for _ in range(7)] == [200, 500, 200, 500, 200, 200, 200]


def test_a_rate_with_a_seed_repeats_itself(kit: Kit) -> None:
    def round_of_calls() -> list[int]:
        kit.control.delete("/faults")
        kit.fault(kind="5xx_before", rate=0.4, seed=11)
        return [kit.login().status_code for _ in range(30)]

    first = round_of_calls()
    assert first == round_of_calls()
    assert 4 < first.count(500) < 22


def test_cleared_faults_no_longer_fire(kit: Kit) -> None:
    kit.fault(kind="5xx_before")
    kit.control.delete("/faults")
    assert kit.login().status_code == 200


def test_several_faults_are_set_at_once_and_the_first_that_is_due_wins(kit: Kit) -> None:
    specs = [
        {"vendor": "amazon", "kind": "5xx_before", "status": 503, "nth": 1},
        {"vendor": "amazon", "kind": 429, "nth": [1, 2]},
    ]
    assert kit.control.post("/faults", json=specs).status_code == 200
    assert [kit.login().status_code for _ in range(3)] == [503, 429, 200]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"vendor": "amazon", "kind": "melt"}, "no fault kind 'melt' for amazon; there are"),
        ({"vendor": "nobody", "kind": "refuse"}, "no vendor 'nobody'; there are amazon"),
        ({"vendor": "amazon", "kind": "refuse", "path": "("}, "not a regular expression"),
        ({"vendor": "amazon", "kind": "refuse", "nth": 1, "every": 2}, "one of nth, every and rate"),
        ({"vendor": "amazon", "kind": "refuse", "colour": 1}, "colour"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_in_words(
    kit: Kit, spec: dict[str, object], says: str
) -> None:
    answer = kit.control.post("/faults", json=spec)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_a_client_that_dies_in_the_middle_of_its_call_leaves_no_traceback_and_applies_nothing(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    address = kit.amazon.base_url
    with socket.create_connection((address.host, address.port or 80)) as dying:
        dying.sendall(
            b"POST /auth/o2/token HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 5000\r\n\r\ngrant_type=refresh"
        )
    assert kit.login().status_code == 200
    assert kit.applied() == 1
    assert "Traceback" not in caplog.text
