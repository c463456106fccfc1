"""What a schedule costs in calls of Saasu, and whether the day's share of them lasts.

Belongs here: reading cron texts that the configuration accepts, adding up calls, the warning with its figures. Does not belong
here: counting calls that were made (`systems.quota`), refusing any (`systems.limits`). Facts: saasu.md 3.4, issue 4 (budget).

The estimate is of the calls we make by design: one for each page of each list, one for each document, two for each change of
one, none for each record. Changes of orders after their export are not foreseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.sync.plan import Reason

SHORTEST_MINUTES = 15
"""No schedule runs more often (issue 4)."""
PAGE = 100
"""Records of a page (saasu.md 1)."""
CHANGE, RETURN = 2, 2
"""Calls of a change (read, write: saasu.md 4.3), and of a return with what is paid out or kept as credit."""
TRAVEL = 0.5  # not money: seconds
"""Seconds a call is under way, to which the wait for the next one is added. Assumed: Saasu tells no figure, and none was measured."""
TOKEN_CALLS = 8
"""Logins and refreshes of a day: a token lives three hours (saasu.md 2.1)."""
MINUTES_A_DAY = 24 * 60
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_YEARS = (date(2024, 1, 1), 4 * 365 + 1)
"""Days that show every pattern of months and leap years."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    first_word: int = 0


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the calls of a day depend on.

    Args:
        lists: Lists asked for by time of change in each run. deletions: lists of what was deleted; all kinds come in one, unless
            Saasu refuses that.
        whole_lists: Lists without a time of change, read whole once a day, of at most a page each.
        items: Items of the file; their stock is read whole. stock_minutes: how old it may get; None = stock is off.
        orders, customers, payments, products: New ones a day. payments: those that do not go with their invoice's call.
        conversions: Sale orders a day that become invoices. returns: Returns a day, each a note and its payment.
    """

    lists: int = 6
    deletions: int = 1
    whole_lists: int = 2
    items: int = 1000
    stock_minutes: int | None = None
    orders: int = 50
    customers: int = 25
    payments: int = 10
    products: int = 5
    conversions: int = 0
    returns: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls. run: of a run with nothing to do. sweep: of reading all stock once. stock_minutes: as in `Facts`.
    documents: for documents, a day. daily: lists that are read once a day."""

    run: int
    sweep: int
    stock_minutes: int | None
    documents: int
    daily: int = 0

    def sweeps(self, runs: int) -> int:
        """How many times a day stock is read, with that many runs."""
        if self.stock_minutes is None:
            return 0
        if not self.stock_minutes:
            return runs
        return min(runs, MINUTES_A_DAY // self.stock_minutes)  # not money: a number of times

    def a_day(self, runs: int) -> int:
        """All calls of a day."""
        return runs * self.run + self.sweeps(runs) * self.sweep + self.documents + self.daily + TOKEN_CALLS


def calls_a_run(facts: Facts) -> Estimate:
    """What runs cost, given the facts."""
    return Estimate(
        run=facts.lists + facts.deletions,
        sweep=max(1, pages(facts.items, PAGE)),
        stock_minutes=facts.stock_minutes,
        documents=facts.orders
        + facts.customers
        + facts.payments
        + facts.products
        + CHANGE * facts.conversions
        + RETURN * facts.returns,
        daily=facts.whole_lists,
    )


def pages(records: int, page: int) -> int:
    """Pages of so many records."""
    return -(-records // page)  # not money: pages


def warning(
    cron: str,
    seconds_between_calls: float,  # not money: seconds
    quota: int,
    estimate: Estimate,
) -> Reason | None:
    """Why the schedule would not do; None = it would.

    Args:
        cron: Five fields.
        seconds_between_calls: Least time from the end of one call to the next.
        quota: Calls a day that are ours.
        estimate: What runs cost.

    Raises:
        ConfigurationError: The text is no schedule.
    """
    runs = runs_a_day(cron)
    calls = estimate.a_day(runs)
    if calls > quota:
        fits = _most_runs(quota, estimate)
        return Reason(
            "quota-too-small",
            f"The schedule {cron!r} runs {runs} times a day. With about {estimate.run} calls a run, "
            f"{estimate.sweeps(runs)} readings of all stock of {estimate.sweep} calls each and {estimate.documents} "
            f"calls a day for documents it makes about {calls:,} calls a day; {quota:,} are ours.",
            f"Run it {fits} times a day at most, read stock less often, or take a larger plan."
            if fits
            else "Take a larger plan, or a larger share of it: the documents of a day alone need more.",
        )
    gap = shortest_gap_minutes(cron)
    most = estimate.run + estimate.daily + (0 if estimate.stock_minutes is None else estimate.sweep)
    each = seconds_between_calls + TRAVEL
    if most * each > gap * 60:
        return Reason(
            "run-longer-than-gap",
            f"A run with nothing to write makes about {most} calls, one each {each:g} s with the way to Saasu and back; "
            f"the schedule {cron!r} starts the next one after {gap} minutes already.",
            "Run it less often, or read stock less often.",
        )
    return None


def runs_a_day(cron: str) -> int:
    """How many times it runs on a day on which it runs. Raises ConfigurationError."""
    schedule = _parsed(cron)
    return len(schedule["minute"]) * len(schedule["hour"])


def shortest_gap_minutes(cron: str) -> int:
    """The shortest time from one run to the next, in minutes, on days without a change of clocks.

    Raises:
        ConfigurationError: The text is no schedule, or it never runs.
    """
    schedule = _parsed(cron)
    times = sorted(hour * 60 + minute for hour in schedule["hour"] for minute in schedule["minute"])
    days = _days(cron, schedule)
    if not days:
        raise ConfigurationError(f"The schedule {cron!r} never runs.", remedy="Name a day that there is.")
    nights = [
        MINUTES_A_DAY * (after - before).days - times[-1] + times[0] for before, after in pairwise(days)
    ]
    within = [after - before for before, after in pairwise(times)]
    return min([*within, *nights], default=MINUTES_A_DAY)


def _most_runs(quota: int, estimate: Estimate) -> int:
    """How many runs a day the quota allows; 0 = not one."""
    runs = MINUTES_A_DAY // SHORTEST_MINUTES  # not money: a number of runs
    while runs and estimate.a_day(runs) > quota:
        runs -= 1
    return runs


def _days(cron: str, schedule: Mapping[str, frozenset[int]]) -> list[date]:
    """Days it runs on, of some years. Where both kinds of day are narrowed, either suffices, as cron has it."""
    _, _, day_text, _, weekday_text = cron.split()
    start, count = _YEARS
    found = []
    for day in (start + timedelta(days=n) for n in range(count)):
        in_month = day.day in schedule["day"]
        in_week = day.isoweekday() % 7 in schedule["weekday"]
        either = not day_text.startswith("*") and not weekday_text.startswith("*")
        fits = (in_month or in_week) if either else (in_month and in_week)
        if day.month in schedule["month"] and fits:
            found.append(day)
    return found


def _parsed(cron: str) -> Mapping[str, frozenset[int]]:
    texts = cron.split()
    if len(texts) != len(_FIELDS):
        raise _no_schedule(cron, "it has five fields: minute hour day month weekday")
    found = {}
    for field, text in zip(_FIELDS, texts, strict=True):
        values: set[int] = set()
        for part in text.split(","):
            values |= _values(cron, field, part)
        if field.name == "weekday":
            values = {value % 7 for value in values}
        found[field.name] = frozenset(values)
    return found


def _values(cron: str, field: _Field, part: str) -> set[int]:
    """One part of a field: `*`, `5`, `5-20`, each with `/step`."""
    body, slash, step_text = part.partition("/")
    step = int(step_text) if step_text.isdecimal() else 1
    if slash and (not step_text.isdecimal() or step == 0):
        raise _no_schedule(cron, f"{part!r} has no step")
    if body == "*":
        return set(range(field.low, field.high + 1, step)) - ({7} if field.name == "weekday" else set())
    first, dash, last = body.partition("-")
    low = _value(cron, field, first)
    high = _value(cron, field, last) if dash else (field.high if slash else low)
    if high < low:  # over the end: fri-mon
        span = [*range(low, field.high + 1), *range(field.low, high + 1)]
        return set(span[::step])
    return set(range(low, high + 1, step))


def _value(cron: str, field: _Field, text: str) -> int:
    word = text.casefold()
    if word in field.words:
        return field.words.index(word) + field.first_word
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or not field.low <= int(text) <= field.high:
        raise _no_schedule(cron, f"{text!r} is no {field.name}")
    return int(text)


def _no_schedule(cron: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"{cron!r} is no schedule: {why}.", remedy="Write it like '*/30 * * * *'.")
