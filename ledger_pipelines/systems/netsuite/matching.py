"""The reads a settlement needs: documents by order id, lines, links, our own documents, periods, the general ledger.

Belongs here: fewest SuiteQL calls, typed rows. Does not belong here: which document an order is matched to
(`integrations`). Facts: netsuite.md 7.3 to 7.5. Every function names its calls; a page is 1000 rows.
"""

# ruff: noqa: S608 - identifiers come from fixed sets and checked settings; every value is bound

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.systems.netsuite.client import NetSuiteClient
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL, chunks, marks, typed

RECORD_OF_TYPE = {
    "SalesOrd": "salesOrder",
    "CustInvc": "invoice",
    "CashSale": "cashSale",
    "CustCred": "creditMemo",
    "CustPymt": "customerPayment",
    "CustRfnd": "customerRefund",
    "CashRfnd": "cashRefund",
    "CustDep": "customerDeposit",
    "Deposit": "deposit",
    "Journal": "journalEntry",
    "RtnAuth": "returnAuthorization",
    "ItemShip": "itemFulfillment",
}
"""`transaction.type` -> record name (netsuite.md 7.3); other types keep their code."""

_CREDITS = frozenset({"CustCred", "CashRfnd", "RtnAuth"})
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SalesDocument:
    """A document of sale that carries an order id. Amounts in transaction currency, positive."""

    id: str
    type: str
    entity: str = ""
    tranid: str = ""
    order_id: str = ""
    matched_by: str = ""
    entity_name: str = ""
    entity_inactive: bool = False
    currency: str = ""
    subsidiary: str = ""
    account: str = ""
    trandate: date = date.min
    status: str = ""
    foreigntotal: Decimal = Decimal(0)
    unpaid: Decimal = Decimal(0)
    unused: Decimal = Decimal(0)
    tax: Decimal | None = None
    externalid: str = ""
    createdfrom: str = ""
    modified: str = ""

    @property
    def record(self) -> str:
        """Record name."""
        return RECORD_OF_TYPE.get(self.type, self.type)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A line. quantity and amount: positive for what the document is about (a sale's sale, a credit's credit)."""

    transaction: str
    line: str
    type: str = ""
    item: str = ""
    itemid: str = ""
    itemtype: str = ""
    quantity: Decimal | None = None
    rate: Decimal | None = None
    foreignamount: Decimal = Decimal(0)
    taxline: bool = False
    order_item: str = ""

    @property
    def is_discount(self) -> bool:
        """Whether it is a discount item."""
        return self.itemtype == "Discount"


@dataclass(frozen=True, slots=True)
class Link:
    """`nextdoc` was made from, or applied to, `previousdoc`: order -> invoice, invoice -> payment or credit memo."""

    previousdoc: str
    nextdoc: str
    nexttype: str = ""
    linktype: str = ""
    foreignamount: Decimal | None = None

    @property
    def next_record(self) -> str:
        """Record name of the later document."""
        return RECORD_OF_TYPE.get(self.nexttype, self.nexttype)


@dataclass(frozen=True, slots=True)
class OwnDocument:
    """A transaction under an external id of ours. total without sign; used and unused of payments and memos."""

    id: str
    type: str
    externalid: str
    tranid: str = ""
    total: Decimal | None = None
    currency: str = ""
    day: date | None = None
    used: Decimal = Decimal(0)
    unused: Decimal = Decimal(0)
    unpaid: Decimal = Decimal(0)
    status: str = ""
    voided: bool = False
    lines: int = 0

    @property
    def record(self) -> str:
        """Record name."""
        return RECORD_OF_TYPE.get(self.type, self.type)


@dataclass(frozen=True, slots=True)
class CustomRow:
    """A custom record: `values` in the order of the columns asked for, None where empty."""

    id: str
    externalid: str
    name: str
    modified: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A posting period of a month (no quarter, year or adjustment period)."""

    id: str
    periodname: str
    startdate: date
    enddate: date
    closed: bool = False
    arlocked: bool = False
    alllocked: bool = False

    @property
    def is_open(self) -> bool:
        """Whether receivables can be posted into it."""
        return not (self.closed or self.arlocked or self.alllocked)


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """A record a setting may name by id, number or name."""

    id: str
    number: str = ""
    name: str = ""
    type: str = ""
    isinactive: bool = False
    currency: str = ""


