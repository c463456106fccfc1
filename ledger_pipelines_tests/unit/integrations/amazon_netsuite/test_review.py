"""What a review of the whole integration found to go wrong, each by a test named for it. Pure values; nothing is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from ledger_pipelines.documents.effects import Action, EffectState
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.bodies import applied, forward, taken
from ledger_pipelines.integrations.amazon_netsuite.books import BookDocument, OurDocument
from ledger_pipelines.integrations.amazon_netsuite.context import Context, Known
from ledger_pipelines.integrations.amazon_netsuite.decide import decide, worklist_key
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision
from ledger_pipelines.integrations.amazon_netsuite.flows import plan_flow
from ledger_pipelines.integrations.amazon_netsuite.readback import AccountSum, ReadBack
from ledger_pipelines.integrations.amazon_netsuite.verify import reconcile, reopened, verified
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import (
    SID,
    body_of,
    books,
    context,
    group,
    invoice,
    sales_order,
    settings,
)

ORDER, REFUND, FEE = TransactionClass.ORDER, TransactionClass.REFUND, TransactionClass.FEE
RESERVE = TransactionClass.RESERVE
ID = "111-0000009-0000009"
NOW = datetime(2026, 9, 18, tzinfo=UTC)
CONFIRMED, HELD, IGNORED = EffectState.CONFIRMED, EffectState.HELD, EffectState.IGNORED


APPLY = settings(refund={"open_invoice": "apply"})


def only(ctx: Context, one: SettlementGroup) -> Decision:
    (decision,) = decide(ctx, [one]).decisions
    return decision


def rows(ctx: Context, flow: str, *groups: SettlementGroup) -> tuple[PlanRow, ...]:
    return plan_flow(ctx, flow, decide(ctx, groups), NOW).rows


def order(amount: str = "50.00", **more: object) -> SettlementGroup:
    return group(ORDER, {"Principal": amount, "Commission": "-5.00"}, order=ID, **more)  # type: ignore[arg-type]


def refund(amount: str = "-50.00") -> SettlementGroup:
    return group(REFUND, {"Principal": amount}, order=ID, adjustment="adj-1")


def known(row: PlanRow, state: EffectState = CONFIRMED, remote_id: str = "9001", **more: object) -> Known:
    """What the journal knows of a planned effect in a state, as the service tells it."""
    effect = row.effect
    assert effect is not None, row
    amount = None if effect.expected.amount is None else effect.expected.amount.amount
    return Known(
        effect.key, state, remote_id if state is CONFIRMED else "", amount=amount, applied=applied(effect),
        forward=forward(effect), taken=taken(effect), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def sums(row: PlanRow) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in body_of(row)["line"]["items"]:  # type: ignore[index]
        amount = line.get("debit", ZERO) - line.get("credit", ZERO)
        found[line["account"]["id"]] = found.get(line["account"]["id"], ZERO) + amount
    return found


def journal(ctx: Context, *groups: SettlementGroup) -> dict[str, Decimal]:
    (row,) = rows(ctx, "settlement_journal", *groups)
    assert row.effect is not None, row.reason
    return sums(row)


# --- refunds ---------------------------------------------------------------------------------------------------------


def test_a_refund_credited_in_full_to_its_open_invoice_is_booked_and_the_journal_goes() -> None:
    back = refund()
    (memo,) = rows(context([back], books(invoice(ID, "100.00")), with_settings=APPLY), "refunds", back)
    ctx = context(
        [back], books(invoice(ID, "100.00", unpaid="50.00")), known=[known(memo)], with_settings=APPLY
    )
    assert only(ctx, back).state is GroupState.BOOKED
    (row,) = rows(ctx, "settlement_journal", back)
    assert row.action is Action.CREATE


def test_a_refund_that_was_smaller_than_its_memo_is_not_told_as_changed() -> None:
    back = refund()
    memo, small = rows(
        context([back], books(invoice(ID, "100.00", unpaid="30.00")), with_settings=APPLY), "refunds", back
    )
    ctx = context(
        [back],
        books(invoice(ID, "100.00", unpaid="0")),
        known=[known(memo), known(small)],
        with_settings=APPLY,
    )
    assert [d.amount for d in only(ctx, back).documents] == [Decimal("50.00"), Decimal("20.00")]


@pytest.mark.parametrize(("state", "told"), [(HELD, GroupState.ERROR), (IGNORED, GroupState.IGNORED)])
def test_a_refund_whose_memo_is_held_or_ignored_is_not_matched(state: EffectState, told: GroupState) -> None:
    back = refund()
    in_books = books(invoice(ID, "50.00", unpaid="0"))
    memo, _ = rows(context([back], in_books), "refunds", back)
    decision = only(context([back], in_books, known=[known(memo, state)]), back)
    assert decision.state is told
    assert all(d.effect is None for d in decision.documents)


def test_a_memo_that_was_applied_to_its_invoice_is_not_refunded_as_well() -> None:
    back = refund()
    (memo,) = rows(context([back], books(invoice(ID, "100.00")), with_settings=APPLY), "refunds", back)
    paid = order("50.00")
    ctx = context(
        [paid, back], books(invoice(ID, "100.00", unpaid="50.00")), known=[known(memo)], with_settings=APPLY
    )
    assert [d.kind for d in decide(ctx, [paid, back]).decisions[1].documents] == ["creditMemo"]


def test_a_refund_is_not_credited_to_the_invoice_that_this_settlements_stuck_order_is_to_pay() -> None:
    stuck, back = order("99.00"), refund()
    ctx = context([stuck, back], books(invoice(ID, "100.00")), with_settings=APPLY)
    memo, customer_refund = rows(ctx, "refunds", stuck, back)
    assert "apply" not in body_of(memo)
    assert str(customer_refund.amount) == "50.00 USD"


def test_amounts_finer_than_the_currency_are_booked_nowhere() -> None:
    back, fee = refund("-10.005"), group(FEE, {"Storage Fee": "-32.095"})
    ctx = context([back], books(invoice(ID, "50.00", unpaid="0")))
    assert only(ctx, back).reason.code == "unbookable-amount"
    (row,) = rows(context([fee], books()), "settlement_journal", fee)
    assert (row.action, row.reason.code) == (Action.BLOCKED, "unbookable-amount")


# --- payments --------------------------------------------------------------------------------------------------------


def test_a_currency_netsuite_does_not_have_is_a_sentence() -> None:
    paid, back, fee = order(), refund(), group(FEE, {"Storage Fee": "-32.09"})
    in_books = replace(books(invoice(ID, "50.00")), currencies={"EUR": "2"})
    for flow, one in (("payments", paid), ("refunds", back), ("settlement_journal", fee)):
        (row,) = rows(context([one], in_books), flow, one)
        assert (row.action, row.reason.code) == (Action.BLOCKED, "no-currency")


def test_a_sales_order_pending_billing_in_part_is_not_taken_for_a_rejected_invoice() -> None:
    paid = order(channel="MFN")
    ctx = context([paid], books(sales_order(ID, "50.00", status="E")))
    assert only(ctx, paid).reason.code == "invoice-first"
    ctx = context([paid], books(invoice(ID, "50.00", status="E")))
    assert only(ctx, paid).reason.code == "no-order"


def test_an_order_shipped_by_both_is_billed_when_either_channel_is() -> None:
    parts = [order("30.00", shipment="s1", channel="AFN"), order("20.00", shipment="s2", channel="MFN")]
    ctx = context(parts, books(sales_order(ID, "50.00")))
    assert [r.action for r in rows(ctx, "order_invoices", *parts)] == [Action.CREATE]


def test_the_second_shipment_of_an_order_billed_in_part_asks_for_its_invoice() -> None:
    second = order("20.00", shipment="s2", channel="MFN")
    first_invoice = invoice(ID, "30.00", unpaid="0", created_from="701")
    ctx = context([second], books(first_invoice, sales_order(ID, "50.00", status="E")))
    decision = only(ctx, second)
    assert (decision.state, decision.reason.code) == (GroupState.NO_INVOICE, "no-invoice")
    assert "not invoiced" in decision.reason.text


def test_an_order_that_promotions_paid_for_needs_nobody() -> None:
    free = group(ORDER, {"Principal": "10.00", "Promotion": "-10.00", "Commission": "-1.00"}, order=ID)
    ctx = context([free], books(invoice(ID, "0.00")))
    assert only(ctx, free).settled
    assert journal(ctx, free) == {"A-fees": Decimal("1.00"), "A-payable": Decimal("-1.00")}


def test_a_negative_group_of_an_order_does_not_become_a_residue_of_another() -> None:
    parts = [order("60.00", shipment="s1"), group(ORDER, {"Principal": "-10.00"}, order=ID, shipment="s2")]
    decisions = decide(context(parts, books(invoice(ID, "50.00"))), parts).decisions
    assert [d.residue for d in decisions] == [0, 0]
    assert not any(d.documents for d in decisions)


def test_what_was_paid_after_the_books_were_read_is_not_unpaid_any_more() -> None:
    first, second = order("30.00", shipment="s1"), order("20.00", shipment="s2")
    in_books = books(invoice(ID, "50.00"))
    one, _ = rows(context([first, second], in_books), "payments", first, second)
    later = known(one, sent_at=in_books.read_at + timedelta(minutes=1))
    _, rest = decide(context([first, second], in_books, known=[later]), [first, second]).decisions
    assert (rest.state, str(rest.documents[0].amount)) == (GroupState.MATCHED, "20.00")
    before = known(one, sent_at=in_books.read_at - timedelta(minutes=1))
    fresh = books(invoice(ID, "50.00", unpaid="20.00"))
    _, rest = decide(context([first, second], fresh, known=[before]), [first, second]).decisions
    assert rest.state is GroupState.MATCHED


def test_what_another_settlement_paid_is_not_called_a_payment_that_is_not_ours() -> None:
    paid = order()
    decision = only(context([paid], books(invoice(ID, "50.00", unpaid="0"))), paid)
    assert decision.state is GroupState.ALREADY_PAID
    assert "not ours" not in decision.reason.text


# --- cash sales ------------------------------------------------------------------------------------------------------


def cash_sale(total: str, currency: str = "USD") -> BookDocument:
    return invoice(ID, total, record="cashSale", account_id="A-clearing", unpaid="0", currency=currency)


def test_a_cash_sale_is_taken_out_of_clearing_once_however_many_shipments_the_order_has() -> None:
    parts = [order("50.00", shipment="s1"), order("20.00", shipment="s2")]
    ctx = context(parts, books(cash_sale("50.00")))
    assert not any(d.settled for d in decide(ctx, parts).decisions)
    ctx = context(parts, books(cash_sale("70.00")))
    assert journal(ctx, *parts)["A-clearing"] == Decimal("-70.00")


def test_a_cash_sale_before_promotions_is_taken_out_of_clearing_whole() -> None:
    paid = group(ORDER, {"Principal": "60.00", "Promotion": "-6.00"}, order=ID)
    taken = journal(context([paid], books(cash_sale("60.00"))), paid)
    assert (taken["A-clearing"], taken["A-promo"]) == (Decimal("-60.00"), Decimal("6.00"))


def test_a_cash_sale_in_another_currency_is_not_the_one_in_clearing() -> None:
    paid = order()
    assert not only(context([paid], books(cash_sale("50.00", currency="CAD"))), paid).settled


# --- the journal -----------------------------------------------------------------------------------------------------


def test_the_journal_does_not_wait_for_a_payment_that_a_person_ignored() -> None:
    paid, other = order(), group(ORDER, {"Principal": "9.00"}, order="B-1")
    in_books = books(invoice(ID, "50.00"), invoice("B-1", "9.00", internal_id="7"))
    one, two = rows(context([paid, other], in_books), "payments", paid, other)
    ctx = context([paid, other], in_books, known=[known(one), known(two, IGNORED)])
    (row,) = rows(ctx, "settlement_journal", paid, other)
    assert row.effect is not None
    assert row.effect.depends_on == (one.key,)


def test_payments_and_refunds_that_cancel_do_not_push_a_fee_out_of_the_journal() -> None:
    paid, back = order(), refund()
    apart = settings(refund={"netsuite_refund_account": {"USD": "reserve"}})
    taken = journal(context([paid, back], books(invoice(ID, "50.00")), with_settings=apart), paid, back)
    assert taken == {
        "A-fees": Decimal("5.00"),
        "A-clearing": Decimal("-50.00"),
        "A-reserve": Decimal("50.00"),
        "A-payable": Decimal("-5.00"),
    }


@pytest.mark.parametrize("split_first", [True, False])
def test_dividing_the_months_otherwise_books_nothing_twice(split_first: bool) -> None:
    september = order(day=date(2026, 9, 29))
    october = group(FEE, {"Storage Fee": "-8.00"}, day=date(2026, 10, 2))
    both, in_books, paid_on = (september, october), books(invoice(ID, "50.00")), date(2026, 10, 5)
    whole = settings(journal={"split_months": False})
    before, after = (settings(), whole) if split_first else (whole, settings())
    first, *_ = rows(
        context(both, in_books, deposit=paid_on, with_settings=before), "settlement_journal", *both
    )
    ctx = context(both, in_books, deposit=paid_on, with_settings=after, known=[known(first)])
    planned = rows(ctx, "settlement_journal", *both)
    assert all(r.effect is None for r in planned)
    assert "months-divided-otherwise" in {r.reason.code for r in planned}


def test_a_month_that_was_left_over_is_still_written() -> None:
    both = (order(day=date(2026, 9, 29)), group(FEE, {"Storage Fee": "-8.00"}, day=date(2026, 10, 2)))
    in_books, paid_on = books(invoice(ID, "50.00")), date(2026, 10, 5)
    first, _ = rows(context(both, in_books, deposit=paid_on), "settlement_journal", *both)
    ctx = context(both, in_books, deposit=paid_on, known=[known(first)])
    assert [r.action for r in rows(ctx, "settlement_journal", *both)] == [Action.SKIP, Action.CREATE]


def test_what_a_journal_posted_too_early_leaves_in_clearing_is_a_worklist_item() -> None:
    paid = group(ORDER, {"Principal": "60.00", "Promotion": "-6.00"}, order=ID)
    post = settings(journal={"open_groups": "post"})
    (row,) = rows(context([paid], books(), with_settings=post), "settlement_journal", paid)
    found = books(invoice(ID, "60.00"))
    ctx = context([paid], found, with_settings=post, known=[known(row)])
    (after,) = rows(ctx, "settlement_journal", paid)
    assert (after.action, after.reason.code, str(after.amount)) == (
        Action.BLOCKED,
        "journal-differs",
        "6.00 USD",
    )
    ctx = context([paid], found, with_settings=post, known=[known(row)], ignored=[after.key])
    assert [r.action for r in rows(ctx, "settlement_journal", paid)] == [Action.SKIP]


# --- reading back ----------------------------------------------------------------------------------------------------


def test_a_settlement_in_which_nothing_is_to_be_booked_is_reconciled() -> None:
    kept = group(RESERVE, {"Previous Reserve Amount Balance": "20.00", "Current Reserve Amount": "-20.00"})
    ctx = context([kept], books())
    after = ReadBack("netsuite", SID, NOW, (), ())
    assert rows(ctx, "settlement_journal", kept) == ()
    assert reconcile(ctx, verified(ctx, decide(ctx, [kept]).decisions, after), after).clean


def test_a_deleted_journal_of_the_first_month_is_noticed() -> None:
    both = (
        group(FEE, {"Commission": "-8.00"}, day=date(2026, 9, 29)),
        group(FEE, {"Storage Fee": "-2.00"}, day=date(2026, 10, 2)),
    )
    first, second = rows(context(both, books(), deposit=date(2026, 10, 5)), "settlement_journal", *both)
    ctx = context(both, books(), deposit=date(2026, 10, 5), known=[known(first), known(second)])
    assert second.effect is not None
    there = OurDocument("2", "journalEntry", second.effect.external_id, "J2", ZERO, "USD", None)
    bank = AccountSum(
        "journalEntry", "A-payable", "", "", "Amount deposited by Amazon", *[Decimal("-10.00")] * 2
    )
    after = ReadBack("netsuite", SID, NOW, (there,), (bank,))
    seen = verified(ctx, decide(ctx, both).decisions, after)
    assert {d.reason.code for d in seen} == {"journal-gone"}
    assert not reconcile(ctx, seen, after).clean


def test_a_deleted_payment_is_listed_until_a_person_ignores_its_group_and_nothing_refers_to_it() -> None:
    paid = order()
    in_books = books(invoice(ID, "50.00"))
    (row,) = rows(context([paid], in_books), "payments", paid)
    ctx = context([paid], in_books, known=[known(row)])
    after = ReadBack("netsuite", SID, NOW, (), ())
    (gone,) = verified(ctx, decide(ctx, [paid]).decisions, after)
    assert reopened([gone]) == [gone]
    assert gone.documents[0].remote_id == ""
    ctx = context([paid], in_books, known=[known(row)], ignored=[worklist_key(ctx, paid)])
    (left,) = verified(ctx, decide(ctx, [paid]).decisions, after)
    assert (left.state, left.documents[0].remote_id) == (GroupState.IGNORED, "")


def test_clearing_is_told_in_the_settlements_currency_whatever_the_rates_of_the_days_were() -> None:
    paid = order()
    ctx = context([paid], books(invoice(ID, "50.00")))
    sums_of_accounts = (
        AccountSum("", "A-clearing", "", "", "", Decimal("54.00"), Decimal("50.00")),
        AccountSum(
            "journalEntry",
            "A-clearing",
            "",
            "",
            "Total transaction amount",
            Decimal("-53.50"),
            Decimal("-50.00"),
        ),
    )
    after = ReadBack("netsuite", SID, NOW, (), sums_of_accounts)
    assert reconcile(ctx, decide(ctx, [paid]).decisions, after).clearing == 0


def test_a_group_that_was_booked_by_hand_and_ignored_does_not_keep_the_settlement_from_being_reconciled() -> (
    None
):
    paid = order("50.00")
    first = context([paid], books(invoice(ID, "49.00")))
    ctx = context([paid], books(invoice(ID, "49.00")), ignored=[worklist_key(first, paid)])
    decisions = decide(ctx, [paid]).decisions
    after = ReadBack(
        connection="netsuite",
        settlement_id=ctx.sid,
        read_at=datetime(2026, 9, 20, tzinfo=UTC),
        documents=(OurDocument("1", "journalEntry", "x", "JE1", ZERO, "USD", None),),
        accounts=(
            AccountSum("journalEntry", "A-bank", "1", "b", "Amount deposited by Amazon", Decimal("45.00"), Decimal("45.00")),
            AccountSum("journalEntry", "A-clearing", "2", "c", "Total transaction amount", Decimal("-50.00"), Decimal("-50.00")),
        ),
    )  # fmt: skip
    figures = reconcile(ctx, verified(ctx, decisions, after), after)
    assert (figures.by_hand, figures.clearing) == (Decimal("50.00"), ZERO)
