"""The user's choices for Amazon settlements into NetSuite, in the words of the product they may know.

Belongs here: every setting of celigo-amazon-netsuite.md 3, and those 8 adds, each with a description a user can act on.
Does not belong here: reading YAML or cross-checking connections (`config`), what a choice does (the flow modules).

Accounts, items and customers are named by internal id (digits) or by number/name, as `ledger-pipelines options`
lists them; they are resolved against the account's own lists before anything is planned.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from ledger_pipelines.config.base import Model

FLOWS = (
    "settlement_records",
    "order_invoices",
    "payments",
    "refunds",
    "settlement_journal",
    "summary_update",
)
"""The flows, in the order they run. Names are API: asset keys, CLI arguments, journal rows."""


class ClosedPeriodPolicy(StrEnum):
    """What to do when the posting period of a document's date is closed."""

    FIRST_OPEN = "first_open"
    HOLD = "hold"


class TaxMode(StrEnum):
    """How tax that belongs on a credit memo is written (netsuite.md 9.4)."""

    NETSUITE = "netsuite"
    TAX_CODE = "tax_code"
    OWN_LINE = "own_line"


class OpenGroups(StrEnum):
    """What the settlement journal does while groups are unresolved."""

    WAIT = "wait"
    POST = "post"


class PaymentDate(StrEnum):
    """Which date payments, credit memos and refunds carry."""

    POSTED = "posted"
    DEPOSIT = "deposit"


class RestockingFee(StrEnum):
    """How a restocking fee kept from a refund is booked (celigo-amazon-netsuite.md 8.6)."""

    CREDIT_LINE = "credit_line"
    JOURNAL = "journal"


class OpenInvoice(StrEnum):
    """What a credit memo does with an invoice that is still unpaid (celigo-amazon-netsuite.md 8.6 is `apply`)."""

    CLEARING = "clearing"
    APPLY = "apply"


Reference = Annotated[str, Field(min_length=1, max_length=200)]


