"""Companies and contacts, and the aggregate that writes both in one call.

Belongs here: their fields and rules. Does not belong here: how they are listed and locked (`resource`).
Source: saasu.md 5.4, 5.5.
"""

from __future__ import annotations

from typing import ClassVar

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import SaasuError
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.fields import (
    FLAG,
    INTEGER,
    LIST,
    MAYBE,
    NUMBER,
    OBJECT,
    TEXT,
    Field,
    Kind,
    bind,
    text,
)
from ledger_pipelines.sandbox.saasu.resource import Resource, Where, utc_text
from ledger_pipelines.sandbox.saasu.store import Row

SALUTATIONS = frozenset({"Mr.", "Mrs.", "Ms.", "Dr.", "Prof."})
ADDRESS = {"Street": TEXT, "City": TEXT, "State": TEXT, "Postcode": TEXT, "Country": TEXT}


class Companies(Resource):
    """Companies: no address, no phone; nothing is validated, names are not unique (5.4)."""

    kind, sequence = "company", "company"
    spec: ClassVar = {
        "Name": text(75), "Abn": text(11), "Website": text(1024), "LongDescription": TEXT, "TradingName": text(75),
        "CompanyEmail": text(128),
    }  # fmt: skip

    def filters(self, call: Call) -> Where:
        """`CompanyName` matches a part."""
        where = Where()
        told = call.params.get("companyname")
        if told:
            where.add("instr(lower(json_extract(body, '$.Name')), lower(?)) > 0", told)
        return where

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """A name is needed."""
        del call, row
        if not (body["Name"] or "").strip():
            raise SaasuError("Please specify the company name.")

    def removing(self, row: Row, call: Call) -> None:
        """Refused while contacts refer to it (inferred)."""
        if next(
            self.store.select(call.file, "contact", "json_extract(body, '$.CompanyId') = ?", (row.id,)), None
        ):
            raise SaasuError("The company is referenced by some contacts and therefore cannot be deleted.")


_INITIALLY = {"IsActive": Field(Kind.MAYBE, initial=True)}
CONTACT = {
    "ContactId": text(50), "Salutation": text(10), "GivenName": text(50), "FamilyName": text(50),
    "MiddleInitials": text(3), "CompanyId": INTEGER, "PositionTitle": text(75), "PrimaryPhone": text(20),
    "HomePhone": text(20), "OtherPhone": text(20), "MobilePhone": text(20), "Fax": text(20), "EmailAddress": text(128),
    "AdditionalEmails": TEXT, "WebsiteUrl": text(1024), **_INITIALLY, "IsCustomer": FLAG, "IsSupplier": FLAG,
    "IsPartner": FLAG, "IsContractor": FLAG, "CustomField1": text(50), "CustomField2": text(50),
    "PostalAddress": OBJECT, "OtherAddress": OBJECT, "SaleTradingTerms": OBJECT, "PurchaseTradingTerms": OBJECT,
    "DefaultSaleDiscount": NUMBER, "DefaultPurchaseDiscount": NUMBER, "ContactManagerId": INTEGER,
    "DirectDepositDetails": OBJECT, "ChequeDetails": OBJECT, "BpayDetails": OBJECT, "TwitterId": TEXT, "SkypeId": TEXT,
    "LinkedInProfile": TEXT, "AutoSendStatement": MAYBE, "IsOcrSender": MAYBE, "OcrRecipientAlias": TEXT, "Tags": LIST,
}  # fmt: skip
AGGREGATE = {
    name: CONTACT[name]
    for name in (
        "ContactId", "Salutation", "GivenName", "FamilyName", "MiddleInitials", "PositionTitle", "PrimaryPhone",
        "HomePhone", "OtherPhone", "MobilePhone", "Fax", "EmailAddress", "IsActive", "IsCustomer", "IsSupplier",
        "IsPartner", "IsContractor", "PostalAddress",
    )
}  # fmt: skip


class Contacts(Resource):
    """Contacts: unique on nothing, duplicates are accepted (5.5)."""

    kind, sequence, entity = "contact", "contact", "Contact"
    spec: ClassVar = CONTACT

    def filters(self, call: Call) -> Where:
        """Equal to, without regard to case."""
        where = Where()
        for asked, name in (
            ("givenname", "GivenName"), ("familyname", "FamilyName"), ("email", "EmailAddress"), ("contactid", "ContactId"),
        ):  # fmt: skip
            where.equal(name, call.params.get(asked))
        where.number("CompanyId", call.params.get("companyid"))
        for asked, name in (
            ("isactive", "IsActive"), ("iscustomer", "IsCustomer"), ("issupplier", "IsSupplier"),
            ("iscontractor", "IsContractor"), ("ispartner", "IsPartner"),
        ):  # fmt: skip
            where.flag(name, call.params.get(asked))
        company = call.params.get("companyname") or call.params.get("organisationname")
        if company:
            where.add(
                "json_extract(body, '$.CompanyId') IN (SELECT c.id FROM saasu_row c WHERE c.file = ? AND "
                "c.kind = 'company' AND lower(json_extract(c.body, '$.Name')) = lower(?))",
                call.file, company,
            )  # fmt: skip
        return where

    def keeps(self, row: Row, call: Call) -> bool:
        """Tags."""
        return tagged(row, call)

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """One of given name, family name and company; known salutation, company, manager."""
        del row
        if body["Salutation"] not in (None, "") and body["Salutation"] not in SALUTATIONS:
            raise SaasuError("The salutation is invalid.")
        if not any(body[name] for name in ("GivenName", "FamilyName", "CompanyId")):
            raise SaasuError("Please specify a given name, a family name or a company.")
        if body["CompanyId"] is not None and self.store.get(call.file, "company", body["CompanyId"]) is None:
            raise SaasuError("The referenced company does not exist.")
        if (
            body["ContactManagerId"] is not None
            and self.store.get(call.file, "contact", body["ContactManagerId"]) is None
        ):
            raise SaasuError("The referenced contact manager does not exist.")
        for name in ("PostalAddress", "OtherAddress"):
            if body[name] is not None:
                body[name] = bind(ADDRESS, body[name])
        for tag in body["Tags"] or ():
            if len(str(tag)) > 35:
                raise SaasuError("A tag must not exceed 35 characters.")

    def removing(self, row: Row, call: Call) -> None:
        """Refused while transactions refer to it (inferred)."""
        used = next(
            self.store.select(
                call.file,
                "invoice",
                "(json_extract(body, '$.BillingContactId') = ? OR json_extract(body, '$.ShippingContactId') = ?)",
                (row.id, row.id),
            ),
            None,
        )
        if used is not None:
            raise SaasuError(
                "The contact is referenced by some transactions and therefore cannot be deleted."
            )


