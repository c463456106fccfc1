"""The `q` filter of collection GETs: grammar, operators by field type, evaluation.

Belongs here: parsing and turning a filter into SQL. Does not belong here: paging. Source: netsuite.md 4.8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError, invalid_parameter
from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType

_TOKEN = re.compile(r'\s*(?:(\()|(\))|(\[)|(\])|(,)|"((?:[^"\\]|\\.)*)"|([^\s()\[\],"]+))')
_NO_VALUE = {"EMPTY", "EMPTY_NOT"}
_STRING = {"IS", "CONTAIN", "START_WITH", "END_WITH", "ENDWITH"}
_NUMBER = {"EQUAL", "GREATER", "GREATER_OR_EQUAL", "LESS", "LESS_OR_EQUAL", "BETWEEN", "WITHIN", "ANY_OF"}
_DATE = {"ON", "ON_OR_AFTER", "ON_OR_BEFORE", "AFTER", "BEFORE"}
_COMPARE = {
    "EQUAL": "=", "GREATER": ">", "GREATER_OR_EQUAL": ">=", "LESS": "<", "LESS_OR_EQUAL": "<=",
    "ON": "=", "ON_OR_AFTER": ">=", "ON_OR_BEFORE": "<=", "AFTER": ">", "BEFORE": "<",
}  # fmt: skip
_SETTLED = {
    "status": "status", "total": "foreigntotal", "amountpaid": "foreignamountpaid",
    "amountremaining": "coalesce(t.foreignamountunpaid, t.foreignpaymentamountunused)",
    "applied": "foreignpaymentamountused", "unapplied": "foreignpaymentamountunused",
}  # fmt: skip


@dataclass(frozen=True)
class Sql:
    """A condition with its values."""

    text: str
    values: tuple[object, ...] = ()


def search(company: Company, record_type: RecordType, q: str) -> list[int]:
    """Ids of the records that fit, in id order. Raises NetSuiteError INVALID_PARAMETER."""
    condition = Sql("1 = 1")
    if q.strip():
        condition = _Parser(record_type, q).parse()
    join = "LEFT JOIN ns_transaction t ON t.id = r.id" if record_type.is_transaction else ""
    now = company.now().timestamp()
    sql = (
        f"SELECT r.id FROM ns_record r {join} WHERE r.family = ? AND r.rectype = ? "  # noqa: S608
        f"AND (r.visible_at IS NULL OR r.visible_at <= ?) AND ({condition.text}) ORDER BY r.id"
    )
    values = (record_type.family, record_type.name, now, *condition.values)
    return [found[0] for found in company.store.db.execute(sql, values)]


class _Parser:
    def __init__(self, record_type: RecordType, q: str):
        self.record_type = record_type
        self.tokens = _tokens(q)
        self.at = 0

    def parse(self) -> Sql:
        found = self._either()
        if self.at != len(self.tokens):
            raise _bad(f"Unexpected '{self.tokens[self.at][1]}'.")
        return found

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _either(self) -> Sql:
        found = self._both()
        while self._peek()[0] == "word" and self._peek()[1].upper() == "OR":
            self._next()
            other = self._both()
            found = Sql(f"({found.text} OR {other.text})", (*found.values, *other.values))
        return found

    def _both(self) -> Sql:
        found = self._one()
        while self._peek()[0] == "word" and self._peek()[1].upper() == "AND":
            self._next()
            other = self._one()
            found = Sql(f"({found.text} AND {other.text})", (*found.values, *other.values))
        return found

    def _one(self) -> Sql:
        kind, text = self._next()
        if kind == "(":
            found = self._either()
            if self._next()[0] != ")":
                raise _bad("A closing parenthesis is missing.")
            return found
        if kind != "word":
            raise _bad("A field name is expected.")
        spec = self.record_type.by_name.get(text.lower())
        if text.lower() == "id":
            spec = Field("id", "int")
        if spec is None or not spec.filterable:
            raise _bad(f"The field '{text}' is not valid for filtering.")
        operator = self._next()[1].upper()
        if operator in _NO_VALUE:
            column = _column(spec, self.record_type)
            return Sql(f"{column} IS {'NOT ' if operator.endswith('NOT') else ''}NULL")
        return _condition(spec, self.record_type, operator, self._values())

    def _values(self) -> list[str]:
        kind, text = self._next()
        if kind in {"word", "string"}:
            return [text]
        if kind != "[":
            raise _bad("A value is expected.")
        found: list[str] = []
        while True:
            kind, text = self._next()
            if kind == "]":
                return found
            if kind in {"word", "string"}:
                found.append(text)
            elif kind != ",":
                raise _bad("A list of values is not closed.")


def _tokens(q: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    text = q.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _bad("A quoted value is not closed.")
        position = match.end()
        for group, kind in enumerate(("(", ")", "[", "]", ","), 1):
            if match.group(group):
                found.append((kind, kind))
        if match.group(6) is not None:
            found.append(("string", re.sub(r"\\(.)", r"\1", match.group(6))))
        elif match.group(7) is not None:
            found.append(("word", match.group(7)))
    return found


def _bad(text: str) -> NetSuiteError:
    return invalid_parameter(f"Invalid query filter. {text}", "q")


def _column(spec: Field, record_type: RecordType) -> str:
    if spec.name == "id":
        return "r.id"
    if spec.name == "externalId":
        return "r.external_id"
    if spec.name in {"createdDate", "dateCreated", "created"}:
        return "r.created_local"
    if spec.name in {"lastModifiedDate", "lastModified"}:
        return "r.modified_local"
    if record_type.is_transaction and spec.lower in _SETTLED:
        name = _SETTLED[spec.lower]
        return name if "(" in name else f"t.{name}"
    return f"(r.body ->> '$.{spec.name}')"


def _condition(spec: Field, record_type: RecordType, operator: str, values: list[str]) -> Sql:
    negated = operator.endswith("_NOT")
    plain = operator[:-4] if negated else operator
    column = _column(spec, record_type)
    if spec.kind == "bool" and plain == "IS":
        found = _boolean(column, values)
    elif spec.kind in {"text", "clob", "email", "enum"} and plain in _STRING:
        found = _text(column, plain, values)
    elif spec.kind in {"int", "number", "money", "ref", "enum"} and plain in _NUMBER:
        found = _number(column, plain, values)
    elif spec.kind in {"date", "datetime"} and plain in _DATE:
        found = _date(column, spec, plain, values)
    else:
        raise _bad(f"The operator '{operator}' is not valid for the field '{spec.name}'.")
    return Sql(f"NOT coalesce({found.text}, 0)", found.values) if negated else found


def _boolean(column: str, values: list[str]) -> Sql:
    wanted = values[0].lower() in {"true", "t"}
    return Sql(f"coalesce({column}, 0) = {1 if wanted else 0}")


def _text(column: str, operator: str, values: list[str]) -> Sql:
    value = values[0]
    if operator == "IS":
        return Sql(f"{column} = ? COLLATE NOCASE", (value,))
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = {"CONTAIN": f"%{escaped}%", "START_WITH": f"{escaped}%"}.get(operator, f"%{escaped}")
    return Sql(f"{column} LIKE ? ESCAPE '\\'", (pattern,))


def _number(column: str, operator: str, values: list[str]) -> Sql:
    for value in values:
        try:
            Decimal(value)
        except InvalidOperation:
            raise _bad(f"'{value}' is not a number.") from None
    if operator == "ANY_OF":
        marks = ", ".join("ns_number(?)" for _ in values)
        return Sql(f"ns_number({column}) IN ({marks})", tuple(values))
    if operator in {"BETWEEN", "WITHIN"}:
        if len(values) != 2:
            raise _bad(f"{operator} needs two values.")
        return Sql(f"ns_compare({column}, ?) >= 0 AND ns_compare({column}, ?) <= 0", tuple(values))
    return Sql(f"ns_compare({column}, ?) {_COMPARE[operator]} 0", (values[0],))


def _date(column: str, spec: Field, operator: str, values: list[str]) -> Sql:
    day = None
    for form in ("%m/%d/%Y", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M"):
        try:
            day = datetime.strptime(values[0], form).date().isoformat()  # noqa: DTZ007  a date in the account's zone
        except ValueError:
            continue
        break
    if day is None:
        raise _bad(f"'{values[0]}' is not a date in the account's format M/D/YYYY.")
    del spec
    return Sql(f"substr({column}, 1, 10) {_COMPARE[operator]} ?", (day,))
