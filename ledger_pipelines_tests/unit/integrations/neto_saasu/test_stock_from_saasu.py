"""What the store's warehouse is told, and what it is not told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.documents.sales import Component
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.unreadable import UnreadableError
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.items import item_key
from ledger_pipelines.integrations.neto_saasu.settings import InventoryFromSaasu, QuantityBasis
from ledger_pipelines.integrations.neto_saasu.stock_from_saasu import rows, stock_key
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import (
    READ_AT,
    SETTINGS,
    TODAY,
    books,
    context,
    item,
    known,
    product,
    shop,
)


def written(ctx: Context) -> list[PlanRow]:
    return [row for row in rows(ctx) if row.action is Action.UPDATE]


def quantity(row: PlanRow) -> object:
    assert row.effect is not None
    body = decode(row.effect.body)
    assert isinstance(body, dict)
    return body["Quantity"]


def counted(ctx: Context) -> dict[str, str]:
    return {row.reason.code: row.reason.text for row in rows(ctx) if row.action is Action.SKIP}


def test_a_quantity_that_differs_is_set_in_the_one_warehouse() -> None:
    (row,) = written(context(shop([product()], [("MUG-01", "1", 4), ("MUG-01", "3", 10)]), books([item()])))
    effect = row.effect
    assert effect is not None
    assert decode(effect.body) == {"SKU": "MUG-01", "WarehouseID": "1", "Quantity": "10"}
    assert (effect.connection, effect.kind, effect.target_id, effect.external_id) == (
        "neto", "stock", "MUG-01", "MUG-01",
    )  # fmt: skip


def test_stock_that_was_edited_by_hand_in_the_store_is_mended() -> None:
    ctx = context(shop([product()], [("MUG-01", "1", 10)]), books([item()]))
    assert written(ctx) == []
    edited = context(shop([product()], [("MUG-01", "1", 99)]), books([item()]))
    assert [quantity(row) for row in written(edited)] == ["10"]


def test_on_hand_leaves_committed_out() -> None:
    inventory = InventoryFromSaasu(enabled=True, warehouse="1", quantity=QuantityBasis.ON_HAND)
    settings = SETTINGS.model_copy(update={"inventory_from_saasu": inventory})
    (row,) = written(context(shop([product()]), books([item()]), settings=settings))
    assert quantity(row) == "12"


def test_a_warehouse_that_never_held_the_product_counts_as_none() -> None:
    ctx = context(shop([product()], [("MUG-01", "3", 10), ("MUG-01", "", 10)]), books([item()]))
    assert [quantity(row) for row in written(ctx)] == ["10"]


@pytest.mark.parametrize(
    ("on_hand", "text"),
    [("2.5", "0.5"), ("2.0005", "0.001"), ("12.000", "10"), ("1002", "1000")],
)
def test_fractions_are_plain_text_of_three_decimals_at_most(on_hand: str, text: str) -> None:
    ctx = context(shop([product()]), books([item(on_hand=Decimal(on_hand))]))
    assert [quantity(row) for row in written(ctx)] == [text]


def test_less_than_none_becomes_none_and_says_so_and_is_not_set_again() -> None:
    below = books([item(on_hand=Decimal(-3), committed=None)])
    (row,) = written(context(shop([product()], [("MUG-01", "1", 4)]), below))
    assert quantity(row) == "0" and "-3" in row.reason.text
    assert written(context(shop([product()], [("MUG-01", "1", 0)]), below)) == []


@pytest.mark.parametrize(
    ("of_store", "of_file", "code"),
    [
        ({"is_parent": True}, {}, "parent"),
        ({"components": (Component("A", Decimal(1)),)}, {}, "kit"),
        ({"inventoried": False}, {}, "not-inventoried"),
        ({}, {"inventoried": False}, "not-inventoried"),
        ({}, {"on_hand": None}, "no-quantity"),
    ],
)
def test_what_has_no_stock_of_its_own_is_counted_and_left_alone(
    of_store: dict[str, object], of_file: dict[str, object], code: str
) -> None:
    ctx = context(shop([product(**of_store)]), books([item(**of_file)]))  # type: ignore[arg-type]
    assert written(ctx) == []
    assert "MUG-01" in counted(ctx)[code]


def test_a_thousand_products_in_step_are_one_row() -> None:
    some = [product(f"P-{n}") for n in range(1000)]
    there = [item(f"P-{n}", str(n)) for n in range(1000)]
    ctx = context(shop(some, [(one.key, "1", 10) for one in some]), books(there))
    (row,) = rows(ctx)
    assert row.reason.code == "same" and "1,000 products" in row.reason.text and "990 more" in row.reason.text


def test_only_the_present_day_has_a_plan() -> None:
    ctx = context(shop([product()]), books([item()]), day=TODAY - timedelta(days=1))
    assert rows(ctx) == []


def test_a_near_miss_is_reported_once_under_the_key_of_the_item() -> None:
    ctx = context(shop([product("mug-01")]), books([item()]))
    (row,) = rows(ctx)
    assert (row.action, row.reason.code, row.key) == (
        Action.BLOCKED,
        "code-spelling",
        item_key(ctx, "mug-01"),
    )
    ignored = context(ctx.shop, ctx.books, ignored=[row.key])
    assert [one.action for one in rows(ignored)] == [Action.SKIP]


def test_stock_that_cannot_be_read_is_named_also_where_its_code_cannot() -> None:
    """It may be any product's: its stock stayed as it was, and nobody was told."""
    cause = DataError("An item says 'some' where a number is due.")
    unread = tuple(
        (code, UnreadableError("stock", key, key, cause))
        for code, key in (("", "8"), ("mug-01 ", "6"), (" ", "7"), ("SERVICE", "9"))
    )
    found = rows(context(shop([product()]), books(unread_stock=unread)))
    assert [(row.action, row.number) for row in found] == [
        (Action.BLOCKED, "item 8"),
        (Action.BLOCKED, "item 7"),
        (Action.BLOCKED, "mug-01"),
    ], "SERVICE is no product of the store"


