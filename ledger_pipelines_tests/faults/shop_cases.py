"""Cases of a shop for the drills whose cases are about files elsewhere: plan, redeliver, isolation, rebuild.

Belongs here: each case from an installation with everything still to be written, to its verdict. Does not belong here: the
business (`shop_scene`), killing (`drills.crash`), which drill asks for what (the drills themselves take `CASES`).

What writes is counted by the sandbox; what was written is read from its dumps.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from ledger_pipelines.documents.effects import Action, Effect, EffectState
from ledger_pipelines.documents.keys import decode
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.storage.journal import Search
from ledger_pipelines.sync.gates import StalePlanError
from ledger_pipelines_tests.faults import shop_books
from ledger_pipelines_tests.faults.chain_case import Chain, ChainCase
from ledger_pipelines_tests.faults.chain_child import Order
from ledger_pipelines_tests.faults.drill_books import Picture, doubles
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.shop_entry import NETO_SAASU, ended, written
from ledger_pipelines_tests.faults.tampering import ALTERATIONS
from ledger_pipelines_tests.shop_stage import ShopStage
from ledger_pipelines_tests.stage import WINDOW

SCENE = NETO_SAASU.scenes["small"]
BAD_METHOD = "Cheque"
"""A method of the store that the settings give no account."""


@dataclass
class Found:
    """What a case comes to."""

    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)


@dataclass
class OneCase:
    """One case under way. whole: the books of a run that nobody disturbed."""

    stage: ShopStage
    whole: Picture
    order: Order
    found: Found = field(default_factory=Found)

    def must(self, holds: object, otherwise: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.found.problems.append(otherwise)

    def count(self, name: str, number: int) -> None:
        """Add to a figure."""
        self.found.figures[name] = self.found.figures.get(name, 0) + number

    def same(self) -> None:
        """The books are those of the run that nobody disturbed; quantities are read again first."""
        self.found.problems += NETO_SAASU.around(self.stage, False)
        now = NETO_SAASU.picture(self.stage)
        self.found.problems += now.differences(self.whole)
        self.found.problems += [f"twice: {one}" for one in doubles(shop_books.references(self.stage))]
        self.found.figures |= {"lost": now.lost(self.whole), "doubled": now.doubled(self.whole)}

    def run(self, days: Sequence[date] = ()) -> int:
        """Run now; the exit code."""
        return ended(self.stage, self.stage.run(days))

    def nothing(self, what: str, act: Callable[[], object]) -> None:
        """An act during which no call writes to the file."""
        before = written(self.stage)
        act()
        again = written(self.stage) - before
        self.count("writing calls where none may be", again)
        self.must(again == 0, f"{what}: {again} calls write to the file: {self.stage.calls('saasu')}")


# --- plan --------------------------------------------------------------------------------------------------------------


def _refreshed(one: OneCase) -> date:
    service = one.stage.service
    service.refresh()
    return service.today()


def _exact(one: OneCase) -> None:
    """Flow by flow: what is new in the file is what the plan lists, and no more calls than that; then nothing is left."""
    stage = one.stage
    day = _refreshed(one)
    for turn in (1, 2):
        for flow in stage.service.flows:
            plan = stage.service.plan(flow, day)
            before, calls = Counter(shop_books.references(stage)), written(stage)
            stage.service.export(flow, day)
            made = Counter(shop_books.references(stage)) - before
            listed = Counter(name for effect in plan.effects() for name in _names(effect))
            one.must(made == listed, f"{flow}: planned {listed - made} and not made, made {made - listed}")
            file = 0 if flow in _TO_STORE else len(plan.effects())
            one.must(written(stage) - calls == file, f"{flow}: {written(stage) - calls} calls for {file}")
            sold = flow == "stock_from_saasu"  # quantities are read anew, and the invoices have changed them
            one.must(turn == 1 or sold or not plan.effects(), f"{flow}: planned again {plan.effects()[:2]}")
            one.found.reached |= {row.action.value for row in plan.rows}
            one.count("planned", len(plan.effects()))
        service = stage.service
        service.refresh()
    one.same()


_TO_STORE = ("items_from_saasu", "stock_from_saasu")


def _names(effect: Effect) -> list[str]:
    """What a document that is made is known by, and the payment inside it."""
    if effect.action is not Action.CREATE:
        return []
    kind = "product" if effect.flow in _TO_STORE else effect.kind
    body = decode(effect.body)
    quick = body.get("QuickPayment") if isinstance(body, dict) else None
    inside = [f"payment {quick['Reference']}"] if isinstance(quick, dict) else []
    return [f"{kind} {effect.external_id}", *inside]


def _again(one: OneCase) -> None:
    """The second apply of the same plans makes no call at all; planning makes none either."""
    stage = one.stage
    one.must(one.run() == 0, "the run does not end well")
    stage.again()
    days = [date.fromisoformat(row.effect.partition) for row in stage.service.journal.find(Search())]
    stage.forget_calls()
    for flow in stage.service.flows:
        for day in sorted(set(days)):
            result = stage.service.export(flow, day)
            one.must(not result.sends and not result.probes, f"{flow}: the second apply sends {result.sends}")
            stage.service.plan(flow, day)
    calls = stage.calls("saasu") + stage.calls("neto")
    one.must(not calls, f"the second apply makes calls: {calls}")
    one.same()


def _stale(one: OneCase) -> None:
    """The order is changed, and read again, after planning: the old plan is refused in words, and nothing arrives."""
    stage = one.stage
    day = _refreshed(one)
    _planned_before(one, "invoices", day)
    stage.service.plan("invoices", day)
    number = next(order["key"] for order in stage.store()["order"] if order.get("BillFirstName") == "Tom")
    wish = {"OrderID": number, "OrderLine": [{"SKU": "TIN-200", "Quantity": "4"}], "ShippingCost": "9.95"}
    stage.control.post("/neto/edit", json=wish).raise_for_status()
    stage.clock.jump(60)
    stage.service.refresh()
    _refused(one, "invoices", day, [str(number)])


def _settings(one: OneCase) -> None:
    """A setting is changed after planning."""
    day = _refreshed(one)
    _planned_before(one, "payments", day)
    one.stage.service.plan("payments", day)
    one.stage.again(payments__methods={"Direct Deposit": "PayPal Clearing", "PayPal Checkout": "ANZ Cheque"})
    _refused(one, "payments", day, [])


def _altered(one: OneCase) -> None:
    """A stored plan that somebody edited, in each way, with or without making its digest fit."""
    stage = one.stage
    day = _refreshed(one)
    _planned_before(one, "payments", day)
    for alteration in ALTERATIONS.values():
        alteration(stage.folder / "data" / "plans", stage.service.plan("payments", day))
        _refused(one, "payments", day, [])


def _planned_before(one: OneCase, flow: str, day: date) -> None:
    """What comes before a flow is written."""
    service = one.stage.service
    for earlier in service.flows[: service.flows.index(flow)]:
        service.plan(earlier, day)
        service.export(earlier, day)


def _refused(one: OneCase, flow: str, day: date, words: Sequence[str]) -> None:
    stage = one.stage
    before = NETO_SAASU.picture(stage)

    def export() -> None:
        try:
            result = stage.service.export(flow, day)
            one.must(False, f"the export of {flow} was not refused: {result.counts()}")
        except StalePlanError as error:
            one.must(error.difference or not words, "the refusal names no difference")
            for word in words:
                one.must(word in str(error), f"the refusal does not say {word!r}: {error}")
        except LedgerError as error:
            one.must(not words, f"refused, but not as stale: {error}")

    one.nothing(f"a refused export of {flow}", export)
    one.found.problems += NETO_SAASU.picture(stage).differences(before)
    one.count("refused", 1)


# --- redeliver ---------------------------------------------------------------------------------------------------------


def _replayed(one: OneCase) -> None:
    """Each day again, forwards and backwards, in new processes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    today = stage.service.today()
    days = [today - timedelta(days=number) for number in (1, 0)]
    for order in (days, days[::-1]):
        for day in order:
            stage.again()
            one.nothing(f"a replay of {day}", partial(_runs_well, one, day))
    one.same()


