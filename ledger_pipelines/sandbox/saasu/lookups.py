"""What is only read: deleted entities, search, look-up data, bank balances.

Belongs here: those lists. Does not belong here: any record. Source: saasu.md 5.3, 5.11, 5.12, 5.13.
"""

from __future__ import annotations

from datetime import timedelta

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import SaasuError, missing
from ledger_pipelines.sandbox.saasu.book import Book, Call
from ledger_pipelines.sandbox.saasu.fields import flag_of
from ledger_pipelines.sandbox.saasu.invoices import CURRENCIES
from ledger_pipelines.sandbox.saasu.money import number, summed
from ledger_pipelines.sandbox.saasu.resource import envelope, instant_of, page_of, pair, utc_text
from ledger_pipelines.sandbox.saasu.store import Row, stamp

ENTITIES = ("Sale", "Purchase", "SalePayment", "PurchasePayment", "Item", "Contact", "Journal")
_SIDES = {
    "transactions.sale": ("invoice", "S"),
    "transactions.purchase": ("invoice", "P"),
    "transactions.journal": ("journal", ""),
}


class Lookups:
    """Reads across kinds."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def deleted(self, call: Call) -> Document:
        """`GET /DeletedEntities`: the last 24 hours unless dates are given."""
        kind = call.params.get("entitytype", "")
        known = {name.lower(): name for name in ENTITIES}
        if kind and kind.lower() not in known:
            raise SaasuError("The entity type is invalid.")
        first, last = pair(
            call, ("utcdeletedfromdate", "utcdeletedtodate"), strict=self._book.settings.strict_pairs
        )
        now = self._book.now()
        low = stamp(now - timedelta(hours=24)) if first is None else stamp(instant_of(first))
        high = stamp(now) if last is None else stamp(instant_of(last))
        number_, size = page_of(call)
        values: list[object] = [call.file, low, high]
        where = "file = ? AND at >= ? AND at <= ?"
        if kind:
            where += " AND entity = ?"
            values.append(known[kind.lower()])
        found = self._book.store.db.execute(
            f"SELECT id, entity, entity_id, at, login FROM saasu_deleted WHERE {where} ORDER BY id "  # noqa: S608  own conditions
            "LIMIT ? OFFSET ?",
            (*values, size + 1, (number_ - 1) * size),
        ).fetchall()
        rows = [
            {
                "EntityType": entity,
                "EntityId": entity_id,
                "DeletedByUser": login,
                "Timestamp": utc_text(n, at),
                "_links": [],
            }
            for n, entity, entity_id, at, login in found[:size]
        ]
        return envelope("Entities", rows, call, number_, size, more=len(found) > size)

    def search(self, call: Call) -> Document:
        """`GET /Search`: for people; knows of a write some seconds late."""
        words = call.params.get("keywords", "").strip()
        if not words:
            raise SaasuError("Please specify Keywords.")
        scope = call.params.get("scope", "All").lower()
        everything = words == "*:*"
        marked = flag_of(call.params.get("includesearchtermhighlights") or "true") and not everything
        number_, size = page_of(call)
        contacts = (
            self._found("contact", call, words, everything)
            if scope not in ("transactions", "inventoryitems")
            else []
        )
        items = (
            self._found("item", call, words, everything) if scope not in ("transactions", "contacts") else []
        )
        transactions = (
            [] if scope in ("contacts", "inventoryitems") else self._transactions(call, words, everything)
        )
        cut = slice((number_ - 1) * size, number_ * size)

        def shown(text: object) -> str:
            told = str(text or "")
            return told.replace(words, f"<em>{words}</em>") if marked else told

        return {
            "Contacts": [
                {"Id": r.id, "Name": shown(f"{r.body['GivenName'] or ''} {r.body['FamilyName'] or ''}".strip()),
                 "CompanyId": r.body["CompanyId"] or 0, "CustomerContactId": r.body["ContactId"],
                 "ContactEmail": shown(r.body["EmailAddress"]), "MainPhone": r.body["PrimaryPhone"]}
                for r in contacts[cut]
            ],
            "InventoryItems": [
                {"Id": r.id, "Code": shown(r.body["Code"]), "Description": shown(r.body["Description"])} for r in items[cut]
            ],
            "Transactions": [
                {"Id": r.id, "Summary": shown(r.body.get("Summary")), "InvoiceNumber": shown(r.body.get("InvoiceNumber")),
                 "TotalAmountIncTax": str(r.body.get("TotalAmount", "")), "Tags": ",".join(r.body.get("Tags") or ())}
                for r in transactions[cut]
            ],
            "TotalContactsFound": len(contacts), "TotalInventoryItemsFound": len(items),
            "TotalTransactionsFound": len(transactions), "_links": [],
        }  # fmt: skip

    def _found(self, kind: str, call: Call, words: str, everything: bool) -> list[Row]:
        known = stamp(self._book.now() - timedelta(seconds=self._book.settings.search_lag_seconds))
        where, values = "modified <= ?", [known]
        if not everything:
            where += " AND instr(lower(body), lower(?)) > 0"
            values.append(words)
        return list(self._book.store.select(call.file, kind, where, values))

    def _transactions(self, call: Call, words: str, everything: bool) -> list[Row]:
        told = call.params.get("transactiontype", "").lower()
        kinds = [_SIDES[told]] if told in _SIDES else [("invoice", ""), ("journal", "")]
        return [
            row
            for kind, side in kinds
            for row in self._found(kind, call, words, everything)
            if not side or row.body.get("TransactionType") == side
        ]

    def data(self, call: Call, name: str) -> Document:
        """`GET /LookupData/{name}`."""
        del call
        values = {
            "countries": ["Australia", "New Zealand", "United Kingdom", "United States"],
            "currencies": sorted(CURRENCIES),
            "industrytypes": ["Retail", "Wholesale"],
            "zones": ["AU", "NZ"],
        }
        if name.lower() not in values:
            raise missing("The lookup data is not found.")
        return {name: [{"Name": value} for value in values[name.lower()]], "_links": []}

    def balances(self, call: Call) -> Document:
        """`GET /Accounts/BankAccountBalances` (its shape was not found: saasu.md 11.9)."""
        sums: dict[int, list[object]] = {}
        for _, _, account, _, amount, _, _ in self._book.store.ledger(call.file):
            sums.setdefault(account, []).append(amount)
        banks = self._book.store.select(call.file, "account", "json_extract(body, '$.IsBankAccount') = 1")
        rows = [
            {
                "AccountId": row.id,
                "Name": row.body["Name"],
                "Balance": summed(number(a) for a in sums.get(row.id, ())),
            }
            for row in banks
        ]
        return {"BankAccountBalances": rows, "_links": []}
