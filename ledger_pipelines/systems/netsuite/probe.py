"""Is it there, and does it say what we meant? One SuiteQL for up to 1000 records.

Belongs here: looking effects up by external id or id, and comparing updates. Does not belong here: sending
(`writer`), deciding on adoption (`sync`). Facts: netsuite.md 4.6, 7.3, 7.5.
"""

# ruff: noqa: S608 - identifiers come from fixed sets and checked settings; every value is bound

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from ledger_pipelines.documents.effects import Action, Effect, Expected, Remote
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.documents.money import Money
from ledger_pipelines.systems.netsuite.settings import NetSuiteConnection
from ledger_pipelines.systems.netsuite.suiteql import Row, SuiteQL, chunks, marks

MOST_IN = 1000
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_ENTITIES = frozenset({"customer", "vendor", "contact", "employee"})
_APPLYING = frozenset({"CustPymt", "CustCred"})


def table_of(kind: str) -> str:
    """The SuiteQL table that holds records of a kind: all transactions share one."""
    lower = kind.lower()
    if lower.startswith("customrecord") or lower in _ENTITIES:
        return lower
    return "transaction"


def agrees(expected: Expected, remote: Remote) -> bool:
    """Whether a record says what is expected, as far as both tell. Amounts without their sign."""
    if expected.amount is not None and remote.amount is not None:
        ours, theirs = abs(expected.amount), abs(remote.amount)
        if (ours.currency, ours.amount) != (theirs.currency, theirs.amount):
            return False
    if expected.day is not None and remote.day is not None and expected.day != remote.day:
        return False
    return expected.lines is None or remote.lines is None or expected.lines == remote.lines


