"""Paths of amounts through Amazon's settlement files: file, landing, Parquet, DuckDB over it, sums.

Belongs here: files of amounts in each variant, and reading back what was stored. Does not belong here: other formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from ledger_pipelines.integrations.amazon_netsuite.arrival import ArrivalOutcome, receive_file
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.storage.settlements import SettlementStore, compare, rows_hash
from ledger_pipelines.storage.warehouse import warehouse
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.vocabulary import classify
from ledger_pipelines_tests.faults.money_amounts import (
    Block,
    MoneyPath,
    Series,
    differing,
    differing_column,
    draw,
    unequal,
)
from ledger_pipelines_tests.generate import START, V1_COLUMNS, V2_COLUMNS, day, iso, stamp

CONNECTION = "shop"
SETTLEMENT = "26900000001"
ZONE = ZoneInfo("America/New_York")
STYLES = (("USD", 2), ("KWD", 3), ("JPY", 0), ("GBP", 6), ("CAD", 4))
V1_PAIR = ("price-type", "price-amount", "item-related-fee-type", "item-related-fee-amount")
BAD = (
    "1234567890123.00", "0.1234567", "1.5E3", "1e5", "1,234.56", "NaN", "inf", "-", "0x10", "1_000.00", "12.34-",
    "$12.34", "12..5", "٣.٠٠", "1.2.3", "",
)  # fmt: skip
"""Texts that are no amount of a settlement: beyond the limits, or not in the grammar."""


def _file(columns: Sequence[str], summary: dict[str, str], rows: Iterator[dict[str, str]]) -> bytes:
    common = {"settlement-id": SETTLEMENT}
    place = {name: at for at, name in enumerate(columns)}
    lines = ["\t".join(columns)]
    for cells in (common | summary, *(common | row for row in rows)):
        line = [""] * len(columns)
        for name, text in cells.items():
            line[place[name]] = text
        lines.append("\t".join(line))
    return ("\n".join(lines) + "\n").encode()


def _summary(series: Series, sign: str, *, comma: bool, v1: bool) -> dict[str, str]:
    total = replace(series, units=(sum(series.units),)).texts(sign)[0]
    instants = (START, START + timedelta(days=14), START + timedelta(days=16))
    start, end, deposit = [iso(i) if v1 else stamp(i, comma=comma) for i in instants]
    return {
        "settlement-start-date": start, "settlement-end-date": end, "deposit-date": deposit,
        "total-amount": total, "currency": series.currency,
    }  # fmt: skip


def v2_file(series: Series, *, comma: bool = False) -> bytes:
    """A V2 file with one row an amount; comma: as in European files."""
    sign = "," if comma else "."
    instants = [START + timedelta(days=n % 14, hours=n % 5) for n in range(70)]
    days = [(day(i, comma=comma), stamp(i, comma=comma)) for i in instants]

    def rows() -> Iterator[dict[str, str]]:
        for at, text in enumerate(series.texts(sign)):
            order = f"113-{at // 1000:07d}-{at // 3:07d}"
            posted, moment = days[at % 70]
            yield {
                "transaction-type": "Order", "order-id": order, "amount-type": "ItemPrice",
                "amount-description": ("Principal", "Shipping", "Tax")[at % 3], "amount": text, "sku": "MUG-BLUE",
                "posted-date": posted, "posted-date-time": moment, "quantity-purchased": "1", "fulfillment-id": "AFN",
            }  # fmt: skip

    return _file(V2_COLUMNS, _summary(series, sign, comma=comma, v1=False), rows())


def v1_file(series: Series) -> bytes:
    """A V1 file: two amounts in every third row, one in the others."""
    texts = series.texts()

    def rows() -> Iterator[dict[str, str]]:
        at = 0
        while at < len(texts):
            order = f"113-{at // 1000:07d}-{at // 4:07d}"
            row = {
                "transaction-type": "Order",
                "order-id": order,
                "posted-date": iso(START + timedelta(days=at % 14)),
            }
            if at % 3 == 0 and at + 1 < len(texts):
                row |= dict(zip(V1_PAIR, ("Principal", texts[at], "Commission", texts[at + 1]), strict=True))
                at += 2
            elif at % 3 == 1:
                row |= {"promotion-type": "Principal", "promotion-amount": texts[at], "promotion-id": "A"}
                at += 1
            else:
                row |= {"other-amount": texts[at]}
                at += 1
            yield row | {"sku": "MUG-BLUE"}

    return _file(V1_COLUMNS, _summary(series, ".", comma=False, v1=True), rows())


def _take(
    content: bytes, folder: Path, options: ReadOptions | None = None
) -> tuple[SettlementStore, ArrivalOutcome]:
    path = folder / "settlement.txt"
    path.write_bytes(content)
    store = SettlementStore(folder / "data")
    return store, receive_file(path, connection=CONNECTION, store=store, options=options)


def _through(series: Series, content: bytes, folder: Path, *, careful: bool = False) -> list[str]:
    store, outcome = _take(content, folder, ReadOptions(fast=not careful))
    if outcome.manifest is None:
        return [f"A file of {len(series.units)} amounts was not accepted: {outcome.message}"]
    path = store.rows_path(CONNECTION, SETTLEMENT)
    found = differing_column("Parquet", series, pq.read_table(path, columns=["amount"])["amount"])
    with warehouse({"r": [path]}) as db:
        ordered = "SELECT amount FROM r ORDER BY ordinal, part"
        found += differing_column("DuckDB, as Arrow", series, db.table(ordered)["amount"])
        found += differing("DuckDB, as rows", series.decimals(), [row[0] for row in db.rows(ordered)])
        found += unequal("DuckDB, the sum", series.total, db.one("SELECT sum(amount) FROM r")[0])
    rows = SettlementRows(path, classify)
    manifest = store.get(CONNECTION, SETTLEMENT)
    found += unequal("manifest, the sum", series.total, manifest.sum)
    found += unequal("manifest, the total", series.total, manifest.total)
    found += unequal("settlement, the total", series.total, manifest.settlement().total.amount)
    found += unequal("sum of kinds", series.total, _sum(kind.amount for kind in rows.by_kind()))
    for zone in (ZONE, ZoneInfo("UTC")):
        found += unequal(f"sum of months, {zone}", series.total, _sum(m.amount for m in rows.by_month(zone)))
    return found


def _sum(amounts: Iterator[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _v2(block: Block) -> list[str]:
    currency, digits = block.chooser.choice(STYLES)
    series = draw(block.chooser, block.count, currency, digits)
    return _through(series, v2_file(series), block.folder)


def _v2_comma(block: Block) -> list[str]:
    series = draw(block.chooser, block.count, "EUR", block.chooser.choice((2, 4)))
    return _through(series, v2_file(series, comma=True), block.folder)


def _v1(block: Block) -> list[str]:
    series = draw(block.chooser, block.count, *block.chooser.choice(STYLES))
    return _through(series, v1_file(series), block.folder)


def _careful(block: Block) -> list[str]:
    comma = block.chooser.random() < 0.5
    series = draw(block.chooser, block.count, "EUR", 2)
    return _through(series, v2_file(series, comma=comma), block.folder, careful=True)


def _groups(block: Block) -> list[str]:
    """Groups, in whatever order the file has its lines, sum to the whole and to the same rows."""
    series = draw(block.chooser, block.count, "USD", 2, whole=9)
    head, summary, *lines = v2_file(series).splitlines()
    stores = []
    found: list[str] = []
    for name in ("as-written", "shuffled"):
        folder = block.folder / name
        folder.mkdir()
        store, outcome = _take(b"\n".join([head, summary, *lines]) + b"\n", folder)
        if outcome.manifest is None:
            return [f"{name}: not accepted: {outcome.message}"]
        path = store.rows_path(CONNECTION, SETTLEMENT)
        stores.append(path)
        groups = list(SettlementRows(path, classify).groups(ZONE))
        found += unequal(f"{name}: sum of groups", series.total, _sum(group.amounts.net for group in groups))
        kinds = (kind.amount for group in groups for kind in group.kinds)
        found += unequal(f"{name}: sum of the kinds of groups", series.total, _sum(kinds))
        items = (kind.amount for group in groups for line in group.lines for kind in line.kinds)
        found += unequal(f"{name}: sum of items", series.total, _sum(items))
        block.chooser.shuffle(lines)
    found += unequal("hash of the rows, shuffled", rows_hash(stores[0]), rows_hash(stores[1]))
    if difference := compare(*stores):
        found.append(f"Shuffled, {difference.count} rows differ.")
    return found


def _refused(block: Block) -> list[str]:
    """What is no amount, or beyond the limits, refuses the file by line and value, on both ways of reading."""
    found: list[str] = []
    for at in range(block.count):
        series = draw(block.chooser, 40, "USD", 2, whole=6)
        bad, place = BAD[at % len(BAD)], block.chooser.randrange(20, 38)
        lines = v2_file(series).decode().split("\n")
        cells = lines[place].split("\t")
        column = V2_COLUMNS.index("amount")
        cells[column] = bad
        lines[place] = "\t".join(cells)
        for fast in (True, False):
            folder = block.folder / f"{at}-{fast}"
            folder.mkdir()
            _, outcome = _take("\n".join(lines).encode(), folder, ReadOptions(fast=fast))
            if outcome.accepted:
                found.append(f"A file with the amount {bad!r} was accepted.")
            elif not any(finding.line == place + 1 for finding in outcome.errors):
                named = [finding.sentence() for finding in outcome.errors]
                found.append(f"{bad!r} in line {place + 1} was refused without naming it: {named}")
    return found


def paths() -> tuple[MoneyPath, ...]:
    """A million amounts go through files, Parquet and DuckDB; slower looks take a share."""
    return (
        MoneyPath("file-v2", 100_000, 5, 5_000, _v2),
        MoneyPath("file-v2-comma", 100_000, 3, 3_000, _v2_comma),
        MoneyPath("file-v1", 100_000, 2, 3_000, _v1),
        MoneyPath("file-careful", 25_000, 1, 1_000, _careful),
        MoneyPath("file-groups", 15_000, 1, 900, _groups),
        MoneyPath("file-refused", 3 * len(BAD), 1, len(BAD), _refused),
    )
