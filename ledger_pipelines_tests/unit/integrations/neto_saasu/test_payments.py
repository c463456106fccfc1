"""Payments: what goes onto which invoice, and what a person must see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.money import ZERO, Money
from ledger_pipelines.documents.sales import Payment, SalesDocument
from ledger_pipelines.errors import DataError
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.by_day.stored import Decoded, Record
from ledger_pipelines.integrations.neto_saasu import invoices, payment_family, payments
from ledger_pipelines.integrations.neto_saasu.decisions import Decision
from ledger_pipelines.integrations.neto_saasu.quick import Quick, quick_payment
from ledger_pipelines.integrations.neto_saasu.references import credit_key, invoice_key, payment_key
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
    invoice_known,
    items_of,
    order,
    paid,
    refund,
    returned,
    rma,
)


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> Decisions:
    """Every order is exported, unless a test says otherwise."""
    made = Decisions()
    monkeypatch.setattr(invoices, "decide", made)
    return made


@pytest.fixture(autouse=True)
def _decided(decisions: Decisions) -> None:
    del decisions


def plan(scene: Scene, *only: str) -> list[PlanRow]:
    """The rows of all orders of the scene, or of some."""
    return payments.rows(scene.ctx(), [one for one in scene.orders if not only or one.key in only])


def written(scene: Scene) -> Scene:
    """The scene after its plan was carried out."""
    ctx = scene.ctx()
    rows = payments.rows(ctx, scene.orders)
    return scene.knowing(
        *(confirmed(row.effect, f"8{place:04d}") for place, row in enumerate(rows) if row.effect is not None)
    )


class TestOnePayment:
    """An order and what was paid on it."""

    def test_is_booked_on_the_invoice(self) -> None:
        one = order("N1", "86.90", paid("5501", "86.90"))
        (row,) = plan(Scene((one,)))
        ctx = Scene((one,)).ctx()
        assert body(row) == {
            "TransactionType": "SP", "TransactionDate": "2026-09-01", "PaymentAccountId": "9001",
            "PaymentItems": [{"InvoiceTransactionId": link(invoice_key(ctx, one)), "AmountPaid": Decimal("86.90")}],
            "Reference": "NETO-PAY-5501", "Summary": "order N1, PayPal", "Notes": "Neto payment 5501: 86.90 AUD",
            "ClearedDate": None,
        }  # fmt: skip
        assert row.effect is not None
        assert row.effect.expected.amount == aud("86.90")
        assert needs(row.effect) == (invoice_key(ctx, one),)

    def test_of_late_evening_utc_is_of_the_books_next_day(self) -> None:
        at = datetime(2026, 9, 1, 20, tzinfo=UTC)  # 06:00 of 2 September in Sydney
        (row,) = plan(Scene((order("N1", "10", paid("1", "10", at=at)),)))
        assert body(row)["TransactionDate"] == "2026-09-02"

    def test_is_skipped_when_it_is_there(self) -> None:
        scene = Scene((order("N1", "10", paid("1", "10")),))
        assert coded(plan(written(scene))) == [("skip", "already-there", "10.00")]

    def test_whose_own_record_cannot_be_read_waits_aloud_and_so_does_an_invoice_it_would_go_with(
        self,
    ) -> None:
        """An invoice that looks unpaid is dunned: the rows say so, and the other order goes on."""

        def refuse(_: Record) -> Payment:
            raise DataError("Neto's payment 1: AmountPaid is 'x', not a number.")

        bad, good = order("N1", "10", paid("1", "10")), order("N2", "20", paid("2", "20"))
        ctx = Scene((bad, good)).ctx()
        ctx = replace(ctx, shop=replace(ctx.shop, payments=Decoded({"1": "{}"}, refuse, "payments")))
        rows = {row.number: row for row in payments.rows(ctx, (bad, good))}
        assert (rows["N1"].reason.code, rows["N2"].reason.code) == ("unreadable-record", "payment")
        assert rows["N1"].reason.text.startswith(
            "Payments of order N1 cannot go on: Neto's payment 1: AmountPaid"
        )
        assert "do not ask for that money" in rows["N1"].reason.text

    def test_body_does_not_depend_on_the_day_of_the_plan(self) -> None:
        scene = Scene((order("N1", "10", paid("1", "10")),))
        first, later = plan(scene), plan(replace(scene, day=date(2026, 9, 9)))
        assert [row.content() for row in first] == [row.content() for row in later]

    def test_in_doubt_counts_as_paid_and_is_not_sent_again(self) -> None:
        scene = Scene((order("N1", "10", paid("1", "10"), paid("2", "10", after=1)),))
        first, _ = plan(scene)
        known = confirmed(first.effect, state=EffectState.UNKNOWN, confirmed_at=None)
        assert coded(plan(scene.knowing(known))) == [
            ("skip", "unknown", "10.00"),
            ("blocked", "overpaid", "10.00"),
        ]

    @pytest.mark.parametrize(
        ("amount", "code", "action"),
        [("0", "zero-payment", "skip"), ("-5", "negative-payment", "blocked"), ("1.005", "unbookable-amount", "blocked")],
    )  # fmt: skip
    def test_odd_amounts_are_not_booked(self, amount: str, code: str, action: str) -> None:
        (row,) = plan(Scene((order("N1", "10", paid("1", amount)),)))
        assert (row.action.value, row.reason.code, row.effect) == (action, code, None)

    def test_in_another_currency_than_the_order_waits(self) -> None:
        scene = Scene(
            (order("N1", "10", paid("1", "10")),), full=(paid("1", "10", amount=Money(Decimal(10), "USD")),)
        )
        assert coded(plan(scene)) == [("blocked", "currency-differs", "10.00")]

    def test_in_a_foreign_currency_carries_it(self) -> None:
        dollars = Money(Decimal(10), "USD")
        foreign = order("N1", "10", paid("1", "10", amount=dollars), grand_total=dollars)
        (row,) = payments.rows(Scene((foreign,)).ctx(), [foreign])
        assert body(row)["Currency"] == "USD"
        assert body(row)["AutoPopulateFxRate"] is True

    def test_whose_method_has_no_account_is_named(self) -> None:
        (row,) = plan(Scene((order("N1", "10", paid("1", "10", method="Afterpay")),)))
        assert row.action is Action.BLOCKED
        assert "Afterpay" in row.reason.text

    def test_method_is_mapped_by_the_id_that_only_getpayment_tells(self) -> None:
        scene = Scene(
            (order("N1", "10", paid("1", "10", method="Renamed")),), full=(paid("1", "10", method_id="14"),),
            settings={"payments": {"methods": {"14": "Cheque"}}},
        )  # fmt: skip
        (row,) = plan(scene)
        assert body(row)["PaymentAccountId"] == "9002"

    def test_method_is_mapped_by_the_id_that_the_list_of_methods_tells(self) -> None:
        """An order shows the name alone, and GetPayment is not read in a run."""
        one = order("N1", "10", paid("1", "10", method="PayPal checkout"))
        by_id: dict[str, object] = {"methods": {"14": "Cheque"}}
        scene = Scene((one,), methods={"14": "PayPal Checkout", "3": "Card"}, settings={"payments": by_id})
        (row,) = plan(scene)
        assert body(row)["PaymentAccountId"] == "9002"
        quick = replace(scene, settings={"payments": by_id | {"quick": True}})
        assert quick_payment(quick.ctx(), one, one.grand_total) is not None
        twice = replace(scene, methods={"14": "PayPal Checkout", "15": "PayPal Checkout"})
        assert coded(plan(twice)) == [("blocked", "method-unmapped", "10.00")]

    def test_ignored_by_a_user_takes_nothing(self) -> None:
        scene = Scene((order("N1", "10", paid("1", "10"), paid("2", "10", after=1)),))
        key = payment_key(scene.ctx(), "1")
        assert coded(plan(replace(scene, ignored=frozenset({key})))) == [
            ("skip", "ignored-by-user", "10.00"),
            ("create", "payment", "10.00"),
        ]

    def test_flow_that_is_off_plans_nothing(self) -> None:
        assert (
            plan(Scene((order("N1", "10", paid("1", "10")),), settings={"payments": {"enabled": False}}))
            == []
        )


class TestQuick:
    """The payment inside the invoice's call."""

    SETTINGS = {"payments": {"quick": True}}  # noqa: RUF012

    def test_is_not_booked_again_before_and_after(self) -> None:
        one = order("N1", "86.90", paid("1", "50"), paid("2", "36.90", after=2))
        scene = Scene((one,), settings=self.SETTINGS)
        want = [("skip", "paid-with-invoice", "50.00"), ("create", "payment", "36.90")]
        assert coded(plan(scene)) == want
        later = scene.knowing(invoice_known(scene.ctx(), one, quick=("1", "50")))
        assert coded(plan(later)) == want
        assert [row.content() for row in plan(scene)] == [row.content() for row in plan(later)]

    def test_is_not_for_a_payment_of_which_getpayment_tells_another_currency(self) -> None:
        one = order("N1", "10", paid("1", "10"))
        dollars = paid("1", "10", amount=Money(Decimal(10), "USD"))
        scene = Scene((one,), full=(dollars,), settings=self.SETTINGS)
        assert quick_payment(scene.ctx(), one, one.grand_total) is None
        assert coded(plan(scene)) == [("blocked", "currency-differs", "10.00")]

    def test_above_the_total_leaves_the_rest(self) -> None:
        one = order("N1", "30", paid("1", "50"))
        assert coded(plan(Scene((one,), settings=self.SETTINGS))) == [
            ("create", "payment", "30.00"),
            ("blocked", "overpaid", "20.00"),
        ]

    def test_of_an_adopted_invoice_is_booked_when_the_books_do_not_show_it(self) -> None:
        one = order("N1", "50", paid("1", "50"))
        scene = Scene((one,), settings=self.SETTINGS)
        adopted = invoice_known(scene.ctx(), one, quick=("1", "50"), adopted=True)
        unpaid = replace(scene.knowing(adopted), invoices=(booked("N1", "50", "0"),))
        assert coded(plan(unpaid)) == [("create", "payment", "50.00")]
        shown = replace(scene.knowing(adopted), invoices=(booked("N1", "50", "50"),))
        assert coded(plan(shown)) == [("skip", "paid-with-invoice", "50.00")]

    def test_of_an_adopted_invoice_waits_for_the_next_reading(self) -> None:
        one = order("N1", "50", paid("1", "50"))
        scene = Scene((one,), settings=self.SETTINGS)
        late = invoice_known(
            scene.ctx(), one, quick=("1", "50"), adopted=True, confirmed_at=READ + timedelta(hours=1)
        )
        assert coded(plan(scene.knowing(late))) == [("skip", "paid-with-invoice", "50.00")]

    def test_is_not_for_a_payment_with_a_fee(self) -> None:
        one = order("N1", "50", paid("1", "50"))
        with_fee = {"payments": {"quick": True, "fee_percent": {"PayPal": Decimal("2.6")}}}
        scene = Scene((one,), settings=with_fee)
        assert quick_payment(scene.ctx(), one, one.grand_total) is None
        (row,) = plan(scene)
        assert body(row)["FeeAmount"] == Decimal("1.30")

    def test_changed_in_the_store_afterwards_is_shown(self) -> None:
        one = order("N1", "86.90", paid("1", "60"))
        scene = Scene((one,), settings=self.SETTINGS)
        known = invoice_known(scene.ctx(), one, quick=("1", "50"))
        document = replace(one, payments=(paid("1", "60"),))
        decided = Decision(
            document, (), known.key, link(known.key), None, aud("86.90"), None,
            Quick("1", "NETO-PAY-1", aud("50"), date(2026, 9, 1), "9001"), None,
        )  # fmt: skip
        pytest.MonkeyPatch().setattr(invoices, "decide", lambda _ctx, _order: decided)
        assert coded(plan(scene.knowing(known))) == [
            ("skip", "paid-with-invoice", "50.00"),
            ("blocked", "payment-changed", "10.00"),
        ]


