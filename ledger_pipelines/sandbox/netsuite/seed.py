"""Filling a new account: master data ("empty"), and the orders behind the demo settlements ("demo").

Belongs here: writing seed_data and the demo's documents through the engine. Does not belong here: the figures
themselves (seed_data, amazon.demo_files).
"""

from __future__ import annotations

import calendar
import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from ledger_pipelines.sandbox.codec import ZERO, Document
from ledger_pipelines.sandbox.netsuite import seed_data as data
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.engine import Engine, require_type
from ledger_pipelines.sandbox.netsuite.normalise import Options
from ledger_pipelines.sandbox.netsuite.store import Row

ROLE = 1000


class Seeder:
    """Writes one company's seed. Call inside an empty store."""

    def __init__(self, company: Company):
        self.company = company
        self.engine = Engine(company)

    def empty(self) -> None:
        """Master data only."""
        with self.company.store.transaction():
            self.company.fill_lists()
            for at, symbol, name, precision, rate in data.CURRENCIES:
                body = {
                    "name": name, "symbol": symbol, "isBaseCurrency": at == 1, "currencyPrecision": precision,
                    "exchangeRate": Decimal(rate),
                }  # fmt: skip
                self._put("currency", at, name, body)
            names: dict[int, str] = {}
            for at, name, parent, currency, country in data.SUBSIDIARIES:
                names[at] = f"{names[parent]} : {name}" if parent else name
                body = {"name": name, "fullName": names[at], "currency": str(currency), "country": country}
                self._put("subsidiary", at, name, body | ({"parent": str(parent)} if parent else {}))
            self._accounts()
            self._items()
            for at, name, days in data.TERMS:
                self._put("term", at, name, {"name": name, "daysUntilNetDue": days})
            for rectype, rows in (
                ("paymentMethod", data.PAYMENT_METHODS),
                ("department", data.DEPARTMENTS),
                ("classification", data.CLASSES),
                ("location", data.LOCATIONS),
            ):
                for at, name in rows:
                    extra = {} if rectype == "paymentMethod" else {"fullName": name}
                    self._put(rectype, at, name, {"name": name} | extra)
            self._periods()
            self._customers()

    def _put(self, rectype: str, at: int, name: str, body: Document, external_id: str | None = None) -> None:
        record_type = require_type(self.company, rectype)
        stamp, local = self.company.stamps()
        self.company.store.put(
            Row(
                record_type.family, at, record_type.name, body, external_id, name, bool(body.get("isInactive")),
                stamp, stamp, local, local, ROLE,
            )
        )  # fmt: skip
        self.company.store.raise_counter(
            record_type.family, max(at, 1000) if record_type.family == "account" else at
        )

    def _accounts(self) -> None:
        for one in data.ACCOUNTS:
            body: Document = {"acctNumber": one.number, "acctName": one.name, "acctType": one.type}
            if one.currency:
                body["currency"] = str(one.currency)
            body["subsidiary"] = [str(one.subsidiary or 1)]
            body["includeChildren"] = not one.subsidiary
            self._put("account", one.id, f"{one.number} {one.name}", body)

    def _items(self) -> None:
        numbers = {one.number: str(one.id) for one in data.ACCOUNTS}
        for one in data.ITEMS:
            record_type = require_type(self.company, one.type)
            field_name = "account" if one.type in {"discountItem", "salesTaxItem"} else "incomeAccount"
            body: Document = {
                "itemId": one.item_id, "displayName": one.display, "itemType": record_type.item_type,
                field_name: numbers[one.account],
            }  # fmt: skip
            if one.rate:
                body["rate"] = Decimal(one.rate)
            self._put(one.type, one.id, one.item_id, body)
        self.company.store.raise_counter("item", 1000)

    def _periods(self) -> None:
        first, last = data.YEARS
        at = 0
        for year in range(first, last + 1):
            at += 1
            year_id = at
            self._put(
                "accountingPeriod", at, f"FY {year}",
                {"periodName": f"FY {year}", "startDate": f"{year}-01-01", "endDate": f"{year}-12-31", "isYear": True},
            )  # fmt: skip
            for month in range(1, 13):
                at += 1
                end = calendar.monthrange(year, month)[1]
                name = f"{calendar.month_abbr[month]} {year}"
                self._put(
                    "accountingPeriod", at, name,
                    {
                        "periodName": name, "startDate": f"{year}-{month:02d}-01", "isPosting": True,
                        "endDate": f"{year}-{month:02d}-{end:02d}", "parent": str(year_id), "closed": False,
                        "arLocked": False, "apLocked": False, "allLocked": False,
                    },
                )  # fmt: skip

    def _customers(self) -> None:
        for at, name, unit, currency in data.CUSTOMERS:
            body: Document = {
                "entityId": name, "companyName": name, "altName": name, "isPerson": False, "entityStatus": "13",
                "subsidiary": str(unit), "currency": str(currency), "isInactive": "inactive" in name,
            }  # fmt: skip
            self._put("customer", at, name, body)
        self.company.store.raise_counter("entity", 300)

    def demo(self) -> None:
        """Items, invoices (AFN) and billable sales orders (MFN) behind the three demo settlements."""
        from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files  # noqa: PLC0415  demo seed only

        with self.company.store.transaction():
            for file in demo_settlement_files():
                for order in read_orders(file.content.decode("ascii")):
                    self.order(order)

    def order(self, order: Order) -> None:
        """One order as an invoice (AFN) or a billable sales order (MFN), without facilitator tax."""
        symbol = order.currency
        lines: list[Document] = []
        for (sku, code), part in order.items.items():
            lines.append(
                {
                    "item": {"id": str(self._item(sku))}, "quantity": part.quantity or 1,
                    "amount": part.amounts.get("Principal", ZERO), "custcol_azs_order_item_id": code,
                    "custcol_celigo_etail_order_line_id": code,
                }
            )  # fmt: skip
            for kind, item in (("Shipping", 2), ("GiftWrap", 3), ("Promotion", 4)):
                if part.amounts.get(kind):
                    line = {"item": {"id": str(item)}, "amount": part.amounts[kind]}
                    lines.append(line if kind == "Promotion" else line | {"quantity": 1})
        body = {
            "externalId": f"AMZ-{'INV' if order.by_amazon else 'SO'}-{order.order_id}",
            "entity": {"id": str(data.CUSTOMER_OF[symbol])},
            "tranDate": order.day,
            "otherRefNum": order.order_id,
            "custbody_azs_order_id": order.order_id,
            "custbody_celigo_etail_order_id": order.order_id,
            "memo": f"Amazon order {order.order_id}",
            "item": {"items": lines},
        }
        rectype = require_type(self.company, "invoice" if order.by_amazon else "salesOrder")
        self.engine.create(rectype, body, Options(names="error"), ROLE)

    def _item(self, sku: str) -> int:
        found = self.company.store.by_name("item", sku)
        if found is not None:
            return found.id
        rectype = require_type(self.company, "nonInventorySaleItem")
        body = {"itemId": sku, "displayName": sku, "incomeAccount": {"id": "400"}}
        return self.engine.create(rectype, body, Options(names="error"), ROLE).id


