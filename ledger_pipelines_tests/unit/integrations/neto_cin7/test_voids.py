"""Voided once, under both options, never back; dispatched ones are reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action, EffectState, Mode
from ledger_pipelines.integrations.neto_cin7.references import void_key
from ledger_pipelines.integrations.neto_cin7.status_updates import rows
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    READ_AT,
    body_of,
    codes,
    context,
    d,
    effect_of,
    known,
    line,
    order,
    settings,
)
from ledger_pipelines_tests.unit.integrations.neto_cin7.dispatching import (
    CANCELLED,
    IGNORE,
    YES,
    choosing,
    downloaded,
    only,
    standing,
)


@pytest.mark.parametrize("option", [YES, IGNORE])
def test_a_cancelled_order_is_voided_under_both(option: str) -> None:
    one = order("N1", **CANCELLED)
    row = only(downloaded(one, choices=choosing(option)), one)
    assert (row.action.value, row.reason.code) == ("void", "void")
    effect = row.effect
    assert effect is not None
    assert (effect.action, effect.target_id) == (Action.VOID, "88123")
    assert body_of(effect) == {"isVoid": True, "isApproved": False}


def test_not_under_no_and_not_what_was_never_downloaded() -> None:
    one = order("N1", **CANCELLED)
    assert rows(downloaded(one, choices=settings()), [one]) == []
    assert rows(context([one], choices=choosing()), [one]) == []


def test_only_test_orders_are_voided_in_mode_test() -> None:
    one = order("N1", **CANCELLED)
    assert rows(downloaded(one, mode=Mode.TEST), [one]) == []
    named = choosing(general={"test_orders": ["N1"]})
    assert codes(rows(downloaded(one, mode=Mode.TEST, choices=named), [one])) == [("void", "void")]


def test_a_void_is_written_once() -> None:
    one = order("N1", **CANCELLED)
    effect = only(downloaded(one), one).effect
    assert effect is not None
    assert effect.key == void_key(context([one]), one)
    assert codes(rows(downloaded(one, more=(known(effect),)), [one])) == [("skip", "already-there")]
    read = downloaded(one, more=(known(effect),), held={"is_void": True})
    assert codes(rows(read, [one])) == [("skip", "already-there")]
    assert codes(rows(downloaded(one, held={"is_void": True}), [one])) == [("skip", "already-void")]


@pytest.mark.parametrize(
    ("held", "code"),
    [({"dispatched_date": READ_AT}, "dispatched-in-omni"), ({"invoice_date": READ_AT}, "invoiced-in-omni")],
)
def test_dispatched_or_invoiced_ones_are_reported(held: dict[str, Any], code: str) -> None:
    one = order("N1", **CANCELLED)
    assert codes(rows(downloaded(one, held=held), [one])) == [("blocked", code)]


def test_one_that_was_shipped_in_part_or_dispatched_by_us_is_reported() -> None:
    one = order("N1", line(quantity="2"), **CANCELLED)
    _, (held,) = standing([one])
    partly = downloaded(one, held={"lines": (replace(held.lines[0], qty_shipped=d("1")),)})
    assert codes(rows(partly, [one])) == [("blocked", "dispatched-in-omni")]
    done = replace(one, status="Dispatched", cancelled=False)
    effect = only(downloaded(done), done).effect
    assert effect is not None
    ours = downloaded(one, more=(known(effect),))
    assert codes(rows(ours, [one])) == [("blocked", "dispatched-in-omni")]


def test_an_order_whose_download_is_not_known_yet_is_voided_after_it() -> None:
    one = order("N1", **CANCELLED)
    alive = replace(one, cancelled=False, status="Pick")
    effect = effect_of(context([alive]), alive)
    doubt = known(effect, "", state=EffectState.UNKNOWN)
    row = only(context([one], choices=choosing(), known=(doubt,)), one)
    assert row.effect is not None
    assert row.effect.target_id == f"$link:{effect.key}"
    assert row.effect.depends_on == (effect.key,)
