from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from ledger_pipelines_tests.unit.sandbox.netsuite.desk import BASE, Desk, vendor_in_memory


@pytest.fixture
def desk() -> Iterator[Desk]:
    vendor, clock, faults = vendor_in_memory()
    with TestClient(vendor.app, base_url=BASE) as http:
        yield Desk(vendor, clock, faults, http)
