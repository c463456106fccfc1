"""How far something is, told to whoever listens; and who it was that asked for it.

Belongs here: the two words that every room uses for that. Does not belong here: showing it (`cli.progress`, Dagster's log).
"""

from __future__ import annotations

import os
from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told (what, done, total)."""


def silent(what: str, done: int, total: int) -> None:
    """For callers that show nothing."""
    del what, done, total


def tell(progress: Progress | None, what: str, done: int, total: int) -> None:
    """Tell, where somebody listens."""
    if progress is not None:
        progress(what, done, total)


def who_asks() -> str:
    """The user of this process, for the journal's log."""
    return os.environ.get("USER", "") or "ledger-pipelines"
