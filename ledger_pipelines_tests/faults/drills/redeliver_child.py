"""A process that receives one file at the same moment as another.

Belongs here: the process. Does not belong here: verdicts (`redeliver`). Imported by a fork server.
"""

from __future__ import annotations

from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from ledger_pipelines.config.load import load_config
from ledger_pipelines.errors import LedgerError
from ledger_pipelines.integrations.amazon_netsuite.intake import Arrivals
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines_tests.faults import mutants


def receive(config: str, connection: str, path: str, barrier: Barrier, answers: Queue[str]) -> None:
    """Take the file in once the other process is ready, too; answers what came of it."""
    mutants.install_from_environment()
    try:
        arrivals = Arrivals.of(load_config(Path(config), KINDS), connection)
        barrier.wait(60)
        answers.put(arrivals.take(Path(path)).status.value)
    except LedgerError as error:
        answers.put(error.code)
    except Exception as error:  # noqa: BLE001 - a traceback is what must not happen
        answers.put(f"traceback {type(error).__name__}: {error}")
