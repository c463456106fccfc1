"""Whose invoice it is, and which contacts are made: never twice, never of a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, Effect, EffectState
from ledger_pipelines.documents.sales import Address, Party, SalesDocument
from ledger_pipelines.integrations.buyers import buyer_of
from ledger_pipelines.integrations.countries import country_name
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.contacts import company_key, contact_key, resolve, rows
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import (
    HOME,
    PAT,
    body_of,
    books,
    company,
    context,
    known,
    order,
    saasu_contact,
    saasu_invoice,
    settings,
    shop,
)

EMPTY = books(contacts=())
NOREG = Party("noreg", "Sam", "Lee", email="sam@example.com", billing=HOME)


def key_of(ctx: Context, one: SalesDocument) -> str:
    return contact_key(ctx, buyer_of(ctx.shop, one))


def effect_of(row: PlanRow) -> Effect:
    assert row.effect is not None
    return row.effect


def made(ctx: Context, one: SalesDocument) -> Effect:
    """The effect that makes the order's contact."""
    return effect_of(rows(ctx, [one])[-1])


def test_the_contact_id_is_the_user_name_without_regard_to_case() -> None:
    one = order("N1", party=replace(PAT, key="Pat_Rivers"))
    found = resolve(context([one]), one)
    assert (found.value, found.key, found.reason) == ("501", "", None)


