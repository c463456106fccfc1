"""The vendor's signature, tokens, and the breaker."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ledger_pipelines.errors import ConfigurationError, CredentialError, TransientError
from ledger_pipelines.systems.netsuite.auth import Breaker, TbaAuth
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.settings import MachineCredentials
from ledger_pipelines.systems.secrets import Secret
from ledger_pipelines_tests.unit.systems.netsuite.fake import BASE, TBA, FakeClock, FakeNetSuite, connection

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


@pytest.mark.parametrize(("method", "path", "signature"), VECTORS)
def test_signatures_equal_the_reference_vectors(method: str, path: str, signature: str) -> None:
    auth = TbaAuth(
        "9123456_SB2",
        TBA,
        Breaker("books"),
        nonce=lambda: "Q7mZr2VbT9xKpL4wYs1d",
        timestamp=lambda: "1790000000",
    )
    request = httpx.Request(method, BASE + path, json={"a": 1} if method != "GET" else None)
    signed = next(auth.auth_flow(request)).headers["Authorization"]
    assert f'oauth_signature="{signature}"' in unquote(signed)
    assert 'realm="9123456_SB2"' in signed
    assert "oauth_body_hash" not in signed


def test_each_attempt_is_signed_afresh() -> None:
    fake = FakeNetSuite().on(".*", httpx.Response(503))
    with pytest.raises(Exception, match="Gave up after 6 attempts"):
        fake.client().read("GET", "/services/rest/record/v1/invoice/1")
    signatures = {a.headers["authorization"] for a in fake.asked}
    assert len(signatures) == len(fake.asked) == 6


def test_a_signature_carries_the_time_of_the_connections_clock_and_not_of_the_machines() -> None:
    fake = FakeNetSuite().on(".*", httpx.Response(200, json={}))
    client = fake.client()
    client.read("GET", "/services/rest/record/v1/invoice/1")
    stamp = int(client.clock.now().timestamp())
    assert f'oauth_timestamp="{stamp}"' in fake.asked[0].headers["authorization"]


def test_three_refusals_in_a_row_stop_all_calls() -> None:
    fake = FakeNetSuite().on(".*", httpx.Response(401, json={"title": "Unauthorized", "status": 401}))
    client = fake.client()
    for _ in range(5):
        with pytest.raises(CredentialError):
            client.read("GET", "/services/rest/record/v1/invoice/1")
    assert len(fake.asked) == 3


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOKEN_PATH = "POST /services/rest/auth/oauth2/v1/token"


def machine(key: str = "", algorithm: str = "PS256") -> MachineCredentials:
    return MachineCredentials(Secret("client-id-1"), Secret("cert-id-1"), Secret(key or _pem(KEY)), algorithm)  # type: ignore[arg-type] # parametrised


def client_of(
    fake: FakeNetSuite, folder: Path | None = None, clock: FakeClock | None = None
) -> NetSuiteClient:
    return fake.client(clock, credentials=machine(), state_folder=folder)


def tokens(*values: str) -> FakeNetSuite:
    left = list(values)
    return FakeNetSuite().on(
        TOKEN_PATH,
        lambda _: httpx.Response(
            200, json={"access_token": left.pop(0), "expires_in": "3600", "token_type": "Bearer"}
        ),
    )


def test_the_assertion_is_what_netsuite_asks_for() -> None:
    fake = tokens("token-1").on(".*", httpx.Response(200, json={}))
    client_of(fake, clock=FakeClock()).read("GET", "/services/rest/record/v1/invoice/1")
    form = dict(httpx.QueryParams(fake.asked[0].body))
    assert form["grant_type"] == "client_credentials"
    header = jwt.get_unverified_header(form["client_assertion"])
    assert (header["typ"], header["alg"], header["kid"]) == ("JWT", "PS256", "cert-id-1")
    claims = jwt.decode(
        form["client_assertion"],
        KEY.public_key(),
        algorithms=["PS256"],
        audience=f"{BASE}/services/rest/auth/oauth2/v1/token",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == "client-id-1"
    assert claims["scope"] == ["rest_webservices"]
    assert 0 < claims["exp"] - claims["iat"] < 3600
    assert fake.asked[1].headers["authorization"] == "Bearer token-1"


def test_es256_keys_sign_and_a_wrong_key_is_a_configuration_error() -> None:
    fake = tokens("token-1").on(".*", httpx.Response(200, json={}))
    elliptic = ec.generate_private_key(ec.SECP256R1())
    good = fake.client(credentials=machine(_pem(elliptic), "ES256"))
    good.read("GET", "/services/rest/record/v1/invoice/1")
    with pytest.raises(ConfigurationError, match="private key cannot sign with PS256"):
        fake.client(credentials=machine(_pem(elliptic))).read("GET", "/services/rest/record/v1/invoice/1")


def test_a_token_is_kept_until_four_fifths_of_its_life() -> None:
    fake = tokens("token-1", "token-2").on(".*", httpx.Response(200, json={}))
    clock = FakeClock()
    client = client_of(fake, clock=clock)
    for seconds in (0, 2879, 2):
        clock.sleep(seconds)
        client.read("GET", "/services/rest/record/v1/invoice/1")
    used = [a.headers["authorization"] for a in fake.asked if "auth" not in a.path]
    assert used == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_401_renews_the_token_once() -> None:
    fake = tokens("stale", "fresh").on(
        ".*", lambda r: httpx.Response(200 if r.headers["authorization"] == "Bearer fresh" else 401, json={})
    )
    client = client_of(fake)
    assert client.read("GET", "/services/rest/record/v1/invoice/1").ok
    assert len(fake.asked) == 4
    assert sum(c.count for c in client.calls()) == 4


def test_processes_share_one_token_through_a_private_file(tmp_path: Path) -> None:
    fake = tokens("shared").on(".*", httpx.Response(200, json={}))
    for _ in range(2):
        client_of(fake, tmp_path).read("GET", "/services/rest/record/v1/invoice/1")
    assert fake.paths().count(TOKEN_PATH) == 1
    [kept] = tmp_path.glob("*.token")
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_refused_token_request_is_a_credential_error_without_the_secrets() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, text='{"error":"invalid_grant","echo":"' + request.content.decode() + '"}')

    fake = FakeNetSuite().on(TOKEN_PATH, refuse)
    with pytest.raises(CredentialError) as caught:
        client_of(fake).read("GET", "/services/rest/record/v1/invoice/1")
    assert "invalid_grant" in str(caught.value)
    assert "eyJ" not in str(caught.value)


def test_the_account_id_has_a_host_form_and_a_realm_form() -> None:
    for spelling in ("9123456_SB2", "9123456-sb2", "9123456_sb2"):
        account = connection(account=spelling)
        assert account.realm == "9123456_SB2"
        assert account.base == BASE
    with pytest.raises(ConfigurationError):
        connection(account="https://evil.example")


@pytest.mark.parametrize(
    "body",
    [
        b'{"access_token":"t","expires_in":999999999999999999}',
        b'{"access_token":"t","expires_in":"9' + b"9" * 6_000 + b'"}',
        b'{"access_token":"t","expires_in":-5}',
        '{"access_token":"tök","expires_in":3600}'.encode(),
        b'{"access_token":"two words","expires_in":3600}',
        b'{"access_token":"","expires_in":3600}',
        b'{"access_token":"t","more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"access_token":"t","more":"caf\xe9"}',
    ],
    ids=["for ever", "6,000 digits", "gone already", "not ASCII", "a blank", "empty", "nested", "Latin-1"],
)
def test_a_token_that_cannot_be_used_is_no_answer_and_no_traceback(body: bytes) -> None:
    fake = FakeNetSuite().on(TOKEN_PATH, httpx.Response(200, content=body))
    with pytest.raises(TransientError, match="token answer for connection 'books' cannot be read"):
        client_of(fake).read("GET", "/services/rest/record/v1/invoice/1")
