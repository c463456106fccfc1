"""The entities of a Cin7 Omni account whose snapshots are kept: names, columns, keys, which list gives them.

Belongs here: one table of facts; no credentials, no calls. Does not belong here: reading (`reader`), what a record means
(`records`). Facts: cin7-omni.md 6.1, 10.

Each row keeps the record as Cin7 gave it (`record`, names of fields in camelCase) beside columns that people ask by.
`changed` is the instant of the last change. An option's id is repeated for each of its sizes (cin7-omni.md 10.3), and its code
may be empty: its `key` is the id, with the size behind it where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ledger_pipelines.systems.entities import RecordEntity, mapped

CHANGED: Final = "changed"
"""Column with the instant of the last change."""
MODIFIED: Final = "modifiedDate"
"""Field with it, of every list that has one."""


@dataclass(frozen=True, slots=True)
class Cin7Entity(RecordEntity):
    """One kind of record.

    Args:
        what: One record of it, for people.
        path: Of its list.
        module: The permission it is read under, as the API connection's set-up names it.
        fields: The record's field behind each column, in the columns' order ("" for `record`).
        walk: The numeric field a list is read along where time does not do: within one second, or a whole list.
        by_branch: Whether the list is read branch by branch.
    """

    what: str = ""
    path: str = ""
    module: str = ""
    fields: tuple[str, ...] = ()
    walk: str = "id"
    by_branch: bool = False


def _entity(
    name: str,
    what: str,
    module: str,
    table: str,
    *,
    key: tuple[str, ...] = ("id",),
    whole: bool = False,
    opening: bool = False,
    walk: str = "id",
    by_branch: bool = False,
) -> Cin7Entity:
    columns, fields = mapped(table)
    return Cin7Entity(
        name=name,
        what=what,
        columns=columns,
        key=key,
        changed_column="" if whole else CHANGED,
        opening=opening,
        path=f"/v1/{module}",
        module=module,
        fields=fields,
        walk=walk,
        by_branch=by_branch,
    )


_TIME = f"changed={MODIFIED}:instant"
SIZED: Final = "*"
"""Before the name of a field: its value, with the size behind it where there is one."""

_ALL: Final = (
    _entity(
        "sales_orders",
        "sales order",
        "SalesOrders",
        f"id=id {_TIME} reference=reference customer_order_no=customerOrderNo status=status approved=isApproved:flag"
        " void=isVoid:flag stage=stage created=createdDate:instant dispatched=dispatchedDate:instant"
        " invoiced=invoiceDate:instant invoice_number=invoiceNumber branch=branchId member=memberId"
        " member_email=memberEmail currency=currencyCode rate=currencyRate:number tax_status=taxStatus"
        " tax_rate=taxRate:number product_total=productTotal:number freight=freightTotal:number"
        " surcharge=surcharge:number discount=discountTotal:number total=total:number tracking=trackingCode",
    ),
    _entity(
        "contacts",
        "contact",
        "Contacts",
        f"id=id {_TIME} type=type company=company first_name=firstName last_name=lastName email=email"
        " integration_ref=integrationRef account_number=accountNumber price_tier=priceColumn active=isActive:flag",
        opening=True,
    ),
    _entity(
        "products",
        "product",
        "Products",
        f"id=id {_TIME} style_code=styleCode name=name status=status brand=brand category=category",
        opening=True,
    ),
    _entity(
        "product_options",
        "product option",
        "ProductOptions",
        f"key={SIZED}id id=id {_TIME} product=productId code=productOptionCode size=size"
        " size_code=productOptionSizeCode status=status retail_price=retailPrice:number"
        " on_hand=stockOnHand:number available=stockAvailable:number",
        key=("key",),
        opening=True,
    ),
    _entity(
        "stock",
        "stock level",
        "Stock",
        f"key={SIZED}productOptionId branch=branchId product=productId option=productOptionId code=code size=size"
        f" branch_name=branchName modified={MODIFIED}:instant on_hand=stockOnHand:number available=available:number"
        " open_sales=openSales:number incoming=incoming:number",
        key=("product", "key", "branch"),
        whole=True,
        walk="productOptionId",
        by_branch=True,
    ),
    _entity(
        "branches",
        "branch",
        "Branches",
        "id=id name=company type=branchType active=isActive:flag email=email",
        whole=True,
    ),
    _entity(
        "payments",
        "payment",
        "Payments",
        f"id=id {_TIME} order=orderId order_reference=orderRef order_type=orderType method=method amount=amount:number"
        " transaction_ref=transactionRef paid=paymentDate:instant branch=branchId",
    ),
)

ENTITIES: Final[Mapping[str, Cin7Entity]] = MappingProxyType({entity.name: entity for entity in _ALL})
"""All entities of an account, by name."""
