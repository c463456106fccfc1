"""Flow `contacts`: who an order's invoice is billed to, and contacts of buyers that the file has not yet.

Belongs here: finding a buyer's contact, and the requests that make one. Does not belong here: which orders (`selection`), who
the buyer is (`buyers`). Facts: saasu.md 5.4, 5.5, 7; neto.md 7.

The order of looking: our own earlier creation, what the initial sync paired, Contact ID = user name, e-mail and family name,
then a new one (or the default contact). Contacts are unique on nothing in Saasu: of several the lowest active id is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger_pipelines.documents.effects import Effect
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Address, Party, SalesDocument
from ledger_pipelines.integrations.buyers import LONGEST_REFERENCE, Buyer, buyer_of
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.by_day.unreadable import one_by_one, order_named
from ledger_pipelines.integrations.countries import country_name
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_saasu.context import Context
from ledger_pipelines.integrations.neto_saasu.selection import needs_contact
from ledger_pipelines.integrations.neto_saasu.settings import ContactFrom
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.saasu.records import SaasuContact

FLOW: Final = "contacts"
CONTACT: Final = "contact"
AGGREGATE: Final = "contactAggregate"
COMPANY: Final = "company"

LONGEST_NAME: Final = 50
LONGEST_COMPANY: Final = 75
LONGEST_EMAIL: Final = 128
LONGEST_PHONE: Final = 20
LONGEST_ABN: Final = 11


@dataclass(frozen=True, slots=True)
class Contact:
    """Whose invoice it is.

    Args:
        value: `BillingContactId`: the id as text, or the link to the effect that makes it; None with a `reason`.
        key: Of that effect, "" = the contact is in the file already.
        reason: Why there is none; the order waits.
        note: What a person may want to know of the choice.
        default: Whether it is the default contact of the settings.
    """

    value: Json = None
    key: str = ""
    reason: Reason | None = None
    note: str = ""
    default: bool = False


def contact_key(ctx: Context, buyer: Buyer) -> str:
    """Key of the effect that makes a buyer's contact."""
    return ctx.key(CONTACT, buyer.key, "contact")


def company_key(ctx: Context, name: str) -> str:
    """Key of the effect that makes a company which several buyers share."""
    return ctx.key(COMPANY, folded(name), "company")


def resolve(ctx: Context, order: SalesDocument) -> Contact:
    """The contact of an order's invoice.

    Reasons: `contact-deleted`, `contact-inactive`, `contact-unknown`, `contact-too-long`, `contact-without-name`,
    `unresolved-setting`.
    """
    if ctx.settings.orders_to_saasu.contact is ContactFrom.DEFAULT:
        return _default(ctx)
    buyer = buyer_of(ctx.shop, order)
    return (
        _ours(ctx, buyer)
        or _paired(ctx, buyer)
        or _by_reference(ctx, buyer)
        or _by_email(ctx, buyer)
        or _new(ctx, buyer)
    )


def default_id(ctx: Context) -> Json:
    """The id of the default contact; None = none is set, or it is not to be found."""
    named = ctx.settings.orders_to_saasu.default_contact
    return None if named is None else _default(ctx).value


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """One row for each buyer of orders that are exported, after that of their company where it is made on its own."""
    found: dict[str, PlanRow] = {}
    if ctx.settings.orders_to_saasu.contact is ContactFrom.DEFAULT:
        return []

    def of_order(order: SalesDocument) -> Iterable[PlanRow]:
        if not needs_contact(ctx, order):
            return ()
        buyer = buyer_of(ctx.shop, order)
        return _rows_of(ctx, order, buyer) if contact_key(ctx, buyer) not in found else ()

    for row in one_by_one(ctx, orders, of_order, order_named):
        found.setdefault(row.key, row)
    return list(found.values())


# --- finding ---------------------------------------------------------------------------------------------------------


def _ours(ctx: Context, buyer: Buyer) -> Contact | None:
    key = contact_key(ctx, buyer)
    known = ctx.journal.known.get(key)
    if known is None or not known.may_be_there:
        return None
    if ("Contact", known.remote_id) in ctx.books.deleted:
        return None if _elsewhere(ctx, buyer) else Contact(reason=_deleted(buyer, known.remote_id))
    there = ctx.books.contact_by_id.get(known.remote_id)
    if there is not None and not there.active:
        return _inactive(there)
    return Contact(link(key), key)


def _deleted(buyer: Buyer, id_: str) -> Reason:
    return Reason(
        "contact-deleted",
        f"The contact of {buyer.party.title} was deleted in Saasu after it was made there (id {id_}).",
        f"Make a contact there with the Contact ID {buyer.reference}; it is found by that.",
    )