@pytest.mark.parametrize("warehouse", [None, "Nowhere"])
def test_a_warehouse_that_is_not_there_blocks_and_names_the_setting(warehouse: str | None) -> None:
    inventory = InventoryFromSaasu(enabled=True, warehouse=warehouse)
    settings = SETTINGS.model_copy(update={"inventory_from_saasu": inventory})
    (row,) = rows(context(shop([product()]), books([item()]), settings=settings))
    assert (row.action, row.reason.code) == (Action.BLOCKED, "unresolved-setting")
    assert "settings.inventory_from_saasu.warehouse" in row.reason.text


def test_a_side_that_was_never_read_is_not_taken_for_empty() -> None:
    unread = replace(shop([product()]), stock_read_at=None)
    (row,) = rows(context(unread, books([item()])))
    assert (row.action, row.reason.code) == (Action.BLOCKED, "stock-not-read")
    assert "neto" in row.reason.text


def test_mode_test_sets_nothing() -> None:
    ctx = context(shop([product()]), books([item()]), mode=Mode.TEST)
    assert written(ctx) == [] and "not-tested" in counted(ctx)


class TestAgain:
    """The same SKU is set many times over the years; each time is an effect of its own."""

    store = shop([product()], [("MUG-01", "1", 4)])

    def after(self, hours: int, **more: object) -> Context:
        """The first quantity was confirmed so many hours after the store was read."""
        (first,) = written(context(self.store, books([item()])))
        assert first.effect is not None
        mine = known(first.effect, confirmed_at=READ_AT + timedelta(hours=hours))
        return context(self.store, books([item(**more)]), [mine])  # type: ignore[arg-type]

    def test_what_we_set_after_the_store_was_read_counts_as_the_stores(self) -> None:
        assert written(self.after(1)) == []

    def test_what_was_read_after_we_set_it_counts(self) -> None:
        (row,) = written(self.after(-1))
        assert row.key == stock_key(self.after(-1), "MUG-01", "1", 1)

    def test_another_quantity_is_the_next_revision(self) -> None:
        (row,) = written(self.after(1, on_hand=Decimal(20)))
        assert quantity(row) == "18" and row.key == stock_key(self.after(1), "MUG-01", "1", 1)

    def test_an_effect_that_is_not_confirmed_yet_is_the_same_effect(self) -> None:
        (first,) = written(context(self.store, books([item()])))
        assert first.effect is not None
        again = context(self.store, books([item()]), [known(first.effect, EffectState.APPROVED)])
        assert [row.key for row in written(again)] == [first.key]

    def test_of_several_the_one_confirmed_last_counts_whatever_their_order(self) -> None:
        (first,) = written(context(self.store, books([item()])))
        (second,) = written(self.after(1, on_hand=Decimal(20)))
        assert first.effect is not None and second.effect is not None
        mine = [
            known(second.effect, confirmed_at=READ_AT + timedelta(hours=2)),
            known(first.effect, confirmed_at=READ_AT + timedelta(hours=1)),
        ]
        ctx = context(self.store, books([item(on_hand=Decimal(20))]), mine)
        assert written(ctx) == []
        (third,) = written(context(self.store, books([item()]), mine))
        assert (quantity(third), third.key) == ("10", stock_key(ctx, "MUG-01", "1", 2))

    def test_one_that_was_ignored_hides_none_that_comes_later(self) -> None:
        """It had the number of all that followed: the product was never set again."""
        (first,) = written(context(self.store, books([item()])))
        assert first.effect is not None
        left = known(first.effect, EffectState.IGNORED)
        (same,) = rows(context(self.store, books([item()]), [left]))
        assert (same.action, same.reason.code, same.key) == (Action.SKIP, "ignored-by-user", first.key)
        more = context(self.store, books([item(on_hand=Decimal(20))]), [left])
        (second,) = written(more)
        assert second.effect is not None
        assert (quantity(second), second.key) == ("18", stock_key(more, "MUG-01", "1", 1))
        done = known(second.effect, confirmed_at=READ_AT - timedelta(hours=1))
        again = context(self.store, books([item()]), [left, done])
        (third,) = written(again)
        assert (quantity(third), third.key) == ("10", stock_key(again, "MUG-01", "1", 2)), "set since"
        retried = replace(left, state=EffectState.APPROVED)
        (fourth,) = written(context(self.store, books([item()]), [retried, done]))
        assert fourth.key == third.key

    def test_another_warehouse_begins_anew(self) -> None:
        ctx = self.after(1)
        inventory = InventoryFromSaasu(enabled=True, warehouse="Shed")
        shed = replace(ctx, settings=SETTINGS.model_copy(update={"inventory_from_saasu": inventory}))
        (row,) = written(shed)
        assert row.key == stock_key(ctx, "MUG-01", "3", 0)
