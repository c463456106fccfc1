"""The item of a SKU: what bodies say for it, before and after it is written, and whether it is made."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.documents.sales import Component
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.neto_saasu.items import decide, item_key, item_value
from ledger_pipelines.integrations.neto_saasu.settings import Kits
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import (
    PRODUCTS,
    SETTINGS,
    books,
    context,
    item,
    known_key,
    product,
    shop,
)

KIT = (Component("MUG-01", Decimal(2)),)


def body_of(ctx: object, **more: object) -> dict[str, object]:
    effect = decide(ctx, product(**more), needed=False).effect  # type: ignore[arg-type]
    assert effect is not None
    body = decode(effect.body)
    assert isinstance(body, dict)
    return dict(body)


class TestValue:
    def test_an_item_that_was_there_before_us_is_its_id(self) -> None:
        assert item_value(context(shop([product()]), books([item()])), "MUG-01") == "301455"

    def test_an_item_of_ours_is_a_link_before_it_is_written_and_after_the_books_show_it(self) -> None:
        planned = context(shop([product()]))
        key = item_key(planned, "MUG-01")
        assert item_value(planned, "MUG-01") == link(key)
        for state in (EffectState.APPROVED, EffectState.UNKNOWN, EffectState.CONFIRMED):
            mine = [known_key(key, state, "301455")]
            assert item_value(context(shop([product()]), known=mine), "MUG-01") == link(key)
            assert item_value(context(shop([product()]), books([item()]), mine), "MUG-01") == link(key)

    def test_an_item_that_was_refused_and_then_made_by_hand_is_its_id(self) -> None:
        key = item_key(context(), "MUG-01")
        mine = [known_key(key, EffectState.REFUSED)]
        assert item_value(context(shop([product()]), books([item()]), mine), "MUG-01") == "301455"

    def test_an_item_of_ours_that_was_deleted_there_is_nothing_until_somebody_makes_it_again(self) -> None:
        mine = [known_key(item_key(context(), "MUG-01"), EffectState.CONFIRMED, "301455")]
        gone = frozenset({("Item", "301455")})
        assert item_value(context(shop([product()]), books(deleted=gone), mine), "MUG-01") is None
        again = books([item(identity="301999")], deleted=gone)
        assert item_value(context(shop([product()]), again, mine), "MUG-01") == "301999"

    def test_a_code_that_differs_by_case_is_not_the_item(self) -> None:
        assert item_value(context(shop([product()]), books([item("mug-01")])), "MUG-01") is None

    def test_without_a_product_or_with_the_flow_off_there_is_none(self) -> None:
        off = SETTINGS.model_copy(
            update={"products_to_saasu": PRODUCTS.model_copy(update={"enabled": False})}
        )
        assert item_value(context(), "MUG-01") is None
        assert item_value(context(shop([product()]), settings=off), "MUG-01") is None

    def test_an_inactive_product_on_an_order_will_be_made(self) -> None:
        ctx = context(shop([product(active=False)]), mode=Mode.TEST)
        assert item_value(ctx, "MUG-01") == link(item_key(ctx, "MUG-01"))


class TestBody:
    def test_a_product_with_stock_has_the_three_accounts_and_ids_as_numbers(self) -> None:
        assert body_of(context()) == {
            "Code": "MUG-01", "Description": "Enamel Mug", "Type": "I", "IsActive": True, "IsVisible": True,
            "IsInventoried": True, "AssetAccountId": 9011, "IsSold": True, "SaleIncomeAccountId": 9040, "SaleTaxCodeId": 7,
            "SaleCoSAccountId": 9050, "SellingPrice": Decimal("16.5"), "IsSellingPriceIncTax": True, "IsBought": True,
            "PurchaseTaxCodeId": 12, "BuyingPrice": 6, "IsBuyingPriceIncTax": False,
        }  # fmt: skip

    def test_one_without_stock_is_bought_on_the_expense_account_and_has_no_asset(self) -> None:
        body = body_of(context(), inventoried=False)
        assert (body["IsInventoried"], body["PurchaseExpenseAccountId"]) == (False, 9060)
        assert not {"AssetAccountId", "SaleCoSAccountId"} & body.keys()

    def test_without_an_expense_account_it_is_only_sold(self) -> None:
        settings = SETTINGS.model_copy(
            update={"products_to_saasu": PRODUCTS.model_copy(update={"expense_account": None})}
        )
        body = body_of(context(settings=settings), inventoried=False)
        assert body["IsBought"] is False
        assert not {"PurchaseExpenseAccountId", "PurchaseTaxCodeId", "BuyingPrice"} & body.keys()

    def test_a_tax_free_product_has_the_tax_free_code(self) -> None:
        assert body_of(context(), tax_free=True)["SaleTaxCodeId"] == 8

    def test_a_price_of_eight_decimals_is_rounded_to_four_away_from_zero(self) -> None:
        assert body_of(context(), price=Decimal("3.33335000"))["SellingPrice"] == Decimal("3.3334")

    def test_a_product_without_a_price_sends_none(self) -> None:
        assert "SellingPrice" not in body_of(context(), price=None)

    def test_the_body_does_not_depend_on_the_day_it_is_planned_under(self) -> None:
        before = context(day=context().first_day)
        one, other = (decide(ctx, product(), needed=False).effect for ctx in (context(), before))
        assert one is not None and other is not None
        assert (one.key, one.body) == (other.key, other.body)


class TestDecide:
    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"is_parent": True}, "parent"),
            ({"internal": True}, "internal"),
            ({"active": False}, "inactive"),
            ({"components": KIT}, "kit"),
        ],
    )
    def test_what_is_no_item_is_skipped_and_says_why(self, more: dict[str, object], code: str) -> None:
        row = decide(context(), product(**more), needed=False)
        assert (row.action, row.reason.code, row.effect) == (Action.SKIP, code, None)

    def test_a_kit_becomes_an_item_without_stock_where_the_setting_says_so(self) -> None:
        settings = SETTINGS.model_copy(
            update={"products_to_saasu": PRODUCTS.model_copy(update={"kits": Kits.NOT_INVENTORIED})}
        )
        assert body_of(context(settings=settings), components=KIT)["IsInventoried"] is False

    def test_an_exact_code_is_known_also_when_the_item_is_inactive(self) -> None:
        row = decide(context(file=books([item(active=False)])), product(), needed=True)
        assert (row.action, row.reason.code) == (Action.SKIP, "known")

    @pytest.mark.parametrize("code", ["mug-01", "MUG-01 ", " Mug-01"])
    def test_a_code_that_differs_by_case_or_blanks_waits_and_names_both(self, code: str) -> None:
        row = decide(context(file=books([item(code)])), product(), needed=True)
        assert (row.action, row.reason.code) == (Action.BLOCKED, "code-spelling")
        assert repr("MUG-01") in row.reason.text and repr(code) in row.reason.text

    def test_one_exact_code_is_enough_beside_a_near_miss(self) -> None:
        there = books([item("mug-01", "1"), item("MUG-01", "2")])
        assert decide(context(file=there), product(), needed=True).reason.code == "known"

    def test_an_item_deleted_there_is_not_made_again_by_us(self) -> None:
        mine = [known_key(item_key(context(), "MUG-01"), EffectState.CONFIRMED, "301455")]
        ours = context(file=books(deleted=frozenset({("Item", "301455")})), known=mine)
        theirs = context(file=books(deleted_codes=frozenset({"MUG-01"})))
        for ctx in (ours, theirs):
            row = decide(ctx, product(), needed=True)
            assert (row.action, row.reason.code) == (Action.BLOCKED, "deleted-there")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("income_account", None),
            ("income_account", "Nowhere"),
            ("income_account", "Bank"),
            ("asset_account", None),
            ("cost_of_sale_account", "Nowhere"),
            ("sale_tax_code", "GST9"),
            ("purchase_tax_code", "GST9"),
        ],
    )
    def test_a_setting_that_names_nothing_blocks_and_is_named(self, field: str, value: str | None) -> None:
        settings = SETTINGS.model_copy(
            update={"products_to_saasu": PRODUCTS.model_copy(update={field: value})}
        )
        row = decide(context(settings=settings), product(), needed=False)
        assert (row.action, row.reason.code) == (Action.BLOCKED, "unresolved-setting")
        assert f"settings.products_to_saasu.{field}" in row.reason.text
        assert row.reason.remedy

    def test_a_sku_longer_than_a_code_waits(self) -> None:
        row = decide(context(), product("X" * 33), needed=False)
        assert (row.action, row.reason.code) == (Action.BLOCKED, "illegal-code")

    def test_mode_test_makes_only_what_its_orders_have(self) -> None:
        ctx = context(mode=Mode.TEST)
        assert decide(ctx, product(), needed=False).reason.code == "not-tested"
        assert decide(ctx, product(), needed=True).action is Action.CREATE

    def test_what_the_journal_has_written_is_not_planned_again(self) -> None:
        mine = [known_key(item_key(context(), "MUG-01"), EffectState.CONFIRMED, "301455")]
        row = decide(context(known=mine), product(), needed=False)
        assert (row.action, row.effect) == (Action.SKIP, None)

    def test_what_a_user_ignored_stays_so(self) -> None:
        key = item_key(context(), "MUG-01")
        for ctx in (context(ignored=[key]), context(file=books([item("mug-01")]), ignored=[key])):
            assert decide(ctx, product(), needed=False).reason.code == "ignored-by-user"
