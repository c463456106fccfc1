"""What the initial sync tells of an account that holds orders of ours, while the journal knows nothing."""

from __future__ import annotations

from dataclasses import replace

from ledger_pipelines.integrations.by_day.initial import WRITTEN_BEFORE
from ledger_pipelines.integrations.neto_cin7.orders import is_ours
from ledger_pipelines.integrations.neto_cin7.pairing import pair
from ledger_pipelines_tests.unit.integrations.neto_cin7.building import (
    booked,
    context,
    effect_of,
    omni,
    order,
)


def test_orders_that_an_earlier_journal_wrote_are_told_by_the_lines_they_carry() -> None:
    one = order()
    there = booked(effect_of(context([one]), one))
    assert is_ours(one, there)
    assert not is_ours(one, replace(there, lines=()))
    assert not is_ours(one, replace(there, lines=tuple(replace(x, integration_ref="") for x in there.lines)))


def test_references_of_an_earlier_journal_are_a_clash_with_its_remedy() -> None:
    one = order()
    ctx = context([one], account=omni(orders=(booked(effect_of(context([one]), one)),)))
    assert pair(ctx).clashes == ()
    found = pair(ctx, ["NET-N1", "NET-N2"])
    assert [(clash.kind, clash.ids) for clash in found.clashes] == [(WRITTEN_BEFORE, ("NET-N1", "NET-N2"))]
    (row,) = [row for row in found.report_rows() if "NET-N2" in row.there]
    assert "rebuild" in row.text and "Omni" in row.text
