"""What the drills are pointed at: one entry an integration. A later integration joins every drill by adding its entry.

Belongs here: what a drill has to know of an integration: its scenes, its target, how an installation of it is opened.
Does not belong here: faults, verdicts, anything that runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines_tests.faults import money_amazon, money_netsuite
from ledger_pipelines_tests.faults.drill_books import Picture, picture
from ledger_pipelines_tests.faults.drill_cases import FILES
from ledger_pipelines_tests.faults.money_amounts import MoneyPath
from ledger_pipelines_tests.stage import Stage, stage_on


@dataclass(frozen=True, slots=True)
class Scene:
    """One piece of business: what arrives, and the partition it makes.

    Args:
        name: What a case calls it.
        partition: The partition an export of it has.
        content: The file that arrives, for integrations that files drive.
        kinds: Kinds of documents that must come of it in the target, with their least number: an undisturbed run that
            makes fewer fails the drill, since nothing would be proved.
    """

    name: str
    partition: str
    content: bytes
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One integration, as the drills see it.

    Args:
        name: The integration.
        target: The sandbox's vendor that is written to.
        writes: Regular expression of the paths of calls that write documents.
        scenes: By name; "small" is the one most cases use.
        open: Opens an installation: (sandbox, empty folder) -> Stage.
        picture: The target's books in a form in which two runs can be compared, read from the sandbox.
        money: The paths that amounts take through its formats and its target (`money_amounts.MoneyPath`).
        hurry: Lets the sandbox do at once what it does a moment later, so that a thousand cases take minutes.
    """

    name: str
    target: str
    writes: str
    scenes: Mapping[str, Scene]
    open: Callable[[RunningSandbox, Path], Stage]
    picture: Callable[[Stage], Picture]
    money: Callable[[], Sequence[MoneyPath]]
    hurry: Callable[[Stage], None] = lambda stage: None

    def __post_init__(self) -> None:
        re.compile(self.writes)


def _amazon_picture(stage: Stage) -> Picture:
    books = stage.books()
    return picture(books.dump, books.trial)


def _netsuite_hurry(stage: Stage) -> None:
    features = stage.control.post("/netsuite/features", json={"asyncDelaySeconds": 0.002})
    features.raise_for_status()


_WRITTEN = {
    "small": {"customerPayment": 3, "creditMemo": 2, "customerRefund": 2, "journalEntry": 1},
    "demo": {"customerPayment": 2, "journalEntry": 1},
    "wide": {"customerPayment": 101, "journalEntry": 1},
}

ENTRIES: Mapping[str, Entry] = {
    "amazon_netsuite": Entry(
        name="amazon_netsuite",
        target="netsuite",
        writes="/record/v1/",
        scenes={name: Scene(name, *FILES[name], _WRITTEN[name]) for name in FILES},
        open=stage_on,
        picture=_amazon_picture,
        hurry=_netsuite_hurry,
        money=lambda: (*money_amazon.paths(), *money_netsuite.paths()),
    )
}
