"""What a file of Saasu begins with: its chart, tax codes, set-up items; the demo's items and contacts.

Belongs here: seeds, made through the same rules as the API (nothing is written behind them). Source: saasu.md 5.2, 8.1.12.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ledger_pipelines.sandbox import demo_shop
from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.saasu.book import EXCHANGE, PAYABLE, RECEIVABLE, TAX_COLLECTED, TAX_PAID, Call
from ledger_pipelines.sandbox.saasu.money import cents

if TYPE_CHECKING:
    from ledger_pipelines.sandbox.saasu.app import SaasuApp

FILES = {
    5150: ("Harbour Tea Pty Ltd", "Australia", "AU", "AUD"),
    6021: ("Harbour Tea NZ Ltd", "New Zealand", "NZ", "NZD"),
}
SHIPPING, SURCHARGE, DISCOUNT = 300001, 300002, 300003
G1, G1_FREE, G1_EXPORT, G11 = 7, 8, 10, 12

_TAX_CODES = (
    (G1, "G1", "GST", "0.1", True, False, TAX_COLLECTED),
    (G1_FREE, "G1,G3", "GST Free Supplies", "0", True, False, None),
    (9, "G1,G4", "Input Taxed Sales", "0", True, False, None),
    (G1_EXPORT, "G1,G2", "Exports", "0", True, False, None),
    (11, "G7", "Adjustments", "0", True, False, None),
    (G11, "G11", "GST on Expenses", "0.1", False, True, TAX_PAID),
    (13, "G11,G14", "GST Free Expenses", "0", False, True, None),
    (14, "G10", "Capital Acquisitions", "0.1", False, True, TAX_PAID),
    (15, "G10,G14", "GST Free Capital", "0", False, True, None),
    (16, "G18", "Adjustments to purchases", "0", False, True, None),
)
_ACCOUNTS: tuple[tuple[int, str, str, Document], ...] = (
    (RECEIVABLE, "Accounts Receivable", "Asset", {"IsBuiltIn": True}),
    (PAYABLE, "Accounts Payable", "Liability", {"IsBuiltIn": True}),
    (TAX_COLLECTED, "GST Collected", "Liability", {"IsBuiltIn": True}),
    (TAX_PAID, "GST Paid", "Asset", {"IsBuiltIn": True}),
    (EXCHANGE, "Exchange Gain or Loss", "Other Expense", {"IsBuiltIn": True}),
    (
        9001,
        "ANZ Cheque",
        "Asset",
        {"IsBankAccount": True, "Number": "123456789", "BSB": "012003", "MerchantFeeAccountId": 9055},
    ),
    (9002, "PayPal Clearing", "Asset", {"IsBankAccount": True}),
    (9003, "Gift Voucher Clearing", "Asset", {"IsBankAccount": True}),
    (9011, "Inventory", "Asset", {}),
    (9020, "Deposits Received Clearing", "Liability", {}),
    (9030, "Owner's Equity", "Equity", {}),
    (9040, "Sales", "Income", {"DefaultTaxCode": "G1"}),
    (9041, "Shipping Income", "Income", {"DefaultTaxCode": "G1"}),
    (9042, "Other Income", "Other Income", {}),
    (9050, "Cost of Goods Sold", "Cost of Sales", {}),
    (9055, "Merchant Fees", "Expense", {}),
    (9056, "Purchases", "Expense", {"DefaultTaxCode": "G11"}),
    (9060, "Opening Stock", "Equity", {}),
    (9061, "Rounding", "Other Expense", {}),
    (9900, "Old Sales", "Income", {"IsActive": False}),
)


def begin(app: SaasuApp) -> None:
    """Both files, empty but for their chart, tax codes and set-up items."""
    now = app.book.now()
    for file, (name, country, zone, currency) in FILES.items():
        identity = {
            "Name": name, "FullLegalName": name, "TradingNameOrAlternativeBrandName": "Harbour Tea", "Country": country,
            "Zone": zone, "CurrencyCode": currency, "SubscriptionName": "Medium", "IsTaxRegistered": True,
            "FileSettings": {"SaleAmountsIncludeTax": True, "PurchaseAmountsIncludeTax": True, "SaleTradingTerms": None,
                             "PurchaseTradingTerms": None},
            "BusinessIdentifier": "11222333444", "CompanyIdentifier": None, "PrimaryPhone": None, "Website": None,
            "Email": None, "Street": "7 Quay St", "City": "Sydney", "State": "NSW", "PostCode": "2000",
            "TaxRegistrationDate": "2015-07-01T00:00:00", "FinancialYearEndMonth": 6, "FinancialYearEndDate": 30,
        }  # fmt: skip
        app.book.store.insert(file, "fileidentity", "file", identity, now, file)
        for code_id, code, title, rate, sale, purchase, posting in _TAX_CODES:
            body = {
                "Code": code, "Name": title, "Rate": Decimal(rate), "PostingAccountId": posting, "IsSale": sale,
                "IsPurchase": purchase, "IsPayroll": False, "IsInbuilt": True, "IsShared": True, "IsActive": True, "Notes": None,
            }  # fmt: skip
            app.book.store.insert(file, "taxcode", "taxcode", body, now, code_id)
        for account_id, title, kind, more in _ACCOUNTS:
            body = dict.fromkeys(app.resources["account"].spec)
            body |= {
                "Name": title, "AccountType": kind, "AccountLevel": "Detail", "IsActive": True, "IsBankAccount": False,
                "IsBuiltIn": False, "Currency": currency, **more,
            }  # fmt: skip
            app.book.store.insert(file, "account", "account", body, now, account_id)
        for item_id, code, title, account in (
            (SHIPPING, "SHIPPING", "Shipping", 9041), (SURCHARGE, "SURCHARGE", "Payment surcharge", 9042),
            (DISCOUNT, "DISCOUNT", "Discount", 9040),
        ):  # fmt: skip
            sent = {
                "Code": code, "Description": title, "Type": "I", "IsActive": True, "IsSold": True, "IsVisible": True,
                "SaleIncomeAccountId": account, "SaleTaxCodeId": G1,
            }  # fmt: skip
            app.items.insert_row(_call(app, file), sent, item_id)


def _call(app: SaasuApp, file: int, body: object = None) -> Call:
    del app
    return Call("POST", file, "books@harbourtea.example", {}, body, "", "")


def demo(app: SaasuApp) -> None:
    """The shop's items with opening stock, a combo, and the customers the books know."""
    file = 5150
    call = _call(app, file)
    opening: list[Document] = []

    def item(
        code: str,
        name: str,
        price: Decimal,
        cost: Decimal,
        stock: int,
        *,
        tax_free: bool = False,
        active: bool = True,
    ) -> int:
        tracked = stock > 0 and cost > 0
        row = app.items.insert_row(
            call,
            {
                "Code": code, "Description": name, "Type": "I", "IsActive": active, "IsVisible": True, "IsInventoried": tracked,
                "AssetAccountId": 9011 if tracked else None, "IsSold": True, "SaleIncomeAccountId": 9040,
                "SaleTaxCodeId": G1_FREE if tax_free else G1, "SaleCoSAccountId": 9050 if tracked else None,
                "IsBought": tracked, "PurchaseTaxCodeId": G11 if tracked else None, "SellingPrice": cents(price),
                "IsSellingPriceIncTax": True, "BuyingPrice": cost, "IsBuyingPriceIncTax": False,
            },
        )  # fmt: skip
        if tracked:
            line = {
                "ItemId": row.id,
                "Quantity": stock,
                "AccountId": 9060,
                "UnitPrice": cost,
                "TotalPrice": cents(cost * stock),
            }
            opening.append(line)
        return row.id

    ids = {
        product.books_code: item(
            product.books_code,
            product.name,
            product.price,
            product.cost,
            product.stock,
            tax_free=product.tax_free,
        )
        for product in demo_shop.products()
        if product.books_code is not None and not product.is_parent
    }
    for code, name, price, cost, stock in demo_shop.BOOKS_ONLY:
        item(code, name, price, cost, stock)
    item("TEA-OLD-100", "Discontinued blend 100 g", Decimal("11.00"), Decimal("4.00"), 3, active=False)
    adjustments = app.resources["itemadjustment"]
    adjustments.insert_row(
        call, {"Date": demo_shop.OPENING, "Summary": "Opening stock", "AdjustmentItems": opening}
    )
    app.items.insert_row(
        call,
        {
            "Code": "HAMPER", "Description": "Hamper, built by hand", "Type": "C", "IsActive": True, "IsInventoried": True,
            "AssetAccountId": 9011, "IsSold": True, "SaleIncomeAccountId": 9040, "SaleTaxCodeId": G1, "SaleCoSAccountId": 9050,
            "SellingPrice": Decimal("95.00"), "IsSellingPriceIncTax": True,
            "BuildItems": [{"Id": ids["POT-600"], "Quantity": 1}, {"Id": ids["TEA-EB-100"], "Quantity": 2}],
        },
    )  # fmt: skip
    contacts, companies = app.resources["contact"], app.resources["company"]
    for one in demo_shop.customers():
        if one.books_reference is None:
            continue
        company = companies.insert_row(call, {"Name": one.company}).id if one.company else None
        contacts.insert_row(
            call,
            {
                "GivenName": one.given, "FamilyName": one.family, "EmailAddress": one.email, "CompanyId": company,
                "ContactId": one.books_reference or None, "IsCustomer": True, "MobilePhone": one.phone,
                "PostalAddress": {"Street": one.street, "City": one.city, "State": one.state, "Postcode": one.postcode,
                                  "Country": {"AU": "Australia", "NZ": "New Zealand"}.get(one.country, "United States")},
            },
        )  # fmt: skip
