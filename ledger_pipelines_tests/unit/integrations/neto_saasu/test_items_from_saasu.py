"""Which items of Saasu become products, and that none goes live by itself."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.integrations.neto_saasu.items import item_key
from ledger_pipelines.integrations.neto_saasu.items_from_saasu import product_key, rows
from ledger_pipelines.integrations.neto_saasu.settings import OrdersToSaasu, ProductsFromSaasu
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import (
    SETTINGS,
    books,
    context,
    item,
    known_key,
    product,
    shop,
)


def test_a_new_item_becomes_a_product_that_is_not_approved() -> None:
    (row,) = rows(context(file=books([item()])), [item()])
    effect = row.effect
    assert effect is not None
    assert (row.action, effect.connection, effect.external_id) == (Action.CREATE, "neto", "MUG-01")
    assert decode(effect.body) == {
        "SKU": "MUG-01", "Name": "Enamel Mug", "DefaultPrice": "16.50", "TaxInclusive": True, "TaxFreeItem": False,
        "IsInventoried": True, "IsBought": True, "IsSold": True, "IsActive": True, "Visible": True, "Approved": False,
    }  # fmt: skip


def test_an_item_sold_without_tax_is_a_tax_free_product() -> None:
    (row,) = rows(context(), [item(sale_tax_code_id="8")])
    assert row.effect is not None and '"TaxFreeItem":true' in row.effect.body


def test_a_long_description_is_cut_for_the_name_and_kept_whole() -> None:
    (row,) = rows(context(), [item(description="Mug " * 100)])
    assert row.effect is not None
    body = decode(row.effect.body)
    assert isinstance(body, dict)
    assert len(str(body["Name"])) <= 150 and body["Description"] == "Mug " * 100


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"active": False}, "inactive"),
        ({"combo": True}, "combo"),
        ({"sold": False}, "not-sold"),
        ({"code": "SHIPPING"}, "set-up-item"),
        ({"code": "POST", "id": "300001"}, "set-up-item"),
    ],
)
def test_what_is_no_product_is_skipped_and_says_why(more: dict[str, object], code: str) -> None:
    orders = OrdersToSaasu(rounding_item="300001")
    ctx = context(settings=SETTINGS.model_copy(update={"orders_to_saasu": orders}))
    (row,) = rows(ctx, [item(**{"code": "MUG-01", **more})])  # type: ignore[arg-type]
    assert (row.action, row.reason.code, row.effect) == (Action.SKIP, code, None)


def test_inactive_items_come_too_where_the_setting_says_so_and_are_not_visible() -> None:
    settings = SETTINGS.model_copy(
        update={"products_from_saasu": ProductsFromSaasu(enabled=True, active_only=False)}
    )
    (row,) = rows(context(settings=settings), [item(active=False)])
    assert row.effect is not None and '"Visible":false' in row.effect.body


@pytest.mark.parametrize("code", ["TEA EB 100", "TEA/EB", "Ü-1", "X" * 25, "", "A-1 "])
def test_a_code_that_is_no_sku_is_reported_and_not_mangled(code: str) -> None:
    (row,) = rows(context(), [item(code)])
    assert (row.action, row.reason.code, row.effect) == (Action.BLOCKED, "illegal-sku", None)
    assert repr(code) in row.reason.text


def test_a_code_of_24_characters_is_a_sku() -> None:
    (row,) = rows(context(), [item("X" * 24)])
    assert row.action is Action.CREATE


def test_a_code_that_differs_from_a_sku_by_case_waits_and_names_both() -> None:
    (row,) = rows(context(shop([product("mug-01")])), [item()])
    assert (row.action, row.reason.code) == (Action.BLOCKED, "code-spelling")
    assert "'MUG-01'" in row.reason.text and "'mug-01'" in row.reason.text


def test_two_codes_that_the_store_may_take_for_one_both_wait() -> None:
    twins = [item("MUG-01", "1"), item("mug-01", "2")]
    assert {row.reason.code for row in rows(context(file=books(twins)), twins)} == {"code-spelling"}


def test_an_item_that_came_from_the_store_is_not_sent_back() -> None:
    ours = [known_key(item_key(context(), "MUG-01"), EffectState.CONFIRMED, "301455")]
    same, renamed = item(), item("MUG-99")
    found = rows(context(known=ours), [same, renamed])
    assert [row.reason.code for row in found] == ["from-store", "from-store"]


def test_the_id_of_a_product_of_the_store_is_not_taken_for_that_of_an_item() -> None:
    of_neto = known_key("K" * 20, EffectState.CONFIRMED, "301455", body='{"SKU":"OTHER"}')
    (row,) = rows(context(known=[of_neto]), [item()])
    assert row.action is Action.CREATE


def test_the_key_stays_when_the_code_is_changed() -> None:
    assert product_key(context(), item("A-1")) == product_key(context(), item("B-1"))


def test_known_products_and_mode_test_write_nothing() -> None:
    assert rows(context(shop([product()])), [item()])[0].reason.code == "known"
    assert rows(context(mode=Mode.TEST), [item()])[0].reason.code == "not-tested"


def test_an_item_without_a_price_sends_none() -> None:
    (row,) = rows(context(), [item(selling_price=None)])
    assert row.effect is not None and "DefaultPrice" not in row.effect.body
    (row,) = rows(context(), [item(selling_price=Decimal("1.2345"))])
    assert row.effect is not None and '"DefaultPrice":"1.2345"' in row.effect.body
