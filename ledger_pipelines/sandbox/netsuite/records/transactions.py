"""Transaction record types. Belongs here: field tables only. Source: netsuite.md 8.2 to 8.9."""

from __future__ import annotations

from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType, Sublist, fields_from

_COMMON = """
customForm ref:*
tranDate date
tranId text
transactionNumber text ro
postingPeriod ref:accountingPeriod
currency ref:currency
exchangeRate number
subsidiary ref:subsidiary
department ref:department
class ref:classification
location ref:location
memo text max=999
externalId text
createdDate datetime ro
lastModifiedDate datetime ro
nexus ref:*
createdFrom ref:transaction ro
source text ro
status enum:A=Open ro
custbody_azs_order_id text
custbody_azs_settlement_id text
custbody_azs_test bool
custbody_celigo_etail_order_id text
custbody_celigo_amzio_settlement_id text
"""
_SALE = """
entity ref:entity req
terms ref:term
otherRefNum text max=45
discountItem ref:item
discountRate number
taxItem ref:item
taxRate number
isTaxable bool
shippingCost money
shipMethod ref:*
shipDate date
handlingCost money
billingAddress map
shippingAddress map
billAddressList ref:*
email text
toBeEmailed bool
toBePrinted bool
toBeFaxed bool
salesRep ref:*
leadSource ref:*
subtotal money ro
discountTotal money ro
taxTotal money ro
total money ro
"""
_ITEM_LINE = """
line int
lineUniqueKey int ro
item ref:item req
quantity number
rate number
amount money
description text max=4000
price ref:*
taxCode ref:item
taxRate1 number
tax1Amt money
taxAmount money ro
grossAmt money
isTaxable bool
department ref:department
class ref:classification
location ref:location
units ref:*
account ref:account
orderDoc ref:transaction
orderLine int
itemType text ro
custcol_celigo_etail_order_line_id text
custcol_azs_order_item_id text
"""
_ORDER_LINE = (
    _ITEM_LINE
    + "quantityBilled number ro\nquantityFulfilled number ro\nquantityCommitted number ro\nisClosed bool\n"
)
_APPLY_LINE = """
doc ref:transaction
line int
apply bool
amount money
applyDate date ro
due money ro
total money ro
refNum text ro
type text ro
currency text ro
createdFrom ref:transaction ro
"""
_CREDIT = "autoApply bool\napplied money ro\nunapplied money ro\namountRemaining money ro\n"


def _sublist(name: str, table: str, *keys: str, mandatory: bool = False) -> Sublist:
    return Sublist(name, fields_from(table), keys, mandatory)


def _statuses(*pairs: tuple[str, str]) -> tuple[Field, ...]:
    return (Field("status", "enum", options=pairs, read_only=True),)


def _transaction(
    name: str,
    label: str,
    code: str,
    table: str,
    sublists: tuple[Sublist, ...],
    statuses: tuple[tuple[str, str], ...],
    permission: str = "",
) -> RecordType:
    common = tuple(item for item in fields_from(_COMMON) if item.name != "status")
    own = tuple(item for item in fields_from(table) if item.name not in {other.name for other in common})
    return RecordType(
        name=name,
        family="transaction",
        label=label,
        permission=permission or label,
        fields=(*common, *_statuses(*statuses), *own),
        sublists=sublists,
        type_code=code,
        table="transaction",
        name_field="tranId",
    )


_ITEMS = _sublist("item", _ITEM_LINE, "line", mandatory=True)
_ORDER_ITEMS = _sublist("item", _ORDER_LINE, "line", mandatory=True)
_APPLY = _sublist("apply", _APPLY_LINE, "doc", "line")
_CREDITS = _sublist("credit", _APPLY_LINE, "doc", "line")
_DEPOSITS = _sublist("deposit", _APPLY_LINE, "doc")
_APPROVAL = "approvalStatus enum:1=Pending_Approval|2=Approved|3=Rejected|11=Open\n"
_PAYMENT_WAYS = """
paymentOption ref:*
paymentOperation enum:SALE|CAPTURE|CREDIT|REFUND
paymentProcessingProfile ref:*
handlingMode enum:MIMIC|PROCESS|SAVE_ONLY
checkNumber text
"""

