from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest

from ledger_pipelines.sandbox.server import SandboxOptions, SandboxStartError, running_sandbox
from ledger_pipelines_tests.unit.sandbox.kit import REPORTS, V2, Kit


def test_calls_are_counted_by_vendor_method_pattern_and_status(kit: Kit) -> None:
    access = kit.access()
    kit.amazon.get(f"{REPORTS}/1", headers=access)
    kit.amazon.get(f"{REPORTS}/2", headers=access)
    kit.fault(kind="cut_before")
    with pytest.raises(httpx.RemoteProtocolError):
        kit.login()
    answer = kit.control.get("/calls", params={"vendor": "amazon"}).json()
    assert answer["calls"] == [
        {"vendor": "amazon", "method": "POST", "path": "/auth/o2/token", "status": 0, "count": 1},
        {"vendor": "amazon", "method": "POST", "path": "/auth/o2/token", "status": 200, "count": 1},
        {"vendor": "amazon", "method": "GET", "path": f"{REPORTS}/{{id}}", "status": 404, "count": 2},
    ]
    assert answer["totals"] == {"amazon": 4}
    assert kit.control.get("/calls", params={"vendor": "netsuite"}).json()["calls"] == []
    assert kit.control.delete("/calls").json()["calls"] == []


def test_the_highest_concurrency_is_seen(kit: Kit) -> None:
    kit.fault(kind="slow", seconds=0.3)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: kit.login(), range(4)))
    assert kit.control.get("/calls").json()["max_concurrency"]["amazon"] == 4
    assert kit.control.get("/calls").json()["open"]["amazon"] == 0


def test_the_clock_is_shifted_frozen_advanced_and_resumed(kit: Kit) -> None:
    kit.freeze("2026-09-01T00:00:00Z")
    assert kit.control.get("/clock").json()["now"] == "2026-09-01T00:00:00+00:00"
    kit.advance(90)
    frozen = kit.control.get("/clock").json()
    assert (frozen["now"], frozen["frozen"]) == ("2026-09-01T00:01:30+00:00", True)
    resumed = kit.control.post("/clock", json={"resume": True}).json()
    assert (resumed["now"][:16], resumed["frozen"]) == ("2026-09-01T00:01", False)
    kit.control.post("/clock", json={"offset_seconds": 0})
    before = datetime.fromisoformat(kit.control.get("/clock").json()["now"])
    kit.control.post("/clock", json={"offset_seconds": 3600})
    after = datetime.fromisoformat(kit.control.get("/clock").json()["now"])
    assert 3600 <= (after - before).total_seconds() < 3660


def test_answers_carry_the_sandboxs_own_date(kit: Kit) -> None:
    kit.freeze("2031-02-03T04:05:06Z")
    assert parsedate_to_datetime(kit.login().headers["date"]).isoformat() == "2031-02-03T04:05:06+00:00"


def test_a_freeze_without_a_zone_is_refused(kit: Kit) -> None:
    answer = kit.control.post("/clock", json={"freeze": "2026-09-01T00:00:00"})
    assert answer.status_code == 400
    assert "with its zone" in answer.json()["error"]


def test_reset_forgets_state_faults_calls_and_clock(kit: Kit) -> None:
    kit.add()
    kit.fault(kind="5xx_before")
    kit.freeze("2020-01-01T00:00:00Z")
    kit.login()
    kit.control.post("/reset", json={"seed": "empty"})
    assert kit.control.get("/dump/amazon").json() == {"reports": [], "tokens_issued": 0}
    assert kit.control.get("/faults").json()["faults"] == []
    assert kit.control.get("/calls").json()["calls"] == []
    assert kit.control.get("/clock").json()["now"] > "2026"
    kit.control.post("/reset", json={"seed": "demo"})
    assert len(kit.control.get("/dump/amazon").json()["reports"]) == 3
    assert kit.control.post("/reset", json={"seed": "odd"}).status_code == 400


def test_a_snapshot_is_restored_whole(kit: Kit) -> None:
    kit.add()
    kit.fault(kind="apply_late", seconds=500, nth=1)
    with pytest.raises(httpx.RemoteProtocolError):
        kit.login()
    kit.control.post("/snapshot", json={"name": "one report"})
    kit.add()
    kit.login()
    kit.advance(600)
    assert kit.applied() == 2
    kit.control.post("/restore", json={"name": "one report"})
    dump = kit.control.get("/dump/amazon").json()
    assert len(dump["reports"]) == 1
    assert kit.control.post("/clock", json={"advance_seconds": 0}).json()["offset_seconds"] == 600
    assert kit.applied() == 1
    assert kit.control.post("/restore", json={"name": "none such"}).status_code == 404


def test_the_page_and_health_name_vendors_and_credentials(kit: Kit) -> None:
    page = kit.control.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert kit.sandbox.base_urls["amazon"] in page.text
    assert "Atzr|sandbox" in page.text
    assert kit.control.get("/health").json()["vendors"] == ["amazon"]
    credentials = kit.control.get("/credentials").json()
    assert credentials == kit.sandbox.credentials
    assert credentials["amazon"]["token_url"] == kit.sandbox.base_urls["amazon"] + "/auth/o2/token"


def test_an_unknown_vendor_or_one_without_books_is_404(kit: Kit) -> None:
    assert kit.control.get("/dump/nobody").status_code == 404
    assert "keeps no books" in kit.control.get("/trial-balance/amazon").json()["error"]


def test_ports_are_the_documented_distances_from_the_control_port(kit: Kit) -> None:
    assert (
        httpx.URL(kit.sandbox.base_urls["amazon"]).port == (httpx.URL(kit.sandbox.control_url).port or 0) + 7
    )


def test_a_port_in_use_is_named(kit: Kit) -> None:
    taken = httpx.URL(kit.sandbox.control_url).port or 0
    with (
        pytest.raises(SandboxStartError, match=rf"port {taken} \(control\) cannot be used"),
        running_sandbox(port=taken, vendors=("amazon",)),
    ):
        pass


def test_only_loopback_known_seeds_and_known_vendors_are_taken() -> None:
    with pytest.raises(SandboxStartError, match="loopback only"):
        SandboxOptions(host="0.0.0.0").entries()
    with pytest.raises(SandboxStartError, match="no seed"):
        SandboxOptions(seed="x").entries()
    with pytest.raises(SandboxStartError, match="no vendor"):
        SandboxOptions(vendors=("x",)).entries()


def test_a_kept_connection_serves_many_calls(kit: Kit) -> None:
    access = kit.access()
    for _ in range(5):
        assert kit.amazon.get(REPORTS, params={"reportTypes": V2}, headers=access).is_success
