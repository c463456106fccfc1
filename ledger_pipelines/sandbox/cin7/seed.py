"""What an Omni account begins with: branches and users; the demo's catalogue, stock and customers.

Belongs here: seeds, made through the same rules as the API. Does not belong here: what the shop sells (`demo_shop`).
The demo answers to Neto's: the same SKUs but for `MISSING` (not there), `INACTIVE` (disabled) and one that differs in
case; branches that match Neto's warehouses by name, not by id; every third customer.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ledger_pipelines.sandbox import demo_shop
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.demo_shop import Customer, Product

if TYPE_CHECKING:
    from ledger_pipelines.sandbox.cin7.app import Cin7App

BRANCHES = ("Main warehouse", "Shed")
"""Ids 3 and 4: Neto's warehouses 1 and 3."""
SHED_STOCK = 2
MISSING, INACTIVE, OTHER_CASE, SIZED = "TEA-CL-250", "BOOK-TEA", "TIN-200", "TEA-JA"
"""SIZED: a style whose three SKUs are sizes of one option, so that its id repeats."""
_MADE = datetime.fromisoformat(f"{demo_shop.OPENING}T00:00:00")
"""UTC, naive: when everything of a seed was made."""
_COUNTRIES = {"AU": "Australia", "NZ": "New Zealand", "US": "United States"}


def begin(app: Cin7App) -> None:
    """Branches and users only."""
    store, app.account.at = app.account.store, _MADE
    with store.transaction():
        for name in BRANCHES:
            app.branches.insert(
                {"company": name, "branchType": "Warehouse", "city": "Sydney", "country": "Australia"}
            )
        for first, last in (("API", "Connection"), ("Ruth", "Okafor")):
            body = {
                "firstName": first,
                "lastName": last,
                "email": f"{first.lower()}@harbourtea.example",
                "isActive": True,
            }
            store.insert("user", store.next("user"), body, _MADE)
    app.account.at = None


def demo(app: Cin7App) -> None:
    """The shop's products with opening stock, and the customers Omni knows."""
    app.account.at = _MADE
    with app.account.store.transaction():
        _products(app)
        _contacts(app)
    app.account.at = None


def _code(product: Product) -> str:
    return product.sku.lower() if product.sku == OTHER_CASE else product.sku


def _products(app: Cin7App) -> None:
    sold = [one for one in demo_shop.products() if not one.is_parent and one.sku != MISSING]
    parents = {one.sku: one for one in demo_shop.products() if one.is_parent}
    styles: dict[str, list[Product]] = {}
    for product in sold:
        styles.setdefault(product.parent or product.sku, []).append(product)
    for style, members in styles.items():
        first = members[0]
        name = parents[style].name if style in parents else first.name
        status = "Inactive" if first.sku == INACTIVE else "Public"
        options = [_option(one, sized=style == SIZED) for one in members]
        code = _code(first) if style == first.sku else style
        app.products.insert(
            {"styleCode": code, "name": name, "status": status, "brand": "Harbour Tea", "optionLabel1": "Size",
             "category": "Tea" if style.startswith("TEA") else "Teaware", "productOptions": options}
        )  # fmt: skip
    for branch, extra in (
        (app.account.settings.main_branch, None),
        (app.account.settings.main_branch + 1, SHED_STOCK),
    ):
        lines = [
            {"code": _code(one), "qty": one.stock if extra is None else extra, "unitCost": one.cost}
            for one in sold
            if one.stock
        ]
        app.adjustments.insert(
            {
                "reference": f"OPENING-{branch}",
                "branchId": branch,
                "createdDate": demo_shop.OPENING,
                "lineItems": lines,
            }
        )


def _option(product: Product, *, sized: bool) -> Document:
    code = _code(product)
    option: Document = {
        "productOptionCode": SIZED if sized else code, "retailPrice": product.price, "productOptionBarcode": _barcode(product),
        "status": "Disabled" if product.sku == INACTIVE else "Primary",
    }  # fmt: skip
    label = " ".join(product.name.rsplit(" ", 2)[-2:]) if product.parent else None
    if sized:
        option |= {
            "productOptionSizeCode": code,
            "size": label,
            "productOptionSizeBarcode": _barcode(product),
        }
    elif label is not None:
        option["option1"] = label
    return option


def _barcode(product: Product) -> str:
    number = next(n for n, one in enumerate(demo_shop.products()) if one.sku == product.sku)
    return f"93{number:011d}"


def _contacts(app: Cin7App) -> None:
    shared: set[str] = set()
    for one in demo_shop.customers():
        if one.books_reference is not None:
            app.contacts.insert(_contact(one, shared))
            shared.add(one.email)


def _contact(one: Customer, shared: set[str]) -> Document:
    """An e-mail that another contact has may only be the second one's billing e-mail and a secondary contact's."""
    taken = one.email in shared
    contact: Document = {
        "type": "Customer", "firstName": one.given, "lastName": one.family, "company": one.company or None,
        "email": None if taken else one.email, "mobile": one.phone, "address1": one.street, "city": one.city,
        "state": one.state, "postCode": one.postcode, "country": _COUNTRIES[one.country],
        "integrationRef": one.books_reference or None, "priceColumn": "Retail",
    }  # fmt: skip
    if taken:
        contact |= {
            "billingEmail": one.email,
            "secondaryContacts": [{"firstName": one.given, "email": one.email}],
        }
    return contact
