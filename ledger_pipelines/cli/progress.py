"""How far something is, told on stderr where a person is looking.

Belongs here: the bar. Does not belong here: what is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger_pipelines.cli.output import err
from ledger_pipelines.telling import Progress


@contextmanager
def progress(*, shown: bool = True) -> Iterator[Progress]:
    """A bar on stderr, where a person is looking."""
    if not shown or not err().is_terminal:
        yield lambda _what, _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    with Bar(
        TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), console=err(), transient=True
    ) as bar:
        task = bar.add_task("")

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield tell
