"""How records look on the wire: links, references, enumerations, computed fields, sublists.

Belongs here: GET bodies, collection envelopes, edit-mode `apply` sublists. Does not belong here: reading requests.
Source: netsuite.md 4.4, 4.9, 8.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from ledger_pipelines.sandbox.codec import ZERO, Document, number, rounded
from ledger_pipelines.sandbox.netsuite import apply
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError
from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType, Sublist
from ledger_pipelines.sandbox.netsuite.store import Row

RECORD_PATH = "/services/rest/record/v1"


@dataclass(frozen=True)
class View:
    """What a GET asks for."""

    expand: bool = False
    fields: frozenset[str] = frozenset()
    simple_enum: bool = False


class Presenter:
    """Turns kept records into response bodies. `base` is scheme and host of the links."""

    def __init__(self, company: Company, base: str):
        self.company = company
        self.base = base
        self._references: dict[tuple[str, str], Document] = {}

    def url(self, record_type: str, record_id: object, tail: str = "") -> str:
        """The address of a record instance."""
        return f"{self.base}{RECORD_PATH}/{record_type}/{record_id}{tail}"

    def record(self, record_type: RecordType, row: Row, view: View) -> Document:
        """The body of GET instance. Raises NetSuiteError for unknown names in `fields`."""
        known = set(record_type.by_name) | set(record_type.sublist_by_name) | {"id"}
        strange = sorted(view.fields - known)
        if strange:
            raise NetSuiteError(
                400,
                "INVALID_PARAMETER",
                f"Invalid field name(s) in the fields parameter: {', '.join(strange)}.",
                "fields",
                "o:errorQueryParam",
            )
        precision = self.company.precision(row.body.get("currency")) if record_type.is_transaction else 2
        result: Document = {
            "links": [{"rel": "self", "href": self.url(record_type.name, row.id)}],
            "id": str(row.id),
        }
        values = self._values(record_type, row)
        for spec in record_type.fields:
            if view.fields and spec.lower not in view.fields:
                continue
            value = values.get(spec.name)
            if value is not None:
                result[spec.name] = self.value(spec, value, precision, simple_enum=view.simple_enum)
        for sub in record_type.sublists:
            if view.fields and sub.name.lower() not in view.fields:
                continue
            result[sub.name] = self.sublist(
                record_type, row, sub, precision, expand=view.expand or bool(view.fields)
            )
        return result

    def _values(self, record_type: RecordType, row: Row) -> Document:
        values = dict(row.body)
        values["externalId"] = row.external_id
        stamps = {
            "createdDate": row.created,
            "lastModifiedDate": row.modified,
            "dateCreated": row.created,
            "created": row.created,
            "lastModified": row.modified,
        }
        values |= {name: value for name, value in stamps.items() if name.lower() in record_type.by_name}
        if record_type.custom and "recordid" in record_type.by_name:
            values |= {"recordId": str(row.id), "scriptId": record_type.name}
        if record_type.is_transaction:
            values |= self._settlement(record_type, row)
        elif record_type.name == "customer":
            values |= self._balances(row)
        if "isInactive" in {spec.name for spec in record_type.fields}:
            values.setdefault("isInactive", False)
        return values

    def _settlement(self, record_type: RecordType, row: Row) -> Document:
        found = self.company.store.db.execute(
            "SELECT status, foreigntotal, foreignamountpaid, foreignamountunpaid, foreignpaymentamountused, "
            "foreignpaymentamountunused FROM ns_transaction WHERE id = ?",
            (row.id,),
        ).fetchone()
        if found is None:
            return {}
        values: Document = {"status": found[0], "total": number(found[1]), "source": "restWebServices"}
        if record_type.name == "invoice":
            values |= {"amountPaid": number(found[2]), "amountRemaining": number(found[3])}
        elif record_type.name in {"creditMemo", "customerPayment"}:
            values |= {"applied": number(found[4]), "unapplied": number(found[5])}
            if record_type.name == "creditMemo":
                values["amountRemaining"] = number(found[5])
        return values

    def _balances(self, row: Row) -> Document:
        balance = ZERO
        for kind, unpaid, unused in self.company.store.db.execute(
            "SELECT type, foreignamountunpaid, foreignpaymentamountunused FROM ns_transaction WHERE entity = ? "
            "AND type IN ('CustInvc', 'CustCred', 'CustPymt')",
            (row.id,),
        ):
            balance += number(unpaid) if kind == "CustInvc" else -number(unused)
        return {"balance": balance}

    def value(self, spec: Field, value: Any, precision: int, *, simple_enum: bool = False) -> Any:
        """One kept value as the wire shows it."""
        if spec.kind == "money":
            return rounded(number(value), precision)
        if spec.kind == "number":
            return number(value)
        if spec.kind == "enum":
            text = dict(spec.options).get(str(value), str(value))
            return str(value) if simple_enum else {"id": str(value), "refName": text}
        if spec.kind == "ref":
            return self.reference(spec.family, str(value))
        if spec.kind == "multi":
            return {"links": [], "items": [self.reference(spec.family, str(one)) for one in value]}
        return value

    def reference(self, family: str, record_id: str) -> Document:
        """`{links, id, refName}`."""
        if family == "*" or not record_id.lstrip("-").isdigit():
            return {"links": [], "id": record_id}
        known = self._references.get((family, record_id))
        if known is None:
            known = self._references[family, record_id] = self._look_up(family, record_id)
        return dict(known)

    def _look_up(self, family: str, record_id: str) -> Document:
        found = self.company.store.db.execute(
            "SELECT rectype, name FROM ns_record WHERE family = ? AND id = ?", (family, int(record_id))
        ).fetchone()
        if found is None:
            return {"links": [], "id": record_id}
        rectype, name = found
        return {
            "links": [{"rel": "self", "href": self.url(rectype, record_id)}],
            "id": record_id,
            "refName": name,
        }

    def sublist(
        self, record_type: RecordType, row: Row, sub: Sublist, precision: int, *, expand: bool
    ) -> Document:
        """A sublist as a link, or inlined."""
        link = {"rel": "self", "href": self.url(record_type.name, row.id, f"/{sub.name}")}
        if not expand:
            return {"links": [link]}
        lines = self.lines(record_type, row, sub)
        items = []
        for line in lines:
            shown: Document = {"links": [{"rel": "self", "href": f"{link['href']}/{_line_key(sub, line)}"}]}
            for spec in sub.fields:
                if line.get(spec.name) is not None:
                    shown[spec.name] = self.value(spec, line[spec.name], precision)
            items.append(shown)
        return {"links": [link], "items": items, "totalResults": len(items)}

    def lines(self, record_type: RecordType, row: Row, sub: Sublist) -> list[Document]:
        """The kept lines of a sublist; `apply` lists every open document too, as a record in edit mode does."""
        if sub.name == "apply":
            return self._apply_lines(record_type, row)
        if sub.name == "credit":
            used = apply.current(self.company, row.id, credits_used=True)
            return [
                {"doc": str(doc), "line": 0, "apply": True, "amount": amount} for doc, amount in used.items()
            ]
        if sub.name == "deposit" and record_type.name != "deposit":
            return []
        found: list[Document] = row.body.get(sub.name, [])
        return found

    def _apply_lines(self, record_type: RecordType, row: Row) -> list[Document]:
        applied = apply.current(self.company, row.id)
        kinds = ("CustCred", "CustPymt") if record_type.name == "customerRefund" else ("CustInvc", "CustInvc")
        body = row.body
        rows = self.company.store.db.execute(
            "SELECT id, type, tranid, trandate, foreigntotal, "
            "coalesce(foreignamountunpaid, foreignpaymentamountunused), createdfrom FROM ns_transaction "
            "WHERE type IN (?, ?) AND entity = ? AND currency = ? AND araccount = ? ORDER BY trandate, id",
            (
                *kinds,
                body.get("customer") or body.get("entity"),
                body.get("currency"),
                body.get("arAcct") or body.get("account"),
            ),
        )
        symbol = self.company.store.display("currency", body.get("currency"))
        names = {
            item.type_code: item.label for item in self.company.schema.types.values() if item.is_transaction
        }
        result = []
        for doc, kind, tranid, day, total, unsettled, source in rows:
            mine = applied.get(doc, Decimal(0))
            if not mine and not number(unsettled):
                continue
            line: Document = {
                "doc": str(doc),
                "line": 0,
                "apply": bool(mine),
                "due": number(unsettled) + mine,
                "total": number(total),
                "refNum": tranid,
                "type": names.get(kind, kind),
                "currency": symbol,
                "applyDate": str(day)[:10],
                "createdFrom": None if source is None else str(source),
            }
            if mine:
                line["amount"] = mine
            result.append(line)
        return result


def _line_key(sub: Sublist, line: Document) -> str:
    if sub.keys == ("doc", "line"):
        return f"doc={line.get('doc')},line={line.get('line', 0)}"
    if sub.keys == ("doc",):
        return f"doc={line.get('doc')}"
    return str(line.get(sub.keys[0]) if sub.keys else 0)


def page(
    url: str, query: dict[str, str], items: list[Document], *, limit: int, offset: int, total: int
) -> Document:
    """The paging envelope of netsuite.md 4.9; `query` holds the parameters to repeat in the links."""

    def href(at: int) -> str:
        return f"{url}?{urlencode({**query, 'limit': str(limit), 'offset': str(at)}, quote_via=quote)}"

    links: list[Document] = []
    more = offset + len(items) < total
    if offset > 0:
        links.append({"rel": "first", "href": href(0)})
        links.append({"rel": "prev", "href": href(max(offset - limit, 0))})
    if more:
        links.append({"rel": "next", "href": href(offset + limit)})
        links.append({"rel": "last", "href": href((total - 1) // limit * limit)})
    links.append({"rel": "self", "href": href(offset)})
    return {
        "links": links,
        "items": items,
        "count": len(items),
        "offset": offset,
        "hasMore": more,
        "totalResults": total,
    }
