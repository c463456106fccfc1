"""The entities of a Saasu file whose snapshots are kept: names, columns, keys, which list gives them.

Belongs here: one table of facts; no credentials, no calls. Does not belong here: reading (`reader`), what a record means
(`records`). Facts: saasu.md 4.1 (array keys), 5 (lists and their filters).

Each row keeps the record as Saasu gave it (`record`, without `_links`: they may echo the access key) beside columns that
people ask by. `changed` is the instant of the last change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ledger_pipelines.systems.entities import RecordEntity, mapped

CHANGED: Final = "changed"
"""Column with the instant of the last change."""

FIRST_DAY, LAST_DAY = "2000-01-01", "2099-12-31"
"""Business dates that hold all there can be: `/Payments` shows one month unless it is told (saasu.md 5.9)."""

ALL_PAYMENTS: Final = (("PaymentFromDate", FIRST_DAY), ("PaymentToDate", LAST_DAY))
"""What every list of payments is asked with."""


@dataclass(frozen=True, slots=True)
class SaasuEntity(RecordEntity):
    """One kind of record.

    Args:
        what: One record of it, for people.
        path: Of its list.
        array: Key of the rows in the list's body.
        fields: The record's field behind each column, in the columns' order ("" for `record`).
        window: Names of the two parameters that bound the time of change; () = the whole list.
        asked: Parameters it is always asked with.
        split: A parameter and its values, to be asked one by one where the list without it is refused.
        deletions: What DeletedEntities calls its records, "" = it does not tell of them.
    """

    what: str = ""
    path: str = ""
    array: str = ""
    fields: tuple[str, ...] = ()
    window: tuple[str, str] | tuple[()] = ()
    asked: tuple[tuple[str, str], ...] = ()
    split: tuple[str, tuple[str, ...]] = ("", ())
    deletions: str = ""


_MODIFIED = ("LastModifiedFromDate", "LastModifiedToDate")
DELETED: Final = ("UtcDeletedFromDate", "UtcDeletedToDate")
"""What bounds the time of a deletion."""
DELETIONS: Final = ("Sale", "SalePayment", "Item", "Contact", "Journal")
"""Deletions that are kept; those of purchases are nobody's concern here."""


def _entity(
    name: str,
    what: str,
    path: str,
    array: str,
    table: str,
    *,
    key: tuple[str, ...] = ("id",),
    window: tuple[str, str] | tuple[()] = _MODIFIED,
    opening: bool = False,
    asked: tuple[tuple[str, str], ...] = (),
    split: tuple[str, tuple[str, ...]] = ("", ()),
    deletions: str = "",
) -> SaasuEntity:
    """table: `"column=Field:kind ..."`, kind text when left out."""
    columns, fields = mapped(table)
    return SaasuEntity(
        name=name,
        what=what,
        columns=columns,
        key=key,
        changed_column=CHANGED if window else "",
        opening=opening,
        path=path,
        array=array,
        fields=fields,
        window=window,
        asked=asked,
        split=split,
        deletions=deletions,
    )


_TIME = "changed=LastModifiedDateUtc:instant"
_ITEM = (
    "code=Code description=Description type=Type active=IsActive:flag inventoried=IsInventoried:flag"
    " sold=IsSold:flag bought=IsBought:flag"
)
_STOCK = (
    "on_hand=StockOnHand:number committed=Committed:number on_order=OnOrder:number value=CurrentValue:number"
)

_ALL: Final = (
    _entity(
        "items",
        "item",
        "/Items",
        "Items",
        f"id=Id {_TIME} {_ITEM} selling_price=SellingPrice:number price_has_tax=IsSellingPriceIncTax:flag"
        f" buying_price=BuyingPrice:number {_STOCK}",
        opening=True,
        deletions="Item",
    ),
    _entity(
        "contacts",
        "contact",
        "/Contacts",
        "Contacts",
        f"id=Id {_TIME} reference=ContactId given=GivenName family=FamilyName email=EmailAddress company=CompanyId"
        " active=IsActive:flag customer=IsCustomer:flag",
        opening=True,
        deletions="Contact",
    ),
    _entity(
        "companies",
        "company",
        "/Companies",
        "Companies",
        f"id=Id {_TIME} name=Name trading_name=TradingName abn=Abn email=CompanyEmail",
        opening=True,
    ),
    _entity(
        "invoices",
        "invoice",
        "/Invoices",
        "Invoices",
        f"id=TransactionId {_TIME} number=InvoiceNumber purchase_order=PurchaseOrderNumber kind=InvoiceType"
        " status=InvoiceStatus day=TransactionDate:day due=DueDate:day contact=BillingContactId currency=Currency"
        " total=TotalAmount:number tax=TotalTaxAmount:number paid=AmountPaid:number owed=AmountOwed:number"
        " payment_status=PaymentStatus summary=Summary",
        asked=(("TransactionType", "S"),),
        deletions="Sale",
    ),
    _entity(
        "payments",
        "payment",
        "/Payments",
        "PaymentTransactions",
        f"id=TransactionId {_TIME} reference=Reference day=TransactionDate:day account=PaymentAccountId"
        " total=TotalAmount:number fee=FeeAmount:number currency=Currency cleared=ClearedDate:day summary=Summary",
        asked=(("TransactionType", "SP"), *ALL_PAYMENTS),
        deletions="SalePayment",
    ),
    _entity(
        "journals",
        "journal",
        "/Journals",
        "Journals",
        f"id=TransactionId {_TIME} reference=Reference day=TransactionDate:day currency=Currency"
        " contact=JournalContactId summary=Summary",
        deletions="Journal",
    ),
    _entity(
        "deleted",
        "deletion",
        "/DeletedEntities",
        "Entities",
        "kind=EntityType id=EntityId changed=Timestamp:instant",
        key=("kind", "id"),
        window=DELETED,
        split=("EntityType", DELETIONS),
    ),
    _entity(
        "stock",
        "item",
        "/Items",
        "Items",
        f"id=Id {_ITEM} {_STOCK}",
        window=(),
        asked=(("ItemType", "I"),),
        deletions="Item",
    ),
    _entity(
        "accounts",
        "account",
        "/Accounts",
        "Accounts",
        "id=Id name=Name kind=AccountType level=AccountLevel active=IsActive:flag bank=IsBankAccount:flag"
        " built_in=IsBuiltIn:flag currency=Currency tax_code=DefaultTaxCode fee_account=MerchantFeeAccountId",
        window=(),
        asked=(("IncludeBuiltIn", "true"),),
    ),
    _entity(
        "tax_codes",
        "tax code",
        "/TaxCodes",
        "TaxCodes",
        "id=Id code=Code name=Name rate=Rate:number sale=IsSale:flag purchase=IsPurchase:flag active=IsActive:flag",
        window=(),
    ),
)

ENTITIES: Final[Mapping[str, SaasuEntity]] = MappingProxyType({entity.name: entity for entity in _ALL})
"""All entities of a file, by name."""
