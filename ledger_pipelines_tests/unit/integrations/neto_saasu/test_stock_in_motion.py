"""What the store has shipped and the file's stock does not know yet is not put back on sale, and holds nothing down for ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.keys import Json, canonical
from ledger_pipelines.documents.sales import Component, SalesDocument
from ledger_pipelines.integrations.by_day.context import Known
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.invoices import decide
from ledger_pipelines.integrations.neto_saasu.references import (
    convert_key,
    credit_key,
    invoice_key,
    update_key,
)
from ledger_pipelines.integrations.neto_saasu.settings import (
    InventoryFromSaasu,
    OrdersToSaasu,
    ProductsToSaasu,
    QuantityBasis,
)
from ledger_pipelines.integrations.neto_saasu.stock_from_saasu import rows
from ledger_pipelines.integrations.neto_saasu.stock_in_motion import in_motion
from ledger_pipelines.systems.saasu.records import SaasuItem
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    OneUnreadable,
    line,
    order,
    saasu_invoice,
)
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_stock import (
    READ_AT,
    SETTINGS,
    TODAY,
    books,
    context,
    item,
    product,
    shop,
)

BEFORE, AFTER = READ_AT - timedelta(minutes=30), READ_AT + timedelta(minutes=5)
SOLD: Json = [{"InventoryId": "301455", "Quantity": 2}]


def shipped(number: str = "N1", quantity: str = "2", **other: Any) -> SalesDocument:
    """An order of today that is off the shelf: two mugs."""
    told = {"status": "Dispatched", "day": TODAY, "changed": BEFORE, "off_the_shelf": True} | other
    return order(number, *told.pop("lines", [line(quantity=quantity)]), **told)


def placed(
    *orders: SalesDocument,
    known: Iterable[Known] = (),
    basis: QuantityBasis = QuantityBasis.ON_HAND,
    there: int = 10,
    settings: Mapping[str, Any] | None = None,
    **of_file: Any,
) -> Context:
    """Twelve mugs in the file, none committed; `there` in the store's warehouse."""
    inventory = InventoryFromSaasu(enabled=True, warehouse="1", quantity=basis, **(settings or {}))
    store = shop([product(), product("CUP-1")], [("MUG-01", "1", there)])
    store = replace(store, orders={one.key: one for one in orders})
    file = books([item(committed=Decimal(0)), item("CUP-1", "301456", on_hand=Decimal(0))], **of_file)
    return context(store, file, known, SETTINGS.model_copy(update={"inventory_from_saasu": inventory}))


def wrote(
    key: str, at: datetime = BEFORE, state: EffectState = EffectState.CONFIRMED, **fields: Json
) -> Known:
    """What the journal knows of a document of the order."""
    body = canonical({"InvoiceType": "Tax Invoice", "LineItems": SOLD} | fields)
    return Known(
        key, "invoice", Action.CREATE, state, body, "", remote_id="71", confirmed_at=at, external_id="N1"
    )


def with_items(ctx: Context, *items: SaasuItem) -> Context:
    """The same, with other items in the file."""
    return replace(ctx, books=replace(ctx.books, items=items, stock=items))


def gone(ctx: Context) -> dict[str, Decimal]:
    return {sku: one.quantity for sku, one in in_motion(ctx).by_sku.items()}


def said(ctx: Context) -> list[tuple[str, str]]:
    """Reason and SKU of the rows that concern the mug."""
    return [(row.reason.code, row.reason.text) for row in rows(ctx) if "MUG-01" in row.reason.text]


def test_an_order_that_cannot_be_read_is_named_and_the_others_are_left_off() -> None:
    """One such record would have stopped the stock of all products."""
    ctx = placed(shipped(), shipped("N2"))
    ctx = replace(ctx, shop=replace(ctx.shop, orders=OneUnreadable(ctx.shop.orders)))
    assert gone(ctx) == {"MUG-01": Decimal(2)}
    waiting = [row for row in rows(ctx) if row.reason.code == "unreadable-record"]
    assert [(row.action, row.number) for row in waiting] == [(Action.BLOCKED, "N2")]
    assert "has no date" in waiting[0].reason.text and "is not left off" in waiting[0].reason.text


