"""The collector rests while many values are made, and works again afterwards, whatever happened."""

from __future__ import annotations

import gc

import pytest

from ledger_pipelines.memory import making_many


def test_the_collector_rests_in_the_outermost_block_and_works_after_an_error() -> None:
    assert gc.isenabled()
    with making_many():
        with making_many():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="broken"), making_many():
        raise ValueError("broken")
    assert gc.isenabled()
