"""A Saasu for the session with the demo's books kept aside; without its limits, which have tests of their own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox


@pytest.fixture(scope="session")
def saasu_demo() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="demo", vendors=("saasu",)) as running:
        with httpx.Client(base_url=running.control_url, trust_env=False, timeout=60) as client:
            free = {"rate_limit": False, "daily_quota": None}
            client.post("/saasu/settings", json=free).raise_for_status()
            client.post("/snapshot", json={"name": "fresh"}).raise_for_status()
        yield running


@pytest.fixture(scope="session")
def saasu_control(saasu_demo: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=saasu_demo.control_url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def fresh(saasu_demo: RunningSandbox, saasu_control: httpx.Client) -> RunningSandbox:
    """The demo's books, no faults, no calls, the machine's time."""
    for path in ("/faults", "/calls"):
        saasu_control.delete(path).raise_for_status()
    saasu_control.post("/restore", json={"name": "fresh"}).raise_for_status()
    saasu_control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    return saasu_demo
