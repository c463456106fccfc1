"""Flow `contacts`: whose order it is in Omni, and contacts of buyers that Omni has not yet.

Belongs here: Customer Tracking: finding a buyer's contact, and the requests that make one. Does not belong here: which orders
(`selection`), who the buyer is (`integrations.buyers`). Facts: cin7-omni.md 10.1, 13.2.

The order of looking: our own earlier creation, e-mail address, user name (integration reference), then a new one, or the default
customer. An e-mail address is one contact's alone in Omni: buyers of the store that share one are one contact there, and each
order keeps its own buyer's name and addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ledger_pipelines.documents.keys import Json
from ledger_pipelines.documents.sales import Address, Party, SalesDocument
from ledger_pipelines.integrations.buyers import Buyer, buyer_of
from ledger_pipelines.integrations.by_day.context import link
from ledger_pipelines.integrations.by_day.unreadable import one_by_one, order_named
from ledger_pipelines.integrations.countries import country_name
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.context import Context
from ledger_pipelines.integrations.neto_cin7.omni import is_supplier
from ledger_pipelines.integrations.neto_cin7.references import CONTACT
from ledger_pipelines.integrations.neto_cin7.selection import is_downloaded, select
from ledger_pipelines.integrations.neto_cin7.settings import Customer, Guests
from ledger_pipelines.integrations.neto_cin7.texts import LONG, SHORT, Texts
from ledger_pipelines.integrations.shop import UnresolvedError, unresolved
from ledger_pipelines.sync.plan import PlanRow, Reason
from ledger_pipelines.systems.cin7.records import Contact as OmniContact

FLOW: Final = "contacts"
SETTING: Final = "customer_tracking.default_customer"


@dataclass(frozen=True, slots=True)
class Member:
    """The contact an order is linked to.

    Args:
        value: `memberId`: the id, or the link to the effect that makes it; None with a `reason`.
        key: Of that effect, "" = the contact is in Omni already.
        reason: Why there is none; the order waits.
        note: What a person may want to know of the choice.
        default: Whether it is the default customer.
    """

    value: Json = None
    key: str = ""
    reason: Reason | None = None
    note: str = ""
    default: bool = False


def identity(text: str) -> Json:
    """An id as Omni's requests have it."""
    return int(text) if text.isdecimal() else text


def contact_key(ctx: Context, buyer: Buyer) -> str:
    """Key of the effect that makes a buyer's contact: by e-mail address where there is one, for it can be there once only."""
    email = folded(buyer.party.email)
    return ctx.key(CONTACT, f"email:{email}" if email else buyer.key, "contact")


def resolve(ctx: Context, order: SalesDocument) -> Member:
    """The contact of an order.

    Reasons: `email-shared`, `customer-inactive`, `customer-is-supplier`, `customer-unknown`, `email-too-long`,
    `unresolved-setting`.
    """
    choices = ctx.settings.customer_tracking
    buyer = _buyer(ctx, order)
    guest = not buyer.customer
    if choices.customer is Customer.DEFAULT or (guest and choices.guests is Guests.DEFAULT):
        return _default(ctx)
    return _ours(ctx, buyer) or _by_email(ctx, buyer) or _by_username(ctx, buyer) or _new(ctx, buyer)


def rows(ctx: Context, orders: Sequence[SalesDocument]) -> list[PlanRow]:
    """One row for each buyer of orders that are downloaded."""
    found: dict[str, PlanRow] = {}
    if ctx.settings.customer_tracking.customer is Customer.DEFAULT:
        return []

    def of_order(order: SalesDocument) -> list[PlanRow]:
        if select(ctx, order) is not None or order.cancelled or is_downloaded(ctx, order):
            return []
        buyer = _buyer(ctx, order)
        key = contact_key(ctx, buyer)
        row = None if key in found else _row(ctx, order, buyer, key)
        return [] if row is None else [row]

    for row in one_by_one(ctx, orders, of_order, order_named):
        found[row.key] = row
    return list(found.values())


