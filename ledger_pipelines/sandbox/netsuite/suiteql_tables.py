"""The tables that SuiteQL sees: names, columns, what a column refers to, and the SQLite views behind them.

Belongs here: the catalogue of netsuite.md 7.3. Does not belong here: parsing queries (suiteql).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.schema import Field

VISIBLE = "(visible_at IS NULL OR visible_at <= ns_now())"


@dataclass(frozen=True)
class Column:
    """One column: its SQLite expression, kind (id, text, money, int, date, bool) and the family it refers to."""

    name: str
    expression: str
    kind: str = "text"
    family: str = ""


@dataclass
class Table:
    """One table: its columns by name, where they come from, and the permission it needs."""

    name: str
    source: str
    columns: dict[str, Column] = field(default_factory=dict)
    permission: str = ""

    def add(self, name: str, expression: str = "", kind: str = "text", family: str = "") -> None:
        """Add a column; `expression` defaults to the quoted name."""
        text = expression or f'"{name}"'
        if kind == "money":
            text = f"{text} COLLATE ns_decimal"
        self.columns[name] = Column(name, text, kind, family)

    @property
    def view(self) -> str:
        """The name of the SQLite view."""
        return f"suiteql_{self.name}"


_REFERENCES = {
    "entity": "entity", "currency": "currency", "terms": "term", "postingperiod": "accountingPeriod",
    "subsidiary": "subsidiary", "department": "department", "class": "classification", "location": "location",
    "item": "item", "account": "account", "expenseaccount": "account", "createdfrom": "transaction",
    "transaction": "transaction", "previousdoc": "transaction", "nextdoc": "transaction", "parent": "",
}  # fmt: skip
_MONEY = {
    "foreigntotal", "foreignamountpaid", "foreignamountunpaid", "foreignpaymentamountused", "exchangerate",
    "foreignpaymentamountunused", "quantity", "rate", "netamount", "foreignamount", "amount", "debit", "credit",
    "amountpaid", "amountunpaid", "paymentamountused", "paymentamountunused",
}  # fmt: skip
_DATES = {"trandate", "duedate", "createddate", "lastmodifieddate", "reversaldate"}

_TRANSACTION = (
    "id", "type", "recordtype", "tranid", "transactionnumber", "trandate", "entity", "status", "currency",
    "exchangerate", "foreigntotal", "foreignamountpaid", "foreignamountunpaid", "foreignpaymentamountused",
    "foreignpaymentamountunused", "duedate", "terms", "otherrefnum", "externalid", "memo", "postingperiod",
    "posting", "voided", "createddate", "lastmodifieddate", "createdby", "isreversal", "reversal", "reversaldate",
)  # fmt: skip
_LINE = (
    "transaction", "id", "linesequencenumber", "uniquekey", "mainline", "taxline", "item", "itemtype", "quantity",
    "rate", "netamount", "foreignamount", "foreignamountpaid", "foreignamountunpaid", "foreignpaymentamountused",
    "foreignpaymentamountunused", "entity", "subsidiary", "department", "class", "location", "memo", "createdfrom",
    "expenseaccount",
)  # fmt: skip
_LEDGER = (
    "transaction", "transactionline", "accountingbook", "account", "amount", "debit", "credit", "posting",
    "amountpaid", "amountunpaid", "paymentamountused", "paymentamountunused",
)  # fmt: skip
_LINK = (
    "previousdoc", "previousline", "previoustype", "nextdoc", "nextline", "nexttype", "linktype", "foreignamount",
    "lastmodifieddate",
)  # fmt: skip


def _physical(name: str, source: str, columns: tuple[str, ...], permission: str) -> Table:
    table = Table(name, source, permission=permission)
    for column in columns:
        kind = "money" if column in _MONEY else "date" if column in _DATES else "text"
        if column in _REFERENCES or column == "id" or column.endswith("line"):
            kind = "id" if column not in {"mainline", "taxline"} else "text"
        table.add(column, "", kind, _REFERENCES.get(column, ""))
    return table


def _json_column(table: Table, spec: Field, name: str | None = None) -> None:
    path = f"(body ->> '$.{spec.name}')"
    column = name or spec.lower
    if spec.kind == "bool":
        table.add(column, f"CASE WHEN {path} = 1 THEN 'T' ELSE 'F' END")
    elif spec.kind == "date":
        table.add(column, f"CASE WHEN {path} IS NOT NULL THEN {path} || 'T00:00:00D' END", "date")
    elif spec.kind == "datetime":
        table.add(column, f"ns_local({path})", "date")
    elif spec.kind in {"money", "number"}:
        table.add(column, f"CAST({path} AS TEXT)", "money")
    elif spec.kind == "int":
        table.add(column, f"CAST({path} AS INTEGER)", "int")
    elif spec.kind == "ref" and spec.family not in {"", "*"}:
        table.add(column, f"CAST({path} AS INTEGER)", "id", spec.family)
    elif spec.kind not in {"map", "multi"}:
        table.add(column, path)


def _list(company: Company, family: str, name: str, permission: str, where: str = "") -> Table:
    extra = f" AND {where}" if where else ""
    table = Table(name, f"ns_record WHERE family = '{family}'{extra} AND {VISIBLE}", permission=permission)
    table.add("id", "id", "id")
    for record_type in company.schema.family(family):
        for spec in record_type.fields:
            if spec.lower not in table.columns:
                _json_column(table, spec)
    table.add("externalid", "external_id")
    table.add("isinactive", "inactive")
    table.add("lastmodifieddate", "modified_local", "date")
    for dropped in ("createddate", "datecreated"):
        if dropped in table.columns:
            table.add(dropped, "created_local", "date")
    return table


def catalogue(company: Company) -> dict[str, Table]:
    """Every table of this account by lower-case name."""
    tables: dict[str, Table] = {}

    def put(table: Table) -> Table:
        tables[table.name] = table
        return table

    header = put(
        _physical("transaction", f"ns_transaction WHERE {VISIBLE}", _TRANSACTION, "Find Transaction")
    )
    if company.features.oneWorld:
        header.add("subsidiary", "", "id", "subsidiary")
    for name, spec in company.schema.body_fields.items():
        kind = {"money": "money", "number": "money", "date": "date"}.get(spec.kind, "text")
        header.add(name, f'"{name}"', kind, spec.family if spec.kind == "ref" else "")
    line = put(_physical("transactionline", f"ns_line WHERE {VISIBLE}", _LINE, "Find Transaction"))
    if not company.features.oneWorld:
        line.columns.pop("subsidiary")
    for name, spec in company.schema.column_fields.items():
        line.add(name, f'"{name}"', "money" if spec.kind in {"money", "number"} else "text")
    put(_physical("transactionaccountingline", f"ns_ledger WHERE {VISIBLE}", _LEDGER, "Find Transaction"))
    for name in ("previoustransactionlinelink", "nexttransactionlinelink"):
        put(_physical(name, f"ns_link WHERE {VISIBLE}", _LINK, "Find Transaction"))
    grouped = (
        "(SELECT previousdoc, previoustype, nextdoc, nexttype, linktype, ns_sum(foreignamount) AS foreignamount, "  # noqa: S608
        f"max(lastmodifieddate) AS lastmodifieddate FROM ns_link WHERE {VISIBLE} "
        "GROUP BY previousdoc, previoustype, nextdoc, nexttype, linktype)"
    )
    twins = tuple(column for column in _LINK if column not in {"previousline", "nextline"})
    for name in ("previoustransactionlink", "nexttransactionlink"):
        put(_physical(name, grouped, twins, "Find Transaction"))
    _lists(company, tables)
    return tables


def _lists(company: Company, tables: dict[str, Table]) -> None:
    customer = _list(company, "entity", "customer", "Customers", "rectype = 'customer'")
    customer.add("defaultbillingaddress", "NULL")
    customer.columns.pop("subsidiary", None)
    tables["customer"] = customer
    entity = Table("entity", f"ns_record WHERE family = 'entity' AND {VISIBLE}", permission="Customers")
    for name, expression in (
        ("id", "id"), ("entityid", "name"), ("type", "'CustJob'"), ("email", "(body ->> '$.email')"),
        ("isinactive", "inactive"), ("externalid", "external_id"), ("altname", "(body ->> '$.altName')"),
    ):  # fmt: skip
        entity.add(name, expression, "id" if name == "id" else "text")
    tables["entity"] = entity
    item = _list(company, "item", "item", "Items")
    item.add("fullname", "name")
    item.add("itemtype", "(body ->> '$.itemType')")
    item.add(
        "subtype",
        "CASE WHEN rectype LIKE '%Resale%' THEN 'Resale' WHEN rectype LIKE '%Sale%' THEN 'Sale' END",
    )
    item.columns.pop("subsidiary", None)
    tables["item"] = item
    account = _list(company, "account", "account", "Accounts")
    account.add("fullname", "(body ->> '$.acctName')")
    account.add("accountsearchdisplayname", "name")
    account.columns.pop("subsidiary", None)
    tables["account"] = account
    for family, name, permission in (
        ("currency", "currency", "Currency"), ("department", "department", "Department"),
        ("classification", "classification", "Class"), ("location", "location", "Location"),
        ("term", "term", "Term"), ("paymentMethod", "paymentmethod", "Payment Method"),
        ("accountingPeriod", "accountingperiod", "Manage Accounting Periods"),
    ):  # fmt: skip
        tables[name] = _list(company, family, name, permission)
    tables["currency"].add(
        "isbasecurrency", "CASE WHEN (body ->> '$.isBaseCurrency') = 1 THEN 'T' ELSE 'F' END"
    )
    if company.features.oneWorld:
        tables["subsidiary"] = _list(company, "subsidiary", "subsidiary", "Subsidiaries")
        tables["customersubsidiaryrelationship"] = _relationship()
    if company.features.legacyTax:
        tables["salestaxitem"] = _list(company, "item", "salestaxitem", "Items", "rectype = 'salesTaxItem'")
    for record_type in company.schema.types.values():
        if record_type.custom:
            table = _list(company, record_type.family, record_type.name, record_type.permission)
            for stamp, column in (("created", "created_local"), ("lastmodified", "modified_local")):
                if stamp in table.columns:
                    table.add(stamp, column, "date")
            table.columns.pop("lastmodifieddate", None)
            tables[record_type.name] = table
    tables["dual"] = Table("dual", "(SELECT 'X' AS dummy)")
    tables["dual"].add("dummy")


def _relationship() -> Table:
    source = (
        "(SELECT id, CAST(body ->> '$.entity' AS INTEGER) AS entity, CAST(body ->> '$.subsidiary' AS INTEGER) AS "  # noqa: S608
        f"subsidiary, 'F' AS isprimarysub FROM ns_record WHERE family = 'customerSubsidiaryRelationship' AND {VISIBLE} "
        "UNION ALL SELECT 1000000 + id, id, CAST(body ->> '$.subsidiary' AS INTEGER), 'T' FROM ns_record "
        f"WHERE family = 'entity' AND {VISIBLE})"
    )
    table = Table("customersubsidiaryrelationship", source, permission="Customers")
    table.add("id", "", "id")
    table.add("entity", "", "id", "entity")
    table.add("subsidiary", "", "id", "subsidiary")
    table.add("isprimarysub")
    return table


def create_views(company: Company) -> dict[str, Table]:
    """(Re)create the views on the shared connection; returns the catalogue."""
    tables = catalogue(company)
    db = company.store.db
    for table in tables.values():
        columns = ", ".join(f'{column.expression} AS "{column.name}"' for column in table.columns.values())
        db.execute(f"DROP VIEW IF EXISTS temp.{table.view}")
        db.execute(f"CREATE TEMP VIEW {table.view} AS SELECT {columns} FROM {table.source}")  # noqa: S608  own names
    return tables
