"""From a request's JSON to values the engine works with, checked against the record type.

Belongs here: names (in any letter case), types, references, the two validation headers of netsuite.md 4.3.
Does not belong here: business rules. Kept forms: references and enumerations as id text, numbers as Decimal,
dates as `YYYY-MM-DD`, instants as RFC 3339 UTC, sublists apart from the body.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from ledger_pipelines.sandbox.codec import Document, plain
from ledger_pipelines.sandbox.netsuite import clock as times
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError, invalid_value
from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType, Sublist

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_ID = re.compile(r"^-?[0-9]{1,15}$")
_TOO_LARGE = Decimal(10) ** 15
_IGNORED = frozenset({"links", "id", "refname", "totalresults", "count", "hasmore", "offset"})
_TRUE, _FALSE = {"t", "true", "yes"}, {"f", "false", "no"}


@dataclass(frozen=True)
class Options:
    """What the query string and headers of a write ask for (netsuite.md 4.2, 4.3)."""

    names: str = "warning"
    values: str = "error"
    replace: frozenset[str] = frozenset()
    replace_selected: bool = False


@dataclass
class Parsed:
    """A request body after checking. A body value of None clears; a sublist of None empties it."""

    body: Document = field(default_factory=dict)
    sublists: dict[str, list[Document] | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def _hidden(company: Company, spec: Field) -> bool:
    """`paymentMethod` and `paymentOption` exclude each other (netsuite.md 8.4)."""
    return spec.name == ("paymentMethod" if company.features.paymentInstruments else "paymentOption")


def parse(company: Company, record_type: RecordType, raw: object, options: Options) -> Parsed:
    """Check a JSON body. Raises NetSuiteError 400 for bad shapes, unknown names (mode error) and bad values."""
    if not isinstance(raw, dict):
        raise NetSuiteError(
            400, "INVALID_CONTENT", "Invalid content in the request body: a JSON object is expected."
        )
    parsed = Parsed()
    for name, value in raw.items():
        lower = str(name).lower()
        spec = record_type.by_name.get(lower)
        if spec is not None and not _hidden(company, spec):
            if not spec.read_only:
                _take(company, spec, value, options, parsed.body, parsed.warnings, spec.name)
            continue
        sub = record_type.sublist_by_name.get(lower)
        if sub is not None:
            parsed.sublists[sub.name] = _lines(company, sub, value, options, parsed.warnings)
        elif lower not in _IGNORED:
            _unknown(str(name), str(name), record_type, options, parsed.warnings)
    return parsed


def _lines(
    company: Company, sub: Sublist, value: object, options: Options, warnings: list[str]
) -> list[Document] | None:
    if value is None:
        return None
    items = value.get("items") if isinstance(value, dict) else value
    if items is None:
        return None
    if not isinstance(items, list):
        raise invalid_value(value, sub.name)
    result = []
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            raise invalid_value(item, sub.name, f"{sub.name}.items[{at}]")
        line: Document = {}
        for name, cell in item.items():
            lower = str(name).lower()
            spec = sub.by_name.get(lower)
            path = f"{sub.name}.items[{at}].{name}"
            if spec is None:
                if lower not in _IGNORED:
                    _unknown(str(name), path, None, options, warnings)
            elif not spec.read_only:
                _take(company, spec, cell, options, line, warnings, path)
        result.append(line)
    return result


def _unknown(
    name: str, path: str, record_type: RecordType | None, options: Options, warnings: list[str]
) -> None:
    where = f" of record {record_type.name}" if record_type else ""
    text = f"Unknown field '{name}'{where}."
    if options.names == "error":
        raise NetSuiteError(400, "INVALID_CONTENT", f"Invalid content in the request body. {text}", path)
    if options.names != "ignore":
        warnings.append(f"{text} It was ignored.")


def _take(
    company: Company,
    spec: Field,
    value: object,
    options: Options,
    into: Document,
    warnings: list[str],
    path: str,
) -> None:
    if value is None or value == "":
        into[spec.name] = None
        return
    try:
        into[spec.name] = convert(company, spec, value, path)
    except NetSuiteError as error:
        if options.values == "error" or spec.kind in {"ref", "multi"}:
            raise
        if options.values == "warning":
            warnings.append(error.detail)


def convert(company: Company, spec: Field, value: Any, path: str) -> Any:
    """One value to its kept form. Raises NetSuiteError INVALID_CONTENT."""
    kind = spec.kind
    if kind in {"text", "clob", "email"}:
        if isinstance(value, dict | list | bool):
            raise invalid_value(value, spec.name, path)
        text = plain(value) if isinstance(value, Decimal) else str(value)
        if spec.max_length and len(text) > spec.max_length:
            detail = f"The field {spec.name} contained more than the maximum number ( {spec.max_length} ) of characters allowed."
            raise NetSuiteError(400, "INVALID_CONTENT", f"Error while accessing resource: {detail}", path)
        if kind == "email" and not _EMAIL.match(text):
            raise invalid_value(value, spec.name, path)
        return text
    if kind == "bool":
        return _boolean(value, spec, path)
    if kind in {"money", "number", "int"}:
        return _numeric(value, spec, path)
    if kind in {"date", "datetime"}:
        return _moment(value, spec, path)
    if kind == "enum":
        return _choice(value, spec, path)
    if kind == "ref":
        return reference(company, spec, value, path)
    if kind == "multi":
        items = value.get("items", []) if isinstance(value, dict) else value
        return [
            reference(company, spec, item, path) for item in (items if isinstance(items, list) else [items])
        ]
    if not isinstance(value, dict):
        raise invalid_value(value, spec.name, path)
    return value


def _boolean(value: Any, spec: Field, path: str) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise invalid_value(value, spec.name, path)


def _numeric(value: Any, spec: Field, path: str) -> Decimal | int:
    if isinstance(value, bool | dict | list):
        raise invalid_value(value, spec.name, path)
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise invalid_value(value, spec.name, path) from None
    if not found.is_finite() or abs(found) >= _TOO_LARGE:
        raise invalid_value(value, spec.name, path)
    if spec.kind != "int":
        return found
    if found != int(found):
        raise invalid_value(value, spec.name, path)
    return int(found)


def _moment(value: Any, spec: Field, path: str) -> str:
    try:
        if spec.kind == "date":
            return times.parse_date(str(value)).isoformat()
        return times.utc_text(times.parse_instant(str(value)))
    except ValueError:
        raise invalid_value(value, spec.name, path) from None


def _choice(value: Any, spec: Field, path: str) -> str:
    chosen = value.get("id") if isinstance(value, dict) else value
    if isinstance(chosen, bool):
        chosen = "T" if chosen else "F"
    wanted = str(chosen).lower()
    for key, _ in spec.options:
        if key.lower() == wanted:
            return key
    raise invalid_value(chosen, spec.name, path)


def reference(company: Company, spec: Field, value: Any, path: str) -> str:
    """A reference to its internal id: `{"id"}`, `{"externalId"}` or a bare id (netsuite.md 4.4)."""
    external: object = None
    chosen: object = value
    if isinstance(value, dict):
        lowered = {str(name).lower(): cell for name, cell in value.items()}
        chosen, external = lowered.get("id"), lowered.get("externalid")
    if chosen is None and external is not None:
        row = company.store.by_external_id(spec.family, str(external))
        if row is None:
            raise invalid_value(external, spec.name, path)
        return str(row.id)
    text = str(chosen)
    if spec.family == "*":
        if isinstance(chosen, dict | list) or chosen is None:
            raise invalid_value(value, spec.name, path)
        return text
    if not _ID.match(text) or company.store.display(spec.family, int(text)) is None:
        raise invalid_value(text, spec.name, path)
    return text
