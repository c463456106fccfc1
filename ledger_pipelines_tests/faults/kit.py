"""What a drill is: cases with names, a verdict for each, points that must be reached, and how each is carried out.

Belongs here: the words that all drills share. Does not belong here: any drill (`drills/`), the command (`__main__`),
what the drills are pointed at (`entries`), planted bugs (`mutants`).
"""

from __future__ import annotations

import contextlib
import traceback
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import ClassVar, Self

LONGEST_PROBLEM = 400


class Tier(StrEnum):
    """How much of a drill is carried out: FAST is part of `make test`, FULL is `make drill`."""

    FAST = "fast"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of a drill.

    Args:
        seed: Chooses whatever is chosen; the same seed makes the same cases.
        tier: How much.
        folder: Empty, for the drill's own use.
        mutant: Name of a planted bug that is in force ("" = none), see `mutants`.
        part: Only the cases of this part of the drill ("" = all), see `Drill.parts`.
    """

    seed: int
    tier: Tier
    folder: Path
    mutant: str = ""
    part: str = ""

    @property
    def fast(self) -> bool:
        """Whether only the short form is asked for."""
        return self.tier is Tier.FAST


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one case.

    Args:
        case: Its name.
        problems: What does not hold, each a sentence; empty when all holds.
        figures: What was counted, by name; summed over cases in the drill's report ("lost", "doubled", "kills", ...).
        reached: Named points that were really reached.
        repeat: The name of the smallest case that shows the problem again; "" = this case.
        seconds: How long it took; filled in by `carried_out`.
    """

    case: str
    problems: tuple[str, ...] = ()
    figures: Mapping[str, int] = field(default_factory=dict)
    reached: frozenset[str] = frozenset()
    repeat: str = ""
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class Drill(ABC):
    """One row of the table in docs/reliability.md.

    Used as a context manager: `stack` holds what has to be closed. Class attributes:

    * name: What a person types.
    * shows: One line: what is shown.
    * shards: In how many processes its cases may be carried out side by side.
    * weight: About how long a share takes beside those of other drills: the long ones start first. In minutes of CPU.
    * parts: Instead of shards: parts with preparations of their own, each of them one process's, with their weights. `cases`
      looks at `Setting.part`.
    * waits: Whether it mostly waits, for processes to start and time to pass: it goes well with those that calculate.
    """

    name: ClassVar[str]
    shows: ClassVar[str]
    shards: ClassVar[int] = 1
    weight: ClassVar[int] = 1
    parts: ClassVar[Mapping[str, int]] = {}
    waits: ClassVar[bool] = False

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.stack.__enter__()
        try:
            self.prepare()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.__exit__(kind, error, trace)

    def prepare(self) -> None:  # noqa: B027 - a drill without preparations is complete
        """What has to be there before cases can be named or carried out."""

    @classmethod
    def shares(cls) -> Sequence[tuple[int, str]]:
        """In how many processes it is carried out in the full tier: of each the weight, and the part ("" = its n-th case each)."""
        return [(weight, name) for name, weight in cls.parts.items()] or [(cls.weight, "")] * cls.shards

    @abstractmethod
    def cases(self) -> Sequence[str]:
        """The names of the cases of this tier and seed, each different, each accepted by `carry_out` on its own."""

    @abstractmethod
    def carry_out(self, case: str) -> Verdict:
        """Carry out one case, on its own: whatever earlier cases left must not matter."""

    def must_reach(self) -> Collection[str]:
        """Named points that the cases of this tier have to reach together; one missing fails the drill."""
        return ()


def carried_out(drill: Drill, case: str) -> Verdict:
    """The verdict of a case; a drill that breaks down is a problem of that case, not the end of the others."""
    started = monotonic()
    try:
        verdict = drill.carry_out(case)
    except Exception as error:  # noqa: BLE001 - a harness: whatever broke is reported as the failure it is
        lines = traceback.format_exc().strip().splitlines()
        place = next((line.strip() for line in reversed(lines) if line.strip().startswith("File ")), "")
        verdict = Verdict(case, (f"the drill broke down: {type(error).__name__}: {error} ({place})",))
    return replace(verdict, seconds=round(monotonic() - started, 2))


def short(problem: str) -> str:
    """A problem on one line that a terminal can show."""
    flat = " ".join(problem.split())
    return flat if len(flat) <= LONGEST_PROBLEM else flat[:LONGEST_PROBLEM] + " ..."