@dataclass
class Part:
    """One order item's quantity and amounts by kind (Principal, Shipping, GiftWrap, Promotion)."""

    quantity: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class Order:
    """One order of a settlement."""

    order_id: str
    currency: str
    day: str
    by_amazon: bool
    items: dict[tuple[str, str], Part] = field(default_factory=dict)


def read_orders(text: str) -> Iterable[Order]:
    """The orders of a V2 settlement file (tab separated, ISO or `dd.mm.yyyy` dates), in file order."""
    orders: dict[str, Order] = {}
    currency = ""
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        currency = currency or row["currency"]
        if row["transaction-type"] != "Order" or not row["order-id"]:
            continue
        order = orders.get(row["order-id"])
        if order is None:
            order = Order(row["order-id"], currency, row["posted-date"], row["fulfillment-id"] != "MFN")
            orders[row["order-id"]] = order
        kind = row["amount-description"] if row["amount-type"] == "ItemPrice" else row["amount-type"]
        if kind not in {"Principal", "Shipping", "GiftWrap", "Promotion"}:
            continue
        part = order.items.setdefault((row["sku"], row["order-item-code"]), Part())
        part.quantity = part.quantity or int(row["quantity-purchased"] or 0)
        part.amounts[kind] = part.amounts.get(kind, ZERO) + Decimal(row["amount"])
    return list(orders.values())
