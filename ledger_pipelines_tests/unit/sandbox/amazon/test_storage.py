import gzip
import time

import httpx
import pytest

from ledger_pipelines_tests.unit.sandbox.kit import DOCUMENTS, Kit, settlement


@pytest.fixture
def access(kit: Kit) -> dict[str, str]:
    kit.freeze("2026-06-01T12:00:00Z")
    return kit.access()


def document(kit: Kit, access: dict[str, str], document_id: str, **params: str) -> dict[str, str]:
    answer = kit.amazon.get(f"{DOCUMENTS}/{document_id}", params=params, headers=access)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def fetch(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False)


def test_a_plain_document_comes_as_it_was_put_in(kit: Kit, access: dict[str, str]) -> None:
    content = settlement()
    found = document(kit, access, kit.add(content, compression="none")["reportDocumentId"])
    assert set(found) == {"reportDocumentId", "url"}
    assert "X-Amz-Expires=300" in found["url"]
    assert "X-Amz-Date=20260601T120000Z" in found["url"]
    answer = fetch(found["url"])
    assert answer.content == content
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["etag"].startswith('"')


def test_a_gzip_document_says_so_and_is_packed(kit: Kit, access: dict[str, str]) -> None:
    content = settlement()
    found = document(kit, access, kit.add(content, compression="GZIP")["reportDocumentId"])
    assert found["compressionAlgorithm"] == "GZIP"
    answer = fetch(found["url"])
    assert "content-encoding" not in answer.headers
    assert gzip.decompress(answer.content) == content


def test_the_content_encoding_switch_lets_the_client_unpack_by_itself(
    kit: Kit, access: dict[str, str]
) -> None:
    content = settlement()
    added = kit.add(content, compression="GZIP")["reportDocumentId"]
    answer = fetch(document(kit, access, added, enableContentEncodingUrlHeader="true")["url"])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == content
    plain = kit.add(content, compression="none")["reportDocumentId"]
    url = document(kit, access, plain, enableContentEncodingUrlHeader="true")["url"]
    assert "content-encoding" not in fetch(url).headers


def test_auto_packs_by_size(kit: Kit, access: dict[str, str]) -> None:
    small = kit.add(settlement(rows=1), compression="auto")["reportDocumentId"]
    large = kit.add(settlement(rows=1000), compression="auto")["reportDocumentId"]
    assert "compressionAlgorithm" not in document(kit, access, small)
    assert document(kit, access, large)["compressionAlgorithm"] == "GZIP"


def test_an_address_expires_after_300_seconds(kit: Kit, access: dict[str, str]) -> None:
    found = document(kit, access, kit.add()["reportDocumentId"])
    kit.advance(300)
    assert fetch(found["url"]).status_code == 200
    kit.advance(1)
    expired = fetch(found["url"])
    assert expired.status_code == 403
    assert expired.headers["content-type"] == "application/xml"
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in expired.text
    again = document(kit, access, found["reportDocumentId"])
    assert fetch(again["url"]).status_code == 200


def test_an_address_that_was_changed_or_is_used_with_a_token_is_refused(
    kit: Kit, access: dict[str, str]
) -> None:
    url = document(kit, access, kit.add()["reportDocumentId"])["url"]
    assert "SignatureDoesNotMatch" in fetch(url.replace("Expires=300", "Expires=900")).text
    assert "not signed" in fetch(url, **access).text
    assert fetch(url, Authorization="Bearer x").status_code == 400
    assert fetch(url.partition("?")[0]).status_code == 403


@pytest.mark.parametrize(
    ("charset", "expected"), [("Cp1252", "text/plain; charset=Cp1252"), (None, "text/plain")]
)
def test_the_charset_header_is_the_one_asked_for(
    kit: Kit, access: dict[str, str], charset: str | None, expected: str
) -> None:
    added = kit.add(charset=charset)["reportDocumentId"]
    assert fetch(document(kit, access, added)["url"]).headers["content-type"] == expected


def test_amazons_own_faults_on_documents(kit: Kit, access: dict[str, str]) -> None:
    content = settlement()
    added = kit.add(content, compression="none", charset="utf8")["reportDocumentId"]
    kit.fault(kind="url_expired", nth=1, path="documents")
    assert fetch(document(kit, access, added)["url"]).status_code == 403
    url = document(kit, access, added)["url"]
    kit.fault(kind="wrong_charset", nth=1, path="tortuga", message="windows-31j")
    assert fetch(url).headers["content-type"] == "text/plain; charset=windows-31j"
    kit.fault(kind="no_charset", nth=1, path="tortuga")
    assert fetch(url).headers["content-type"] == "text/plain"
    for compression in ("none", "GZIP"):
        lied = kit.add(content, compression=compression)["reportDocumentId"]
        kit.fault(kind="gzip_lie", nth=1, path="documents")
        found = document(kit, access, lied)
        assert found["compressionAlgorithm"] == "GZIP"
        assert fetch(found["url"]).content == content
        kit.control.delete("/faults")


def test_core_faults_reach_the_storage_too(kit: Kit, access: dict[str, str]) -> None:
    url = document(kit, access, kit.add()["reportDocumentId"])["url"]
    kit.fault(kind="truncated_body", path="tortuga", nth=1)
    with pytest.raises(httpx.RemoteProtocolError):
        fetch(url)
    kit.fault(kind="drip", path="tortuga", nth=1, seconds=0.1)
    started = time.monotonic()
    assert fetch(url).content == settlement()
    assert time.monotonic() - started > 0.09
    kit.fault(kind="5xx_before", status=503, path="tortuga", nth=1)
    assert "<Code>SlowDown</Code>" in fetch(url).text