class General(Model):
    """Tab General."""

    enable_test_mode: bool = False
    """Enable test mode: only the orders named in `amazon_order_ids` are processed; their records are marked."""
    amazon_order_ids: tuple[str, ...] = ()
    """Amazon order Id(s) of test mode, at most 10."""
    order_id_fields: tuple[str, ...] = ("custbody_azs_order_id", "custbody_celigo_etail_order_id")
    """Body fields of sales orders, invoices, cash sales and credit memos that hold the Amazon order id, best first."""
    match_other_ref_num: bool = True
    """Also look for the order id in the PO number (otherRefNum)."""
    match_merchant_order_id: bool = True
    """Also look for the merchant order id where it differs from the Amazon order id."""
    external_id_patterns: tuple[str, ...] = ()
    """External-id patterns of the importer that made your orders, with `{order_id}` in them. Empty: not used."""
    order_id_field_on_documents: str = "custbody_azs_order_id"
    """Body field in which documents we create carry the order id. Empty: none."""
    settlement_id_field_on_documents: str = "custbody_azs_settlement_id"
    """Body field in which documents we create carry the settlement id. Empty: none."""
    tolerance_per_order: Decimal = Field(default=Decimal("0.00"), ge=0, le=5)
    """Residue per order, in the settlement's currency, that may be left open as a rounding difference. 0: none."""
    tolerance_per_settlement: Decimal = Field(default=Decimal("1.00"), ge=0, le=50)
    """Most of such residues in one settlement; beyond it the journal is blocked."""
    rounding_account: Reference | None = None
    """Account the residues within tolerance are posted to. Needed when `tolerance_per_order` is above 0."""
    closed_period: ClosedPeriodPolicy = ClosedPeriodPolicy.HOLD
    """first_open: a document whose period is closed takes the first day of the first open period. hold: it waits."""
    document_date: PaymentDate = PaymentDate.POSTED
    """posted: payments and refunds carry the day Amazon posted them, in the books' zone. deposit: the deposit date."""

    @field_validator("amazon_order_ids")
    @classmethod
    def _at_most_ten(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if len(ids) > 10:
            raise ValueError("test mode takes at most 10 Amazon order ids")
        return ids

    @model_validator(mode="after")
    def _test_mode_names_orders(self) -> General:
        if self.enable_test_mode and not self.amazon_order_ids:
            raise ValueError("enable_test_mode needs at least one id in amazon_order_ids")
        if self.tolerance_per_order > 0 and self.rounding_account is None:
            raise ValueError("tolerance_per_order above 0 needs a rounding_account")
        return self


class Records(Model):
    """The settlement custom records. An account that ran Celigo's can name its own types and fields."""

    summary_record: str = "customrecord_azs_summary"
    """Script id of the settlement summary type."""
    transaction_record: str = "customrecord_azs_txn"
    """Script id of the settlement transaction type."""
    field_ids: dict[str, str] = Field(default_factory=dict)
    """Own field ids, by ours: `custrecord_azs_sum_settlement_id: custrecord_mine`. Empty text: do not write it."""
    list_values: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Internal ids of list values, by our list and value: `txn_status: {Matched: "2"}`; default: order of docs page."""


class OrderInvoices(Model):
    """Flow "NetSuite Order to NetSuite Invoice Add"."""

    enabled: bool = True
    """Billable sales orders of the settlement become invoices. Off: they are reported as `No invoice`."""
    channels: tuple[str, ...] = ("MFN",)
    """Whose sales orders are billed: MFN, AFN or both. FBA orders are usually invoices already."""


class Payment(Model):
    """Tab Payment."""

    enabled: bool = True
    """Whether invoices are paid."""
    netsuite_payment_account: dict[str, Reference] = Field(default_factory=dict)
    """NetSuite Payment Account: the Amazon clearing (holding) account by currency; its type must be Bank."""


class Refund(Model):
    """Tab Refund."""

    enabled: bool = True
    """Whether refunds are credited and refunded."""
    netsuite_refund_account: dict[str, Reference] = Field(default_factory=dict)
    """NetSuite Refund Account by currency. Default: the payment account."""
    netsuite_refund_method: Reference | None = None
    """NetSuite Refund Method: a payment option, where the account has them."""
    netsuite_refund_location: Reference | None = None
    """NetSuite Refund Location on the credit memo."""
    substitute_item: Reference | None = None
    """Substitute item for serialised/bin/lot item: replaces tracked items on the credit memo."""
    tracked_item_types: tuple[str, ...] = ()
    """Items to replace by the substitute, by internal id or name. (SuiteQL does not tell tracking reliably.)"""
    tax_only_refund_item: Reference | None = None
    """NetSuite item to track tax-only refunds: the credit memo's line amount is the tax, its own tax zero."""
    split_tax: bool = True
    """Split GST/VAT from the settlement report amount: tax stands apart on the credit memo. Off: it is part of the item's
    amount."""
    tax_mode: TaxMode = TaxMode.OWN_LINE
    """own_line: tax as its own line item, exact. tax_code, netsuite: NetSuite computes it (by `tax_code` on each line, or
    by its own rules); a credit memo whose total then differs from the refund is held for you, not adopted."""
    tax_code: Reference | None = None
    """Tax code for `tax_mode: tax_code`."""
    tax_item: Reference | None = None
    """Item for tax lines of `tax_mode: own_line`. Default: the tax-only refund item."""
    shipping_item: Reference | None = None
    """Item for refunded shipping."""
    giftwrap_item: Reference | None = None
    """Item for refunded gift wrap."""
    promotion_item: Reference | None = None
    """Item for promotions given back with a refund."""
    restocking_item: Reference | None = None
    """Item for restocking fees."""
    restocking_fee: RestockingFee = RestockingFee.CREDIT_LINE
    """credit_line: a negative line on the credit memo. journal: the memo is gross and the fee goes to the journal."""
    open_invoice: OpenInvoice = OpenInvoice.CLEARING
    """clearing: a refund always passes through clearing, as Amazon's money does, whether its invoice is paid or not. apply:
    it is credited to an unpaid invoice first; clearing then keeps that amount until the invoice is paid less."""
    unknown_sku_item: Reference | None = None
    """Item for a refunded SKU that its invoice does not show. Empty: the refund waits as `Item not found`."""


class Journal(Model):
    """Tab Journal."""

    enabled: bool = True
    """Whether the settlement journal is made."""
    amazon_payment_account: dict[str, Reference] = Field(default_factory=dict)
    """Amazon payment (bank) account by currency: where the deposit arrives."""
    negative_deposit_account: dict[str, Reference] = Field(default_factory=dict)
    """Account by currency for a negative settlement (you owe Amazon). Default: the account of `payable_to_amazon`."""
    transaction_fee_accounts: dict[str, Reference] = Field(default_factory=dict)
    """Map transaction fees to G/L account: by category, or by `transaction type/amount type/description`. A name ending
    in `@CAD` holds for settlements in that currency only, and goes before the plain one."""
    non_transaction_accounts: dict[str, Reference] = Field(default_factory=dict)
    """Map non-transaction amounts to G/L account: by category, or by the triple; `@CAD` as above."""
    suspense_account: Reference | None = None
    """Account for kinds of amount nobody has mapped. Empty (recommended): they block the journal, by name."""
    carried_forward_account: Reference | None = None
    """Balance-sheet account that bridges two months of one settlement. Needed when a settlement crosses a month end."""
    split_months: bool = True
    """One journal per posted month (with the carried-forward account), or one at the deposit date."""
    open_groups: OpenGroups = OpenGroups.WAIT
    """wait: the journal is made when every group is resolved. post: at once; clearing shows what is open."""


class Summary(Model):
    """Tab Summary."""

    enabled: bool = True
    """Whether summaries are refreshed."""
    months: int = Field(default=2, ge=0, le=1200)
    """Summaries of settlements of the last N months are re-read. Any older one can be named by its partition."""


class Guards(Model):
    """Limits beyond which nothing is written and a person is asked."""

    max_documents: int | None = Field(default=None, ge=1)
    """Most documents of one plan."""
    max_total: dict[str, Decimal] = Field(default_factory=dict)
    """Largest total of one plan, by currency."""


class AmazonNetSuiteSettings(Model):
    """Settings of one `amazon_netsuite` integration."""

    customer: dict[str, Reference] = Field(default_factory=dict)
    """Customer by currency that `seed-books` gives the orders it makes in the sandbox. The product itself takes the
    customer from the order's own documents."""
    subsidiary: dict[str, Reference] = Field(default_factory=dict)
    """Subsidiary of the journal by currency (OneWorld accounts)."""
    general: General = General()
    records: Records = Records()
    order_invoices: OrderInvoices = OrderInvoices()
    payment: Payment = Payment()
    refund: Refund = Refund()
    journal: Journal = Journal()
    summary: Summary = Summary()
    guards: Guards = Guards()
