"""Entities, items, accounts and the other list records. Field tables only. Source: netsuite.md 8.1 and 8.10."""

from __future__ import annotations

from ledger_pipelines.sandbox.netsuite.schema import RecordType, Sublist, fields_from

_LIST = "externalId text\nisInactive bool\n"
_STAMPS = "createdDate datetime ro\nlastModifiedDate datetime ro\n"

_CUSTOMER = """
entityId text max=83
isPerson bool
companyName text max=83
firstName text max=32
lastName text max=32
altName text ro
subsidiary ref:subsidiary
email email
altEmail email
phone text
altPhone text
mobilePhone text
homePhone text
fax text
entityStatus ref:*
terms ref:term
priceLevel ref:*
category ref:*
parent ref:entity
salesRep ref:*
territory ref:*
leadSource ref:*
currency ref:currency
receivablesAccount ref:account
creditLimit money
creditHoldOverride enum:AUTO|ON|OFF
taxable bool
taxItem ref:item
vatRegNumber text
resaleNumber text
taxExempt bool
comments clob
url text
language text
emailPreference enum:DEFAULT|HTML|PDF
isInactive bool
externalId text
dateCreated datetime ro
lastModifiedDate datetime ro
balance money ro
overdueBalance money ro
depositBalance money ro
unbilledOrders money ro
"""
_ADDRESS = """
id int
internalId int
addressId text
label text
defaultBilling bool
defaultShipping bool
isResidential bool
addressBookAddress map
"""
_ITEM = """
itemId text req max=60
displayName text
description clob
salesDescription clob
incomeAccount ref:account
expenseAccount ref:account
assetAccount ref:account
cogsAccount ref:account
account ref:account
rate number
basePrice number
taxSchedule ref:*
isFulfillable bool
includeChildren bool
upcCode text
vendorName text
department ref:department
class ref:classification
location ref:location
subsidiary multi:subsidiary
parent ref:item
isInactive bool
externalId text
createdDate datetime ro
lastModifiedDate datetime ro
"""


def _list(name: str, label: str, layout: str, /, **extra: str) -> RecordType:
    feature = extra.get("feature", "")
    return RecordType(
        name=name,
        family=extra.get("family", name),
        label=label,
        permission=extra.get("permission", label),
        fields=fields_from(layout + _LIST + _STAMPS),
        table=extra.get("table", name.lower()),
        name_field=extra.get("name_field", "name"),
        feature=feature,
    )


def _item(name: str, label: str, item_type: str) -> RecordType:
    return RecordType(
        name=name,
        family="item",
        label=label,
        permission="Items",
        fields=fields_from(_ITEM),
        table="item",
        name_field="itemId",
        item_type=item_type,
    )


_TREE = "name text req\nfullName text ro\nparent ref:{0}\nsubsidiary multi:subsidiary\nincludeChildren bool\n"

LISTS: tuple[RecordType, ...] = (
    RecordType(
        name="customer",
        family="entity",
        label="Customer",
        permission="Customers",
        fields=fields_from(_CUSTOMER),
        sublists=(
            Sublist("addressBook", fields_from(_ADDRESS), ("id",)),
            Sublist("currencyList", fields_from("currency ref:currency\nbalance money ro\n"), ("currency",)),
        ),
        table="customer",
        name_field="entityId",
    ),
    _list(
        "customerSubsidiaryRelationship",
        "Customer-Subsidiary Relationship",
        "entity ref:entity req\nsubsidiary ref:subsidiary req\nisPrimarySub bool\nbalance money ro\n",
        feature="oneWorld",
        permission="Customers",
        table="customersubsidiaryrelationship",
    ),
    _list(
        "account",
        "Account",
        "acctNumber text\nacctName text req\nacctType enum:Bank|AcctRec|Income|COGS|Expense|OthIncome|OthExpense"
        "|OthCurrAsset|OthCurrLiab|AcctPay|CredCard|Equity|FixedAsset|OthAsset|LongTermLiab|DeferRevenue"
        "|NonPosting|Stat req\ncurrency ref:currency\ndescription text\nparent ref:account\n"
        "subsidiary multi:subsidiary\nincludeChildren bool\nisSummary bool\n",
        permission="Accounts",
        name_field="acctName",
    ),
    _list(
        "currency",
        "Currency",
        "name text req\nsymbol text req\nisBaseCurrency bool\ncurrencyPrecision int\nexchangeRate number\n",
    ),
    _list(
        "subsidiary",
        "Subsidiary",
        "name text req\nfullName text ro\ncurrency ref:currency\ncountry text\nparent ref:subsidiary\nisElimination bool\n",
        feature="oneWorld",
        permission="Subsidiaries",
    ),
    _list("department", "Department", _TREE.format("department")),
    _list("classification", "Class", _TREE.format("classification")),
    _list("location", "Location", _TREE.format("location")),
    _list(
        "term", "Term", "name text req\ndaysUntilNetDue int\ndiscountPercent number\ndaysUntilExpiry int\n"
    ),
    _list("paymentMethod", "Payment Method", "name text req\n"),
    _list(
        "accountingPeriod",
        "Accounting Period",
        "periodName text req\nstartDate date req\nendDate date req\nclosed bool\narLocked bool\napLocked bool\n"
        "allLocked bool\nisAdjust bool\nisQuarter bool\nisYear bool\nisPosting bool\nparent ref:accountingPeriod\n",
        permission="Manage Accounting Periods",
        name_field="periodName",
    ),
    _item("serviceSaleItem", "Service Item for Sale", "Service"),
    _item("serviceResaleItem", "Service Item for Resale", "Service"),
    _item("servicePurchaseItem", "Service Item for Purchase", "Service"),
    _item("nonInventorySaleItem", "Non-Inventory Item for Sale", "NonInvtPart"),
    _item("nonInventoryResaleItem", "Non-Inventory Item for Resale", "NonInvtPart"),
    _item("inventoryItem", "Inventory Item", "InvtPart"),
    _item("otherChargeSaleItem", "Other Charge Item for Sale", "OthCharge"),
    _item("discountItem", "Discount Item", "Discount"),
    _item("kitItem", "Kit/Package Item", "Kit"),
    _item("salesTaxItem", "Tax Item", "TaxItem"),
)
