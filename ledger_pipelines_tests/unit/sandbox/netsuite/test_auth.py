import jwt
import pytest

from ledger_pipelines.sandbox.netsuite import auth_tba, demo_keys
from ledger_pipelines.sandbox.netsuite.auth_tba import TokenSecrets
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import BASE, RECORD, Desk, Tba, error_of

HOST = "https://9123456-sb2.suitetalk.api.netsuite.com"
VECTORS = [
    ("GET", "/services/rest/record/v1/invoice/5012?expandSubResources=true", "QpFDY81KkyrymMKMKwgM1BcKReehGSdCiVJU2Z1b3Y8="),
    ("POST", "/services/rest/query/v1/suiteql?limit=500&offset=1000", "6Wp0iyaOVoRnI3vFJ0JJeqvqF7d7m/ZKuo5wZgpCkZw="),
    (
        "GET",
        "/services/rest/record/v1/customer?q=companyName%20IS%20%22Blue%20Fern%20Ltd%22&limit=10",
        "lcRSAYoDRyFGcdZpJryf3liy6jS19Sp1k++ESl3YOt0=",
    ),
    ("PUT", "/services/rest/record/v1/customer/eid:SPX-88", "LiyHQpgmKDQHfGnvdA5+UCQeZB+NlQBCmTNGJim1Whs="),
    ("POST", "/services/rest/record/v1/salesOrder/7001/!transform/invoice", "+UtcSWkP5oEAy0g/Qz9g5ROW+kBfw+cSyKdTwjhFhM0="),
]  # fmt: skip
SECRETS = TokenSecrets("ck-demo-0001", "cs-demo-secret-0001", "tk-demo-0001", "ts-demo-secret-0001")
OAUTH = [
    ("oauth_consumer_key", "ck-demo-0001"),
    ("oauth_token", "tk-demo-0001"),
    ("oauth_nonce", "Q7mZr2VbT9xKpL4wYs1d"),
    ("oauth_timestamp", "1790000000"),
    ("oauth_signature_method", "HMAC-SHA256"),
    ("oauth_version", "1.0"),
]


@pytest.mark.parametrize(("method", "path", "expected"), VECTORS)
def test_the_reference_vectors_of_the_signature_come_out(method: str, path: str, expected: str) -> None:
    assert auth_tba.signature(method, HOST + path, OAUTH, SECRETS) == expected


def test_a_plus_and_a_percent_20_sign_alike() -> None:
    one = auth_tba.signature("GET", f"{HOST}/x?q=a%20b", OAUTH, SECRETS)
    assert one == auth_tba.signature("GET", f"{HOST}/x?q=a+b", OAUTH, SECRETS)


def causes(desk: Desk) -> list[str]:
    return [line["cause"] for line in desk.vendor.dump()["audit"]]  # type: ignore[index]  # a JSON object


def test_a_signed_call_passes_and_a_wrong_secret_gets_the_one_generic_401(desk: Desk) -> None:
    assert desk.call("GET", "currency/1").status_code == 200
    wrong = desk.auth()
    wrong.credentials = {**wrong.credentials, "token_secret": "nope"}
    answer = desk.call("GET", "currency/1", auth=wrong)
    status, code, detail = error_of(answer)
    assert (status, code) == (401, "INVALID_LOGIN")
    assert "Signature" not in detail
    assert causes(desk) == ["InvalidSignature"]


def test_a_request_cannot_be_replayed(desk: Desk) -> None:
    first = desk.call("GET", "currency/1")
    header = first.request.headers["Authorization"]
    again = desk.http.get(f"{RECORD}/currency/1", headers={"Authorization": header})
    assert again.status_code == 401
    assert causes(desk) == ["NonceUsed"]


@pytest.mark.parametrize("skew", [-301, 301])
def test_more_than_five_minutes_off_the_clock_is_refused(desk: Desk, skew: int) -> None:
    auth = desk.auth()
    flow = auth.auth_flow(desk.http.build_request("GET", f"{RECORD}/currency/1"))
    request = next(flow)
    desk.clock.advance(skew)
    assert desk.http.send(request).status_code == 401
    assert causes(desk) == ["InvalidTimestamp"]


def test_just_within_five_minutes_passes(desk: Desk) -> None:
    request = next(desk.auth().auth_flow(desk.http.build_request("GET", f"{RECORD}/currency/1")))
    desk.clock.advance(299)
    assert desk.http.send(request).status_code == 200


def test_the_realm_must_be_the_account_in_realm_form(desk: Desk) -> None:
    auth = desk.auth()
    auth.realm = "9123456-sb1"
    assert desk.call("GET", "currency/1", auth=auth).status_code == 401


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"oauth_nonce": "abc"}, "nonce_rejected"),
        ({"oauth_signature_method": "HMAC-SHA1"}, "UnknownAlgorithm"),
        ({"oauth_version": "2.0"}, "VersionRejected"),
        ({"oauth_token": ""}, "parameter_rejected"),
        ({"realm": "OTHER"}, "parameter_rejected"),
    ],
)
def test_each_malformed_parameter_has_its_cause(change: dict[str, str], cause: str) -> None:
    params = {**dict(OAUTH), "oauth_signature": "x", "realm": "9123456_SB2", **change}
    with pytest.raises(auth_tba.TbaRefusedError) as refused:
        auth_tba.check_shape(params, "9123456_SB2")
    assert refused.value.cause == cause


