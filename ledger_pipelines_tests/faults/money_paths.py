"""Paths of amounts that every integration shares: arithmetic, vendors' JSON, snapshots, plans, the journal.

Belongs here: sending amounts through production code and comparing what comes out. Does not belong here: file formats and
APIs of one vendor (`money_amazon`, `money_netsuite`), what people read (`money_reports`).
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import httpx

from ledger_pipelines.documents.dates import SystemClock, Window
from ledger_pipelines.documents.effects import Action, Effect, Expected, Mode
from ledger_pipelines.documents.keys import Json, canonical, decode
from ledger_pipelines.documents.money import (
    CurrencyMismatchError,
    Money,
    allocate,
    from_plain,
    plain,
    tidy,
    total,
)
from ledger_pipelines.errors import DataError
from ledger_pipelines.storage.journal import Journal
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.storage.warehouse import warehouse
from ledger_pipelines.sync.apply import apply
from ledger_pipelines.sync.plan import Plan, PlanRow, Reason
from ledger_pipelines.sync.plan_store import PlanStore
from ledger_pipelines.sync.sweep import Sweep, arrow_schema, sweep
from ledger_pipelines.systems.http import AllowList, Http, HttpSettings, json_body
from ledger_pipelines.systems.netsuite.entities import Column, Entity, Kind
from ledger_pipelines.systems.netsuite.reader import Cell, Rows
from ledger_pipelines.systems.secrets import Redactor
from ledger_pipelines_tests.faults.engine_target import FakeClock, FakeLedger, FakeWriter
from ledger_pipelines_tests.faults.money_amounts import (
    CURRENCIES,
    Block,
    MoneyPath,
    Series,
    differing,
    differing_column,
    draw,
    unequal,
)

URL = "https://api.vendor.example/orders"
PRICES = 0.3
"""Share of the blocks that are unit prices, with 4 to 8 decimals."""
_OF_A_DOCUMENT = 20


def any_series(chooser: random.Random, count: int, *, whole: int = 15) -> Series:
    """Amounts of one of the currencies, or unit prices."""
    currency = chooser.choice(sorted(CURRENCIES))
    digits = chooser.randint(4, 8) if chooser.random() < PRICES else CURRENCIES[currency]
    return draw(chooser, count, currency, digits, whole=whole, bounded=False)


def _parts(block: Block, size: int, *, whole: int = 15) -> Iterator[Series]:
    for start in range(0, block.count, size):
        yield any_series(block.chooser, min(size, block.count - start), whole=whole)


def _arithmetic(block: Block) -> list[str]:
    found: list[str] = []
    for series in _parts(block, 5_000):
        sent, currency = series.decimals(), series.currency
        money = [Money.of(plain(amount), currency) for amount in sent]
        found += differing("Money.of", sent, [one.amount for one in money])
        found += differing("text", sent, [from_plain(one.text) for one in money])
        found += differing("tidy", sent, [tidy(amount) for amount in sent])
        found += unequal("total", series.total, total(money, currency).amount)
        block.chooser.shuffle(money)
        found += unequal("total, shuffled", series.total, total(money, currency).amount)
        left = Money.zero(currency)
        for one in money:
            left = left - one
        found += unequal("all taken from nothing", -series.total, left.amount)
        found += unequal("and its opposite", series.total, (-left).amount)
        found += _allocated(block.chooser, money[:200])
        other = Money.zero("EUR" if currency != "EUR" else "USD")
        for mixed in (
            lambda a=money[0], b=other: a + b,
            lambda a=money[0], b=other: total([a, b], b.currency),
        ):
            try:
                found.append(f"{money[0]} and {other} were added to {mixed()}.")
            except CurrencyMismatchError:
                continue
    return found


def _allocated(chooser: random.Random, money: list[Money]) -> list[str]:
    found: list[str] = []
    for whole in money:
        weights = [Decimal(chooser.randrange(10**6)) for _ in range(chooser.randint(1, 9))]
        weights[0] += 1
        try:
            parts = allocate(whole, weights)
        except DataError as error:
            if whole.is_bookable or error.code != "unbookable-amount":
                found.append(f"{whole} was not split: {error}")
            continue
        cents = sum(int(part.amount.scaleb(8)) for part in parts)
        found += unequal(f"parts of {whole}", int(whole.amount.scaleb(8)), cents)
    return found


def _spelt(chooser: random.Random, series: Series) -> Iterator[str]:
    """Amounts as vendors spell them in JSON: with zeros behind, whole ones without a point, some with an exponent."""
    for unit, text in zip(series.units, series.texts(), strict=True):
        match chooser.randrange(8):
            case 0 if "." in text:
                yield text + "0"
            case 1:
                yield f"{unit}e-{series.digits}"
            case 2 if "." in text and not text.rstrip("0").split(".")[1]:
                yield text.split(".")[0]
            case _:
                yield text


def _json(block: Block) -> list[str]:
    """A vendor's body through the one HTTP stack; our own body as it is sent."""
    answers: list[bytes] = []
    settings = HttpSettings(connection="shop", allow=AllowList((r"api\.vendor\.example",)))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answers.pop()))
    found: list[str] = []
    http = Http(settings, SystemClock(), Redactor(), transport=transport)
    try:
        for series in _parts(block, 5_000):
            sent = series.decimals()
            lines = ",".join(
                f'{{"id":{at},"total":{text},"currency":"{series.currency}"}}'
                for at, text in enumerate(_spelt(block.chooser, series))
            )
            answers.append(f'{{"orders":[{lines}]}}'.encode())
            body = http.read("GET", URL, pattern="/orders").json()
            assert isinstance(body, dict)
            got = [_number(order["total"]) for order in body["orders"]]  # type: ignore[union-attr,index,call-overload]
            found += differing("a vendor's JSON", sent, got)
            for what, raw in (
                ("a body sent", json_body(list(sent))),
                ("canonical JSON", canonical(list(sent))),
            ):
                again = decode(raw)
                assert isinstance(again, list)
                found += differing(what, sent, [_number(one) for one in again])
    finally:
        http.close()
    return found


