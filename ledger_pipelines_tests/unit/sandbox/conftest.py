from collections.abc import Iterator

import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.unit.sandbox.kit import Kit


@pytest.fixture(scope="session")
def amazon_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(seed="empty", vendors=("amazon",)) as sandbox:
        yield sandbox


@pytest.fixture
def kit(amazon_sandbox: RunningSandbox) -> Iterator[Kit]:
    kit = Kit(amazon_sandbox)
    assert kit.control.post("/reset", json={"seed": "empty"}).status_code == 200
    yield kit
    kit.close()
