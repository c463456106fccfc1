"""What the drills have to know of an integration, whatever drives it: files that arrive, or days that pass.

Belongs here: the words. Does not belong here: any integration (`settlement_entry`, `shop_entry`), the list (`entries`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Entry as Row
from ledger_pipelines_tests.faults.drill_books import Picture, doubles
from ledger_pipelines_tests.faults.drill_cases import (
    ALL_TROUBLES,
    SYSTEMS,
    known_to,
    points,
)
from ledger_pipelines_tests.faults.money_amounts import MoneyPath

S = TypeVar("S")
"""How an installation of the integration is held: `stage.Stage`, `shop_stage.ShopStage`."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One piece of business: what arrives, and the partition it makes.

    Args:
        name: What a case calls it.
        partition: The partition an export of it has; "" where a run finds its partitions itself.
        content: The file that arrives, for integrations that files drive.
        kinds: Kinds of documents that must come of it in the target, with their least number: an undisturbed run that
            makes fewer fails the drill, since nothing would be proved.
    """

    name: str
    partition: str
    content: bytes = b""
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry(Generic[S]):
    """One integration, as the drills see it. `kept`: a folder of the scene, which outlives the installations.

    Args:
        name: The integration.
        targets: The sandbox's vendors that are written to.
        vendors: The sandbox's vendors that it needs at all.
        writes: Which calls write documents, each in the words of a fault of the sandbox: vendor, method, path, header. A "rate" of
            its own, where there are few of them, makes a case strike the first for certain.
        scenes: By name; "small" is the one most cases use.
        open: Opens an installation: (sandbox, empty folder) -> stage.
        prepare: Makes the books as they are before the scene, and what an installation has by then: (stage, scene, kept).
        place: What arrives at a fresh installation on such books: (stage, scene, kept, with something to be refused).
        live: One run of the product; its exit code: (stage, partition).
        live_days: The same over some days, of an integration by days; without any, over those it finds itself.
        lasts: Seconds of the sandbox's time that preparing takes: commands live in real time, which comes after.
        made: How many documents of each kind a scene has made in the target: (stage, scene).
        names: What each document of ours in the target is known by, doubles included.
        intended: External ids there, each of which has to have an intent of its own in the journal.
        by_hand: Ids of what a person finds in the target for a row whose search does not show it: (stage, row).
        around: What else must hold once all is done: (stage, something was to be refused); sentences. Asked before the
            picture is taken.
        written: Calls so far that write documents.
        picture: The target's books in a form in which two runs can be compared, read from the sandbox.
        lacks: Beginnings of other fault points that no run of it reaches.
        money: The paths that amounts take through its formats and its target (`money_amounts.MoneyPath`).
        every: A crash is tried after each so-manieth durable operation,
        reaches: at a point's first and last reach (2), or at a chosen one (1),
        crossed: and so many are crossed with each trouble; 4: all that are thought of.
        again: What the target refused since it was there already, as far as it keeps that.
        beyond: Troubles that no program can withstand at such a target: it takes no key of ours, and writes twice what a
            proxy sends twice.
        throttled: Seconds after which a throttled connection goes on.
        lags: How late its searches show what was written, in the drill `lag`: seconds.
        mirrors: Kinds of records that hold no more than a status of others, and are brought up to date.
        lates: How late requests are applied there. Beyond the window only where the target knows a key of ours: of others
            (class B) nobody can tell, see `drills.lag`.
        sleeps: Where one of several appliers falls asleep, in the drill `race`.
        appliers: How many there are of one plan.
        logs_in: Whether it asks for a token by a call of its own; else every call carries what lets it in.
    """

    name: str
    targets: tuple[str, ...]
    vendors: tuple[str, ...]
    writes: Sequence[Mapping[str, Any]]
    scenes: Mapping[str, Scene]
    open: Callable[[RunningSandbox, Path], S]
    prepare: Callable[[S, Scene, Path], None]
    place: Callable[[S, Scene, Path, bool], None]
    live: Callable[[S, str], int]
    made: Callable[[S, Scene], Mapping[str, int]]
    names: Callable[[S], Sequence[str]]
    intended: Callable[[S], set[str]]
    by_hand: Callable[[S, Row], Sequence[str]]
    around: Callable[[S, bool], Sequence[str]]
    written: Callable[[S], int]
    picture: Callable[[S], Picture]
    money: Callable[[], Sequence[MoneyPath]]
    live_days: Callable[[S, Sequence[date]], int] | None = None
    lasts: float = 0.0
    lacks: tuple[str, ...] = ()
    every: int = 6
    reaches: int = 2
    crossed: int = 4
    again: Callable[[S], Sequence[str]] = lambda _: ()
    beyond: frozenset[str] = frozenset()
    throttled: float = 0.0
    lags: tuple[int, ...] = (2, 12, 19, 45, 90)
    mirrors: tuple[str, ...] = ()
    lates: tuple[int, ...] = (2, 12, 19, 45, 90)
    sleeps: tuple[str, ...] = ("apply.marked_sent", "apply.after_send")
    appliers: int = 4
    logs_in: bool = True

    @property
    def target(self) -> str:
        """The vendor that is written to first."""
        return self.targets[0]

    def doubles(self, stage: S) -> list[str]:
        """What is in the target more than once."""
        return doubles(self.names(stage))

    @property
    def path(self) -> str:
        """Regular expression of the paths of calls that write to it."""
        return str(self.writes[0].get("path", "."))

    def points(self) -> list[str]:
        """The fault points that its runs reach: not those of the writers of other targets."""
        others = tuple(f"{name}." for name in SYSTEMS - set(self.targets))
        return [point for point in points() if not point.startswith((*others, *self.lacks))]

    def troubles(self) -> list[str]:
        """What can go wrong at its targets, as far as a program can withstand it."""
        return [
            name
            for name, rules in ALL_TROUBLES.items()
            if name not in self.beyond
            and any(all(known_to(rule, target) for rule in rules) for target in self.targets)
        ]

    def answers(self) -> tuple[str, ...]:
        """Points of its own writers."""
        return tuple(point for point in points() if point.startswith(tuple(f"{t}." for t in self.targets)))