class Probe:
    """Look-ups of one account."""

    def __init__(self, connection: NetSuiteConnection, suiteql: SuiteQL) -> None:
        self._connection = connection
        self._suiteql = suiteql

    def find(self, effects: Sequence[Effect]) -> dict[str, Remote]:
        """What NetSuite holds, by effect key. Calls: one each 1000 effects, table and kind of question (create, update, void).

        CREATE: the record under the external id. UPDATE: the record when it already says what the body wants.
        VOID: `Remote` with the target id when the record is gone.

        Raises:
            TransientError, CredentialError, NetSuiteRefusedError: nothing is learnt.
        """
        found: dict[str, Remote] = {}
        creates: dict[str, list[Effect]] = {}
        updates: dict[str, list[Effect]] = {}
        voids: dict[str, list[Effect]] = {}
        for effect in effects:
            table = table_of(effect.kind)
            if effect.action is Action.CREATE:
                creates.setdefault(table, []).append(effect)
            elif effect.action is Action.VOID:
                voids.setdefault(table, []).append(effect)
            elif comparable(effect) is not None:
                updates.setdefault(table, []).append(effect)
        for table, group in creates.items():
            found |= self._created(table, group)
        for table, group in updates.items():
            found |= self._updated(table, group)
        for table, group in voids.items():
            found |= self._gone(table, group)
        return found

    def _created(self, table: str, effects: Sequence[Effect]) -> dict[str, Remote]:
        by_external = {e.external_id: e for e in effects if e.external_id}
        if table == "transaction":
            sql = self._transaction_sql(any(e.expected.lines is not None for e in effects))
        else:
            name = "entityid" if table in _ENTITIES else "name"
            sql = f"SELECT r.id, r.externalid, r.{name} AS tranid FROM {table} r WHERE r.externalid IN ({{in}}) ORDER BY r.id"
        found = {}
        for row in self._ask(sql, by_external):
            effect = by_external.get(row.get("externalid") or "")
            if effect is not None:
                found[effect.key] = self._remote(row, effect)
        return found

    def _transaction_sql(self, with_lines: bool) -> str:
        lines = (
            ", (SELECT COUNT(*) FROM transactionline tl WHERE tl.transaction = t.id AND tl.taxline = 'F'"
            " AND (tl.mainline = 'F' OR t.type = 'Journal')) AS lines"
            if with_lines
            else ""
        )
        currency = ", c.symbol AS currency" if self._connection.multi_currency else ""
        join = " LEFT JOIN currency c ON c.id = t.currency" if self._connection.multi_currency else ""
        return (
            "SELECT t.id, t.externalid, t.tranid, t.type, t.foreigntotal, t.foreignpaymentamountused AS used,"
            " (SELECT SUM(jl.foreignamount) FROM transactionline jl WHERE jl.transaction = t.id"
            " AND t.type = 'Journal' AND jl.foreignamount > 0) AS debits,"
            f" TO_CHAR(t.trandate,'YYYY-MM-DD') AS day{currency}{lines}"
            f" FROM transaction t{join} WHERE t.externalid IN ({{in}}) ORDER BY t.id"
        )

    def _remote(self, row: Row, effect: Effect) -> Remote:
        kind = row.get("type") or ""
        currency = row.get("currency") or (
            "" if self._connection.multi_currency else self._connection.base_currency
        )
        total = row.get("debits") if kind == "Journal" else row.get("foreigntotal")
        used = row.get("used") if kind in _APPLYING else None
        day, lines = row.get("day"), row.get("lines")
        return Remote(
            remote_id=row.get("id") or "",
            external_id=row.get("externalid") or effect.external_id,
            number=row.get("tranid") or "",
            amount=abs(Money(Decimal(total), currency)) if total and currency else None,
            day=date.fromisoformat(day) if day else None,
            lines=int(lines) if lines and kind not in {"CustPymt", "CustRfnd"} else None,
            applied=abs(Money(Decimal(used), currency)) if used and currency else None,
        )

    def _updated(self, table: str, effects: Sequence[Effect]) -> dict[str, Remote]:
        """One question whatever the bodies name: all columns of any are asked, each body's own are compared."""
        columns = sorted({column for effect in effects for column in comparable(effect) or ()})
        bodies = {e.key: _body(e) for e in effects}
        dated = {
            name
            for body in bodies.values()
            for name, value in body.items()
            if isinstance(value, str) and _DAY.fullmatch(value)
        }
        asked = ", ".join(
            f"TO_CHAR(r.{c.lower()},'YYYY-MM-DD') AS {c.lower()}" if c in dated else f"r.{c.lower()}"
            for c in columns
            if c.lower() not in {"id", "externalid"}
        )
        found = {}
        for column, group in (
            ("id", [e for e in effects if e.target_id]),
            ("externalid", [e for e in effects if not e.target_id]),
        ):
            by_value = {(e.target_id or e.external_id): e for e in group}
            sql = (
                f"SELECT r.id, r.externalid{', ' + asked if asked else ''} FROM {table} r"
                f" WHERE r.{column} IN ({{in}}) ORDER BY r.id"
            )
            for row in self._ask(sql, by_value):
                effect = by_value.get(row.get(column) or "")
                if effect is not None and all(
                    _same(v, row.get(k.lower())) for k, v in bodies[effect.key].items()
                ):
                    found[effect.key] = Remote(row.get("id") or "", row.get("externalid") or "")
        return found

    def _gone(self, table: str, effects: Sequence[Effect]) -> dict[str, Remote]:
        by_id = {e.target_id: e for e in effects if e.target_id.isdecimal()}
        there = {
            row.get("id")
            for row in self._ask(f"SELECT r.id FROM {table} r WHERE r.id IN ({{in}}) ORDER BY r.id", by_id)
        }
        return {e.key: Remote(i, e.external_id) for i, e in by_id.items() if i not in there}

    def _ask(self, sql: str, values: Mapping[str, Effect]) -> Iterable[Row]:
        for some in chunks(list(values), MOST_IN):
            yield from self._suiteql.rows(sql.replace("{in}", marks(some)), some)


def _body(effect: Effect) -> dict[str, Json]:
    value = decode(effect.body) if effect.body else {}
    return value if isinstance(value, dict) else {}


def comparable(effect: Effect) -> tuple[str, ...] | None:
    """The body's names when SuiteQL can compare them all: plain values and references. None = it cannot."""
    body = _body(effect)
    for name, value in body.items():
        plain_value = not isinstance(value, dict | list) or _reference(value) is not None
        if not _NAME.fullmatch(name) or not plain_value:
            return None
    return tuple(sorted(body)) if body else None


def _reference(value: Json) -> str | None:
    if isinstance(value, dict) and set(value) == {"id"} and isinstance(value["id"], str | int):
        return str(value["id"])
    return None


def _same(wanted: Json, have: str | None) -> bool:
    if wanted is None or wanted == "":
        return not have
    reference = _reference(wanted)
    if reference is not None:
        return have == reference
    if isinstance(wanted, bool):
        return have == ("T" if wanted else "F")
    if isinstance(wanted, int | Decimal):
        try:
            return have is not None and Decimal(have) == Decimal(wanted)
        except InvalidOperation:
            return False
    return have == wanted
