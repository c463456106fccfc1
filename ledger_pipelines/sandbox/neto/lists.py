"""Reference data: warehouses, payment and shipping methods, currency, accounts, categories and content, suppliers.

Belongs here: those lists. Does not belong here: products, orders. Source: neto.md 9.3, 11.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.neto.shapes import Answer, as_list, collapsed, text, texts
from ledger_pipelines.sandbox.neto.shop import Filter, NetoError, Shop, among, between, chosen, flag, pick
from ledger_pipelines.sandbox.neto.store import Row

_NAMED = {
    "Warehouse": ("warehouse", "WarehouseID", ("WarehouseReference", "WarehouseName")),
    "Category": ("category", "CategoryID", ("CategoryName", "ParentCategoryID")),
    "Content": ("category", "ContentID", ("ContentName", "ParentContentID", "ContentType")),
    "Supplier": ("supplier", "SupplierID", ("SupplierCompany",)),
}
"""Entity -> kind here, key, fields that filter."""


class Lists:
    """What changes seldom."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self._store = shop, shop.store

    def get(self, entity: str, sent: object, answer: Answer) -> None:
        """GetWarehouse, GetCategory, GetContent, GetSupplier."""
        kind, key, names = _NAMED[entity]
        asked = Filter.of(sent)
        tests = [
            *among(asked.texts(key), lambda row: row.key),
            *(test for name in names for test in among(asked.texts(name), self._reads(entity, name), fold=True)),
            *between(asked.instants("DateUpdated"), lambda row: row.updated),
        ]  # fmt: skip
        if entity == "Supplier" and "Page" in asked.fields:
            answer.body[entity] = ""  # seen in the field (4.4)
            return
        page = asked.page(chosen(self._store.select(kind), tests), self._shop.settings)
        shown = [pick(self._shown(entity, row.key, row.body), asked.selected, (key,)) for row in page]
        answer.body[entity] = shown if shown or entity != "Supplier" else ""

    def _reads(self, entity: str, name: str) -> Callable[[Row], object]:
        return lambda row: self._shown(entity, row.key, row.body)[name]

    @staticmethod
    def _shown(entity: str, key: str, body: Document) -> Document:
        if entity == "Content":
            return texts({
                "ID": key, "ContentID": key, "ContentName": body["CategoryName"], "ParentContentID": body["ParentCategoryID"],
                "ContentType": "Category", "Active": body["Active"],
            })  # fmt: skip
        name = _NAMED[entity][1]
        return texts({"ID": key, **body, name: key})

    def add(self, entity: str, sent: object, answer: Answer) -> None:
        """AddWarehouse, AddCategory, AddContent, AddSupplier."""
        kind, key, _ = _NAMED[entity]
        made = []
        for wish in _of(sent, entity):
            number = self._store.next(kind)
            given = text(wish.get(key)) or str(number)
            if self._store.get(kind, given) is not None:
                answer.warnings.append(f"{entity} {given} already exists")
                continue
            body = wish
            if entity == "Content":
                body = {
                    "CategoryName": wish.get("ContentName"),
                    "ParentCategoryID": wish.get("ParentContentID") or "0",
                    "Active": wish.get("Active", "True"),
                }
            self._store.add(kind, given, number, texts(body), self._shop.now())
            made.append({key: given})
        answer.body[entity] = collapsed(made)

    def payment_methods(self, sent: object, answer: Answer) -> None:
        """GetPaymentMethods: lower-case keys, y and n."""
        del sent
        methods = [
            {
                "id": row.key,
                "name": row.body["name"],
                "active": row.body["active"],
                "visible": row.body["visible"],
                "acc_code": row.body["acc_code"],
            }
            for row in self._store.select("paymentmethod")
        ]
        answer.body["PaymentMethods"] = {"PaymentMethod": methods}

    def shipping_methods(self, sent: object, answer: Answer) -> None:
        """GetShippingMethods."""
        del sent
        answer.body["ShippingMethods"] = {
            "ShippingMethod": collapsed([row.body for row in self._store.select("shippingmethod")])
        }

    def currency(self, sent: object, answer: Answer) -> None:
        """GetCurrencySettings."""
        del sent
        settings = self._shop.settings
        told = {"DEFAULTCOUNTRY": "AU", "DEFAULTCURRENCY": settings.currency, "GST_AMT": settings.tax_percent}
        answer.body["CurrencySettings"] = [told] if settings.outer_lists else told

    def accounts(self, sent: object, answer: Answer) -> None:
        """GetAccountingSystemRelatedAccounts."""
        del sent
        rows: Sequence[Document] = [
            {"acc_account_id": row.key, **row.body} for row in self._store.select("account")
        ]
        answer.body["RelatedAccounts"] = [{"RelatedAccount": list(rows)}]

    def add_account(self, sent: object, answer: Answer) -> None:
        """AddAccountingSystemRelatedAccount."""
        wishes = _of(sent, "RelatedAccount")
        ids = []
        for wish in wishes:
            number = self._store.next("account")
            self._store.add("account", str(number), number, texts(wish), self._shop.now())
            ids.append({"acc_account_id": str(number)})
        answer.body["RelatedAccount"] = collapsed(ids)
        answer.done.append("Account added")

    def update_account(self, sent: object, answer: Answer) -> None:
        """UpdateAccountingSystemRelatedAccount, DeleteAccountingSystemRelatedAccount (`"Delete": true`)."""
        for wish in _of(sent, "RelatedAccount"):
            row = self._store.get("account", text(wish.get("acc_account_id")))
            if row is None:
                answer.warnings.append(f"Cannot find RelatedAccount {text(wish.get('acc_account_id'))}")
                continue
            if flag(wish.get("Delete")):
                self._store.db.execute("DELETE FROM neto_row WHERE kind = 'account' AND key = ?", (row.key,))
                continue
            row.body |= texts({name: value for name, value in wish.items() if name != "acc_account_id"})
            self._store.save(row, self._shop.now())
        answer.done.append("Account updated")


def _of(sent: object, name: str) -> list[Document]:
    found = as_list(sent.get(name) if isinstance(sent, dict) else None)
    if not found:
        raise NetoError(f"{name} is required.")
    return [one for one in found if isinstance(one, dict)]
