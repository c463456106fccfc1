"""Cases of the drill `plan` for an integration by days: what its plans list is what arrives; stale and altered ones are refused.

Belongs here: each case from an installation with everything still to be written, to its verdict. Does not belong here: what one
integration's plans write and what may change after planning (`shop_cases`, `omni_cases`), the comparison (`on_wire`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from ledger_pipelines.documents.effects import Action, Effect
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.storage.journal import Search
from ledger_pipelines.sync.gates import StalePlanError
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines_tests.faults.day_cases import Case, OneCase
from ledger_pipelines_tests.faults.on_wire import on_wire, otherwise
from ledger_pipelines_tests.faults.tampering import ALTERATIONS


@dataclass(frozen=True, slots=True)
class Change:
    """What happens between a plan and its export. flow: whose plan is stale after it; words: what the refusal must say.

    make: Makes it, and reads again what it takes: (case, day) -> further words.
    """

    flow: str
    make: Callable[[OneCase, date], Sequence[str]]
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What has to be known of an integration's plans.

    Args:
        days: So many days, today the last, have something to write.
        vendor: Where a flow writes to.
        names: What a document that is made is known by, and what comes with it: (effect).
        calls: Calls to the books that a plan may cost.
        number: The id in the target of a record: (case, kind, reference).
        changes: By name.
        altered: The flow whose stored plan somebody edits.
        moves: Flows that may find something new once others were written.
    """

    days: int
    vendor: Callable[[str], str]
    names: Callable[[Effect], Sequence[str]]
    calls: Callable[[Plan], int]
    number: Callable[[OneCase, str, str], str]
    changes: Mapping[str, Change]
    altered: str = "payments"
    moves: frozenset[str] = frozenset()


def cases(planned: Planned) -> Mapping[str, Case]:
    """By kind."""
    stale = {f"stale-{name}": partial(_stale, planned, change) for name, change in planned.changes.items()}
    return {"exact": partial(_exact, planned), **stale, "altered": partial(_altered, planned)}


def _refreshed(planned: Planned, one: OneCase) -> list[date]:
    service = one.stage.service
    service.refresh()
    today: date = service.today()
    return [date.fromordinal(today.toordinal() - back) for back in reversed(range(planned.days))]


def _exact(planned: Planned, one: OneCase) -> None:
    """Flow by flow and day by day: what is new in the target, and what arrived, is what the plan lists, in no more calls than
    that; then nothing is left."""
    service = one.stage.service
    for turn in (1, 2):
        days = _refreshed(planned, one)
        for flow in service.flows:
            for day in days:
                _carried_out(planned, one, flow, day, turn)
    one.same()


def _carried_out(planned: Planned, one: OneCase, flow: str, day: date, turn: int) -> None:
    stage, entry = one.stage, one.entry
    plan = stage.service.plan(flow, day)
    effects = plan.effects()
    before, calls = Counter(entry.names(stage)), entry.written(stage)
    with on_wire() as arrived:
        stage.service.export(flow, day)
    made = Counter(entry.names(stage)) - before
    listed = Counter(name for effect in effects for name in planned.names(effect))
    one.must(made == listed, f"{flow}: planned {listed - made} and not made, made {made - listed}")
    one.must(
        entry.written(stage) - calls == planned.calls(plan),
        f"{flow}: {entry.written(stage) - calls} calls for {planned.calls(plan)}",
    )
    known = [row.effect for row in stage.service.journal.find(Search(limit=10_000))]
    number = partial(planned.number, one)
    one.found.problems += [
        f"{flow}: {text}" for text in otherwise(planned.vendor(flow), effects, arrived, number, known)
    ]
    one.must(turn == 1 or flow in planned.moves or not effects, f"{flow}: planned again {effects[:2]}")
    one.found.reached |= {row.action.value for row in plan.rows}
    one.count("planned", len(effects))
    one.count("arrived", len(arrived))


def _stale(planned: Planned, change: Change, one: OneCase) -> None:
    """Something is changed, and read again, after planning: the old plan is refused in words, and nothing arrives."""
    day = _planned_before(planned, one, change.flow)
    one.stage.service.plan(change.flow, day)
    words = change.make(one, day)
    _refused(one, change.flow, day, [*change.words, *words], stale=True)


def _altered(planned: Planned, one: OneCase) -> None:
    """A stored plan that somebody edited, in each way, with or without making its digest fit."""
    stage, flow = one.stage, planned.altered
    day = _planned_before(planned, one, flow)
    for alteration in ALTERATIONS.values():
        alteration(stage.folder / "data" / "plans", stage.service.plan(flow, day))
        _refused(one, flow, day, [], stale=False)


def _planned_before(planned: Planned, one: OneCase, flow: str) -> date:
    """What comes before a flow is written; the first day on which the flow itself has something to write."""
    service = one.stage.service
    days = _refreshed(planned, one)
    for earlier in service.flows[: service.flows.index(flow)]:
        for day in days:
            service.plan(earlier, day)
            service.export(earlier, day)
    return next(day for day in days if service.plan(flow, day).effects())


def _refused(one: OneCase, flow: str, day: date, words: Sequence[str], *, stale: bool) -> None:
    stage, entry = one.stage, one.entry
    before = entry.picture(stage)

    def export() -> None:
        try:
            result = stage.service.export(flow, day)
            one.must(False, f"the export of {flow} was not refused: {result.counts()}")
        except StalePlanError as error:
            one.must(error.difference or not stale, "the refusal names no difference")
            for word in words:
                one.must(word in str(error), f"the refusal does not say {word!r}: {error}")
        except LedgerError as error:
            one.must(not stale, f"refused, but not as stale: {error}")

    with on_wire() as arrived:
        one.nothing(f"a refused export of {flow}", export)
    one.must(not arrived, f"a refused export of {flow}: {len(arrived)} records arrived")
    one.found.problems += entry.picture(stage).differences(before)
    one.count("refused", 1)


def creates(effect: Effect) -> bool:
    """Whether it makes a document."""
    return effect.action is Action.CREATE


# --- acts in the store of a scene ---------------------------------------------------------------------------------------


def toms(one: OneCase) -> str:
    """An order of both scenes that is not in the target yet."""
    return str(
        next(order["key"] for order in one.stage.store()["order"] if order.get("BillFirstName") == "Tom")
    )


def order_edited(one: OneCase, day: date) -> Sequence[str]:
    """Staff change its lines."""
    del day
    number = toms(one)
    wish = {"OrderID": number, "OrderLine": [{"SKU": "TIN-200", "Quantity": "4"}], "ShippingCost": "9.95"}
    one.stage.control.post("/neto/edit", json=wish).raise_for_status()
    return read_again(one, number)


def order_cancelled(one: OneCase, day: date) -> Sequence[str]:
    """Staff cancel it."""
    del day
    number = toms(one)
    one.stage.status(number, "Cancelled")
    return read_again(one, number)


def read_again(one: OneCase, number: str) -> Sequence[str]:
    """What was changed is read; the number it is known by."""
    one.stage.clock.jump(60)
    one.stage.service.refresh()
    return [number]
