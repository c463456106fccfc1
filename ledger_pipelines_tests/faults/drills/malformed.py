"""A corpus of files and answers that are not as they should be, each with the verdict it must get.

Belongs here: putting the corpora together, one item's verdict. Does not belong here: the items (`malformed_files`,
`malformed_corpus`), what is done with one (`malformed_dropped`, `malformed_answers`).

A later integration joins by adding its answers to `malformed_corpus`, or a corpus of another sort to `CORPORA` and `LEAST`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ledger_pipelines_tests.faults.drills import (
    malformed_answers,
    malformed_corpus,
    malformed_dropped,
    malformed_files,
)
from ledger_pipelines_tests.faults.kit import Drill, Verdict

LEAST: Mapping[str, int] = {"file": 80, "body": 60}
"""Fewer items of a corpus are no proof."""


class Item(Protocol):
    """What every item of a corpus has."""

    @property
    def name(self) -> str:
        """A case calls it so."""
        ...


Carried = tuple[list[str], dict[str, int]]
CORPORA: Mapping[str, tuple[Callable[[], Mapping[str, Item]], Callable[..., Carried]]] = {
    "file": (malformed_files.corpus, malformed_dropped.carry_out),
    "body": (malformed_corpus.bodies, malformed_answers.carry_out),
}
"""By name: the items, and what is done with one: (item, empty folder) -> (problems, figures)."""


class MalformedDrill(Drill):
    """See the module."""

    name = "malformed"
    shows = "a corpus of malformed files and answers with written verdicts: no traceback, the rest goes on"

    def prepare(self) -> None:
        """The corpora by name; too small a corpus is no proof."""
        self._items = {name: items() for name, (items, _) in CORPORA.items()}
        for name, items in self._items.items():
            if len(items) < LEAST[name]:
                raise ValueError(f"The corpus {name!r} has fewer than {LEAST[name]} items.")

    def cases(self) -> Sequence[str]:
        """Each item; in the fast tier every tenth, turned by the seed."""
        every = [f"{corpus}:{name}" for corpus, items in self._items.items() for name in items]
        return every[self.setting.seed % 10 :: 10] if self.setting.fast else every

    def carry_out(self, case: str) -> Verdict:
        """One item, in a folder of its own."""
        corpus, _, name = case.partition(":")
        folder = self.setting.folder / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        problems, figures = CORPORA[corpus][1](self._items[corpus][name], folder)
        return Verdict(case, tuple(problems), figures)


DRILL = MalformedDrill