def test_a_parameter_sent_twice_is_rejected() -> None:
    with pytest.raises(auth_tba.TbaRefusedError):
        auth_tba.parse_header('OAuth oauth_nonce="abcdef", oauth_nonce="abcdef"')


def test_five_failures_lock_the_token_for_half_an_hour(desk: Desk) -> None:
    wrong = desk.auth()
    wrong.credentials = {**wrong.credentials, "token_secret": "nope"}
    for _ in range(5):
        assert desk.call("GET", "currency/1", auth=wrong).status_code == 401
    assert desk.call("GET", "currency/1").status_code == 401
    assert causes(desk)[-1] == "temporary_locked"
    desk.clock.advance(1801)
    assert desk.call("GET", "currency/1").status_code == 200


def test_the_external_https_address_may_be_signed_instead(desk: Desk) -> None:
    public = "https://9123456-sb1.suitetalk.api.netsuite.com"
    auth = desk.auth()
    request = next(auth.auth_flow(desk.http.build_request("GET", f"{public}{RECORD}/currency/1?fields=name")))
    answer = desk.http.get(
        f"{RECORD}/currency/1?fields=name", headers={"Authorization": request.headers["Authorization"]}
    )
    assert answer.status_code == 200


def assertion(desk: Desk, **changes: object) -> str:
    now = int(desk.clock.now().timestamp())
    claims = {
        "iss": "client-demo-0001",
        "aud": f"{BASE}/services/rest/auth/oauth2/v1/token",
        "iat": now,
        "exp": now + 3599,
        "scope": ["rest_webservices"],
    }
    algorithm = str(changes.pop("algorithm", "PS256"))
    kid = str(changes.pop("kid", "cert-demo-rsa-0001"))
    key = str(changes.pop("key", demo_keys.RSA_PRIVATE_PEM))
    return jwt.encode({**claims, **changes}, key, algorithm=algorithm, headers={"kid": kid})


def token(desk: Desk, jws: str) -> tuple[int, dict[str, object]]:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jws,
    }
    answer = desk.http.post("/services/rest/auth/oauth2/v1/token", data=form)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_a_certificate_assertion_buys_an_hour(desk: Desk, algorithm: str) -> None:
    status, body = token(desk, assertion(desk, algorithm=algorithm))
    assert status == 200
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert desk.http.get(f"{RECORD}/currency/1", headers=bearer).status_code == 200
    desk.clock.advance(3600)
    assert desk.http.get(f"{RECORD}/currency/1", headers=bearer).status_code == 401


def test_an_elliptic_curve_assertion_acts_as_the_limited_role(desk: Desk) -> None:
    jws = assertion(
        desk,
        iss="client-demo-limited",
        kid="cert-demo-ec-0001",
        key=demo_keys.EC_PRIVATE_PEM,
        algorithm="ES256",
    )
    status, body = token(desk, jws)
    assert status == 200
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    answer = desk.http.post(f"{RECORD}/journalEntry", headers=bearer, json={})
    assert error_of(answer)[:2] == (403, "INSUFFICIENT_PERMISSION")
    assert "Make Journal Entry" in error_of(answer)[2]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"algorithm": "RS256"}, (400, "invalid_grant")),
        ({"kid": "other"}, (400, "invalid_grant")),
        ({"iss": "stranger"}, (401, "invalid_client")),
        ({"aud": "https://elsewhere.example/token"}, (400, "invalid_grant")),
        ({"scope": ["everything"]}, (400, "invalid_grant")),
    ],
)
def test_a_wrong_assertion_is_refused(
    desk: Desk, changes: dict[str, object], expected: tuple[int, str]
) -> None:
    status, body = token(desk, assertion(desk, **changes))
    assert (status, body["error"]) == expected


def test_an_assertion_of_a_full_hour_or_an_old_one_is_refused(desk: Desk) -> None:
    now = int(desk.clock.now().timestamp())
    assert token(desk, assertion(desk, exp=now + 3600))[0] == 400
    old = assertion(desk)
    desk.clock.advance(3600)
    assert token(desk, old)[0] == 400


def test_the_restlets_audience_is_accepted_too(desk: Desk) -> None:
    aud = "https://9123456-sb1.restlets.api.netsuite.com/services/rest/auth/oauth2/v1/token"
    assert token(desk, assertion(desk, aud=aud))[0] == 200


def test_the_limited_role_sees_no_table_that_it_may_not_view(desk: Desk) -> None:
    limited: Tba = desk.auth("limited")
    assert desk.ask("SELECT id FROM subsidiary", auth=limited).status_code == 400
    assert desk.call("GET", "customer/101", auth=limited).status_code == 200
    refused = desk.call("PATCH", "customer/101", auth=limited, json={"comments": "x"})
    assert error_of(refused)[:2] == (403, "INSUFFICIENT_PERMISSION")
