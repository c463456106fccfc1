"""The user's choices for a Neto store and a Cin7 Omni account, in the words of Omni's own Neto module.

Belongs here: every setting, with a description a user can act on. Does not belong here: reading YAML or cross-checking
connections (`config`, `checks`), what a choice does (the flow modules). Facts: cin7-omni.md 6, 13, 13.2; neto.md 8.1, 15.5.

Branches, contacts and warehouses are named by id (digits) or name, as `ledger-pipelines options` lists them; they are
resolved against the account's own lists when a plan is made.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, model_validator

from ledger_pipelines.config.base import Model

FLOWS: Final = (
    "products_to_cin7",
    "products_from_cin7",
    "contacts",
    "orders",
    "payments",
    "status_updates",
)
"""The flows, in the order they run. Names are API."""
TO_NETO: Final = frozenset({"products_from_cin7"})
"""Flows that write to the store; the others write to Omni."""
STATUSES: Final = (
    "New", "On Hold", "New Backorder", "Backorder Approved", "Pick", "Pack", "Pending Pickup", "Pending Dispatch",
    "Dispatched", "Uncommitted", "Cancelled",
)  # fmt: skip
"""Order statuses of Neto that are orders (neto.md 8.1)."""
LONGEST_PREFIX: Final = 15
"""A reference of Omni has 30 characters, an order number of Neto 15 at most (cin7-omni.md 6.1, neto.md 4.1)."""

Reference = Annotated[str, Field(min_length=1, max_length=250)]
Rate = Annotated[Decimal, Field(ge=0, le=100)]


class UnknownSku(StrEnum):
    """What an order with a SKU that is not in step does."""

    BLOCK = "block"
    MARK = "mark"


class Kits(StrEnum):
    """What a kit of the store is on an order of Omni."""

    KIT = "kit"
    COMPONENTS = "components"


class Customer(StrEnum):
    """Whose order it is in Omni."""

    MATCH = "match"
    DEFAULT = "default"


class Guests(StrEnum):
    """Whose order it is when the buyer has no account in the store."""

    CREATE = "create"
    DEFAULT = "default"


class OrderNumber(StrEnum):
    """What Customer Order No of an order is."""

    PURCHASE_ORDER = "purchase_order"
    ORDER = "order"


class Wins(StrEnum):
    """Who wins when both sides changed the same part of an order."""

    REPORT = "report"
    NETO = "neto"
    OMNI = "omni"


class MixedBranches(StrEnum):
    """What an order does whose lines leave from warehouses of several branches."""

    BLOCK = "block"
    DEFAULT = "default"


class TaxBasis(StrEnum):
    """How amounts are written."""

    INCLUSIVE = "inclusive"
    AS_ORDER = "as_order"


class Coupons(StrEnum):
    """Where a coupon's amount goes."""

    ORDER = "order"
    LINES = "lines"


class AutoDispatch(StrEnum):
    """Auto Dispatch Orders, in Omni's own words."""

    NO = "No"
    COMPLETED = "Yes - Completed Orders Only"
    COMPLETED_IGNORE_STOCK = "Yes - Completed Orders Only (Ignore Stock)"


def _yaml_no(value: object) -> object:
    """YAML reads an unquoted No as false."""
    return AutoDispatch.NO if value is False else value


class InitialSync(Model):
    """Initial Sync."""

    days: int = Field(default=90, ge=1, le=3660)
    """How many days of orders and payments of Omni are read back from the start date, to find what is there already."""


class Products(Model):
    """Products."""

    in_step: bool = True
    """Products are compared first: missing in Omni, inactive there, or differing in case. Off: no SKU is looked at."""
    unknown_sku: UnknownSku = UnknownSku.BLOCK
    """block: an order with a SKU that is not in step waits. mark: it goes through, with the line marked."""
    kits: Kits = Kits.KIT
    """kit: a kit is one line under its own SKU. components: it is split into its parts, which share its price."""
    download: bool = False
    """Download Products: a new product of the store becomes a product of Omni."""
    upload: bool = False
    """Upload Products: a new product of Omni becomes a product of the store, not approved, never a variant."""
    price_column: Reference = "retailPrice"
    """Price Tier whose price an uploaded product has: retailPrice, wholesalePrice, vipPrice, or the name of a price column."""
    price_has_tax: bool = True
    """Whether that price contains tax."""


