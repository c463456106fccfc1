"""Master data of the emulated account, with fixed internal ids (table in docs/sandbox/netsuite.md).

Belongs here: constants. Does not belong here: writing them (seed).
"""

from __future__ import annotations

from dataclasses import dataclass

CURRENCIES = (
    # id, symbol, name, precision, exchange rate to the parent's base currency
    (1, "USD", "US Dollar", 2, "1"),
    (2, "EUR", "Euro", 2, "1.08"),
    (3, "GBP", "British Pound", 2, "1.27"),
    (4, "CAD", "Canadian Dollar", 2, "0.73"),
    (5, "JPY", "Japanese Yen", 0, "0.0067"),
)
SUBSIDIARIES = (
    # id, name, parent, currency, country
    (1, "Demo Retail Inc.", None, 1, "US"),
    (2, "Demo Retail Europe GmbH", 1, 2, "DE"),
    (3, "Demo Retail UK Ltd", 1, 3, "GB"),
    (4, "Demo Retail Canada Inc.", 1, 4, "CA"),
    (5, "Demo Retail Japan KK", 1, 5, "JP"),
)
CUSTOMERS = (
    # id, entity id, subsidiary, currency
    (101, "Amazon US", 1, 1),
    (102, "Amazon CA", 4, 4),
    (103, "Amazon UK", 3, 3),
    (104, "Amazon DE", 2, 2),
    (105, "Amazon JP", 5, 5),
    (110, "Amazon US (inactive)", 1, 1),
)


@dataclass(frozen=True)
class AccountSeed:
    """One account. `currency` and `subsidiary` are ids; 0 means every one (the whole group)."""

    id: int
    number: str
    name: str
    type: str
    currency: int = 0
    subsidiary: int = 0


_PER_CURRENCY = ((1, "USD", 1), (2, "EUR", 2), (3, "GBP", 3), (4, "CAD", 4), (5, "JPY", 5))

ACCOUNTS = (
    *(
        AccountSeed(200 + at, f"100{at}", f"Bank {symbol}", "Bank", at, unit)
        for at, symbol, unit in _PER_CURRENCY
    ),
    *(
        AccountSeed(220 + at, f"105{at}", f"Amazon Clearing {symbol}", "Bank", at, unit)
        for at, symbol, unit in _PER_CURRENCY
    ),
    AccountSeed(231, "1099", "Undeposited Funds", "OthCurrAsset"),
    AccountSeed(240, "1100", "Accounts Receivable", "AcctRec"),
    AccountSeed(241, "1110", "Accounts Receivable - Other", "AcctRec"),
    AccountSeed(250, "1210", "Amazon Reserve", "OthCurrAsset"),
    AccountSeed(251, "1300", "Inventory Asset", "OthCurrAsset"),
    AccountSeed(300, "2000", "Accounts Payable", "AcctPay"),
    AccountSeed(301, "2210", "Payable to Amazon", "OthCurrLiab"),
    AccountSeed(302, "2220", "Amazon Settlement Carried Forward", "OthCurrLiab"),
    AccountSeed(303, "2230", "Marketplace Facilitator Tax Payable", "OthCurrLiab"),
    AccountSeed(304, "2300", "Sales Taxes Payable", "OthCurrLiab"),
    AccountSeed(320, "3000", "Retained Earnings", "Equity"),
    AccountSeed(400, "4000", "Sales", "Income"),
    AccountSeed(401, "4100", "Shipping Income", "Income"),
    AccountSeed(402, "4110", "Gift Wrap Income", "Income"),
    AccountSeed(403, "4200", "Promotions and Discounts", "Income"),
    AccountSeed(404, "4300", "Sales Returns", "Income"),
    AccountSeed(405, "4400", "Restocking Fee Income", "Income"),
    AccountSeed(406, "4900", "Amazon Reimbursements", "OthIncome"),
    AccountSeed(500, "5000", "Cost of Goods Sold", "COGS"),
    AccountSeed(600, "6100", "Amazon Selling Fees", "Expense"),
    AccountSeed(601, "6110", "Amazon FBA Fees", "Expense"),
    AccountSeed(602, "6120", "Amazon Advertising", "Expense"),
    AccountSeed(603, "6130", "Amazon Storage Fees", "Expense"),
    AccountSeed(604, "6140", "Amazon Subscription Fees", "Expense"),
    AccountSeed(605, "6150", "Amazon Other Fees", "Expense"),
    AccountSeed(606, "6160", "Amazon Inbound and Removal Fees", "Expense"),
    AccountSeed(610, "6900", "Rounding Differences", "Expense"),
    AccountSeed(611, "6990", "Amazon Suspense", "OthCurrAsset"),
    AccountSeed(700, "7900", "Realized Exchange Gain/Loss", "OthExpense"),
)


@dataclass(frozen=True)
class ItemSeed:
    """One item; `account` is an account number."""

    id: int
    item_id: str
    type: str
    account: str
    display: str
    rate: str = ""


ITEMS = (
    ItemSeed(1, "AMZ-ITEM", "nonInventorySaleItem", "4000", "Amazon product (stand-in)"),
    ItemSeed(2, "AMZ-SHIPPING", "otherChargeSaleItem", "4100", "Amazon shipping charged to the buyer"),
    ItemSeed(3, "AMZ-GIFTWRAP", "otherChargeSaleItem", "4110", "Amazon gift wrap charged to the buyer"),
    ItemSeed(4, "AMZ-PROMOTION", "discountItem", "4200", "Amazon promotion", "0"),
    ItemSeed(5, "AMZ-TAX-REFUND", "otherChargeSaleItem", "2230", "Amazon tax-only refund (stand-in)"),
    ItemSeed(6, "AMZ-RESTOCKING", "otherChargeSaleItem", "4400", "Amazon restocking fee"),
    ItemSeed(7, "AMZ-TAX", "otherChargeSaleItem", "2300", "Amazon tax as a line of its own"),
    ItemSeed(8, "AMZ-REFUND", "otherChargeSaleItem", "4300", "Amazon refund stand-in for tracked items"),
    ItemSeed(9, "AMZ-ROUNDING", "otherChargeSaleItem", "6900", "Rounding"),
    ItemSeed(10, "TAX-0", "salesTaxItem", "2300", "Zero tax", "0"),
    ItemSeed(11, "TAX-20", "salesTaxItem", "2300", "20 % tax", "20"),
    ItemSeed(
        12, "DEMO-SHIPPED", "inventoryItem", "4000", "An item that must be fulfilled before it is billed"
    ),
)
TERMS = ((1, "Net 15", 15), (2, "Net 30", 30), (3, "Net 60", 60), (4, "Due on receipt", 0))
PAYMENT_METHODS = ((1, "Cash"), (2, "Check"), (3, "Amazon"))
DEPARTMENTS = ((1, "Online"), (2, "Retail"))
CLASSES = ((1, "Marketplace"), (2, "Web shop"))
LOCATIONS = ((1, "Main Warehouse"), (2, "Amazon FBA"))
YEARS = (2017, 2027)
SUBSIDIARY_OF = {symbol: unit for _, symbol, unit in _PER_CURRENCY}
CUSTOMER_OF = {"USD": 101, "CAD": 102, "GBP": 103, "EUR": 104, "JPY": 105}