def test_an_unknown_customer_is_linked_and_made_from_the_stores_record() -> None:
    one = order("N1", party=replace(PAT, phone="on the order", billing=Address("elsewhere")))
    ctx = context([one], file=EMPTY)
    found = resolve(ctx, one)
    assert (found.value, found.key) == ({"$link": key_of(ctx, one)}, key_of(ctx, one))
    (row,) = rows(ctx, [one])
    assert (row.action, row.reason.code, row.kind, row.key) == (
        Action.CREATE,
        "new-contact",
        "contact",
        found.key,
    )
    effect = effect_of(row)
    assert effect.external_id == "pat_rivers"
    assert body_of(effect) == {
        "ContactId": "pat_rivers", "GivenName": "Pat", "FamilyName": "Rivers", "EmailAddress": "pat@example.com",
        "PrimaryPhone": "0400 000 111", "IsActive": True, "IsCustomer": True, "IsSupplier": False, "IsPartner": False,
        "IsContractor": False,
        "PostalAddress": {"Street": "8 Dock Rd", "City": "NEWCASTLE", "State": "NSW", "Postcode": "2300", "Country": "Australia"},
        "OtherAddress": {"Street": "8 Dock Rd", "City": "NEWCASTLE", "State": "NSW", "Postcode": "2300", "Country": "Australia"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "state", [EffectState.CONFIRMED, EffectState.UNKNOWN, EffectState.SENT, EffectState.HELD]
)
def test_what_we_made_or_may_have_made_stays_a_link(state: EffectState) -> None:
    """Also when the books show it: the invoice's request must not change with the next reading."""
    one = order("N1")
    ctx = context([one], file=EMPTY)
    effect = made(ctx, one)
    later = context([one], known=[known(effect, state, "501")])
    assert resolve(later, one).value == {"$link": effect.key}
    assert [row.effect for row in rows(later, [one])] == [None]


def test_a_refused_contact_that_a_person_made_by_hand_is_found() -> None:
    one = order("N1")
    effect = made(context([one], file=EMPTY), one)
    assert resolve(context([one], known=[known(effect, EffectState.REFUSED)]), one).value == "501"


def test_our_contact_that_was_deleted_or_put_to_rest_blocks() -> None:
    one = order("N1")
    effect = made(context([one], file=EMPTY), one)
    ours = known(effect, remote_id="700")
    gone = resolve(
        context([one], known=[ours], file=books(contacts=(), deleted=frozenset({("Contact", "700")}))), one
    )
    assert gone.reason is not None
    assert gone.reason.code == "contact-deleted"
    resting = resolve(
        context([one], known=[ours], file=books(contacts=(saasu_contact("700", active=False),))), one
    )
    assert resting.reason is not None
    assert resting.reason.code == "contact-inactive"
    again = books(deleted=frozenset({("Contact", "700")}))
    assert resolve(context([one], known=[ours], file=again), one).value == "501"


def test_the_initial_syncs_pair_goes_before_the_books() -> None:
    one = order("N1")
    ctx = context(
        [one], file=books(contacts=(*books().contacts, saasu_contact("900"))), pairs={"pat_rivers": "900"}
    )
    assert resolve(ctx, one).value == "900"


def test_of_several_contacts_the_lowest_active_id_is_taken_and_said() -> None:
    several = tuple(saasu_contact(id_, "pat_rivers", active=id_ != "88") for id_ in ("1200", "88", "901"))
    one = order("N1")
    found = resolve(context([one], file=books(contacts=several)), one)
    assert found.value == "901"
    assert "2 active contacts" in found.note
    (row,) = rows(context([one], file=books(contacts=several)), [one])
    assert (row.action, row.reason.code) == (Action.SKIP, "known-contact")
    assert "2 active contacts" in row.reason.text


def test_an_inactive_contact_blocks_with_what_to_do() -> None:
    one = order("N1")
    ctx = context([one], file=books(contacts=(saasu_contact("501", "pat_rivers", active=False),)))
    found = resolve(ctx, one)
    assert found.value is None
    assert found.reason is not None
    assert found.reason.code == "contact-inactive"
    (row,) = rows(ctx, [one])
    assert (row.action, row.reason.code) == (Action.BLOCKED, "contact-inactive")
    assert row.reason.remedy


def by_email(family: str) -> Books:
    return books(contacts=(saasu_contact("77", "other", email="PAT@example.com", family=family),))


def test_an_email_alone_is_not_enough() -> None:
    one = order("N1")
    assert resolve(context([one], file=by_email("RIVERS")), one).value == "77"
    assert resolve(context([one], file=by_email("Smith")), one).key != ""
    off = settings(orders_to_saasu={"find_by_email": False})
    assert resolve(context([one], file=by_email("RIVERS"), choices=off), one).key != ""


def test_without_the_export_of_contacts_the_default_is_taken_or_the_order_waits() -> None:
    one = order("N1")
    off = {"customers_to_saasu": {"enabled": False}}
    waits = resolve(context([one], file=EMPTY, choices=settings(**off)), one)
    assert waits.reason is not None
    assert waits.reason.code == "contact-unknown"
    assert "pat_rivers" in waits.reason.text
    web = books(contacts=(saasu_contact("42", "web"),))
    fallback = settings(orders_to_saasu={"default_contact": "web"}, **off)
    found = resolve(context([one], file=web, choices=fallback), one)
    assert (found.value, found.default) == ("42", True)


def test_the_default_contact_for_all_makes_no_contact() -> None:
    one = order("N1")
    choices = settings(orders_to_saasu={"contact": "default", "default_contact": "pat_rivers"})
    assert resolve(context([one], choices=choices), one).value == "501"
    assert rows(context([one], choices=choices), [one]) == []
    lost = settings(orders_to_saasu={"contact": "default", "default_contact": "nobody"})
    reason = resolve(context([one], choices=lost), one).reason
    assert reason is not None
    assert "default_contact" in reason.text


# --- guests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["", "noreg", "NOREG", "someone_without_a_record"])
def test_a_guest_is_one_contact_whatever_order_is_planned(username: str) -> None:
    """Two orders with one e-mail address, spelled in two ways, with two addresses: the earliest one speaks for both."""
    guest = replace(NOREG, key=username)
    first = order("N1", party=guest, day=date(2025, 3, 1))
    second = order(
        "N2", party=replace(guest, email="SAM@example.com", billing=Address("later")), day=date(2025, 3, 2)
    )
    ctx = context([second, first], file=EMPTY)
    alone = [made(ctx, first), made(ctx, second)]
    assert alone[0] == alone[1]
    assert len(rows(ctx, [second, first])) == 1
    body = body_of(alone[0])
    assert (body["ContactId"], body["EmailAddress"]) == ("sam@example.com", "sam@example.com")
    assert "8 Dock Rd" in str(body["PostalAddress"])


def test_a_guests_long_email_is_not_cut_to_a_contact_id() -> None:
    long = f"{'a' * 60}@example.com"
    one = order("N1", party=replace(NOREG, email=long))
    body = body_of(made(context([one], file=EMPTY), one))
    assert str(body["ContactId"]).startswith("guest-")
    assert len(str(body["ContactId"])) <= 50
    assert body["EmailAddress"] == long


def test_a_guest_made_before_a_lost_journal_is_found_by_its_contact_id() -> None:
    one = order("N1", party=NOREG)
    assert (
        resolve(context([one], file=books(contacts=(saasu_contact("60", "Sam@Example.com"),))), one).value
        == "60"
    )


def test_a_buyer_without_account_and_email_is_one_of_this_order() -> None:
    nobody = replace(NOREG, email="")
    first, second = order("N1", party=nobody), order("N2", party=nobody)
    ctx = context([first, second], file=EMPTY)
    assert [row.number for row in rows(ctx, [first, second])] == ["order-N1", "order-N2"]


# --- companies -------------------------------------------------------------------------------------------------------

CYCLES = replace(PAT, company="Rivers Cycles", tax_number="11 222 333 444")


def of_company(
    file: Books = EMPTY, others: tuple[Party, ...] = (), **other: Any
) -> tuple[Context, SalesDocument]:
    one = order("N1", party=CYCLES)
    return context([one], file=file, store=shop([one], (CYCLES, *others)), **other), one


def test_a_company_of_one_customer_goes_in_the_same_call() -> None:
    ctx, one = of_company()
    (row,) = rows(ctx, [one])
    assert row.kind == "contactAggregate"
    body = body_of(row.effect)
    assert body["Company"] == {"Name": "Rivers Cycles", "Abn": "11222333444"}
    assert "CompanyId" not in body
    assert "OtherAddress" not in body


def test_a_company_of_several_customers_is_made_once_and_linked() -> None:
    alex = Party("alex", "Alex", "Rivers", "RIVERS CYCLES", "alex@example.com")
    ctx, one = of_company(others=(alex,))
    other = order("N2", party=alex)
    found = rows(ctx, [one, other])
    assert [row.kind for row in found] == ["company", "contact", "contact"]
    assert found[0].key == company_key(ctx, "rivers cycles")
    assert [body_of(row.effect)["CompanyId"] for row in found[1:]] == [{"$link": found[0].key}] * 2
    assert body_of(rows(ctx, [other])[0].effect) == body_of(found[0].effect)


def test_a_company_of_the_books_is_named_by_its_id() -> None:
    ctx, one = of_company(
        books(contacts=(), companies=(company("9", "RIVERS cycles"), company("8", "Rivers Cycles")))
    )
    (row,) = rows(ctx, [one])
    assert (row.kind, body_of(row.effect)["CompanyId"]) == ("contact", "8")


def test_a_company_we_made_stays_a_link() -> None:
    alex = Party("alex", "Alex", "Rivers", "Rivers Cycles")
    ctx, one = of_company(others=(alex,))
    ours = known(effect_of(rows(ctx, [one])[0]), remote_id="8")
    later, _ = of_company(books(contacts=(), companies=(company("8", "Rivers Cycles"),)), known=[ours])
    (row,) = rows(later, [one])
    assert body_of(row.effect)["CompanyId"] == {"$link": ours.key}


def test_companies_are_left_out_where_that_is_chosen() -> None:
    ctx, one = of_company(choices=settings(customers_to_saasu={"company": False}))
    (row,) = rows(ctx, [one])
    assert row.kind == "contact"
    assert "Company" not in body_of(row.effect)


# --- what does not fit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"family": "x" * 51}, {"given": "x" * 51}, {"company": "x" * 76}, {"email": "x" * 129}]
)
def test_a_name_that_is_too_long_is_never_cut(change: dict[str, Any]) -> None:
    party = replace(PAT, **change)
    one = order("N1", party=party)
    (row,) = rows(context([one], file=EMPTY, store=shop([one], (party,))), [one])
    assert (row.action, row.reason.code) == (Action.BLOCKED, "contact-too-long")
    assert next(iter(change.values())) in row.reason.text