def _buyer(ctx: Context, order: SalesDocument) -> Buyer:
    """Who bought it; a customer whose record has no e-mail address has the order's."""
    buyer = buyer_of(ctx.shop, order)
    if buyer.party.email.strip() or not order.party.email.strip():
        return buyer
    return replace(buyer, party=replace(buyer.party, email=order.party.email))


# --- finding ---------------------------------------------------------------------------------------------------------


def _by_email(ctx: Context, buyer: Buyer) -> Member | None:
    email = buyer.party.email.strip()
    if not email:
        return None
    found = ctx.omni.contacts_by_email.get(folded(email), ())
    return _chosen(found, buyer, f"the e-mail address {email}")


def _by_username(ctx: Context, buyer: Buyer) -> Member | None:
    if not buyer.username:
        return None
    found = ctx.omni.contacts_by_reference.get(folded(buyer.username), ())
    return _chosen(found, buyer, f"the integration reference {buyer.username}")


def _chosen(found: Sequence[OmniContact], buyer: Buyer, what: str) -> Member | None:
    """The contact meant: of several active ones the one with the user name, else the one with the buyer's name."""
    usable = [one for one in found if one.active and not is_supplier(one)]
    if len(usable) == 1:
        return Member(identity(usable[0].id))
    if usable:
        for alike in (
            [
                one
                for one in usable
                if buyer.username and folded(one.integration_ref) == folded(buyer.username)
            ],
            [one for one in usable if _name(one) == _buyer_name(buyer.party)],
        ):
            if len(alike) == 1:
                note = f"{len(usable)} contacts have {what}; {alike[0].id} is the buyer's."
                return Member(identity(alike[0].id), note=note)
        ids = ", ".join(one.id for one in usable)
        return Member(
            reason=Reason(
                "email-shared",
                f"{len(usable)} contacts of Omni have {what} ({ids}), and none of them alone has the name of {buyer.party.title}.",
                "Give all but one of them another e-mail address there, or give the right one the buyer's user name as "
                "integration reference.",
            )
        )
    return _unfit(found[0], what) if found else None


def _name(one: OmniContact) -> tuple[str, str]:
    return folded(one.first_name), folded(one.last_name)


def _buyer_name(party: Party) -> tuple[str, str]:
    return folded(party.given), folded(party.family)


def _unfit(there: OmniContact, what: str) -> Member:
    name = " ".join(part for part in (there.first_name, there.last_name) if part) or there.company or there.id
    if is_supplier(there):
        reason = Reason(
            "customer-is-supplier",
            f"{name} (id {there.id}) has {what} and is a supplier in Omni.",
            "Give the supplier another e-mail address there, so that a customer can be made with it.",
        )
    else:
        reason = Reason(
            "customer-inactive",
            f"{name} (id {there.id}) has {what} and is inactive in Omni.",
            "Make it active there, or give it another e-mail address.",
        )
    return Member(reason=reason)


def _ours(ctx: Context, buyer: Buyer) -> Member | None:
    """Made by us: a link, so that the order's request is the same before and after it was made."""
    key = contact_key(ctx, buyer)
    known = ctx.journal.known.get(key)
    if known is None or not known.may_be_there:
        return None
    there = ctx.omni.contact_by_id.get(known.remote_id)
    if there is not None and not there.active:
        return _unfit(there, f"been made for {buyer.party.title}")
    return Member(link(key), key)


def _new(ctx: Context, buyer: Buyer) -> Member:
    choices = ctx.settings.customer_tracking
    nameless = not buyer.party.email.strip() and not buyer.username
    if not choices.create or nameless:
        if choices.default_customer is not None:
            return _default(ctx)
        why = (
            "has neither an account nor an e-mail address"
            if nameless
            else "is no contact of Omni, and none is made"
        )
        return Member(
            reason=Reason(
                "customer-unknown",
                f"{buyer.party.title or buyer.reference} {why}.",
                "Set customer_tracking.default_customer, or make the contact in Omni with this e-mail address.",
            )
        )
    email = buyer.party.email.strip()
    if len(email) > LONG:
        return Member(
            reason=Reason(
                "email-too-long",
                f"The e-mail address of {buyer.reference[:SHORT]} has {len(email)} characters, Omni keeps {LONG}.",
                "Correct it in the store.",
            )
        )
    key = contact_key(ctx, buyer)
    return Member(link(key), key)


