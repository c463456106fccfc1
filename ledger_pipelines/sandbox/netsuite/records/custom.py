"""Custom record types: how a type definition is given, and the settlement types of the shipped package.

Belongs here: the definition format (the emulator's stand-in for an SDF deploy, since REST cannot create types)
and the two record types with their lists. Sources: netsuite.md 8.11, celigo-amazon-netsuite.md 8.2 and 8.3.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, field_validator

from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType, fields_from

KINDS = {
    "TEXT": "text", "CLOBTEXT": "clob", "TEXTAREA": "clob", "INTEGER": "int", "FLOAT": "number",
    "CURRENCY": "money", "DATE": "date", "DATETIMETZ": "datetime", "CHECKBOX": "bool", "SELECT": "ref",
    "URL": "text", "EMAIL": "email",
}  # fmt: skip
"""SDF field types to the emulator's kinds."""


class FieldDefinition(BaseModel):
    """One custom field: script id, SDF field type, and for SELECT what it points at.

    `select` is a list script id (`customlist_*`), a record type (`customrecord_*`) or a built-in family
    (`transaction`, `entity`, `item`, `account`, `currency`, `subsidiary`...).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scriptid: str
    fieldtype: str = "TEXT"
    label: str = ""
    mandatory: bool = False
    select: str = ""

    @field_validator("scriptid")
    @classmethod
    def _short_and_lower(cls, value: str) -> str:
        if len(value) > 40 or value != value.lower():
            raise ValueError(f"script id {value!r} must be lower case and at most 40 characters")
        return value

    def as_field(self) -> Field:
        """The field as the record engine knows it."""
        kind = KINDS.get(self.fieldtype.upper())
        if kind is None:
            raise ValueError(f"field type {self.fieldtype!r} of {self.scriptid}: use one of {sorted(KINDS)}")
        longest = {"TEXT": 300, "URL": 999, "TEXTAREA": 4000}.get(self.fieldtype.upper(), 0)
        return Field(
            self.scriptid, kind, family=self.select.lower() if kind == "ref" else "",
            required=self.mandatory, max_length=longest, label=self.label or self.scriptid,
        )  # fmt: skip


class RecordDefinition(BaseModel):
    """A custom record type. `include_name` makes `name` mandatory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scriptid: str
    recordname: str
    include_name: bool = True
    fields: tuple[FieldDefinition, ...] = ()

    @field_validator("scriptid")
    @classmethod
    def _is_custom(cls, value: str) -> str:
        if not value.startswith("customrecord_") or len(value) > 40 or value != value.lower():
            raise ValueError(
                f"{value!r} must start with customrecord_, be lower case and at most 40 characters"
            )
        return value

    def as_record_type(self) -> RecordType:
        """The type as the record engine knows it."""
        stock = fields_from(
            f"name text {'req' if self.include_name else ''} max=300\naltName text\nautoName bool\nexternalId text\n"
            "isInactive bool\nowner ref:*\nrecordId text ro\nscriptId text ro\ncreated datetime ro\nlastModified datetime ro\n"
        )
        return RecordType(
            name=self.scriptid, family=self.scriptid, label=self.recordname, permission="Custom Record Entries",
            fields=(*stock, *(item.as_field() for item in self.fields)), table=self.scriptid, custom=True,
        )  # fmt: skip


class ListDefinition(BaseModel):
    """A custom list: values get ids 1, 2, 3... in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scriptid: str
    name: str
    values: tuple[str, ...]

    def as_record_type(self) -> RecordType:
        """The list as a record type whose instances are its values."""
        return RecordType(
            name=self.scriptid, family=self.scriptid, label=self.name, permission="Custom Lists",
            fields=fields_from("name text req\nexternalId text\nisInactive bool\n"), table=self.scriptid,
            custom=True, values=tuple((str(at), text) for at, text in enumerate(self.values, 1)),
        )  # fmt: skip


def _fields(prefix: str, table: str) -> tuple[FieldDefinition, ...]:
    result = []
    for line in table.strip().splitlines():
        name, kind, *rest = line.split()
        select = next((word for word in rest if word != "req"), "")
        label = name.replace("_", " ").title()
        result.append(
            FieldDefinition(
                scriptid=prefix + name, fieldtype=kind, label=label, mandatory="req" in rest, select=select
            )
        )
    return tuple(result)


LISTS: tuple[ListDefinition, ...] = (
    ListDefinition(
        scriptid="customlist_azs_summary_status", name="Amazon Settlement Status",
        values=("Loaded", "Matching", "Needs review", "Booked", "Reconciled"),
    ),
    ListDefinition(
        scriptid="customlist_azs_txn_type", name="Amazon Settlement Transaction Type",
        values=("Order", "Refund", "Retrocharge", "Chargeback", "Fee", "Reimbursement", "Reserve", "Transfer", "Other"),
    ),
    ListDefinition(
        scriptid="customlist_azs_channel", name="Amazon Fulfilment Channel", values=("AFN", "MFN", "none")
    ),
    ListDefinition(
        scriptid="customlist_azs_txn_status", name="Amazon Settlement Transaction Status",
        values=(
            "New", "Matched", "Booked", "Verified", "No order", "No invoice", "Cash sale", "Amount differs",
            "Already paid", "Over-paid", "Currency differs", "Customer inactive", "Period closed",
            "Item not found", "Duplicate", "Ignored by user", "Error",
        ),
    ),
)  # fmt: skip

RECORDS: tuple[RecordDefinition, ...] = (
    RecordDefinition(
        scriptid="customrecord_azs_summary",
        recordname="Amazon Settlement Summary",
        fields=_fields(
            "custrecord_azs_sum_",
            """settlement_id TEXT req
            account TEXT
            start DATE
            end DATE
            deposit_date DATE
            currency SELECT currency
            deposit_amt CURRENCY
            orders CURRENCY
            refunds CURRENCY
            fees CURRENCY
            other CURRENCY
            reserve_in CURRENCY
            reserve_out CURRENCY
            paid CURRENCY
            refunded CURRENCY
            journaled CURRENCY
            open_count INTEGER
            diff CURRENCY
            status SELECT customlist_azs_summary_status
            file_hash TEXT""",
        ),
    ),
    RecordDefinition(
        scriptid="customrecord_azs_txn",
        recordname="Amazon Settlement Transaction",
        fields=_fields(
            "custrecord_azs_txn_",
            """summary SELECT customrecord_azs_summary
            key TEXT
            type SELECT customlist_azs_txn_type
            order_id TEXT
            merchant_order_id TEXT
            adjustment_id TEXT
            shipment_id TEXT
            channel SELECT customlist_azs_channel
            posted DATE
            product CURRENCY
            shipping CURRENCY
            giftwrap CURRENCY
            promo CURRENCY
            tax CURRENCY
            withheld_tax CURRENCY
            fees CURRENCY
            net CURRENCY
            sales_order SELECT transaction
            invoice SELECT transaction
            payment SELECT transaction
            credit_memo SELECT transaction
            refund SELECT transaction
            status SELECT customlist_azs_txn_status
            message TEXTAREA
            rows CLOBTEXT""",
        ),
    ),
)