def test_a_phone_that_is_too_long_is_left_out_and_said() -> None:
    party = replace(PAT, phone="0400 000 111 or 0400 000 222")
    one = order("N1", party=party)
    (row,) = rows(context([one], file=EMPTY, store=shop([one], (party,))), [one])
    assert "PrimaryPhone" not in body_of(row.effect)
    assert party.phone in row.reason.text


def test_a_buyer_without_any_name_blocks() -> None:
    party = Party("x1", email="x@example.com")
    one = order("N1", party=party)
    reason = resolve(context([one], file=EMPTY, store=shop([one], (party,))), one).reason
    assert reason is not None
    assert reason.code == "contact-without-name"


def test_only_buyers_of_exported_orders_become_contacts() -> None:
    quiet = [
        order("N1", status="New"),
        order("N2", cancelled=True),
        order("N3", day=date(2024, 1, 1)),
        order("N4"),
    ]
    file = books(contacts=(), invoices=(saasu_invoice("70", "N4", "16.50"),))
    assert rows(context(quiet, file=file), quiet) == []


def test_countries_have_names_and_unknown_codes_stand_for_themselves() -> None:
    assert [country_name(code) for code in ("AU", "nz", "TR", "", "XX")] == [
        "Australia", "New Zealand", "Turkey", "", "XX",
    ]  # fmt: skip