@dataclass(frozen=True, slots=True)
class LedgerSum:
    """Postings to one account, debit positive: `base` in the books' currency, `foreign` in `currency`."""

    account: str
    acctnumber: str = ""
    account_name: str = ""
    currency: str = ""
    externalid: str = ""
    base: Decimal = Decimal(0)
    foreign: Decimal = Decimal(0)
    postings: int = 0


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of a journal entry, debit positive: foreignamount in the journal's currency, base in the books'."""

    externalid: str
    account: str
    acctnumber: str = ""
    account_name: str = ""
    memo: str = ""
    foreignamount: Decimal = Decimal(0)
    base: Decimal = Decimal(0)


def first_open(periods: Iterable[Period], day: date) -> date | None:
    """The first day on or after `day` in an open period; None when none was read."""
    for period in sorted(periods, key=lambda p: p.startdate):
        if period.is_open and period.enddate >= day:
            return max(day, period.startdate)
    return None


class Matching:
    """Settlement reads of one account."""

    def __init__(self, client: NetSuiteClient) -> None:
        self._connection = client.connection
        self._ql = SuiteQL(client)

    def sales_documents(
        self, order_ids: Sequence[str], order_id_fields: Sequence[str] = ()
    ) -> tuple[SalesDocument, ...]:
        """Sales orders, invoices, cash sales and credit memos with one of these order ids in one of the fields.

        Fields are asked in order of trust; `matched_by` names the first that holds the id. Default: the
        connection's. Calls: one each 500 order ids (and each 1000 documents found).

        Raises:
            NetSuiteRefusedError: a field does not exist in this account.
        """
        names = tuple(order_id_fields) or self._connection.order_id_fields
        fields = [_checked(name) for name in names]
        asked = ", ".join(f"t.{name} AS field{i}" for i, name in enumerate(fields))
        one_world = self._connection.one_world
        found: dict[str, SalesDocument] = {}
        for some in chunks(order_ids):
            wanted = set(some)
            where = " OR ".join(f"t.{name} IN ({marks(some)})" for name in fields)
            sql = (
                f"SELECT t.id, t.type, t.tranid, t.entity, BUILTIN.DF(t.entity) AS entity_name, {asked},"
                f" cu.isinactive AS entity_inactive, {self._currency()},"
                f" {'ml.subsidiary, ' if one_world else ''}ml.createdfrom,"
                " (SELECT MIN(tal.account) FROM transactionaccountingline tal"
                " WHERE tal.transaction = t.id AND tal.transactionline = ml.id) AS account,"
                " TO_CHAR(t.trandate,'YYYY-MM-DD') AS trandate, t.status, t.foreigntotal,"
                " t.foreignamountunpaid AS unpaid, t.foreignpaymentamountunused AS unused, t.externalid,"
                " (SELECT SUM(tl.foreignamount) FROM transactionline tl"
                " WHERE tl.transaction = t.id AND tl.taxline = 'T') AS tax,"
                " TO_CHAR(t.lastmodifieddate,'YYYY-MM-DD HH24:MI:SS') AS modified"
                " FROM transaction t"
                " JOIN transactionline ml ON ml.transaction = t.id AND ml.mainline = 'T'"
                f" LEFT JOIN customer cu ON cu.id = t.entity{self._currency_join()}"
                f" WHERE t.type IN ('SalesOrd','CustInvc','CashSale','CustCred') AND ({where}) ORDER BY t.id"
            )
            for row in self._ql.rows(sql, some * len(fields)):
                values = [row.get(f"field{i}") or "" for i in range(len(fields))]
                hit = next(((v, n) for v, n in zip(values, names, strict=True) if v in wanted), None)
                if hit is None:
                    continue
                document = typed(row, SalesDocument)
                found[document.id] = replace(
                    document,
                    order_id=hit[0],
                    matched_by=hit[1],
                    currency=document.currency or self._connection.base_currency,
                    status=_letter(document.status),
                    foreigntotal=abs(document.foreigntotal),
                    unpaid=abs(document.unpaid),
                    unused=abs(document.unused),
                    tax=None if document.tax is None else abs(document.tax),
                )
        return tuple(found.values())

    def lines(self, transaction_ids: Sequence[str]) -> tuple[DocumentLine, ...]:
        """Lines of documents, the main line left out, tax lines marked. Calls: one each 500 documents or 1000 lines."""
        custom = self._connection.order_item_field
        sql = (
            "SELECT tl.transaction, tl.id AS line, t.type, tl.item, i.itemid, tl.itemtype, tl.quantity, tl.rate,"
            f" tl.foreignamount, tl.taxline{f', tl.{custom} AS order_item' if custom else ''}"
            " FROM transactionline tl JOIN transaction t ON t.id = tl.transaction"
            " LEFT JOIN item i ON i.id = tl.item"
            " WHERE tl.mainline = 'F' AND tl.transaction IN ({in}) ORDER BY tl.transaction, tl.id"
        )
        found = []
        for line in self._ql.query_in(DocumentLine, sql, transaction_ids):
            if line.type in _CREDITS:
                found.append(line)
                continue
            quantity = None if line.quantity is None else _plain(-line.quantity)
            found.append(replace(line, quantity=quantity, foreignamount=_plain(-line.foreignamount)))
        return tuple(found)

    def links(self, transaction_ids: Sequence[str]) -> tuple[Link, ...]:
        """What was made from, or applied to, these documents. Calls: one each 500 documents or 1000 links."""
        sql = (
            "SELECT l.previousdoc, l.nextdoc, n.type AS nexttype, l.linktype, SUM(l.foreignamount) AS foreignamount"
            " FROM previoustransactionlinelink l JOIN transaction n ON n.id = l.nextdoc"
            " WHERE l.previousdoc IN ({in}) GROUP BY l.previousdoc, l.nextdoc, n.type, l.linktype"
            " ORDER BY l.previousdoc, l.nextdoc, l.linktype"
        )
        return tuple(self._ql.query_in(Link, sql, transaction_ids))

    def own_documents(self, external_ids: Sequence[str] = (), *, prefix: str = "") -> tuple[OwnDocument, ...]:
        """Transactions by external id, or all whose external id begins with `prefix` ("AZS-18834420011-").

        Calls: one each 500 external ids (one for a prefix), and each 1000 rows.
        """
        select = (
            f"SELECT t.id, t.type, t.externalid, t.tranid, t.foreigntotal AS total, {self._currency()},"
            " TO_CHAR(t.trandate,'YYYY-MM-DD') AS day, t.foreignpaymentamountused AS used,"
            " t.foreignpaymentamountunused AS unused, t.foreignamountunpaid AS unpaid, t.status, t.voided,"
            " (SELECT COUNT(*) FROM transactionline tl WHERE tl.transaction = t.id AND tl.taxline = 'F'"
            " AND (tl.mainline = 'F' OR t.type = 'Journal')) AS lines"
            f" FROM transaction t{self._currency_join()} WHERE "
        )
        if prefix:
            rows = self._ql.query(OwnDocument, f"{select}t.externalid LIKE ? ORDER BY t.id", [f"{prefix}%"])
            found = [d for d in rows if d.externalid.startswith(prefix)]
        else:
            sql = f"{select}t.externalid IN ({{in}}) ORDER BY t.id"
            found = list(self._ql.query_in(OwnDocument, sql, external_ids))
        return tuple(
            replace(
                d,
                total=None if d.total is None else abs(d.total),
                used=abs(d.used),
                unused=abs(d.unused),
                unpaid=abs(d.unpaid),
                currency=d.currency or self._connection.base_currency,
                status=_letter(d.status),
            )
            for d in found
        )

    def custom_records(
        self,
        record: str,
        columns: Sequence[str],
        *,
        external_ids: Sequence[str] = (),
        prefix: str = "",
        where: tuple[str, Sequence[str]] | None = None,
    ) -> tuple[CustomRow, ...]:
        """Custom records by external id, by beginning of the external id, or by one column's values.

        Calls: one each 500 values (one for a prefix), and each 1000 rows.
        """
        asked = "".join(f", r.{_checked(name)}" for name in columns)
        select = (
            "SELECT r.id, r.externalid, r.name,"
            f" TO_CHAR(r.lastmodified,'YYYY-MM-DD HH24:MI:SS') AS modified{asked}"
            f" FROM {_checked(record)} r WHERE "
        )
        if prefix:
            questions = [(f"{select}r.externalid LIKE ? ORDER BY r.id", [f"{prefix}%"])]
        else:
            column, values = where or ("externalid", external_ids)
            text = f"{select}r.{_checked(column)} IN ({{in}}) ORDER BY r.id"
            questions = [(text.replace("{in}", marks(some)), some) for some in chunks(values)]
        found = []
        for sql, params in questions:
            for row in self._ql.rows(sql, params):
                external = row.get("externalid") or ""
                if external.startswith(prefix):
                    cells = tuple(row.get(name) for name in columns)
                    found.append(
                        CustomRow(
                            row.get("id") or "",
                            external,
                            row.get("name") or "",
                            row.get("modified") or "",
                            cells,
                        )
                    )
        return tuple(found)

    def periods(self, first: date) -> tuple[Period, ...]:
        """Posting periods that end on or after `first`, oldest first, future ones included. One call."""
        sql = (
            "SELECT p.id, p.periodname, TO_CHAR(p.startdate,'YYYY-MM-DD') AS startdate,"
            " TO_CHAR(p.enddate,'YYYY-MM-DD') AS enddate, p.closed, p.arlocked, p.alllocked"
            " FROM accountingperiod p WHERE p.isquarter = 'F' AND p.isyear = 'F' AND p.isadjust = 'F'"
            " AND p.enddate >= TO_DATE(?,'YYYY-MM-DD') ORDER BY p.startdate, p.id"
        )
        return tuple(self._ql.query(Period, sql, [first.isoformat()]))

    def accounts(self, references: Sequence[str]) -> tuple[NamedRecord, ...]:
        """Accounts by internal id, number or full name. One call each 500."""
        select = "SELECT a.id, a.acctnumber AS number, a.fullname AS name, a.accttype AS type, a.isinactive FROM account a"
        return self._named(select, "a", ("acctnumber", "fullname"), references)

    def items(self, references: Sequence[str]) -> tuple[NamedRecord, ...]:
        """Items by internal id or name (SKU). One call each 500."""
        select = "SELECT i.id, i.itemid AS number, i.displayname AS name, i.itemtype AS type, i.isinactive FROM item i"
        return self._named(select, "i", ("itemid",), references)

    def customers(self, references: Sequence[str]) -> tuple[NamedRecord, ...]:
        """Customers by internal id, entity id or external id. One call each 500."""
        select = "SELECT c.id, c.entityid AS number, BUILTIN.DF(c.id) AS name, c.isinactive FROM customer c"
        return self._named(
            select.replace("BUILTIN.DF(c.id)", "c.companyname"), "c", ("entityid", "externalid"), references
        )

    def currencies(self) -> tuple[NamedRecord, ...]:
        """All currencies; `number` is the ISO code. One call."""
        sql = "SELECT c.id, c.symbol AS number, c.name, c.isinactive FROM currency c ORDER BY c.id"
        return tuple(self._ql.query(NamedRecord, sql))

    def subsidiaries(self) -> tuple[NamedRecord, ...]:
        """All subsidiaries; none, without a call, for an account without OneWorld."""
        if not self._connection.one_world:
            return ()
        sql = (
            "SELECT s.id, s.name AS number, s.fullname AS name, s.isinactive FROM subsidiary s ORDER BY s.id"
        )
        return tuple(self._ql.query(NamedRecord, sql))

    def ledger_sums(
        self,
        *,
        prefix: str = "",
        transaction_ids: Sequence[str] = (),
        by_external_id: bool = False,
        journals: bool = True,
        accounting_book: str = "",
    ) -> tuple[LedgerSum, ...]:
        """What was posted to each account: by transactions whose external id begins with `prefix`, or by id.

        Args:
            prefix: Like "AZS-18834420011-".
            transaction_ids: Used when there is no prefix; up to 500 a call, sums of several calls are added.
            by_external_id: One sum an account and external id.
            journals: Whether journal entries count (`journal_lines` reads them by line).
            accounting_book: Id of the book to read, for accounts with several; "" = all there are.
        """
        keys = "tal.account, a.acctnumber, a.fullname" + (
            ", c.symbol" if self._connection.multi_currency else ""
        )
        external = ", t.externalid" if by_external_id else ""
        without = "" if journals else " AND t.type <> 'Journal'"
        select = (
            "SELECT tal.account, a.acctnumber, a.fullname AS account_name,"
            f" {self._currency()}{external}, SUM(tal.amount) AS base, SUM(tl.foreignamount) AS foreign_amount,"
            " COUNT(*) AS postings FROM transactionaccountingline tal"
            " JOIN transaction t ON t.id = tal.transaction"
            " JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
            f" JOIN account a ON a.id = tal.account{self._currency_join()}"
            f" WHERE tal.posting = 'T'{without}{' AND tal.accountingbook = ?' if accounting_book else ''} AND "
        )
        tail = f" GROUP BY {keys}{external} ORDER BY {keys}{external}"
        book = [accounting_book] if accounting_book else []
        if prefix:
            questions = [(f"{select}t.externalid LIKE ?{tail}", [*book, prefix.replace("_", "\\_") + "%"])]
            if "_" in prefix:
                questions = [(f"{select}t.externalid LIKE ? ESCAPE '\\'{tail}", questions[0][1])]
        else:
            questions = [
                (f"{select}t.id IN ({marks(some)}){tail}", [*book, *some]) for some in chunks(transaction_ids)
            ]
        sums: dict[tuple[str, str, str], LedgerSum] = {}
        for sql, params in questions:
            for row in self._ql.rows(sql, params):
                one = LedgerSum(
                    row.get("account") or "",
                    row.get("acctnumber") or "",
                    row.get("account_name") or "",
                    row.get("currency") or self._connection.base_currency,
                    row.get("externalid") or "",
                    Decimal(row.get("base") or 0),
                    Decimal(row.get("foreign_amount") or 0),
                    int(row.get("postings") or 0),
                )
                key = (one.account, one.currency, one.externalid)
                before = sums.get(key)
                if before is not None:
                    one = replace(
                        one,
                        base=one.base + before.base,
                        foreign=one.foreign + before.foreign,
                        postings=one.postings + before.postings,
                    )
                sums[key] = one
        return tuple(sums.values())

    def journal_lines(self, prefix: str) -> tuple[JournalLine, ...]:
        """Lines of the journal entries whose external id begins with `prefix`. One call each 1000 lines.

        All lines of a journal have `mainline = 'T'` (netsuite.md 7.3), so none is filtered out.
        """
        sql = (
            "SELECT t.externalid, tal.account, a.acctnumber, a.fullname AS account_name, tl.memo, tl.foreignamount,"
            " tal.amount AS base"
            " FROM transactionaccountingline tal JOIN transaction t ON t.id = tal.transaction"
            " JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"
            " JOIN account a ON a.id = tal.account"
            " WHERE t.type = 'Journal' AND tal.posting = 'T' AND t.externalid LIKE ? ORDER BY t.id, tl.id"
        )
        rows = self._ql.query(JournalLine, sql, [f"{prefix}%"])
        return tuple(line for line in rows if line.externalid.startswith(prefix))

    def _named(
        self, select: str, alias: str, columns: tuple[str, ...], references: Sequence[str]
    ) -> tuple[NamedRecord, ...]:
        found: dict[str, NamedRecord] = {}
        for some in chunks(references):
            ids = [r for r in some if r.isascii() and r.isdecimal()]
            tests = [(f"{alias}.id", ids)] if ids else []
            tests += [(f"{alias}.{column}", some) for column in columns]
            where = " OR ".join(f"{column} IN ({marks(values)})" for column, values in tests)
            params = [v for _, values in tests for v in values]
            for record in self._ql.query(NamedRecord, f"{select} WHERE {where} ORDER BY {alias}.id", params):
                found[record.id] = record
        return tuple(found.values())

    def _currency(self) -> str:
        return "c.symbol AS currency" if self._connection.multi_currency else "'' AS currency"

    def _currency_join(self) -> str:
        return " LEFT JOIN currency c ON c.id = t.currency" if self._connection.multi_currency else ""


def _plain(amount: Decimal) -> Decimal:
    return abs(amount) if amount == 0 else amount


def _letter(status: str) -> str:
    return status.rsplit(":", 1)[-1]


def _checked(name: str) -> str:
    if not _COLUMN.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is not a NetSuite field or record id.", remedy="Use its script id."
        )
    return name
