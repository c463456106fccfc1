"""The entities whose daily snapshots are kept: what is asked for, columns, keys, how change is told.

Belongs here: one table of facts. Does not belong here: reading (`reader`), what records mean (`documents`).
Facts: neto.md 6, 7, 8, 9, 10, 11. Imported when Dagster's definitions load: no client, no credentials, no HTTP.

Every field that is wanted has to be named; names Neto does not know are ignored (neto.md 3.1). `Password` and the card's
fields are never asked for, and `UpdateResults`, which would mark orders as exported, is never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ledger_pipelines.systems.entities import RecordEntity, columns

__all__ = ["ENTITIES", "NetoEntity"]


@dataclass(frozen=True, slots=True)
class NetoEntity(RecordEntity):
    """One kind of record of a store.

    Args:
        action: What is called.
        response: Element of the answer that holds the records; inner: the element inside it that wraps them, "" = none.
        what: One record, for people: "order".
        sources: Fields of all columns but the last; `A|B` = A, or where that is blank B.
        selectors: Fields asked for; () = the action has no selectors.
        filtered: `DateUpdated` stands for the filters `DateUpdatedFrom` and `DateUpdatedTo`; "" = none.
        limit: Records a page; 0 = the action has no pages.
        ordered: Order asked for, so that pages do not move; "" = the action takes none.
        absent: How an answer without records looks is not known: `response` may be missing from it.
    """

    action: str = ""
    response: str = ""
    inner: str = ""
    what: str = ""
    sources: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    filtered: str = ""
    limit: int = 0
    ordered: str = ""
    absent: bool = False

    @property
    def changes_in_place(self) -> bool:
        """Whether a record can leave a window while it is read, since a change moves the instant it is found by."""
        return self.filtered == "DateUpdated"


_ITEM: Final = (
    "ID ParentSKU AccountingCode Name DefaultPrice TaxInclusive TaxFreeItem TaxCategory CostPrice DefaultPurchasePrice IsActive"
    " Approved Visible IsInventoried IsBought IsSold IsVariant VariantInventoryIDs KitComponents IsNetoUtility IsGiftVoucher"
    " IncomeAccount AssetAccount CostOfSalesAccount ExpenseAccount PurchaseTaxCode DateAddedUTC DateUpdatedUTC"
)
_STOCK: Final = "ID ParentSKU IsActive IsInventoried KitComponents WarehouseQuantity CommittedQuantity AvailableSellQuantity"
_CUSTOMER: Final = "ID Type EmailAddress BillingAddress ShippingAddress ABN Active UserGroup DefaultInvoiceTerms DateAddedUTC DateUpdatedUTC"
_ORDER: Final = (
    "ID Username Email BillAddress ShipAddress PurchaseOrderNumber SalesChannel RelatedOrderID OrderType OrderStatus"
    " CompleteStatus GrandTotal TaxInclusive OrderTax ProductSubtotal ShippingTotal ShippingTax ShippingDiscount SurchargeTotal"
    " SurchargeTaxable CouponCode CouponDiscount ShippingOption DeliveryInstruction DefaultPaymentType PaymentTerms CurrencyCode"
    " DatePlaced DateInvoiced DatePaid DatePaymentDue DateCompletedUTC DateUpdated"
    " OrderPayment OrderPayment.PaymentType OrderPayment.DatePaid OrderLine OrderLine.ProductName OrderLine.ItemNotes"
    " OrderLine.Quantity OrderLine.UnitPrice OrderLine.PercentDiscount OrderLine.ProductDiscount OrderLine.CouponDiscount"
    " OrderLine.Tax OrderLine.TaxCode OrderLine.CostPrice OrderLine.WarehouseID OrderLine.ShippingTracking"
)
_PAYMENT: Final = "ID AmountPaid CurrencyCode DatePaidUTC PaymentMethod PaymentMethodName ProcessBy CardAuthorisation PaymentNotes"
_RMA: Final = (
    "OrderID InvoiceNumber CustomerUsername PurchaseOrderNumber InternalNotes CurrencyCode RmaStatus ShippingRefundAmount"
    " ShippingRefundTaxCode SurchargeRefundAmount RefundSubtotal RefundTotal RefundTaxTotal RefundedTotal TaxInclusive DateIssued"
    " DateUpdated DateApproved RmaLine RmaLine.ItemNumber RmaLine.ItemNotes RmaLine.ProductName RmaLine.RefundSubtotal RmaLine.Tax"
    " RmaLine.TaxCode RmaLine.WarehouseID RmaLine.ResolutionOutcome RmaLine.ReturnReason RmaLine.IsRestockIssued"
    " Refund Refund.PaymentMethodID Refund.PaymentMethodName Refund.DateIssued Refund.DateRefunded Refund.RefundStatus"
)
_WAREHOUSE: Final = "ID WarehouseID IsPrimary IsActive WarehouseReference WarehouseName"
_CATEGORY: Final = "CategoryID CategoryName ParentCategoryID Active"


def _entity(
    name: str,
    what: str,
    action: str,
    fields: str,
    *,
    changed: str = "",
    selectors: str = "",
    filtered: str = "",
    response: str = "",
    inner: str = "",
    limit: int = 0,
    ordered: str = "",
    opening: bool = False,
    absent: bool = False,
) -> NetoEntity:
    """fields: `column[:kind]=Field`, the key first."""
    pairs = [word.partition("=") for word in fields.split()]
    named = columns(" ".join(column for column, _, _ in pairs))
    return NetoEntity(
        name=name, columns=named, key=(named[0].name,), changed_column=changed, opening=opening, action=action,
        response=response or action.removeprefix("Get"), inner=inner, what=what, sources=tuple(field for _, _, field in pairs),
        selectors=tuple(selectors.split()), filtered=filtered, limit=limit, ordered=ordered, absent=absent,
    )  # fmt: skip


def _all() -> tuple[NetoEntity, ...]:
    return (
        _entity(
            "products", "product", "GetItem",
            "inventory_id=InventoryID|ID sku=SKU parent_sku=ParentSKU name=Name price:number=DefaultPrice cost:number=CostPrice"
            " active:flag=IsActive inventoried:flag=IsInventoried changed:instant=DateUpdatedUTC|DateAddedUTC",
            selectors=_ITEM, changed="changed", filtered="DateUpdated", limit=500, ordered="ID", opening=True,
        ),
        _entity(
            "customers", "customer", "GetCustomer",
            "username=Username id=ID email=EmailAddress active:flag=Active changed:instant=DateUpdatedUTC|DateAddedUTC",
            selectors=_CUSTOMER, changed="changed", filtered="DateUpdated", limit=500, opening=True,
        ),
        _entity(
            "orders", "order", "GetOrder",
            "order_id=OrderID|ID status=OrderStatus username=Username sales_channel=SalesChannel related_order_id=RelatedOrderID"
            " placed:instant=DatePlaced invoiced:day=DateInvoiced grand_total:number=GrandTotal changed:instant=DateUpdated",
            selectors=_ORDER, changed="changed", filtered="DateUpdated", limit=100,
        ),
        _entity(
            "payments", "payment", "GetPayment",
            "payment_id=PaymentID|ID order_id=OrderID amount:number=AmountPaid currency=CurrencyCode method_id=PaymentMethod"
            " method=PaymentMethodName paid:instant=DatePaidUTC",
            selectors=_PAYMENT, changed="paid", filtered="DatePaid", limit=500,
        ),
        _entity(
            "rmas", "RMA", "GetRma",
            "rma_id=RmaID order_id=OrderID username=CustomerUsername status=RmaStatus refund_total:number=RefundTotal"
            " changed:instant=DateUpdated",
            selectors=_RMA, changed="changed", filtered="DateUpdated", limit=100, absent=True,
        ),
        _entity(
            "stock", "product", "GetItem",
            "inventory_id=InventoryID|ID sku=SKU inventoried:flag=IsInventoried committed:number=CommittedQuantity",
            selectors=_STOCK, limit=1000, ordered="ID",
        ),
        _entity(
            "warehouses", "warehouse", "GetWarehouse",
            "id=WarehouseID|ID reference=WarehouseReference name=WarehouseName active:flag=IsActive primary:flag=IsPrimary",
            selectors=_WAREHOUSE, limit=1000,
        ),
        _entity(
            "payment_methods", "payment method", "GetPaymentMethods",
            "id=id name=name active:flag=active visible:flag=visible acc_code=acc_code", inner="PaymentMethod", absent=True,
        ),
        _entity(
            "shipping_methods", "shipping method", "GetShippingMethods", "id=id name=name status=status", inner="ShippingMethod", absent=True,
        ),
        _entity(
            "categories", "category", "GetCategory",
            "id=CategoryID name=CategoryName parent_id=ParentCategoryID active:flag=Active", selectors=_CATEGORY, limit=1000,
        ),
    )  # fmt: skip


ENTITIES: Final[Mapping[str, NetoEntity]] = MappingProxyType({entity.name: entity for entity in _all()})
"""By name."""
