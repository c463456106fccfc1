"""The money lint bites on planted lines, stays quiet on honest ones, and finds nothing in the product."""

from __future__ import annotations

import pytest

from ledger_pipelines_tests.lint.money import check, findings

FORBIDDEN = (
    "x = float(total)",
    "x = 0.1",
    "tax = Decimal(0.1)",
    "rate = amount * 1.1",
    "share = amount / count",
    "share = amount / 3",
    "amount /= 2",
    "each = amount // 2",
    "x = round(amount, 2)",
    "def f(amount: float) -> None: ...",
    "class A:\n    amount: float | None = None",
    "x = list(map(float, amounts))",
    "x = relation.df()",
    "x = table.to_pandas()",
    "x = json.loads(text)",
    "x = msgspec.json.decode(raw)",
    "x = response.json()",
    "import math",
    "from statistics import fmean",
    "x = context.divide(a, b)",
    "schema = pa.schema([pa.field('amount', pa.float64())])",
    "Column('amount', sa.Float)",
    "Column('amount', Float)",
    "Column('amount', postgresql.DOUBLE_PRECISION)",
    "rows('SELECT CAST(amount AS DOUBLE) FROM r')",
    "rows('SELECT amount::DOUBLE FROM r')",
    "rows(f'SELECT avg({column}) FROM r')",
    "rows('SELECT sum(amount) / count(*) FROM r')",
    "rows(f'SELECT sum({column}) ' f'/ count(*) FROM r')",
    "x = math.isclose(a, b)",
)

ALLOWED = (
    "x = folder / 'rows.parquet'",
    "x = folder / f'date={day}'",
    "def f(folder: Path, name: str) -> Path:\n    return folder / name / name",
    "class A:\n    root: UPath\n    def f(self, name: str) -> object:\n        return self.root / name",
    "class A:\n    def f(self) -> Path: ...\n    def g(self, name: str) -> object:\n        p = self.f()\n        return p / name",
    "x = Path(a) / b",
    "x = [entry / b for entry in folder.iterdir()]",
    "pause = 0.5  # not money: seconds",
    "def f(\n    a: int,\n    wait: float,  # not money: seconds\n) -> None: ...",
    "half = len(rows) // 2",
    "x = json.loads(text, parse_float=Decimal)",
    "x = msgspec.json.decode(raw, type=Answer)",
    "rows(\"SELECT a || '/' || b, sum(amount) FROM r\")",
    '"""SELECT a / b as DOUBLE: a docstring."""',
    "class A:\n    x: int\n    'about 0.5 of them'",
)


@pytest.mark.parametrize("source", FORBIDDEN)
def test_planted_lines_are_found(source: str) -> None:
    assert check(source, "planted.py")


@pytest.mark.parametrize("source", ALLOWED)
def test_honest_lines_are_left_alone(source: str) -> None:
    assert check(source, "honest.py") == []


def test_a_path_of_one_name_does_not_excuse_an_amount_of_the_same_name() -> None:
    source = "def f(whole: Path) -> None: ...\ndef g(whole: Decimal) -> object:\n    return whole / 3"
    assert check(source, "both.py")


def test_a_remark_without_use_or_reason_is_a_finding() -> None:
    assert check("x = 1  # not money: seconds", "a.py")
    assert check("x = 0.5  # not money:", "a.py")


def test_a_free_module_may_not_know_money_and_must_need_its_exemption() -> None:
    assert check("x = 0.5", "a.py", free="seconds") == []
    assert check("x = 1", "a.py", free="seconds")
    assert check("from decimal import Decimal\nx = 0.5", "a.py", free="seconds")


def test_the_home_of_money_may_divide_and_use_no_float() -> None:
    assert check("x = _EXACT.divide(a, b)", "documents/money.py") == []
    assert check("x = float(a)", "documents/money.py")


def test_the_product_has_none() -> None:
    assert [str(finding) for finding in findings()] == []
