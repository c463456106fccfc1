"""Mode `plan`, and everything a person can press in it.

Belongs here: pressing, and what must be said. Does not belong here: looking at what arrived (`drills.plan`).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from unittest import mock

import dagster as dg
from ruamel.yaml import YAML

from ledger_pipelines.cli import main
from ledger_pipelines.config.load import load_config
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.orchestration.build import build_definitions
from ledger_pipelines_tests.stage import Stage


def pressed(what: str, integration: str, stage: Stage, partition: str, *, blocked: bool) -> list[str]:
    """Press everything; sentences for what was said wrongly.

    Args:
        what: `cli`, `dagster`, or `default`: the command line with no `mode` in the configuration at all.
        integration, partition: Of what.
        blocked: Whether a row waits for a person: exit codes are 1 then.
    """
    path = stage.folder / "ledger.yaml"
    yaml = YAML()
    document = yaml.load(path.read_text())
    document["integrations"][integration]["mode"] = "plan"
    if what == "default":
        del document["integrations"][integration]["mode"]
    with path.open("w") as out:
        yaml.dump(document, out)
    stage.close_service()
    if what == "dagster":
        return _materialize(stage, integration, partition)
    expected = int(blocked)
    problems = []
    with mock.patch.dict(os.environ, {"LEDGER_CONFIG": str(path)}):
        for command in (
            ["plan", integration],
            ["plan", integration, "--partition", partition],
            ["run", integration],
            ["run", integration, "--partition", partition],
            ["resume", integration],
        ):
            code, said = call(command)
            wanted = 0 if command[0] == "resume" else expected
            if code != wanted:
                problems.append(f"{' '.join(command)} ends with {code}, not {wanted}: {said[-300:]}")
        for command in (
            ["plan", "nobody"],
            ["run", integration, "no_such_flow"],
            ["run", integration, "--partition", "9"],
        ):
            code, said = call(command)
            if code != 2:
                problems.append(f"{' '.join(command)} ends with {code}, not 2: {said[-300:]}")
    return problems


def call(command: list[str], *, as_json: bool = True) -> tuple[int, str]:
    """One command in this process: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*command, "--json"] if as_json else command)
    if as_json and out.getvalue():
        json.loads(out.getvalue())
    return code, out.getvalue() + err.getvalue()


def _materialize(stage: Stage, integration: str, partition: str) -> list[str]:
    loaded = load_config(stage.folder / "ledger.yaml", KINDS)
    definitions = build_definitions(loaded)
    source = loaded.config.integration(integration).source
    with dg.DagsterInstance.ephemeral() as instance, contextlib.redirect_stderr(io.StringIO()):
        instance.add_dynamic_partitions(f"{source}_settlements", [partition])
        result = definitions.resolve_job_def(f"{integration}_settlement").execute_in_process(
            instance=instance, partition_key=partition, raise_on_error=False
        )
        modes = {
            str(event.materialization.metadata["mode"].value)
            for event in result.get_asset_materialization_events()
            if "mode" in event.materialization.metadata
        }
    problems = [] if result.success else ["the run in mode plan failed"]
    return problems if modes == {"plan"} else [*problems, f"the exports say mode {modes}"]
