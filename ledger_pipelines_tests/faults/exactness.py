"""What a plan lists against what arrived at the target and what the target's dump holds: row by row, nothing else.

Belongs here: the comparison. Does not belong here: making plans, carrying them out (`drills.plan`).

Links are filled in from the dump (external id -> internal id), not by the engine's own code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger_pipelines.documents.effects import LINK, Action, Effect
from ledger_pipelines.documents.keys import Json, decode
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines_tests.faults.ground import Arrived, content_hash

Record = dict[str, Any]
METHODS = {Action.CREATE: "POST", Action.UPDATE: "PATCH", Action.VOID: "DELETE"}
DERIVED = frozenset({
    "lastModified", "lastModifiedDate", "status", "orderStatus", "amountPaid", "amountRemaining", "balance", "quantityBilled"
})  # fmt: skip
"""Fields of a document that change when another one is applied to it."""


class Dump:
    """The records of a dump, by kind and internal id."""

    def __init__(self, dump: Record) -> None:
        self.records: dict[tuple[str, str], Record] = {
            (kind.lower(), str(row["id"])): row
            for kind, rows in dump["records"].items()
            for row in rows
            if "id" in row
        }
        self._by_external = {
            (kind, str(row["externalId"])): number
            for (kind, number), row in self.records.items()
            if row.get("externalId")
        }

    def number(self, kind: str, external_id: str) -> str:
        """The internal id; "" when there is none."""
        return self._by_external.get((kind.lower(), external_id), "")

    def ids(self, effects: Iterable[Effect]) -> dict[str, str]:
        """The internal id of each effect's record that is there, by effect key."""
        return {e.key: self.number(e.kind, e.external_id) for e in effects}


def inexact(
    plan: Plan, effects: Iterable[Effect], arrived: Sequence[Arrived], before: Dump, after: Dump
) -> list[str]:
    """What arrived, and what is there now, other than the plan's rows say; sentences.

    Args:
        plan: The plan that was carried out.
        effects: Of every plan so far: what links may point to.
        arrived: What came to the target meanwhile.
        before, after: The dumps around it.
    """
    ids = before.ids(effects) | {key: number for key, number in after.ids(effects).items() if number}
    wanted: Counter[tuple[str, str, str, str]] = Counter()
    problems: list[str] = []
    for row in plan.rows:
        effect = row.effect
        if (effect is None) != (row.action in (Action.SKIP, Action.BLOCKED)):
            problems.append(
                f"a row {row.action} of {row.number} carries {'no' if effect is None else 'an'} effect"
            )
        if effect is not None:
            body = content_hash(filled(decode(effect.body), ids)) if effect.action is not Action.VOID else ""
            wanted[(METHODS[effect.action], effect.kind.lower(), effect.external_id, body)] += 1
            problems += _there(effect, before, after)
    came: Counter[tuple[str, str, str, str]] = Counter()
    for one in arrived:
        name = one.external_id
        if one.key.isdecimal():
            dump = before if one.method == "DELETE" else after
            name = str(dump.records.get((one.kind.lower(), one.key), {}).get("externalId", one.key))
        body = "" if one.method == "DELETE" else one.content_hash()
        came[(one.method, one.kind.lower(), name, body)] += 1
        if one.status >= 400:
            problems.append(f"the target refused {one.method} {one.kind} {name} with {one.status}")
    problems += [
        f"planned and did not arrive: {' '.join(row[:3])} body {row[3][:12]} x{n}"
        for row, n in (wanted - came).items()
    ]
    problems += [
        f"arrived and was not planned: {' '.join(row[:3])} body {row[3][:12]} x{n}"
        for row, n in (came - wanted).items()
    ]
    return problems + _elsewhere(plan, before, after)


def _there(effect: Effect, before: Dump, after: Dump) -> list[str]:
    was, now = before.number(effect.kind, effect.external_id), after.number(effect.kind, effect.external_id)
    if effect.action is Action.CREATE and (was or not now):
        return [
            f"{effect.kind} {effect.external_id} was to be created: before {was or 'not there'}, after {now or 'not there'}"
        ]
    if effect.action is Action.VOID and (not was or now):
        return [
            f"{effect.kind} {effect.external_id} was to be removed: before {was or 'not there'}, after {now or 'not there'}"
        ]
    return []


def _elsewhere(plan: Plan, before: Dump, after: Dump) -> list[str]:
    """Records that the plan does not name: none may come or go, and of none may change what is not derived."""
    named = {(e.kind.lower(), e.external_id) for e in plan.effects()}

    def is_named(kind: str, row: Record) -> bool:
        return (kind, str(row.get("externalId", ""))) in named

    problems = []
    for (kind, number), row in after.records.items():
        was = before.records.get((kind, number))
        if is_named(kind, row):
            continue
        if was is None:
            problems.append(
                f"{kind} {number} ({row.get('externalId', 'no external id')}) is there and no row names it"
            )
        elif row != was and (
            changed := [f for f in row.keys() | was.keys() if _own(row).get(f) != _own(was).get(f)]
        ):
            problems.append(f"{kind} {number} changed in {', '.join(sorted(changed))} and no row names it")
    problems += [
        f"{kind} {number} is gone and no row names it"
        for (kind, number), row in before.records.items()
        if (kind, number) not in after.records and not is_named(kind, row)
    ]
    return problems


def _own(value: Any) -> Any:
    """What is not derived."""
    if isinstance(value, dict):
        return {name: _own(item) for name, item in value.items() if name not in DERIVED}
    return [_own(item) for item in value] if isinstance(value, list) else value


def filled(value: Json, ids: Mapping[str, str]) -> Json:
    """A body with its links filled in."""
    if isinstance(value, dict):
        link = value.get(LINK)
        if isinstance(link, str) and len(value) == 1:
            return ids.get(link, "")
        return {name: filled(item, ids) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, ids) for item in value]
    return value