def _number(value: object) -> object:
    """A whole number in JSON is an int: exact as it is."""
    return Decimal(value) if type(value) is int else value


class _Account:
    """A reader that has these amounts."""

    def __init__(self, amounts: list[Decimal], day: datetime) -> None:
        self._amounts, self._day = amounts, day

    def read_changes(self, entity: Entity, start: datetime, end: datetime) -> Iterator[Rows]:
        """One page a thousand, as SuiteQL gives them: texts that became numbers."""
        for first in range(0, len(self._amounts), 1_000):
            page: list[tuple[Cell, ...]] = [
                (f"{first + at:09d}", Decimal(plain(amount)), self._day)
                for at, amount in enumerate(self._amounts[first : first + 1_000])
            ]
            yield Rows(entity, tuple(page))


_ENTITY = Entity(
    "amounts",
    (Column("id", "r.id"), Column("amount", "r.amount", Kind.NUMBER), Column("changed", "r.changed", Kind.INSTANT)),
    "amounts r",
    ("id",),
    "r.id",
    "",
    "r.changed",
)  # fmt: skip


def _snapshot(block: Block) -> list[str]:
    """Records into a day's snapshot, and out of it again through DuckDB."""
    day = date(2026, 3, 2)
    zone = ZoneInfo("UTC")
    store = SnapshotStore(block.folder, "shop")
    asked = Sweep(Window(day, day, zone), day, day, "run", frozenset())
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    found: list[str] = []
    for series in _parts(block, 50_000):
        list(sweep(_Account(series.decimals(), noon), store, _ENTITY, asked))
        found += differing_column("snapshot", series, _ordered(store.read("amounts"))["amount"])
        latest = store.latest("amounts", key=["id"], modified="changed", schema=arrow_schema(_ENTITY))
        found += differing_column("the newest of each", series, _ordered(latest)["amount"])
        with warehouse({"r": [store.path("amounts", day)]}) as db:
            found += unequal("DuckDB, the sum", series.total, tidy(db.one("SELECT sum(amount) FROM r")[0]))
            with contextlib.suppress(DataError):
                found.append(f"A mean came out of DuckDB: {db.rows('SELECT avg(amount) FROM r')}")
        asked = Sweep(asked.window, day, day, f"{asked.run_id}+", frozenset())
    for beyond in (Decimal("0.0000000000001"), Decimal(10) ** 26):
        try:
            list(
                sweep(
                    _Account([beyond], noon), SnapshotStore(block.folder / "beyond", "shop"), _ENTITY, asked
                )
            )
            found.append(f"{beyond} was stored in a snapshot that cannot hold it.")
        except DataError:
            pass
    return found


def _ordered(table):  # type: ignore[no-untyped-def]
    return table.sort_by("id")


