from typing import Any

import httpx
import pytest

from ledger_pipelines_tests.unit.sandbox.kit import DOCUMENTS, REPORTS, V2, Kit, settlement

NOW = "2026-06-01T12:00:00Z"


@pytest.fixture
def access(kit: Kit) -> dict[str, str]:
    kit.freeze(NOW)
    return kit.access()


def listed(kit: Kit, access: dict[str, str], **params: Any) -> httpx.Response:
    return kit.amazon.get(REPORTS, params=params or {"reportTypes": V2}, headers=access)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [report["reportId"] for report in answer.json()["reports"]]


def test_a_settlement_file_becomes_a_report_dated_by_its_summary_row(
    kit: Kit, access: dict[str, str]
) -> None:
    added = kit.add()
    report = listed(kit, access).json()["reports"][0]
    assert list(report) == [
        "reportType",
        "processingEndTime",
        "processingStatus",
        "marketplaceIds",
        "reportDocumentId",
        "reportId",
        "dataStartTime",
        "dataEndTime",
        "createdTime",
        "processingStartTime",
    ]
    assert report["reportId"] == added["reportId"]
    assert report["reportId"].isdecimal()
    assert report["reportType"] == V2
    assert report["dataStartTime"] == "2026-05-01T14:00:11+00:00"
    assert report["dataEndTime"] == "2026-05-15T14:00:11+00:00"
    assert report["createdTime"] == "2026-05-15T15:40:11+00:00"
    assert "ATVPDKIKX0DER" in report["marketplaceIds"]
    one = kit.amazon.get(f"{REPORTS}/{added['reportId']}", headers=access)
    assert one.json() == report


def test_the_same_settlement_again_is_another_report(kit: Kit, access: dict[str, str]) -> None:
    first, second = kit.add(), kit.add()
    assert first["reportId"] != second["reportId"]
    assert first["reportDocumentId"] != second["reportDocumentId"]
    assert ids(listed(kit, access)) == [second["reportId"], first["reportId"]]


def test_an_old_file_put_in_today_is_listed_as_made_today(kit: Kit, access: dict[str, str]) -> None:
    added = kit.add(settlement(end="2018-05-15 14:00:11 UTC"))
    assert added["createdTime"] == "2026-06-01T12:00:00+00:00"
    assert ids(listed(kit, access)) == [added["reportId"]]


def test_the_newest_come_first_and_marketplaces_do_not_filter(kit: Kit, access: dict[str, str]) -> None:
    old = kit.add(created="2026-05-02T00:00:00Z")["reportId"]
    new = kit.add(created="2026-05-20T00:00:00Z")["reportId"]
    middle = kit.add(created="2026-05-10T00:00:00Z")["reportId"]
    answer = listed(kit, access, reportTypes=V2, marketplaceIds="A1F83G8C2ARO7P")
    assert ids(answer) == [new, middle, old]
    assert answer.headers["x-amzn-RateLimit-Limit"] == "0.0222"


def test_only_the_last_90_days_of_created_time_are_listed(kit: Kit, access: dict[str, str]) -> None:
    kit.add(created="2026-03-03T11:59:59Z")
    inside = kit.add(created="2026-03-03T12:00:01Z")["reportId"]
    later = kit.add(created="2026-05-03T00:00:00Z")["reportId"]
    assert ids(listed(kit, access)) == [later, inside]
    assert ids(listed(kit, access, reportTypes=V2, createdSince="2026-04-01T00:00:00Z")) == [later]
    assert ids(listed(kit, access, reportTypes=V2, createdUntil="2026-04-01T00:00:00+00:00")) == [inside]
    too_old = listed(kit, access, reportTypes=V2, createdSince="2026-03-03T11:59:59Z")
    assert (too_old.status_code, too_old.json()["errors"][0]["code"]) == (400, "InvalidInput")