class DownloadOrders(Model):
    """Download Orders."""

    enabled: bool = True
    """Download Orders."""
    statuses: tuple[str, ...] = (
        "New", "On Hold", "New Backorder", "Backorder Approved", "Pick", "Pack", "Pending Pickup", "Pending Dispatch",
        "Dispatched", "Uncommitted",
    )  # fmt: skip
    """Order statuses that are downloaded. A cancelled order is never made in Omni, only voided there."""
    orders_from: date | None = None
    """Orders of this day and later. Empty: the integration's start date. An earlier day than that counts for nothing."""
    draft_statuses: tuple[str, ...] = ("On Hold", "Uncommitted")
    """Statuses whose orders land as Draft: they reserve no stock. All others land Approved."""
    stages: dict[str, Reference] = Field(
        default_factory=lambda: {
            "New": "New",
            "New Backorder": "New",
            "Backorder Approved": "Processing",
            "Pick": "Processing",
            "Pack": "Processing",
            "Pending Pickup": "Processing",
            "Pending Dispatch": "Processing",
            "Dispatched": "Processing",
            "On Hold": "On Hold",
            "Uncommitted": "On Hold",
        }
    )
    """Stage of Omni by order status; naming any replaces all of the shipped ones. Shipped: Processing for Backorder Approved, Pick,
    Pack, Pending Pickup, Pending Dispatch and Dispatched; On Hold for On Hold and Uncommitted; New for New and New Backorder. Stage
    Dispatched is set by dispatching, see Auto Dispatch Orders."""
    default_stage: Reference = "New"
    """Stage of statuses that are not listed."""
    prefix: str = Field(default="", max_length=LONGEST_PREFIX)
    """Put before the order number to make the reference, which has 30 characters at most."""
    customer_order_no: OrderNumber = OrderNumber.PURCHASE_ORDER
    """purchase_order: Customer Order No is the buyer's own number, or the order number where there is none. order: always that."""
    update: bool = True
    """An order that changes in the store later is changed in Omni. Off: it is reported."""
    edited_in_omni: Wins = Wins.REPORT
    """The store and somebody in Omni changed the same part of an order. report: it waits for you with both values. neto: the
    store's is written. omni: Omni's stays."""

    @property
    def changes(self) -> bool:
        """Whether orders that are in Omni are changed there."""
        return self.enabled and self.update


class Branches(Model):
    """Branches."""

    branch: Reference | None = None
    """Branch that fulfils orders, by id or name. Empty: Omni's main branch."""
    by_warehouse: dict[str, Reference] = Field(default_factory=dict)
    """Branch by warehouse of the store its lines leave from (id, reference or name). Goes before `branch`."""
    mixed: MixedBranches = MixedBranches.BLOCK
    """block: an order whose lines leave from several branches waits. default: it goes to `branch`."""


class CustomerTracking(Model):
    """Customer Tracking."""

    customer: Customer = Customer.MATCH
    """match: the contact with the customer's e-mail address, then the one with its user name as integration reference, else a
    new one. default: always the default customer; the buyer's name and addresses stay on the order."""
    create: bool = True
    """Make a contact where none matches. Off: the default customer is taken, or the order waits."""
    guests: Guests = Guests.CREATE
    """create: buyers without an account are matched and made by e-mail address. default: they are the default customer."""
    default_customer: Reference | None = None
    """Default customer, by id, e-mail address, account number or company."""
    price_tier: str = Field(default="", max_length=250)
    """Price tier (price column) of contacts that are made. Empty: Omni's own default. Orders bring the store's prices."""