class TestNotSetBackUp:
    """The store sold two of twelve, and has ten: it keeps ten."""

    def test_an_order_that_is_not_in_the_file_yet(self) -> None:
        ((code, text),) = said(placed(shipped()))
        assert code == "sold-meanwhile" and "MUG-01 (2 with order N1)" in text

    @pytest.mark.parametrize(
        "state",
        [EffectState.APPROVED, EffectState.SENT, EffectState.UNKNOWN, EffectState.HELD, EffectState.REFUSED],
    )
    def test_an_order_that_waits_or_is_in_doubt(self, state: EffectState) -> None:
        ctx = placed(shipped())
        mine = wrote(invoice_key(ctx, shipped()), BEFORE, state)
        assert [code for code, _ in said(placed(shipped(), known=[mine]))] == ["sold-meanwhile"]

    def test_an_order_whose_status_is_not_exported(self) -> None:
        ctx = placed(shipped(status="Pending Dispatch"))
        orders = OrdersToSaasu(statuses=("Dispatched",))
        ctx = replace(ctx, settings=ctx.settings.model_copy(update={"orders_to_saasu": orders}))
        assert gone(ctx) == {"MUG-01": 2}

    def test_an_order_that_was_written_after_the_stock_was_read(self) -> None:
        mine = wrote(invoice_key(placed(), shipped()), AFTER)
        assert gone(placed(shipped(), known=[mine])) == {"MUG-01": 2}

    def test_a_sale_order_lowers_what_is_committed_and_not_what_is_on_hand(self) -> None:
        mine = wrote(invoice_key(placed(), shipped()), InvoiceType="Sale Order")
        assert gone(placed(shipped(), known=[mine])) == {"MUG-01": 2}
        assert gone(placed(shipped(), known=[mine], basis=QuantityBasis.ON_HAND_LESS_COMMITTED)) == {}

    @pytest.mark.parametrize(("at", "left"), [(BEFORE, {}), (AFTER, {"MUG-01": 2})])
    def test_until_it_became_an_invoice(self, at: datetime, left: dict[str, int]) -> None:
        ctx = placed()
        mine = wrote(invoice_key(ctx, shipped()), InvoiceType="Sale Order")
        turned = wrote(convert_key(ctx, shipped()), at)
        assert gone(placed(shipped(), known=[mine, turned])) == left

    def test_by_whomever(self) -> None:
        mine = wrote(invoice_key(placed(), shipped()), InvoiceType="Sale Order")
        for changed, status, left in (
            (BEFORE, "I", {}),
            (AFTER, "I", {"MUG-01": 2}),
            (BEFORE, "O", {"MUG-01": 2}),
        ):
            theirs = saasu_invoice("71", "N1", "33.00", status=status, changed=changed)
            assert gone(placed(shipped(), known=[mine], invoices=(theirs,))) == left

    def test_an_invoice_that_was_deleted_in_the_file(self) -> None:
        mine = wrote(invoice_key(placed(), shipped()))
        assert gone(placed(shipped(), known=[mine], deleted=frozenset({("Sale", "71")}))) == {"MUG-01": 2}

    @pytest.mark.parametrize("basis", list(QuantityBasis))
    @pytest.mark.parametrize("other", [{"status": "Q"}, {"total": Decimal("12.00")}])
    def test_an_order_whose_number_a_quote_or_another_sale_has(
        self, basis: QuantityBasis, other: dict[str, Any]
    ) -> None:
        """It waits as `number-taken`, and its goods were offered again for as long as it did."""
        theirs = replace(saasu_invoice("9", "N1", "33.00", changed=BEFORE), **other)
        ctx = placed(shipped(), basis=basis, invoices=(theirs,))
        assert decide(ctx, shipped()).rows[0].reason.code == "number-taken"
        assert gone(ctx) == {"MUG-01": 2}

    def test_what_an_edit_added_until_it_is_in_the_file(self) -> None:
        ctx, more = placed(), shipped(quantity="5")
        mine = wrote(invoice_key(ctx, more))
        assert gone(placed(more, known=[mine])) == {"MUG-01": 3}
        for at, left in ((BEFORE, {}), (AFTER, {"MUG-01": 3})):
            change = wrote(
                update_key(ctx, more, 0, 1), at, LineItems=[{"InventoryId": "301455", "Quantity": 5}]
            )
            assert gone(placed(more, known=[mine, change])) == left

    def test_an_invoice_by_account_takes_no_goods_from_the_file(self) -> None:
        """One unknown SKU, and all goods of the order were back on sale with the first reading after it was written."""
        by_account: Json = [{"AccountId": "9040", "TotalAmount": "33.00"}]
        mine = wrote(invoice_key(placed(), shipped()), LineItems=by_account)
        assert gone(placed(shipped(), known=[mine])) == {"MUG-01": 2}
        old = shipped(changed=READ_AT - timedelta(days=31))
        assert gone(placed(old, known=[mine])) == {}

    def test_shipping_on_the_invoice_is_no_goods_under_another_code(self) -> None:
        more: Json = [{"InventoryId": "301455", "Quantity": 2}, {"InventoryId": "7", "Quantity": 1}]
        ctx = placed(shipped(quantity="5"), known=[wrote(invoice_key(placed(), shipped()), LineItems=more)])
        post = item("SHIPPING", "7", inventoried=False)
        assert gone(with_items(ctx, item(), post)) == {"MUG-01": 3}

    def test_the_parts_of_a_kit(self) -> None:
        kit = line("KIT", "2", components=(Component("MUG-01", Decimal(1)), Component("CUP-1", Decimal(3))))
        ctx = placed(shipped(lines=[kit]))
        assert gone(ctx) == {"MUG-01": 2, "CUP-1": 6}
        whole = ProductsToSaasu.model_validate({"kits": "not_inventoried"})
        ctx = replace(ctx, settings=ctx.settings.model_copy(update={"products_to_saasu": whole}))
        assert gone(ctx) == {"KIT": 2}, "the file does not know of its parts"

    def test_several_orders_are_added_up_and_named(self) -> None:
        ctx = placed(shipped("N1"), shipped("N2", "3"), there=99)
        (row,) = [one for one in rows(ctx) if one.effect is not None]
        assert row.effect is not None and '"Quantity":"7"' in row.effect.body
        assert row.reason.code == "stock-differs" and "5 with orders N1, N2" in row.reason.text

    def test_never_below_none(self) -> None:
        (row,) = [one for one in rows(placed(shipped(quantity="40"))) if one.effect is not None]
        assert row.effect is not None and '"Quantity":"0"' in row.effect.body