def _runs_well(one: OneCase, day: date) -> None:
    one.must(one.run([day]) == 0, f"{day} does not end well")


def _shapes(one: OneCase) -> None:
    """Both vendors answer in the other shapes that were observed, and repeat the row a page ends with."""
    stage = one.stage
    neto = {
        "single_line_as_object": True,
        "messages_as_list": True,
        "empty_dates": "zero",
        "short_pages": True,
    }
    stage.control.post("/neto/settings", json=neto).raise_for_status()
    stage.control.post("/saasu/settings", json={"duplicate_rows": True}).raise_for_status()
    one.must(one.run() == 0, "the run does not end well")
    one.nothing("the run after it", lambda: one.must(one.run() == 0, "the run after it does not end well"))
    one.same()


# --- isolation ---------------------------------------------------------------------------------------------------------


def _bad_record(one: OneCase) -> None:
    """A payment by a method that has no account: it alone waits, in words; once it has one it alone is written."""
    stage = one.stage
    number = stage.order({"SKU": "TIN-200", "Quantity": "1"})
    stage.pay(number, str(stage.owed(number)), BAD_METHOD)
    one.must(one.run() == 1, "with a bad record the run does not end with 1")
    items = stage.service.errors()
    one.must([item.number for item in items] == [number], f"open is not {number} alone: {items}")
    one.must(all(item.text and item.remedy and item.code for item in items), f"no reason or remedy: {items}")
    if items:
        one.found.reached.add("bad record")
    books = stage.file()
    one.must(books.invoices(number), f"the invoice of {number} was not written")
    references = Counter(shop_books.references(stage))
    lacking = [part for part in _REFERENCES if not any(part in name for name in references)]
    one.must(not lacking, f"not written beside the bad one: {lacking}")
    before = references
    stage.again(payments__methods={**_METHODS, BAD_METHOD: "ANZ Cheque"})
    calls = written(stage)
    one.must(one.run() == 0, f"repaired, the run does not end well: {stage.service.errors()}")
    made = Counter(shop_books.references(stage)) - before
    one.must(
        written(stage) - calls == 1 and made.total() == 1,
        f"after the repair: {written(stage) - calls} calls, {made}",
    )
    one.found.problems += [f"twice: {name}" for name in doubles(shop_books.references(stage))]


