"""Which state each group gets, and what is written for it: celigo-amazon-netsuite.md 8.3 to 8.6."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger_pipelines.documents.dates import Month
from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import SettlementGroup, TransactionClass
from ledger_pipelines.integrations.amazon_netsuite.amounts import BASES, claimed, journaled_kinds
from ledger_pipelines.integrations.amazon_netsuite.books import BookDocument, BookLine, Books
from ledger_pipelines.integrations.amazon_netsuite.context import Context, Known
from ledger_pipelines.integrations.amazon_netsuite.decide import decide, worklist_key
from ledger_pipelines.integrations.amazon_netsuite.decisions import Decision
from ledger_pipelines.integrations.amazon_netsuite.flows import plan_flow
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import (
    body_of,
    books,
    context,
    group,
    invoice,
    sales_order,
    settings,
)

ORDER, REFUND, FEE = TransactionClass.ORDER, TransactionClass.REFUND, TransactionClass.FEE
ID = "111-0000009-0000009"
NOW = datetime(2026, 9, 18, tzinfo=UTC)


def only(ctx: Context, *groups: SettlementGroup) -> Decision:
    (decision,) = decide(ctx, groups).decisions
    return decision


def rows(ctx: Context, flow: str, *groups: SettlementGroup) -> tuple[PlanRow, ...]:
    return plan_flow(ctx, flow, decide(ctx, groups), NOW).rows


def applied(row: PlanRow) -> dict[str, Decimal]:
    items = body_of(row)["apply"]["items"]  # type: ignore[index, call-overload]
    return {str(item["doc"]["id"]): item["amount"] for item in items}


def order(amount: str = "50.00", **more: object) -> SettlementGroup:
    return group(ORDER, {"Principal": amount, "Commission": "-5.00"}, order=ID, **more)  # type: ignore[arg-type]


def refund(amount: str = "-50.00", **more: object) -> SettlementGroup:
    return group(REFUND, {"Principal": amount}, order=ID, adjustment="adj-1", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("document", "state", "code"),
    [
        (None, GroupState.NO_ORDER, "no-order"),
        (invoice(ID, "50.00", unpaid="0.00"), GroupState.ALREADY_PAID, "already-paid"),
        (invoice(ID, "49.99"), GroupState.AMOUNT_DIFFERS, "amount-differs"),
        (invoice(ID, "50.01", lines=()), GroupState.AMOUNT_DIFFERS, "amount-differs"),
        (invoice(ID, "50.00", unpaid="20.00"), GroupState.OVER_PAID, "amount-differs"),
        (invoice(ID, "50.00", currency="CAD"), GroupState.CURRENCY_DIFFERS, "currency-differs"),
        (invoice(ID, "50.00", entity_inactive=True), GroupState.CUSTOMER_INACTIVE, "customer-inactive"),
        (sales_order(ID, "50.00", status="A"), GroupState.NO_INVOICE, "no-invoice"),
        (sales_order(ID, "50.00", status="B"), GroupState.NO_INVOICE, "no-invoice"),
        (invoice(ID, "50.00", status="V"), GroupState.NO_ORDER, "no-order"),
    ],
)
def test_an_order_that_cannot_be_paid_says_why_and_what_to_do(
    document: BookDocument | None, state: GroupState, code: str
) -> None:
    paid = order(channel="MFN")
    ctx = context([paid], books(*([document] if document else [])))
    decision = only(ctx, paid)
    assert (decision.state, decision.reason.code) == (state, code)
    assert decision.reason.remedy
    (row,) = rows(ctx, "payments", paid)
    assert row.action is Action.BLOCKED
    assert row.number == ID
    (journal,) = rows(ctx, "settlement_journal", paid)
    assert journal.reason.code == "groups-open"


def test_order_with_two_invoices_is_one_payment_applied_to_both() -> None:
    paid = order("50.00")
    ctx = context(
        [paid], books(invoice(ID, "20.00", internal_id="501"), invoice(ID, "30.00", internal_id="502"))
    )
    (row,) = rows(ctx, "payments", paid)
    assert applied(row) == {"501": Decimal("20.00"), "502": Decimal("30.00")}


def test_two_shipments_pay_the_invoice_each_of_them_is() -> None:
    first, second = order("30.00", shipment="s1"), order("20.00", shipment="s2")
    ctx = context(
        [first, second],
        books(invoice(ID, "20.00", internal_id="501"), invoice(ID, "30.00", internal_id="502")),
    )
    one, two = rows(ctx, "payments", first, second)
    assert applied(one) == {"502": Decimal("30.00")}
    assert applied(two) == {"501": Decimal("20.00")}


def test_two_shipments_share_one_invoice_and_never_pay_more_than_it_has() -> None:
    first, second = order("30.00", shipment="s1"), order("20.00", shipment="s2")
    ctx = context([first, second], books(invoice(ID, "50.00")))
    assert [applied(r) for r in rows(ctx, "payments", first, second)] == [
        {"501": Decimal("30.00")},
        {"501": Decimal("20.00")},
    ]


def test_a_shipment_pays_its_part_when_its_items_stand_on_the_invoice_at_that_price() -> None:
    lines = (
        BookLine("1", "61", "MUG", Decimal(1), Decimal("30.00"), Decimal("30.00")),
        BookLine("2", "62", "CUP", Decimal(1), Decimal("20.00"), Decimal("20.00")),
    )
    part = order("30.00", sku="MUG")
    ctx = context([part], books(invoice(ID, "50.00", lines=lines)))
    (row,) = rows(ctx, "payments", part)
    assert applied(row) == {"501": Decimal("30.00")}


def test_an_order_paid_and_refunded_by_one_settlement_gets_the_refund_back_in_full() -> None:
    paid, back = order("50.00"), refund("-20.00")
    ctx = context([paid, back], books(invoice(ID, "50.00")))
    memo, customer_refund = rows(ctx, "refunds", paid, back)
    assert "apply" not in body_of(memo)
    assert list(applied(customer_refund).values()) == [Decimal("20.00")]


def test_a_refund_of_an_unpaid_invoice_passes_through_clearing_or_is_credited_to_it_first_as_the_user_chose() -> (
    None
):
    back = refund("-50.00")
    unpaid = books(invoice(ID, "100.00", unpaid="30.00"))
    ctx = context([back], unpaid)
    assert [str(r.amount) for r in rows(ctx, "refunds", back)] == ["50.00 USD", "50.00 USD"]
    ctx = context([back], unpaid, with_settings=settings(refund={"open_invoice": "apply"}))
    memo, customer_refund = rows(ctx, "refunds", back)
    assert applied(memo) == {"501": Decimal("30.00")}
    assert list(applied(customer_refund).values()) == [Decimal("20.00")]


def test_refund_before_its_order_is_invoiced_waits() -> None:
    back = refund()
    ctx = context([back], books(sales_order(ID, "50.00")))
    assert only(ctx, back).state is GroupState.NO_INVOICE


def test_two_partial_refunds_of_one_line_are_two_memos() -> None:
    first = refund("-20.00")
    second = group(REFUND, {"Principal": "-30.00"}, order=ID, adjustment="adj-2")
    ctx = context([first, second], books(invoice(ID, "50.00", unpaid="0")))
    planned = rows(ctx, "refunds", first, second)
    assert [(r.kind, str(r.amount)) for r in planned] == [
        ("creditMemo", "20.00 USD"),
        ("customerRefund", "20.00 USD"),
        ("creditMemo", "30.00 USD"),
        ("customerRefund", "30.00 USD"),
    ]
    assert len({r.key for r in planned}) == 4


def test_credits_of_one_settlement_never_exceed_the_invoice() -> None:
    first = refund("-30.00")
    second = group(REFUND, {"Principal": "-30.00"}, order=ID, adjustment="adj-2")
    ctx = context([first, second], books(invoice(ID, "50.00", unpaid="0")))
    states = [d.state for d in decide(ctx, [first, second]).decisions]
    assert states == [GroupState.MATCHED, GroupState.AMOUNT_DIFFERS]


def test_a_credit_memo_somebody_made_already_is_not_made_again() -> None:
    back = refund("-20.00")
    by_hand = invoice(ID, "20.00", internal_id="901", record="creditMemo", unpaid="0")
    ctx = context([back], books(invoice(ID, "50.00", unpaid="0"), by_hand))
    assert only(ctx, back).state is GroupState.DUPLICATE


def test_tax_only_refund_takes_the_stand_in_item() -> None:
    back = group(REFUND, {"Tax": "-4.00"}, order=ID, adjustment="adj-1")
    ctx = context([back], books(invoice(ID, "54.00", unpaid="0")))
    memo, _ = rows(ctx, "refunds", back)
    (line,) = body_of(memo)["item"]["items"]  # type: ignore[index, call-overload]
    assert line["item"] == {"id": "I-tax-only"}
    assert line["amount"] == Decimal("4.00")


def test_a_restocking_fee_is_a_negative_credit_line() -> None:
    back = group(REFUND, {"Principal": "-50.00", "RestockingFee": "10.00"}, order=ID, adjustment="adj-1")
    ctx = context([back], books(invoice(ID, "50.00", unpaid="0")))
    memo, customer_refund = rows(ctx, "refunds", back)
    amounts = [line["amount"] for line in body_of(memo)["item"]["items"]]  # type: ignore[index, call-overload]
    assert amounts == [Decimal("50.00"), Decimal("-10.00")]
    assert str(customer_refund.amount) == "40.00 USD"


def test_a_restocking_fee_may_go_to_the_journal_instead() -> None:
    back = group(REFUND, {"Principal": "-50.00", "RestockingFee": "10.00"}, order=ID, adjustment="adj-1")
    ctx = context(
        [back],
        books(invoice(ID, "50.00", unpaid="0")),
        with_settings=settings(refund={"restocking_fee": "journal"}),
    )
    assert [str(r.amount) for r in rows(ctx, "refunds", back)] == ["50.00 USD", "50.00 USD"]
    assert journal_sums(ctx, back)["A-fees"] == Decimal("-10.00")


def test_an_item_that_is_nowhere_to_be_found_stops_this_refund_only() -> None:
    lost, fine = (
        refund("-20.00", sku="GONE"),
        group(REFUND, {"Principal": "-5.00"}, order="B-1", adjustment="b"),
    )
    ctx = context(
        [lost, fine],
        books(invoice(ID, "50.00", unpaid="0"), invoice("B-1", "5.00", internal_id="7", unpaid="0")),
    )
    assert [d.state for d in decide(ctx, [lost, fine]).decisions] == [
        GroupState.ITEM_NOT_FOUND,
        GroupState.MATCHED,
    ]


def test_refunded_quantity_is_told_from_the_invoices_rate() -> None:
    lines = (BookLine("1", "61", "MUG", Decimal(3), Decimal("10.00"), Decimal("30.00")),)
    back = refund("-20.00", quantity=None)
    ctx = context([back], books(invoice(ID, "30.00", unpaid="0", lines=lines)))
    (line,) = body_of(rows(ctx, "refunds", back)[0])["item"]["items"]  # type: ignore[index, call-overload]
    assert (line["quantity"], line["rate"], line["amount"]) == (
        Decimal(2),
        Decimal("10.00"),
        Decimal("20.00"),
    )


def test_cash_sale_order_in_the_clearing_account_is_taken_out_by_the_journal() -> None:
    paid = order("50.00")
    sale = invoice(ID, "50.00", record="cashSale", account_id="A-clearing", unpaid="0")
    ctx = context([paid], books(sale))
    decision = only(ctx, paid)
    assert decision.state is GroupState.CASH_SALE
    assert journal_sums(ctx, paid)["A-clearing"] == Decimal("-50.00")


def test_cash_sale_order_elsewhere_is_a_worklist_item() -> None:
    paid = order("50.00")
    ctx = context([paid], books(invoice(ID, "50.00", record="cashSale", account_id="A-bank", unpaid="0")))
    (journal,) = rows(ctx, "settlement_journal", paid)
    assert only(ctx, paid).reason.code == "cash-sale"
    assert journal.action is Action.BLOCKED


def test_mcf_order_without_invoice_has_nothing_to_pay_and_only_its_fee_is_booked() -> None:
    mcf = group(
        ORDER, {"Principal": "0.00", "FBAPerUnitFulfillmentFee": "-6.10"}, order="S01-1234567-1234567"
    )
    ctx = context([mcf], books())
    assert only(ctx, mcf).reason.code == "journal-only"
    assert journal_sums(ctx, mcf) == {"A-fees": Decimal("6.10"), "A-payable": Decimal("-6.10")}


def test_negative_settlement_is_owed_to_amazon() -> None:
    fee = group(FEE, {"Storage Fee": "-32.09"})
    ctx = context([fee], books())
    assert journal_sums(ctx, fee) == {"A-storage": Decimal("32.09"), "A-payable": Decimal("-32.09")}


def test_an_invoice_with_tax_is_paid_with_tax_and_the_withheld_leg_stays_for_the_journal() -> None:
    paid = group(
        ORDER,
        {"Principal": "50.00", "Tax": "4.00", "MarketplaceFacilitatorTax-Principal": "-4.00"},
        order=ID,
    )
    ctx = context(
        [paid],
        books(invoice(ID, "54.00", tax_total=Decimal("4.00"))),
        with_settings=settings(
            journal={"transaction_fee_accounts": {"tax_withheld": "tax", "selling_fees": "fees"}}
        ),
    )
    assert [str(r.amount) for r in rows(ctx, "payments", paid)] == ["54.00 USD"]
    assert journal_sums(ctx, paid) == {
        "A-bank": Decimal("50.00"),
        "A-tax": Decimal("4.00"),
        "A-clearing": Decimal("-54.00"),
    }


def test_an_invoice_before_promotions_leaves_the_promotion_for_the_journal() -> None:
    paid = group(ORDER, {"Principal": "60.00", "Promotion": "-6.00"}, order=ID)
    ctx = context([paid], books(invoice(ID, "60.00")))
    assert [str(r.amount) for r in rows(ctx, "payments", paid)] == ["60.00 USD"]
    assert journal_sums(ctx, paid)["A-promo"] == Decimal("6.00")


def test_a_residue_within_tolerance_is_paid_and_booked_openly() -> None:
    paid = group(ORDER, {"Principal": "50.01"}, order=ID)
    ctx = context(
        [paid],
        books(invoice(ID, "50.00")),
        with_settings=settings(general={"rounding_account": "rounding", "tolerance_per_order": "0.02"}),
    )
    assert [str(r.amount) for r in rows(ctx, "payments", paid)] == ["50.00 USD"]
    sums = journal_sums(ctx, paid)
    assert (sums["A-clearing"], sums["A-rounding"]) == (Decimal("-50.00"), Decimal("-0.01"))


def test_without_a_tolerance_one_cent_is_a_worklist_item() -> None:
    paid = group(ORDER, {"Principal": "50.01"}, order=ID)
    assert only(context([paid], books(invoice(ID, "50.00"))), paid).state is GroupState.AMOUNT_DIFFERS


def test_an_unmapped_kind_blocks_the_journal_by_name_and_nothing_else() -> None:
    paid, odd = order(), group(FEE, {"Brand New Fee": "-1.00"}, known=False)
    ctx = context([paid, odd], books(invoice(ID, "50.00")))
    (journal,) = rows(ctx, "settlement_journal", paid, odd)
    assert (journal.action, journal.reason.code) == (Action.BLOCKED, "unmapped-kinds")
    assert "Brand New Fee" in journal.reason.text
    assert [r.action for r in rows(ctx, "payments", paid, odd)] == [Action.CREATE]


def test_an_unknown_kind_goes_to_suspense_only_when_the_user_says_so() -> None:
    odd = group(FEE, {"Brand New Fee": "-1.00"}, known=False)
    ctx = context([odd], books(), with_settings=settings(journal={"suspense_account": "rounding"}))
    assert journal_sums(ctx, odd)["A-rounding"] == Decimal("1.00")


def test_closed_month_split_carries_the_balance_forward() -> None:
    september, october = (
        order("50.00", day=date(2026, 9, 29)),
        group(FEE, {"Storage Fee": "-8.00"}, day=date(2026, 10, 2)),
    )
    ctx = context([september, october], books(invoice(ID, "50.00")), deposit=date(2026, 10, 5))
    first, second = rows(ctx, "settlement_journal", september, october)
    assert (body_of(first)["tranDate"], body_of(second)["tranDate"]) == ("2026-09-30", "2026-10-05")
    assert line_sums(first) == {
        "A-fees": Decimal("5.00"),
        "A-clearing": Decimal("-50.00"),
        "A-forward": Decimal("45.00"),
    }
    assert line_sums(second) == {
        "A-storage": Decimal("8.00"),
        "A-forward": Decimal("-45.00"),
        "A-bank": Decimal("37.00"),
    }


def test_months_are_those_of_the_books_zone_not_of_utc() -> None:
    late = order("50.00", day=date(2026, 9, 30))
    late = replace(late, posted_first=datetime(2026, 10, 1, 2, tzinfo=UTC))
    ctx = context([late], books(invoice(ID, "50.00")))
    assert body_of(rows(ctx, "payments", late)[0])["tranDate"] == "2026-09-30"


@pytest.mark.parametrize(
    ("policy", "action", "day"), [("hold", Action.BLOCKED, None), ("first_open", Action.CREATE, "2026-10-01")]
)
def test_a_closed_period_is_held_or_moved_as_the_user_chose(
    policy: str, action: Action, day: str | None
) -> None:
    paid = order()
    ctx = context(
        [paid],
        books(invoice(ID, "50.00"), closed=[Month(2026, 9)]),
        with_settings=settings(general={"closed_period": policy}),
    )
    (row,) = rows(ctx, "payments", paid)
    assert row.action is action
    if day is None:
        assert row.state is GroupState.PERIOD_CLOSED
    else:
        assert body_of(row)["tranDate"] == day


def test_a_period_nobody_read_counts_as_closed() -> None:
    paid = order(day=date(2027, 3, 1))
    ctx = context([paid], books(invoice(ID, "50.00")))
    assert rows(ctx, "payments", paid)[0].state is GroupState.PERIOD_CLOSED


def test_an_ignored_group_is_resolved_and_the_journal_no_longer_waits_for_it() -> None:
    paid = order()
    ctx = context([paid], books())
    after = context([paid], books(), ignored=[worklist_key(ctx, paid)])
    assert only(after, paid).state is GroupState.IGNORED
    assert [r.action for r in rows(after, "settlement_journal", paid)] == [Action.CREATE]


def test_an_unknown_outcome_is_left_to_the_engine_and_holds_the_journal() -> None:
    paid = order()
    ctx = context([paid], books(invoice(ID, "50.00")))
    (planned,) = rows(ctx, "payments", paid)
    after = context(
        [paid],
        books(invoice(ID, "50.00", unpaid="0.00")),
        known=[Known(planned.key, EffectState.UNKNOWN, amount=Decimal("50.00"))],
    )
    (row,) = rows(after, "payments", paid)
    assert (row.action, row.reason.code) == (Action.SKIP, "outcome-unknown")
    (journal,) = rows(after, "settlement_journal", paid)
    assert journal.effect is not None
    assert planned.key in journal.effect.depends_on


def test_test_mode_takes_only_the_orders_named_marks_them_and_makes_no_journal() -> None:
    paid, other = order(), group(ORDER, {"Principal": "9.00"}, order="B-1")
    ctx = context(
        [paid, other],
        books(invoice(ID, "50.00"), invoice("B-1", "9.00", internal_id="7")),
        with_settings=settings(general={"enable_test_mode": True, "amazon_order_ids": [ID]}),
        mode=Mode.TEST,
    )
    (row,) = rows(ctx, "payments", paid, other)
    assert row.number == ID
    assert str(body_of(row)["memo"]).startswith("[test] ")
    assert [r.reason.code for r in rows(ctx, "settlement_journal", paid, other)] == ["test-mode"]


def test_the_journal_is_not_posted_over_open_groups_unless_the_user_says_so() -> None:
    paid = order()
    ctx = context([paid], books(), with_settings=settings(journal={"open_groups": "post"}))
    assert journal_sums(ctx, paid)["A-clearing"] == Decimal("-50.00")


cents = st.integers(-100_000, 100_000).map(lambda n: str(Decimal(n).scaleb(-2)))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "Principal": cents,
                "Promotion": cents,
                "Tax": cents,
                "Shipping": cents,
                "Commission": cents,
                "Odd": cents,
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_claimed_and_journaled_are_the_net_under_every_basis(parts: list[dict[str, str]]) -> None:
    for amounts in parts:
        one = group(ORDER, amounts, order=ID)
        for basis in BASES:
            rest = sum((k.amount for k in journaled_kinds(one, basis)), ZERO)
            assert claimed(one, basis) + rest == one.amounts.net


@given(st.lists(st.tuples(st.integers(1, 90_000), st.integers(0, 3000)), min_size=1, max_size=8))
def test_the_journal_balances_and_the_deposit_is_the_files_whatever_the_orders(
    orders: list[tuple[int, int]],
) -> None:
    groups = [
        group(
            ORDER,
            {"Principal": cent(p), "Commission": cent(-f)},
            order=f"O-{n}",
            day=date(2026, 9, 1 + 4 * (n % 8)),
        )
        for n, (p, f) in enumerate(orders)
    ]
    documents = [invoice(f"O-{n}", cent(p), internal_id=str(100 + n)) for n, (p, _) in enumerate(orders)]
    ctx = context(groups, books(*documents), deposit=date(2026, 10, 3))
    journals = rows(ctx, "settlement_journal", *groups)
    sums: dict[str, Decimal] = {}
    for row in journals:
        assert sum(line_sums(row).values(), ZERO) == 0
        for account, amount in line_sums(row).items():
            sums[account] = sums.get(account, ZERO) + amount
    total = ctx.settlement.total.amount
    assert sums.get("A-bank", ZERO) + sums.get("A-payable", ZERO) == total
    assert sums.get("A-forward", ZERO) == 0
    paid = sum((r.amount.amount for r in rows(ctx, "payments", *groups) if r.amount), ZERO)
    assert sums["A-clearing"] == -paid


def cent(count: int) -> str:
    return str(Decimal(count).scaleb(-2))


def line_sums(row: PlanRow) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for line in body_of(row)["line"]["items"]:  # type: ignore[index, call-overload]
        amount = line.get("debit", ZERO) - line.get("credit", ZERO)
        sums[line["account"]["id"]] = sums.get(line["account"]["id"], ZERO) + amount
    return sums


def journal_sums(ctx: Context, *groups: SettlementGroup) -> dict[str, Decimal]:
    (row,) = rows(ctx, "settlement_journal", *groups)
    assert row.effect is not None, row.reason
    return line_sums(row)


def test_books_survive_their_text_form() -> None:
    from ledger_pipelines.integrations.amazon_netsuite.books import decode_books  # noqa: PLC0415

    whole: Books = books(invoice(ID, "50.00"), sales_order("B-1", "9.00"))
    assert decode_books(whole.encode()) == whole
    assert decode_books(whole.encode()).content_digest() == whole.content_digest()


def test_a_refund_of_marketplace_tax_only_has_nothing_to_give_back() -> None:
    back = group(
        REFUND, {"Tax": "-4.00", "MarketplaceFacilitatorTax-Principal": "4.00"}, order=ID, adjustment="a"
    )
    ctx = context([back], books(invoice(ID, "50.00", unpaid="0")))
    assert only(ctx, back).reason.code == "journal-only"


def test_payments_switched_off_hold_the_journal_visibly() -> None:
    paid = order()
    ctx = context([paid], books(invoice(ID, "50.00")), with_settings=settings(payment={"enabled": False}))
    (row,) = rows(ctx, "payments", paid)
    assert (row.action, row.reason.code) == (Action.BLOCKED, "payments-off")
    (journal,) = rows(ctx, "settlement_journal", paid)
    assert journal.reason.code == "groups-open"


def test_refunds_switched_off_are_matched_and_not_written() -> None:
    back = refund()
    ctx = context(
        [back], books(invoice(ID, "50.00", unpaid="0")), with_settings=settings(refund={"enabled": False})
    )
    (row,) = rows(ctx, "refunds", back)
    assert (row.action, row.reason.code) == (Action.BLOCKED, "refunds-off")


@pytest.mark.parametrize(
    ("choice", "amounts"),
    [
        ({}, ["50.00", "4.00"]),
        ({"split_tax": False}, ["54.00"]),
        ({"tax_mode": "netsuite"}, ["50.00"]),
        ({"tax_mode": "tax_code", "tax_code": "7"}, ["50.00"]),
    ],
)
def test_the_sellers_tax_on_a_refund_is_written_as_the_user_chose(
    choice: dict[str, object], amounts: list[str]
) -> None:
    back = group(REFUND, {"Principal": "-50.00", "Tax": "-4.00"}, order=ID, adjustment="a")
    ctx = context([back], books(invoice(ID, "54.00", unpaid="0")), with_settings=settings(refund=choice))
    memo, _ = rows(ctx, "refunds", back)
    lines = body_of(memo)["item"]["items"]  # type: ignore[index, call-overload]
    assert [str(line["amount"]) for line in lines] == amounts
    assert str(memo.amount) == "54.00 USD"
    assert ("taxCode" in lines[0]) is (choice.get("tax_mode") == "tax_code")