class TestFees:
    """What the gateway keeps."""

    def test_without_a_fee_account_is_said(self) -> None:
        scene = Scene(
            (order("N1", "50", paid("1", "50", method="Direct Deposit")),),
            settings={"payments": {"fee_percent": {"direct deposit": Decimal(1)}}},
        )
        (row,) = plan(scene)
        assert "FeeAmount" not in body(row)
        assert "fee of 0.50 AUD is not booked" in row.reason.text

    def test_is_rounded_half_away(self) -> None:
        scene = Scene(
            (order("N1", "10.10", paid("1", "10.10")),),
            settings={"payments": {"fee_percent": {"PayPal": Decimal("2.5")}}},
        )
        (row,) = plan(scene)
        assert body(row)["FeeAmount"] == Decimal("0.25")  # 0.2525
        scene = replace(scene, orders=(order("N1", "10.20", paid("1", "10.20")),))
        (row,) = plan(scene)
        assert body(row)["FeeAmount"] == Decimal("0.26")  # 0.255


class TestOver:
    """Money above what is owed."""

    JOURNAL = {"payments": {"overpayment": "journal", "overpayment_account": "Deposits Received"}}  # noqa: RUF012

    def test_is_reported_and_the_rest_is_paid(self) -> None:
        scene = Scene((order("N1", "80", paid("1", "100")),))
        assert coded(plan(scene)) == [("create", "payment", "80.00"), ("blocked", "overpaid", "20.00")]
        assert coded(plan(written(scene))) == [
            ("skip", "already-there", "80.00"),
            ("blocked", "overpaid", "20.00"),
        ]

    def test_goes_to_the_liability_account_after_the_payment(self) -> None:
        scene = Scene((order("N1", "80", paid("1", "100")),), settings=self.JOURNAL)
        payment, journal = plan(scene)
        assert body(journal) == {
            "TransactionDate": "2026-09-01", "Summary": "overpaid: order N1, PayPal", "Reference": "NETO-PAY-1-OVER",
            "Notes": "Neto payment 1: 100.00 AUD", "JournalContactId": "771204",
            "Items": [{"Type": "Debit", "AccountId": "9001", "Amount": 20}, {"Type": "Credit", "AccountId": "9201", "Amount": 20}],
        }  # fmt: skip
        assert journal.effect is not None
        assert journal.effect.depends_on == (payment.key,)
        assert coded(plan(written(scene))) == [
            ("skip", "already-there", "80.00"),
            ("skip", "already-there", "20.00"),
        ]

    def test_waits_when_the_account_for_it_is_income(self) -> None:
        returns = {"payments": {"overpayment": "journal", "overpayment_account": "Sales Returns"}}
        _, row = plan(Scene((order("N1", "80", paid("1", "100")),), settings=returns))
        assert (row.action, row.reason.code) == (Action.BLOCKED, "unresolved-setting")
        assert "liability account" in row.reason.text

    def test_of_all_of_it_needs_no_payment(self) -> None:
        scene = Scene((order("N1", "0", paid("1", "15")),), settings=self.JOURNAL)
        (row,) = plan(scene)
        assert (row.kind, row.amount) == ("journal", aud("15"))

    def test_later_payments_give_way(self) -> None:
        early, late = paid("9", "60"), paid("1", "60", after=5)
        assert coded(plan(Scene((order("N1", "100", late, early),)))) == [
            ("create", "payment", "60.00"),
            ("create", "payment", "40.00"),
            ("blocked", "overpaid", "20.00"),
        ]

    def test_waiting_payment_keeps_its_place(self) -> None:
        one = order("N1", "60", paid("1", "60", method="Afterpay"), paid("2", "60", after=1))
        assert coded(plan(Scene((one,)))) == [
            ("blocked", "method-unmapped", "60.00"),
            ("blocked", "overpaid", "60.00"),
        ]


