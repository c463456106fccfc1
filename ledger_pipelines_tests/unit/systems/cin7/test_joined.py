"""A Cin7 connection of ledger.yaml as the commands and Dagster see it: secrets, `check`, `options`, snapshots."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ledger_pipelines.cli.app import main
from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines.orchestration.reading import open_connection
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.systems.cin7.connect import connect
from ledger_pipelines.systems.cin7.entities import ENTITIES
from ledger_pipelines_tests.faults.engine_target import START

TEXT = """
books: {{time_zone: Australia/Sydney}}
connections:
  omni:
    system: cin7
    sandbox: true
    base_url: {url}
    auth: {{username_env: CIN7_USER, key_env: CIN7_KEY}}
    seconds_between_calls: 0
    start_date: 2026-08-01
"""


@pytest.fixture
def project(fresh: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedConfig:
    file = tmp_path / "ledger.yaml"
    file.write_text(TEXT.format(url=fresh.base_urls["cin7"]), encoding="utf-8")
    monkeypatch.setenv("LEDGER_CONFIG", str(file))
    loaded = load_config(file, KINDS)
    for name, value in sandbox_environment(loaded.config, fresh.credentials).items():
        monkeypatch.setenv(name, value)
    return loaded


def test_check_and_options_ask_the_account(project: LoadedConfig, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json"]) == 0
    told = {
        one["what"]: one["ok"] for one in json.loads(capsys.readouterr().out) if one["connection"] == "omni"
    }
    assert told == {"secrets": True, "login": True, "modules": True, "quota": True, "clock": True}
    assert main(["options", "omni", "branches", "--json"]) == 0
    assert "Main warehouse" in capsys.readouterr().out


def test_each_entity_is_an_asset_and_is_read_through_the_connection(project: LoadedConfig) -> None:
    keys = {
        tuple(key.path)
        for one in build_definitions(project).assets or ()
        for key in getattr(one, "keys", ())
        if key.path[0] == "omni"
    }
    assert keys == {("omni", name) for name in ENTITIES}
    with open_connection(project, "omni", "run") as reading:
        assert list(reading.known) == list(ENTITIES)
        parts = list(
            reading.reader.read_changes(reading.entity("branches"), START, START + timedelta(days=1))
        )
        assert [row[1] for part in parts for row in part.cells] == ["Main warehouse", "Shed"]
        assert reading.calls() == 1
        with pytest.raises(ConfigurationError, match="Cin7 has no entity 'invoices'"):
            reading.entity("invoices")


def test_a_secret_that_is_not_set_is_named_before_any_call(
    project: LoadedConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CIN7_KEY")
    with pytest.raises(ConfigurationError, match="CIN7_KEY is not set"):
        connect("omni", project.config.cin7("omni"), state_folder=tmp_path)