def _effects(block: Block) -> Iterator[tuple[Effect, Series]]:
    """Documents of twenty amounts each: the total, and its lines in the body."""
    for at, series in enumerate(_parts(block, _OF_A_DOCUMENT)):
        amounts = series.decimals()
        lines: list[Json] = [{"account": {"id": "7"}, "amount": amount} for amount in amounts[1:]]
        yield (
            Effect(
                key=f"KEY{at:06d}", connection="books", integration="shop_books", flow="invoices",
                partition="2026-03-01", kind="invoice", action=Action.CREATE, external_id=f"EXT-{at:06d}",
                number=f"{at:06d}", title=f"Invoice {at}", body=canonical({"amount": amounts[0], "lines": lines}),
                expected=Expected(Money(abs(amounts[0]), series.currency), date(2026, 3, 1), len(lines)),
            ),
            series,
        )  # fmt: skip


def plan_of(pairs: list[tuple[Effect, Series]]) -> Plan:
    """A sealed plan of these documents."""
    rows = tuple(
        PlanRow(
            Action.CREATE, Reason("new", "It is not in the books yet."), effect.key, effect.number, effect.title,
            effect.kind, Money(series.decimals()[0], series.currency), effect,
        )
        for effect, series in pairs
    )  # fmt: skip
    return Plan(
        "shop_books", "invoices", "2026-03-01", "books", datetime(2026, 3, 1, tzinfo=UTC), (("o", "d"),), rows
    ).sealed()


def documents(block: Block) -> list[tuple[Effect, Series]]:
    """All documents of a block."""
    return list(_effects(block))


def _in_body(where: str, effect: Effect, series: Series, body: str) -> list[str]:
    told = decode(body)
    assert isinstance(told, dict)
    lines = told["lines"]
    assert isinstance(lines, list)
    got = [told["amount"], *(line["amount"] for line in lines if isinstance(line, dict))]
    return differing(f"{where} {effect.key}", series.decimals(), [_number(one) for one in got])


def _plan(block: Block) -> list[str]:
    """A plan stored and read back by its digest; what a plan says it sums to."""
    pairs = documents(block)
    plan = plan_of(pairs)
    store = PlanStore(block.folder)
    store.save(plan)
    read = store.by_digest(plan.digest)
    if read is None or read.computed_digest() != plan.digest:
        return [f"The plan {plan.digest} was not read back as it was stored."]
    found: list[str] = []
    for row, (effect, series) in zip(read.rows, pairs, strict=True):
        assert row.effect is not None and row.amount is not None and row.effect.expected.amount is not None
        first = series.decimals()[0]
        found += _in_body("stored plan, body of", effect, series, row.effect.body)
        found += differing("stored plan, amount", [first], [row.amount.amount])
        found += differing("stored plan, expected", [abs(first)], [row.effect.expected.amount.amount])
        found += unequal("stored plan, currency", series.currency, row.amount.currency)
    for sum_of in read.totals():
        wanted = sum((s.decimals()[0] for _, s in pairs if s.currency == sum_of.currency), Decimal(0))
        assert sum_of.amount is not None
        found += unequal(f"total in {sum_of.currency}", wanted, sum_of.amount.amount)
    return found


def _journal(block: Block) -> list[str]:
    """A plan applied: what the journal keeps, what the target got."""
    pairs = documents(block)
    clock = FakeClock()
    ledger = FakeLedger(clock)
    writer = FakeWriter(ledger, batch_size=100)
    found: list[str] = []
    place = block.folder / "journal.db"
    with Journal.open(place, now=clock.now() - timedelta(hours=1)) as journal:
        result = apply(plan_of(pairs), journal=journal, writer=writer, mode=Mode.LIVE, clock=clock)
        if result.exit_code:
            held = [row.reason.text for row in result.rows if row.needs_person][:3]
            return [f"The plan was not carried out: {held} {result.counts()}"]
    with Journal.open(place) as journal:
        entries = journal.entries([effect.key for effect, _ in pairs])
    bodies = {record.external_id: record.body for record in ledger.records}
    for effect, series in pairs:
        kept = entries[effect.key].effect
        found += _in_body("journal, body of", effect, series, kept.body)
        found += _in_body("target, body of", effect, series, bodies[effect.external_id])
        assert kept.expected.amount is not None
        found += differing("journal, expected", [abs(series.decimals()[0])], [kept.expected.amount.amount])
        found += unequal("journal, currency", series.currency, kept.expected.amount.currency)
    return found


def paths() -> tuple[MoneyPath, ...]:
    """The paths of no vendor in particular."""
    return (
        MoneyPath("arithmetic", 50_000, 2, 3_000, _arithmetic),
        MoneyPath("json", 150_000, 2, 5_000, _json),
        MoneyPath("snapshot", 150_000, 2, 3_000, _snapshot),
        MoneyPath("plan", 60_000, 2, 2_000, _plan),
        MoneyPath("journal", 40_000, 1, 2_000, _journal),
    )
