"""The path of amounts to NetSuite's sandbox and back: documents over HTTP, its books, SuiteQL, the daily snapshot.

Belongs here: documents with very many amounts, and each way of reading them back. Does not belong here: other targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ledger_pipelines.documents.dates import Window
from ledger_pipelines.documents.keys import Json
from ledger_pipelines.storage.snapshots import SnapshotStore
from ledger_pipelines.sync.sweep import Sweep, sweep
from ledger_pipelines.systems.netsuite.entities import entities
from ledger_pipelines.systems.netsuite.matching import Matching
from ledger_pipelines.systems.netsuite.reader import Reader
from ledger_pipelines.systems.netsuite.suiteql import SuiteQL
from ledger_pipelines_tests.faults.money_amounts import Block, MoneyPath, Series, differing, draw, unequal
from ledger_pipelines_tests.stage import Stage, stage_on

PREFIX = "MONEY-"
LINES = 1_000
CURRENCIES = {"USD": 2, "JPY": 0, "KWD": 3, "EUR": 2}
ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True, slots=True)
class _Posted:
    """A journal entry: its lines in their order, debit positive; the last one balances it."""

    external_id: str
    series: Series

    @property
    def lines(self) -> list[Decimal]:
        return [*self.series.decimals(), -self.series.total]


@dataclass(frozen=True, slots=True)
class _Rate:
    id: str
    rate: Decimal = Decimal(0)


def _bulk(block: Block) -> list[str]:
    """Journal entries of a thousand lines in currencies of 0, 2 and 3 digits, and unit prices of 4 to 8 decimals."""
    stage = stage_on(block.sandbox(), block.folder)
    try:
        stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
        currencies = {str(r["symbol"]): str(r["id"]) for r in stage.books().records("currency")}
        if "KWD" not in currencies:
            body = {
                "name": "Kuwaiti Dinar",
                "symbol": "KWD",
                "currencyPrecision": 3,
                "exchangeRate": Decimal("3.25"),
            }
            currencies["KWD"] = stage.make("currency", body)
        accounts = {str(r["acctNumber"]): str(r["id"]) for r in stage.books().records("account")}
        posted = list(_post(stage, block, currencies, accounts["6100"]))
        found = _in_the_books(stage, posted)
        found += _read_back(stage, posted)
        found += _snapshot(stage, block, posted)
        return found + _prices(stage, block)
    finally:
        stage.close()


def _post(stage: Stage, block: Block, currencies: dict[str, str], account: str) -> Iterator[_Posted]:
    names = sorted(CURRENCIES)
    for at in range(max(len(names), block.count // LINES)):
        currency = names[at % len(names)]
        count = min(LINES - 1, max(2, block.count // len(names)))
        series = draw(block.chooser, count, currency, CURRENCIES[currency], whole=15)
        series = Series(
            currency, series.digits, tuple(unit or 1 for unit in series.units[:-1]) + series.units[-1:]
        )
        if not series.units[-1] or not sum(series.units):
            series = Series(currency, series.digits, (*series.units[:-1], series.units[-1] + 7))
        one = _Posted(f"{PREFIX}{at:04d}", series)
        lines: list[Json] = [
            {"account": {"id": account}, ("debit" if amount > 0 else "credit"): abs(amount)}
            for amount in one.lines
        ]
        stage.make(
            "journalEntry",
            {
                "externalId": one.external_id, "tranDate": "2026-03-04", "currency": {"id": currencies[currency]},
                "subsidiary": {"id": "1"}, "line": {"items": lines},
            },
        )  # fmt: skip
        yield one


def _in_the_books(stage: Stage, posted: Sequence[_Posted]) -> list[str]:
    """The sandbox's own dump, exact."""
    books = stage.books()
    found: list[str] = []
    kept = {str(r.get("externalId")): r for r in books.records("journalEntry")}
    for one in posted:
        record = kept[one.external_id]
        rows = [row for row in books.dump["ledger"] if str(row["transaction"]) == str(record["id"])]
        rows.sort(key=lambda row: int(row["transactionline"]))
        got = [_exact(row.get("foreigndebit")) - _exact(row.get("foreigncredit")) for row in rows]
        found += differing(f"the books, {one.series.currency}", one.lines, got)
    return found


