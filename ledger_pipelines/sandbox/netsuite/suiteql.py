"""SuiteQL: parse with sqlglot's Oracle dialect, check what the service refuses, rewrite to SQLite, run, stringify.

Belongs here: the query service. Does not belong here: tables (suiteql_tables) or value functions
(suiteql_functions). Source: netsuite.md section 7; error texts section 5.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.errors import SqlglotError

from ledger_pipelines.sandbox.codec import Document, plain
from ledger_pipelines.sandbox.netsuite import suiteql_functions
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError, invalid_query
from ledger_pipelines.sandbox.netsuite.suiteql_kept import KeptAnswers
from ledger_pipelines.sandbox.netsuite.suiteql_tables import Table, create_views
from ledger_pipelines.sandbox.netsuite.users import VIEW, Role

MAX_IN = 1000
MAX_ROWS = 100_000
_OURS = {
    "TO_CHAR": "ns_to_char", "TO_DATE": "ns_to_date", "TO_TIMESTAMP": "ns_to_date", "TRUNC": "ns_trunc",
    "TO_NUMBER": "ns_number", "ROUND": "ns_round", "ABS": "ns_abs", "ADD_MONTHS": "ns_add_months",
    "LAST_DAY": "ns_last_day", "CONCAT": "ns_concat", "SUM": "ns_sum", "AVG": "ns_avg",
}  # fmt: skip
_PLAIN = frozenset({
    "NVL", "NVL2", "COALESCE", "UPPER", "LOWER", "SUBSTR", "LENGTH", "INSTR", "REPLACE", "TRIM", "LTRIM", "RTRIM",
    "NULLIF", "COUNT", "MIN", "MAX", "CASE", "DECODE", "ROW_NUMBER", "IF", "GROUP_CONCAT",
})  # fmt: skip
_DECIMAL_RESULTS = frozenset({
    "ns_number", "ns_round", "ns_abs", "ns_sum", "ns_avg", "ns_add", "ns_subtract", "ns_multiply", "ns_divide", "ns_negate",
})  # fmt: skip
_DATE_RESULTS = frozenset({"ns_to_date", "ns_sysdate", "ns_add_months", "ns_last_day"})
_UNSUPPORTED = "Search error occurred: Invalid or unsupported search."
_STATUS = re.compile(r"^[A-Z][A-Za-z]+:([A-Z])$")
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_PAIRS: dict[type[exp.Expr], str] = {
    exp.Add: "ns_add", exp.Sub: "ns_subtract", exp.Mul: "ns_multiply", exp.Div: "ns_divide",
}  # fmt: skip


class SuiteQLDialect(Oracle):
    """Oracle as sqlglot reads it, with the functions that we run ourselves left as they are written."""

    class Parser(Oracle.Parser):  # type: ignore[misc, valid-type]  # sqlglot declares it as a variable
        """Keeps our own functions anonymous."""

        FUNCTIONS = {name: made for name, made in Oracle.Parser.FUNCTIONS.items() if name not in _OURS}  # noqa: RUF012


@dataclass(frozen=True)
class Page:
    """One page of results. repeatable: the same question gives the same page while the books do not change."""

    items: list[Document]
    total: int
    repeatable: bool = True


@dataclass(frozen=True)
class _Plan:
    sql: str
    names: list[str]
    limit: int | None
    placeholders: int
    counting: str
    """Counts all rows."""

    @property
    def repeatable(self) -> bool:
        """Whether it does not ask for the time."""
        return "ns_sysdate" not in self.sql.lower()


@dataclass(frozen=True)
class _Paged:
    """A whole result that is being paged through: question and version of the books, names, rows."""

    key: tuple[str, tuple[str, ...], int]
    names: list[str]
    rows: list[tuple[object, ...]]


class QueryService:
    """Runs SuiteQL for one company."""

    def __init__(self, company: Company):
        self.company = company
        self.tables: dict[str, Table] = {}
        self._plans: dict[tuple[str, Role], _Plan] = {}
        self.kept = KeptAnswers(company)
        self._paged: _Paged | None = None
        self.refresh()

    def refresh(self) -> None:
        """Build views and functions again (new custom fields, other features). What was planned stands while the tables do."""
        suiteql_functions.register(self.company)
        before, self.tables = self.tables, create_views(self.company)
        if self.tables != before:
            self._plans = {}
        self._paged = None
        self.kept.forget()

    def run(self, q: object, params: object, role: Role, *, limit: int, offset: int) -> Page:
        """One page of a query. Raises NetSuiteError 400."""
        if not isinstance(q, str) or not q.strip():
            raise invalid_query("Search error occurred: The query is missing.")
        values = _values(params)
        key = (q, role)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plan(q, role)
            if len(self._plans) > 500:
                self._plans.clear()
            self._plans[key] = plan
        if plan.placeholders != len(values):
            raise invalid_query(
                f"Search error occurred: The query has {plan.placeholders} parameters, {len(values)} were given."
            )
        try:
            return self._fetch(plan, values, limit, offset)
        except sqlite3.Error as error:
            raise _translated(error) from error

    def _fetch(self, plan: _Plan, values: Sequence[str], limit: int, offset: int) -> Page:
        db = self.company.store.db
        if plan.limit is not None:
            cursor = db.execute(f"{plan.sql} LIMIT {plan.limit}", values)
            names = plan.names or [column[0].lower() for column in cursor.description]
            rows = cursor.fetchall()
            found = [_item(names, row) for row in rows[offset : offset + limit]]
            return Page(found, len(rows), plan.repeatable)
        if offset:
            return self._later_page(plan, values, limit, offset)
        cursor = db.execute(f"{plan.sql} LIMIT {limit}", values)
        names = plan.names or [column[0].lower() for column in cursor.description]
        rows = cursor.fetchall()
        total = len(rows)
        if total == limit:
            total = db.execute(plan.counting, values).fetchone()[0]
        return Page([_item(names, row) for row in rows], min(total, MAX_ROWS), plan.repeatable)

    def _later_page(self, plan: _Plan, values: Sequence[str], limit: int, offset: int) -> Page:
        """Whoever asks for a later page will ask for the next one: the whole result is kept while it holds."""
        store = self.company.store
        key = (plan.sql, tuple(values), store.version)
        paged = self._paged
        if paged is None or paged.key != key or self.company.shows_late() or not plan.repeatable:
            cursor = store.db.execute(f"{plan.sql} LIMIT {MAX_ROWS}", values)
            names = plan.names or [column[0].lower() for column in cursor.description]
            paged = self._paged = _Paged(key, names, cursor.fetchall())
        rows = paged.rows[offset : offset + limit]
        return Page([_item(paged.names, row) for row in rows], len(paged.rows), plan.repeatable)

    def _plan(self, q: str, role: Role) -> _Plan:
        text = _checked(q)
        try:
            tree = sqlglot.parse_one(text, dialect=SuiteQLDialect)
        except SqlglotError as error:
            raise invalid_query(_UNSUPPORTED) from error
        if not isinstance(tree, exp.Select | exp.SetOperation) or tree.find(exp.With):
            raise invalid_query(_UNSUPPORTED)
        _refuse(tree)
        limit = _take_limit(tree)
        rewriter = _Rewriter(self.tables, role)
        tree = rewriter.rewrite(tree)
        names = _names(tree)
        placeholders = len(list(tree.find_all(exp.Placeholder)))
        return _Plan(tree.sql(dialect="sqlite"), names, limit, placeholders, _counting(tree))


def _values(params: object) -> list[str]:
    if params is None:
        return []
    if not isinstance(params, list):
        raise invalid_query("Search error occurred: params must be an array.")
    found = []
    for value in params:
        text = plain(value) if isinstance(value, Decimal) else str(value)
        status = _STATUS.match(text)
        found.append(status.group(1) if status else text)
    return found


def _checked(q: str) -> str:
    """Refuse what the service does not have; `SELECT TOP n` becomes FETCH FIRST."""
    top = re.match(r"^\s*SELECT\s+TOP\s+(\d+)\s+", q, re.IGNORECASE)
    if top:
        q = f"SELECT {q[top.end() :]} FETCH FIRST {top.group(1)} ROWS ONLY"
    try:
        tokens = sqlglot.tokenize(q, dialect=SuiteQLDialect)
    except SqlglotError as error:
        raise invalid_query(_UNSUPPORTED) from error
    banned = {TokenType.LIMIT, TokenType.L_BRACKET, TokenType.WITH}
    if any(token.token_type in banned for token in tokens):
        raise invalid_query(_UNSUPPORTED)
    if tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        q = q.rstrip().rstrip(";")
    for token, following in pairwise(tokens):
        if token.text.upper() in {"DATE", "TIMESTAMP"} and following.token_type == TokenType.STRING:
            raise invalid_query(_UNSUPPORTED)
    return q


def _refuse(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.In):
        if len(node.expressions) > MAX_IN:
            raise invalid_query(f"Search error occurred: More than {MAX_IN} values in an IN list.")
    for column in tree.find_all(exp.Column):
        if column.args.get("join_mark"):
            raise invalid_query(_UNSUPPORTED)


def _take_limit(tree: exp.Expr) -> int | None:
    """Remove the outermost FETCH FIRST and ROWNUM conditions; their row count."""
    found = []
    fetch = tree.args.get("limit")
    if fetch is not None:
        count = fetch.args.get("count") or fetch.args.get("expression")
        found.append(int(count.name) if count is not None else 1)
        tree.set("limit", None)
    for select in list(tree.find_all(exp.Select)):
        limit = _take_rownum(select)
        if limit is None:
            continue
        if select is tree:
            found.append(limit)
        else:
            select.set("limit", exp.Limit(expression=exp.Literal.number(limit)))
    return min(found) if found else None


def _take_rownum(select: exp.Select) -> int | None:
    where = select.args.get("where")
    if where is None:
        return None
    kept: list[exp.Expr] = []
    limit: int | None = None
    parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    for part in parts:
        if isinstance(part, exp.LTE | exp.LT | exp.EQ) and _is_rownum(part.this):
            if not isinstance(part.expression, exp.Literal):
                raise invalid_query(_UNSUPPORTED)
            bound = int(part.expression.name) - (1 if isinstance(part, exp.LT) else 0)
            limit = bound if limit is None else min(limit, bound)
        else:
            kept.append(part)
    if limit is None:
        return None
    select.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)
    return max(limit, 0)


def _is_rownum(node: exp.Expr) -> bool:
    return isinstance(node, exp.Pseudocolumn | exp.Column) and node.name.upper() == "ROWNUM"


class _Rewriter:
    """Turns a parsed query into SQLite over the views, checking tables and columns."""

    def __init__(self, tables: dict[str, Table], role: Role):
        self.tables = tables
        self.role = role
        self.sources: dict[int, dict[str, Table | None]] = {}

    def rewrite(self, tree: exp.Expr) -> exp.Expr:
        for node in list(tree.find_all(exp.Table)):
            self._table(node)
        for select in list(tree.find_all(exp.Select)):
            self._note_sources(select)
        for column in list(tree.find_all(exp.Column)):
            self._column(column)
        for dot in list(tree.find_all(exp.Dot)):
            self._builtin(dot)
        for literal in list(tree.find_all(exp.Literal)):
            status = _STATUS.match(literal.name) if literal.is_string else None
            if status:
                literal.replace(exp.Literal.string(status.group(1)))
        for inner in reversed(list(tree.walk())):  # children before parents
            changed = self._value(inner)
            if changed is not inner:
                inner.replace(changed)
        for condition in list(tree.find_all(*_COMPARISONS, exp.Between, exp.In)):
            self._comparison(condition)
        for named in list(tree.find_all(exp.Alias)):
            named.set("alias", exp.to_identifier(named.alias.lower(), quoted=True))
        for ordered in list(tree.find_all(exp.Ordered)):
            if self._kind(ordered.this) == "decimal":
                ordered.set("this", exp.Collate(this=ordered.this.copy(), expression=exp.var("ns_decimal")))
        return tree

    def _table(self, node: exp.Table) -> None:
        name = node.name.lower()
        table = self.tables.get(name)
        if table is None:
            raise invalid_query(f"Search error occurred: Record '{name}' was not found.")
        hidden = table.permission and self.role.level(table.permission) < VIEW
        if hidden or not self.role.suiteql:
            raise invalid_query(f"Search error occurred: Record '{name}' was not found.")
        alias = (node.alias or name).lower()
        node.set("this", exp.to_identifier(table.view))
        node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        node.meta["suiteql"] = table

    def _note_sources(self, select: exp.Select) -> None:
        found: dict[str, Table | None] = {}
        clauses = [select.args.get("from_") or select.args.get("from"), *select.args.get("joins", [])]
        for clause in clauses:
            source = clause.this if clause is not None else None
            if isinstance(source, exp.Table):
                found[source.alias] = source.meta["suiteql"]
            elif source is not None:
                found[source.alias_or_name.lower()] = None
                if source.args.get("alias"):
                    source.args["alias"].set("this", exp.to_identifier(source.alias.lower(), quoted=True))
        self.sources[id(select)] = found

    def _scopes(self, node: exp.Expr) -> list[dict[str, Table | None]]:
        found = []
        current = node.parent
        while current is not None:
            if isinstance(current, exp.Select):
                found.append(self.sources.get(id(current), {}))
            current = current.parent
        return found

    def _column(self, column: exp.Column) -> None:
        if isinstance(column.this, exp.Star):
            if column.table:
                column.set("table", exp.to_identifier(column.table.lower(), quoted=True))
            return
        if isinstance(column.parent, exp.Dot) or column.name.upper() == "BUILTIN":
            return
        name, qualifier = column.name.lower(), column.table.lower()
        if not qualifier and name in {"sysdate", "rownum"}:
            return
        table = self._resolve(column, name, qualifier)
        column.set("this", exp.to_identifier(name, quoted=True))
        if qualifier:
            column.set("table", exp.to_identifier(qualifier, quoted=True))
        if table is not None:
            spec = table.columns[name]
            column.meta["kind"] = spec.kind
            column.meta["family"] = spec.family
            column.meta["table"] = table.name

    def _resolve(self, column: exp.Column, name: str, qualifier: str) -> Table | None:
        scopes = self._scopes(column)
        unsure = False
        for scope in scopes:
            if qualifier:
                if qualifier not in scope:
                    continue
                table = scope[qualifier]
                if table is None:
                    return None
                if name in table.columns:
                    return table
                raise _unknown(name, scope)
            for table in scope.values():
                if table is None:
                    unsure = True
                elif name in table.columns:
                    return table
        if unsure or (not qualifier and self._is_alias(column, name)):
            return None
        raise _unknown(f"{qualifier}.{name}" if qualifier else name, scopes[0] if scopes else {})

    def _is_alias(self, column: exp.Column, name: str) -> bool:
        select = column.find_ancestor(exp.Select, exp.SetOperation)
        if isinstance(select, exp.SetOperation):
            select = select.find(exp.Select)
        if select is None:
            return False
        inside = column.find_ancestor(exp.Order, exp.Group, exp.Having) is not None
        return inside and name in {item.alias_or_name.lower() for item in select.expressions}

    def _builtin(self, node: exp.Dot) -> None:
        if node.this.name.upper() != "BUILTIN" or not isinstance(node.expression, exp.Anonymous):
            raise invalid_query(_UNSUPPORTED)
        call = node.expression
        if str(call.this).upper() in {"CF", "CONSOLIDATE"} and call.expressions:
            node.replace(call.expressions[0])
            return
        if str(call.this).upper() != "DF" or len(call.expressions) != 1:
            raise invalid_query(_UNSUPPORTED)
        column = call.expressions[0]
        node.replace(self._display(column) if isinstance(column, exp.Column) else column)

    def _display(self, column: exp.Column) -> exp.Expr:
        table, family = column.meta.get("table"), column.meta.get("family")
        if table == "transaction" and column.name in {"status", "type"}:
            code = exp.Column(
                this=exp.to_identifier("type", quoted=True),
                table=exp.to_identifier(column.table, quoted=True) if column.table else None,
            )
            values = [code, column.copy()] if column.name == "status" else [code]
            return exp.Anonymous(this=f"ns_{column.name}", expressions=values)
        if not family:
            return column.copy()
        query = (
            exp.select(exp.column("name", table="df"))
            .from_(exp.alias_(exp.to_table("ns_record"), "df", table=True))
            .where(exp.EQ(this=exp.column("family", table="df"), expression=exp.Literal.string(family)))
            .where(exp.EQ(this=exp.column("id", table="df"), expression=column.copy()))
        )
        return exp.Subquery(this=query)

    def _value(self, node: exp.Expr) -> exp.Expr:
        """Bottom-level rewrites: functions, arithmetic, dates."""
        if isinstance(node, exp.Anonymous):
            name = str(node.this).upper()
            ours = _OURS.get(name)
            if ours is not None:
                return exp.Anonymous(this=ours, expressions=node.expressions)
            if not str(node.this).startswith("ns_") and name not in _PLAIN:
                raise invalid_query(f"Search error occurred: Unknown function '{node.this}'.")
            return node
        pair = _PAIRS.get(type(node))
        if pair is not None:
            return exp.Anonymous(this=pair, expressions=[node.this, node.expression])
        if isinstance(node, exp.Neg) and not isinstance(node.this, exp.Literal):
            return exp.Anonymous(this="ns_negate", expressions=[node.this])
        if isinstance(node, exp.DPipe):
            return exp.Anonymous(this="ns_concat", expressions=[node.this, node.expression])
        if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp | exp.CurrentTime):
            return exp.Anonymous(this="ns_sysdate")
        if isinstance(node, exp.Column) and not node.table and node.name.lower() == "sysdate":
            return exp.Anonymous(this="ns_sysdate")
        if isinstance(node, exp.GroupConcat):
            order = node.this if isinstance(node.this, exp.Order) else None
            value = order.this if order is not None else node.this
            key = order.expressions[0].this if order is not None else exp.Literal.string("")
            separator = node.args.get("separator") or exp.Literal.string("")
            return exp.Anonymous(this="ns_listagg", expressions=[value, separator, key])
        if _is_rownum(node):
            return exp.Window(this=exp.RowNumber())
        if isinstance(node, exp.Extract):
            return exp.Anonymous(
                this="ns_extract", expressions=[exp.Literal.string(node.name), node.expression]
            )
        return node

    def _kind(self, node: exp.Expr | None) -> str:
        """`decimal` for exact numbers made by our functions, `money`, `date`, or empty."""
        if node is None:
            return ""
        if isinstance(node, exp.Column):
            if "kind" in node.meta:
                return str(node.meta["kind"])
            select = node.find_ancestor(exp.Select)
            for item in select.expressions if select is not None and not node.table else []:
                if item.alias == node.name and item.this is not node and not node.find_ancestor(exp.Alias):
                    return self._kind(item)
            return ""
        if isinstance(node, exp.Anonymous):
            name = str(node.this)
            if name in _DECIMAL_RESULTS:
                first = self._kind(node.expressions[0]) if node.expressions else ""
                return "date" if name in {"ns_add", "ns_subtract"} and first == "date" else "decimal"
            if name == "ns_trunc":
                return self._kind(node.expressions[0])
            return "date" if name in _DATE_RESULTS else ""
        if isinstance(node, exp.Alias | exp.Paren | exp.Max | exp.Min | exp.Neg):
            return self._kind(node.this)
        if isinstance(node, exp.Subquery):
            inner = node.this.expressions if isinstance(node.this, exp.Select) else []
            return self._kind(inner[0]) if len(inner) == 1 else ""
        if isinstance(node, exp.Coalesce):
            kind = self._kind(node.this)
            return "decimal" if kind == "money" else kind
        if isinstance(node, exp.Case):
            branches = [branch.args.get("true") for branch in node.args.get("ifs", [])]
            kinds = {self._kind(branch) for branch in [*branches, node.args.get("default")]}
            return "decimal" if kinds & {"money", "decimal"} else "date" if "date" in kinds else ""
        return ""

    def _comparison(self, node: exp.Expr) -> None:
        operands = [node.this, *(node.args.get(name) for name in ("expression", "low", "high"))]
        operands += list(node.expressions) if isinstance(node, exp.In) else []
        present = [item for item in operands if item is not None]
        kinds = {self._kind(item) for item in present}
        if "date" in kinds:
            for item in present:
                if isinstance(item, exp.Literal | exp.Placeholder):
                    item.replace(exp.Anonymous(this="ns_to_date", expressions=[item.copy()]))
            return
        if "decimal" not in kinds:
            return
        if isinstance(node, exp.In):
            if node.expressions:
                for item in present:
                    item.replace(exp.Anonymous(this="ns_number", expressions=[item.copy()]))
            return
        if isinstance(node, exp.Between):
            low = exp.GTE(this=_compare(node.this, node.args["low"]), expression=exp.Literal.number(0))
            high = exp.LTE(this=_compare(node.this, node.args["high"]), expression=exp.Literal.number(0))
            node.replace(exp.paren(exp.and_(low, high, copy=False), copy=False))
            return
        node.replace(type(node)(this=_compare(node.this, node.expression), expression=exp.Literal.number(0)))


def _compare(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="ns_compare", expressions=[left.copy(), right.copy()])


def _unknown(name: str, scope: dict[str, Table | None]) -> NetSuiteError:
    known = ", ".join(f"{alias}={table.name if table else alias}" for alias, table in scope.items())
    return invalid_query(
        f"Search error occurred: Unknown identifier '{name}'. Available identifiers are: {{{known}}}."
    )


def _counting(tree: exp.Expr) -> str:
    """SQL that counts the rows; where each row stands for itself, without working out its columns."""
    plain = isinstance(tree, exp.Select) and not any(
        tree.args.get(part) for part in ("distinct", "group", "having")
    )
    selected = tree.expressions if isinstance(tree, exp.Select) else []
    if plain and not any(_aggregates(item) for item in selected):
        counted = tree.copy()
        counted.set("order", None)
        counted.set("expressions", [exp.Literal.number(1)])
        return f"SELECT count(*) FROM ({counted.sql(dialect='sqlite')})"  # noqa: S608  made here
    return f"SELECT count(*) FROM ({tree.sql(dialect='sqlite')})"  # noqa: S608  made here


def _aggregates(item: exp.Expr) -> bool:
    """Whether a column makes one row of many, or holds a parameter that would be missing."""
    ours = {"ns_sum", "ns_avg", "ns_listagg"}
    return any(
        isinstance(node, exp.AggFunc | exp.Placeholder)
        or (isinstance(node, exp.Anonymous) and node.name in ours)
        for node in item.walk()
    )


def _names(tree: exp.Expr) -> list[str]:
    """Lower-case result names of the outermost query; empty when a star decides."""
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    if select is None or any(item.is_star for item in select.expressions):
        return []
    names: list[str] = []
    unnamed = 0
    for item in select.expressions:
        name = item.alias_or_name.lower() if isinstance(item, exp.Alias | exp.Column) else ""
        if not name:
            unnamed += 1
            name = f"expr{unnamed}"
        names.append(name)
    return names


def _item(names: Sequence[str], row: Sequence[object]) -> Document:
    found: Document = {"links": []}
    for name, value in zip(names, row, strict=False):
        if value is None or value == "":
            continue
        found[name] = _text(value)
    return found


def _text(value: object) -> str:
    if isinstance(value, float):
        return plain(Decimal(repr(round(value, 10))))
    return suiteql_functions.account_date(str(value))


def _translated(error: sqlite3.Error) -> NetSuiteError:
    column = re.search(r"no such column: (\S+)", str(error))
    if column:
        name = column.group(1).strip('"').rpartition(".")[2]
        return invalid_query(f"Search error occurred: Unknown identifier '{name}'.")
    return invalid_query(_UNSUPPORTED)
