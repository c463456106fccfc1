"""Every shape in which Neto was seen to give a collection, and texts that are no numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError
from ledger_pipelines.systems.neto.shapes import Fields, as_list

A: Json = {"CategoryID": "1"}
B: Json = {"CategoryID": "2"}


@pytest.mark.parametrize(
    ("value", "inner", "found"),
    [
        (None, "", []),
        ("", "", []),
        ({}, "Category", []),
        ([], "Category", []),
        (A, "", [A]),
        ([A, B], "", [A, B]),
        ({"Category": A}, "Category", [A]),
        ({"Category": [A, B]}, "Category", [A, B]),
        ([{"Category": A}], "Category", [A]),
        ([{"Category": [A, B]}], "Category", [A, B]),
        ({"Category": ""}, "Category", []),
        (["TEE-RED-M"], "", ["TEE-RED-M"]),
        ("TEE-RED-M", "", ["TEE-RED-M"]),
    ],
)
def test_one_several_or_none(value: Json, inner: str, found: list[Json]) -> None:
    assert as_list(value, inner) == found


def _fields(**body: Json) -> Fields:
    return Fields(body, "order N1")


def test_fields_are_read_by_their_type() -> None:
    fields = _fields(
        Total="7.00", Price="3.50000000", Blank="", Yes="True", No="n", At="2025-03-03 02:20:11", Day="2025-03-03",
        Zero="0000-00-00 00:00:00",
    )  # fmt: skip
    assert (fields.amount("Total"), fields.number("Price"), fields.number("Blank")) == (
        Decimal("7.00"),
        Decimal("3.50000000"),
        None,
    )
    assert (fields.flag("Yes"), fields.flag("No"), fields.flag("Blank", otherwise=True)) == (
        True,
        False,
        True,
    )
    assert fields.instant("At") == datetime(2025, 3, 3, 2, 20, 11, tzinfo=UTC)
    assert (fields.day("Day"), fields.instant("Zero"), fields.day("Zero")) == (date(2025, 3, 3), None, None)


@pytest.mark.parametrize("told", ["1,000.00", "$7", "1e3", "NaN", "٣", "7-"])
def test_a_text_that_is_no_number_is_refused_with_its_record(told: str) -> None:
    with pytest.raises(DataError, match=r"order N1: Total is .* not a number"):
        _fields(Total=told).number("Total")


def test_other_wrong_values_are_refused_too() -> None:
    with pytest.raises(DataError, match="not True or False"):
        _fields(Yes="perhaps").flag("Yes")
    for told in ("3/3/2025", "2025-02-30 00:00:00"):
        with pytest.raises(DataError, match="not a date and time"):
            _fields(At=told).instant("At")
    with pytest.raises(DataError, match="not a text"):
        _fields(Total=["7"]).number("Total")
    with pytest.raises(DataError, match="no object"):
        Fields.of("x", "order")