_METHODS = {"PayPal Checkout": "PayPal Clearing", "Credit Card": "ANZ Cheque", "Direct Deposit": "ANZ Cheque"}
_REFERENCES = ("-RMA", "NETO-REFUND", "-OVER", "company Chen Tea House", "item BOOK-NEW", "product INFUSER")


def _dead(one: OneCase) -> None:
    """The file cannot be reached at all: said in a sentence, nothing is lost, and the next run does everything."""
    stage = one.stage
    stage.fault("refuse", "saasu")
    try:
        code = one.run()
    except LedgerError as error:
        code = 1
        one.must(str(error) and error.remedy is not None, f"no sentence: {error!r}")
    one.must(code != 0, "with a dead connection the run ends with 0")
    one.must(written(stage) == 0, "something was written to a dead connection")
    one.found.reached.add("dead connection")
    stage.control.delete("/faults").raise_for_status()
    stage.clock.jump(WINDOW + 1)
    stage.again()
    one.must(one.run() == 0, f"back again, the run does not end well: {stage.service.errors()}")
    one.same()


# --- rebuild -----------------------------------------------------------------------------------------------------------


def _snapshots_lost(one: OneCase) -> None:
    """What was read is deleted, and the initial sync done again: the same, and no call writes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    stage.close_service()
    for name in (stage.service.source, stage.service.target):
        shutil.rmtree(stage.folder / "data" / "snapshots" / name, ignore_errors=True)
        shutil.rmtree(stage.folder / "data" / name, ignore_errors=True)
    stage.again()
    stage.clock.jump(60)
    stage.service.initial_sync()
    one.nothing("a run after reading all again", lambda: one.must(one.run() == 0, "it does not end well"))
    one.same()


def _journal_lost(one: OneCase) -> None:
    """The journal is deleted: the same keys come back, adopted, and no call writes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    before = {entry.key for entry in stage.service.journal.find(Search(limit=10_000))}
    stage.clock.jump(60)
    stage.forget_journal()
    stage.again()

    def found_again() -> None:
        for _ in range(4):
            code = one.run()
            stage.clock.jump(WINDOW + 1)
            if code == 0:
                return
        one.must(False, f"does not end well: {[(i.number, i.text) for i in stage.service.errors()]}")

    one.nothing("a run without its journal", found_again)
    after = {entry.key: entry for entry in stage.service.journal.find(Search(limit=10_000))}
    one.must(set(after) <= before, f"other keys: {list(set(after) - before)[:3]}")
    open_ = [entry.effect.title for entry in after.values() if entry.state is not EffectState.CONFIRMED]
    one.must(not open_, f"open: {open_[:3]}")
    one.found.figures["adopted"] = sum(entry.adopted for entry in after.values())
    one.found.reached.add("outcome lost")
    one.same()


