"""docs/neto_saasu.md says what the code does: settings, flows, reason codes, checks, words of the reconciliation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML

from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.integrations import neto_saasu
from ledger_pipelines.integrations.neto_saasu.settings import FLOWS, NetoSaasuSettings
from ledger_pipelines.integrations.neto_saasu.settings_reference import renewed
from ledger_pipelines.integrations.settings_reference import tabs_of
from ledger_pipelines.reports.shop_view import CHECKS, Why

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "neto_saasu.md").read_text(encoding="utf-8")
CODE = re.compile(r"[a-z][a-z]*(?:-[a-z]+)*")
SHARED = frozenset({"unresolved-setting", "illegal-sku"})
"""Codes of errors that become reasons as they are, and of what integrations of a store have in common."""


def table_after(words: str) -> list[list[str]]:
    """Rows of the first table after these words, head and rule left out."""
    lines = PAGE[PAGE.index(words) :].splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("|"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return found


def words_of(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def texts(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value):
            yield one.value


def codes() -> set[str]:
    """Every reason code in the integration's source: written in place, by a name of the module, or as a key of counted rows."""
    found = set(SHARED)
    for path in Path(neto_saasu.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for target in targets:
                if isinstance(target, ast.Name) and node.value is not None:  # type: ignore[attr-defined]
                    value = node.value  # type: ignore[attr-defined]
                    named.setdefault(target.id, set()).update(
                        texts(value) if isinstance(value, ast.Constant) else ()
                    )
                    if target.id == "_COUNTED" and isinstance(value, ast.Dict):
                        found |= {text for key in value.keys if key is not None for text in texts(key)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Reason"
                and node.args
            ):
                first = node.args[0]
                found |= named.get(first.id, set()) if isinstance(first, ast.Name) else set(texts(first))
    return found


def test_the_settings_are_those_of_the_code() -> None:
    assert renewed(PAGE) == PAGE, (
        "renew it: python -m ledger_pipelines.integrations.neto_saasu.settings_reference docs/neto_saasu.md"
    )


def test_every_group_of_settings_has_its_table_under_the_add_ons_words() -> None:
    titles = [title for title, _ in tabs_of(NetoSaasuSettings)]
    assert "Orders/Invoices to SAASU: `orders_to_saasu`" in titles
    assert len(titles) == len(NetoSaasuSettings.model_fields)
    assert all(f"### {title}\n" in PAGE for title in titles)


def test_every_reason_code_is_explained_and_none_that_does_not_exist() -> None:
    told = [
        word
        for heading in ("### What waits for you", "### What needs nobody")
        for row in table_after(heading)
        for word in words_of(row[0])
    ]
    assert len(told) == len(set(told)), "told twice"
    assert len(codes()) > 60
    assert codes() - set(told) == set()
    assert set(told) - codes() == set()


def test_the_flows_are_told_in_the_order_they_run() -> None:
    assert [words_of(row[1])[0] for row in table_after("## The flows")] == list(FLOWS)


def test_every_check_and_every_word_of_the_reconciliation_is_told() -> None:
    assert [words_of(row[0])[0] for row in table_after("| check | holds when |")] == list(CHECKS)
    told = [word for row in table_after("| why | what it means |") for word in words_of(row[0])]
    assert sorted(told) == sorted(why.value for why in Why)


def test_the_example_is_a_configuration_that_is_accepted() -> None:
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    given = YAML(typ="safe").load(text.group(1))
    store = NetoConnectionConfig.model_validate(given["connections"]["neto"])
    file = SaasuConnectionConfig.model_validate(given["connections"]["saasu"])
    integration = given["integrations"]["neto_saasu"]
    assert (integration["source"], integration["target"]) == tuple(given["connections"])
    assert store.start_date == file.start_date
    settings = NetoSaasuSettings.model_validate(integration["settings"])
    assert "stock_from_saasu" not in settings.enabled_flows()


def test_settings_that_the_prose_names_exist() -> None:
    for group, field in re.findall(r"`([a-z_]+)\.([a-z_]+)`", PAGE):
        model = NetoSaasuSettings.model_fields.get(group)
        if model is not None:
            assert field in model.annotation.model_fields, f"{group}.{field}"  # type: ignore[union-attr]


def test_links_to_other_pages_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
