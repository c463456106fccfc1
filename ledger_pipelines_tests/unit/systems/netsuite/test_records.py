"""Reading one record: what is none is refused, and not read as an empty one."""

from __future__ import annotations

import httpx
import pytest

from ledger_pipelines.errors import TransientError
from ledger_pipelines.systems.netsuite.batch import Batches
from ledger_pipelines.systems.netsuite.client import JOB
from ledger_pipelines.systems.netsuite.records import Records
from ledger_pipelines_tests.unit.systems.netsuite.fake import FakeNetSuite


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"a":"caf\xe9"}', b"[" * 100_000])
def test_an_answer_that_is_no_record_is_refused_by_name(body: bytes) -> None:
    fake = FakeNetSuite().on(".*", httpx.Response(200, content=body))
    with pytest.raises(
        TransientError, match=r"NetSuite.*GET /services/rest/record/v1/invoice/\{id\}"
    ) as refused:
        Records(fake.client()).get("invoice", "5012")
    assert refused.value.remedy


def test_the_state_of_a_job_that_cannot_be_read_is_an_error_of_the_read() -> None:
    fake = FakeNetSuite().on(".*", httpx.Response(200, content=b"{"))
    with pytest.raises(TransientError, match="cut or no JSON"):
        Batches(fake.client()).completed(f"{JOB}77")