class TestWithoutInvoice:
    """Money on orders that are not exported."""

    def test_of_an_order_that_is_not_exported_waits(self, decisions: Decisions) -> None:
        decisions.others["N1"] = Reason("status-not-exported", "Order N1 is New, which is not exported.")
        assert coded(plan(Scene((order("N1", "10", paid("1", "10")),)))) == [
            ("skip", "order-not-exported", "10.00")
        ]

    def test_of_a_blocked_order_is_seen(self, decisions: Decisions) -> None:
        decisions.others["N1"] = Reason("sku-unknown", "SKU 'X' is no item of Saasu.")
        decisions.blocked.add("N1")
        (row,) = plan(Scene((order("N1", "10", paid("1", "10")),)))
        assert (row.action, row.reason.code) == (Action.BLOCKED, "order-blocked")
        assert "SKU 'X'" in row.reason.text

    def test_of_a_cancelled_order_is_seen_with_what_went_back(self, decisions: Decisions) -> None:
        decisions.others["N1"] = Reason("cancelled", "Order N1 was cancelled before it was exported.")
        back = rma("77", returned("10"), refunds=(refund("31", "10"),))
        scene = Scene((order("N1", "10", paid("1", "10"), cancelled=True),), (back,))
        (row,) = plan(scene)
        assert (row.action, row.reason.code) == (Action.BLOCKED, "cancelled-order-paid")
        assert "10.00 AUD were given back" in row.reason.text

    def test_of_an_order_cancelled_after_its_export_is_seen(self) -> None:
        scene = Scene((order("N1", "10", paid("1", "10"), cancelled=True),))
        assert coded(plan(scene)) == [("blocked", "cancelled-order-paid", "10.00")]

    def test_of_an_old_order_is_seen_when_it_came_after_the_start(self, decisions: Decisions) -> None:
        decisions.others["N1"] = Reason("before-first-day", "Order N1 is old.")
        old = order("N1", "10", paid("1", "10"), day=date(2026, 6, 1))
        assert coded(plan(Scene((old,)))) == [("blocked", "old-order-paid", "10.00")]
        before = replace(old, payments=(paid("1", "10", at=datetime(2026, 6, 2, tzinfo=UTC)),))
        assert coded(plan(Scene((before,)))) == [("skip", "before-first-day", "10.00")]