def _all_lost(one: OneCase) -> None:
    """The whole data folder is deleted: the initial sync finds both sides paired, and no call writes."""
    one.must(one.run() == 0, "the run does not end well")
    stage = one.stage
    stage.close_service()
    shutil.rmtree(stage.folder / "data")
    stage.clock.jump(60)
    stage.again()
    stage.service.initial_sync()

    def found_again() -> None:
        code = one.run()
        items = [(item.number, item.code, item.text) for item in stage.service.errors()]
        one.must(code == 0, f"ends with {code}: {items}")

    one.nothing("a run without anything of its own", found_again)
    one.same()


CASES: Mapping[str, Mapping[str, Callable[[OneCase], None]]] = {
    "plan": {
        "exact": _exact, "again": _again, "stale": _stale, "settings": _settings, "altered": _altered,
    },
    "redeliver": {"replayed": _replayed, "shapes": _shapes},
    "isolation": {"record": _bad_record, "dead": _dead},
    "rebuild": {"snapshots": _snapshots_lost, "journal": _journal_lost, "all": _all_lost},
}  # fmt: skip


@dataclass
class ShopCases:
    """The cases of one drill, on a sandbox that is started when the first is carried out."""

    drill: Drill
    _chain: Chain | None = None

    def names(self) -> list[str]:
        """`neto_saasu:KIND`; none in the fast tier."""
        return (
            []
            if self.drill.setting.fast
            else [f"{NETO_SAASU.name}:{kind}" for kind in CASES[self.drill.name]]
        )

    @staticmethod
    def has(case: str) -> bool:
        """Whether a case is one of these."""
        return case.startswith(f"{NETO_SAASU.name}:")

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if self._chain is None:
            folder = self.drill.setting.folder / "shop"
            folder.mkdir()
            self._chain = Chain(folder, self.drill.setting.seed, self.drill.stack)
        whole = self._chain.undisturbed(ChainCase(NETO_SAASU.name, SCENE.name))
        with self._installed(self._chain) as (stage, order):
            one = OneCase(stage, whole, order)
            CASES[self.drill.name][case.partition(":")[2]](one)
            found = one.found
        return Verdict(case, tuple(found.problems), found.figures, frozenset(found.reached))

    @staticmethod
    @contextlib.contextmanager
    def _installed(chain: Chain) -> Iterator[tuple[ShopStage, Order]]:
        order = chain.filled(NETO_SAASU, SCENE)
        stage: ShopStage = order.open()
        try:
            stage.forget_calls()
            yield stage, order
        finally:
            stage.close()