def _elsewhere(ctx: Context, buyer: Buyer) -> bool:
    """Whether a person has made the contact anew."""
    return folded(buyer.username) in ctx.pairs or any(
        one.active for one in ctx.books.contacts_by_reference.get(folded(buyer.reference), ())
    )


def _paired(ctx: Context, buyer: Buyer) -> Contact | None:
    paired = ctx.pairs.get(folded(buyer.username)) if buyer.username else None
    if paired is None or ("Contact", paired) in ctx.books.deleted:
        return None
    there = ctx.books.contact_by_id.get(paired)
    return _inactive(there) if there is not None and not there.active else Contact(paired)


def _by_reference(ctx: Context, buyer: Buyer) -> Contact | None:
    references = dict.fromkeys((folded(buyer.username), folded(buyer.reference)))
    found = [
        one
        for reference in references
        if reference
        for one in ctx.books.contacts_by_reference.get(reference, ())
    ]
    return _lowest(found, f"the Contact ID {buyer.reference}")


def _by_email(ctx: Context, buyer: Buyer) -> Contact | None:
    email, family = folded(buyer.party.email), folded(buyer.party.family)
    if not ctx.settings.orders_to_saasu.find_by_email or not email or not family:
        return None
    alike = [one for one in ctx.books.contacts_by_email.get(email, ()) if folded(one.family) == family]
    return _lowest(alike, f"the e-mail address {buyer.party.email} and the name {buyer.party.family}")


def _lowest(found: Sequence[SaasuContact], what: str) -> Contact | None:
    """Of several the lowest active id."""
    active = [one for one in found if one.active]
    if active:
        several = f"{len(active)} active contacts have {what}; the lowest id {active[0].id} is taken."
        return Contact(active[0].id, note=several if len(active) > 1 else "")
    return _inactive(found[0]) if found else None


def _inactive(there: SaasuContact) -> Contact:
    name = " ".join(part for part in (there.given, there.family) if part) or there.reference or there.email
    return Contact(
        reason=Reason(
            "contact-inactive",
            f"The contact {name} (id {there.id}) is inactive in Saasu.",
            "Make it active there, or give the Contact ID to another contact.",
        )
    )


def _new(ctx: Context, buyer: Buyer) -> Contact:
    if not ctx.settings.customers_to_saasu.enabled:
        if ctx.settings.orders_to_saasu.default_contact is not None:
            return _default(ctx)
        return Contact(
            reason=Reason(
                "contact-unknown",
                f"{buyer.party.title} ({buyer.reference}) is no contact of Saasu, and contacts are not exported.",
                "Switch on customers_to_saasu, set orders_to_saasu.default_contact, or make the contact with this Contact ID.",
            )
        )
    problem = _problem(ctx, buyer)
    if problem is not None:
        return Contact(reason=problem)
    key = contact_key(ctx, buyer)
    return Contact(link(key), key)


def _default(ctx: Context) -> Contact:
    named = ctx.settings.orders_to_saasu.default_contact
    setting = "orders_to_saasu.default_contact"
    if named is None:
        return Contact(
            reason=Reason(
                "unresolved-setting",
                f"All invoices go to the default contact, and {setting} is not set.",
                "Name a contact by its id, Contact ID or e-mail address.",
            )
        )
    try:
        return Contact(ctx.books.contact(named, setting).id, default=True)
    except UnresolvedError as error:
        return Contact(reason=unresolved(error))


# --- making ----------------------------------------------------------------------------------------------------------


def _rows_of(ctx: Context, order: SalesDocument, buyer: Buyer) -> list[PlanRow]:
    key = contact_key(ctx, buyer)
    contact = resolve(ctx, order)
    title = f"Contact {buyer.party.title}"
    if contact.reason is not None:
        return [ctx.blocked(key, order.number, title, contact.reason, kind=CONTACT)]
    if not contact.key:
        text = contact.note or f"{buyer.party.title} is in Saasu already, as contact {contact.value}."
        return [ctx.skip(key, order.number, title, Reason("known-contact", text), kind=CONTACT)]
    company, effect = _effects(ctx, buyer)
    text = f"{buyer.party.title} has an order that is exported, and is no contact of Saasu yet."
    left_out = _left_out(buyer.party)
    reason = Reason("new-contact", f"{text} {left_out}".strip())
    first = [] if company is None else [ctx.row(company, Reason("new-company", _company_words(buyer)))]
    return [*first, ctx.row(effect, reason)]


