"""Files, accounts and tax codes: what is set up before anything is booked.

Belongs here: their fields and rules. Does not belong here: postings. Source: saasu.md 5.1, 5.2, 5.3.
"""

from __future__ import annotations

from typing import ClassVar

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.answers import SaasuError
from ledger_pipelines.sandbox.saasu.book import Call
from ledger_pipelines.sandbox.saasu.fields import INTEGER, MAYBE, TEXT, Field, Kind, flag_of, text
from ledger_pipelines.sandbox.saasu.resource import Resource, Where
from ledger_pipelines.sandbox.saasu.store import Row

TYPES = (
    "Income",
    "Expense",
    "Asset",
    "Equity",
    "Liability",
    "Other Income",
    "Other Expense",
    "Cost of Sales",
)
_BANKABLE = frozenset({"Asset", "Liability", "Equity"})
_SUMMARY = ("Name", "Country", "Zone", "CurrencyCode", "SubscriptionName", "IsTaxRegistered", "FileSettings")


class FileIdentities(Resource):
    """`/FileIdentities` lists the files of the login, `/FileIdentity` shows one."""

    kind, sequence = "fileidentity", "file"
    spec: ClassVar = {
        "Name": TEXT, "FullLegalName": TEXT, "TradingNameOrAlternativeBrandName": TEXT, "BusinessIdentifier": TEXT,
        "CompanyIdentifier": TEXT, "PrimaryPhone": TEXT, "Website": TEXT, "Email": TEXT, "Street": TEXT, "City": TEXT,
        "State": TEXT, "PostCode": TEXT,
    }  # fmt: skip

    def of_login(self, files: tuple[int, ...], call: Call) -> Document:
        """`GET /FileIdentities`, without FileId."""
        rows = [row for file in files if (row := self.store.get(file, self.kind, file)) is not None]
        shown = [
            {
                "Id": row.id,
                **{name: row.body[name] for name in _SUMMARY},
                "_links": call.detail("FileIdentity", row.id),
            }
            for row in rows
        ]
        return {"FileIdentities": shown, "_links": []}

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """A name is needed."""
        del call, row
        if not body["Name"]:
            raise SaasuError("Please specify the file name.")


class TaxCodes(Resource):
    """Read only; a code may hold commas (5.2)."""

    kind, sequence = "taxcode", "taxcode"
    spec: ClassVar[dict[str, Field]] = {}
    detail_only: ClassVar = frozenset({"Notes"})
    writable = False

    def filters(self, call: Call) -> Where:
        """`IsActive`."""
        where = Where()
        where.flag("IsActive", call.params.get("isactive"))
        return where


class Accounts(Resource):
    """Accounts; only bank accounts take payments (5.3)."""

    kind, sequence = "account", "account"
    spec: ClassVar = {
        "Name": text(75), "AccountLevel": Field(Kind.TEXT, initial="Detail"), "AccountType": TEXT,
        "IsActive": Field(Kind.MAYBE, initial=True), "DefaultTaxCode": TEXT, "LedgerCode": TEXT, "Currency": text(3),
        "HeaderAccountId": INTEGER, "ExchangeAccountId": INTEGER, "IsBankAccount": Field(Kind.MAYBE, initial=False),
        "BSB": text(6), "Number": text(20), "BankAccountName": text(75), "BankFileCreationEnabled": MAYBE,
        "BankCode": TEXT, "UserNumber": TEXT, "MerchantFeeAccountId": INTEGER, "IncludeInForecaster": MAYBE,
        "IncludePendingTransactions": MAYBE,
    }  # fmt: skip

    def filters(self, call: Call) -> Where:
        """Types are taken with and without spaces."""
        where = Where()
        where.flag("IsActive", call.params.get("isactive"))
        where.flag("IsBankAccount", call.params.get("isbankaccount"))
        where.number("HeaderAccountId", call.params.get("headeraccountid"))
        where.equal("AccountLevel", call.params.get("accountlevel"))
        told = call.params.get("accounttype")
        if told:
            where.add(
                "replace(lower(json_extract(body, '$.AccountType')), ' ', '') = ?",
                told.replace(" ", "").lower(),
            )
        builtin = call.params.get("includebuiltin")
        if builtin and not flag_of(builtin):
            where.add("coalesce(json_extract(body, '$.IsBuiltIn'), 0) = 0")
        return where

    def shown(self, row: Row, call: Call) -> Document:
        """With `IsBuiltIn`."""
        del call
        return {"IsBuiltIn": False, **row.body}

    def check(self, body: Document, call: Call, row: Row | None) -> None:
        """Name, type, bank details only for banks."""
        if not body["Name"]:
            raise SaasuError("Please specify the account name.")
        known = {one.replace(" ", "").lower(): one for one in TYPES}
        wanted = known.get(str(body["AccountType"] or "").replace(" ", "").lower())
        if wanted is None:
            raise SaasuError("The account type is invalid.")
        body["AccountType"] = wanted
        if body["IsBankAccount"] and wanted not in _BANKABLE:
            raise SaasuError("A bank account must be of type Asset, Liability or Equity.")
        if not body["BankFileCreationEnabled"]:
            body["BankCode"] = body["UserNumber"] = None
        twin = "lower(json_extract(body, '$.Name')) = lower(?) AND json_extract(body, '$.AccountType') = ? AND id <> ?"
        own = 0 if row is None else row.id
        if next(self.store.select(call.file, self.kind, twin, (body["Name"], wanted, own)), None) is not None:
            raise SaasuError(f"You already have an account of type '{wanted}' with name '{body['Name']}'.")
        if body["MerchantFeeAccountId"] is not None:
            self.book.account(call.file, body["MerchantFeeAccountId"])
        if row is not None and row.body.get("IsBuiltIn"):
            raise SaasuError("A built-in account cannot be changed.")

    def removing(self, row: Row, call: Call) -> None:
        """Refused when built in or used (inferred)."""
        used = self.store.db.execute(
            "SELECT 1 FROM saasu_ledger WHERE file = ? AND account = ? LIMIT 1", (call.file, row.id)
        ).fetchone()
        if row.body.get("IsBuiltIn") or used:
            raise SaasuError("The account is in use and therefore cannot be deleted.")
