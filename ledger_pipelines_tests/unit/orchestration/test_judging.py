"""Which settlements are run again by themselves, and which are not; gaps in days; what is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import dagster as dg
import pytest

from ledger_pipelines.integrations.open_items import Unfinished
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration.names import is_settlement_id
from ledger_pipelines.orchestration.pictures import bars
from ledger_pipelines.orchestration.schedules import gaps, ranges
from ledger_pipelines.orchestration.sensors.resume import FIRST_WAIT, LONGEST_WAIT, PastRun, judge

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)
OPEN = Unfinished("1", 3, NOW - timedelta(minutes=1))
Status = dg.DagsterRunStatus


def _run(
    status: Status, ended: datetime | None = LONG_AGO, *, resumed: bool = False, died: bool = False
) -> PastRun:
    return PastRun("r", status, ended, resumed, died)


def test_writes_left_open_by_a_crash_are_taken_up() -> None:
    verdict = judge("1", OPEN, [_run(Status.FAILURE, died=True)], NOW)
    assert verdict.run
    assert "3 writes are unfinished" in verdict.text


def test_a_run_that_died_before_it_wrote_anything_is_taken_up() -> None:
    assert judge("1", None, [_run(Status.FAILURE, died=True)], NOW).run


def test_a_settlement_that_never_ran_is_run() -> None:
    assert judge("1", None, [], NOW).run


def test_nothing_starts_again_what_a_person_cancelled() -> None:
    verdict = judge("1", OPEN, [_run(Status.CANCELED)], NOW)
    assert not verdict.run
    assert "cancelled by a person" in verdict.text


@pytest.mark.parametrize("status", [Status.QUEUED, Status.STARTED, Status.CANCELING, Status.SUSPENDED])
def test_what_runs_is_left_alone(status: Status) -> None:
    assert not judge("1", OPEN, [_run(status, None)], NOW).run


def test_an_unknown_outcome_waits_for_the_settle_window() -> None:
    later = Unfinished("1", 1, NOW + timedelta(minutes=10))
    verdict = judge("1", later, [_run(Status.FAILURE, died=True)], NOW)
    assert not verdict.run
    assert "after 12:10" in verdict.text


def test_a_step_that_failed_with_a_reason_waits_for_a_person() -> None:
    assert not judge("1", None, [_run(Status.FAILURE)], NOW).run


def test_each_attempt_in_a_row_waits_longer() -> None:
    def waits(resumed: int) -> timedelta:
        runs = [_run(Status.FAILURE, NOW, resumed=True)] * resumed + [_run(Status.FAILURE, NOW)]
        step = timedelta(minutes=1)
        waited = timedelta()
        while not judge("1", OPEN, runs, NOW + waited).run:
            waited += step
        return waited

    found = [waits(count) for count in range(4)]
    assert found[0] == FIRST_WAIT
    assert found == sorted(found)
    assert found[1] == 4 * FIRST_WAIT
    assert waits(12) == LONGEST_WAIT


@pytest.mark.parametrize("text", ["26000000001", "A-1_b"])
def test_settlement_ids_are_partition_keys(text: str) -> None:
    assert is_settlement_id(text)


@pytest.mark.parametrize("text", ["", " 1", "1\n", "1|2", "...", "a/b", "-1", "1" * 41, "\u0661"])
def test_other_texts_are_no_partition_keys(text: str) -> None:
    assert not is_settlement_id(text)


def test_gaps_are_days_missing_after_the_first_one_there_is() -> None:
    there = ["2026-03-01", "2026-03-02", "2026-03-05"]
    missing = gaps(there, date(2026, 3, 6))
    assert missing == [date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 6)]
    assert list(ranges(missing)) == [
        (date(2026, 3, 3), date(2026, 3, 4)),
        (date(2026, 3, 6), date(2026, 3, 6)),
    ]


def test_history_nobody_asked_for_is_no_gap() -> None:
    assert gaps([], date(2026, 3, 6)) == []


def test_a_cell_cannot_break_its_table_or_bring_markup() -> None:
    text = m.table_text(("order",), [("a|b <img src=x> `c`\nd",)])
    assert text.splitlines()[-1] == "| a\\|b &lt;img src=x> 'c' d |"


def test_long_tables_are_cut_and_say_so() -> None:
    shown = m.table(("n",), [(n,) for n in range(m.SHOWN_ROWS + 7)])
    assert str(shown.value).endswith("... and 7 more.")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.5", "USD", "1,234,567.50 USD"),
        ("-0.05", "USD", "-0.05 USD"),
        ("90071992547409.93", "USD", "90,071,992,547,409.93 USD"),
        ("1200", "JPY", "1,200 JPY"),
    ],
)
def test_amounts_are_exact_and_grouped(amount: str, currency: str, text: str) -> None:
    assert m.amount_text(Decimal(amount), currency) == text


def test_the_waterfall_is_shown_without_a_click() -> None:
    steps = [(f"Component {n}", Decimal(n * 1000) * (-1) ** n) for n in range(1, 9)]
    text = bars(steps, "Deposit", lambda amount: m.amount_text(amount, "USD"))
    assert len(text) < 1000
    assert text.count("\n") == 10


def test_a_settlement_of_nothing_has_a_picture_too() -> None:
    assert "Deposit" in bars([], "Deposit", str)
