"""A Neto of its own for the session; empty again for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.unit.sandbox.neto.desk import Desk


@pytest.fixture(scope="session")
def neto_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("neto",)) as sandbox:
        httpx.post(
            f"{sandbox.control_url}/snapshot", json={"name": "empty"}, trust_env=False
        ).raise_for_status()
        yield sandbox


@pytest.fixture
def desk(neto_sandbox: RunningSandbox) -> Iterator[Desk]:
    with httpx.Client(base_url=neto_sandbox.control_url, trust_env=False) as control:
        control.delete("/faults").raise_for_status()
        control.post("/restore", json={"name": "empty"}).raise_for_status()
        control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    made = Desk(neto_sandbox)
    yield made
    made.close()
