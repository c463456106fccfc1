"""The user's choices for a Neto store and a Saasu file, in the words of the add-on they may know.

Belongs here: every setting, with a description a user can act on. Does not belong here: reading YAML or cross-checking
connections (`config`, `integrations.kinds`), what a choice does (the flow modules). Facts: neto.md 15.1, saasu.md 7, 10.

Accounts, items, tax codes, contacts and warehouses are named by id (digits), code or name, as `ledger-pipelines options`
lists them; they are resolved against the file's own lists before anything is planned.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, model_validator

from ledger_pipelines.config.base import Model

FLOWS: Final = (
    "stock_from_saasu",
    "items_to_saasu",
    "contacts",
    "invoices",
    "payments",
    "refunds",
    "other_items_to_saasu",
    "items_from_saasu",
)
"""The flows, in the order they run: stock at once, while the store's orders have only just been read; then what matters most, for
the day's calls may run short. Names are API."""
TO_NETO: Final = frozenset({"items_from_saasu", "stock_from_saasu"})
"""Flows that write to the store; the others write to the file."""
STATUSES: Final = (
    "New", "On Hold", "New Backorder", "Backorder Approved", "Pick", "Pack", "Pending Pickup", "Pending Dispatch",
    "Dispatched", "Uncommitted", "Cancelled",
)  # fmt: skip
"""Order statuses of Neto that are orders (neto.md 8.1)."""

SALE_ORDER: Final = "Sale Order"
"""The invoice type that sells ahead of stock and is no document of the ledger."""

Reference = Annotated[str, Field(min_length=1, max_length=200)]


class QuantityBasis(StrEnum):
    """Which quantity of Saasu becomes the store's."""

    ON_HAND = "on_hand"
    ON_HAND_LESS_COMMITTED = "on_hand_less_committed"


class Kits(StrEnum):
    """What a kit is in Saasu."""

    COMPONENTS = "components"
    NOT_INVENTORIED = "not_inventoried"


class ContactFrom(StrEnum):
    """Whose contact an invoice carries."""

    ORDER = "order"
    DEFAULT = "default"


class OnEdit(StrEnum):
    """What follows when an order changes, or is cancelled, after its invoice is in the books."""

    UPDATE = "update"
    CREDIT = "credit"
    REPORT = "report"


class Numbering(StrEnum):
    """Who numbers the invoices."""

    ORDER = "order"
    AUTO = "auto"


class TaxBasis(StrEnum):
    """How amounts are written."""

    INCLUSIVE = "inclusive"
    AS_ORDER = "as_order"


class UnknownSku(StrEnum):
    """What an order with a SKU that is no item of Saasu does."""

    BLOCK = "block"
    SERVICE_LAYOUT = "service_layout"


class Overpayment(StrEnum):
    """What happens to money above what is owed."""

    OFF = "off"
    JOURNAL = "journal"


class InitialSync(Model):
    """Initial Sync."""

    days: int = Field(default=90, ge=1, le=3660)
    """How many days of invoices and payments of Saasu are read back from the start date, to find what is booked already."""


class ProductsFromSaasu(Model):
    """Products from SAASU."""

    enabled: bool = False
    """Import products from Saasu: a new item there becomes a new product of the store, never a variant."""
    active_only: bool = True
    """Only items that are active in Saasu."""


class InventoryFromSaasu(Model):
    """Inventory from SAASU."""

    enabled: bool = False
    """Import inventory from Saasu. The store's own value is compared, so that stock edited by hand there is mended."""
    warehouse: Reference | None = None
    """Warehouse of the store whose quantity is set, by id, reference or name. Needed when enabled."""
    quantity: QuantityBasis = QuantityBasis.ON_HAND_LESS_COMMITTED
    """on_hand: stock on hand. on_hand_less_committed: less what open sale orders of Saasu hold."""
    every_minutes: int = Field(default=60, ge=0, le=10080)
    """All items are read again when the last reading is older: nobody promises that a sale alone marks an item as changed.
    One call each 100 items."""
    sold_days: int = Field(default=30, ge=0, le=3660)
    """What the store has shipped and Saasu's stock does not know yet is left off, for as many days after its order last changed.
    Then Saasu's quantity counts as it stands: an order that is never exported holds no product down for ever."""