class TestAgainstTheBooks:
    """What the books say beside the journal."""

    def test_paid_by_hand_waits_with_the_difference(self) -> None:
        one = order("N1", "86.90", paid("1", "50"), paid("2", "36.90", after=1))
        scene = Scene((one,))
        first, _ = plan(scene)
        scene = scene.knowing(invoice_known(scene.ctx(), one), confirmed(first.effect, "8001"))
        (_, row) = plan(replace(scene, invoices=(booked("N1", "86.90", "86.90"),)))
        assert row.reason.code == "paid-by-hand"
        assert "86.90 AUD paid in Saasu, 50.00 AUD of it" in row.reason.text
        assert "36.90 AUD were booked by somebody" in row.reason.text

    def test_read_before_our_last_payment_is_no_evidence(self) -> None:
        one = order("N1", "86.90", paid("1", "50"), paid("2", "36.90", after=1))
        scene = Scene((one,))
        first, _ = plan(scene)
        late = confirmed(first.effect, "8001", at=READ + timedelta(hours=1))
        scene = replace(
            scene.knowing(invoice_known(scene.ctx(), one), late), invoices=(booked("N1", "86.90", "0"),)
        )
        assert coded(plan(scene)) == [("skip", "already-there", "50.00"), ("create", "payment", "36.90")]
        scene = replace(scene, invoices=(booked("N1", "86.90", "50"),))
        assert coded(plan(scene)) == [("skip", "already-there", "50.00"), ("skip", "wait-for-books", "36.90")]

    def test_there_by_its_reference_is_not_booked_again(self) -> None:
        one = order("N1", "86.90", paid("1", "50"), paid("2", "36.90", after=1))
        scene = Scene((one,), payments=(in_books("neto-pay-1", "50"),))
        assert coded(plan(scene)) == [("skip", "already-booked", "50.00"), ("create", "payment", "36.90")]

    def test_deleted_there_is_shown_and_not_made_again(self) -> None:
        scene = Scene((order("N1", "50", paid("1", "50")),))
        (row,) = plan(scene)
        scene = replace(
            scene.knowing(confirmed(row.effect, "8001")), deleted=frozenset({("SalePayment", "8001")})
        )
        assert coded(plan(scene)) == [("blocked", "payment-deleted", "50.00")]

    def test_of_somebody_elses_invoice_that_is_paid_is_left(self, decisions: Decisions) -> None:
        one = order("N1", "86.90", paid("1", "50"), paid("2", "36.90", after=1))
        for shown, want in (
            ("50", [("skip", "paid-already", "50.00"), ("create", "payment", "36.90")]),
            ("86.90", [("skip", "paid-already", "50.00"), ("skip", "paid-already", "36.90")]),
            ("0", [("create", "payment", "50.00"), ("create", "payment", "36.90")]),
            ("20", [("blocked", "paid-by-hand", "50.00"), ("blocked", "paid-by-hand", "36.90")]),
        ):
            theirs = booked("N1", "86.90", shown, id_="4711")
            decisions.others["N1"] = Decision(
                one, (), "", "4711", None, aud("86.90"), None, None, theirs, ours=False
            )
            assert coded(plan(Scene((one,), invoices=(theirs,)))) == want
            if shown == "0":
                assert items_of(plan(Scene((one,), invoices=(theirs,)))[0]) == [("4711", Decimal(50))]

    def test_of_somebody_elses_invoice_overpaid_leaves_the_rest(self, decisions: Decisions) -> None:
        one = order("N1", "80", paid("1", "100"))
        theirs = booked("N1", "80", "80", id_="4711")
        decisions.others["N1"] = Decision(
            one, (), "", "4711", None, aud("80"), None, None, theirs, ours=False
        )
        assert coded(plan(Scene((one,), invoices=(theirs,)))) == [
            ("skip", "paid-already", "80.00"),
            ("blocked", "overpaid", "20.00"),
        ]

    def test_gone_from_the_store_is_shown_and_still_counts(self) -> None:
        before = Scene((order("N1", "50", paid("1", "50")),))
        after = replace(written(before), orders=(order("N1", "50", paid("2", "50", after=1)),))
        assert coded(plan(after)) == [("blocked", "overpaid", "50.00"), ("blocked", "payment-gone", "50.00")]


