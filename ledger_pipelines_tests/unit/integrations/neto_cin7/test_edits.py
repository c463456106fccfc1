"""What becomes of an order that somebody changed in Omni by hand: nothing overwritten unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.sales import Address, SalesDocument
from ledger_pipelines.integrations.by_day.context import JournalView, Known
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.orders import decide
from ledger_pipelines.integrations.neto_cin7.references import update_key
from ledger_pipelines.systems.cin7.records import OrderLine
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    BRANCHES,
    PAT,
    WRITTEN_AT,
    body_of,
    booked,
    contact,
    context,
    d,
    effect_of,
    known,
    line,
    omni,
    order,
    settings,
    shop,
)
from ledger_pipelines_tests.unit.integrations.neto_cin7.building_orders import only, there


def edited(lines: int = 0, **other: Any) -> dict[str, Any]:
    """Somebody made the first line five."""
    effect = effect_of(context([order("N1")]), order("N1"))
    held = booked(effect)
    return {"lines": (replace(held.lines[lines], qty=d("5")),), "total": d("82.50")} | other


def test_an_edit_in_omni_alone_overwrites_nothing_and_is_said() -> None:
    one = order("N1")
    (row,) = decide(there(one, one, account=edited()), one).rows
    assert (row.action.value, row.reason.code) == ("skip", "already-there")
    assert "5 x MUG-01" in row.reason.text


def test_a_line_that_somebody_took_out() -> None:
    one = order("N1")
    held = booked(effect_of(context([one]), one))
    account = {"lines": (replace(held.lines[0], qty=d("0")),), "total": d("0")}
    (row,) = decide(there(one, one, account=account), one).rows
    assert "'1 x MUG-01 at 16.50' is gone there" in row.reason.text


def test_both_sides_changed_the_same_part() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = there(before, after, account=edited())
    decision = decide(ctx, after)
    (row,) = decision.rows
    assert (row.action.value, row.reason.code, decision.waits) == ("blocked", "edited-in-omni", True)
    for value in ("2 x MUG-01", "5 x MUG-01", "82.50 AUD"):
        assert value in row.reason.text


def test_who_ignores_a_row_ignores_what_it_showed_and_no_later_change() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = there(before, after, account=edited())
    (row,) = decide(ctx, after).rows
    ignoring = replace(ctx, journal=replace(ctx.journal, ignored=frozenset({row.key})))
    decision = decide(ignoring, after)
    assert (decision.rows[0].action.value, decision.rows[0].reason.code) == ("skip", "ignored-by-user")
    later_ = order("N1", line(quantity="3"))
    (row,) = decide(replace(ignoring, shop=shop([later_])), later_).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")


def test_a_refused_change_that_was_ignored_hides_none_that_comes_later() -> None:
    """Keys of changes that were sent stay theirs; the next one has the next key."""
    before = order("N1")
    first, second = order("N1", line(quantity="2")), order("N1", line(quantity="3"))
    ctx = there(before, first)
    (row,) = decide(ctx, first).rows
    assert row.effect is not None and row.key == update_key(ctx, before, 1)
    refused = known(row.effect, "", state=EffectState.IGNORED)

    def of(one: SalesDocument, *more: Known, omni_has: SalesDocument = before) -> Context:
        knowing = {**ctx.journal.known, **{entry.key: entry for entry in more}}
        account = same(before, omni_has).omni
        return replace(ctx, shop=shop([one]), omni=account, journal=JournalView(knowing))

    assert only(of(first, refused), first) == ("skip", "ignored-by-user")
    (row,) = decide(of(second, refused), second).rows
    assert (row.action.value, row.key) == ("update", update_key(ctx, before, 2))
    assert row.effect is not None
    done = known(row.effect)
    assert only(of(second, refused, done, omni_has=second), second) == ("skip", "already-there")
    # The plan that is being carried out does not see its own effect, and comes out the same.
    assert decide(of(second, refused), second).rows[0].content() == row.content()
    # Taken up again after that, the first key is the next change's; what came after it stays known.
    again = replace(refused, state=EffectState.APPROVED)
    assert only(of(second, again, done, omni_has=second), second) == ("skip", "already-there")
    third = order("N1", line(quantity="4"))
    (row,) = decide(of(third, again, done, omni_has=second), third).rows
    assert (row.action.value, row.key) == ("update", update_key(ctx, before, 1))
    assert row.effect is not None
    last = known(row.effect, confirmed_at=WRITTEN_AT.replace(minute=30))
    assert only(of(third, last, done, omni_has=third), third) == ("skip", "already-there")


def same(before: SalesDocument, after: SalesDocument, **other: Any) -> Context:
    """Omni has by hand what the store has: `after`, but for what is told else."""
    shown = booked(effect_of(context([after]), after))
    held = {"lines": shown.lines, "total": shown.total, "freight": shown.freight} | other
    return there(before, after, account=held)


def test_both_sides_changed_the_same_part_to_the_same() -> None:
    """It is written as it is there: so the journal knows what both have, and a later change of the store is one."""
    before, after = order("N1"), order("N1", line(quantity="2"))
    ctx = same(before, after)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "same-in-omni")
    assert [line["qty"] for line in body_of(row.effect)["lineItems"]] == [d("2")]
    assert row.effect is not None and row.effect.expected.amount == after.grand_total
    written_ = known(row.effect)
    now = replace(ctx, journal=JournalView({**ctx.journal.known, written_.key: written_}))
    assert only(now, after) == ("skip", "already-there")
    after = order("N1", line(quantity="3"))
    (row,) = decide(replace(now, shop=shop([after])), after).rows
    assert (row.action.value, row.reason.code) == ("update", "order-changed")


def test_a_line_that_is_new_on_both_sides_is_the_same_line() -> None:
    """Somebody put it in by hand, without our reference: it gets that, and is not put in again."""
    before, after = order("N1"), order("N1", line(), line("TEE-RED-M"))
    shown = booked(effect_of(context([after]), after))
    by_hand = replace(shown.lines[1], integration_ref="", id="777")
    ctx = same(before, after, lines=(shown.lines[0], by_hand))
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "same-in-omni")
    (put,) = body_of(row.effect)["lineItems"]
    assert (put["id"], put["integrationRef"], put["code"]) == (
        777,
        shown.lines[1].integration_ref,
        "TEE-RED-M",
    )
    other = same(before, after, lines=(shown.lines[0], replace(by_hand, qty=d("2"))), total=d("49.50"))
    assert only(other, after) == ("blocked", "edited-in-omni")


def test_a_line_that_is_gone_on_both_sides_is_no_clash() -> None:
    before, after = order("N1", line(), line("TEE-RED-M")), order("N1")
    ctx = same(before, after)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "same-in-omni")
    assert "lineItems" not in body_of(row.effect)
    assert row.effect is not None
    written_ = known(row.effect)
    now = replace(ctx, journal=JournalView({**ctx.journal.known, written_.key: written_}))
    assert only(now, after) == ("skip", "already-there")


def test_omni_wins() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    choices = settings(download_orders={"edited_in_omni": "omni"})
    assert only(there(before, after, account=edited(), choices=choices), after) == ("skip", "kept-as-in-omni")
    both = replace(after, purchase_order="B")
    ctx = there(before, both, account=edited(), choices=choices)
    (row,) = decide(ctx, both).rows
    assert body_of(row.effect) == {"customerOrderNo": "B"}
    assert (row.action.value, row.reason.code) == ("update", "kept-as-in-omni")
    assert "Omni's stays. Written is: customerOrderNo N1 is now B." in row.reason.text
    assert "The store's is written" not in row.reason.text
    moved = replace(after, status="New")
    (row,) = decide(there(before, moved, account=edited(), choices=choices), moved).rows
    assert (row.reason.code, body_of(row.effect)) == ("kept-as-in-omni", {"stage": "New"})
    assert "Written is: stage New." in row.reason.text


NETO = settings(download_orders={"edited_in_omni": "neto"})


def held_with(
    before: SalesDocument, after: SalesDocument, texts: Mapping[str, str], choices: Any = None, **other: Any
) -> Context:
    """Omni has `before` by us with these texts, and what is told else; the store has `after`."""
    effect = effect_of(context([before]), before)
    shown = {name: value for name, value in body_of(effect).items() if isinstance(value, str)}
    held = booked(effect, **other)
    account = omni(orders=(held,), texts={held.id: shown | texts})
    return context([after], account=account, known=(known(effect),), choices=choices)


def test_the_store_wins_where_both_changed_and_nowhere_else() -> None:
    """The warehouse put five in and corrected the city; the store has another street."""
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("9 Dock Rd", "NEWCASTLE", "NSW", "2300", "AU")))
    ctx = held_with(before, after, {"deliveryCity": "STOCKTON"}, NETO, **edited())
    (row,) = decide(ctx, after).rows
    assert row.reason.code == "overwrites-omni"
    assert body_of(row.effect) == {"deliveryAddress1": "9 Dock Rd", "deliveryCity": "NEWCASTLE"}
    assert "STOCKTON" in row.reason.text
    assert "5 x MUG-01" not in row.reason.text


def test_the_store_wins_all_of_the_part_and_what_is_overwritten_is_said() -> None:
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("9 Dock Rd", "NEWCASTLE", "NSW", "2300", "AU")))
    texts = {"deliveryCity": "STOCKTON", "deliveryInstructions": "gate code 4711", "phone": "1"}
    (row,) = decide(held_with(before, after, texts, NETO), after).rows
    assert body_of(row.effect) == {
        "deliveryAddress1": "9 Dock Rd",
        "deliveryCity": "NEWCASTLE",
        "deliveryInstructions": "",
    }
    assert "gate code 4711" in row.reason.text


def test_what_somebody_filled_in_is_not_overwritten_unseen() -> None:
    before, after = order("N1"), order("N1", note="Ring first")
    texts = {"deliveryInstructions": "gate code 4711"}
    (row,) = decide(held_with(before, after, texts), after).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")
    for part in ("Ring first", "gate code 4711"):
        assert part in row.reason.text
    same = {"deliveryInstructions": "Ring first"}
    assert body_of(effect_of(held_with(before, after, same), after)) == {"deliveryInstructions": "Ring first"}
    left = settings(download_orders={"edited_in_omni": "omni"})
    assert only(held_with(before, after, texts, left), after) == ("skip", "kept-as-in-omni")


def test_what_omni_filled_in_of_the_contact_or_the_main_branch_is_no_edit() -> None:
    bare = replace(PAT, company="", phone="")
    before, after = order("N1", party=bare), order("N1", party=replace(bare, company="New", phone="0411"))
    texts = {"company": "Rivers Cycles", "phone": "0400"}

    def of(member: str, company: str) -> Context:
        ctx = held_with(before, after, texts)
        account = replace(
            ctx.omni, contacts=(contact(member, "pat@example.com", company=company),), branches=BRANCHES[:1]
        )
        return replace(ctx, omni=account, settings=settings(branches={"branch": "Main warehouse"}))

    body = body_of(effect_of(of("501", "Rivers Cycles"), after))
    assert (body["company"], body["phone"], body.get("branchId")) == ("New", "0411", 3)
    assert only(of("501", "Another"), after) == ("blocked", "edited-in-omni")


def test_another_branch_chosen_in_omni_is_not_overwritten_unseen() -> None:
    before = order("N1")
    first = effect_of(context([before]), before)
    other = order("N0")
    made = known(replace(effect_of(context([other]), other), key="OTHER"), "7")
    ctx = held_with(before, before, {}, settings(branches={"branch": "Main warehouse"}), branch_id="4")
    account = replace(ctx.omni, orders={"7": booked(first, "7"), **ctx.omni.orders})
    journal = replace(ctx.journal, known={made.key: made, **ctx.journal.known})
    ctx = replace(ctx, omni=account, journal=journal)
    (row,) = decide(ctx, before).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")
    assert "branchId was written as empty and is 4" in row.reason.text


def test_a_tax_rate_that_somebody_changed() -> None:
    before = order("N1")
    (row,) = decide(there(before, before, account={"tax_rate": d("15")}), before).rows
    assert (row.action.value, row.reason.code) == ("skip", "already-there")
    assert "taxRate was written as 10 and is 15" in row.reason.text


def test_the_store_wins_and_all_amounts_are_as_it_has_them() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    held = edited()
    put_in = OrderLine("950", "EXTRA", "Extra", d("1"), d("0"), d("1"), d("0"), "", "", "", 9)
    held |= {"lines": (*held["lines"], put_in), "freight": d("3")}
    choices = settings(download_orders={"edited_in_omni": "neto"})
    ctx = there(before, after, account=held, choices=choices)
    (row,) = decide(ctx, after).rows
    assert (row.action.value, row.reason.code) == ("update", "overwrites-omni")
    body = body_of(row.effect)
    first, second = body["lineItems"]  # type: ignore[misc, union-attr]
    assert (first["id"], first["qty"]) == (900, 2)  # type: ignore[call-overload, index]
    assert second == {"id": 950, "qty": 0, "integrationRef": ""}
    assert body["freightTotal"] == 0


def test_different_parts_do_not_clash() -> None:
    before = order("N1")
    after = replace(before, purchase_order="B")
    assert body_of(effect_of(there(before, after, account=edited()), after)) == {"customerOrderNo": "B"}


def test_texts_changed_by_both() -> None:
    before = order("N1")
    after = order("N1", party=replace(PAT, shipping=Address("4 Hill St", "NEWCASTLE", "NSW", "2300", "AU")))
    effect = effect_of(context([before]), before)
    account = omni(orders=(booked(effect),), texts={"88123": {"deliveryAddress1": "Back door"}})
    (row,) = decide(context([after], account=account, known=(known(effect),)), after).rows
    assert (row.action.value, row.reason.code) == ("blocked", "edited-in-omni")
    assert "Back door" in row.reason.text
    assert "4 Hill St" in row.reason.text


def test_a_foreign_orders_converted_amounts_are_no_edit() -> None:
    before = order("N1", line(tax="0.00", unit="230.00"), currency="USD")
    effect = effect_of(context([before]), before)
    held = booked(effect, currency_rate=d("55.8438"), total=d("4.1186"))
    converted = tuple(replace(one, unit_price=d("4.1186")) for one in held.lines)
    account = omni(orders=(replace(held, lines=converted),))
    (row,) = decide(context([before], account=account, known=(known(effect),)), before).rows
    assert (row.reason.code, "edited" in row.reason.text) == ("already-there", False)


def test_a_line_that_lost_its_reference() -> None:
    before, after = order("N1"), order("N1", line(quantity="2"))
    effect = effect_of(context([before]), before)
    held = booked(effect)
    account = {"lines": (replace(held.lines[0], integration_ref=""),)}
    assert only(there(before, after, account=account), after) == ("blocked", "edited-in-omni")
