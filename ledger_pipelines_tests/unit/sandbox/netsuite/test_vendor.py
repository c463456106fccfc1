import json
from datetime import UTC, datetime
from typing import Any

import httpx

from ledger_pipelines.sandbox.server import running_sandbox
from ledger_pipelines_tests.unit.sandbox.netsuite.desk import (
    RECORD,
    SUITEQL,
    Desk,
    Tba,
    invoice_body,
    vendor_in_memory,
)


def test_the_demo_seed_holds_the_documents_behind_the_demo_settlements() -> None:
    vendor, _, _ = vendor_in_memory("demo")
    found: Any = vendor.dump()
    invoices = {row["custbody_azs_order_id"]: row for row in found["records"]["invoice"]}
    orders = {row["custbody_azs_order_id"]: row for row in found["records"]["salesOrder"]}
    assert invoices["111-2600001-0000001"]["total"] == "105.00"
    assert orders["111-2600001-0000002"]["total"] == "54.00"
    assert {row["status"]["refName"] for row in orders.values()} == {"Pending Billing"}
    assert all(row["otherRefNum"] == order for order, row in invoices.items())
    balance: Any = vendor.trial_balance()
    assert balance["balanced"]


def test_two_fresh_accounts_dump_alike() -> None:
    first, _, _ = vendor_in_memory("demo")
    second, _, _ = vendor_in_memory("demo")
    second.reset("demo")
    assert json.dumps(first.dump(), sort_keys=True) == json.dumps(second.dump(), sort_keys=True)


def test_the_dump_shows_records_ledger_links_and_the_audit_trail(desk: Desk) -> None:
    made = desk.invoice("10.00")
    desk.pay(made, "4.00")
    found: Any = desk.vendor.dump()
    assert found["records"]["invoice"][0]["amountRemaining"] == "6.00"
    assert found["records"]["invoice"][0]["item"][0]["amount"] == "10.00"
    assert [(line["debit"] if "debit" in line else "-" + line["credit"]) for line in found["ledger"]] == [
        "10",
        "-10",
        "4",
        "-4",
    ]
    assert found["links"][0]["foreignamount"] == "4"
    assert found["audit"] == []


def test_ids_are_never_used_again(desk: Desk) -> None:
    made = desk.invoice()
    desk.call("DELETE", f"invoice/{made}")
    assert int(desk.invoice()) > int(made)


def test_paths_are_counted_by_pattern(desk: Desk) -> None:
    pattern = desk.vendor.path_pattern
    assert pattern(f"{RECORD}/invoice/5012/!transform/customerPayment") == (
        f"{RECORD}/invoice/{{id}}/!transform/customerPayment"
    )
    assert pattern(f"{RECORD}/customer/eid:SPX-88") == f"{RECORD}/customer/{{id}}"


def test_the_whole_sandbox_serves_it_with_faults_control_and_a_trial_balance() -> None:
    with (
        running_sandbox(seed="empty", vendors=("netsuite",)) as sandbox,
        httpx.Client(base_url=sandbox.control_url, trust_env=False) as control,
        httpx.Client(base_url=sandbox.base_urls["netsuite"], trust_env=False) as http,
    ):
        credentials = control.get("/credentials").json()["netsuite"]
        assert credentials["account"] == "9123456_SB1"
        assert credentials["base_url"] == sandbox.base_urls["netsuite"]

        class RealClock:
            def now(self) -> Any:
                return datetime.now(UTC)

        auth = Tba(credentials["auth"]["tba"], RealClock())  # type: ignore[arg-type]  # only now() is used
        fault = {"vendor": "netsuite", "kind": "5xx_after", "method": "POST", "path": "invoice", "nth": 1}
        assert control.post("/faults", json=fault).status_code == 200
        answer = http.post(f"{RECORD}/invoice", json=invoice_body(externalId="F-1"), auth=auth)
        assert answer.status_code == 500
        assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "UNEXPECTED_ERROR"
        assert http.get(f"{RECORD}/invoice/eid:F-1", auth=auth).status_code == 200
        script = {"vendor": "netsuite", "kind": "script_error", "message": "Blocked by a script.", "times": 1}
        assert control.post("/faults", json=script).status_code == 200
        refused = http.post(f"{RECORD}/invoice", json=invoice_body(), auth=auth)
        assert "Blocked by a script." in refused.text
        limited = {"vendor": "netsuite", "kind": "429", "times": 1, "retry_after": 2, "path": "suiteql"}
        assert control.post("/faults", json=limited).status_code == 200
        busy = http.post(
            SUITEQL, json={"q": "SELECT id FROM currency"}, headers={"Prefer": "transient"}, auth=auth
        )
        assert (busy.status_code, busy.headers["Retry-After"]) == (429, "2")
        assert control.get("/trial-balance/netsuite").json()["balanced"] is True
        closed = control.post("/netsuite/periods", json={"name": "Sep 2026", "closed": True})
        assert closed.status_code == 200, closed.text
        refused = http.post(f"{RECORD}/invoice", json=invoice_body(), auth=auth)
        assert "period" in refused.text
        assert control.get("/dump/netsuite").json()["records"]["invoice"][0]["externalId"] == "F-1"