class TestSplit:
    """Orders split from an order that was paid."""

    def test_part_goes_to_the_child_from_either_plan(self) -> None:
        parent = order("N1", "60", paid("1", "100"))
        child = order("N2", "40", related="N1")
        scene = Scene((parent, child))
        want = [("create", "payment", "60.00"), ("create", "payment-of-split-order", "40.00")]
        assert coded(plan(scene, "N1")) == want
        (row,) = plan(scene, "N2")
        assert row.content() == plan(scene, "N1")[1].content()
        assert items_of(row) == [(link(invoice_key(scene.ctx(), child)), Decimal(40))]
        assert body(row)["Reference"] == "NETO-PAY-1-N2"

    def test_child_that_is_not_exported_yet_is_waited_for(self, decisions: Decisions) -> None:
        scene = Scene((order("N1", "60", paid("1", "100")), order("N2", "40", related="N1")))
        decisions.others["N2"] = Reason("status-not-exported", "Order N2 is a backorder.")
        assert coded(plan(scene)) == [
            ("create", "payment", "60.00"),
            ("skip", "waits-for-split-order", "40.00"),
        ]
        scene = written(scene)
        del decisions.others["N2"]
        assert coded(plan(scene)) == [
            ("skip", "already-there", "60.00"),
            ("create", "payment-of-split-order", "40.00"),
        ]
        assert coded(plan(written(scene))) == [
            ("skip", "already-there", "60.00"),
            ("skip", "already-there", "40.00"),
        ]

    def test_what_a_split_leaves_over_is_in_the_plan_of_the_order_that_decides_it(
        self, decisions: Decisions
    ) -> None:
        """Its parent's day is closed by then: nothing changes on it, and nothing of it waits for a person."""
        waiting = Scene((order("N1", "60", paid("1", "100")), order("N2", "40", related="N1")))
        decisions.others["N2"] = Reason("status-not-exported", "Order N2 is a backorder.")
        assert coded(plan(waiting, "N2")) == [("skip", "waits-for-split-order", "40.00")]
        scene = written(waiting)
        cancelled = order("N2", "40", related="N1", cancelled=True)
        decisions.others["N2"] = Reason("cancelled", "Order N2 was cancelled before it was exported.")
        gone = replace(scene, orders=(scene.orders[0], cancelled))
        assert coded(plan(gone, "N2")) == [("blocked", "overpaid", "40.00")]
        journal = replace(gone, settings=TestOver.JOURNAL)
        assert coded(plan(journal, "N2")) == [("create", "overpaid-to-liability", "40.00")]
        assert coded(plan(written(journal), "N2")) == [("skip", "already-there", "40.00")]
        del decisions.others["N2"]
        smaller = replace(scene, orders=(scene.orders[0], order("N2", "30", related="N1")))
        assert coded(plan(smaller, "N2")) == [
            ("create", "payment-of-split-order", "30.00"),
            ("blocked", "overpaid", "10.00"),
        ]

    def test_after_the_payment_was_booked_in_full_needs_a_person(self, decisions: Decisions) -> None:
        before = Scene((order("N1", "100", paid("1", "100")),))
        ctx = before.ctx()
        scene = written(before).knowing(invoice_known(ctx, before.orders[0]))
        scene = replace(scene, orders=(order("N1", "60", paid("1", "100")), order("N2", "40", related="N1")))
        rows = plan(scene)
        assert coded(rows) == [
            ("skip", "already-there", "100.00"),
            ("blocked", "split-after-payment", "40.00"),
        ]
        assert coded(plan(scene, "N2")) == [("blocked", "split-after-payment", "40.00")]

    def test_journaled_as_too_much_before_the_child_came_needs_a_person(self) -> None:
        before = written(Scene((order("N1", "60", paid("1", "100")),), settings=TestOver.JOURNAL))
        scene = replace(before, orders=(order("N1", "60", paid("1", "100")), order("N2", "30", related="N1")))
        assert coded(plan(scene)) == [
            ("skip", "already-there", "60.00"),
            ("skip", "already-there", "40.00"),
            ("blocked", "split-after-payment", "30.00"),
        ]
        journal = next(one for one in scene.known if one.kind == "journal")
        gone = replace(scene, deleted=frozenset({("Journal", journal.remote_id)}))
        assert coded(plan(gone)) == [
            ("skip", "already-there", "60.00"),
            ("create", "payment-of-split-order", "30.00"),
            ("blocked", "payment-deleted", "10.00"),
        ]

    def test_part_that_a_user_ignores_is_not_reported_as_too_much(self) -> None:
        scene = Scene((order("N1", "60", paid("1", "100")), order("N2", "40", related="N1")))
        key = payment_family.split_key(scene.ctx(), "1", scene.orders[1])
        assert coded(plan(replace(scene, ignored=frozenset({key})))) == [
            ("create", "payment", "60.00"),
            ("skip", "ignored-by-user", "40.00"),
        ]

    def test_childs_own_payment_is_no_excess_twice(self) -> None:
        scene = Scene(
            (order("N1", "60", paid("1", "100")), order("N2", "40", paid("2", "40", after=3), related="N1"))
        )
        assert coded(plan(scene)) == [
            ("create", "payment", "60.00"),
            ("create", "payment-of-split-order", "40.00"),
            ("blocked", "overpaid", "40.00"),
        ]


