"""A Neto of its own for the session, with the demo's shop and an empty one kept aside."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.unit.systems.neto.store import Store


@pytest.fixture(scope="session")
def neto_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="demo", vendors=("neto",)) as running:
        with httpx.Client(base_url=running.control_url, trust_env=False) as control:
            # nothing here is about the limit, and a session makes more than 500 calls a minute
            control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
            control.post("/snapshot", json={"name": "demo"}).raise_for_status()
            control.post("/reset", json={"seed": "empty", "vendor": "neto"}).raise_for_status()
            control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()
            control.post("/snapshot", json={"name": "empty"}).raise_for_status()
        yield running


@pytest.fixture
def shop(neto_sandbox: RunningSandbox) -> Iterator[Store]:
    """The demo's shop, as it was when fresh."""
    with Store(neto_sandbox, "demo") as opened:
        yield opened


@pytest.fixture
def bare(neto_sandbox: RunningSandbox) -> Iterator[Store]:
    """A shop with lists only."""
    with Store(neto_sandbox, "empty") as opened:
        yield opened