# fmt: off
TRANSACTIONS: tuple[RecordType, ...] = (
    _transaction(
        "invoice", "Invoice", "CustInvc",
        _SALE + _APPROVAL + "account ref:account\ndueDate date\namountPaid money ro\namountRemaining money ro\n",
        (_ITEMS,),
        (("A", "Open"), ("B", "Paid In Full"), ("D", "Pending Approval"), ("E", "Rejected"), ("V", "Voided")),
    ),
    _transaction(
        "creditMemo", "Credit Memo", "CustCred",
        _SALE + _CREDIT + "account ref:account\nsalesReturn ref:transaction\n",
        (_ITEMS, _APPLY),
        (("A", "Open"), ("B", "Fully Applied"), ("V", "Voided")),
    ),
    _transaction(
        "customerPayment", "Customer Payment", "CustPymt",
        "customer ref:entity req\npayment money\nundepFunds enum:T=Undeposited_Funds|F=Account\naccount ref:account\n"
        "arAcct ref:account\npaymentMethod ref:paymentMethod\n" + _PAYMENT_WAYS + _CREDIT
        + "total money ro\npending money ro\nbalance money ro\nrefundedAmountTotalBox money ro\n",
        (_APPLY, _CREDITS, _DEPOSITS),
        (("A", "Unapproved Payment"), ("B", "Not Deposited"), ("C", "Deposited"), ("R", "Rejected")),
    ),
    _transaction(
        "customerRefund", "Customer Refund", "CustRfnd",
        "customer ref:entity req\naccount ref:account\narAcct ref:account\npaymentMethod ref:paymentMethod\n"
        "transactionToRefund ref:transaction\npayeeAddress map\ntoBePrinted bool\nvoidJournal ref:transaction\n"
        + _PAYMENT_WAYS + "total money ro\n",
        (_APPLY, _DEPOSITS),
        (("R", "Rejected"), ("V", "Voided")),
    ),
    _transaction(
        "salesOrder", "Sales Order", "SalesOrd",
        _SALE + "orderStatus enum:A=Pending_Approval|B=Pending_Fulfillment|C=Cancelled|D=Partially_Fulfilled"
        "|E=Pending_Billing/Partially_Fulfilled|F=Pending_Billing|G=Billed|H=Closed\n",
        (_ORDER_ITEMS,),
        (
            ("A", "Pending Approval"), ("B", "Pending Fulfillment"), ("C", "Cancelled"),
            ("D", "Partially Fulfilled"), ("E", "Pending Billing/Partially Fulfilled"),
            ("F", "Pending Billing"), ("G", "Billed"), ("H", "Closed"),
        ),
    ),
    _transaction(
        "itemFulfillment", "Item Fulfillment", "ItemShip",
        "entity ref:entity ro\nshipStatus enum:A=Picked|B=Packed|C=Shipped\n",
        (_sublist("item", _ITEM_LINE, "line"),),
        (("A", "Picked"), ("B", "Packed"), ("C", "Shipped")),
    ),
    _transaction(
        "cashSale", "Cash Sale", "CashSale",
        _SALE + "account ref:account\nundepFunds enum:T=Undeposited_Funds|F=Account\n"
        "paymentMethod ref:paymentMethod\n" + _PAYMENT_WAYS,
        (_ITEMS,),
        (("A", "Unapproved Payment"), ("B", "Not Deposited"), ("C", "Deposited")),
    ),
    _transaction(
        "cashRefund", "Cash Refund", "CashRfnd",
        _SALE + "account ref:account\npaymentMethod ref:paymentMethod\n" + _PAYMENT_WAYS,
        (_ITEMS,),
        (("A", "Open"), ("V", "Voided")),
    ),
    _transaction(
        "journalEntry", "Journal", "Journal",
        "approved bool\nreversalDate date\nreversalDefer bool\ntotal money ro\nisReversal bool ro\n",
        (
            _sublist(
                "line",
                "line int\nlineUniqueKey int ro\naccount ref:account req\ndebit money\ncredit money\n"
                "memo text max=4000\nentity ref:entity\ndepartment ref:department\nclass ref:classification\n"
                "location ref:location\n",
                "line",
                mandatory=True,
            ),
        ),
        (("A", "Pending Approval"), ("B", "Approved for Posting")),
        permission="Make Journal Entry",
    ),
    _transaction(
        "deposit", "Deposit", "Deposit",
        "account ref:account\ntotal money ro\n",
        (
            _sublist("payment", "id text\ndeposit bool\npaymentAmount money ro\nentity ref:entity ro\n", "id"),
            _sublist(
                "other",
                "account ref:account req\namount money req\nentity ref:entity\npaymentMethod ref:paymentMethod\n"
                "memo text\nrefNum text\ndepartment ref:department\nclass ref:classification\nlocation ref:location\n",
            ),
            _sublist("cashback", "account ref:account req\namount money req\nmemo text\n"),
        ),
        (("A", "Open"),),
    ),
)
# fmt: on
