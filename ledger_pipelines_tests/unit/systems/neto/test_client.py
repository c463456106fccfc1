"""The client on the sandbox: keys, refusals, pages that are no answers, the rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from ledger_pipelines.errors import (
    ConfigurationError,
    CredentialError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines.systems.neto.client import (
    AppCredentials,
    KeyCredentials,
    NetoClient,
    NetoConnection,
    read_answer,
)
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.faults.engine_target import FakeClock


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("neto",)) as running:
        yield running


@pytest.fixture
def control(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.control_url, trust_env=False) as client:
        client.delete("/faults").raise_for_status()
        client.post("/reset", json={"seed": "empty"}).raise_for_status()
        yield client


def _client(
    sandbox: RunningSandbox, tmp_path: Path, credentials: KeyCredentials | AppCredentials | None = None
) -> NetoClient:
    key = KeyCredentials(Secret(sandbox.credentials["neto"]["api_key"]))
    connection = NetoConnection(
        "neto",
        sandbox.base_urls["neto"],
        credentials or key,
        ZoneInfo("Australia/Sydney"),
        sandbox=True,
        state_folder=tmp_path,
    )
    return NetoClient(connection, clock=FakeClock())


def test_all_three_kinds_of_credentials_are_taken(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    told = sandbox.credentials["neto"]
    ways: list[KeyCredentials | AppCredentials] = [
        KeyCredentials(Secret(told["api_key"])),
        KeyCredentials(Secret(told["user"]["api_key"]), told["user"]["username"]),
        AppCredentials(Secret(told["app"]["client_id"]), Secret(told["app"]["access_token"])),
    ]
    for way in ways:
        with _client(sandbox, tmp_path, way) as client:
            assert client.read("GetPaymentMethods", {}).warnings == ()


def test_a_key_that_is_refused_is_named_with_its_remedy_and_never_shown(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with (
        _client(sandbox, tmp_path, KeyCredentials(Secret("canary-key-1234567890"))) as client,
        pytest.raises(CredentialError, match=r"Invalid API Key.*user name") as refused,
    ):
        client.read("GetPaymentMethods", {})
    assert "canary" not in str(refused.value)


def test_a_refusal_with_status_200_is_one(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with (
        _client(sandbox, tmp_path) as client,
        pytest.raises(PermanentError, match="Invalid NETOAPI_ACTION GetNothing"),
    ):
        client.read("GetNothing", {})


def test_warnings_come_back_with_the_data(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path) as client:
        answer = read_answer(
            "UpdateItem", client.write("UpdateItem", {"Item": [{"SKU": "NONE"}]}), client.redactor
        )
    assert answer is not None
    assert (answer.refused, answer.warnings) == (False, ("Cannot find Item NONE",))


@pytest.mark.parametrize("as_list", [True, False])
def test_messages_are_read_in_both_shapes(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path, as_list: bool
) -> None:
    control.post("/neto/settings", json={"messages_as_list": as_list}).raise_for_status()
    with _client(sandbox, tmp_path) as client, pytest.raises(PermanentError, match="Item is required"):
        client.read("AddItem", {})


def test_a_page_of_html_is_asked_for_again_and_then_given_up(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    with _client(sandbox, tmp_path) as client:
        control.post("/faults", json={"vendor": "neto", "kind": "html_200", "times": 2}).raise_for_status()
        assert client.read("GetPaymentMethods", {}).body["Ack"] == "Success"
        control.post("/faults", json={"vendor": "neto", "kind": "html_200"}).raise_for_status()
        with pytest.raises(TransientError):
            client.read("GetPaymentMethods", {})


def test_too_many_requests_are_waited_out(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    control.post(
        "/faults", json={"vendor": "neto", "kind": "429", "times": 1, "retry_after": 7}
    ).raise_for_status()
    with _client(sandbox, tmp_path) as client:
        client.read("GetPaymentMethods", {})
        assert isinstance(client.clock, FakeClock)
        assert sum(client.clock.slept) >= 7


def test_a_write_whose_answer_is_lost_is_made_once(
    sandbox: RunningSandbox, control: httpx.Client, tmp_path: Path
) -> None:
    control.post("/faults", json={"vendor": "neto", "kind": "cut_after"}).raise_for_status()
    with _client(sandbox, tmp_path) as client:
        with pytest.raises(UnknownOutcomeError):
            client.write("AddItem", {"Item": {"SKU": "ONCE", "Name": "once"}})
        assert [(call.pattern, call.count) for call in client.calls()] == [("AddItem", 1)]
    assert [item["key"] for item in control.get("/dump/neto").json()["records"]["item"]] == ["ONCE"]


def test_only_the_stores_own_host_may_be_called(tmp_path: Path) -> None:
    connection = NetoConnection("neto", "http://127.0.0.1:1", KeyCredentials(Secret("k")), ZoneInfo("UTC"))
    with NetoClient(connection) as client, pytest.raises(ConfigurationError, match="may not call"):
        client.read("GetItem", {})
