"""Records that cannot be read: looked up they say so, counted they are passed over, and what rests on one waits alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import pytest

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.stored import (
    AsRead,
    Decoded,
    Renamed,
    if_readable,
    readable,
    unreadable,
)
from ledger_pipelines.integrations.by_day.unreadable import UNREADABLE, UnreadableError, one_by_one
from ledger_pipelines.integrations.neto_cin7.omni import Omni
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.shop import Shop
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import context
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import OneUnreadable, order, shop


def number(record: Mapping[str, Json]) -> int:
    told = record["n"]
    if not isinstance(told, int):
        raise DataError(f"Neto's order has {told!r} for n.", remedy="Correct it in Neto.")
    return told


SOME = Decoded({"a": '{"n":1}', "b": '{"n":"x"}', "c": '{"n":3}'}, number, "orders")


def test_one_is_looked_up_with_its_name_and_the_others_are_read() -> None:
    assert "b" in SOME and len(SOME) == 3
    assert list(readable(SOME)) == [1, 3]
    assert list(unreadable(SOME)) == ["b"]
    assert (if_readable(SOME, "a"), if_readable(SOME, "b"), if_readable(SOME, "z")) == (1, None, None)
    assert list(readable(Renamed(SOME, {"B": "b", "C": "c"}))) == [3]
    with pytest.raises(UnreadableError, match="'x' for n") as raised:
        SOME.get("b")
    assert (raised.value.what, raised.value.key, raised.value.code) == ("orders", "b", UNREADABLE)


def test_what_rests_on_one_waits_and_the_others_go_on() -> None:
    ctx = context()

    def rows(key: str) -> list[str]:
        return [f"{key}{SOME[key]}"]

    made = list(
        one_by_one(ctx, ["a", "b", "c"], rows, lambda key: (key.upper(), f"Order {key}"), "Until then, wait.")  # type: ignore[arg-type,return-value]
    )
    assert (made[0], made[2]) == ("a1", "c3")
    row = made[1]
    assert (row.action, row.number, row.reason.code) == (Action.BLOCKED, "B", UNREADABLE)
    assert row.reason.text == "Order b cannot go on: Neto's order has 'x' for n. Until then, wait."
    assert row.reason.remedy == "Correct it in Neto. It goes by itself in the run after that."


def test_who_ignores_it_ignores_the_record_as_it_was_shown() -> None:
    def row(content: str, ignored: tuple[str, ...] = ()) -> tuple[Action, str]:
        error = UnreadableError("orders", "b", content, DataError("It is bad.", remedy="Mend it."))
        made = context(ignored=ignored).unreadable(error, "b", "Order b")
        return made.action, made.key

    action, key = row("one")
    assert action is Action.BLOCKED
    assert row("one", (key,)) == (Action.SKIP, key)
    assert row("another", (key,))[0] is Action.BLOCKED


@pytest.mark.parametrize("side", [Shop, Books, Omni])
def test_a_side_names_its_lists_and_what_is_told_of_them_as_it_has_them(side: type[AsRead]) -> None:
    there = {one.name for one in fields(side)}
    assert side.LISTS and {*side.LISTS, *side.TOLD} <= there


def test_what_was_told_of_records_goes_with_those_that_cannot_be_read_and_stays_where_all_can() -> None:
    good = shop([order("N1")], split_off={}, emails={})
    assert good.legible is good
    bad = replace(good, orders=OneUnreadable({"N1": order("N1"), "N2": order("N2")}))
    assert [error.key for error in bad.unreadable()] == ["N2"]
    assert (list(bad.legible.orders), bad.legible.customers) == (["N1"], good.customers)
    assert (bad.legible.split_off, bad.legible.emails, good.emails) == (None, None, {})
