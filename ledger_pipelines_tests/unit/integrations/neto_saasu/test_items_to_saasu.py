"""Which products a plan of items looks at."""

from __future__ import annotations

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.integrations.neto_saasu.items_to_saasu import others, rows
from ledger_pipelines.integrations.neto_saasu.settings import FLOWS
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import (
    books,
    context,
    item,
    product,
    shop,
)


def test_each_variant_is_an_item_and_the_parent_is_none() -> None:
    family = [
        product("TEE", is_parent=True),
        product("TEE-M", parent="TEE"),
        product("TEE-L", parent="TEE"),
    ]
    found = {row.number: row.action for row in others(context(shop(family)), family, ())}
    assert found == {"TEE": Action.SKIP, "TEE-L": Action.CREATE, "TEE-M": Action.CREATE}


def test_the_product_of_an_order_is_made_although_it_changed_on_another_day() -> None:
    store = shop([product("OLD-1", active=False), product("OLD-2")])
    found = rows(context(store), ["OLD-1"])
    assert [(row.number, row.action) for row in found] == [("OLD-1", Action.CREATE)]


def test_wanted_products_that_saasu_has_or_the_store_has_not_add_no_rows() -> None:
    ctx = context(shop([product()]), books([item()]))
    assert rows(ctx, ["MUG-01", "GONE-1"]) == []


def test_products_that_nobody_ordered_are_of_a_flow_after_the_orders() -> None:
    some = [product("B-1"), product("A-1"), product("C-1")]
    ctx = context(shop(some))
    first, later = rows(ctx, ["A-1"]), others(ctx, some, ["A-1"])
    assert [row.number for row in first] == ["A-1"]
    assert [row.number for row in later] == ["B-1", "C-1"]
    flows = [row.effect.flow for row in (*first, *later) if row.effect is not None]
    assert flows == ["items_to_saasu", "other_items_to_saasu", "other_items_to_saasu"]
    assert FLOWS.index("other_items_to_saasu") > FLOWS.index("refunds")


def test_the_order_products_come_in_changes_nothing() -> None:
    some = [product("B-1"), product("A-1"), product("C-1")]
    ctx = context(shop(some))
    assert others(ctx, some, ["A-1"]) == others(ctx, some[::-1], ["A-1"])
