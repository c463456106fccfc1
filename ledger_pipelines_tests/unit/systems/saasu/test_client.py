"""The client on the sandbox: logins, one call a second, the day's quota, both error shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.systems.saasu.client import SaasuClient, SaasuRefusedError
from ledger_pipelines.systems.saasu.settings import AccessKeyCredentials, PasswordCredentials, SaasuConnection
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.stage import JumpingClock
from ledger_pipelines_tests.unit.systems.saasu.fake import fake_client


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("saasu",)) as running:
        yield running


@pytest.fixture
def control(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.control_url, trust_env=False) as client:
        client.delete("/faults").raise_for_status()
        client.post("/reset", json={"seed": "empty"}).raise_for_status()
        client.post("/saasu/settings", json={"rate_limit": False, "daily_quota": None}).raise_for_status()
        yield client


def _client(
    sandbox: RunningSandbox, folder: Path, control: httpx.Client | None = None, **more: object
) -> SaasuClient:
    told = sandbox.credentials["saasu"]
    login = PasswordCredentials(Secret(told["username"]), Secret(told["password"]))
    settings = {
        "credentials": login,
        "base_url": sandbox.base_urls["saasu"],
        "sandbox": True,
        "seconds_between_calls": 0.001,
    } | more
    connection = SaasuConnection("books", told["file_id"], state_folder=folder, **settings)  # type: ignore[arg-type]  # its fields
    return SaasuClient(connection, clock=FakeClock() if control is None else JumpingClock(control))


def _authorisations(control: httpx.Client) -> dict[str, int]:
    calls = control.get("/calls").json()["calls"]
    return {call["path"]: call["count"] for call in calls if call["path"].startswith("/authorisation")}


def test_one_grant_serves_all_processes_and_is_refreshed_when_it_ends(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    control.delete("/calls")
    for _ in range(2):
        with _client(sandbox, tmp_path, control) as client:
            assert client.get("/TaxCodes")
    assert _authorisations(control) == {"/authorisation/token": 1}
    control.post("/clock", json={"advance_seconds": 10_800}).raise_for_status()
    with _client(sandbox, tmp_path, control) as client:
        assert client.get("/TaxCodes")
    assert _authorisations(control) == {"/authorisation/token": 1, "/authorisation/refresh": 1}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.glob("saasu-*.refresh"))


def test_a_token_killed_by_another_program_is_renewed_once(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path) as client:
        client.get("/TaxCodes")
        refresh = next(tmp_path.glob("saasu-*.refresh")).read_text()
        httpx.post(
            f"{sandbox.base_urls['saasu']}/authorisation/refresh",
            json={"grant_type": "refresh_token", "refresh_token": refresh}, trust_env=False,
        ).raise_for_status()  # fmt: skip
        assert client.get("/TaxCodes")


def test_a_refused_refresh_token_means_a_new_login(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path) as client:
        client.get("/TaxCodes")
    for path in tmp_path.glob("saasu-*"):
        path.unlink() if path.suffix == ".token" else path.write_text("gone")
    with _client(sandbox, tmp_path) as client:
        assert client.get("/TaxCodes")


def test_two_factor_is_recognised_and_explained(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    told = sandbox.credentials["saasu"]["two_factor"]
    login = PasswordCredentials(Secret(told["username"]), Secret(told["password"]))
    with (
        _client(sandbox, tmp_path, credentials=login) as client,
        pytest.raises(CredentialError, match="two-factor") as refused,
    ):
        client.get("/TaxCodes")
    assert refused.value.code == "two-factor"
    with _client(sandbox, tmp_path, credentials=AccessKeyCredentials(Secret(told["access_key"]))) as client:
        assert client.get("/TaxCodes")


def test_a_file_that_the_login_may_not_open_is_named(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    told = sandbox.credentials["saasu"]
    login = PasswordCredentials(Secret(told["username"]), Secret(told["password"]))
    connection = SaasuConnection("books", 7, login, tmp_path, sandbox.base_urls["saasu"], sandbox=True)
    with (
        SaasuClient(connection, clock=FakeClock()) as client,
        pytest.raises(CredentialError, match=r"may not open file 7.*fileid:5150"),
    ):
        client.get("/TaxCodes")


def test_one_call_a_second_is_kept_by_two_clients_together(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    control.post("/clock", json={"freeze": True}).raise_for_status()
    control.post("/saasu/settings", json={"rate_limit": True}).raise_for_status()
    clock = _Frozen(control)
    one = _client(sandbox, tmp_path, seconds_between_calls=1.0).connection
    with SaasuClient(one, clock=clock) as first, SaasuClient(one, clock=clock) as second:
        for client in (first, second, first, second):
            assert client.get("/TaxCodes")
    assert sum(clock.slept) >= 2.9
    control.post("/clock", json={"resume": True}).raise_for_status()


def test_calls_arrive_a_second_apart_however_unevenly_they_travel(tmp_path: Path) -> None:
    clock, arrived = FakeClock(), list[datetime]()
    travels = iter((0.9, 0.0, 0.4, 0.1, 0.0))

    def handler(_request: httpx.Request) -> httpx.Response:
        clock.sleep(next(travels))
        arrived.append(clock.now())
        clock.sleep(0.05)
        return httpx.Response(200, json=[])

    with fake_client(handler, tmp_path, clock, seconds_between_calls=1.0) as client:
        for _ in range(4):
            client.get("/TaxCodes")
        client.write("POST", "/Contact", {"GivenName": "P"})
    apart = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(arrived)]
    assert min(apart) >= 1.0, apart


class _Frozen:
    """A clock that stands still, as the sandbox's does, and moves with it when someone waits."""

    def __init__(self, control: httpx.Client) -> None:
        self._control, self.slept = control, list[float]()
        self._now = datetime.fromisoformat(control.get("/clock").json()["now"])

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
        self._control.post("/clock", json={"advance_seconds": seconds}).raise_for_status()


