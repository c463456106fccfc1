"""What of two connections is read for a flow.

Belongs here: sets of entities of source and target. Does not belong here: which flow reads what (`kinds`), reading
(`assets.snapshots`). What is not read costs no call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reads:
    """Names of entities of the source and of the target."""

    source: frozenset[str] = frozenset()
    target: frozenset[str] = frozenset()

    @classmethod
    def of(cls, source: str, target: str) -> Reads:
        """From names with blanks between them."""
        return cls(frozenset(source.split()), frozenset(target.split()))

    def __or__(self, other: Reads) -> Reads:
        return Reads(self.source | other.source, self.target | other.target)


def together(reads: Iterable[Reads]) -> Reads:
    """All of them."""
    found = Reads()
    for one in reads:
        found |= one
    return found