class ProductsToSaasu(Model):
    """Products to SAASU."""

    enabled: bool = True
    """Export products to Saasu: each variant its own item; parents are none."""
    kits: Kits = Kits.COMPONENTS
    """components: a kit is no item; its lines are split into its parts. not_inventoried: an item of its own without stock."""
    inventoried: bool = True
    """Stock is kept of new items, where the store keeps it too."""
    asset_account: Reference | None = None
    """Account of type Asset, no bank account. Needed for inventoried items."""
    income_account: Reference | None = None
    """Account of type Income or Other Income. Needed when enabled."""
    cost_of_sale_account: Reference | None = None
    """Account of type Cost of Sales, Expense or Other Expense. Needed for inventoried items."""
    expense_account: Reference | None = None
    """Account of type Expense, Other Expense or Cost of Sales, of items that are bought and of which no stock is kept."""
    sale_tax_code: Reference = "G1"
    """Tax code when sold."""
    sale_tax_code_free: Reference = "G1,G3"
    """Tax code when sold, of products that are tax free in the store."""
    purchase_tax_code: Reference | None = "G11"
    """Tax code when bought."""


class CustomersToSaasu(Model):
    """Customers to SAASU."""

    enabled: bool = True
    """Export customers: only those with an order that is exported. Off: unknown customers' orders wait, or take the default."""
    company: bool = True
    """The customer's company is linked, and made where it is not there."""


class OrdersToSaasu(Model):
    """Orders/Invoices to SAASU."""

    enabled: bool = True
    """Export orders as invoices."""
    statuses: tuple[str, ...] = ("Pick", "Pack", "Pending Pickup", "Pending Dispatch", "Dispatched")
    """Order statuses that are exported."""
    contact: ContactFrom = ContactFrom.ORDER
    """order: the contact of the order's customer. default: all invoices on `default_contact`."""
    default_contact: Reference | None = None
    """Contact, by id, Contact ID or e-mail address: for all invoices, or where the order's customer has none."""
    find_by_email: bool = True
    """Look for a contact with the order's e-mail address and family name where none has its username."""
    layout: UnknownSku = UnknownSku.BLOCK
    """block: an order with an unknown SKU waits. service_layout: it is written by account, on `default_line_account`."""
    default_line_account: Reference | None = None
    """Account of type Income or Other Income, of lines in service layout."""
    shipping_item: Reference = "SHIPPING"
    """Item of shipping: sold, no stock kept."""
    surcharge_item: Reference = "SURCHARGE"
    """Item of payment surcharges."""
    discount_item: Reference = "DISCOUNT"
    """Item of coupons and other discounts of the whole order; its price is negative."""
    rounding_item: Reference | None = None
    """Item for cents that an order's total has and its parts have not (OrderRounding). Empty: such an order is blocked."""
    rounding_most: Decimal = Field(default=Decimal("0.00"), ge=0, le=1)
    """Most of them in one order, in its currency. 0.00: none; a difference blocks the order and is shown line by line."""
    prefix: str = Field(default="", max_length=10)
    """Put before the order number, so that several stores can share a file."""
    numbering: Numbering = Numbering.ORDER
    """order: the invoice number is prefix + order number. auto: Saasu numbers; the order number is its purchase-order number."""
    invoice_type: str = Field(default=SALE_ORDER, pattern="^(Sale Order|Tax Invoice|Sale Invoice)$")
    """Sale Order, Tax Invoice, or Sale Invoice (for a file that is not registered for tax)."""
    convert_statuses: tuple[str, ...] = ("Dispatched",)
    """A sale order becomes an invoice when its order has one of these statuses. Empty: never; you convert it."""
    invoice_type_converted: str = Field(default="Tax Invoice", pattern="^(Tax Invoice|Sale Invoice)$")
    """What it becomes."""
    retry_as_sale_order: bool = True
    """An invoice that Saasu refuses for want of stock is written as a sale order instead."""
    tax_code: Reference = "G1"
    """Tax code of taxed lines."""
    tax_code_free: Reference = "G1,G3"
    """Tax code of tax-free lines."""
    tax_code_export: Reference = "G1,G2"
    """Tax code of all lines of orders that leave the country."""
    tax_codes: dict[str, Reference] = Field(default_factory=dict)
    """Own tax codes by the store's name of the code on an order line. Goes before the three above."""
    home_country: str = Field(default="AU", pattern="^[A-Z]{2}$")
    """Country of the store: orders shipped elsewhere without tax are exports."""
    amounts: TaxBasis = TaxBasis.INCLUSIVE
    """inclusive: amounts are written with tax, so that the total is the order's to the cent. as_order: as the order has them."""
    on_edit: OnEdit = OnEdit.REPORT
    """update: an unpaid invoice is changed; a cancelled order's is deleted. credit: it is credited in full and posted anew.
    report: it waits for you with the difference."""
    due_days: int = Field(default=0, ge=0, le=365)
    """Days after the invoice's day on which it is due, where the order does not say."""
    tag: str = Field(default="", max_length=35)
    """Tag put on every invoice. Empty: none."""