def test_statuses_archive_and_unfinished_reports(kit: Kit, access: dict[str, str]) -> None:
    kit.add(archived=True)
    cancelled = kit.add(status="CANCELLED")["reportId"]
    working = kit.add(status="IN_PROGRESS")
    done = kit.add()["reportId"]
    assert ids(listed(kit, access, reportTypes=V2, processingStatuses="DONE")) == [done]
    assert ids(listed(kit, access, reportTypes=V2, processingStatuses="DONE,CANCELLED")) == [done, cancelled]
    report = kit.amazon.get(f"{REPORTS}/{working['reportId']}", headers=access).json()
    assert "reportDocumentId" not in report
    assert "processingEndTime" not in report
    assert kit.amazon.get(f"{DOCUMENTS}/{working['reportDocumentId']}", headers=access).status_code == 404
    kit.control.post(f"/amazon/reports/{working['reportId']}", json={"status": "DONE"})
    assert kit.amazon.get(f"{DOCUMENTS}/{working['reportDocumentId']}", headers=access).status_code == 200
    kit.control.post(f"/amazon/reports/{working['reportId']}", json={"archived": True})
    assert ids(listed(kit, access)) == [done, cancelled]


def test_a_next_token_walks_all_pages_and_must_be_alone(kit: Kit, access: dict[str, str]) -> None:
    added = [kit.add(created=f"2026-05-{day:02d}T00:00:00Z")["reportId"] for day in range(1, 8)]
    page = listed(kit, access, reportTypes=V2, pageSize=3)
    token = page.json()["nextToken"]
    walked = ids(page)
    for extra in ({"reportTypes": V2}, {"pageSize": 3}, {"marketplaceIds": "ATVPDKIKX0DER"}):
        refused = listed(kit, access, nextToken=token, **extra)
        assert refused.status_code == 400
        assert refused.headers["x-amzn-ErrorType"] == "InvalidInputException"
        assert "only parameter" in refused.json()["errors"][0]["message"]
    while "nextToken" in page.json():
        page = listed(kit, access, nextToken=page.json()["nextToken"])
        walked += ids(page)
    assert walked == added[::-1]


def test_a_next_token_expires_and_a_forged_one_is_refused(kit: Kit, access: dict[str, str]) -> None:
    for _ in range(2):
        kit.add()
    token = listed(kit, access, reportTypes=V2, pageSize=1).json()["nextToken"]
    assert listed(kit, access, nextToken="AAAA").status_code == 400
    assert listed(kit, access, nextToken="not base64!").status_code == 400
    kit.advance(3601)
    assert "expired" in listed(kit, kit.access(), nextToken=token).json()["errors"][0]["message"]


def test_a_report_added_between_pages_moves_nothing(kit: Kit, access: dict[str, str]) -> None:
    old = [kit.add(created=f"2026-05-{day:02d}T00:00:00Z")["reportId"] for day in (1, 2, 3)]
    page = listed(kit, access, reportTypes=V2, pageSize=2)
    kit.add(created="2026-05-09T00:00:00Z")
    assert ids(listed(kit, access, nextToken=page.json()["nextToken"])) == [old[0]]


@pytest.mark.parametrize(
    "params",
    [
        {"pageSize": "5"},
        {"reportTypes": ",".join(f"T{n}" for n in range(11))},
        {"reportTypes": V2, "pageSize": "0"},
        {"reportTypes": V2, "pageSize": "101"},
        {"reportTypes": V2, "processingStatuses": "READY"},
        {"reportTypes": V2, "marketplaceIds": "NOWHERE"},
        {"reportTypes": V2, "createdSince": "yesterday"},
    ],
)
def test_a_bad_parameter_is_400_invalid_input(
    kit: Kit, access: dict[str, str], params: dict[str, str]
) -> None:
    answer = listed(kit, access, **params)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "InvalidInput")
    assert answer.headers["x-amzn-RateLimit-Limit"] == "0.0222"


def test_unknown_reports_are_404_and_wrong_paths_403(kit: Kit, access: dict[str, str]) -> None:
    missing = kit.amazon.get(f"{REPORTS}/1", headers=access)
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "NotFound")
    assert missing.headers["x-amzn-RateLimit-Limit"] == "2.0"
    for path in ("/reports/2021-06-30/50000020301", "/reports/2020-09-04/reports", "/nothing"):
        assert kit.amazon.get(path, headers=access).status_code == 403