class TestReposted:
    """An invoice that was credited in full and posted anew."""

    def test_payment_moves_and_the_bank_nets_to_zero(self, decisions: Decisions) -> None:
        before = Scene((order("N1", "100", paid("1", "100")),))
        scene = replace(written(before), orders=(order("N1", "80", paid("1", "100")),))
        decisions.reposted["N1"] = (1, Decimal(80))
        ctx = scene.ctx()
        rows = plan(scene)
        assert coded(rows) == [
            ("create", "payment-moved", "-80.00"),
            ("create", "payment-moved", "80.00"),
            ("skip", "already-there", "100.00"),
        ]
        back, forth = rows[0], rows[1]
        assert items_of(back) == [(link(credit_key(ctx, scene.orders[0])), Decimal(-80))]
        assert items_of(forth) == [(link(invoice_key(ctx, scene.orders[0], 1)), Decimal(80))]
        assert body(back)["PaymentAccountId"] == body(forth)["PaymentAccountId"] == "9001"
        assert (body(back)["Reference"], body(forth)["Reference"]) == ("NETO-PAY-1-C1", "NETO-PAY-1-R1")
        assert forth.effect is not None
        assert back.key in forth.effect.depends_on

    def test_done_once(self, decisions: Decisions) -> None:
        before = Scene((order("N1", "100", paid("1", "100")),))
        scene = replace(
            written(before), orders=(order("N1", "80", paid("1", "100"), paid("2", "5", after=9)),)
        )
        decisions.reposted["N1"] = (1, Decimal(80))
        assert {row.action for row in plan(written(scene))} == {Action.SKIP, Action.BLOCKED}
        assert coded(plan(written(scene)))[-1] == ("blocked", "overpaid", "5.00")

    def test_payment_inside_the_first_invoice_is_not_paid_again(self, decisions: Decisions) -> None:
        one = order("N1", "80", paid("1", "100"))
        scene = Scene((one,), settings=TestQuick.SETTINGS)
        first = invoice_known(scene.ctx(), replace(one, grand_total=aud("100")), quick=("1", "100"))
        decisions.reposted["N1"] = (1, Decimal(80))
        assert coded(plan(scene.knowing(first))) == [
            ("create", "payment-moved", "-80.00"),
            ("create", "payment-moved", "80.00"),
            ("skip", "paid-with-invoice", "100.00"),
        ]

    def test_what_the_books_show_on_the_old_invoice_did_not_count_as_paid_on_a_smaller_new_one(
        self, decisions: Decisions
    ) -> None:
        """An order of 100, paid, became one of 30: the books' list of payments does not tell on which invoice one stands, so the new
        invoice counted as paid, and stayed open."""
        before = Scene((order("N1", "100", paid("1", "100")),))
        scene = replace(
            written(before),
            orders=(order("N1", "30", paid("1", "100")),),
            payments=(in_books("NETO-PAY-1", "100"),),
        )
        decisions.reposted["N1"] = (1, Decimal(30))
        assert coded(plan(scene)) == [
            ("create", "payment-moved", "-30.00"),
            ("create", "payment-moved", "30.00"),
            ("skip", "already-there", "100.00"),
        ]

    @pytest.mark.parametrize("total", ["40", "250"])
    def test_a_payment_that_had_moved_once_was_written_again_when_the_order_was_edited_twice(
        self, decisions: Decisions, total: str
    ) -> None:
        """On the second new invoice it was paid out of the bank's money once more, or refused for good where that one owed less."""
        scene = written(Scene((order("N1", "100", paid("1", "100")),)))
        decisions.reposted["N1"] = (1, Decimal(120))
        once = written(replace(scene, orders=(order("N1", "120", paid("1", "100")),)))
        decisions.reposted["N1"] = (2, Decimal(total))
        twice = replace(once, orders=(order("N1", total, paid("1", "100")),))
        part = min(Decimal(total), Decimal(100))
        rows = plan(twice)
        assert coded(rows) == [
            ("create", "payment-moved", f"-{part}.00"),
            ("create", "payment-moved", f"{part}.00"),
            ("skip", "already-there", "100.00"),
        ]
        assert [body(row)["Reference"] for row in rows[:2]] == ["NETO-PAY-1-R1-C2", "NETO-PAY-1-R1-R2"]
        ctx = twice.ctx()
        assert items_of(rows[0]) == [(link(credit_key(ctx, twice.orders[0], 2)), -part)]
        assert items_of(rows[1]) == [(link(invoice_key(ctx, twice.orders[0], 2)), part)]
        assert {row.action for row in plan(written(twice))} == {Action.SKIP}

    def test_an_order_edited_to_less_between_the_halves_of_a_move_waits_with_the_amount(
        self, decisions: Decisions
    ) -> None:
        scene = written(Scene((order("N1", "100", paid("1", "100")),)))
        decisions.reposted["N1"] = (1, Decimal(80))
        first = replace(scene, orders=(order("N1", "80", paid("1", "100")),))
        back = plan(first)[0].effect
        assert back is not None
        decisions.reposted["N1"] = (2, Decimal(50))
        then = replace(first.knowing(confirmed(back, "9001")), orders=(order("N1", "50", paid("1", "100")),))
        assert coded(plan(then)) == [
            ("skip", "already-there", "-80.00"),
            ("create", "payment-moved", "50.00"),
            ("blocked", "payment-stranded", "30.00"),
            ("skip", "already-there", "100.00"),
        ]


