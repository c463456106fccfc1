"""Rules of what is not a transaction: customers, items, accounts, custom records.

Belongs here: mandatory fields, uniqueness, defaults, references that forbid deletion. Source: netsuite.md 8.1,
8.10, 8.11, 9.6.
"""

from __future__ import annotations

from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import missing_values, user_error
from ledger_pipelines.sandbox.netsuite.schema import RecordType
from ledger_pipelines.sandbox.netsuite.store import Row

_USES = {
    "entity": (("ns_transaction", "entity"), ("ns_line", "entity")),
    "item": (("ns_line", "item"),),
    "account": (("ns_ledger", "account"), ("ns_transaction", "account")),
    "currency": (("ns_transaction", "currency"),),
    "subsidiary": (("ns_transaction", "subsidiary"),),
    "accountingPeriod": (("ns_transaction", "postingperiod"),),
    "term": (("ns_transaction", "terms"),),
    "department": (("ns_line", "department"),),
    "classification": (("ns_line", '"class"'),),
    "location": (("ns_line", "location"),),
}


def complete(company: Company, record_type: RecordType, row: Row, *, is_new: bool) -> None:
    """Check and complete a list record in place. Raises NetSuiteError."""
    if record_type.name == "customer":
        _customer(company, row, is_new=is_new)
    elif record_type.family == "item":
        _unique(company, record_type, row, "itemId")
        row.body["itemType"] = record_type.item_type
    elif record_type.name == "account":
        if row.body.get("acctNumber"):
            found = company.store.db.execute(
                "SELECT 1 FROM ns_record WHERE family = 'account' AND body ->> '$.acctNumber' = ? AND id <> ?",
                (row.body["acctNumber"], row.id),
            ).fetchone()
            if found:
                raise user_error("The account number you have chosen is already used.", "acctNumber")
    elif record_type.name in {"subsidiary", "department", "classification", "location"}:
        parent = (
            company.store.display(record_type.family, row.body["parent"]) if row.body.get("parent") else None
        )
        row.body["fullName"] = f"{parent} : {row.body.get('name')}" if parent else row.body.get("name")
    missing = [
        spec.label or spec.name
        for spec in record_type.fields
        if spec.required and row.body.get(spec.name) in {None, ""}
    ]
    if missing:
        raise missing_values(", ".join(missing))


def _customer(company: Company, row: Row, *, is_new: bool) -> None:
    body = row.body
    body.setdefault("isPerson", False)
    person = bool(body["isPerson"])
    if person and not (body.get("firstName") and body.get("lastName")):
        raise user_error("Please enter value(s) for: First Name, Last Name", "lastName")
    if not person and not body.get("companyName"):
        raise user_error("You must enter a value for Company Name.", "companyName")
    display = f"{body.get('firstName')} {body.get('lastName')}" if person else str(body["companyName"])
    body["altName"] = display
    if not body.get("entityId"):
        body["entityId"] = str(row.id) if company.features.autoNumbering else display
    if company.features.oneWorld and not body.get("subsidiary"):
        raise missing_values("Primary Subsidiary")
    if not body.get("currency"):
        body["currency"] = company.base_currency(body.get("subsidiary"))
    if body.get("phone") and len(str(body["phone"])) < 7:
        raise user_error("Phone number should have seven digits or more.", "phone")
    found = company.store.by_name("entity", str(body["entityId"]))
    if found is not None and found.id != row.id:
        raise user_error("This entity already exists.", "entityId")
    if is_new:
        body.setdefault("entityStatus", "13")
    _default_addresses(row)


def _default_addresses(row: Row) -> None:
    lines = row.body.get("addressBook", [])
    for at, line in enumerate(lines):
        line.setdefault("id", at + 1)
    for flag in ("defaultBilling", "defaultShipping"):
        chosen = [line for line in lines if line.get(flag)]
        for line in chosen[:-1]:
            line[flag] = False


def _unique(company: Company, record_type: RecordType, row: Row, field: str) -> None:
    found = company.store.by_name(record_type.family, str(row.body.get(field)))
    if found is not None and found.id != row.id:
        raise user_error(
            f"Uniqueness error - there is already a {record_type.family} with that name or external id.",
            field,
        )


def check_unused(company: Company, record_type: RecordType, row: Row) -> None:
    """Refuse the deletion of a record that others use. Raises NetSuiteError naming the dependency."""
    for table, column in _USES.get(record_type.family, ()):
        found = company.store.db.execute(
            f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1",  # noqa: S608  own names
            (row.id,),
        ).fetchone()
        if found:
            raise user_error(
                "This record cannot be deleted because it has dependent records: it is used by transactions."
            )
    for other in company.schema.types.values():
        for spec in other.fields:
            if other.custom and spec.kind == "ref" and spec.family == record_type.family:
                used = company.store.db.execute(
                    "SELECT id FROM ns_record WHERE family = ? AND body ->> ? = ? LIMIT 1",
                    (other.family, f"$.{spec.name}", str(row.id)),
                ).fetchone()
                if used:
                    raise user_error(
                        "This record cannot be deleted because it has dependent records: "
                        f"{other.label} {used[0]} ({spec.name})."
                    )
