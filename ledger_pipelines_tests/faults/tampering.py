"""Stored plans that somebody or something altered.

Belongs here: the alterations. Does not belong here: what must follow (`drills.plan`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ledger_pipelines.documents.keys import canonical, decode
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.sync.plan import Plan, PlanRow
from ledger_pipelines.sync.plan_store import PlanStore


def file_of(plans: Path, plan: Plan) -> Path:
    """Where it lies."""
    return plans / "by-digest" / f"{plan.digest}.jsonl"


def _row_removed(plans: Path, plan: Plan) -> None:
    path = file_of(plans, plan)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:1], *lines[2:]]))


def _row_removed_and_counted(plans: Path, plan: Plan) -> None:
    path = file_of(plans, plan)
    lines = path.read_bytes().splitlines(keepends=True)
    head = lines[0].replace(b'"rows":%d' % len(plan.rows), b'"rows":%d' % (len(plan.rows) - 1))
    path.write_bytes(b"".join([head, *lines[2:]]))


def _row_twice(plans: Path, plan: Plan) -> None:
    path = file_of(plans, plan)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], lines[1], *lines[2:]]))


def _amount_edited(plans: Path, plan: Plan) -> None:
    path = file_of(plans, plan)
    row = next(row for row in plan.rows if row.amount)
    amount = str(row.amount.amount if row.amount else "")
    text = path.read_bytes()
    path.write_bytes(text.replace(amount.encode(), b"9" + amount.encode()[1:]))


def _resealed(change: Callable[[tuple[PlanRow, ...]], tuple[PlanRow, ...]]) -> Callable[[Path, Plan], None]:
    """Altered by someone who knows how a digest is made."""

    def alter(plans: Path, plan: Plan) -> None:
        PlanStore(plans).save(replace(plan, rows=change(plan.rows)).sealed())

    return alter


def _dearer(rows: tuple[PlanRow, ...]) -> tuple[PlanRow, ...]:
    """The first document is for a cent more: in its row, its body, and what is compared."""
    at = next(n for n, row in enumerate(rows) if row.effect is not None and row.amount is not None)
    row = rows[at]
    assert row.effect is not None
    assert row.amount is not None
    body = decode(row.effect.body)
    assert isinstance(body, dict)
    more = {name: value + Decimal("0.01") for name, value in body.items() if isinstance(value, Decimal)}
    amount = replace(row.amount, amount=row.amount.amount + Decimal("0.01"))
    effect = replace(
        row.effect, body=canonical(body | more), expected=replace(row.effect.expected, amount=amount)
    )
    return (*rows[:at], replace(row, amount=amount, effect=effect), *rows[at + 1 :])


def _other_account(rows: tuple[PlanRow, ...]) -> tuple[PlanRow, ...]:
    at = next(n for n, row in enumerate(rows) if row.effect is not None)
    row = rows[at]
    assert row.effect is not None
    body = decode(row.effect.body)
    assert isinstance(body, dict)
    effect = replace(row.effect, body=canonical(body | {"account": {"id": "999"}}))
    return (*rows[:at], replace(row, effect=effect), *rows[at + 1 :])


ALTERATIONS: Mapping[str, Callable[[Path, Plan], None]] = {
    "row-removed": _row_removed,
    "row-removed-and-counted": _row_removed_and_counted,
    "row-twice": _row_twice,
    "amount-edited": _amount_edited,
    "row-removed-resealed": _resealed(lambda rows: rows[1:]),
    "row-twice-resealed": _resealed(lambda rows: (*rows, rows[0])),
    "account-edited-resealed": _resealed(_other_account),
    "amount-edited-resealed": _resealed(_dearer),
}
"""Those that are resealed fit their digest: only making the plan again tells."""


def flipped(plans: Path, plan: Plan, seed: int, every: int) -> tuple[int, list[str]]:
    """Flip bytes of a stored plan in turn, one in `every`; how many, and which were taken for a plan all the same."""
    chooser, store, path = random.Random(seed), PlanStore(plans), file_of(plans, plan)
    whole = path.read_bytes()
    taken = []
    places = range(seed % every, len(whole), every)
    for at in places:
        bit = 1 << chooser.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        try:
            store.latest(plan.integration, plan.flow, plan.partition)
        except LedgerError:
            continue
        around = whole[max(0, at - 30) : at + 10].decode(errors="replace")
        taken.append(f"byte {at} flipped (bit {bit}) and still taken for a plan: ...{around}")
    path.write_bytes(whole)
    return len(places), taken