def _family(random: Random) -> tuple[SalesDocument, ...]:
    def some(number: str) -> list[object]:
        count = random.randint(0, 3)
        return [
            paid(
                f"{number[1:]}{place}", Decimal(random.randint(1, 9000)).scaleb(-2), after=random.randint(0, 9),
                method=random.choice(["PayPal", "Direct Deposit"]),
            )
            for place in range(count)
        ]  # fmt: skip

    parent = order("N1", Decimal(random.randint(0, 12000)).scaleb(-2), *some("N1"))  # type: ignore[arg-type]
    child = order("N2", Decimal(random.randint(0, 9000)).scaleb(-2), *some("N2"), related="N1")  # type: ignore[arg-type]
    return (parent, child) if random.random() < 0.5 else (parent,)


@pytest.mark.parametrize("seed", range(120))
def test_nothing_is_allocated_above_what_is_owed_and_nothing_is_lost(seed: int) -> None:
    random = Random(seed)
    settings = TestOver.JOURNAL if random.random() < 0.5 else {}
    scene = Scene(_family(random), settings=settings)
    wanted = {payment.key: payment.amount.amount for one in scene.orders for payment in one.payments}
    for _ in range(3):  # carried out in pieces, some refused, until all is done
        ctx = scene.ctx()
        rows = payments.rows(ctx, scene.orders)
        assert len({row.key for row in rows}) == len(rows)
        for one in scene.orders:
            target = link(invoice_key(ctx, one))
            there = [known.fields()["PaymentItems"] for known in scene.known if known.kind == "payment"]
            on = sum(
                (i["AmountPaid"] for items in there for i in items if i["InvoiceTransactionId"] == target),
                ZERO,
            )  # type: ignore[union-attr,index,misc,call-overload]
            on += sum(
                (part for row in rows if row.effect and row.kind == "payment" for to, part in items_of(row) if to == target),
                ZERO,
            )  # fmt: skip
            assert on <= one.grand_total.amount
        covered = sum((row.amount.amount for row in rows if row.amount is not None), ZERO)
        assert covered == sum(wanted.values(), ZERO)
        luck = [row for row in rows if row.effect is not None and random.random() < 0.7]
        may = {row.key for row in luck} | {known.key for known in scene.known}
        done = [row for row in luck if row.effect is not None and may.issuperset(row.effect.depends_on)]
        scene = scene.knowing(*(confirmed(row.effect, row.key) for row in done))
    taken = [row for row in payments.rows(scene.ctx(), scene.orders) if row.action is Action.CREATE]
    scene = scene.knowing(*(confirmed(row.effect, row.key) for row in taken))
    assert not any(row.effect for row in payments.rows(scene.ctx(), scene.orders))


def test_two_payments_of_one_instant_keep_one_order_whatever_the_list() -> None:
    first, second = paid("10", "60"), paid("9", "60")
    one, other = Scene((order("N1", "100", first, second),)), Scene((order("N1", "100", second, first),))
    assert [row.content() for row in plan(one)] == [row.content() for row in plan(other)]