def _effects(ctx: Context, buyer: Buyer) -> tuple[Effect | None, Effect]:
    """The company's effect, where it is made on its own, and the contact's."""
    name = buyer.party.company.strip()
    body = _body(buyer)
    kind, company = CONTACT, None
    if name and ctx.settings.customers_to_saasu.company:
        there = ctx.books.companies_by_name.get(folded(name), ())
        shared = company_key(ctx, name)
        if ctx.journal.may_be_there(shared):
            body["CompanyId"] = link(shared)
        elif there:
            body["CompanyId"] = there[0].id
        elif ctx.shop.customers_by_company.get(folded(name), 0) != 1:
            company = _company(ctx, buyer)
            body["CompanyId"] = link(shared)
        elif buyer.customer:
            kind = AGGREGATE
            body.pop("OtherAddress", None)  # no field of the aggregate (saasu.md 5.5)
            body["Company"] = _company_body(buyer.party)
    effect = ctx.effect(
        FLOW, kind, contact_key(ctx, buyer), external_id=buyer.reference, number=buyer.reference,
        title=f"Contact {buyer.party.title}", body=body, source=f"customer:{buyer.key}",
    )  # fmt: skip
    return company, effect


def _company(ctx: Context, buyer: Buyer) -> Effect:
    """Of a company that several share: as the first of them by user name states it, so that it is the same for all."""
    name = folded(buyer.party.company)
    theirs = sorted(key for key, party in ctx.shop.customers.items() if folded(party.company) == name)
    party = ctx.shop.customers[theirs[0]] if theirs else buyer.party
    return ctx.effect(
        FLOW, COMPANY, company_key(ctx, name), external_id=party.company.strip(), number=party.company.strip(),
        title=f"Company {party.company.strip()}", body=_company_body(party), source=f"company:{name}",
    )  # fmt: skip


def _company_words(buyer: Buyer) -> str:
    return f"The company {buyer.party.company.strip()} is not in Saasu yet, and more than one buyer may belong to it."


def _company_body(party: Party) -> dict[str, Json]:
    body: dict[str, Json] = {"Name": party.company.strip()}
    abn = "".join(party.tax_number.split())
    if abn and len(abn) <= LONGEST_ABN:
        body["Abn"] = abn
    return body


def _body(buyer: Buyer) -> dict[str, Json]:
    """All four booleans go along: one that is missing is false (saasu.md 4.3)."""
    party = buyer.party
    body: dict[str, Json] = {
        "ContactId": buyer.reference,
        "IsActive": True,
        "IsCustomer": True,
        "IsSupplier": False,
        "IsPartner": False,
        "IsContractor": False,
    }
    texts = {
        "GivenName": party.given.strip(),
        "FamilyName": party.family.strip(),
        "EmailAddress": party.email.strip(),
        "PrimaryPhone": party.phone.strip() if len(party.phone.strip()) <= LONGEST_PHONE else "",
    }
    body |= {name: text for name, text in texts.items() if text}
    if party.billing:
        body["PostalAddress"] = address(party.billing)
    if party.shipping:
        body["OtherAddress"] = address(party.shipping)
    return body


def address(one: Address) -> dict[str, Json]:
    """As Saasu has it: the country by name."""
    return {
        "Street": one.street,
        "City": one.city,
        "State": one.state,
        "Postcode": one.postcode,
        "Country": country_name(one.country),
    }


def _left_out(party: Party) -> str:
    """What does not fit and is no name: it is left out rather than cut, and said."""
    phone = party.phone.strip()
    abn = "".join(party.tax_number.split())
    texts = []
    if len(phone) > LONGEST_PHONE:
        texts.append(f"The phone number {phone!r} is left out: Saasu keeps {LONGEST_PHONE} characters.")
    if party.company and len(abn) > LONGEST_ABN:
        texts.append(f"The tax number {abn!r} is left out: Saasu keeps {LONGEST_ABN} characters.")
    return " ".join(texts)


def _problem(ctx: Context, buyer: Buyer) -> Reason | None:
    """Names are never cut: one that is too long is a person's to shorten."""
    party = buyer.party
    with_company = ctx.settings.customers_to_saasu.company
    fields = (
        ("given name", party.given, LONGEST_NAME),
        ("family name", party.family, LONGEST_NAME),
        ("company", party.company if with_company else "", LONGEST_COMPANY),
        ("e-mail address", party.email, LONGEST_EMAIL),
        ("user name", buyer.reference, LONGEST_REFERENCE),
    )
    for what, text, most in fields:
        if len(text.strip()) > most:
            return Reason(
                "contact-too-long",
                f"The {what} of {buyer.reference} has {len(text.strip())} characters, Saasu keeps {most}: {text.strip()!r}.",
                "Shorten it in the store, or make the contact in Saasu with this Contact ID.",
            )
    if not (party.given.strip() or party.family.strip() or (with_company and party.company.strip())):
        return Reason(
            "contact-without-name",
            f"The buyer {buyer.reference} has neither a name nor a company, and Saasu takes no contact without.",
            "Fill in the name in the store, or make the contact in Saasu with this Contact ID.",
        )
    return None
