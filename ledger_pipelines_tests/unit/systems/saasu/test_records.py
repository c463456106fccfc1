"""Records: instants in all the spellings Saasu has, days that never move, values that do not fit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.errors import DataError
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems import fields
from ledger_pipelines.systems.saasu import records

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
OFFSETS = st.integers(-14 * 60, 14 * 60)


def spelt(moment: datetime, digits: int, more: str, offset: int | None) -> str:
    zone = UTC if offset is None else timezone(timedelta(minutes=offset))
    local = moment.astimezone(zone)
    fraction = f"{local.microsecond:06d}{more}"[:digits]
    suffix = (
        ""
        if offset is None
        else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    )
    return f"{local:%Y-%m-%dT%H:%M:%S}{'.' if fraction else ''}{fraction}{suffix}"


@given(INSTANTS, st.integers(0, 7), st.sampled_from("0123456789"), st.none() | OFFSETS)
def test_an_instant_is_the_same_in_every_spelling(
    moment: datetime, digits: int, more: str, offset: int | None
) -> None:
    read = fields.instant(spelt(moment, digits, more, offset))
    kept = min(digits, 6)
    cut = moment.replace(microsecond=int(f"{moment.microsecond:06d}"[:kept].ljust(6, "0")))
    assert read == cut, "digits beyond the microsecond are cut"
    assert read.utcoffset() == timedelta(0)


@given(INSTANTS, st.integers(0, 7))
def test_z_means_what_no_suffix_means(moment: datetime, digits: int) -> None:
    text = spelt(moment, digits, "9", None)
    assert fields.instant(text) == fields.instant(f"{text}Z") == fields.instant(f"{text}+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-09-01",
        "2026-13-01T00:00:00",
        "2026-09-01T00:00:00 Sydney",
        "0001-01-01T00:00:00+10:00",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no instant|month must be"):
        fields.instant(text)


@given(st.dates(), st.sampled_from(["", "T00:00:00", "T23:59:59.9999999", "T00:00:00+10:00", "T13:00:00Z"]))
def test_a_business_day_is_never_moved(day: date, rest: str) -> None:
    assert fields.business_day(f"{day.isoformat()}{rest}") == day


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        ("I", "Tax Invoice", "I"), (None, "Sale Order", "O"), ("", "Quote", "Q"), (None, "Pre-Quote Opportunity", "Q"),
        (None, "Adjustment Note", "I"), ("o", "Sale Order", "O"), (None, "Some New Type", "I"),
    ],
)  # fmt: skip
def test_the_status_is_the_types_when_saasu_drops_the_field(status: Json, kind: str, expected: str) -> None:
    body: dict[str, Json] = {
        "TransactionId": 1, "InvoiceType": kind, "InvoiceStatus": status, "TotalAmount": 1, "TransactionDate": "2026-09-01T00:00:00",
    }  # fmt: skip
    assert records.invoice(body).status == expected


def test_what_is_owed_is_worked_out_where_it_is_not_told() -> None:
    told = decode(
        b'{"TransactionId":1,"TotalAmount":99.90,"AmountPaid":0.3,"TransactionDate":"2026-09-01T00:00:00"}'
    )
    assert isinstance(told, dict)
    one = records.invoice(told)
    assert (one.owed, one.total, one.tax) == (Decimal("99.60"), Decimal("99.90"), Decimal(0))
    assert (one.contact, one.currency, one.changed) == ("", "", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"TransactionDate": "soon"}, "TransactionDate is 'soon', which is no date"),
        ({"TransactionDate": None}, "TransactionDate is None, where a date belongs"),
        ({"TotalAmount": True}, "TotalAmount is True, which is no number"),
        ({"TotalAmount": None}, "TotalAmount is None, where an amount belongs"),
        ({"TotalAmount": "NaN"}, "TotalAmount is 'NaN', which is no number"),
        ({"InvoiceNumber": {"a": 1}}, "InvoiceNumber is .*, which is no text"),
        ({"LastModifiedDateUtc": "x"}, "LastModifiedDateUtc is 'x', which is no point of time"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_records_name(
    change: dict[str, Json], words: str
) -> None:
    body: dict[str, Json] = {
        "TransactionId": 5,
        "PurchaseOrderNumber": "N1",
        "TotalAmount": 1,
        "TransactionDate": "2026-09-01",
    }
    with pytest.raises(DataError, match=rf"Saasu invoice .*\(id 5\).*{words}"):
        records.invoice({**body, **change})


def test_a_flag_that_is_neither_and_an_id_that_is_missing_are_refused() -> None:
    with pytest.raises(DataError, match=r"Saasu item A \(id 3\): IsActive is 'perhaps', which is neither"):
        records.item({"Id": 3, "Code": "A", "IsActive": "perhaps"})
    with pytest.raises(DataError, match="Saasu contact Nair has no Id"):
        records.contact({"FamilyName": "Nair"})


def test_a_contact_without_the_flag_is_active_and_an_item_is_not() -> None:
    assert records.contact({"Id": 1}).active
    assert not records.item({"Id": 1, "Code": "A"}).active


def test_links_go_wherever_they_stand() -> None:
    body: Json = {"_links": [1], "a": [{"_links": [], "b": {"_links": 0, "c": 1}}], "links": 2}
    assert records.without_links(body) == {"a": [{"b": {"c": 1}}], "links": 2}


def test_all_kinds_are_read_as_the_demo_holds_them(
    fresh: RunningSandbox, saasu_control: httpx.Client
) -> None:
    dump: Any = json.loads(saasu_control.get("/dump/saasu").text, parse_float=Decimal)
    held = dump["files"]["5150"]["records"]
    accounts = {one.name: one for one in map(records.account, held["account"])}
    assert accounts["ANZ Cheque"].bank
    assert accounts["ANZ Cheque"].fee_account == "9055"
    assert not accounts["Old Sales"].active
    codes = {one.code: one for one in map(records.tax_code, held["taxcode"])}
    assert (codes["G1"].rate, codes["G1"].sale, codes["G11"].purchase) == (Decimal("0.1"), True, True)
    items = {one.code: one for one in map(records.item, held["item"])}
    assert items["HAMPER"].combo
    assert not items["SHIPPING"].inventoried
    assert all(records.company(one).name for one in held["company"])


@pytest.mark.parametrize("told", ["1_000.00", "١٢.٣٤", "NaN", "Infinity", "sNaN", "1,000.00", "--1"])
def test_a_number_that_only_python_takes_for_one_is_refused(told: str) -> None:
    with pytest.raises(DataError, match="which is no number"):
        fields.Fields({"id": 1, "total": told}, "order").number("total")


@pytest.mark.parametrize(
    ("told", "number"), [("-7", "-7"), ("1E+2", "100"), (".5", "0.5"), ("12.", "12"), ("0E-7", "0")]
)
def test_a_number_as_json_and_people_write_it_is_exact(told: str, number: str) -> None:
    assert fields.Fields({"id": 1, "total": told}, "order").number("total") == Decimal(number)
