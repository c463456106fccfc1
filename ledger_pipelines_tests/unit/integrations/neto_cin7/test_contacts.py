"""Customer Tracking: whose order it is, one contact an e-mail address, and nothing guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger_pipelines.documents.effects import EffectState
from ledger_pipelines.documents.sales import Address, DocumentKind, Party, SalesDocument
from ledger_pipelines.integrations.buyers import buyer_of
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.neto_cin7.contacts import contact_key, resolve, rows
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    PAT,
    body_of,
    codes,
    contact,
    context,
    known,
    omni,
    order,
    settings,
    shop,
)

SAM = Party("sam", "Sam", "Reid", "Reid Marine", "sam@example.com", "0700")
NOBODY = omni(contacts=())


def key_of(ctx: Context, one: SalesDocument) -> str:
    return contact_key(ctx, buyer_of(ctx.shop, one))


def with_contacts(*contacts: Any, one: SalesDocument | None = None, **other: Any) -> Context:
    one = one or order()
    return context([one], account=omni(contacts=contacts), **other)


def test_the_email_address_goes_first_whatever_its_case() -> None:
    ctx = with_contacts(contact("7", "PAT@Example.com"), contact("8", integration_ref="pat_rivers"))
    assert resolve(ctx, order()).value == 7


def test_then_the_user_name() -> None:
    ctx = with_contacts(contact("8", "other@example.com", integration_ref="Pat_Rivers"))
    assert resolve(ctx, order()).value == 8


def test_else_a_contact_is_made_with_exactly_this_request() -> None:
    away = replace(
        PAT,
        company="Rivers Cycles",
        shipping=Address("4 Hill St", "HOBART", "TAS", "7000", "AU"),
        tax_number="123",
    )
    one = order(party=away)
    ctx = context(
        [one],
        account=NOBODY,
        store=shop([one], customers=(away,)),
        choices=settings(customer_tracking={"price_tier": "Wholesale"}),
    )
    (row,) = rows(ctx, [one])
    assert (row.action.value, row.reason.code) == ("create", "new-contact")
    assert row.effect is not None
    assert row.effect.external_id == "pat@example.com"
    assert body_of(row.effect) == {
        "type": "Customer", "isActive": True, "company": "Rivers Cycles", "firstName": "Pat", "lastName": "Rivers",
        "email": "pat@example.com", "phone": "0400 000 111", "integrationRef": "pat_rivers", "taxNumber": "123",
        "priceColumn": "Wholesale", "address1": "4 Hill St", "city": "HOBART", "state": "TAS", "postCode": "7000",
        "country": "Australia", "postalAddress1": "8 Dock Rd", "postalCity": "NEWCASTLE", "postalState": "NSW",
        "postalPostCode": "2300", "postalCountry": "Australia",
    }  # fmt: skip
    assert resolve(ctx, one).value == link(row.key)


def test_a_customer_without_an_address_has_the_orders() -> None:
    bare = replace(PAT, email="")
    one = order(party=PAT)
    ctx = context([one], store=shop([one], customers=(bare,)))
    assert resolve(ctx, one).value == 501
    new = context([one], account=NOBODY, store=shop([one], customers=(bare,)))
    (row,) = rows(new, [one])
    assert (body_of(row.effect)["email"], resolve(new, one).value) == ("pat@example.com", link(row.key))


def test_one_row_a_buyer_and_none_for_orders_that_are_not_downloaded() -> None:
    two = [order("N1"), order("N2")]
    assert len(rows(context(two, account=NOBODY), two)) == 1
    quote = order("N3", kind=DocumentKind.QUOTE)
    gone = order("N4", cancelled=True, status="Cancelled")
    late = order("N5", status="Strange")
    for other in (quote, gone, late):
        assert rows(context([other], account=NOBODY), [other]) == []


def test_the_contact_is_ours_by_a_link_before_and_after_omni_was_read() -> None:
    one = order()
    before = context([one], account=NOBODY)
    (row,) = rows(before, [one])
    assert row.effect is not None
    done = known(row.effect, remote_id="700")
    for account in (NOBODY, omni(contacts=(contact("700", "pat@example.com"),))):
        after = context([one], account=account, known=(done,))
        assert resolve(after, one).value == link(row.key)
        assert codes(rows(after, [one])) == [("skip", "already-there")]


def test_two_customers_of_the_store_with_one_address_are_one_contact_in_omni() -> None:
    alex, zoe = (
        replace(PAT, key=key, given=key.title(), email="shared@family.example") for key in ("alex", "zoe")
    )
    one, two = order("N1", party=zoe), order("N2", party=alex)
    ctx = context([one, two], account=NOBODY, store=shop([one, two], customers=(alex, zoe)))
    assert key_of(ctx, one) == key_of(ctx, two)
    for some in ([one, two], [two, one]):
        (row,) = rows(ctx, some)
        body = body_of(row.effect)
        assert (body["integrationRef"], body["firstName"]) == ("alex", "Alex")
        assert "alex, zoe share the e-mail address" in row.reason.text


def test_an_address_that_two_contacts_of_omni_have() -> None:
    both = (
        contact("7", "pat@example.com", first_name="Kim", last_name="Rivers"),
        contact("8", "PAT@example.com", first_name="pat", last_name="rivers"),
    )
    found = resolve(with_contacts(*both), order())
    assert found.value == 8
    assert "2 contacts" in found.note
    by_name = (replace(both[0], integration_ref="pat_rivers"), both[1])
    assert resolve(with_contacts(*by_name), order()).value == 7
    alike = (both[1], replace(both[1], id="9"))
    reason = resolve(with_contacts(*alike), order()).reason
    assert reason is not None
    assert reason.code == "email-shared"
    assert "8, 9" in reason.text


def test_inactive_ones_and_suppliers_are_said() -> None:
    for other, code in (
        ({"active": False}, "customer-inactive"),
        ({"kind": "Supplier"}, "customer-is-supplier"),
    ):
        ctx = with_contacts(contact("7", "pat@example.com", **other))
        reason = resolve(ctx, order()).reason
        assert reason is not None
        assert reason.code == code
        assert codes(rows(ctx, [order()])) == [("blocked", code)]
    both = with_contacts(contact("7", "pat@example.com", active=False), contact("8", "pat@example.com"))
    assert resolve(both, order()).value == 8


def test_a_guest_is_made_by_address_or_is_the_default_customer() -> None:
    guest = order("N1", party=replace(PAT, key="", email="guest@example.com"))
    ctx = context([guest], account=NOBODY)
    (row,) = rows(ctx, [guest])
    assert "integrationRef" not in body_of(row.effect)
    house = omni(contacts=(contact("9", "house@example.com"),))
    choices = settings(customer_tracking={"guests": "default", "default_customer": "house@example.com"})
    found = resolve(context([guest], account=house, choices=choices), guest)
    assert (found.value, found.default) == (9, True)
    assert rows(context([guest], account=house, choices=choices), [guest]) == []
    assert resolve(context([order()], account=house, choices=choices), order()).default is False


def test_a_buyer_without_account_and_address() -> None:
    nobody = order("N1", party=replace(PAT, key="", email=""))
    reason = resolve(context([nobody], account=NOBODY), nobody).reason
    assert reason is not None
    assert reason.code == "customer-unknown"
    choices = settings(customer_tracking={"default_customer": "9"})
    assert (
        resolve(context([nobody], account=omni(contacts=(contact("9"),)), choices=choices), nobody).value == 9
    )


def test_none_is_made_where_the_settings_say_so() -> None:
    choices = settings(customer_tracking={"create": False})
    reason = resolve(context([order()], account=NOBODY, choices=choices), order()).reason
    assert reason is not None
    assert reason.code == "customer-unknown"


def test_always_the_default_customer() -> None:
    choices = settings(customer_tracking={"customer": "default", "default_customer": "Web sales"})
    account = omni(contacts=(contact("9", company="web SALES"), contact("501", "pat@example.com")))
    ctx = context([order()], account=account, choices=choices)
    assert resolve(ctx, order()).value == 9
    assert rows(ctx, [order()]) == []
    gone = resolve(context([order()], account=NOBODY, choices=choices), order()).reason
    assert gone is not None
    assert (gone.code, "Web sales" in gone.text) == ("unresolved-setting", True)


def test_long_texts_are_cut_and_said_phone_numbers_are_left_out() -> None:
    long = replace(PAT, company="C" * 260, phone="0" * 51)
    one = order(party=long)
    (row,) = rows(context([one], account=NOBODY, store=shop([one], customers=(long,))), [one])
    body = body_of(row.effect)
    assert len(str(body["company"])) == 250
    assert "phone" not in body
    assert "cut to 250" in row.reason.text
    assert "left out" in row.reason.text
    far = replace(PAT, email="e" * 260)
    one = order(party=far)
    reason = resolve(context([one], account=NOBODY, store=shop([one], customers=(far,))), one).reason
    assert reason is not None
    assert reason.code == "email-too-long"


def test_a_refused_contact_is_tried_again_and_one_in_doubt_is_not() -> None:
    one = order()
    (row,) = rows(context([one], account=NOBODY), [one])
    assert row.effect is not None
    refused = known(row.effect, state=EffectState.REFUSED, remote_id="")
    assert codes(rows(context([one], account=NOBODY, known=(refused,)), [one])) == [("create", "new-contact")]
    doubt = known(row.effect, state=EffectState.UNKNOWN, remote_id="")
    assert codes(rows(context([one], account=NOBODY, known=(doubt,)), [one])) == [("skip", "unknown")]
