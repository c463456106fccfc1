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


def test_what_was_made_is_not_looked_through_when_the_block_ends() -> None:
    with making_many():
        made = [[number] for number in range(50_000)]
    assert len(gc.get_objects(generation=0)) < 5_000
    assert len(made) == 50_000