class TestMended:
    """What the file knows, or cannot come, holds nothing down."""

    def test_what_the_reading_knows(self) -> None:
        mine = wrote(invoice_key(placed(), shipped()))
        ctx = placed(shipped(), known=[mine])
        assert gone(ctx) == {}
        assert [code for code, _ in said(ctx)] == ["stock-differs"], "edited by hand: it is mended"

    def test_goods_that_are_only_reserved_are_not_gone(self) -> None:
        for status in ("New", "On Hold", "Pick", "Cancelled"):
            reserved = shipped(status=status, off_the_shelf=False, cancelled=status == "Cancelled")
            assert gone(placed(reserved)) == {}

    def test_an_order_of_before_the_first_day_or_of_another_program(self) -> None:
        assert gone(placed(shipped(day=TODAY - timedelta(days=400)))) == {}
        theirs = saasu_invoice("9", "N1", "33.00", changed=BEFORE, status="I")
        assert gone(placed(shipped(), invoices=(theirs,))) == {}
        assert gone(placed(shipped(), invoices=(replace(theirs, changed=AFTER),))) == {"MUG-01": 2}

    def test_a_sale_made_an_invoice_after_the_reading_where_the_journal_is_lost(self) -> None:
        """It counted as committed before: left off once more, the store was set too low by a run that should have written nothing."""
        ours = replace(saasu_invoice("9", "N1", "33.00", changed=AFTER, status="I"), created=BEFORE)
        committed, on_hand = QuantityBasis.ON_HAND_LESS_COMMITTED, QuantityBasis.ON_HAND
        assert gone(placed(shipped(), invoices=(ours,), basis=committed)) == {}
        assert gone(placed(shipped(), invoices=(ours,), basis=on_hand)) == {"MUG-01": 2}
        late = replace(ours, created=AFTER)
        assert gone(placed(shipped(), invoices=(late,), basis=committed)) == {"MUG-01": 2}

    def test_goods_whose_item_has_another_code_now(self) -> None:
        """Its code went to a new item, and the product was at 0 until `sold_days` had gone by."""
        sold = shipped(lines=[line(quantity="2"), line("CUP-1", "3")])
        body: Json = [{"InventoryId": "301455", "Quantity": 2}, {"InventoryId": "301456", "Quantity": 3}]
        ctx = placed(sold, known=[wrote(invoice_key(placed(), sold), LineItems=body)])
        old, new = item("MUG-OLD"), item(identity="9")
        assert gone(with_items(ctx, old, new, item("CUP-1", "301456"))) == {}
        more = shipped(lines=[line(quantity="2"), line("CUP-1", "4")], changed=BEFORE + timedelta(minutes=1))
        ctx = replace(ctx, shop=replace(ctx.shop, orders={"N1": more}))
        assert gone(with_items(ctx, old, new, item("CUP-1", "301456"))) == {"CUP-1": 1}, (
            "an edit all the same"
        )

    def test_goods_of_two_items_whose_codes_were_exchanged(self) -> None:
        """The store sells both: it is known only of an order that stayed as it was."""
        mine, edited = wrote(invoice_key(placed(), shipped())), shipped(changed=BEFORE + timedelta(minutes=1))
        for one, left in ((shipped(), {}), (edited, {"MUG-01": 2})):
            ctx = placed(one, known=[mine])
            assert gone(with_items(ctx, item("CUP-1"), item(identity="301456"))) == left

    def test_an_order_that_a_person_said_to_ignore(self) -> None:
        ctx = placed(shipped())
        settled = replace(ctx.journal, ignored=frozenset({invoice_key(ctx, shipped())}))
        assert gone(replace(ctx, journal=settled)) == {}

    @pytest.mark.parametrize(("days", "left"), [(29, {"MUG-01": 2}), (31, {})])
    def test_an_order_that_is_never_exported_counts_for_so_many_days(
        self, days: int, left: dict[str, int]
    ) -> None:
        old = shipped(changed=READ_AT - timedelta(days=days))
        assert gone(placed(old)) == left
        assert gone(placed(old, settings={"sold_days": 0})) == {}

    def test_nothing_can_be_told_where_others_book_the_orders(self) -> None:
        ctx = placed(shipped())
        off = OrdersToSaasu(enabled=False)
        assert gone(replace(ctx, settings=ctx.settings.model_copy(update={"orders_to_saasu": off}))) == {}

    def test_an_invoice_that_sold_more_adds_nothing(self) -> None:
        sold_more: Json = [{"InventoryId": "301455", "Quantity": 5}]
        mine = wrote(invoice_key(placed(), shipped()), LineItems=sold_more)
        assert gone(placed(shipped(), known=[mine])) == {}

    def test_one_that_was_credited_and_posted_anew_counts_as_the_reading_knew_it(self) -> None:
        ctx = placed()
        first, credit = wrote(invoice_key(ctx, shipped())), wrote(credit_key(ctx, shipped()), AFTER)
        anew = wrote(invoice_key(ctx, shipped(), 1), AFTER)
        assert gone(placed(shipped(), known=[first, credit, anew])) == {}
        earlier = wrote(credit_key(ctx, shipped()), BEFORE)
        assert gone(placed(shipped(), known=[first, earlier, anew])) == {"MUG-01": 2}

    def test_before_the_file_s_stock_was_read_nothing_is_known(self) -> None:
        assert gone(placed(shipped(), stock_read_at=None)) == {}


def test_the_plan_is_the_same_before_and_after_the_orders_are_written() -> None:
    """Dagster makes it while the orders' own plans are carried out: it must not be stale for that."""
    ctx = placed(shipped(), there=99)
    mine = wrote(invoice_key(ctx, shipped()), AFTER)
    assert rows(ctx) == rows(placed(shipped(), there=99, known=[mine]))