def _exact(value: object) -> Decimal:
    assert type(value) is not float, value
    return Decimal(str(value or 0))


def _read_back(stage: Stage, posted: Sequence[_Posted]) -> list[str]:
    """What the product reads of them by SuiteQL."""
    matching = Matching(stage.service.client)
    lines: dict[str, list[Decimal]] = {}
    for line in matching.journal_lines(PREFIX):
        lines.setdefault(line.externalid, []).append(line.foreignamount)
    found: list[str] = []
    for one in posted:
        found += differing(f"SuiteQL, {one.series.currency}", one.lines, lines.get(one.external_id, []))
    for document in matching.own_documents(prefix=PREFIX):
        one = next(p for p in posted if p.external_id == document.externalid)
        wanted = sum((amount for amount in one.lines if amount > 0), Decimal(0))
        found += unequal(f"SuiteQL, total in {one.series.currency}", wanted, document.total)
    for row in matching.ledger_sums(prefix=PREFIX, by_external_id=True):
        found += unequal(f"SuiteQL, sum of {row.externalid}", Decimal(0), row.foreign)
    return found


def _snapshot(stage: Stage, block: Block, posted: Sequence[_Posted]) -> list[str]:
    """The daily snapshot of journal lines, read through DuckDB."""
    client = stage.service.client
    entity = entities(client.connection)["journal_entry_lines"]
    store = SnapshotStore(block.folder / "snapshots", "netsuite")
    now = stage.clock.now().astimezone(ZONE)
    window = Window((now - timedelta(days=1)).date(), now.date(), ZONE)
    asked = Sweep(window, window.first, window.last, "run", frozenset())
    reader = Reader(client)
    list(sweep(reader, store, entity, asked))
    headers = {
        row.get("id"): row.get("externalid")
        for row in SuiteQL(client).rows(
            "SELECT id, externalid FROM transaction WHERE externalid LIKE ?", [f"{PREFIX}%"]
        )
    }
    table = store.latest(entity.name, key=["transaction", "id"], modified="lastmodifieddate")
    kept: dict[str, list[tuple[int, Decimal]]] = {}
    for row in table.select(["transaction", "id", "foreignamount"]).to_pylist():
        if name := headers.get(row["transaction"]):
            kept.setdefault(name, []).append((int(row["id"]), row["foreignamount"]))
    found: list[str] = []
    for one in posted:
        got = [amount for _, amount in sorted(kept.get(one.external_id, []))]
        found += differing(f"the snapshot, {one.series.currency}", one.lines, got)
    return found


def _prices(stage: Stage, block: Block) -> list[str]:
    """Unit prices of 4 to 8 decimals on lines of a sales order."""
    item = next(str(r["id"]) for r in stage.books().records("nonInventorySaleItem"))
    found: list[str] = []
    for digits in range(4, 9):
        units = draw(
            block.chooser, max(2, min(200, block.count // 20)), "USD", digits, whole=5, bounded=False
        ).units
        series = Series("USD", digits, tuple(abs(unit) for unit in units))
        lines: list[Json] = [
            {"item": {"id": item}, "quantity": 1, "rate": rate} for rate in series.decimals()
        ]
        order = stage.make(
            "salesOrder",
            {"entity": {"id": "101"}, "tranDate": "2026-03-04", "item": {"items": lines}},
        )
        sql = "SELECT tl.id, tl.rate FROM transactionline tl WHERE tl.transaction = ? AND tl.mainline = 'F' AND tl.taxline = 'F' ORDER BY tl.id"
        got = [row.rate for row in SuiteQL(stage.service.client).query(_Rate, sql, [order])]
        found += differing(f"SuiteQL, prices of {digits} decimals", series.decimals(), got)
    return found


def paths() -> tuple[MoneyPath, ...]:
    """To the sandbox and back."""
    return (MoneyPath("netsuite", 24_000, 1, 400, _bulk),)
