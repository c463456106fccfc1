"""What schedules come to, for every cron text that the configuration accepts, and the warning's figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_pipelines.documents.sales import DocumentKind
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.neto_saasu.budget import (
    Estimate,
    Facts,
    calls_a_run,
    runs_a_day,
    shortest_gap_minutes,
    warning,
)
from ledger_pipelines.integrations.neto_saasu.facts import assumed, counted
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines_tests.unit.integrations.neto_saasu.building import books, order, shop


@pytest.mark.parametrize(
    ("cron", "runs", "gap"),
    [
        ("*/15 * * * *", 96, 15),
        ("*/30 * * * *", 48, 30),
        ("0 * * * *", 24, 60),
        ("15 6 * * *", 1, 1440),
        ("0 6,18 * * *", 2, 720),
        ("0,5 6 * * *", 2, 5),
        ("* * * * *", 1440, 1),
        ("55 23 * * *", 1, 1440),
        ("0 0,23 * * *", 2, 60),
        ("*/40 * * * *", 48, 20),
        ("7/20 * * * *", 72, 20),
        ("0-10/5 9-17 * * mon-fri", 27, 5),
        ("0 9 * * mon", 1, 7 * 1440),
        ("0 9 * * 7", 1, 7 * 1440),
        ("0 9 * * fri-mon", 1, 1440),
        ("0 9 1 * *", 1, 28 * 1440),
        ("0 9 1 jan *", 1, 365 * 1440),
        ("0 9 1 * sun", 1, 1440),
        ("0 9 */7 * *", 1, 1440),
        ("0 0 * * *", 1, 1440),
    ],
)
def test_runs_and_gaps(cron: str, runs: int, gap: int) -> None:
    assert runs_a_day(cron) == runs
    assert shortest_gap_minutes(cron) == gap


@pytest.mark.parametrize(
    "cron", ["60 * * * *", "* 24 * * *", "* * 0 * *", "*/0 * * * *", "* * * 13 *", "* * * *", "a * * * *"]
)
def test_what_is_no_schedule_is_said(cron: str) -> None:
    with pytest.raises(ConfigurationError, match="is no schedule"):
        runs_a_day(cron)


def test_a_day_that_never_comes_is_said() -> None:
    with pytest.raises(ConfigurationError, match="never runs"):
        shortest_gap_minutes("0 9 30 feb *")


@given(st.integers(1, 59), st.integers(1, 23))
def test_a_gap_is_never_longer_than_the_day_shared_by_its_runs(minutes: int, hours: int) -> None:
    cron = f"*/{minutes} */{hours} * * *"
    assert 1 <= shortest_gap_minutes(cron) <= 1440 // runs_a_day(cron)


def test_a_run_with_nothing_to_do_costs_the_lists_and_nothing_for_the_history() -> None:
    few, many = calls_a_run(Facts(items=100)), calls_a_run(Facts(items=100, orders=10_000))
    assert few.run == many.run == 7


def test_stock_is_read_as_often_as_the_setting_says_and_never_more_often_than_runs() -> None:
    hourly = calls_a_run(Facts(items=1001, stock_minutes=60))
    assert (hourly.sweep, hourly.sweeps(96), hourly.sweeps(4)) == (11, 24, 4)
    assert calls_a_run(Facts(stock_minutes=0)).sweeps(96) == 96
    assert calls_a_run(Facts(stock_minutes=None)).sweeps(96) == 0


def test_the_calls_of_a_day_are_added_up_once() -> None:
    assert Estimate(run=10, sweep=5, stock_minutes=60, documents=100).a_day(48) == 480 + 120 + 100 + 8


def test_a_conversion_and_a_return_are_two_calls_each() -> None:
    plain = Facts(orders=1000, customers=500, payments=10, products=5)
    assert calls_a_run(plain).documents == 1515
    assert calls_a_run(replace(plain, conversions=1000, returns=20)).documents == 1515 + 2000 + 40


@pytest.mark.parametrize(
    ("orders", "conversions"),
    [({}, 2), ({"invoice_type": "Tax Invoice"}, 0), ({"convert_statuses": ()}, 0), ({"enabled": False}, 0)],
)
def test_conversions_are_counted_where_sale_orders_become_invoices(
    orders: dict[str, object], conversions: int
) -> None:
    chosen = NetoSaasuSettings.model_validate({"orders_to_saasu": orders})
    assert bool(assumed(chosen).conversions) is bool(conversions)
    many = [order(f"N{number}", day=date(2026, 9, 1 + number % 28)) for number in range(29)]
    back = replace(order("77"), kind=DocumentKind.CREDIT, day=date(2026, 9, 3))
    found = counted(chosen, shop(many, returns={"77": back}), books(), date(2026, 9, 29))
    assert (found.orders, found.conversions, found.returns) == (2, conversions, 1)


def test_a_schedule_that_would_exhaust_the_quota_is_named_with_its_figures_and_what_would_fit() -> None:
    estimate = Estimate(run=20, sweep=50, stock_minutes=60, documents=300)
    found = warning("*/15 * * * *", 1.0, 3200, estimate)
    assert found is not None and found.code == "quota-too-small"
    for figure in (
        "96 times a day",
        "20 calls a run",
        "24 readings",
        "50 calls each",
        "300 calls a day for documents",
        "3,428",
        "3,200",
    ):
        assert figure in found.text
    fits = int(found.remedy.split()[2])
    assert estimate.a_day(fits) <= 3200 < estimate.a_day(fits + 1)


def test_documents_that_alone_need_more_than_there_is_ask_for_a_larger_plan() -> None:
    found = warning("0 6 * * *", 1.0, 3200, Estimate(run=20, sweep=1, stock_minutes=None, documents=5000))
    assert found is not None and "larger plan" in found.remedy


def test_a_run_that_lasts_into_the_next_is_named() -> None:
    found = warning("*/15 * * * *", 60.0, 100_000, Estimate(run=20, sweep=1, stock_minutes=None, documents=0))
    assert found is not None and found.code == "run-longer-than-gap" and "15 minutes" in found.text


def test_the_time_a_call_is_under_way_counts_too() -> None:
    """The next call waits for the end of the one before: of 700 calls a second apart the warning came too late by all they travelled."""
    long = Estimate(run=700, sweep=1, stock_minutes=None, documents=0)
    found = warning("*/15 * * * *", 1.0, 100_000, long)
    assert found is not None and found.code == "run-longer-than-gap" and "one each 1.5 s" in found.text
    assert warning("*/20 * * * *", 1.0, 100_000, long) is None


def test_what_fits_is_no_warning() -> None:
    assert warning("*/30 * * * *", 1.0, 3200, calls_a_run(Facts(stock_minutes=60))) is None
