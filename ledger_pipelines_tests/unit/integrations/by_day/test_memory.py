"""The journal as plans see it, and the marks of days: after each change what plans see is what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ledger_pipelines.documents.effects import (
    Action,
    Confirmed,
    Effect,
    EffectState,
    Ending,
    Expected,
    Mode,
    Prepared,
    Refused,
    Remote,
    WriteClass,
)
from ledger_pipelines.documents.money import Money
from ledger_pipelines.integrations.by_day.days import DaysDone, Mark
from ledger_pipelines.integrations.by_day.memory import EVERY_PARTITION, JournalMemory
from ledger_pipelines.integrations.open_items import IGNORED, RETRIED, Act
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason

NOW = datetime(2026, 9, 1, tzinfo=UTC)
DAY = date(2026, 9, 1)


def _yes(prepared: Prepared) -> Ending:
    return Confirmed(Remote(f"id-{prepared.effect.number}", prepared.effect.external_id))


@dataclass
class Target:
    """A target that answers as it is told."""

    answer: Callable[[Prepared], Ending] = _yes
    connection: str = "target"
    write_class: WriteClass = WriteClass.SEARCH
    settle_window: timedelta = timedelta(seconds=1)
    batch_size: int = 1
    workers: int = 1

    def batch_key(self, effect: Effect) -> str | None:
        return None

    def send(self, batch: Sequence[Prepared]) -> Sequence[Ending]:
        return [self.answer(prepared) for prepared in batch]

    def probe(self, effects: Sequence[Effect]) -> Mapping[str, Remote]:
        return {}


def _effect(number: str, body: str = "{}", integration: str = "neto_saasu") -> Effect:
    return Effect(
        f"KEY{number}", "target", integration, "invoices", DAY.isoformat(), "invoice", Action.CREATE, number, number,
        f"Invoice {number}", body,
    )  # fmt: skip


def _plan(*effects: Effect) -> Plan:
    rows = tuple(
        PlanRow(e.action, Reason("new", "New."), e.key, e.number, e.title, e.kind, None, e) for e in effects
    )
    return Plan(effects[0].integration, "invoices", DAY.isoformat(), "target", NOW, (), rows).sealed()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


def _write(journal: Journal, target: Target, *effects: Effect) -> None:
    apply(_plan(*effects), journal=journal, writer=target, mode=Mode.LIVE)


class TestJournalMemory:
    @pytest.mark.parametrize("at_once", [True, False])
    def test_where_an_effect_came_from_is_known_with_it(self, journal: Journal, at_once: bool) -> None:
        memory = JournalMemory(journal, "neto_saasu")
        if not at_once:  # what was read before is kept up to date by another way than the first reading
            assert not memory.view().known
            _write(journal, Target(), _effect("0"))
            assert memory.view().known["KEY0"].source == ""
        _write(journal, Target(), replace(_effect("1"), source="order:N1#abc"))
        assert memory.view().known["KEY1"].source == "order:N1#abc"

    def test_what_another_run_wrote_meanwhile_is_seen(self, journal: Journal) -> None:
        memory, target = JournalMemory(journal, "neto_saasu"), Target()
        assert not memory.view().known
        _write(journal, target, _effect("N1"))
        first = memory.view()
        assert first.known["KEYN1"].state is EffectState.CONFIRMED
        _write(journal, target, _effect("N2"))
        assert set(memory.view().known) == {"KEYN1", "KEYN2"}
        assert set(first.known) == {"KEYN1"}, "a view that was handed out stays as it is"

    def test_other_integrations_are_not_seen(self, journal: Journal) -> None:
        memory, target = JournalMemory(journal, "neto_saasu"), Target()
        memory.view()
        _write(journal, target, _effect("N1", integration="another"))
        assert not memory.view().known

    def test_a_history_read_at_once_is_what_was_read_bit_by_bit(self, journal: Journal) -> None:
        followed, target = JournalMemory(journal, "neto_saasu"), Target()
        followed.view().known.get("")
        target.answer = lambda prepared: (
            Refused("negative-stock", "No.") if prepared.effect.number == "N2" else _yes(prepared)
        )
        expected = Expected(Money(Decimal("12.50"), "AUD"), DAY, 3)
        _write(journal, target, replace(_effect("N1", '{"Total":2}'), expected=expected), _effect("N2"))
        bit_by_bit, at_once = followed.view().known, JournalMemory(journal, "neto_saasu").view().known
        assert dict(at_once) == dict(bit_by_bit)
        assert at_once["KEYN1"].amount == expected.amount
        assert at_once["KEYN1"].day == DAY
        assert at_once["KEYN2"].code == "negative-stock"

    def test_what_a_plan_withdrew_is_forgotten(self, journal: Journal) -> None:
        memory, target = JournalMemory(journal, "neto_saasu"), Target()
        target.answer = lambda prepared: Refused("no", "No.")
        _write(journal, target, _effect("N1"))
        assert memory.view().known["KEYN1"].state is EffectState.REFUSED
        target.answer = _yes
        _write(journal, target, _effect("N2"))
        assert set(memory.view().known) == {"KEYN2"}

    def test_an_exported_plan_does_not_see_its_own_writes_and_sees_what_was_refused_before(
        self, journal: Journal
    ) -> None:
        memory, target = JournalMemory(journal, "neto_saasu"), Target()
        wanted, refused = _effect("N1"), _effect("N2")
        target.answer = lambda prepared: (
            Refused("negative-stock", "No.") if prepared.effect.number == "N2" else _yes(prepared)
        )
        _write(journal, target, wanted, refused)
        seen = memory.view(_plan(wanted, refused)).known
        assert set(seen) == {"KEYN2"}
        other = memory.view(_plan(replace(wanted, body='{"Total":2}'))).known
        assert set(other) == {"KEYN1", "KEYN2"}, "the same document with another content is news"

    def test_the_last_word_of_a_person_counts(self, journal: Journal) -> None:
        memory = JournalMemory(journal, "neto_saasu")
        memory.ignored.say(Act(IGNORED, ["ROW"], "Ann", "by hand"), EVERY_PARTITION, ["ROW"], NOW)
        assert memory.view().ignored == {"ROW"}
        memory.ignored.say(Act(RETRIED, ["ROW"], "Ann", "after all"), EVERY_PARTITION, ["ROW"], NOW)
        assert not memory.view().ignored


class TestDaysDone:
    def test_a_day_keeps_its_token_when_it_is_planned_again_and_its_wait_when_it_is_carried_out(
        self, tmp_path: Path
    ) -> None:
        days = DaysDone(tmp_path / "days")
        days.planned("invoices", DAY, waits=True)
        days.carried_out("invoices", DAY, "token")
        assert days.of("invoices") == {DAY: Mark("token", True)}
        days.planned("invoices", DAY, waits=False)
        assert days.of("invoices") == {DAY: Mark("token", False)}
        assert days.of("payments") == {}

    def test_marks_that_cannot_be_read_are_none_and_only_make_work(self, tmp_path: Path) -> None:
        days = DaysDone(tmp_path / "days")
        days.planned("invoices", DAY, waits=True)
        for file in (tmp_path / "days").iterdir():
            file.write_bytes(b"{")
        assert DaysDone(tmp_path / "days").of("invoices") == {}
