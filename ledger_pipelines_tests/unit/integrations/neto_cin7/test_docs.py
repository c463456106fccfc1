"""docs/neto_cin7.md says what the code does: settings, flows, reason codes, checks, the example."""

from __future__ import annotations

import re

from ruamel.yaml import YAML

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.shops import NetoConnectionConfig
from ledger_pipelines.integrations import neto_cin7
from ledger_pipelines.integrations.neto_cin7.settings import FLOWS, NetoCin7Settings
from ledger_pipelines.integrations.neto_cin7.settings_reference import renewed
from ledger_pipelines.reports.omni_view import CHECKS
from ledger_pipelines_tests.unit.integrations.docs_pages import (
    ROOT,
    codes,
    page_of,
    table_after,
    told_codes,
    words_of,
)

PAGE = page_of("neto_cin7.md")


def test_the_settings_are_those_of_the_code() -> None:
    assert renewed(PAGE) == PAGE, (
        "renew it: python -m ledger_pipelines.integrations.neto_cin7.settings_reference docs/neto_cin7.md"
    )


def test_every_reason_code_is_explained_and_none_that_does_not_exist() -> None:
    told = told_codes(PAGE, ("### What waits for you", "### What needs nobody"))
    assert len(told) == len(set(told)), "told twice"
    assert codes(neto_cin7) - set(told) == set()
    assert set(told) - codes(neto_cin7) == set()


def test_flows_and_checks_in_their_order() -> None:
    assert [words_of(row[1])[0] for row in table_after(PAGE, "## The flows")] == list(FLOWS)
    assert [words_of(row[0])[0] for row in table_after(PAGE, "| check | holds when |")] == list(CHECKS)


def test_the_example_is_a_configuration_that_is_accepted() -> None:
    text = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    given = YAML(typ="safe").load(text.group(1))
    NetoConnectionConfig.model_validate(given["connections"]["neto"])
    Cin7ConnectionConfig.model_validate(given["connections"]["omni"])
    settings = NetoCin7Settings.model_validate(given["integrations"]["neto_cin7"]["settings"])
    assert settings.enabled_flows() == ("contacts", "orders", "payments", "status_updates")


def test_settings_that_the_prose_names_exist() -> None:
    named = re.findall(r"`([a-z_]+)\.([a-z_]+)`", PAGE)
    assert named
    for group, field in named:
        model = NetoCin7Settings.model_fields.get(group)
        if model is not None:
            assert field in model.annotation.model_fields, f"{group}.{field}"  # type: ignore[union-attr]


def test_links_to_other_pages_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