def _default(ctx: Context) -> Member:
    named = ctx.settings.customer_tracking.default_customer
    if named is None:  # the settings see to it
        return Member(reason=Reason("unresolved-setting", f"{SETTING} is not set.", "Name a contact."))
    try:
        return Member(identity(ctx.omni.contact(named, SETTING).id), default=True)
    except UnresolvedError as error:
        return Member(reason=unresolved(error))


# --- making ----------------------------------------------------------------------------------------------------------


def _row(ctx: Context, order: SalesDocument, buyer: Buyer, key: str) -> PlanRow | None:
    member = resolve(ctx, order)
    title, number = f"Contact {buyer.party.title}", buyer.reference
    if member.reason is not None:
        return ctx.blocked(key, order.number, title, member.reason, kind=CONTACT)
    if member.default:
        return None
    if not member.key:
        text = member.note or f"{buyer.party.title} is in Omni already, as contact {member.value}."
        return ctx.skip(key, number, title, Reason("known-contact", text), kind=CONTACT)
    maker = _maker(ctx, buyer)
    texts = Texts()
    body = contact_body(ctx, maker, texts)
    effect = ctx.effect(
        FLOW, CONTACT, key, external_id=_external_id(maker), number=number, title=title, body=body,
        source=f"customer:{maker.key}",
    )  # fmt: skip
    text = f"{buyer.party.title} has an order that is downloaded, and is no contact of Omni yet."
    return ctx.row(effect, Reason("new-contact", " ".join([text, *_sharing(ctx, buyer), *texts.said])))


def _external_id(buyer: Buyer) -> str:
    return buyer.party.email.strip() or buyer.username


def _sharers(ctx: Context, buyer: Buyer) -> list[str]:
    """User names of customers of the store with the buyer's e-mail address, in order."""
    email = folded(buyer.party.email)
    return list(ctx.shop.usernames_by_email.get(email, ())) if email else []


def _maker(ctx: Context, buyer: Buyer) -> Buyer:
    """As whom a shared address becomes a contact: the first of them by user name, so that it is the same for all."""
    sharing = _sharers(ctx, buyer)
    if not sharing:
        return buyer
    party = ctx.shop.customers[sharing[0]]
    return Buyer(sharing[0], party.key, party.key, party, True)


def _sharing(ctx: Context, buyer: Buyer) -> list[str]:
    sharing = _sharers(ctx, buyer)
    if len(sharing) < 2:
        return []
    names = ", ".join(ctx.shop.customers[name].key for name in sharing)
    return [f"{names} share the e-mail address {buyer.party.email.strip()}: they are one contact in Omni."]


def contact_body(ctx: Context, buyer: Buyer, texts: Texts) -> dict[str, Json]:
    """The request that makes a contact: its address is where it is sent to, the postal one where it is billed."""
    party = buyer.party
    told = {
        "company": texts.cut("company", party.company),
        "firstName": texts.cut("first name", party.given),
        "lastName": texts.cut("last name", party.family),
        "email": party.email.strip(),
        "phone": texts.whole("phone number", party.phone, SHORT),
        "integrationRef": buyer.username,
        "taxNumber": party.tax_number.strip(),
        "priceColumn": ctx.settings.customer_tracking.price_tier.strip(),
        **_address(
            party.shipping or party.billing, texts, ("address1", "city", "state", "postCode", "country")
        ),
        **_address(
            party.billing or party.shipping,
            texts,
            ("postalAddress1", "postalCity", "postalState", "postalPostCode", "postalCountry"),
        ),
    }
    body: dict[str, Json] = {"type": "Customer", "isActive": True}
    return body | {name: text for name, text in told.items() if text}


def _address(one: Address, texts: Texts, names: Sequence[str]) -> dict[str, str]:
    parts = (one.street, one.city, one.state, one.postcode, country_name(one.country))
    return {name: texts.cut(f"field {name}", part) for name, part in zip(names, parts, strict=True)}
