"""Products in step: what is missing, inactive, spelt otherwise or there twice; and what an order does then."""

from __future__ import annotations

import pytest

from ledger_pipelines.documents.sales import Component, Item
from ledger_pipelines.integrations.neto_cin7 import products_to_cin7
from ledger_pipelines.integrations.neto_cin7.catalogue import compare, trouble
from ledger_pipelines.integrations.neto_cin7.omni import Omni
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines.systems.cin7.records import Option, Product
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    body_of,
    codes,
    context,
    d,
    line,
    omni,
    option,
    order,
    product,
    settings,
    shop,
)

MARK = settings(products={"unknown_sku": "mark"})


def account(*options: object, **other: object) -> Omni:
    return omni(options=options, **other)


INACTIVE = Product("p-MUG-01", "MUG-01", "Mug", "Inactive", False, (), None)
CASES = [
    (account(), "sku-unknown"),
    (account(option("MUG-01", active=False)), "sku-inactive"),
    (account(option("MUG-01"), products=(INACTIVE,)), "sku-inactive"),
    (account(option("mug-01")), "sku-spelling"),
    (account(option("MUG-01", "1"), option("MUG-01", "2")), "sku-twice"),
]


@pytest.mark.parametrize(("there", "code"), CASES)
def test_an_order_waits_with_the_reason(there: Omni, code: str) -> None:
    one = order("N1", line("MUG-01"))
    decision = decide(context([one], account=there), one)
    assert codes(decision.rows) == [("blocked", code)]
    assert "Order N1" in decision.rows[0].reason.text
    assert decision.waits


@pytest.mark.parametrize(("there", "code"), CASES)
def test_or_goes_through_with_the_line_marked(there: Omni, code: str) -> None:
    one = order("N1", line("MUG-01"))
    (row,) = decide(context([one], account=there, choices=MARK), one).rows
    body = body_of(row.effect)
    (sent,) = body["lineItems"]  # type: ignore[misc, union-attr]
    assert code in sent["lineComments"]  # type: ignore[call-overload, index, operator]
    assert "MUG-01" in str(body["internalComments"])
    assert "Marked:" in row.reason.text


def test_a_line_without_a_sku_was_to_be_made_in_omni_with_this_code() -> None:
    one = order("N1", line(""))
    (row,) = decide(context([one]), one).rows
    assert (row.action.value, row.reason.code) == ("blocked", "sku-unknown")
    assert "A line has no SKU" in row.reason.text
    assert "Make it" not in row.reason.remedy and "in the store" in row.reason.remedy
    (marked,) = decide(context([one], choices=MARK), one).rows
    assert marked.effect is not None and "A line has no SKU" in marked.reason.text


def test_no_sku_is_looked_at_where_that_is_off() -> None:
    one = order("N1", line("NEVER-SEEN"))
    (row,) = decide(context([one], choices=settings(products={"in_step": False})), one).rows
    assert row.action.value == "create"


def test_an_option_whose_id_repeats_for_its_sizes_is_one() -> None:
    there = account(option("MUG-S", "1", size="S"), option("MUG-L", "1", size="L"))
    assert trouble(context(account=there), "MUG-S") is None
    assert trouble(context(account=there), "MUG-L") is None


def test_an_option_that_is_listed_twice_is_one() -> None:
    assert trouble(context(account=account(option("MUG-01", "1"), option("MUG-01", "1"))), "MUG-01") is None


def test_a_disabled_twin_does_not_count() -> None:
    there = account(option("MUG-01", "1", active=False), option("MUG-01", "2"))
    assert trouble(context(account=there), "MUG-01") is None


def test_both_catalogues_side_by_side() -> None:
    items = (
        product("NEW"), product("Tin"), product("OLD", active=False), product("PARENT", is_parent=True),
        product("UTIL", internal=True), product("KIT", components=(Component("NEW", d("1")),)),
    )  # fmt: skip
    there = account(option("TEE-RED-M"), option("MUG-01"), option("TIN"), option("WINTER"))
    found = compare(context(account=there, store=shop(items=items)))
    assert [(one.sku, one.code, one.reason.code) for one in found] == [
        ("KIT", "", "sku-unknown"),
        ("NEW", "", "sku-unknown"),
        ("Tin", "TIN", "sku-spelling"),
        ("", "WINTER", "only-in-omni"),
    ]
    few = compare(context(account=there, store=shop(items=items)), ["NEW", "MUG-01"])
    assert [one.sku for one in few] == ["NEW"]


def test_a_product_that_is_made_first_does_not_block() -> None:
    one = order("N1", line("NEW"))
    store = shop([one], items=(product("NEW"),))
    ctx = context([one], store=store, choices=settings(products={"download": True}))
    (row,) = decide(ctx, one).rows
    assert row.effect is not None
    assert len(row.effect.depends_on) == 1


DOWNLOAD = {"download": True}
TEA = (product("TEA", is_parent=True), product("TEA-50", parent="TEA"), product("TEA-250", parent="TEA"))
UNMADE = [
    ("TEA-50", TEA, (option("tea-250"),), "'TEA-250'"),
    ("TEA-50", TEA, (option("TEA-250"),), "not its options TEA-50"),
    ("POT ", (product("POT "),), (), "blanks around it"),
]


@pytest.mark.parametrize(("sku", "items", "there", "why"), UNMADE)
def test_an_order_does_not_wait_for_a_product_that_cannot_be_made(
    sku: str, items: tuple[Item, ...], there: tuple[Option, ...], why: str
) -> None:
    one = order("N1", line(sku))
    store = shop([one], items=items)
    ctx = context([one], store=store, account=account(*there), choices=settings(products=DOWNLOAD))
    (made,) = products_to_cin7.rows(ctx, [], {sku})
    assert made.effect is None
    (row,) = decide(ctx, one).rows
    assert (row.action.value, row.reason.code) == ("blocked", "sku-unknown")
    assert why in row.reason.text
    assert row.reason.remedy == made.reason.remedy
    marked = context(
        [one],
        store=store,
        account=account(*there),
        choices=settings(products=DOWNLOAD | {"unknown_sku": "mark"}),
    )
    (row,) = decide(marked, one).rows
    assert row.effect is not None
    assert row.effect.depends_on == ()
    (sent,) = body_of(row.effect)["lineItems"]  # type: ignore[misc, union-attr]
    assert "sku-unknown" in sent["lineComments"]  # type: ignore[call-overload, index, operator]


def test_nor_for_one_that_a_person_ignores() -> None:
    one = order("N1", line("NEW"))
    store, choices = shop([one], items=(product("NEW"),)), settings(products=DOWNLOAD)
    (made,) = products_to_cin7.rows(context([one], store=store, choices=choices), [], {"NEW"})
    ctx = context([one], store=store, choices=choices, ignored=(made.key,))
    assert codes(decide(ctx, one).rows) == [("blocked", "sku-unknown")]
