"""Returns and refunds: what is credited, what goes back, and what a person must see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import pytest

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.sales import SalesDocument
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.neto_saasu import invoices, refund_payouts, refunds
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.references import credit_key, invoice_key
from ledger_pipelines.sync.links import needs
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines_tests.unit.integrations.neto_saasu.building_money import (
    READ,
    Decisions,
    Scene,
    aud,
    body,
    booked,
    coded,
    confirmed,
    in_books,
    items_of,
    order,
    paid,
    refund,
    returned,
    rma,
)

CREDIT = {"refunds": {"credit_account": "Customer Credit"}}


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> Decisions:
    """Every order is exported, unless a test says otherwise."""
    made = Decisions()
    monkeypatch.setattr(invoices, "decide", made)
    return made


@pytest.fixture(autouse=True)
def _decided(decisions: Decisions) -> None:
    del decisions


def scene(*returns: SalesDocument, total: str = "100", settings: Mapping[str, object] | None = None) -> Scene:
    """An order of 100 with some returns."""
    return Scene((order("N1", total),), returns, settings=settings or {})


def plan(of: Scene) -> list[PlanRow]:
    """The rows of all returns of the scene."""
    return refunds.rows(of.ctx(), list(of.returns))


def written(of: Scene) -> Scene:
    """The scene after its plan was carried out."""
    return of.knowing(
        *(
            confirmed(row.effect, f"8{place:04d}")
            for place, row in enumerate(plan(of))
            if row.effect is not None
        )
    )


def lines(row: PlanRow) -> list[dict[str, object]]:
    """Of a note."""
    found = body(row)["LineItems"]
    assert isinstance(found, list)
    return [dict(one) for one in found if isinstance(one, dict)]


class TestNotes:
    """Closed returns."""

    def test_goods_on_the_shelf_come_back_by_item(self) -> None:
        of = scene(rma("77", returned("33", quantity="2", tax="3", code="GST")))
        (row,) = plan(of)
        sent = body(row)
        assert (sent["InvoiceType"], sent["Layout"], sent["PurchaseOrderNumber"], sent["TransactionDate"]) == (
            "Adjustment Note", "I", "N1-RMA77", "2026-09-05",
        )  # fmt: skip
        assert lines(row) == [
            {"Description": "Mug", "TaxCode": "G1", "InventoryId": "3001", "Quantity": -2, "UnitPrice": Decimal("16.5"), "PercentageDiscount": 0}
        ]  # fmt: skip
        assert row.amount == -aud("33")
        assert row.effect is not None
        assert needs(row.effect) == (invoice_key(of.ctx(), of.orders[0]),)

    def test_goods_not_on_the_shelf_do_not_touch_the_stock(self) -> None:
        (row,) = plan(
            scene(rma("77", returned("33", shelf=False, tax="3"), shipping="5.50", tax=Decimal("3.50")))
        )
        assert body(row)["Layout"] == "S"
        assert lines(row) == [
            {"Description": "1 x Mug", "TaxCode": "G1", "AccountId": "9401", "TotalAmount": Decimal(-33)},
            {"Description": "Shipping given back", "TaxCode": "G1", "AccountId": "9401", "TotalAmount": Decimal("-5.50")},
        ]  # fmt: skip

    def test_what_keeps_no_stock_goes_by_item_all_the_same(self) -> None:
        (row,) = plan(scene(rma("77", returned("11", sku="ENGRAVING", shelf=False, tax="1"))))
        assert [line["InventoryId"] for line in lines(row)] == ["3003"]

    def test_both_kinds_are_two_notes_and_shipping_goes_with_the_items(self) -> None:
        of = scene(
            rma(
                "77",
                returned("33", tax="3"),
                returned("22", sku="TEE", shelf=False, tax="2"),
                shipping="5.50",
                tax=Decimal("5.50"),
            )
        )
        first, second = plan(of)
        assert [line["InventoryId"] for line in lines(first)] == ["3001", "3101"]
        assert (first.amount, second.amount) == (-aud("38.50"), -aud("22"))
        assert body(second)["PurchaseOrderNumber"] == "N1-RMA77S"
        assert first.key != second.key

    def test_charge_alone_goes_by_its_item(self) -> None:
        (row,) = plan(scene(rma("77", shipping="11", tax=Decimal(1))))
        assert (body(row)["Layout"], [line["InventoryId"] for line in lines(row)]) == ("I", ["3101"])

    def test_tax_free_line_of_the_order_stays_tax_free(self) -> None:
        of = scene(rma("77", returned("33")), settings={"orders_to_saasu": {"tax_codes": {"FRE": "G1,G3"}}})
        sold = replace(of.orders[0].lines[0], tax_code="FRE")
        (row,) = plan(replace(of, orders=(replace(of.orders[0], lines=(sold,)),)))
        assert lines(row)[0]["TaxCode"] == "G1,G3"

    def test_that_does_not_foot_waits_with_its_lines(self) -> None:
        for shelf in (True, False):
            (row,) = plan(scene(rma("77", returned("33", shelf=shelf), grand_total=aud("40"))))
            assert (row.action, row.reason.code, row.effect) == (Action.BLOCKED, "does-not-foot", None)
            assert "33.00" in row.reason.text
            assert "7.00" in row.reason.text

    def test_of_an_unknown_sku_goes_by_account(self) -> None:
        (row,) = plan(scene(rma("77", returned("33", sku="GONE"))))
        assert body(row)["Layout"] == "S"

    def test_without_an_account_waits(self) -> None:
        of = scene(rma("77", returned("33", shelf=False)), settings={"refunds": {"account": None}})
        (row,) = plan(of)
        assert (row.action, row.reason.code) == (Action.BLOCKED, "unresolved-setting")

    def test_open_is_not_booked(self) -> None:
        assert coded(plan(scene(rma("77", returned("33"), status="Open")))) == [
            ("skip", "rma-open", "-33.00")
        ]

    def test_flow_that_is_off_plans_nothing(self) -> None:
        assert plan(scene(rma("77", returned("33")), settings={"refunds": {"enabled": False}})) == []

    def test_more_than_the_order_waits(self) -> None:
        of = scene(rma("77", returned("60")), rma("78", returned("60")))
        assert [row.reason.code for row in plan(of)] == ["return", "credit-exceeds-order"]

    def test_is_written_once(self) -> None:
        of = written(scene(rma("77", returned("33")), rma("78", returned("22", shelf=False))))
        assert {row.action for row in plan(of)} == {Action.SKIP}

    def test_there_by_its_reference_is_not_made_again(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33"),)))
        there = booked("N1", "-33", "0", id_="5799", purchase_order="n1-rma77")
        note, back = plan(replace(of, invoices=(there,)))
        assert note.reason.code == "already-booked"
        assert items_of(back) == [("5799", Decimal(-33))]
        paid_back = replace(there, paid=Decimal(-33))
        of = replace(of, invoices=(paid_back,), payments=(in_books("NETO-REFUND-31", "-33"),))
        assert {row.reason.code for row in plan(of)} == {"already-booked"}

    def test_changed_after_it_was_booked_is_shown(self) -> None:
        of = written(scene(rma("77", returned("33"))))
        assert coded(plan(replace(of, returns=(rma("77", returned("30")),)))) == [
            ("skip", "already-there", "-33.00"),
            ("blocked", "rma-changed", "3.00"),
        ]

    def test_deleted_in_saasu_is_shown_and_not_made_again(self) -> None:
        of = written(scene(rma("77", returned("33"))))
        assert coded(plan(replace(of, deleted=frozenset({("Sale", of.known[0].remote_id)})))) == [
            ("blocked", "note-deleted", "-33.00")
        ]

    def test_ignored_by_a_user_leaves_its_refund_in_sight(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33"),)))
        of = replace(of, ignored=frozenset({refunds.note_key(of.ctx(), "77")}))
        assert coded(plan(of)) == [
            ("skip", "ignored-by-user", "-33.00"),
            ("blocked", "return-not-booked", "-33.00"),
        ]


class TestOrders:
    """What became of the order."""

    def test_that_is_not_booked_blocks_the_return_and_its_refund(self, decisions: Decisions) -> None:
        decisions.others["N1"] = Reason("sku-unknown", "SKU 'X' is no item of Saasu.")
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33"),)))
        assert coded(plan(of)) == [
            ("blocked", "order-not-booked", "-33.00"),
            ("blocked", "return-blocked", "-33.00"),
        ]

    def test_that_is_unknown_blocks_the_return_and_its_refund(self) -> None:
        of = replace(scene(rma("77", returned("33"), refunds=(refund("31", "33"),))), orders=())
        assert [row.reason.code for row in plan(of)] == ["order-not-known", "return-blocked"]

    def test_from_before_the_start_is_skipped_but_money_paid_out_since_is_seen(
        self, decisions: Decisions
    ) -> None:
        decisions.others["N1"] = Reason("before-first-day", "Order N1 is old.")
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33"),)))
        of = replace(of, orders=(replace(of.orders[0], day=date(2026, 6, 1)),))
        assert coded(plan(of)) == [
            ("skip", "before-first-day", "-33.00"),
            ("blocked", "old-order-refunded", "-33.00"),
        ]

    def test_of_somebody_elses_invoice_needs_no_effect_of_ours(self, decisions: Decisions) -> None:
        of = scene(rma("77", returned("33")))
        decisions.others["N1"] = Decision(
            of.orders[0], (), "", "4711", None, aud("100"), ours=False, contact="55"
        )
        (row,) = plan(of)
        assert row.effect is not None
        assert needs(row.effect) == ()
        assert body(row)["BillingContactId"] == "55"

    def test_cancelled_and_credited_in_full_is_not_credited_twice(self, decisions: Decisions) -> None:
        of = scene(rma("77", returned("100"), refunds=(refund("31", "100"),)))
        cancelled = replace(of.orders[0], cancelled=True)
        of = replace(of, orders=(cancelled,))
        key = credit_key(of.ctx(), cancelled)
        decisions.others["N1"] = Decision(
            cancelled, (), invoice_key(of.ctx(), cancelled), link("X"), Reason("taken-back", ""), aud("100"),
            credits=(key,),
        )  # fmt: skip
        note, back = plan(of)
        assert note.reason.code == "credited-already"
        assert items_of(back) == [(link(key), Decimal(-100))]


class TestPayouts:
    """Money that went back."""

    def test_is_a_negative_payment_on_the_note(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33", method="Direct Deposit"),)))
        note, back = plan(of)
        assert body(back) == {
            "TransactionType": "SP", "TransactionDate": "2026-09-06", "PaymentAccountId": "9002",
            "PaymentItems": [{"InvoiceTransactionId": link(note.key), "AmountPaid": Decimal(-33)}],
            "Reference": "NETO-REFUND-31", "Summary": "refund, order N1, Direct Deposit", "ClearedDate": None,
        }  # fmt: skip
        assert back.amount == -aud("33")

    def test_over_two_notes_is_one_payment(self) -> None:
        back_ = refund("31", "50")
        of = scene(rma("77", returned("33"), returned("22", sku="TEE", shelf=False), refunds=(back_,)))
        first, second, back = plan(of)
        assert items_of(back) == [(link(first.key), Decimal(-33)), (link(second.key), Decimal(-17))]

    def test_more_than_the_note_is_shown(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "30"), refund("32", "10", after=130))))
        assert coded(plan(of))[1:] == [
            ("create", "refund", "-30.00"),
            ("create", "refund", "-3.00"),
            ("blocked", "refund-exceeds-credit", "-7.00"),
        ]

    def test_comes_later_than_the_note(self) -> None:
        of = written(scene(rma("77", returned("33"))))
        of = replace(of, returns=(rma("77", returned("33"), refunds=(refund("31", "33"),)),))
        assert coded(plan(of)) == [("skip", "already-there", "-33.00"), ("create", "refund", "-33.00")]
        assert {row.reason.code for row in plan(written(of))} == {"already-there"}

    def test_with_the_id_of_a_receipt_is_not_mistaken_for_it(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33", method="Direct Deposit"),)))
        of = replace(of, full=(paid("31", "99", method_id="14"),), settings={"payments": {"methods": {"14": "9001", "direct deposit": "9002"}}})  # fmt: skip
        assert body(plan(of)[1])["PaymentAccountId"] == "9002"

    def test_whose_method_has_no_account_waits_and_keeps_its_credit(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "33", method="Cash"),)), settings=CREDIT)
        assert coded(plan(of))[1:] == [("blocked", "method-unmapped", "-33.00")]

    def test_paid_back_by_hand_waits(self) -> None:
        of = written(scene(rma("77", returned("33"))))
        of = replace(
            of, returns=(rma("77", returned("33"), refunds=(refund("31", "33"),)),),
            invoices=(booked("N1", "-33", "-33", id_="80000"),), read_at=READ,
        )  # fmt: skip
        assert coded(plan(of))[1:] == [("blocked", "paid-by-hand", "-33.00")]

    def test_deleted_in_saasu_is_shown_and_not_made_again(self) -> None:
        of = written(scene(rma("77", returned("33"), refunds=(refund("31", "33"),))))
        assert coded(plan(replace(of, deleted=frozenset({("SalePayment", "80001")}))))[1:] == [
            ("blocked", "payment-deleted", "-33.00")
        ]

    def test_is_of_its_own_day(self) -> None:
        late = replace(refund("31", "33"), at=datetime(2026, 9, 8, 20, tzinfo=UTC))
        assert (
            body(plan(scene(rma("77", returned("33"), refunds=(late,))))[1])["TransactionDate"]
            == "2026-09-09"
        )


class TestCredit:
    """Returns that stay on the customer's account."""

    def test_moves_to_the_clearing_account(self) -> None:
        of = scene(rma("77", returned("33"), refunds=(refund("31", "13"),)), settings=CREDIT)
        _, back, credit = plan(of)
        assert (back.amount, credit.amount) == (-aud("13"), -aud("20"))
        sent = body(credit)
        assert (sent["Reference"], sent["PaymentAccountId"], sent["TransactionDate"]) == (
            "NETO-CREDIT-77",
            "9003",
            "2026-09-05",
        )
        assert {row.reason.code for row in plan(written(of))} == {"already-there"}

    def test_without_the_account_stays_on_the_note(self) -> None:
        assert coded(plan(scene(rma("77", returned("33"))))) == [("create", "return", "-33.00")]

    def test_paid_out_after_it_moved_goes_out_of_the_clearing_account(self) -> None:
        of = written(scene(rma("77", returned("33")), settings=CREDIT))
        of = replace(of, returns=(rma("77", returned("33"), refunds=(refund("31", "30"), refund("32", "5", after=130))),))  # fmt: skip
        rows = plan(of)
        assert coded(rows) == [
            ("skip", "already-there", "-33.00"),
            ("create", "refund-after-credit", "30.00"),
            ("create", "refund-after-credit", "3.00"),
            ("blocked", "refund-exceeds-credit", "-2.00"),
            ("skip", "already-there", "-33.00"),
        ]
        assert body(rows[1])["Items"] == [
            {"Type": "Debit", "AccountId": "9003", "Amount": Decimal(30)},
            {"Type": "Credit", "AccountId": "9001", "Amount": Decimal(30)},
        ]
        assert body(rows[1])["Reference"] == "NETO-REFUND-31"
        again = plan(written(of))
        assert {row.action for row in again} == {Action.SKIP, Action.BLOCKED}
        assert coded(again)[-2] == ("blocked", "refund-exceeds-credit", "-2.00")


