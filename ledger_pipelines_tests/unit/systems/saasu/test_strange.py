"""Answers that are not Saasu's own: what is raised, that no address is followed, that a login is not called refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ledger_pipelines.errors import CredentialError, TransientError
from ledger_pipelines.systems.saasu.settings import PasswordCredentials
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.unit.systems.saasu.fake import Handler, fake_client

LOGIN = PasswordCredentials(Secret("user-of-the-tests"), Secret("password-of-the-tests"))


def _always(*answer: object, hosts: set[str] | None = None, **headers: str) -> Handler:
    status, body = answer

    def handler(request: httpx.Request) -> httpx.Response:
        if hosts is not None:
            hosts.add(request.url.host)
        return httpx.Response(
            int(str(status)), content=body if isinstance(body, bytes) else b"", headers=headers
        )

    return handler


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"Invoices":["caf\xe9"]}', b'{"Invoices":1e99999999999999999999}']
)
def test_json_that_cannot_be_read_is_refused_by_name_and_is_no_traceback(body: bytes, tmp_path: Path) -> None:
    with fake_client(_always(200, body), tmp_path) as client:
        with pytest.raises(TransientError, match="cut or no JSON") as told:
            client.get("/Invoices")
        assert told.value.remedy


def test_another_address_is_not_followed_and_is_no_refusal_for_good(tmp_path: Path) -> None:
    hosts: set[str] = set()
    with (
        fake_client(
            _always(302, b"", hosts=hosts, Location="https://elsewhere.example/"), tmp_path
        ) as client,
        pytest.raises(TransientError, match="not followed"),
    ):
        client.get("/Invoices")
    assert hosts == {"api.saasu.com"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, b""),
        (404, b"{}"),
        (400, b"<html>no</html>"),
        (200, b'{"access_token":"caf\xe9"}'),
        (200, '{"access_token":"tök"}'.encode()),
        (200, b'{"access_token":"t","expires_in":999999999999999999}'),
        (200, b"[" * 100_000),
    ],
)
def test_an_answer_that_says_nothing_of_the_login_does_not_park_the_connection(
    status: int, body: bytes, tmp_path: Path
) -> None:
    with (
        fake_client(_always(status, body), tmp_path, credentials=LOGIN) as client,
        pytest.raises(TransientError, match="token answer for connection 'books' cannot be read"),
    ):
        client.get("/Invoices")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_login_refused_in_words_is_refused(status: int, tmp_path: Path) -> None:
    with (
        fake_client(_always(status, b'{"error":"invalid_grant"}'), tmp_path, credentials=LOGIN) as client,
        pytest.raises(CredentialError, match="the login is refused"),
    ):
        client.get("/Invoices")
