"""The record engine: create, read, update, upsert, delete, for every record type.

Belongs here: the order of steps and the merge rules. Does not belong here: what a type demands (rules, entities),
applications (apply), the ledger (posting) or HTTP (app). Every public method is atomic. Source: netsuite.md 4, 9.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from ledger_pipelines.sandbox.codec import Document, number
from ledger_pipelines.sandbox.netsuite import apply, lists, orders, periods, posting, rules, sales
from ledger_pipelines.sandbox.netsuite.company import Company
from ledger_pipelines.sandbox.netsuite.errors import (
    NetSuiteError,
    invalid_request,
    missing_values,
    nonexistent,
    user_error,
)
from ledger_pipelines.sandbox.netsuite.normalise import Options, Parsed, parse
from ledger_pipelines.sandbox.netsuite.schema import RecordType, Sublist
from ledger_pipelines.sandbox.netsuite.store import Row

_APPLYING = frozenset({"customerPayment", "creditMemo", "customerRefund"})
_LINKED = frozenset({"apply", "credit"})


@dataclass
class Saved:
    """The outcome of a write."""

    record_type: RecordType
    id: int
    warnings: list[str] = field(default_factory=list)


class Engine:
    """Writes and reads of records of one company."""

    def __init__(self, company: Company):
        self.company = company

    def locate(self, record_type: RecordType, key: str) -> Row:
        """The record of an id in a path: digits or `eid:...`. Raises NetSuiteError 404."""
        store = self.company.store
        if key.startswith("eid:"):
            row = store.by_external_id(record_type.family, key[4:])
        elif key.isascii() and key.isdigit() and len(key) <= 15:
            row = store.get(record_type.family, int(key))
        else:
            raise invalid_request(f"Invalid value '{key}' for the resource ID.")
        if row is None:
            raise nonexistent()
        if row.rectype != record_type.name:
            if record_type.is_transaction:
                raise user_error("Transaction type specified is incorrect.")
            raise nonexistent()
        return row

    def create(
        self,
        record_type: RecordType,
        raw: object,
        options: Options,
        role: int,
        *,
        external_id: str | None = None,
    ) -> Saved:
        """Make a record from a request body. Raises NetSuiteError; nothing is kept then."""
        with self.company.store.transaction():
            parsed = parse(self.company, record_type, raw, options)
            if external_id is not None:
                parsed.body["externalId"] = external_id
            return self.insert(record_type, {}, parsed, options, role)

    def insert(
        self, record_type: RecordType, defaults: Document, parsed: Parsed, options: Options, role: int
    ) -> Saved:
        """Make a record from defaults (of a transform) with a parsed request laid over them."""
        store = self.company.store
        with store.transaction():
            body = dict(defaults)
            row = Row(record_type.family, store.next_id(record_type.family), record_type.name, body)
            row.created, row.created_local = self.company.stamps()
            row.created_by = role
            row.visible_at = self.company.visible_at()
            self._lay_over(record_type, row, parsed, options, fresh=True)
            self._save(record_type, row, None, parsed, options)
            return Saved(record_type, row.id, parsed.warnings)

    def update(self, record_type: RecordType, row: Row, raw: object, options: Options) -> Saved:
        """Merge a request body into a record (PATCH, and PUT on an existing one). Raises NetSuiteError."""
        with self.company.store.transaction():
            parsed = parse(self.company, record_type, raw, options)
            old = dict(row.body)
            self._lay_over(record_type, row, parsed, options, fresh=False)
            self._save(record_type, row, old, parsed, options)
            return Saved(record_type, row.id, parsed.warnings)

    def upsert(
        self, record_type: RecordType, external_id: str, raw: object, options: Options, role: int
    ) -> Saved:
        """PUT by external id: update when it exists, else create (netsuite.md 4.6)."""
        with self.company.store.transaction():
            row = self.company.store.by_external_id(record_type.family, external_id)
            if row is None:
                return self.create(record_type, raw, options, role, external_id=external_id)
            if row.rectype != record_type.name:
                raise user_error("This record already exists.", "externalId")
            return self.update(record_type, row, raw, options)

    def delete(self, record_type: RecordType, row: Row) -> None:
        """Delete a record; refused while others depend on it. Raises NetSuiteError."""
        company = self.company
        with company.store.transaction():
            if not record_type.is_transaction:
                lists.check_unused(company, record_type, row)
                company.store.remove(row.family, row.id)
                return
            self._check_deletable(record_type, row)
            periods.check_open(company, record_type, row.body)
            touched = set(apply.current(company, row.id)) | set(
                apply.current(company, row.id, credits_used=True)
            )
            touched |= {
                found[0]
                for found in company.store.db.execute(
                    "SELECT previousdoc FROM ns_link WHERE via = ? AND linktype = 'DepPay'", (row.id,)
                )
            }
            company.store.remove(row.family, row.id)
            for doc in touched:
                apply.refresh(company, doc, touch=True)
            if row.body.get("createdFrom"):
                orders.refresh(company, int(row.body["createdFrom"]))

    def _check_deletable(self, record_type: RecordType, row: Row) -> None:
        found = self.company.store.db.execute(
            "SELECT l.nexttype, t.tranid FROM ns_link l JOIN ns_transaction t ON t.id = l.nextdoc "
            "WHERE l.previousdoc = ? ORDER BY t.id LIMIT 1",
            (row.id,),
        ).fetchone()
        if found is None and record_type.name == "creditMemo":
            found = self.company.store.db.execute(
                "SELECT l.previoustype, t.tranid FROM ns_link l JOIN ns_transaction t ON t.id = l.previousdoc "
                "WHERE l.nextdoc = ? AND l.linktype = 'Payment' LIMIT 1",
                (row.id,),
            ).fetchone()
        if found is not None:
            raise user_error(
                f"This transaction cannot be deleted because it is linked to by one or more transactions: "
                f"{found[0]} {found[1]}. Remove the dependent transaction first."
            )

    def _lay_over(
        self, record_type: RecordType, row: Row, parsed: Parsed, options: Options, *, fresh: bool
    ) -> None:
        body = row.body
        cleared = options.replace_selected
        for name, value in parsed.body.items():
            if value is None:
                if not cleared or name.lower() in options.replace:
                    body.pop(name, None)
            else:
                body[name] = value
        for name, lines in parsed.sublists.items():
            if name in _LINKED:
                continue
            sub = record_type.sublist_by_name[name.lower()]
            self._merge(sub, body, lines, replace=name.lower() in options.replace)
        if not fresh and record_type.is_transaction:
            for name in ("shippingCost", "handlingCost"):
                if body.get(name) is not None:
                    body[name] = number(body[name])

    def _merge(self, sub: Sublist, body: Document, lines: list[Document] | None, *, replace: bool) -> None:
        """Netsuite.md 4.5: keyed lines are matched, others appended; `replace` drops what is not sent."""
        if lines is None:
            if sub.mandatory:
                raise missing_values(sub.name)
            body.pop(sub.name, None)
            return
        existing: list[Document] = [dict(line) for line in body.get(sub.name, [])]
        if not sub.keys:
            body[sub.name] = [*([] if replace else existing), *lines]
            return
        key = sub.keys[0]
        known = {str(line[key]): line for line in existing if line.get(key) is not None}
        kept: list[Document] = []
        added: list[Document] = []
        for line in lines:
            match = known.get(str(line[key])) if line.get(key) is not None else None
            if match is None:
                added.append({name: value for name, value in line.items() if value is not None})
                continue
            _update_line(match, line)
            kept.append(match)
        body[sub.name] = [*(kept if replace else existing), *added]
        if key == "line":
            sales.number_lines(body[sub.name], 0)

    def _save(
        self, record_type: RecordType, row: Row, old: Document | None, parsed: Parsed, options: Options
    ) -> None:
        company = self.company
        row.modified, row.modified_local = company.stamps()
        row.external_id = row.body.pop("externalId", None) or (
            row.external_id if "externalId" not in parsed.body else None
        )
        if record_type.is_transaction:
            self._save_transaction(record_type, row, old, parsed, options)
            return
        lists.complete(company, record_type, row, is_new=old is None)
        self._put(record_type, row)

    def _put(self, record_type: RecordType, row: Row) -> None:
        row.name = str(row.body.get(record_type.name_field) or row.id)
        if record_type.name == "account" and row.body.get("acctNumber"):
            row.name = f"{row.body['acctNumber']} {row.body['acctName']}"
        row.inactive = bool(row.body.get("isInactive", False))
        try:
            self.company.store.put(row)
        except sqlite3.IntegrityError:
            raise user_error("This record already exists.", "externalId") from None

    def _save_transaction(
        self, record_type: RecordType, row: Row, old: Document | None, parsed: Parsed, options: Options
    ) -> None:
        company = self.company
        if old is not None:
            periods.check_open(company, record_type, old)
            self._check_edit(record_type, row, old)
        rules.complete(company, record_type, row.body, old)
        periods.check_open(company, record_type, row.body)
        self._put(record_type, row)
        touched: set[int] = set()
        if record_type.name in _APPLYING:
            given = frozenset(name for name in parsed.sublists if name in _LINKED)
            touched = apply.write(
                company,
                record_type,
                row,
                apply.Request(
                    parsed.sublists.get("apply"), parsed.sublists.get("credit"), given, options.replace
                ),
            )
            self.company.store.put(row)
        elif record_type.name == "deposit":
            touched = apply.write_deposit(company, row)
        posting.project(company, record_type, row)
        apply.refresh(company, row.id, touch=False)
        for doc in sorted(touched - {row.id}):
            apply.refresh(company, doc, touch=True)
        if record_type.name in orders.LINK:
            orders.link(company, row)
            if row.body.get("createdFrom"):
                orders.refresh(company, int(row.body["createdFrom"]))
        elif record_type.name == "salesOrder":
            orders.refresh(company, row.id)

    def _check_edit(self, record_type: RecordType, row: Row, old: Document) -> None:
        found = self.company.store.db.execute(
            "SELECT 1 FROM ns_link WHERE previousdoc = ?1 OR nextdoc = ?1 LIMIT 1", (row.id,)
        ).fetchone()
        if found is None:
            return
        fixed = {rules.entity_field(record_type), "currency", "subsidiary", "arAcct"}
        if record_type.name in {"invoice", "creditMemo"}:
            fixed.add("account")
        for name in sorted(fixed):
            if old.get(name) is not None and row.body.get(name) != old.get(name):
                raise user_error(
                    f"The field {name} cannot be changed while other transactions are applied.", name
                )


def _update_line(line: Document, sent: Document) -> None:
    """Lay a sent line over a kept one; a new quantity or rate recomputes the amount unless one is sent."""
    if ({"quantity", "rate"} & set(sent)) and "amount" not in sent and "itemType" in line:
        line.pop("amount", None)
    if "amount" in sent and "rate" not in sent and "itemType" in line:
        line.pop("rate", None)
    if {"amount", "quantity", "rate", "taxCode"} & set(sent):
        for name in ("tax1Amt", "taxAmount", "grossAmt"):
            line.pop(name, None)
    if "taxCode" in sent:
        line.pop("taxRate1", None)
    for side, other in (("debit", "credit"), ("credit", "debit")):
        if sent.get(side) is not None and sent.get(other) is None:
            line.pop(other, None)
    for name, value in sent.items():
        if value is None:
            line.pop(name, None)
        else:
            line[name] = value


def require_type(company: Company, name: str) -> RecordType:
    """The record type of a path segment, its feature on. Raises NetSuiteError 404."""
    found = company.schema.find(name)
    if found is None or not company.features.has(found.feature):
        raise NetSuiteError(
            404, "NONEXISTENT_ID", f"Record type '{name}' does not exist.", name, "o:errorUrl"
        )
    return found
