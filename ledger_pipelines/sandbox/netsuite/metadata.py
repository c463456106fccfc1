"""The metadata catalog: which records exist, their JSON Schema and OpenAPI with `x-ns-filterable`.

Belongs here: turning record types into schema documents, and select-options. Source: netsuite.md 4.11, 11.11.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.codec import Document
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.engine import require_type
from ledger_pipelines.sandbox.netsuite.errors import NetSuiteError
from ledger_pipelines.sandbox.netsuite.schema import Field, RecordType

PATH = "/services/rest/record/v1/metadata-catalog"
_KINDS: dict[str, Document] = {
    "text": {"type": "string"},
    "clob": {"type": "string"},
    "email": {"type": "string", "format": "email"},
    "int": {"type": "integer", "format": "int64"},
    "money": {"type": "number", "format": "double"},
    "number": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "map": {"type": "object"},
}


def catalog(
    company: Company, base: str, parts: list[str], select: str | None, accept: str
) -> tuple[Document, str]:
    """The catalog list, one record's JSON Schema, or OpenAPI of the selected ones; with its content type."""
    if parts:
        return _schema(company, require_type(company, parts[0])), "application/schema+json"
    if select or "swagger" in accept:
        names = [name.strip() for name in select.split(",")] if select else list(company.schema.types)
        chosen = [require_type(company, name) for name in names]
        return _openapi(company, base, chosen), "application/swagger+json"
    items = [
        {
            "name": item.name,
            "links": [
                {"rel": "canonical", "href": f"{base}{PATH}/{item.name}"},
                {"rel": "describes", "href": f"{base}/services/rest/record/v1/{item.name}"},
            ],
        }
        for item in company.schema.types.values()
        if company.features.has(item.feature)
    ]
    body = {"links": [{"rel": "self", "href": f"{base}{PATH}"}], "items": items}
    return body, "application/vnd.oracle.resource+json; type=collection"


def _property(spec: Field, *, body: bool) -> Document:
    if spec.kind in _KINDS:
        found = dict(_KINDS[spec.kind])
    elif spec.kind == "enum":
        keys = [key for key, _ in spec.options]
        found = {
            "type": "object",
            "properties": {"id": {"type": "string", "enum": keys}, "refName": {"type": "string"}},
        }
    else:
        reference: Document = {
            "type": "object",
            "properties": {"id": {"type": "string"}, "refName": {"type": "string"}},
        }
        if spec.family not in {"", "*"}:
            reference["x-ns-target"] = spec.family
        found = (
            reference
            if spec.kind == "ref"
            else {"type": "object", "properties": {"items": {"type": "array", "items": reference}}}
        )
    found["title"] = spec.label or spec.name
    if spec.read_only:
        found["readOnly"] = True
    if spec.max_length:
        found["maxLength"] = spec.max_length
    if body:
        found["x-ns-filterable"] = spec.filterable
    if spec.name.startswith(("cust",)):
        found["x-ns-custom-field"] = True
    return found


def _hidden(company: Company, spec: Field) -> bool:
    instruments = company.features.paymentInstruments
    return spec.name == ("paymentMethod" if instruments else "paymentOption")


def _schema(company: Company, record_type: RecordType) -> Document:
    properties: Document = {"id": {"type": "string", "title": "Internal ID", "x-ns-filterable": True}}
    for spec in record_type.fields:
        if not _hidden(company, spec):
            properties[spec.name] = _property(spec, body=True)
    for sub in record_type.sublists:
        lines = {spec.name: _property(spec, body=False) for spec in sub.fields}
        properties[sub.name] = {
            "type": "object",
            "title": sub.name,
            "properties": {"items": {"type": "array", "items": {"type": "object", "properties": lines}}},
        }
    required = [spec.name for spec in record_type.fields if spec.required and record_type.custom]
    return {
        "type": "object",
        "title": record_type.label,
        "properties": properties,
        **({"required": required} if required else {}),
    }


def _openapi(company: Company, base: str, chosen: list[RecordType]) -> Document:
    paths: Document = {}
    for item in chosen:
        ok: Document = {"204": {"description": "Done"}}
        paths[f"/{item.name}"] = {
            "get": {"tags": [item.name], "responses": {"200": {"description": "List of records"}}},
            "post": {"tags": [item.name], "responses": ok},
        }
        paths[f"/{item.name}/{{id}}"] = {
            "get": {"tags": [item.name], "responses": {"200": {"description": "Record"}}},
            "patch": {"tags": [item.name], "responses": ok},
            "put": {"tags": [item.name], "responses": ok},
            "delete": {"tags": [item.name], "responses": ok},
        }
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "servers": [{"url": f"{base}/services/rest/record/v1"}],
        "paths": paths,
        "components": {"schemas": {item.name: _schema(company, item) for item in chosen}},
    }


def select_options(company: Company, record_type: RecordType, names: str) -> Document:
    """Allowed values of select fields: `{field: {"items": [{"id", "refName"}]}}`. Raises NetSuiteError."""
    result: Document = {}
    for name in [part.strip() for part in names.split(",") if part.strip()]:
        spec = record_type.by_name.get(name.lower())
        if spec is None:
            raise NetSuiteError(
                400, "INVALID_PARAMETER", f"Unknown field '{name}'.", "fields", "o:errorQueryParam"
            )
        if spec.kind == "enum":
            items = [{"id": key, "refName": text} for key, text in spec.options]
        else:
            rows = company.store.db.execute(
                "SELECT id, name FROM ns_record WHERE family = ? AND inactive = 'F' ORDER BY id LIMIT 1000",
                (spec.family,),
            )
            items = [{"id": str(found[0]), "refName": found[1]} for found in rows]
        result[spec.name] = {"items": items, "totalResults": len(items)}
    return result
