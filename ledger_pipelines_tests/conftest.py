"""Fixtures of all tests: the folder of real files, a sandbox for the session, the whole integration on it.

Belongs here: what more than one room of tests needs. Does not belong here: assertions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.stage import Stage, stage_on

# A limit on the time of an example tests how busy the machine is.
hypothesis.settings.register_profile(
    "ledger", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ledger")

_SAMPLES = Path(__file__).parents[1] / "../shared/samples/settlements"


@pytest.fixture(scope="session")
def samples_folder() -> Path:
    """The folder of real settlement files; skips where there is none."""
    folder = Path(os.environ.get("LEDGER_SAMPLES", _SAMPLES))
    if not folder.is_dir():
        pytest.skip("no real settlement files here; set LEDGER_SAMPLES to their folder")
    return folder


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[RunningSandbox]:
    """One sandbox for the session, with the demo's books kept aside."""
    with running_sandbox(seed="demo") as sandbox:
        httpx.post(
            f"{sandbox.control_url}/snapshot", json={"name": "fresh"}, trust_env=False
        ).raise_for_status()
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: RunningSandbox) -> RunningSandbox:
    """The session's sandbox as it was when fresh: the demo's books, no faults, no calls, the machine's time."""
    with httpx.Client(base_url=shared_sandbox.control_url, trust_env=False) as control:
        for path in ("/faults", "/calls"):
            control.delete(path).raise_for_status()
        control.post("/restore", json={"name": "fresh"}).raise_for_status()
        control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    return shared_sandbox


@pytest.fixture
def stage(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Stage]:
    """The shipped configuration on that sandbox, with its data in a temporary folder."""
    staged = stage_on(sandbox, tmp_path)
    yield staged
    staged.close()