def tagged(row: Row, call: Call) -> bool:
    """Whether a record has the tags that are asked for."""
    asked = {tag.strip().lower() for tag in call.params.get("tags", "").split(",") if tag.strip()}
    if not asked:
        return True
    own = {str(tag).lower() for tag in row.body.get("Tags") or ()}
    match call.params.get("tagselection", "requireAny").lower():
        case "requireall":
            return asked <= own
        case "excludeany":
            return not asked & own
        case "excludeall":
            return not asked <= own
        case _:
            return bool(asked & own)


class Aggregates:
    """`/ContactAggregate`: a contact with its company and its manager in one call (5.5)."""

    def __init__(self, book: Book, contacts: Contacts, companies: Companies) -> None:
        self._book, self._contacts, self._companies = book, contacts, companies

    def get(self, call: Call) -> Document:
        """`GET /ContactAggregate/{id}`."""
        row = self._contacts.found(call)
        body = {name: row.body[name] for name in AGGREGATE}
        company = self._company(call, row.body["CompanyId"])
        manager = self._manager(call, row.body["ContactManagerId"])
        return {"Id": row.id, **body, "Company": company, "ContactManager": manager, "LastUpdatedId": row.last_updated_id,
                "CreatedDateUtc": utc_text(row.id, row.created), "LastModifiedDateUtc": utc_text(row.id, row.modified),
                "_links": call.detail("ContactAggregate", row.id)}  # fmt: skip

    def _company(self, call: Call, company_id: object) -> Document | None:
        row = None if company_id is None else self._book.store.get(call.file, "company", int(str(company_id)))
        return None if row is None else {"Id": row.id, **row.body, "LastUpdatedId": row.last_updated_id}

    def _manager(self, call: Call, contact_id: object) -> Document | None:
        row = None if contact_id is None else self._book.store.get(call.file, "contact", int(str(contact_id)))
        if row is None:
            return None
        names = ("Salutation", "GivenName", "FamilyName", "MiddleInitials", "PositionTitle")
        return {"Id": row.id, **{n: row.body[n] for n in names}, "LastUpdatedId": row.last_updated_id}

    def insert(self, call: Call) -> Document:
        """`POST /ContactAggregate`."""
        sent = _object(call.body)
        with self._book.store.transaction():
            company, manager = self._nested(call, sent)
            body = {**bind(AGGREGATE, sent), **_references(company, manager)}
            row = self._contacts.insert_row(call, body)
        return self._result("InsertedContactId", row, call, company, manager)

    def update(self, call: Call) -> Document:
        """`PUT /ContactAggregate/{id}`: fields outside the aggregate are left alone; a stale part saves nothing."""
        sent = _object(call.body)
        with self._book.store.transaction():
            row = self._contacts.found(call)
            if sent.get("LastUpdatedId") is not None:
                self._contacts.lock(row, sent)
            company, manager = self._nested(call, sent)
            body = {**row.body, **bind(AGGREGATE, sent), **_references(company, manager)}
            self._contacts.update_row(row, call, body)
        return self._result("UpdatedContactId", row, call, company, manager)

    def _nested(self, call: Call, sent: Document) -> tuple[Row | None, Row | None]:
        return (
            self._part(call, sent.get("Company"), self._companies),
            self._part(call, sent.get("ContactManager"), self._contacts),
        )

    def _part(self, call: Call, sent: object, resource: Resource) -> Row | None:
        if not isinstance(sent, dict) or not sent:
            return None
        if not sent.get("Id"):
            return resource.insert_row(call, sent)
        row = self._book.store.get(call.file, resource.kind, int(str(sent["Id"])))
        if row is None:
            raise resource.not_there(int(str(sent["Id"])))
        given = {name: value for name, value in sent.items() if name in resource.spec}
        if not given:
            return row
        resource.lock(row, sent)
        return resource.update_row(row, call, {**row.body, **given})

    def _result(self, name: str, row: Row, call: Call, company: Row | None, manager: Row | None) -> Document:
        return {
            name: row.id,
            "CompanyId": None if company is None else company.id,
            "CompanyLastUpdatedId": None if company is None else company.last_updated_id,
            "ContactManagerId": None if manager is None else manager.id,
            "ContactManagerLastUpdatedId": None if manager is None else manager.last_updated_id,
            "LastUpdatedId": row.last_updated_id,
            "LastModified": utc_text(row.id, row.modified),
            "_links": call.detail("ContactAggregate", row.id),
        }


def _object(sent: object) -> Document:
    if not isinstance(sent, dict):
        raise SaasuError("The request is invalid.")
    return sent


def _references(company: Row | None, manager: Row | None) -> Document:
    given: Document = {}
    if company is not None:
        given["CompanyId"] = company.id
    if manager is not None:
        given["ContactManagerId"] = manager.id
    return given
