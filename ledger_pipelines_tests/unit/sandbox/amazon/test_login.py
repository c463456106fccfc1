import pytest

from ledger_pipelines_tests.unit.sandbox.kit import REPORTS, V2, Kit


def test_a_good_grant_gives_an_hour(kit: Kit) -> None:
    answer = kit.login()
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache, no-store"
    assert body["access_token"].startswith("Atza|")
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert body["refresh_token"] == kit.sandbox.credentials["amazon"]["refresh_token"]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"refresh_token": "Atzr|other"}, 400, "invalid_grant"),
        ({"client_secret": "other"}, 401, "invalid_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_a_bad_grant_is_refused_in_oauth_words(
    kit: Kit, changes: dict[str, str], status: int, error: str
) -> None:
    answer = kit.login(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert kit.applied() == 0


def test_a_json_grant_is_taken_too(kit: Kit) -> None:
    assert kit.amazon.post("/auth/o2/token", json=kit.grant()).status_code == 200


def test_a_call_without_a_good_token_is_403_without_a_rate_header(kit: Kit) -> None:
    for headers in ({}, {"x-amz-access-token": "Atza|made-up"}):
        answer = kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=headers)
        assert answer.status_code == 403
        assert answer.json() == {
            "errors": [
                {"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": ""}
            ]
        }
        assert "x-amzn-RateLimit-Limit" not in answer.headers
        assert answer.headers["x-amzn-RequestId"]


def test_a_token_expires_after_an_hour_of_sandbox_time(kit: Kit) -> None:
    access = kit.access()
    kit.advance(3590)
    assert kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=access).status_code == 200
    kit.advance(20)
    answer = kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=access)
    assert answer.status_code == 403
    assert "expired" in answer.json()["errors"][0]["details"]
    assert kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=kit.access()).status_code == 200


def test_amazons_own_faults_expire_a_token_and_revoke_the_grant(kit: Kit) -> None:
    access = kit.access()
    kit.fault(kind="token_expired", nth=1)
    kit.fault(kind="refresh_token_revoked", nth=1, path="token")
    assert kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=access).status_code == 403
    assert kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=access).status_code == 200
    assert kit.login().json()["error"] == "invalid_grant"
    assert kit.login().status_code == 200
