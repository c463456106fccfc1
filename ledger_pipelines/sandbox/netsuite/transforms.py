"""Record transforms: defaults of the target from the source.

Belongs here: which transform exists and what it fills in. The engine saves the result. Source: netsuite.md 4.7.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.netsuite import apply, orders
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.engine import Engine, Saved
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError, user_error
from ledger_pipelines.sandbox.netsuite.normalise import Options, parse
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row

ALLOWED: dict[str, tuple[str, ...]] = {
    "customer": ("cashSale", "customerPayment", "invoice", "salesOrder"),
    "salesOrder": ("invoice", "cashSale", "itemFulfillment"),
    "invoice": ("customerPayment", "creditMemo"),
    "creditMemo": ("customerRefund",),
    "customerPayment": ("customerRefund",),
    "cashSale": ("cashRefund",),
}
_HEADER = (
    "subsidiary", "currency", "exchangeRate", "department", "class", "location", "otherRefNum", "memo", "terms",
    "discountItem", "discountRate", "taxItem", "taxRate", "isTaxable", "shippingCost", "handlingCost", "shipMethod",
)  # fmt: skip
_LINE_OUT = frozenset({"lineUniqueKey", "orderDoc", "orderLine"})


def transform(
    engine: Engine,
    source_type: RecordType,
    row: Row,
    target: RecordType,
    raw: object,
    options: Options,
    role: int,
) -> Saved:
    """Make and save the target record. Raises NetSuiteError; the whole call is atomic."""
    if target.name not in ALLOWED.get(source_type.name, ()):
        raise NetSuiteError(
            400,
            "INVALID_REQUEST",
            f"Transformation from {source_type.name} to {target.name} is not supported.",
            None,
            "o:errorUrl",
        )
    company = engine.company
    with company.store.transaction():
        parsed = parse(company, target, raw if raw is not None else {}, options)
        body, applications = _defaults(company, source_type, row, target)
        if applications is not None and "apply" not in parsed.sublists:
            wanted = applications
            if target.name == "creditMemo" and "item" in parsed.sublists:
                wanted = [{"doc": line["doc"], "apply": True} for line in applications]
            parsed.sublists["apply"] = wanted
        elif applications and "apply" in options.replace:
            pass
        elif applications and parsed.sublists.get("apply") is not None:
            sent = parsed.sublists["apply"] or []
            named = {str(line.get("doc")) for line in sent}
            others = [line for line in applications if line["doc"] not in named]
            parsed.sublists["apply"] = [*(others if target.name == "customerPayment" else []), *sent]
        if target.name in {"customerPayment", "cashSale"} and parsed.body.get("account"):
            parsed.body.setdefault("undepFunds", "F")
        return engine.insert(target, body, parsed, options, role)


def _defaults(
    company: Company, source_type: RecordType, row: Row, target: RecordType
) -> tuple[Document, list[Document] | None]:
    if source_type.name == "customer":
        field = "customer" if target.name == "customerPayment" else "entity"
        return {field: str(row.id)}, None
    if target.name == "customerPayment":
        return _pay(company, row)
    if target.name == "customerRefund":
        return _refund(company, row)
    body: Document = {"entity": row.body["entity"], "createdFrom": str(row.id)}
    body |= {name: row.body[name] for name in _HEADER if name in row.body and name in _names(target)}
    body |= {name: value for name, value in row.body.items() if name.startswith("custbody_")}
    if source_type.name == "salesOrder":
        lines = orders.fulfilable_lines if target.name == "itemFulfillment" else orders.billable_lines
        body["item"] = lines(company, row)
        if target.name == "itemFulfillment":
            for name in ("discountItem", "discountRate", "shippingCost"):
                body.pop(name, None)
        return body, None
    body["item"] = [
        {name: value for name, value in line.items() if name not in _LINE_OUT} for line in row.body["item"]
    ]
    if target.name == "cashRefund":
        body["account"] = row.body.get("account")
        return body, None
    body["account"] = row.body["account"]
    found = apply.load(company, row.id)
    if found is None or found.due <= 0:
        return body, []
    return body, [{"doc": str(row.id), "apply": True}]


def _names(target: RecordType) -> frozenset[str]:
    return frozenset(spec.name for spec in target.fields)


def _pay(company: Company, row: Row) -> tuple[Document, list[Document]]:
    found = apply.load(company, row.id)
    if found is None or found.due <= 0:
        raise user_error(
            f"There is nothing to apply: the invoice {row.body.get('tranId')} has no amount due."
        )
    body = {
        "customer": row.body["entity"],
        "currency": row.body["currency"],
        "exchangeRate": row.body.get("exchangeRate"),
        "arAcct": row.body["account"],
        "payment": found.due,
    }
    if row.body.get("subsidiary"):
        body["subsidiary"] = row.body["subsidiary"]
    body |= {name: value for name, value in row.body.items() if name.startswith("custbody_")}
    return body, [{"doc": str(row.id), "line": 0, "apply": True, "amount": found.due}]


def _refund(company: Company, row: Row) -> tuple[Document, list[Document]]:
    found = apply.load(company, row.id)
    if found is None or found.due <= 0:
        raise user_error(f"There is nothing to refund: {row.body.get('tranId')} has no unapplied amount.")
    body = {
        "customer": row.body.get("customer") or row.body["entity"],
        "currency": row.body["currency"],
        "exchangeRate": row.body.get("exchangeRate"),
        "arAcct": row.body.get("arAcct") or row.body["account"],
    }
    if row.body.get("subsidiary"):
        body["subsidiary"] = row.body["subsidiary"]
    body |= {name: value for name, value in row.body.items() if name.startswith("custbody_")}
    return body, [{"doc": str(row.id), "line": 0, "apply": True, "amount": found.due}]
