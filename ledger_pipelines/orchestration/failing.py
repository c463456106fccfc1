"""How an error of ours ends a step: as a Failure that says what is wrong and what to do, and is not retried.

Belongs here: turning `LedgerError` into `dagster.Failure`. Does not belong here: what happens to single documents:
those have states, and never end a step (`assets.export`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from ledger_pipelines.errors import LedgerError
from ledger_pipelines.machine import explained
from ledger_pipelines.orchestration import metadata as m


def failure(error: LedgerError) -> dg.Failure:
    """The error as a person should read it. Never retried: reads are retried by the HTTP stack, writes by nobody."""
    return dg.Failure(
        description=str(error),
        metadata={m.REASON: f"{error.message} ({error.code})", m.REMEDY: error.remedy or "None is known."},
        allow_retries=False,
    )


@contextmanager
def told() -> Iterator[None]:
    """Errors of ours, and what the machine refuses, leave this block as Failures."""
    try:
        yield
    except LedgerError as error:
        raise failure(error) from error
    except Exception as error:
        refusal = explained(error)
        if refusal is None:
            raise
        raise failure(refusal) from error