class Accounting(Model):
    """Accounting."""

    amounts: TaxBasis = TaxBasis.INCLUSIVE
    """inclusive: orders are written tax inclusive (Incl), so that the total is the store's to the cent. as_order: Incl or
    Excl, as the order has its amounts. An order without any tax is Exempt either way."""
    tax_rate: Rate = Decimal(10)
    """Tax rate in percent of taxed lines."""
    tax_rates: dict[str, Rate] = Field(default_factory=dict)
    """Tax rate in percent by the store's name of the tax code on an order line. Goes before `tax_rate`."""
    coupons: Coupons = Coupons.ORDER
    """order: a coupon is the order's discount. lines: each line's share is part of the line's discount."""
    freight_description: str = Field(default="", max_length=250)
    """Freight description. Empty: the shipping method the buyer chose."""
    surcharge_description: str = Field(default="Surcharge", max_length=250)
    """Surcharge description; the payment method follows it."""
    discount_description: str = Field(default="Discount", max_length=250)
    """Discount description of coupons and shipping discounts."""
    currency_rates: dict[str, Decimal] = Field(default_factory=dict)
    """Rate from the account's currency to another, by its code. Not listed: Omni looks it up."""
    cost_center: str = Field(default="", max_length=250)
    """Cost center of downloaded orders. Empty: none."""
    payment_terms: str = Field(default="", max_length=250)
    """Payment terms of downloaded orders. Empty: Omni's own."""


class Payments(Model):
    """Payments."""

    enabled: bool = False
    """Each payment of the store becomes a payment of Omni, once."""
    methods: dict[str, Reference] = Field(default_factory=dict)
    """Payment method of Omni by that of the store (its name or id). Not listed: `default_method`."""
    default_method: Reference | None = None
    """Payment method of those that are not listed. Empty: the store's own name of it."""


class StatusUpdates(Model):
    """Status updates."""

    auto_dispatch_orders: Annotated[AutoDispatch, BeforeValidator(_yaml_no)] = AutoDispatch.NO
    """Auto Dispatch Orders. No: nothing is dispatched or voided. Yes - Completed Orders Only: a completed order is dispatched
    when all of its lines can be, from stock at its branch. (Ignore Stock): whatever there is. Both void cancelled orders."""
    completed_statuses: tuple[str, ...] = ("Dispatched",)
    """Order statuses that are completed."""
    dispatched_stage: Reference = "Dispatched"
    """Stage of dispatched orders."""
    stock_every_minutes: int = Field(default=60, ge=0, le=10080)
    """Stock of Omni is read again when the last reading is older; what was dispatched since counts as gone. One call for each 250
    rows of each branch."""


class General(Model):
    """What concerns all flows."""

    test_orders: tuple[str, ...] = Field(default=(), max_length=10)
    """Order numbers that mode test is about, at most 10."""
    most_documents: int = Field(default=2000, ge=1)
    """A plan with more documents to write is stopped by a guard."""
    most_total: Decimal = Field(default=Decimal(1_000_000), gt=0)
    """A plan that would write more than this, in the account's currency or in another one, is stopped by a guard."""


class NetoCin7Settings(Model):
    """All of them."""

    general: General = General()
    """What concerns all flows."""
    initial_sync: InitialSync = InitialSync()
    """Initial Sync."""
    products: Products = Products()
    """Products."""
    download_orders: DownloadOrders = DownloadOrders()
    """Download Orders."""
    branches: Branches = Branches()
    """Branches."""
    customer_tracking: CustomerTracking = CustomerTracking()
    """Customer Tracking."""
    accounting: Accounting = Accounting()
    """Accounting."""
    payments: Payments = Payments()
    """Payments."""
    status_updates: StatusUpdates = StatusUpdates()
    """Status updates."""

    @model_validator(mode="after")
    def _default_customer_where_needed(self) -> NetoCin7Settings:
        chosen = self.customer_tracking
        wanted = chosen.customer is Customer.DEFAULT or chosen.guests is Guests.DEFAULT
        if wanted and chosen.default_customer is None:
            raise ValueError("customer_tracking: default needs a default_customer")
        return self

    @property
    def dispatches(self) -> bool:
        """Whether completed orders are dispatched and cancelled ones voided."""
        return self.status_updates.auto_dispatch_orders is not AutoDispatch.NO

    def enabled_flows(self) -> tuple[str, ...]:
        """The flows that are on, in their order."""
        orders = self.download_orders.enabled
        contacts = self.customer_tracking
        on = {
            "products_to_cin7": self.products.download,
            "products_from_cin7": self.products.upload,
            "contacts": orders and contacts.create and contacts.customer is Customer.MATCH,
            "orders": orders,
            "payments": self.payments.enabled,
            "status_updates": self.dispatches,
        }
        return tuple(flow for flow in FLOWS if on[flow])
