"""Download Products and Upload Products: new ones only, codes letter by letter, nothing made twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.sales import Component, Item
from ledger_pipelines.integrations.neto_cin7 import products_from_cin7, products_to_cin7
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.cin7.records import Option, Product
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    body_of,
    codes,
    context,
    d,
    known,
    omni,
    option,
    product,
    settings,
    shop,
)

PARENT = product("TEA", name="Tea", is_parent=True)
SMALL = product("TEA-50", name="Tea 50 g", parent="TEA", price=d("9.95"), cost=d("3.125"))
LARGE = product("TEA-250", name="Tea 250 g", parent="TEA", price=d("29.95"))


def down(
    *items: Item, wanted: tuple[str, ...] = (), here: tuple[Item, ...] = (), **other: Any
) -> list[PlanRow]:
    ctx = context(store=shop(items=(*items, *here)), **other)
    return products_to_cin7.rows(ctx, items, wanted)


def test_variants_become_the_options_of_one_product() -> None:
    (row,) = down(LARGE, SMALL, PARENT)
    assert (row.action.value, row.reason.code) == ("create", "new-product")
    effect = row.effect
    assert effect is not None
    assert (effect.kind, effect.external_id, effect.number) == ("product", "TEA-250", "TEA")
    assert body_of(effect) == {
        "styleCode": "TEA", "name": "Tea", "status": "Public",
        "productOptions": [
            {"productOptionCode": "TEA-250", "option1": "250 g", "retailPrice": d("29.95")},
            {"productOptionCode": "TEA-50", "option1": "50 g", "retailPrice": d("9.95"), "cost": d("3.125")},
        ],
    }  # fmt: skip


def test_any_other_product_has_one_option() -> None:
    (row,) = down(product("POT", name="Pot"))
    body = body_of(row.effect)
    assert (body["styleCode"], body["productOptions"]) == ("POT", [{"productOptionCode": "POT"}])


def test_what_is_not_made() -> None:
    kit = product("KIT", components=(Component("POT", d("1")),))
    some = (
        product("MUG-01"),
        kit,
        product("UTIL", internal=True),
        product("OFF", active=False),
        product("BUY", sold=False),
    )
    assert codes(down(*some)) == [
        ("skip", "not-sold"), ("skip", "kit"), ("skip", "known"), ("skip", "not-sold"), ("skip", "not-sold"),
    ]  # fmt: skip


def test_near_misses_and_half_products_are_reported() -> None:
    account = omni(options=(option("pot"), option("TEA-50")))
    assert codes(down(product("POT"), account=account)) == [("blocked", "sku-spelling")]
    (row,) = down(LARGE, here=(SMALL, PARENT), account=account)
    assert (row.action.value, row.reason.code) == ("blocked", "option-missing")
    assert "TEA-250" in row.reason.text
    style = omni(products=(Product("1", "tea", "Tea", "Public", True, (), None),), options=())
    assert codes(down(LARGE, account=style)) == [("blocked", "option-missing")]
    assert codes(down(product(" POT"))) == [("blocked", "illegal-code")]


def test_products_of_orders_are_made_whenever_they_last_changed() -> None:
    pot = product("POT")
    assert codes(down(here=(pot,), wanted=("POT", "NEVER"))) == [("create", "new-product")]
    assert codes(down(pot, mode=Mode.TEST)) == [("skip", "not-tested")]
    assert codes(down(pot, wanted=("POT",), mode=Mode.TEST)) == [("create", "new-product")]


def test_a_product_is_made_once() -> None:
    (row,) = down(product("POT"))
    assert row.effect is not None
    assert codes(down(product("POT"), known=(known(row.effect, "77"),))) == [("skip", "already-there")]


def up(one: Product, ctx: Context) -> list[PlanRow]:
    return products_from_cin7.rows(ctx, [one])


def style(*options: Option, **other: Any) -> Product:
    return replace(Product("1", "CUP", "Cup", "Public", True, options, None), **other)


def test_an_option_becomes_exactly_this_product() -> None:
    cup = option("CUP-1", "11", product_id="1", retail_price=d("12.5"))
    one = style(cup)
    (row,) = up(one, context(account=omni(products=(one,), options=(cup,))))
    assert (row.action.value, row.reason.code) == ("create", "new-product")
    effect = row.effect
    assert effect is not None
    assert (effect.connection, effect.kind, effect.external_id) == ("neto", "item", "CUP-1")
    assert body_of(effect) == {
        "SKU": "CUP-1", "Name": "Cup", "TaxInclusive": True, "TaxFreeItem": False, "IsInventoried": True, "IsBought": True,
        "IsSold": True, "IsActive": True, "Visible": True, "Approved": False, "DefaultPrice": "12.50",
    }  # fmt: skip


def test_sisters_are_told_apart_and_the_price_tier_is_chosen() -> None:
    red, blue = (
        option(f"CUP-{name}", name, product_id="1", name=f"Cup {name}", prices=(("Trade", d("9")),))
        for name in ("R", "B")
    )
    one = style(red, blue)
    choices = settings(products={"price_column": "trade", "price_has_tax": False})
    first, second = up(one, context(account=omni(products=(one,), options=(red, blue)), choices=choices))
    assert [body_of(row.effect)["Name"] for row in (first, second)] == ["Cup B", "Cup R"]
    assert (body_of(first.effect)["DefaultPrice"], body_of(first.effect)["TaxInclusive"]) == ("9.00", False)
    lost = settings(products={"price_column": "VIP"})
    (row, _) = up(one, context(account=omni(products=(one,), options=(red, blue)), choices=lost))
    assert "DefaultPrice" not in body_of(row.effect)
    assert "no price under VIP" in row.reason.text


def test_what_does_not_go_up() -> None:
    cases: list[tuple[Option, dict[str, Any], tuple[str, str]]] = [
        (option("MUG-01"), {}, ("skip", "known")),
        (option("OFF", active=False), {}, ("skip", "inactive")),
        (option("CUP"), {"mode": Mode.TEST}, ("skip", "not-tested")),
        (option("mug-01"), {}, ("blocked", "code-spelling")),
        (option("CUP SET/4"), {}, ("blocked", "illegal-sku")),
        (option("C" * 25), {}, ("blocked", "illegal-sku")),
    ]
    for cup, other, expected in cases:
        one = style(cup)
        assert codes(up(one, context(account=omni(products=(one,), options=(cup,)), **other))) == [expected]
    one = style(option("CUP", "1"), option("cup", "2"))
    ctx = context(account=omni(products=(one,), options=one.options))
    assert codes(up(one, ctx)) == [("blocked", "code-spelling"), ("blocked", "code-spelling")]
    inactive = style(option("CUP", product_id="1"), active=False)
    ctx = context(account=omni(products=(inactive,), options=inactive.options))
    assert codes(up(inactive, ctx)) == [("skip", "inactive")]


def test_what_came_from_the_store_does_not_come_back() -> None:
    (row,) = down(product("POT"))
    assert row.effect is not None
    one = style(option("POT"))
    ctx = context(account=omni(products=(one,), options=one.options), known=(known(row.effect, "77"),))
    assert codes(up(one, ctx)) == [("skip", "from-store")]