class Payments(Model):
    """Payments."""

    enabled: bool = True
    """Export payments."""
    methods: dict[str, Reference] = Field(default_factory=dict)
    """Bank account of Saasu by payment method of the store (its name or id). Several methods may share one.
    An id of which the store has the name twice counts only where GetPayment told it."""
    default_account: Reference | None = None
    """Bank account of methods that are not listed. Empty: such a payment waits."""
    quick: bool = True
    """An invoice and its first payment go in one call where both are due in one run."""
    overpayment: Overpayment = Overpayment.OFF
    """off: money above what is owed is reported. journal: it is booked to `overpayment_account`, so that the bank agrees."""
    overpayment_account: Reference | None = None
    """Account of type Liability for it, no bank account."""
    fee_percent: dict[str, Decimal] = Field(default_factory=dict)
    """Fee the method keeps, in percent, by method; booked where its bank account has a merchant-fee account."""

    @model_validator(mode="after")
    def _account_for_overpayments(self) -> Payments:
        if self.overpayment is Overpayment.JOURNAL and self.overpayment_account is None:
            raise ValueError("overpayment: journal needs an overpayment_account (a liability account)")
        return self


class Refunds(Model):
    """Refunds and returns (the add-on has none)."""

    enabled: bool = True
    """A closed RMA becomes an adjustment note, a paid refund a negative payment."""
    account: Reference | None = None
    """Account of returns that are not put back on the shelf, and of refunded charges in service layout: of type Income, Expense,
    Cost of Sales, Other Income or Other Expense. Default: the `default_line_account` of orders."""
    credit_account: Reference | None = None
    """Bank account (a clearing account) that holds customers' credit: a closed RMA that is not paid out is moved there, and
    an order paid by account credit draws on it. Empty: the adjustment note stays open."""


class General(Model):
    """What concerns all flows."""

    test_orders: tuple[str, ...] = Field(default=(), max_length=10)
    """Order numbers that mode test is about, at most 10."""
    most_documents: int = Field(default=2000, ge=1)
    """A plan with more documents to write is stopped by a guard."""
    most_total: Decimal = Field(default=Decimal(1_000_000), gt=0)
    """A plan that would write more than this, in the file's currency or in another one, is stopped by a guard."""


class NetoSaasuSettings(Model):
    """All of them."""

    general: General = General()
    """What concerns all flows."""
    initial_sync: InitialSync = InitialSync()
    """Initial Sync."""
    products_from_saasu: ProductsFromSaasu = ProductsFromSaasu()
    """Products from SAASU."""
    inventory_from_saasu: InventoryFromSaasu = InventoryFromSaasu()
    """Inventory from SAASU."""
    products_to_saasu: ProductsToSaasu = ProductsToSaasu()
    """Products to SAASU."""
    customers_to_saasu: CustomersToSaasu = CustomersToSaasu()
    """Customers to SAASU."""
    orders_to_saasu: OrdersToSaasu = OrdersToSaasu()
    """Orders/Invoices to SAASU."""
    payments: Payments = Payments()
    """Payments."""
    refunds: Refunds = Refunds()
    """Refunds and returns."""

    def enabled_flows(self) -> tuple[str, ...]:
        """The flows that are on, in their order."""
        on = {
            "items_to_saasu": self.products_to_saasu.enabled,
            "contacts": self.customers_to_saasu.enabled and self.orders_to_saasu.enabled,
            "invoices": self.orders_to_saasu.enabled,
            "payments": self.payments.enabled,
            "refunds": self.refunds.enabled,
            "other_items_to_saasu": self.products_to_saasu.enabled,
            "items_from_saasu": self.products_from_saasu.enabled,
            "stock_from_saasu": self.inventory_from_saasu.enabled,
        }
        return tuple(flow for flow in FLOWS if on[flow])
