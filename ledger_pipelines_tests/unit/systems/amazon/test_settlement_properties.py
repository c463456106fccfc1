"""Properties that hold for every settlement, and for the real ones."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_pipelines.documents.settlement import SettlementGroup
from ledger_pipelines.storage.settlement_rows import SettlementRows
from ledger_pipelines.systems.amazon.settlement.options import ReadOptions
from ledger_pipelines.systems.amazon.vocabulary import classify
from ledger_pipelines_tests.unit.systems.amazon.conftest import Reader, assert_same, read_one
from ledger_pipelines_tests.unit.systems.amazon.files import (
    V2,
    Row,
    balanced,
    detail,
    dotted,
    example,
    localized,
    put,
    slashed,
    text,
)

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)
KINDS = st.sampled_from(
    [
        ("Order", "ItemPrice", "Principal"), ("Order", "ItemPrice", "Tax"), ("Order", "Promotion", "Shipping"),
        ("Order", "ItemFees", "Commission"), ("Refund", "ItemPrice", "Principal"), ("Refund", "ItemFees", "New"),
        ("other-transaction", "other-transaction", "Storage Fee"), ("ServiceFee", "Cost of Advertising", "x"),
        ("other-transaction", "other-transaction", "Current Reserve Amount"), ("Odd", "Odder", "Oddest"),
    ]
)  # fmt: skip


@st.composite
def details(draw: st.DrawFn) -> Row:
    kind = draw(KINDS)
    cents = draw(st.integers(-10_000_00, 10_000_00))
    day = f"2026-05-{draw(st.integers(2, 14)):02d}"
    return detail(
        *kind, f"{Decimal(cents).scaleb(-2):.2f}",
        order_id=draw(st.sampled_from(["", "1-1", "1-2"])), shipment_id=draw(st.sampled_from(["", "S1", "S2"])),
        adjustment_id=draw(st.sampled_from(["", "A1"])), sku=draw(CELL), posted_date=day,
        posted_date_time=f"{day} 10:00:0{draw(st.integers(0, 9))} UTC",
        quantity_purchased=draw(st.sampled_from(["", "1", "2"])),
    )  # fmt: skip


def both(content: bytes, options: ReadOptions | None = None):  # type: ignore[no-untyped-def]
    chosen = options or ReadOptions()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        path = put(work, content)
        quick = read_one(path, work, replace(chosen, fast=True, block_bytes=1024))
        slow = read_one(path, work, replace(chosen, fast=False))
    assert_same(quick, slow)
    return slow


@QUICK
@given(
    rows=st.lists(details(), max_size=12),
    style=st.sampled_from([(lambda d: d, "."), (dotted, ","), (dotted, "."), (slashed, ".")]),
    end=st.sampled_from(["\n", "\r\n"]),
    cut=st.booleans(),
    columns=st.permutations(V2),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_any_balanced_settlement_is_accepted_with_its_total_however_it_is_written(
    rows: list[Row], style: tuple, end: str, cut: bool, columns: list[str], encoding: str
) -> None:
    written = localized(balanced(rows), *style)
    result = both(text(written, columns, end=end, cut=cut).encode(encoding))
    assert result.read is not None, result.codes
    total = sum((Decimal(row["amount"]) for row in rows), Decimal(0))
    assert result.read.sum == result.read.summary.total == total
    assert [row["amount"] for row in result.rows] == [Decimal(row["amount"]) for row in rows]
    assert [row["sku"] for row in result.rows] == [row["sku"] for row in rows]


@QUICK
@given(rows=st.lists(details(), min_size=1, max_size=6), data=st.data())
def test_a_changed_cell_gives_the_same_verdict_on_both_paths(rows: list[Row], data: st.DataObject) -> None:
    lines = text(balanced(rows)).split("\n")
    line = data.draw(st.integers(0, len(lines) - 2))
    cells = lines[line].split("\t")
    cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(
        st.one_of(
            CELL,
            st.sampled_from(
                ["", "1,5", "1.5", "1.234", "-0", "2026-05-03", "05/03/26", "x\ty", "26111111111"]
            ),
        )
    )
    lines[line] = "\t".join(cells)
    both("\n".join(lines).encode())


@QUICK
@given(position=st.integers(0, 3000), byte=st.integers(0, 255))
@hypothesis.example(position=231, byte=0)  # a NUL in a column name was let through by the fast path
@hypothesis.example(position=102, byte=13)  # so was a CR in a column name, where a line ends
@hypothesis.example(position=359, byte=13)
def test_a_changed_byte_gives_the_same_verdict_on_both_paths(position: int, byte: int) -> None:
    content = bytearray(text(example()).encode())
    content[position % len(content)] = byte
    result = both(bytes(content))
    if result.read is not None:
        assert result.read.sum == result.read.summary.total


def test_blocks_of_any_size_give_the_same_rows(tmp_path: Path) -> None:
    path = put(
        tmp_path, text(example() + [detail("Order", "ItemPrice", "Principal", "0.00")] * 500, cut=True)
    )
    results = [
        read_one(path, tmp_path, ReadOptions(block_bytes=size, workers=workers))
        for size, workers in [(1 << 20, 1), (4096, 2), (1500, 3), (1024, 1)]
    ]
    assert {result.read.path for result in results if result.read} == {"fast"}
    assert all(result.rows == results[0].rows for result in results)


@QUICK
@given(rows=st.lists(details(), min_size=1, max_size=15))
def test_groups_and_kinds_and_months_sum_to_the_total(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        result = read_one(put(work, text(balanced(rows))), work, ReadOptions())
        assert result.read is not None
        store = SettlementRows(work / "rows.parquet", classify)
        groups: list[SettlementGroup] = list(store.groups(ZoneInfo("America/Los_Angeles")))
        total = result.read.summary.total
        assert sum((g.amounts.net for g in groups), Decimal(0)) == total
        assert sum(g.rows for g in groups) == len(rows)
        assert sum((k.amount for g in groups for k in g.kinds), Decimal(0)) == total
        assert len({g.key for g in groups}) == len(groups)
        assert sum((k.amount for k in store.by_kind()), Decimal(0)) == total
        assert sum((k.amount for k in store.by_month(ZoneInfo("Asia/Tokyo"))), Decimal(0)) == total
        assert all(
            sum((k.amount for line in g.lines for k in line.kinds), Decimal(0))
            == sum((Decimal(r["amount"]) for r in rows if _in(g, r) and r["sku"]), Decimal(0))
            for g in groups
            if g.order_id and g.adjustment_id and g.shipment_id
        )


def _in(group: SettlementGroup, row: Row) -> bool:
    return (
        classify(row["transaction-type"], row["amount-type"], row["amount-description"]).cls is group.cls
        and (row["transaction-type"], row["order-id"], row["adjustment-id"], row["shipment-id"])
        == (group.type, group.order_id, group.adjustment_id, group.shipment_id)
    )  # fmt: skip


# MANIFEST.md of the samples: detail rows, sum, total; accepted or not
MANIFEST = {
    "v1_ca_cad_23874396421.txt": (3, "-321.69", True),
    "v1_ca_cad_23874397121.txt": (15, "-62.31", True),
    "v1_ca_cad_24288684721.txt": (189, "1016.08", True),
    "v1_ca_cad_24391894961.txt": (489, "2539.66", True),
    "v1_ca_cad_24702193891.txt": (1244, "10015.64", True),
    "v1_uk_gbp_13690633142.txt": (2, "-15.68", True),
    "v2_de_eur_7293436482.txt": (5, "53.44", True),
    "v1_us_usd_6016502941_fragment.txt": (3, "26.99", False),
}


@pytest.mark.parametrize(("name", "expected"), MANIFEST.items(), ids=MANIFEST.keys())
def test_a_real_file_is_accepted_or_refused_as_its_manifest_says(
    read: Reader, samples: Path, tmp_path: Path, name: str, expected: tuple[int, str, bool]
) -> None:
    rows, total, accepted = expected
    result = read(samples / name)
    if not accepted:
        assert result.codes == ["not-footing"]
        assert result.refusal is not None
        assert (result.refusal.partial.rows, result.refusal.partial.sum) == (rows, Decimal(total))
        return
    assert result.read is not None
    assert (result.read.rows, result.read.sum, result.read.summary.total) == (
        rows,
        Decimal(total),
        Decimal(total),
    )
    assert not result.read.warnings
    store = SettlementRows(tmp_path / "work" / "rows.parquet", classify)
    assert sum((g.amounts.net for g in store.groups()), Decimal(0)) == Decimal(total)
    assert [k.kind.triple for k in store.by_kind() if not k.kind.known] == []
