"""The file that is shipped, and what is said about every field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ledger_pipelines.config.connections import (
    AmazonConnectionConfig,
    NetSuiteConnectionConfig,
    TokenBased,
    missing_variables,
)
from ledger_pipelines.config.descriptions import descriptions
from ledger_pipelines.config.load import integration_model, load_config
from ledger_pipelines.config.models import LedgerConfig
from ledger_pipelines.config.problems import models_at
from ledger_pipelines.config.schema import json_schema
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings
from ledger_pipelines.integrations.kinds import KINDS

SHIPPED = Path(__file__).parents[3] / "ledger.yaml"


def test_the_shipped_file_is_accepted_whole_and_runs_on_the_sandbox_only() -> None:
    loaded = load_config(SHIPPED, KINDS)
    assert [str(problem) for problem in loaded.problems] == []
    config = loaded.config
    assert config.amazon("amazon_us").url == "http://127.0.0.1:8707"
    assert config.netsuite("netsuite").url == "http://127.0.0.1:8706"
    assert all(connection.sandbox for connection in config.connections.values())
    assert config.integration("amazon_netsuite").mode is Mode.LIVE


def test_the_shipped_file_names_variables_and_holds_no_secret() -> None:
    config = load_config(SHIPPED, KINDS).config
    needed = missing_variables(config.netsuite("netsuite"), {})
    assert needed == (
        "LEDGER_NETSUITE_CLIENT_ID",
        "LEDGER_NETSUITE_CERTIFICATE_ID",
        "LEDGER_NETSUITE_PRIVATE_KEY",
    )
    assert missing_variables(config.amazon("amazon_us"), {"LEDGER_AMAZON_CLIENT_ID": "x"}) == (
        "LEDGER_AMAZON_CLIENT_SECRET",
        "LEDGER_AMAZON_REFRESH_TOKEN",
    )
    assert "BEGIN" not in SHIPPED.read_text()


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for name in model.model_fields:
        for probe in ((name,), (name, "x"), (name, 0)):
            for found in models_at(model, probe):
                yield from models(found, seen)


ROOTS: list[type[BaseModel]] = [
    LedgerConfig,
    NetSuiteConnectionConfig,
    AmazonConnectionConfig,
    TokenBased,
    integration_model("amazon_netsuite", AmazonNetSuiteSettings),
]


@pytest.mark.parametrize("root", ROOTS)
def test_every_field_is_described(root: type[BaseModel]) -> None:
    bare = [
        f"{model.__name__}.{name}"
        for model in models(root, set())
        for name in model.model_fields
        # A group of settings is described by its own class.
        if not descriptions(model).get(name, "").strip()
        and not any(one.__doc__ for one in models_at(model, (name,)))
    ]
    assert bare == []


def test_the_schema_knows_the_settings_of_the_integration_and_refuses_other_words() -> None:
    schema: dict[str, Any] = json_schema(KINDS)
    definitions = schema["$defs"]
    assert definitions["Journal"]["properties"]["carried_forward_account"]["description"].startswith(
        "Balance-sheet"
    )
    assert definitions["AmazonNetsuiteIntegration"]["properties"]["kind"]["const"] == "amazon_netsuite"
    assert all(
        one.get("additionalProperties") is False
        for one in definitions.values()
        if one.get("type") == "object"
    )
    assert {"NetSuiteConnectionConfig", "AmazonConnectionConfig"} <= set(definitions)
