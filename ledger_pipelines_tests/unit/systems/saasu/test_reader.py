"""Reading: what is asked, how often, and what happens when a list moves between two pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger_pipelines.documents.keys import decode
from ledger_pipelines.errors import DataError, TransientError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.entities import Cell
from ledger_pipelines.systems.saasu import records
from ledger_pipelines.systems.saasu.client import SaasuRefusedError
from ledger_pipelines.systems.saasu.entities import ENTITIES
from ledger_pipelines.systems.saasu.reader import SaasuReader, stretches
from ledger_pipelines_tests.faults.engine_target import FakeClock
from ledger_pipelines_tests.unit.systems.saasu.desk import (
    Desk,
    contact_body,
    invoice_body,
    journal_body,
    payment_body,
)
from ledger_pipelines_tests.unit.systems.saasu.fake import Lists, fake_client

START = datetime(2026, 9, 1, tzinfo=UTC)
END = datetime(2026, 9, 2, tzinfo=UTC)


def contacts(count: int, first: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "Id": first + n,
            "GivenName": "P",
            "LastModifiedDateUtc": f"2026-09-01T10:{n // 60:02d}:{n % 60:02d}",
        }
        for n in range(count)
    ]


def read(
    lists: Lists, folder: Path, entity: str = "contacts", *, end: datetime = END
) -> list[tuple[Cell, ...]]:
    with fake_client(lists, folder, FakeClock(END)) as client:
        parts = SaasuReader(client).read_changes(ENTITIES[entity], START, end)
        return [row for part in parts for row in part.cells]


@pytest.mark.parametrize(
    ("rows", "calls", "why"),
    [
        (0, 1, "nothing to tell is one call"),
        (99, 1, ""),
        (100, 2, "a full page without a link is followed"),
        (101, 4, "two pages, and whether anything moved: changes, deletions"),
        (250, 5, ""),
    ],
)
def test_a_list_costs_a_call_each_hundred_rows_and_two_when_it_has_pages(
    tmp_path: Path, rows: int, calls: int, why: str
) -> None:
    lists = Lists({"/Contacts": contacts(rows)})
    assert len(read(lists, tmp_path)) == rows
    assert len(lists.asked) == calls, why


def test_a_full_last_page_costs_no_more_where_saasu_says_that_it_is_the_last(tmp_path: Path) -> None:
    lists = Lists({"/Contacts": contacts(200)}, links=True)
    assert len(read(lists, tmp_path)) == 200
    assert [request.url.params["Page"] for request in lists.asked if request.url.path == "/Contacts"][:3] == [
        "1",
        "2",
        "3",
    ]


def test_a_row_that_slips_to_a_page_already_read_is_not_lost(tmp_path: Path) -> None:
    rows = contacts(150)
    lists = Lists({"/Contacts": rows, "/DeletedEntities": []})

    def deleted() -> None:
        gone = rows.pop(10)
        lists.rows["/DeletedEntities"].append(
            {"EntityType": "Contact", "EntityId": gone["Id"], "Timestamp": "2026-09-02T00:00:00"}
        )

    lists.after[1] = deleted
    found = {row[0] for row in read(lists, tmp_path)}
    assert found == {str(n) for n in range(1, 151)}, "row 101 moved to page 1 when row 11 went"


def test_a_row_changed_while_it_is_read_comes_once_as_it_was_seen_last(tmp_path: Path) -> None:
    rows = contacts(150)
    lists = Lists({"/Contacts": rows})

    def changed() -> None:
        rows.append({**rows.pop(10), "GivenName": "Q", "LastModifiedDateUtc": "2026-09-02T00:00:00.5"})

    lists.after[1] = changed
    found = read(lists, tmp_path, end=END + timedelta(days=1))
    assert len(found) == 150
    assert next(row for row in found if row[0] == "11")[1] == END + timedelta(milliseconds=500)
    assert found[-1][0] == "11", "by time of change"


def test_a_file_that_never_rests_is_read_three_times_and_no_more(tmp_path: Path) -> None:
    rows = contacts(101)
    lists = Lists({"/Contacts": rows})
    rows.append({"Id": 500, "LastModifiedDateUtc": "2026-09-02T00:00:00"})
    read(lists, tmp_path, end=END + timedelta(days=1))
    pages = [request for request in lists.asked if request.url.params["PageSize"] == "100"]
    assert len(pages) == 6


def test_what_a_page_past_the_end_answers_does_not_matter_unless_saasu_linked_to_it(tmp_path: Path) -> None:
    rows = Lists({"/Contacts": contacts(100)})

    def refusing(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(404, json="No such page.") if request.url.params["Page"] == "2" else rows(request)
        )

    with fake_client(refusing, tmp_path) as client:
        parts = SaasuReader(client).read_changes(ENTITIES["contacts"], START, END)
        assert sum(len(part.cells) for part in parts) == 100
        rows.links, rows.rows = True, {"/Contacts": contacts(101)}
        with pytest.raises(SaasuRefusedError, match="No such page"):
            list(SaasuReader(client).read_changes(ENTITIES["contacts"], START, END))


def test_long_windows_come_in_pieces_of_a_month_and_an_opening_in_one() -> None:
    pieces = list(stretches(START, START + timedelta(days=70)))
    assert [(two - one).days for one, two in pieces] == [31, 31, 8]
    assert all(one[1] == two[0] for one, two in pairwise(pieces))
    opening = datetime(1990, 1, 1, tzinfo=UTC)
    assert list(stretches(opening, START)) == [(opening, START)]
    assert list(stretches(START, START)) == []


def test_every_list_is_asked_with_what_it_needs(tmp_path: Path) -> None:
    lists = Lists({})
    for name in ENTITIES:
        read(lists, tmp_path, name)
    asked = {request.url.path + str(n): dict(request.url.params) for n, request in enumerate(lists.asked)}
    sent = [dict(request.url.params) for request in lists.asked]
    assert len(sent) == len(ENTITIES), asked
    by_name = dict(zip(ENTITIES, sent, strict=True))
    wide = {"PaymentFromDate": "2000-01-01", "PaymentToDate": "2099-12-31", "TransactionType": "SP"}
    assert wide.items() <= by_name["payments"].items(), "without dates only the last month is shown"
    assert by_name["invoices"]["TransactionType"] == "S"
    assert by_name["stock"]["ItemType"] == "I"
    assert by_name["deleted"]["UtcDeletedFromDate"] == "2026-09-01T00:00:00Z"
    for name in ("items", "contacts", "companies", "invoices", "payments", "journals"):
        pair = (by_name[name]["LastModifiedFromDate"], by_name[name]["LastModifiedToDate"])
        assert pair == ("2026-09-01T00:00:00Z", "2026-09-02T00:00:01Z"), "both ends, or it is refused"
    assert all("LastModifiedFromDate" not in by_name[name] for name in ("stock", "accounts", "tax_codes"))


def test_the_ends_of_a_window_are_exact_though_saasu_knows_seconds(tmp_path: Path) -> None:
    rows = [
        {"Id": 1, "LastModifiedDateUtc": "2026-08-31T23:59:59.9999999Z"},
        {"Id": 2, "LastModifiedDateUtc": "2026-09-01T00:00:00"},
        {"Id": 3, "LastModifiedDateUtc": "2026-09-01T23:59:59.9999999"},
        {"Id": 4, "LastModifiedDateUtc": "2026-09-02T00:00:00Z"},
    ]
    lists = Lists({})
    lists.rows["/Contacts"] = rows

    def all_of_them(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"Contacts": rows})

    with fake_client(all_of_them, tmp_path) as client:
        [part] = SaasuReader(client).read_changes(ENTITIES["contacts"], START, END)
    assert [row[0] for row in part.cells] == ["2", "3"]


def test_deletions_are_asked_kind_by_kind_where_all_at_once_is_refused(tmp_path: Path) -> None:
    def deletions(request: httpx.Request) -> httpx.Response:
        kind = request.url.params.get("EntityType")
        if kind is None:
            return httpx.Response(400, json="The entity type is invalid.")
        rows = [{"EntityType": kind, "EntityId": 7, "Timestamp": "2026-09-01T01:00:00"}]
        return httpx.Response(200, json={"Entities": rows})

    with fake_client(deletions, tmp_path) as client:
        [part] = SaasuReader(client).read_changes(ENTITIES["deleted"], START, END)
    assert sorted(row[0] for row in part.cells if isinstance(row[0], str)) == [
        "Contact", "Item", "Journal", "Sale", "SalePayment",
    ]  # fmt: skip


@pytest.mark.parametrize("told", [None, "", "soon", "2026-13-45T11:00:00", True])
def test_a_record_whose_time_of_change_cannot_be_read_is_of_the_end_of_its_window_and_stops_no_other(
    tmp_path: Path, told: Any
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        bad = {"Id": 77, "ContactId": "priya", "LastModifiedDateUtc": told}
        return httpx.Response(200, json={"Contacts": [bad, *contacts(1)]})

    for now, latest in ((END, END), (START + timedelta(hours=11), START + timedelta(hours=11))):
        with fake_client(answer, tmp_path, FakeClock(now)) as client:
            [part] = SaasuReader(client).read_changes(ENTITIES["contacts"], START, END)
        found = [(row[0], row[1]) for row in part.cells]
        assert found == [
            ("1", START + timedelta(hours=10)), ("77", latest - timedelta(microseconds=1))
        ], "not later than the reading itself: what changes after it is later"  # fmt: skip


def _read_back(row: tuple[Cell, ...]) -> records.SaasuInvoice:
    record = decode(str(row[-1]))
    assert isinstance(record, dict)
    return records.invoice(record)


def test_a_value_that_does_not_fit_is_kept_in_its_record_and_stops_no_other(tmp_path: Path) -> None:
    """The column is empty; the record, which keeps the value, is refused by name by whoever reads it."""
    changed = {"LastModifiedDateUtc": "2026-09-01T02:00:00Z", "TransactionDate": "2026-03-01T00:00:00"}
    bad = {"TransactionId": 5, "InvoiceNumber": "N1", "TotalAmount": "lots", **changed}
    lists = Lists(
        {"/Invoices": [bad, {"TransactionId": 6, "InvoiceNumber": "N2", "TotalAmount": 5, **changed}]}
    )
    rows = read(lists, tmp_path, "invoices")
    names = [column.name for column in ENTITIES["invoices"].columns]
    assert [(row[0], row[names.index("total")]) for row in rows] == [("5", None), ("6", Decimal(5))]
    with pytest.raises(
        DataError, match=r"Saasu invoice N1 \(id 5\): TotalAmount is 'lots', which is no number"
    ):
        _read_back(rows[0])


def test_a_record_that_nobody_would_find_stops_its_list(tmp_path: Path) -> None:
    row = {"TransactionId": 5, "LastModifiedDateUtc": "2026-09-01T02:00:00Z", "InvoiceNumber": ["N1"]}
    with pytest.raises(DataError, match=r"\(id 5\): InvoiceNumber"):
        read(Lists({"/Invoices": [row]}), tmp_path, "invoices")


# --- against the sandbox ---------------------------------------------------------------------------------------------


@pytest.fixture
def desk(fresh: RunningSandbox, saasu_control: httpx.Client, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(fresh, saasu_control, tmp_path / "state", access_key=True)
    yield made
    made.close()


def window(desk: Desk) -> tuple[datetime, datetime]:
    return desk.clock.now() - timedelta(days=2), desk.clock.now() + timedelta(days=1)


def test_no_row_holds_a_link_or_the_access_key_that_saasu_puts_into_links(desk: Desk) -> None:
    invoice = desk.made("/Invoice", invoice_body("N1"))
    desk.made("/Payment", payment_body("P1", invoice, "1.00"))
    desk.made("/Journal", journal_body("J1", "1.00"))
    desk.removed(f"/Contact/{desk.made('/Contact', contact_body('gone'))}")
    key = desk.sandbox.credentials["saasu"]["access_key"]
    assert key in str(desk.client.get("/Contacts")), "the sandbox echoes it, as Saasu does"
    for entity in ENTITIES.values():
        rows = [
            row for part in SaasuReader(desk.client).read_changes(entity, *window(desk)) for row in part.cells
        ]
        assert rows, entity.name
        assert key not in str(rows)
        assert "_links" not in str(rows)


def test_rows_that_come_again_on_the_next_page_are_kept_once(desk: Desk) -> None:
    desk.settings(duplicate_rows=True)
    reader = SaasuReader(desk.client, page=10)
    rows = [row for part in reader.read_changes(ENTITIES["contacts"], *window(desk)) for row in part.cells]
    desk.settings(duplicate_rows=False)
    assert sorted(str(row[0]) for row in rows) == sorted(str(one["Id"]) for one in desk.records("contact"))


def test_a_record_means_the_same_whether_it_was_stored_or_just_read(desk: Desk) -> None:
    contact = desk.made("/Contact", contact_body("priya"))
    number = desk.made("/Invoice", invoice_body("N1", BillingContactId=contact))
    desk.made("/Payment", payment_body("P1", number, "9.90"))
    [part] = SaasuReader(desk.client).read_changes(ENTITIES["invoices"], *window(desk))
    [row] = part.cells
    stored = decode(str(row[-1]))
    assert isinstance(stored, dict)
    one = records.invoice(stored)
    assert (one.id, one.number, one.purchase_order, one.contact) == (str(number), "N1", "N1", str(contact))
    assert (one.total, one.tax, one.paid, one.owed) == tuple(map(Decimal, ("99.90", "9.08", "9.90", "90.00")))
    assert (one.status, one.kind, one.currency) == ("I", "Tax Invoice", "AUD")
    assert one.day.isoformat() == "2026-09-14"
    assert row[1] == one.changed


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_a_list_whose_pages_never_end_is_refused_and_not_read_for_ever(tmp_path: Path, rows: int) -> None:
    asked: list[httpx.Request] = []

    def same(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(
            200, json={"Contacts": contacts(rows), "_links": [{"rel": "next", "href": "x"}]}
        )

    with fake_client(same, tmp_path, FakeClock(END)) as client:
        pages = SaasuReader(client).read_changes(ENTITIES["contacts"], START, END)
        with pytest.raises(TransientError, match="a page came twice"):
            list(pages)
    assert len(asked) == 2
