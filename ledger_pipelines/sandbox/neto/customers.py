"""Customers: GetCustomer, AddCustomer, UpdateCustomer.

Belongs here: their fields. Does not belong here: orders. Source: neto.md 7.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.shapes import Answer, as_list, collapsed, money, text, texts
from ledger_pipelines.sandbox.neto.shop import (
    Filter,
    NetoError,
    Shop,
    among,
    between,
    chosen,
    decimal,
    flag,
    flagged,
    pick,
)
from ledger_pipelines.sandbox.neto.store import Row

KIND = "customer"
BILL = tuple(f"Bill{part}" for part in ("FirstName", "LastName", "Company", "StreetLine1", "StreetLine2", "City", "State", "PostCode", "Country", "Phone", "Fax"))  # fmt: skip
SHIP = tuple(name.replace("Bill", "Ship", 1) for name in BILL)
_FLAGS = {"Active": True, "OnCreditHold": False, "NewsletterSubscriber": False}
_TEXTS = {
    "Type": 20, "EmailAddress": 50, "SecondaryEmailAddress": 50, "ParentUsername": 25, "ABN": 30, "DefaultInvoiceTerms": 50,
    "Classification1": 20, "Classification2": 20, "UserGroup": 50, "DefaultOrderType": 20, "InternalNotes": None, "WebsiteURL": 255,
    "SalesChannel": 15, "UserCustom1": 255, "UserCustom2": 255,
}  # fmt: skip
_LONGEST = {"PostCode": 15, "Country": 2, "Phone": 30}


class Customers:
    """The store's customers."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._store = shop, shop.store

    def get(self, sent: object, answer: Answer) -> None:
        """GetCustomer."""
        asked = Filter.of(sent)
        usernames = asked.texts("Username")
        tests = [
            *among(usernames, lambda row: row.key, fold=True),
            *among(asked.texts("ID"), lambda row: row.number),
            *among(asked.texts("Email"), lambda row: row.body["EmailAddress"], fold=True),
            *among(asked.texts("Company"), lambda row: row.body["BillingAddress"]["BillCompany"], fold=True),
            *among(asked.texts("Type"), lambda row: row.body["Type"], fold=True),
            *among(asked.texts("UserGroup"), lambda row: row.body["UserGroup"], fold=True),
            *(test for name in _FLAGS for test in flagged(asked.flags(name), name)),
            *between(asked.instants("DateAdded"), lambda row: row.added),
            *between(asked.instants("DateUpdated"), lambda row: row.updated),
        ]
        page = asked.page(chosen(self._store.select(KIND), tests), self._shop.settings)
        answer.body["Customer"] = [pick(self._shown(row), asked.selected, ("Username",)) for row in page]

    def _shown(self, row: Row) -> Document:
        body = texts({name: row.body[name] for name in (*_FLAGS, *_TEXTS)})
        dates = {
            f"{name}{suffix}": value
            if suffix != "Local"
            else self._shop.local(value).strftime("%Y-%m-%d %H:%M:%S")
            for name, value in (("DateAdded", row.added), ("DateUpdated", row.updated))
            for suffix in ("", "UTC", "Local")
        }
        return {
            **body, **dates, "ID": str(row.number), "Username": row.key, "RegistrationDate": row.added[:10],
            "BillingAddress": dict(row.body["BillingAddress"]), "ShippingAddress": dict(row.body["ShippingAddress"]),
            "CreditLimit": money(row.body["CreditLimit"]), "AvailableCredit": money(row.body["AvailableCredit"]),
            "AccountBalance": money(0),
        }  # fmt: skip

    def row(self, username: str) -> Row | None:
        """A customer by user name, without regard to case."""
        return next(self._store.select(KIND, "key = ? COLLATE NOCASE", (username,)), None)

    def add(self, sent: object, answer: Answer) -> None:
        """AddCustomer."""
        made = []
        for wish in _customers(sent):
            username = text(wish.get("Username")).strip()
            if not username or len(username) > 25:
                answer.warnings.append(
                    "Username is required" if not username else f"Invalid Username {username}"
                )
                continue
            if self.row(username) is not None:
                answer.warnings.append(f"Customer {username} already exists")
                continue
            self.make(username, wish)
            made.append({"Username": username})
        answer.body["Customer"] = collapsed(made)

    def make(self, username: str, wish: Document) -> Row:
        """A new customer."""
        body: Document = {
            **_FLAGS,
            **dict.fromkeys(_TEXTS, ""),
            "Type": "Customer",
            "CreditLimit": "0",
            "AvailableCredit": "0",
        }
        body |= {"BillingAddress": dict.fromkeys(BILL, ""), "ShippingAddress": dict.fromkeys(SHIP, "")}
        self._merge(body, wish)
        return self._store.add(KIND, username, self._store.next("customer"), body, self._shop.now())

    def update(self, sent: object, answer: Answer) -> None:
        """UpdateCustomer."""
        done = []
        for wish in _customers(sent):
            row = self.row(text(wish.get("Username")))
            if row is None:
                answer.warnings.append(f"Cannot find Customer {text(wish.get('Username'))}")
                continue
            self._merge(row.body, wish)
            self._store.save(row, self._shop.now())
            done.append({"Username": row.key})
        answer.body["Customer"] = collapsed(done)

    @staticmethod
    def _merge(body: Document, wish: Document) -> None:
        for name, value in wish.items():
            if name in _FLAGS:
                body[name] = flag(value)
            elif name in _TEXTS:
                longest = _TEXTS[name]
                if longest is not None and len(text(value)) > longest:
                    raise NetoError(f"{name} must not exceed {longest} characters")
                body[name] = text(value)
            elif name == "CreditLimit":
                body[name] = str(decimal(value, name))
            elif name in ("BillingAddress", "ShippingAddress") and isinstance(value, dict):
                for part, told in value.items():
                    longest = next((n for end, n in _LONGEST.items() if part.endswith(end)), 50)
                    if part in body[name]:
                        if len(text(told)) > longest:
                            raise NetoError(f"{part} must not exceed {longest} characters")
                        body[name][part] = text(told)


def _customers(sent: object) -> list[Document]:
    found = as_list(sent.get("Customer") if isinstance(sent, dict) else None)
    if not found:
        raise NetoError("Customer is required.")
    return [one for one in found if isinstance(one, dict)]
