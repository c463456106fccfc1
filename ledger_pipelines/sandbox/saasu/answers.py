"""What Saasu answers: links, list envelopes, result keys, error texts.

Belongs here: shapes on the wire. Does not belong here: when they are given, what a record means.
Source: saasu.md 1 (hypermedia, paging), 3.2 (two shapes of an error body), 4 (envelopes, result keys), 8.2 (texts).
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from ledger_pipelines.sandbox.codec import Document, dumps

STALE = "Record to be updated has changed since last read."
NO_TRANSACTION = "The requested transaction is not found."
WRONG_LAYOUT = (
    "Invalid transaction type or layout. Valid transaction type is either 'S' or 'P'. "
    "Valid layout is either 'S' or 'I'."
)
WRONG_PAYMENT = "Incorrect transaction type. Use 'SP' for Sale Payment and 'PP' for purchase payment."
NO_BANK = "The referenced Bank Account does not exist."
NEGATIVE_STOCK = (
    "Unable to complete the requested operation as it will cause negative stock-on-hand for {code}."
)
NOT_BACK = "Sorry, conversion from invoice to non invoice such as order or quote is not allowed."
NO_CURRENCY = "Please include a valid currency"
ITEM_IN_USE = (
    "The specified inventory item is referenced by some Transactions and/or Combo Items  "
    "and therefore cannot be deleted."
)
NO_INCOME = (
    "The Item is marked as 'Sold' and therefore needs to have an Income Account assigned to it.\r\n"
    "Parameter name: SaleIncomeAccountUid\r\n"
)


class SaasuError(Exception):
    """A refusal. quoted: the body is a JSON string; else it is bare text (saasu.md 3.2: both occur)."""

    def __init__(self, text: str, status: int = 400, *, quoted: bool = False) -> None:
        super().__init__(text)
        self.text, self.status, self.quoted = text, status, quoted

    def response(self) -> Response:
        """The answer."""
        if self.quoted:
            return Response(msgspec.json.encode(self.text), self.status, media_type="application/json")
        return Response(self.text, self.status, media_type="text/plain")


def stale() -> SaasuError:
    """The optimistic lock refused: 400, not 409."""
    return SaasuError(STALE, quoted=True)


def unauthorised(text: str = "Authorization has been denied for this request.") -> SaasuError:
    """401."""
    return SaasuError(text, 401, quoted=True)


def missing(text: str) -> SaasuError:
    """404."""
    return SaasuError(text, 404, quoted=True)


def json_answer(body: object, status: int = 200) -> Response:
    """A JSON answer, decimals with their own digits."""
    return Response(dumps(body), status, media_type="application/json")


def link(rel: str, href: str, method: str = "GET") -> Document:
    """One hypermedia link."""
    return {"rel": rel, "href": href, "method": method, "title": None}


ENVELOPES = {
    "account": "Accounts",
    "company": "Companies",
    "contact": "Contacts",
    "invoice": "Invoices",
    "payment": "PaymentTransactions",
    "item": "Items",
    "itemadjustment": "ItemAdjustments",
    "itemtransfer": "Transfers",
    "journal": "Journals",
    "taxcode": "TaxCodes",
    "deleted": "Entities",
    "fileidentity": "FileIdentities",
    "attachment": "Attachments",
    "activity": "Activities",
}
"""Kind -> array key of its list (saasu.md 4.1)."""


class ResultKeys(msgspec.Struct, frozen=True):
    """The names one resource gives its write results (saasu.md 4.2)."""

    inserted: str
    updated: str | None
    time: str


RESULTS = {
    "account": ResultKeys("InsertedEntityId", "UpdatedAccountId", "UtcLastModified"),
    "company": ResultKeys("InsertedCompanyId", "UpdatedCompanyId", "LastModified"),
    "contact": ResultKeys("InsertedContactId", "UpdatedContactId", "LastModified"),
    "item": ResultKeys("InsertedItemId", "UpdatedItemId", "UtcLastModified"),
    "itemadjustment": ResultKeys("InsertedEntityId", None, "UtcLastModified"),
    "itemtransfer": ResultKeys("InsertedEntityId", "Id", "UtcLastModified"),
    "invoice": ResultKeys("InsertedEntityId", None, "UtcLastModified"),
    "payment": ResultKeys("InsertedEntityId", None, "UtcLastModified"),
    "journal": ResultKeys("InsertedEntityId", None, "UtcLastModified"),
}

PATHS = {
    "account": "Account",
    "company": "Company",
    "contact": "Contact",
    "item": "Item",
    "itemadjustment": "ItemAdjustment",
    "itemtransfer": "ItemTransfer",
    "invoice": "Invoice",
    "payment": "Payment",
    "journal": "Journal",
    "taxcode": "TaxCode",
    "fileidentity": "FileIdentity",
}
"""Kind -> singular path."""

TRANSACTIONS = frozenset({"invoice", "payment", "journal"})
"""Kinds whose key reads `TransactionId`; all others `Id`."""
