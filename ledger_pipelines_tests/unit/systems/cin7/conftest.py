"""A Cin7 for the session with the demo's records kept aside; without its limits, which have tests of their own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox

FREE = {"per_second": 100_000, "per_minute": 1_000_000, "per_day": 1_000_000}


@pytest.fixture(scope="session")
def cin7_demo() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="demo", vendors=("cin7",)) as running:
        with httpx.Client(base_url=running.control_url, trust_env=False, timeout=60) as client:
            client.post("/cin7/settings", json=FREE).raise_for_status()
            client.post("/snapshot", json={"name": "fresh"}).raise_for_status()
        yield running


@pytest.fixture(scope="session")
def cin7_control(cin7_demo: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=cin7_demo.control_url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def fresh(cin7_demo: RunningSandbox, cin7_control: httpx.Client) -> RunningSandbox:
    """The demo's records, no faults, no calls, the machine's time."""
    for path in ("/faults", "/calls"):
        cin7_control.delete(path).raise_for_status()
    cin7_control.post("/restore", json={"name": "fresh"}).raise_for_status()
    cin7_control.post("/cin7/settings", json=FREE).raise_for_status()
    cin7_control.post("/clock", json={"offset_seconds": 0}).raise_for_status()
    return cin7_demo
