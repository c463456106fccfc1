"""What Dagster tests share: the shipped configuration on a sandbox of their own, and what became of a run.

Belongs here: set-up and questions. Does not belong here: assertions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest

from ledger_pipelines.cli.processes import sandbox_environment
from ledger_pipelines.config.load import LoadedConfig, load_config
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.sandbox.amazon.demo_files import demo_settlement_files
from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox

SHIPPED = Path(__file__).parents[2] / "ledger.yaml"
PORTS = {"netsuite": 8706, "amazon": 8707, "neto": 8701, "saasu": 8702, "cin7": 8703}


def configuration(folder: Path, addresses: Mapping[str, str] | None = None, **changes: str) -> LoadedConfig:
    """The shipped ledger.yaml with its data in `folder` and the sandbox elsewhere; `changes`: text for text."""
    text = SHIPPED.read_text()
    for vendor, port in PORTS.items():
        if addresses:
            text = text.replace(f"http://127.0.0.1:{port}", addresses[vendor])
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    path = folder / "ledger.yaml"
    path.write_text(text)
    return load(path)


def load(path: Path) -> LoadedConfig:
    """A configuration file, with every kind of integration there is."""
    return load_config(path, KINDS)


@contextmanager
def on_sandbox(
    folder: Path, patch: pytest.MonkeyPatch, **changes: str
) -> Iterator[tuple[LoadedConfig, RunningSandbox]]:
    """The shipped configuration against a sandbox with the demo's books, in this process."""
    with running_sandbox(seed="demo") as sandbox:
        loaded = configuration(folder, sandbox.base_urls, **changes)
        for name, value in sandbox_environment(loaded.config, sandbox.credentials).items():
            patch.setenv(name, value)
        yield loaded, sandbox


def demo_file(folder: Path, number: int = 0) -> Path:
    """One of the demo's settlement files (26000000001 to 26000000003) in a folder."""
    demo = demo_settlement_files()[number]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / demo.name
    path.write_bytes(demo.content)
    return path


def trial_balance(sandbox: RunningSandbox) -> Any:
    """The sandbox's own books."""
    return (
        httpx.get(f"{sandbox.control_url}/trial-balance/netsuite", trust_env=False).raise_for_status().json()
    )


def writes(sandbox: RunningSandbox) -> int:
    """Calls that write, as the sandbox counted them."""
    counted = httpx.get(f"{sandbox.control_url}/calls", trust_env=False).raise_for_status().json()
    return sum(
        one["count"]
        for one in counted["calls"]
        if one["vendor"] == "netsuite"
        and one["method"] in {"POST", "PUT", "PATCH", "DELETE"}
        and "suiteql" not in one["path"]
        and "token" not in one["path"]
    )


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """What failed, in words."""
    return [
        str(event.event_specific_data.error.message)
        for event in result.all_events
        if event.event_type_value == "STEP_FAILURE"
    ]
