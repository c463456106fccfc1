"""docs/neto_saasu.md says what the code does: settings, flows, reason codes, checks, words of the reconciliation."""

from __future__ import annotations

import re

from ruamel.yaml import YAML

from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.integrations import neto_saasu
from ledger_pipelines.integrations.neto_saasu.settings import FLOWS, NetoSaasuSettings
from ledger_pipelines.integrations.neto_saasu.settings_reference import renewed
from ledger_pipelines.integrations.settings_reference import tabs_of
from ledger_pipelines.reports.shop_view import CHECKS, Why
from ledger_pipelines_tests.unit.integrations.docs_pages import (
    ROOT,
    codes,
    page_of,
    table_after,
    told_codes,
    words_of,
)

PAGE = page_of("neto_saasu.md")


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
    told = told_codes(PAGE, ("### What waits for you", "### What needs nobody"))
    assert len(told) == len(set(told)), "told twice"
    assert len(codes(neto_saasu)) > 60
    assert codes(neto_saasu) - set(told) == set()
    assert set(told) - codes(neto_saasu) == set()


def test_the_flows_are_told_in_the_order_they_run() -> None:
    assert [words_of(row[1])[0] for row in table_after(PAGE, "## The flows")] == list(FLOWS)


def test_every_check_and_every_word_of_the_reconciliation_is_told() -> None:
    assert [words_of(row[0])[0] for row in table_after(PAGE, "| check | holds when |")] == list(CHECKS)
    told = [word for row in table_after(PAGE, "| why | what it means |") for word in words_of(row[0])]
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
