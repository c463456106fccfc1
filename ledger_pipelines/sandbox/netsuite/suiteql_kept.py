"""Answers to questions that were asked before, about books that have not changed since.

Belongs here: when a kept answer still holds. Does not belong here: what the answer is (suiteql). An answer holds while
nothing was written, no record waits to be shown in searches, and the question does not ask for the time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ledger_pipelines.sandbox.netsuite.company import Company

MOST_BYTES = 96 * 2**20


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came: who asks, the body, which page, at which address."""

    role: str
    body: str
    limit: int
    offset: int
    base: str


class KeptAnswers:
    """Whole answers by question; the ones not asked for longest go first."""

    def __init__(self, company: Company, most_bytes: int = MOST_BYTES):
        self._company = company
        self._most = most_bytes
        self._held = 0
        self._version = -1
        self._answers: OrderedDict[Asked, bytes] = OrderedDict()

    def get(self, asked: Asked) -> bytes | None:
        """The answer, if it still holds."""
        if not self._holds():
            return None
        found = self._answers.get(asked)
        if found is not None:
            self._answers.move_to_end(asked)
        return found

    def put(self, asked: Asked, answer: bytes) -> None:
        """Keep an answer, as of now."""
        if not self._holds() or len(answer) > self._most:
            return
        self._held += len(answer) - len(self._answers.pop(asked, b""))
        self._answers[asked] = answer
        while self._held > self._most:
            _, dropped = self._answers.popitem(last=False)
            self._held -= len(dropped)

    def forget(self) -> None:
        """Keep nothing (other features, a restored state)."""
        self._answers.clear()
        self._held = 0

    def _holds(self) -> bool:
        version = self._company.store.version
        if version != self._version:
            self.forget()
            self._version = version
        return not self._company.shows_late()