@pytest.mark.parametrize("seed", range(120))
def test_nothing_goes_back_above_the_credit_and_nothing_is_lost(seed: int) -> None:
    random = Random(seed)

    def some_refunds(many: int) -> tuple[object, ...]:
        return tuple(
            refund(str(n), str(Decimal(random.randint(1, 4000)).scaleb(-2)), after=random.randint(100, 140)) for n in range(many)
        )  # fmt: skip

    goods = [
        returned(str(Decimal(random.randint(1, 5000)).scaleb(-2)), sku=sku, shelf=random.random() < 0.5)
        for sku in ("MUG", "TEE")
    ]
    of = scene(rma("77", *goods), total="100", settings=CREDIT if random.random() < 0.5 else {})
    whole = of.returns[0].grand_total.amount
    paid_out: tuple[object, ...] = ()
    for _ in range(4):
        paid_out = (*paid_out, *some_refunds(len(paid_out) + random.randint(0, 2))[len(paid_out) :])
        of = replace(of, returns=(replace(of.returns[0], payments=paid_out),))  # type: ignore[arg-type]
        rows = plan(of)
        assert len({row.key for row in rows}) == len(rows)
        luck = [row for row in rows if row.effect is not None and random.random() < 0.7]
        may = {row.key for row in luck} | {known.key for known in of.known}
        of = of.knowing(
            *(
                confirmed(row.effect, f"9{row.key}")
                for row in luck
                if row.effect and may.issuperset(needs(row.effect))
            )
        )
        on_notes = sum((-known.amount.amount for known in of.known if known.kind == "payment" and known.amount), ZERO)  # fmt: skip
        drawn = sum((known.amount.amount for known in of.known if known.kind == "journal" and known.amount), ZERO)  # fmt: skip
        assert on_notes <= whole
        assert drawn <= on_notes
        refunded = [row for row in rows if row.reason.code != "credit" and row.key != refund_payouts.credit_payment_key(of.ctx(), "77")]  # fmt: skip
        seen = sum((abs(row.amount.amount) for row in refunded if row.kind in ("payment", "journal") and row.amount), ZERO)  # fmt: skip
        assert seen == sum((one.amount.amount for one in paid_out), ZERO)  # type: ignore[attr-defined]
