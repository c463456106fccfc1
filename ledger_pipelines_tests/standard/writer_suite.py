"""What every writer must pass: inherit `WriterSuite`, give the `target` fixture, and the promises are tested.

Belongs here: tests that hold for any target (reliability.md 1.3, 9). Does not belong here: a vendor's own fields and errors.

    class TestNetSuiteWriter(WriterSuite):
        @pytest.fixture
        def target(self, ...) -> WriterTarget: ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import pytest

from ledger_pipelines.documents.dates import Clock
from ledger_pipelines.documents.effects import (
    Confirmed,
    CredentialsRefused,
    Effect,
    EffectState,
    Ending,
    Exists,
    Mode,
    NotSent,
    Prepared,
    Refused,
    Unknown,
    WriteClass,
    Writer,
)
from ledger_pipelines.errors import CredentialError, TransientError, UnknownOutcomeError
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.sync.agreement import disagreements
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.links import prepare
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.result import ApplyResult, Outcome


class Accident(StrEnum):
    """What can befall the next call that writes."""

    NO_CONNECTION = "no-connection"
    RATE_LIMIT = "rate-limit"
    ERROR_BEFORE = "5xx-before-the-commit"
    ERROR_AFTER = "5xx-after-the-commit"
    CUT_BEFORE = "cut-before-the-commit"
    CUT_AFTER = "cut-after-the-commit"
    TRUNCATED = "truncated-answer"
    HTML = "html-with-200"
    CREDENTIALS = "credentials"


NOTHING_SENT = (Accident.NO_CONNECTION, Accident.RATE_LIMIT)
AMBIGUOUS_ABSENT = (Accident.ERROR_BEFORE, Accident.CUT_BEFORE)
AMBIGUOUS_PRESENT = (Accident.ERROR_AFTER, Accident.CUT_AFTER, Accident.TRUNCATED, Accident.HTML)


class WriterTarget(Protocol):
    """A writer, and power over its target."""

    writer: Writer
    clock: Clock

    def effects(self, count: int) -> Sequence[Effect]:
        """So many valid CREATE effects, independent of each other, with `expected` filled in."""
        ...

    def bad_effect(self) -> Effect | None:
        """One that the target refuses for what it says; None where there is none."""
        ...

    def befall(self, accident: Accident) -> bool:
        """Let it befall the next call that writes; False when it cannot happen to this target."""
        ...

    def heal(self) -> None:
        """Credentials work again, nothing fails any more."""
        ...

    def count(self, effect: Effect) -> int:
        """How many records the target holds under the effect's reference, read behind the writer's back."""
        ...

    def calls(self) -> int:
        """Calls of any kind that reached the target so far."""
        ...

    def edit(self, effect: Effect) -> bool:
        """A person changes the record's amount in the target; False when it cannot be done."""
        ...

    def pass_window(self) -> None:
        """The settle window passes, for the writer, the clock and the target."""
        ...


def plan_of(effects: Sequence[Effect]) -> Plan:
    """A sealed plan of those effects; when it was made is of no consequence."""
    first = effects[0]
    rows = tuple(
        PlanRow(e.action, Reason("new", "new"), e.key, e.number, e.title, e.kind, e.expected.amount, e)
        for e in effects
    )
    made = datetime(2026, 1, 1, tzinfo=UTC)
    return Plan(first.integration, first.flow, first.partition, first.connection, made, (), rows).sealed()


