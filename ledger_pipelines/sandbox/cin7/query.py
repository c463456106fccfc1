"""The parameters of a list: condition, fields, order, page.

Belongs here: reading and carrying them out. Does not belong here: the `where` grammar, what records look like.
Source: cin7-omni.md 4, 11.4.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ledger_pipelines.sandbox.cin7.answers import Cin7Error
from ledger_pipelines.sandbox.cin7.fields import Kind, Spec
from ledger_pipelines.sandbox.cin7.where import Condition, lookup, parse
from ledger_pipelines.sandbox.codec import Document

LARGEST_PAGE, PAGE = 250, 50
_LOGGER = logging.getLogger(__name__)
Params = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Sort:
    """One term of `order`."""

    name: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is asked for. fields: None for all."""

    condition: Condition | None
    fields: frozenset[str] | None
    order: tuple[Sort, ...]
    page: int
    rows: int

    def sorted(self, records: list[Document]) -> list[Document]:
        """Records (as kept, in the order of their ids) in the order asked for; unset values are the smallest."""
        found = records
        for term in reversed(self.order):
            found = sorted(found, key=lambda one: _rank(one.get(term.name)), reverse=term.descending)
        return found

    def page_of(self, records: list[Document]) -> list[Document]:
        """The page asked for; [] past the end."""
        start = (self.page - 1) * self.rows
        return records[start : start + self.rows]

    def projected(self, record: Document) -> Document:
        """The fields asked for; a name that does not exist asks for nothing."""
        if self.fields is None:
            return record
        return {name: value for name, value in record.items() if name.lower() in self.fields}


def read(params: Params, spec: Spec, *, ignore_case: bool) -> Query:
    """The query of a list. Raises Cin7Error 400."""
    names = [name.strip().lower() for text in params.get("fields", []) for name in text.split(",")]
    return Query(
        parse(params.get("where", []), spec, ignore_case=ignore_case),
        frozenset(filter(None, names)) or None,
        tuple(_order(params, spec)),
        _positive(params, "page", 1),
        min(_positive(params, "rows", PAGE), LARGEST_PAGE),
    )


def _order(params: Params, spec: Spec) -> list[Sort]:
    terms: list[Sort] = []
    for term in ",".join(params.get("order", [])).split(","):
        words = term.split()
        if not words:
            continue
        known = lookup(spec, words[0])
        direction = words[1].upper() if len(words) == 2 else "DESC"
        if known is None or known[1].kind in (Kind.LIST, Kind.OBJECT) or len(words) > 2:
            raise Cin7Error(f"The order clause is invalid: '{term.strip()}'.")
        if direction not in ("ASC", "DESC"):
            raise Cin7Error(f"The order clause is invalid: '{words[1]}' is neither ASC nor DESC.")
        if len(words) == 1:
            _LOGGER.warning("order=%s gives no direction: taken as DESC (disputed; send one)", words[0])
        terms.append(Sort(known[0], direction == "DESC"))
    return terms


def _positive(params: Params, name: str, default: int) -> int:
    told = (params.get(name) or [""])[0].strip()
    if not told:
        return default
    if not (told.isascii() and told.isdecimal()) or int(told) < 1:
        raise Cin7Error(f"The value '{told}' is not valid for {name}.")
    return int(told)


def _rank(value: object) -> tuple[int, object]:
    if value is None:
        return (0, "")
    return (1, value.lower() if isinstance(value, str) else value)
