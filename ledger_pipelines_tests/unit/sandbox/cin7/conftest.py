"""An Omni account of its own for the session; empty again for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.unit.sandbox.cin7.desk import Desk


@pytest.fixture(scope="session")
def cin7_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("cin7",)) as sandbox:
        httpx.post(
            f"{sandbox.control_url}/snapshot", json={"name": "empty"}, trust_env=False
        ).raise_for_status()
        yield sandbox


@pytest.fixture
def desk(cin7_sandbox: RunningSandbox) -> Iterator[Desk]:
    with httpx.Client(base_url=cin7_sandbox.control_url, trust_env=False, verify=False) as control:
        control.delete("/faults").raise_for_status()
        control.post("/restore", json={"name": "empty"}).raise_for_status()
        control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    made = Desk(cin7_sandbox)
    yield made
    made.close()