class WriterSuite:
    """Inherit, and give `target`."""

    @pytest.fixture
    def target(self) -> WriterTarget:
        raise NotImplementedError

    @pytest.fixture
    def journal(self, tmp_path: Path, target: WriterTarget) -> Iterator[Journal]:
        with Journal.open(tmp_path / "journal.db", now=target.clock.now()) as opened:
            yield opened

    # --- helpers -------------------------------------------------------------------------------------------------

    def _apply(self, target: WriterTarget, journal: Journal, effects: Sequence[Effect]) -> ApplyResult:
        return apply(
            plan_of(effects), journal=journal, writer=target.writer, mode=Mode.LIVE, clock=target.clock
        )

    def _send(self, target: WriterTarget, effects: Sequence[Effect]) -> list[Ending]:
        """As the engine would: by batch key and size."""
        writer, endings = target.writer, []
        groups: list[list[Prepared]] = []
        for effect in effects:
            key, last = writer.batch_key(effect), groups[-1] if groups else []
            if (
                key is not None
                and last
                and writer.batch_key(last[0].effect) == key
                and len(last) < writer.batch_size
            ):
                last.append(prepare(effect, {}, 1))
            else:
                groups.append([prepare(effect, {}, 1)])
        for group in groups:
            answers = writer.send(group)
            assert len(answers) == len(group)
            endings.extend(answers)
        return endings

    def _befall(self, target: WriterTarget, accident: Accident) -> None:
        if not target.befall(accident):
            pytest.skip(f"{accident} cannot happen to this target")

    def _searchable(self, target: WriterTarget) -> None:
        if target.writer.write_class is WriteClass.NEITHER:
            pytest.skip("write class C cannot be searched")

    # --- declarations --------------------------------------------------------------------------------------------

    def test_it_declares_what_the_engine_must_know(self, target: WriterTarget) -> None:
        writer = target.writer
        assert isinstance(writer.write_class, WriteClass)
        assert writer.settle_window.total_seconds() > 0
        assert writer.batch_size >= 1
        assert writer.workers >= 1
        assert {effect.connection for effect in target.effects(2)} == {writer.connection}

    # --- endings -------------------------------------------------------------------------------------------------

    def test_a_good_record_is_confirmed_with_an_id_and_agrees(self, target: WriterTarget) -> None:
        effects = target.effects(3)
        for effect, ending in zip(effects, self._send(target, effects), strict=True):
            assert isinstance(ending, Confirmed)
            assert ending.remote.remote_id
            assert disagreements(effect, ending.remote) == []
            assert target.count(effect) == 1

    def test_a_bad_record_is_refused_in_the_targets_words_and_its_neighbours_are_written(
        self, target: WriterTarget
    ) -> None:
        bad = target.bad_effect()
        if bad is None:
            pytest.skip("the target refuses nothing")
        good = target.effects(2)
        endings = self._send(target, [good[0], bad, good[1]])
        assert isinstance(endings[1], Refused)
        assert endings[1].code
        assert endings[1].text
        assert [type(endings[0]), type(endings[2])] == [Confirmed, Confirmed]
        assert [target.count(good[0]), target.count(bad), target.count(good[1])] == [1, 0, 1]

    @pytest.mark.parametrize("accident", NOTHING_SENT)
    def test_a_definite_no_is_told_as_such(self, target: WriterTarget, accident: Accident) -> None:
        [effect] = target.effects(1)
        self._befall(target, accident)
        [ending] = self._send(target, [effect])
        assert isinstance(ending, NotSent)
        assert target.count(effect) == 0

    @pytest.mark.parametrize("accident", [*AMBIGUOUS_ABSENT, *AMBIGUOUS_PRESENT])
    def test_an_ambiguous_ending_is_unknown_and_never_a_guess(
        self, target: WriterTarget, accident: Accident
    ) -> None:
        [effect] = target.effects(1)
        self._befall(target, accident)
        [ending] = self._send(target, [effect])
        assert isinstance(ending, Unknown)
        assert target.count(effect) == (1 if accident in AMBIGUOUS_PRESENT else 0)

    def test_refused_credentials_are_told_as_such(self, target: WriterTarget) -> None:
        effects = target.effects(1)
        self._befall(target, Accident.CREDENTIALS)
        assert {type(ending) for ending in self._send(target, effects)} == {CredentialsRefused}
        assert target.count(effects[0]) == 0

    def test_a_second_send_never_makes_a_second_record_where_a_native_key_is_declared(
        self, target: WriterTarget
    ) -> None:
        if target.writer.write_class is not WriteClass.NATIVE_KEY:
            pytest.skip("no native key declared")
        effects = target.effects(1)
        self._send(target, effects)
        [ending] = self._send(target, effects)
        assert isinstance(ending, Confirmed | Exists)
        assert target.count(effects[0]) == 1

    # --- probe ---------------------------------------------------------------------------------------------------

    def test_a_probe_finds_what_is_there_and_nothing_else(self, target: WriterTarget) -> None:
        self._searchable(target)
        there, missing = target.effects(4)[:3], target.effects(4)[3]
        answers = self._send(target, there)
        target.pass_window()
        found = target.writer.probe([*there, missing])
        assert set(found) == {effect.key for effect in there}
        for effect, answer in zip(there, answers, strict=True):
            assert isinstance(answer, Confirmed)
            assert found[effect.key].remote_id == answer.remote.remote_id
            assert disagreements(effect, found[effect.key]) == []

    def test_a_probe_shows_a_changed_amount(self, target: WriterTarget) -> None:
        self._searchable(target)
        [effect] = target.effects(1)
        self._send(target, [effect])
        if not target.edit(effect):
            pytest.skip("the target's records cannot be edited")
        target.pass_window()
        assert disagreements(effect, target.writer.probe([effect])[effect.key])

    def test_a_probe_that_fails_says_so_instead_of_finding_nothing(self, target: WriterTarget) -> None:
        self._searchable(target)
        self._befall(target, Accident.CREDENTIALS)
        with pytest.raises((TransientError, CredentialError, UnknownOutcomeError)):
            target.writer.probe(target.effects(1))

    # --- under the engine ----------------------------------------------------------------------------------------

    def test_each_effect_makes_one_record_and_a_second_apply_makes_no_call(
        self, target: WriterTarget, journal: Journal
    ) -> None:
        effects = target.effects(6)
        result = self._apply(target, journal, effects)
        assert result.counts()[Outcome.WRITTEN] == 6
        assert [target.count(effect) for effect in effects] == [1] * 6
        before = target.calls()
        again = self._apply(target, journal, effects)
        assert again.counts()[Outcome.ALREADY] == 6
        assert target.calls() == before

    @pytest.mark.parametrize("accident", [*NOTHING_SENT, *AMBIGUOUS_ABSENT, *AMBIGUOUS_PRESENT])
    def test_after_any_accident_each_effect_ends_as_one_record(
        self, target: WriterTarget, journal: Journal, accident: Accident
    ) -> None:
        self._searchable(target)
        effects = target.effects(4)
        self._befall(target, accident)
        self._apply(target, journal, effects)
        target.heal()
        for _ in range(3):
            target.pass_window()
            self._apply(target, journal, effects)
        assert journal.counts() == {EffectState.CONFIRMED: 4}
        assert [target.count(effect) for effect in effects] == [1] * 4

    def test_a_bad_record_stops_itself_only(self, target: WriterTarget, journal: Journal) -> None:
        bad = target.bad_effect()
        if bad is None:
            pytest.skip("the target refuses nothing")
        good = target.effects(3)
        result = self._apply(target, journal, [good[0], bad, *good[1:]])
        assert result.counts()[Outcome.WRITTEN] == 3
        assert [row.key for row in result.having(Outcome.REFUSED)] == [bad.key]

    def test_refused_credentials_cost_one_call_and_park_the_connection(
        self, target: WriterTarget, journal: Journal
    ) -> None:
        effects = target.effects(5)
        self._befall(target, Accident.CREDENTIALS)
        result = self._apply(target, journal, effects)
        assert result.parked is not None
        assert result.sends <= max(1, target.writer.workers)
        assert [target.count(effect) for effect in effects] == [0] * 5

    def test_a_lost_journal_adopts_what_the_target_holds(
        self, target: WriterTarget, journal: Journal, tmp_path: Path
    ) -> None:
        self._searchable(target)
        effects = target.effects(4)
        self._apply(target, journal, effects[:3])
        with Journal.open(tmp_path / "fresh.db", now=target.clock.now()) as fresh:
            target.pass_window()
            result = apply(
                plan_of(effects),
                journal=fresh,
                writer=target.writer,
                mode=Mode.LIVE,
                clock=target.clock,
                remote_memory=True,
            )
        assert result.counts()[Outcome.ADOPTED] == 3
        assert result.counts()[Outcome.WRITTEN] == 1
        assert [target.count(effect) for effect in effects] == [1] * 4