def test_settlement_reports_cannot_be_created(kit: Kit, access: dict[str, str]) -> None:
    body = {"reportType": V2, "marketplaceIds": ["ATVPDKIKX0DER"]}
    answer = kit.amazon.post(REPORTS, json=body, headers=access)
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                "code": "InvalidInput",
                "message": "Request for report type 1118 is not allowed at this time",
                "details": "",
            }
        ]
    }
    body["reportType"] = "GET_V2_SETTLEMENT_REPORT_DATA_XML"
    assert "1117" in kit.amazon.post(REPORTS, json=body, headers=access).text
    assert kit.amazon.post(REPORTS, content=b"x", headers=access).status_code == 415


@pytest.mark.parametrize(
    ("operation", "burst", "interval", "rate"),
    [("list", 10, 45, "0.0222"), ("report", 15, 0.5, "2.0"), ("document", 15, 60, "0.0167")],
)
def test_a_bucket_gives_its_burst_then_one_token_an_interval(
    kit: Kit, access: dict[str, str], operation: str, burst: int, interval: float, rate: str
) -> None:
    added = kit.add()

    def call() -> httpx.Response:
        if operation == "list":
            return listed(kit, access)
        if operation == "report":
            return kit.amazon.get(f"{REPORTS}/{added['reportId']}", headers=access)
        return kit.amazon.get(f"{DOCUMENTS}/{added['reportDocumentId']}", headers=access)

    answers = [call() for _ in range(burst + 2)]
    assert [answer.status_code for answer in answers] == [200] * burst + [429] * 2
    assert answers[0].headers["x-amzn-RateLimit-Limit"] == rate
    refused = answers[-1]
    assert refused.json() == {
        "errors": [
            {"code": "QuotaExceeded", "message": "You exceeded your quota for the requested resource."}
        ]
    }
    assert "x-amzn-RateLimit-Limit" not in refused.headers
    assert "Retry-After" not in refused.headers
    kit.advance(interval - 0.01)
    assert call().status_code == 429
    kit.advance(0.01)
    assert [call().status_code for _ in range(2)] == [200, 429]
    kit.advance(interval * 3)
    assert [call().status_code for _ in range(4)] == [200, 200, 200, 429]
    kit.advance(interval * 1000 if operation != "document" else interval * 40)
    if operation == "list":
        access = kit.access()
    assert [call().status_code for _ in range(burst + 1)] == [200] * burst + [429]


def test_buckets_are_separate_and_a_400_takes_a_token(kit: Kit, access: dict[str, str]) -> None:
    added = kit.add()
    assert [listed(kit, access, pageSize=5).status_code for _ in range(11)] == [400] * 10 + [429]
    assert kit.amazon.get(f"{REPORTS}/{added['reportId']}", headers=access).status_code == 200


def test_a_call_refused_for_its_token_takes_nothing_from_the_bucket(kit: Kit, access: dict[str, str]) -> None:
    assert [listed(kit, {}).status_code for _ in range(12)] == [403] * 12
    assert listed(kit, access).status_code == 200


def test_listing_faults_show_blank_pages_and_repeated_entries(kit: Kit, access: dict[str, str]) -> None:
    added = [kit.add(created=f"2026-05-{day:02d}T00:00:00Z")["reportId"] for day in (1, 2, 3)][::-1]
    kit.fault(kind="blank_page", nth=1)
    blank = listed(kit, access, reportTypes=V2)
    assert ids(blank) == []
    assert ids(listed(kit, access, nextToken=blank.json()["nextToken"])) == added
    kit.fault(kind="duplicate_entry", nth=1)
    first = listed(kit, access, reportTypes=V2, pageSize=2)
    second = listed(kit, access, nextToken=first.json()["nextToken"])
    assert (ids(first), ids(second)) == (added[:2], added[1:])


def test_a_file_without_a_summary_row_needs_its_dates(kit: Kit, access: dict[str, str]) -> None:
    body = {"name": "bad.txt", "content_base64": "PGh0bWw+"}
    refused = kit.control.post("/amazon/documents", json=body)
    assert refused.status_code == 400
    assert "bad.txt" in refused.json()["error"]
    added = kit.add(
        b"<html>", report_type=V2, data_start="2026-05-01T00:00:00Z", data_end="2026-05-15T00:00:00Z"
    )
    assert ids(listed(kit, access)) == [added["reportId"]]
