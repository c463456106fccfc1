"""The entities whose daily snapshots are kept: names, columns, keys, how change is told.

Belongs here: one table of facts. Does not belong here: reading (`reader`). Facts: netsuite.md 7.3; columns marked
inferred there may not exist in an account, and are asked for by name, so NetSuite says which one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger_pipelines.systems.entities import Kind
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection

__all__ = ["Column", "Entity", "Kind", "entities"]

_OPENING = frozenset({"customers", "items"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, and the SuiteQL expression without formatting."""

    name: str
    sql: str
    kind: Kind = Kind.TEXT

    @property
    def selected(self) -> str:
        """What stands in the SELECT list."""
        formats = {Kind.DAY: "YYYY-MM-DD", Kind.INSTANT: "YYYY-MM-DD HH24:MI:SS"}
        style = formats.get(self.kind)
        if style:
            return f"TO_CHAR({self.sql},'{style}') AS {self.name}"
        return self.sql if self.sql.endswith(f".{self.name}") else f"{self.sql} AS {self.name}"


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of record.

    Args:
        name: Of the snapshot.
        columns: In order.
        source: FROM clause.
        key: Columns that identify a row.
        order: Key expressions for a total order.
        where: Fixed condition, "" = none.
        modified: Expression of the time of change; "" = the whole list is read each time.
    """

    name: str
    columns: tuple[Column, ...]
    source: str
    key: tuple[str, ...]
    order: str
    where: str = ""
    modified: str = ""

    @property
    def whole(self) -> bool:
        """Whether every snapshot holds the whole list."""
        return not self.modified

    @property
    def changed_column(self) -> str:
        """The column with the time of change; "" = none."""
        return next((column.name for column in self.columns if column.sql == self.modified), "")

    @property
    def basis(self) -> str:
        """What decides the day of a row."""
        return self.modified or "whole list"

    @property
    def opening(self) -> bool:
        """Master data: its first day holds everything older too. Transactions before the start date are not kept."""
        return self.name in _OPENING


def _columns(alias: str, text: str) -> tuple[Column, ...]:
    """`"id tranid amount:number"` as columns of a table."""
    found = []
    for word in text.split():
        name, _, kind = word.partition(":")
        found.append(Column(name, f"{alias}.{name}", Kind(kind or "text")))
    return tuple(found)


_HEADER = (
    "id type tranid externalid entity status foreigntotal:number exchangerate:number trandate:day memo"
    " otherrefnum postingperiod voided:flag createddate:instant lastmodifieddate:instant"
)
_OPEN = " duedate:day foreignamountpaid:number foreignamountunpaid:number"
_USED = " foreignpaymentamountused:number foreignpaymentamountunused:number"
_LINE = (
    "transaction id linesequencenumber:number uniquekey item itemtype quantity:number rate:number"
    " foreignamount:number mainline:flag taxline:flag department class location memo createdfrom"
)


def _sales(name: str, code: str, more: str, connection: NetSuiteConnection) -> tuple[Entity, Entity]:
    custom = tuple(
        Column(f, f"t.{f}") for f in connection.order_id_fields if f not in {"otherrefnum", "memo"}
    )
    currency = (Column("currency", "c.symbol"),) if connection.multi_currency else ()
    join = " LEFT JOIN currency c ON c.id = t.currency" if connection.multi_currency else ""
    header = Entity(
        name,
        (*_columns("t", _HEADER + more), *currency, *custom),
        f"transaction t{join}",
        ("id",),
        "t.id",
        f"t.type = '{code}'",
        "t.lastmodifieddate",
    )
    own: tuple[Column, ...] = (Column("subsidiary", "tl.subsidiary"),) if connection.one_world else ()
    item = connection.order_item_field
    own += (Column(item, f"tl.{item}"),) if item else ()
    lines = Entity(
        f"{name.removesuffix('s')}_lines",
        (*_columns("tl", _LINE), *own, Column("lastmodifieddate", "t.lastmodifieddate", Kind.INSTANT)),
        "transactionline tl JOIN transaction t ON t.id = tl.transaction",
        ("transaction", "id"),
        "tl.transaction, tl.id",
        f"t.type = '{code}'",
        "t.lastmodifieddate",
    )
    return header, lines


def _applications(name: str, code: str) -> Entity:
    return Entity(
        name,
        (
            *_columns("l", "previousdoc previousline nextdoc nextline linktype foreignamount:number"),
            Column("lastmodifieddate", "t.lastmodifieddate", Kind.INSTANT),
        ),
        "previoustransactionlinelink l JOIN transaction t ON t.id = l.nextdoc",
        ("previousdoc", "previousline", "nextdoc", "nextline", "linktype"),
        "l.nextdoc, l.nextline, l.previousdoc, l.previousline, l.linktype",
        f"t.type = '{code}'",
        "t.lastmodifieddate",
    )


def _list(name: str, table: str, text: str) -> Entity:
    return Entity(name, _columns("r", text), f"{table} r", ("id",), "r.id")


def _custom(name: str, record: str) -> Entity:
    text = "id name externalid isinactive:flag created:instant lastmodified:instant"
    return Entity(name, _columns("r", text), f"{record} r", ("id",), "r.id", "", "r.lastmodified")


def entities(
    connection: NetSuiteConnection,
    *,
    summary_columns: tuple[Column, ...] = (),
    transaction_columns: tuple[Column, ...] = (),
) -> dict[str, Entity]:
    """All entities of a connection, by name; custom records with the columns given besides their own."""
    found: list[Entity] = [
        Entity(
            "customers",
            _columns(
                "r",
                "id entityid companyname firstname lastname email phone isperson:flag isinactive:flag externalid"
                " terms category datecreated:instant lastmodifieddate:instant",
            ),
            "customer r",
            ("id",),
            "r.id",
            "",
            "r.lastmodifieddate",
        ),
        Entity(
            "items",
            _columns(
                "r",
                "id itemid displayname fullname itemtype subtype isinactive:flag externalid incomeaccount"
                " lastmodifieddate:instant",
            ),
            "item r",
            ("id",),
            "r.id",
            "",
            "r.lastmodifieddate",
        ),
    ]
    for name, code, more in (
        ("sales_orders", "SalesOrd", ""),
        ("invoices", "CustInvc", _OPEN),
        ("credit_memos", "CustCred", _USED),
        ("payments", "CustPymt", _USED),
        ("customer_refunds", "CustRfnd", ""),
        ("cash_sales", "CashSale", ""),
        ("journal_entries", "Journal", ""),
    ):
        header, lines = _sales(name, code, more, connection)
        found.append(header)
        if name not in {"payments", "customer_refunds"}:
            if name == "journal_entries":
                lines = replace(lines, name="journal_entry_lines")
            found.append(lines)
    found += [
        _applications("payment_applications", "CustPymt"),
        _list("accounts", "account", "id acctnumber fullname accttype isinactive:flag issummary:flag"),
        _list(
            "periods",
            "accountingperiod",
            "id periodname startdate:day enddate:day isquarter:flag isyear:flag isadjust:flag closed:flag"
            " arlocked:flag alllocked:flag",
        ),
        _list("departments", "department", "id name fullname parent isinactive:flag externalid"),
        _list("classes", "classification", "id name fullname parent isinactive:flag externalid"),
        _list("locations", "location", "id name fullname parent isinactive:flag externalid"),
    ]
    if connection.multi_currency:
        found.append(
            _list(
                "currencies",
                "currency",
                "id symbol name isbasecurrency:flag currencyprecision:number isinactive:flag",
            )
        )
    if connection.one_world:
        found.append(
            _list("subsidiaries", "subsidiary", "id name fullname parent currency country isinactive:flag")
        )
    for name, record, columns in (
        ("settlement_summaries", connection.summary_record, summary_columns),
        ("settlement_transactions", connection.transaction_record, transaction_columns),
    ):
        entity = _custom(name, record)
        found.append(replace(entity, columns=(*entity.columns, *columns)))
    return {entity.name: entity for entity in found}
