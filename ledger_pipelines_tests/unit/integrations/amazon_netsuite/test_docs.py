"""docs/amazon_netsuite.md says what the code does: settings, states, reasons, field ids, the worked example."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ruamel.yaml import YAML

from ledger_pipelines.config.load import load_config
from ledger_pipelines.integrations import amazon_netsuite
from ledger_pipelines.integrations.amazon_netsuite.books import BookRecord
from ledger_pipelines.integrations.amazon_netsuite.context import Context
from ledger_pipelines.integrations.amazon_netsuite.decide import decide
from ledger_pipelines.integrations.amazon_netsuite.read_books import account_references
from ledger_pipelines.integrations.amazon_netsuite.record_fields import LISTS
from ledger_pipelines.integrations.amazon_netsuite.settings import (
    FLOWS,
    AmazonNetSuiteSettings,
    General,
    Records,
)
from ledger_pipelines.integrations.amazon_netsuite.settings_reference import renewed
from ledger_pipelines.integrations.amazon_netsuite.settlement_journal import rows
from ledger_pipelines.integrations.amazon_netsuite.worklist import GroupState
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.sandbox.netsuite.seed_data import ACCOUNTS
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.building import body_of, books, context
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.test_sdf import FIELDS
from ledger_pipelines_tests.unit.integrations.amazon_netsuite.test_statement_view import GROUPS, A, B

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "amazon_netsuite.md").read_text(encoding="utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip().strip("*") for cell in line.strip().strip("|").split("|")]


def table_after(words: str) -> list[list[str]]:
    """Rows of the first table after these words, head and rule left out."""
    lines = PAGE[PAGE.index(words) :].splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("|"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(cells(line))
    return found


def codes() -> set[str]:
    """Every reason code in the integration's source."""
    found = set()
    folder = Path(amazon_netsuite.__path__[0])
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Reason"
                and node.args
            ):
                first = node.args[0]
                strings = [
                    n.value
                    for n in ast.walk(first)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                found |= {text for text in strings if re.fullmatch(r"[a-z][a-z-]+", text)}
    return found


def test_the_settings_and_categories_are_those_of_the_code() -> None:
    assert renewed(PAGE) == PAGE, (
        "renew it: python -m ledger_pipelines.integrations.amazon_netsuite.settings_reference"
    )


def test_every_state_has_its_row() -> None:
    told = [row[0].strip("`") for row in table_after("## Where a group stands")]
    assert told == [state.value for state in GroupState]


def test_every_reason_code_is_explained_and_none_that_does_not_exist() -> None:
    told = {
        code for row in table_after("### Reasons, by code") for code in re.findall(r"`([a-z-]+)`", row[0])
    }
    assert len(codes()) > 25
    assert codes() - told == set()
    assert told - codes() == {"cash-sale-in-clearing"}


def test_the_flows_are_told_in_the_order_they_run() -> None:
    assert [row[1].strip("`") for row in table_after("## The six flows")] == list(FLOWS)


def test_the_worked_example_adds_up() -> None:
    *groups, deposit = table_after("## A worked example")
    assert sum(Decimal(row[-1]) for row in groups) == Decimal(deposit[-1])
    for _, words, net in groups:
        amounts = re.findall(r"-?\d+\.\d\d", words)
        assert sum(map(Decimal, amounts)) == Decimal(net), words


def test_the_worked_examples_journal_is_the_one_the_shipped_settings_give() -> None:
    *told, total = table_after("accounts of the shipped `ledger.yaml`")
    loaded = load_config(ROOT / "ledger.yaml", KINDS)
    settings = loaded.config.integrations["amazon_netsuite"].settings_as(AmazonNetSuiteSettings)
    names = {account.number: f"{account.number} {account.name}" for account in ACCOUNTS}
    accounts = {
        f"account:{number}": BookRecord(number, number, names[number], "", False)
        for number in account_references(settings)
    }
    in_books = books(A, B)
    resolved = (
        in_books.resolved
        | accounts
        | {
            f"item:{settings.refund.shipping_item}": BookRecord("1", "", "", "", False),
            f"subsidiary:{settings.subsidiary['USD']}": BookRecord("1", "", "", "", False),
        }
    )
    ctx: Context = context(GROUPS, replace(in_books, resolved=resolved), with_settings=settings)
    (row,) = rows(ctx, decide(ctx, GROUPS).decisions)
    body = body_of(row)
    lines = body["line"]["items"]  # type: ignore[index]
    made = {
        (names[line["account"]["id"]], line["memo"], str(line.get("debit", "")), str(line.get("credit", "")))
        for line in lines
    }
    assert made == {tuple(row) for row in told}
    assert total[-2:] == ["117.40", "117.40"]
    for column in (2, 3):
        assert sum(Decimal(row[column]) for row in told if row[column]) == Decimal("117.40")


def test_the_example_of_own_record_ids_is_valid_and_names_only_fields_that_exist() -> None:
    block = PAGE[PAGE.index("## Your own record ids") :]
    text = re.search(r"```yaml\n(.*?)```", block, re.DOTALL)
    assert text is not None
    given = YAML(typ="safe").load(text.group(1))["settings"]
    general, records = General.model_validate(given["general"]), Records.model_validate(given["records"])
    assert general.order_id_fields
    assert set(records.field_ids) <= set(FIELDS)
    for name, values in records.list_values.items():
        assert set(values) <= set(LISTS[name])


def test_links_to_other_pages_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
