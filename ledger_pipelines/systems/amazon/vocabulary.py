"""What the kinds of amounts in a settlement mean.

Belongs here: the known triples (transaction type, amount type, description), their component, book-keeping category
and transaction class. Does not belong here: accounts (settings map categories to them), reading files.

There is no published list and new values come without notice (amazon-settlement.md 9): a triple that is not known is
kept and counted, with category `unknown`. Matching is on the triple, insensitive to case, blanks and hyphens, and to
`fulfilment`/`fulfillment`, because spelling changed between eras.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ledger_pipelines.documents.settlement import Component, Kind, TransactionClass

SALES, SHIPPING_INCOME, GIFTWRAP_INCOME = "sales", "shipping_income", "giftwrap_income"
TAX_COLLECTED, TAX_WITHHELD, PROMOTION, POINTS = "tax_collected", "tax_withheld", "promotion", "points"
SELLING_FEES, FBA_FEES, REFUND_ADMINISTRATION = "selling_fees", "fba_fees", "refund_administration"
ADVERTISING, STORAGE, SUBSCRIPTION, INBOUND = "advertising", "storage", "subscription", "inbound"
RETURNS_PROCESSING, DEALS_AND_COUPONS, REMOVAL = "returns_processing", "deals_and_coupons", "removal"
REIMBURSEMENT, LIQUIDATION, RESTOCKING, OTHER_INCOME = (
    "reimbursement",
    "liquidation",
    "restocking",
    "other_income",
)
RESERVE, PAYABLE_TO_AMAZON, CARD_CHARGE = "reserve", "payable_to_amazon", "card_charge"
FAILED_PAYOUT, DEBT_ADJUSTMENT, MICRO_DEPOSIT = "failed_payout", "debt_adjustment", "micro_deposit"
DIRECT_PAYMENT, CORRECTION, SERVICES, REGULATORY = "direct_payment", "correction", "services", "regulatory"
UNKNOWN = "unknown"

CATEGORIES: Mapping[str, str] = {
    SALES: "What buyers paid for goods, before fees.",
    SHIPPING_INCOME: "What buyers paid for shipping.",
    GIFTWRAP_INCOME: "What buyers paid for gift wrap.",
    TAX_COLLECTED: "Tax that buyers paid.",
    TAX_WITHHELD: "Tax that Amazon keeps and remits; cancels the collected tax where Amazon remits all of it.",
    PROMOTION: "Discounts given to buyers.",
    POINTS: "Amazon Points granted (Japan).",
    SELLING_FEES: "Referral, closing, shipping chargeback and other fees of an order.",
    FBA_FEES: "Fulfilment by Amazon, per order or unit.",
    REFUND_ADMINISTRATION: "The part of the referral fee that Amazon keeps on a refund.",
    ADVERTISING: "Sponsored products and other advertising.",
    STORAGE: "Storage of stock at Amazon.",
    SUBSCRIPTION: "The monthly seller subscription.",
    INBOUND: "Transport to and placement in Amazon's warehouses.",
    RETURNS_PROCESSING: "Handling of returned goods.",
    REMOVAL: "Removal and disposal of stock.",
    DEALS_AND_COUPONS: "Fees for deals, coupons, Vine.",
    SERVICES: "Other services of Amazon: labels, preparation, manual processing.",
    REGULATORY: "Producer-responsibility and similar charges paid on the seller's behalf.",
    REIMBURSEMENT: "Amazon pays for lost or damaged stock, or takes such a payment back.",
    LIQUIDATION: "Stock sold off by Amazon, and the broker's fee.",
    RESTOCKING: "Restocking fee kept from a refund.",
    OTHER_INCOME: "Goodwill, cash on delivery, export charge.",
    RESERVE: "Held back until a later settlement, or released from an earlier one: a balance, never revenue.",
    PAYABLE_TO_AMAZON: "A debt carried over from the settlement before: a balance.",
    CARD_CHARGE: "The seller's card or bank was charged for a debt: a balance.",
    FAILED_PAYOUT: "A payout that came back: belongs to the clearing account.",
    DEBT_ADJUSTMENT: "A debt of one marketplace account paid from another: a balance.",
    MICRO_DEPOSIT: "Bank account verification.",
    DIRECT_PAYMENT: "Money collected elsewhere, such as cash on delivery.",
    CORRECTION: "Amazon corrects an earlier fee or balance.",
    UNKNOWN: "Not in the vocabulary; map it, or leave it to the suspense account.",
}
"""Every category a setting may map to an account, and what it holds."""


@dataclass(frozen=True, slots=True)
class Classified:
    """A triple understood."""

    cls: TransactionClass
    kind: Kind


_C = Component
_MARKS = re.compile(r"[:,/()]")
_BLANKS = re.compile(r"[\s_\-]+")

_TYPE_CLASSES = {
    "order": TransactionClass.ORDER,
    "refund": TransactionClass.REFUND,
    "orderretrocharge": TransactionClass.RETROCHARGE,
    "refundretrocharge": TransactionClass.RETROCHARGE,
    "retrocharge": TransactionClass.RETROCHARGE,
    "chargebackrefund": TransactionClass.CHARGEBACK,
    "chargeback": TransactionClass.CHARGEBACK,
    "atozguaranteerefund": TransactionClass.CHARGEBACK,
    "atozguarantee": TransactionClass.CHARGEBACK,
    "guaranteeclaim": TransactionClass.CHARGEBACK,
    "servicefee": TransactionClass.FEE,
    "fbafees": TransactionClass.FEE,
    "amazonfees": TransactionClass.FEE,
    "lightningdealfee": TransactionClass.FEE,
    "couponredemptionfee": TransactionClass.FEE,
    "promotionfee": TransactionClass.FEE,
    "vineenrollmentfee": TransactionClass.FEE,
    "sellerreviewenrollmentpayment": TransactionClass.FEE,
    "gradeandresellfees": TransactionClass.FEE,
    "tbybcustomerreturnfee": TransactionClass.FEE,
    "tbybtrialshipment": TransactionClass.FEE,
    "feeadjustment": TransactionClass.FEE,
    "safetreimbursement": TransactionClass.REIMBURSEMENT,
    "transfers": TransactionClass.TRANSFER,
    "debtadjustment": TransactionClass.TRANSFER,
}
_CATEGORY_CLASSES = {
    **dict.fromkeys((RESERVE,), TransactionClass.RESERVE),
    **dict.fromkeys(
        (PAYABLE_TO_AMAZON, CARD_CHARGE, FAILED_PAYOUT, DEBT_ADJUSTMENT, MICRO_DEPOSIT), TransactionClass.TRANSFER
    ),
    REIMBURSEMENT: TransactionClass.REIMBURSEMENT,
    **dict.fromkeys(
        (
            SELLING_FEES, FBA_FEES, REFUND_ADMINISTRATION, ADVERTISING, STORAGE, SUBSCRIPTION, INBOUND,
            RETURNS_PROCESSING, REMOVAL, DEALS_AND_COUPONS, SERVICES, REGULATORY,
        ),
        TransactionClass.FEE,
    ),
}  # fmt: skip

_ITEM_TYPES = frozenset(
    {
        "order", "refund", "chargebackrefund", "atozguaranteerefund", "chargeback", "atozguarantee", "guaranteeclaim",
        "orderretrocharge", "refundretrocharge", "retrocharge", "liquidations", "liquidationsadjustments",
    }
)  # fmt: skip
_ITEM_PRICE = {
    "principal": (_C.PRODUCT, SALES),
    "shipping": (_C.SHIPPING, SHIPPING_INCOME),
    "giftwrap": (_C.GIFTWRAP, GIFTWRAP_INCOME),
    "tax": (_C.TAX, TAX_COLLECTED),
    "shippingtax": (_C.TAX, TAX_COLLECTED),
    "giftwraptax": (_C.TAX, TAX_COLLECTED),
    "codtax": (_C.TAX, TAX_COLLECTED),
    "cod": (_C.OTHER, OTHER_INCOME),
    "codfee": (_C.OTHER, OTHER_INCOME),
    "goodwill": (_C.OTHER, OTHER_INCOME),
    "exportcharge": (_C.OTHER, OTHER_INCOME),
    "restockingfee": (_C.OTHER, RESTOCKING),
}
_ITEM_FEES = {
    **dict.fromkeys(
        (
            "commission", "variableclosingfee", "fixedclosingfee", "shippingchargeback", "giftwrapchargeback",
            "shippinghb", "salestaxservicefee", "digitalservicesfee", "getpaidfasterfee", "remotefulfillmentcredit",
            "commissioncorrection", "codchargeback", "highvolumelistingfee",
        ),
        SELLING_FEES,
    ),
    **dict.fromkeys(
        (
            "fbaperunitfulfillmentfee", "fbaperorderfulfillmentfee", "fbaweightbasedfee", "fbatransportationfee",
            "fbapickandpackfee", "fbadeliveryservicesfee",
        ),
        FBA_FEES,
    ),
    "refundcommission": REFUND_ADMINISTRATION,
    **dict.fromkeys(
        (
            "fbacustomerreturnperunitfee", "fbacustomerreturnperorderfee", "fbacustomerreturnweightbasedfee",
        ),
        RETURNS_PROCESSING,
    ),
    "liquidationsbrokeragefee": LIQUIDATION,
}  # fmt: skip
_WITHHELD = re.compile(
    r"marketplacefacilitator(tax|vat)(principal|shipping|other|restockingfee|giftwrap)?"
    r"|lowvaluegoodstax(principal|shipping|other)?|tcs[csi]gst|tcsutgst|tds.*"
)

_ACCOUNT_LEVEL: dict[str, str] = {
    **dict.fromkeys(
        ("subscriptionfee", "nonsubscriptionfeeadj", "subscriptionfeecorrection"), SUBSCRIPTION
    ),
    **dict.fromkeys(
        (
            "storagefee", "storagerenewalbilling", "inventorystorageoveragefee", "fbainventorystoragefee",
            "fbalongtermstoragefee", "longtermstoragefee", "awdstoragefee", "reservationfee", "performancecredits",
            "capacityreservationfee",
        ),
        STORAGE,
    ),
    **dict.fromkeys(
        (
            "fbainboundtransportationfee", "inboundtransportationfee", "fbainboundtransportationprogramfee",
            "inboundtransportationprogramfee", "fbainboundplacementservicefee", "inventoryplacementservicefee",
            "agsglobalinboundtransportation", "fbainternationalfreightshippingcharge",
            "fbainternationalfreightdutiesandtaxescharge", "fbaamazonpartneredcarriershipmentfee",
            "inbounddefectfee", "awdprocessingfee", "awdtransportationfee", "fbainbounddefectfee",
        ),
        INBOUND,
    ),
    **dict.fromkeys(
        ("disposalcomplete", "removalcomplete", "fbaremovalorderreturnfee", "fbaremovalorderdisposalfee"), REMOVAL
    ),
    **dict.fromkeys(
        (
            "fbacustomerreturnsfee", "fbacustomerreturnperunitfee", "fbacustomerreturnperorderfee",
            "fbacustomerreturnweightbasedfee", "tbybcustomerreturnfee", "gradeandresellfees",
        ),
        RETURNS_PROCESSING,
    ),
    **dict.fromkeys(
        (
            "manualprocessingfee", "paidservicesfee", "highvolumelisting", "shippinglabelpurchase",
            "shippinglabelpurchaseforreturn", "shippingservices", "warehouseprep", "labelingfee", "amazonfees",
            "tbybtrialshipment",
        ),
        SERVICES,
    ),
    **dict.fromkeys(
        (
            "deals", "promotionfee", "lightningdealfee", "couponredemptionfee", "couponparticipationfee",
            "couponperformancebasedfee", "dealparticipationfee", "dealperformancebasedfee", "vineenrollmentfee",
            "sellerreviewenrollmentpayment",
        ),
        DEALS_AND_COUPONS,
    ),
    **dict.fromkeys(("costofadvertising", "refundforadvertiser"), ADVERTISING),
    **dict.fromkeys(
        (
            "commissioncorrection", "miscadjustment", "adjustment", "balanceadjustment", "buyerrecharge",
            "feeadjustment", "a2zguaranteerecovery", "chargebackrecovery", "refundreimbursal", "merchantbaddebt",
            "incometaxcharged",
        ),
        CORRECTION,
    ),
    **dict.fromkeys(("currentreserveamount", "previousreserveamountbalance", "previousreserveamount"), RESERVE),
    "payabletoamazon": PAYABLE_TO_AMAZON,
    "successfulcharge": CARD_CHARGE,
    "microdeposit": MICRO_DEPOSIT,
    "debtadjustment": DEBT_ADJUSTMENT,
    "fbainventoryreimbursement": REIMBURSEMENT,
    "safetreimbursement": REIMBURSEMENT,
    "comminglingvat": REGULATORY,
    "amazonwarehousing&distributionawd": STORAGE,
}  # fmt: skip
_PREFIXES = (
    ("transferoffundsunsuccessful", FAILED_PAYOUT),
    ("crossaccountdebtadjustment", DEBT_ADJUSTMENT),
    ("ecocontribution", REGULATORY),
    ("fbafulfillmentfeeperunit", FBA_FEES),
    ("fbainternationalfreight", INBOUND),
    ("awdstorage", STORAGE),
    ("awd", INBOUND),
)
_FREE_TEXT_TYPES = frozenset({"couponredemptionfee", "lightningdealfee", "deals"})
_FEE_PARTS = frozenset({"basefee", "taxonfee", "discountonfee", "transactiontotalamount", "tax", ""})
_NOT_FEES = frozenset(
    {
        RESERVE, PAYABLE_TO_AMAZON, CARD_CHARGE, FAILED_PAYOUT, DEBT_ADJUSTMENT, MICRO_DEPOSIT, REIMBURSEMENT,
        CORRECTION,
    }
)  # fmt: skip


def normal(text: str) -> str:
    """A name as it is compared: lower case, without blanks, hyphens, underscores and punctuation."""
    lowered = _BLANKS.sub("", text.lower()).replace("fulfilment", "fulfillment")
    return _MARKS.sub("", lowered)


@lru_cache(maxsize=1 << 16)
def classify(transaction_type: str, amount_type: str, amount_description: str) -> Classified:
    """Understand a triple; never fails. Unknown ones get component `other` (`fees` below a fee), category `unknown`."""
    kind, amount, description = normal(transaction_type), normal(amount_type), normal(amount_description)
    found = _item(kind, amount, description) if kind in _ITEM_TYPES else None
    found = found or _account(kind, amount, description)
    if found is not None:
        component, category, known = *found, True
    else:
        fee = amount in ("itemfees", "shipmentfees", "orderfees", "otherfees") or kind in (
            "fbafees",
            "amazonfees",
        )
        component, category, known = (_C.FEES if fee else _C.OTHER), UNKNOWN, False
    cls = _TYPE_CLASSES.get(kind) or _CATEGORY_CLASSES.get(category, TransactionClass.OTHER)
    return Classified(
        cls, Kind(transaction_type, amount_type, amount_description, component, category, known)
    )


def _item(kind: str, amount: str, description: str) -> tuple[Component, str] | None:
    liquidation = kind.startswith("liquidations")
    if amount == "itemprice":
        found = _ITEM_PRICE.get(description)
        return (found[0], LIQUIDATION) if found and liquidation and found[1] == SALES else found
    if amount == "itemwithheldtax":
        return (_C.WITHHELD_TAX, TAX_WITHHELD) if _WITHHELD.fullmatch(description) else None
    if amount == "itemfees":
        if _WITHHELD.fullmatch(description):  # V1 has no column of its own for it (inferred)
            return (_C.WITHHELD_TAX, TAX_WITHHELD)
        category = _ITEM_FEES.get(description)
        return (_C.FEES, category) if category else None
    if amount == "promotion":
        return (_C.PROMOTION, PROMOTION) if description in ("principal", "shipping", "taxdiscount") else None
    if amount == "points":
        return (_C.OTHER, POINTS) if description.startswith("points") else None
    if amount == "shipmentfees":
        return (_C.FEES, FBA_FEES) if description == "fbatransportationfee" else None
    if amount == "directpayment":
        return (_C.OTHER, DIRECT_PAYMENT)
    return None


def _account(kind: str, amount: str, description: str) -> tuple[Component, str] | None:
    """Account-level rows: what says most comes first (description, then amount type, then transaction type)."""
    if amount == "fbainventoryreimbursement" or kind == "safetreimbursement":
        return (_C.OTHER, REIMBURSEMENT)
    if kind in _ITEM_TYPES and amount != "othertransaction":
        return None
    if amount == "itemfees" and description in _ITEM_FEES:
        return (_C.FEES, _ITEM_FEES[description])
    names = [description] if amount in ("othertransaction", "") else [description, amount, kind]
    if description in _FEE_PARTS or amount in _FREE_TEXT_TYPES:
        names = [amount, kind]
    for name in names:
        category = _ACCOUNT_LEVEL.get(name) or next(
            (c for prefix, c in _PREFIXES if name.startswith(prefix)), None
        )
        if category is not None and not (category == SERVICES and name == "amazonfees"):
            return (_C.OTHER if category in _NOT_FEES else _C.FEES, category)
    return None
