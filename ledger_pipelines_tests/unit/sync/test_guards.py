"""A tripped guard writes nothing; only a named person passes it, by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.documents.money import Money
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.sync.guards import (
    AllMapped,
    Balanced,
    Guard,
    GuardInput,
    MostDocuments,
    MostTotal,
    MostUpdates,
    OpenPeriod,
    Override,
    PositiveAmounts,
)
from ledger_pipelines.sync.plan import Reason
from ledger_pipelines_tests.faults.engine_target import make_effect, make_plan
from ledger_pipelines_tests.unit.sync.conftest import Bench

USD = Decimal("25.00")


def _broken(*_: Any) -> Any:
    raise KeyError("no such account")


def _lines(*amounts: str) -> Callable[..., list[Money]]:
    return lambda _: [Money.of(amount, "USD") for amount in amounts]


PASSING: list[Guard] = [
    MostDocuments(3),
    MostTotal({"USD": Decimal("30.00")}),
    MostTotal({"AUD": Decimal("1.00")}, others=Decimal("30.00")),
    MostUpdates(Decimal("0.5"), allowed=0),
    PositiveAmounts(),
    Balanced(_lines("10.00", "-10.00")),
    Balanced(lambda _: None),
    OpenPeriod(lambda effect: effect.expected.day == date(2026, 3, 1)),
    AllMapped(lambda _: []),
]
TRIPPING: list[tuple[Guard, str]] = [
    (MostDocuments(2), "3 documents would be written; the limit is 2."),
    (MostTotal({"USD": Decimal("29.99")}), "30.00 USD would be written; the limit is 29.99 USD."),
    (MostTotal({"AUD": Decimal(99)}, others=Decimal("29.99")), "the limit is 29.99 USD."),
    (MostTotal({"EUR": Decimal(100)}), "there is no limit for USD"),
    (MostUpdates(Decimal("0.3"), allowed=0), "1 of 3 rows change records that exist already."),
    (Balanced(_lines("10.00", "-9.99")), "is out by 0.01 USD"),
    (Balanced(_lines()), "has no lines"),
    (OpenPeriod(lambda _: False), "is closed"),
    (OpenPeriod(lambda _: None), "is not known"),
    (AllMapped(lambda _: ["FBA fee"]), "No account or item is set for: FBA fee."),
    (Balanced(_broken), "could not be evaluated"),
    (OpenPeriod(_broken), "could not be evaluated"),
    (AllMapped(_broken), "could not be evaluated"),
]


def _plan() -> Any:
    return make_plan(make_effect("1"), make_effect("2"), make_effect("3", action=Action.UPDATE))


@pytest.mark.parametrize("guard", PASSING, ids=lambda g: g.name)
def test_a_guard_lets_a_plan_within_its_limit_pass(bench: Bench, guard: Guard) -> None:
    assert bench.apply(_plan(), guards=[guard]).tripped == ()
    assert bench.ledger.calls == 3


@pytest.mark.parametrize(("guard", "text"), TRIPPING, ids=lambda g: getattr(g, "name", ""))
def test_a_tripped_guard_writes_nothing_and_says_why(bench: Bench, guard: Guard, text: str) -> None:
    result = bench.apply(_plan(), guards=[MostDocuments(1000, name="other"), guard])
    assert [verdict.guard for verdict in result.tripped] == [guard.name]
    assert text in result.tripped[0].reason.text
    assert result.exit_code == 1
    assert (bench.ledger.calls, bench.journal.counts()) == (0, {})
    assert all(text in row.reason.text for row in result.rows)


def test_the_sign_guard_wants_amounts_above_zero() -> None:
    plan = make_plan(make_effect("1", amount="-10.00"))
    assert PositiveAmounts().check(GuardInput(plan, plan.rows)) == Reason(
        "sign", "invoice 1 has -10.00 USD.", "Look at the source document."
    )
    assert PositiveAmounts(frozenset({"payment"})).check(GuardInput(plan, plan.rows)) is None


def test_an_override_passes_that_guard_only_and_is_logged(bench: Bench) -> None:
    guards = [MostDocuments(2), MostTotal({"USD": Decimal("1.00")})]
    one = [Override("count", "anna", "month end")]
    assert [v.guard for v in bench.apply(_plan(), guards=guards, overrides=one).tripped] == ["total"]
    assert bench.ledger.calls == 0
    both = [*one, Override("total", "anna", "month end")]
    plan = _plan()
    assert bench.apply(plan, guards=guards, overrides=both).tripped == ()
    assert bench.ledger.calls == 3
    logged = [line.event for line in bench.journal.history(f"plan:{plan.digest}")]
    assert [e.who for e in logged if e.what == "guard-overridden"] == ["anna", "anna", "anna"]
    assert all("month end" in e.why for e in logged if e.what == "guard-overridden")


@pytest.mark.parametrize("given", [("", "a", "b"), ("count", " ", "b"), ("count", "a", "")])
def test_an_override_needs_guard_person_and_reason(given: tuple[str, str, str]) -> None:
    with pytest.raises(ConfigurationError):
        Override(*given)


def test_rows_that_are_confirmed_already_do_not_count(bench: Bench) -> None:
    bench.apply(make_plan(make_effect("1"), make_effect("2")))
    result = bench.apply(
        make_plan(make_effect("1"), make_effect("2"), make_effect("3")), guards=[MostDocuments(1)]
    )
    assert result.tripped == ()