def test_the_days_share_is_not_passed_and_no_call_is_made_after_it(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path, calls_per_day=3) as client:
        for _ in range(3):
            client.get("/TaxCodes")
        control.delete("/calls")
        with pytest.raises(TransientError, match="has used its 3 calls") as refused:
            client.get("/TaxCodes")
        assert refused.value.code == "quota-spent"
        with pytest.raises(TransientError):
            client.write("POST", "/Contact", {"GivenName": "P"})
        assert client.spent().left == 0
    assert control.get("/calls").json()["calls"] == []


@pytest.mark.parametrize("status", [429, 403, 503])
def test_a_throttled_answer_is_not_tried_again_in_a_loop(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path, status: int
) -> None:
    control.post("/saasu/settings", json={"daily_quota": 1, "throttle_status": status}).raise_for_status()
    control.delete("/saasu/meter").raise_for_status()
    with _client(sandbox, tmp_path) as client:
        client.get("/TaxCodes")
        control.delete("/calls")
        with pytest.raises(TransientError) as refused:
            client.get("/TaxCodes")
        assert refused.value.code == "throttled"
    assert sum(call["count"] for call in control.get("/calls").json()["calls"]) == 1


def test_words_are_read_in_both_shapes_and_without_parameter_names(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path) as client:
        with pytest.raises(SaasuRefusedError, match="The requested item is not found"):
            client.get("/Item/99")
        answer = client.write("POST", "/Item", {"Code": "A", "Description": "a", "IsSold": True})
        refusal = client.refusal(answer, "POST", "/Item")
        assert isinstance(refusal, SaasuRefusedError)
        assert refusal.text.endswith("an Income Account assigned to it.")


def test_pages_are_read_to_the_end(sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path) -> None:
    with _client(sandbox, tmp_path) as client:
        for number in range(3):
            assert client.write("POST", "/Contact", {"GivenName": f"P{number}"}).ok
        page = client.page("/Contacts", "Contacts", 1)
        assert (len(page.rows), page.more) == (3, False)
        with pytest.raises(TransientError, match="no list Nothing"):
            client.page("/Contacts", "Nothing", 1)


@pytest.mark.parametrize("kind", ["html_200", "truncated_body"])
def test_half_an_answer_is_none(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path, kind: str
) -> None:
    with _client(sandbox, tmp_path) as client:
        client.get("/TaxCodes")
        control.post("/faults", json={"vendor": "saasu", "kind": kind}).raise_for_status()
        with pytest.raises(TransientError):
            client.get("/TaxCodes")


def test_a_write_is_made_once_whatever_becomes_of_its_answer(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path) as client:
        client.get("/TaxCodes")
        control.post(
            "/faults", json={"vendor": "saasu", "kind": "cut_after", "method": "POST"}
        ).raise_for_status()
        with pytest.raises(UnknownOutcomeError):
            client.write("POST", "/Contact", {"GivenName": "Once"})
    assert len(control.get("/dump/saasu").json()["files"]["5150"]["records"]["contact"]) == 1


def test_the_access_key_is_in_no_text(sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path) -> None:
    key = AccessKeyCredentials(Secret("canarycanarycanarycanarycanary12"))
    with _client(sandbox, tmp_path, credentials=key) as client:
        with pytest.raises(CredentialError) as refused:
            client.get("/TaxCodes")
        assert "canary" not in str(refused.value)
        assert all("canary" not in call.pattern for call in client.calls())
