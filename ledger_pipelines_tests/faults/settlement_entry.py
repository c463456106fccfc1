"""What the drills have to know of an integration that settlement files drive.

Belongs here: `amazon_netsuite` in the drills' words. Does not belong here: faults, verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from ledger_pipelines.storage.journal import Entry as Row
from ledger_pipelines_tests.faults import money_amazon, money_netsuite
from ledger_pipelines_tests.faults.drill_books import Picture, picture
from ledger_pipelines_tests.faults.drill_cases import FILES, SMALL
from ledger_pipelines_tests.faults.entry import Entry, Scene
from ledger_pipelines_tests.stage import Stage, stage_on

OPEN, PARKED = 1, 4
_WRITTEN = {
    "small": {"customerPayment": 3, "creditMemo": 2, "customerRefund": 2, "journalEntry": 1},
    "demo": {"customerPayment": 2, "journalEntry": 1},
    "wide": {"customerPayment": 101, "journalEntry": 1},
}
_ARRIVING = ("a.txt", "b.txt")
"""A file under two names: the second is recognised."""
_BAD = "bad.txt"


def _picture(stage: Stage) -> Picture:
    books = stage.books()
    return picture(books.dump, books.trial)


def _prepare(stage: Stage, scene: Scene, kept: Path) -> None:
    del kept
    stage.control.post("/reset", json={"seed": "demo"}).raise_for_status()
    hurry(stage)
    if scene.name != "demo":
        stage.arrive(scene.content, name="prepare.txt")


def hurry(stage: Stage) -> None:
    """Let the sandbox do at once what it does a moment later, so that a thousand cases take minutes."""
    features = stage.control.post("/netsuite/features", json={"asyncDelaySeconds": 0.002})
    features.raise_for_status()


def _place(stage: Stage, scene: Scene, kept: Path, refused: bool) -> None:
    del kept
    for name in _ARRIVING:
        (stage.drop / name).write_bytes(scene.content)
    if refused:
        bad = replace(SMALL, settlement_id="26700000009").v2(total=Decimal("0.01"))
        (stage.drop / _BAD).write_bytes(bad)


def _live(stage: Stage, partition: str) -> int:
    """Take in what lies in the drop folder, run the partition."""
    for path in sorted(p for p in stage.drop.iterdir() if p.is_file()):
        stage.service.receive(path)
    result = stage.run(partition)
    if any(flow.result.parked is not None for flow in result.flows):
        return PARKED
    return result.exit_code or (OPEN if stage.unfinished() else 0)


def _made(stage: Stage, scene: Scene) -> Mapping[str, int]:
    books = stage.books()
    return {kind: len(books.ours(kind, scene.partition)) for kind in scene.kinds}


def _again(stage: Stage) -> Sequence[str]:
    """Records of batches."""
    tasks = stage.books().dump["tasks"]
    return [str(one["request"]) for one in tasks if "already exists" in str(one.get("body"))]


def _by_hand(stage: Stage, row: Row) -> Sequence[str]:
    there = [record for kind in stage.books().dump["records"].values() for record in kind]
    return [str(one["id"]) for one in there if one.get("externalId") == row.effect.external_id]


def _around(stage: Stage, refused: bool) -> Sequence[str]:
    """Where the files are."""
    drop = stage.drop
    kept = {path.name for path in drop.iterdir() if path.is_file()}
    problems = []
    if not set(_ARRIVING) <= kept:
        problems.append(f"a file left the drop folder: {sorted(kept)}")
    if refused:
        aside = sorted(path.name for path in (drop / "refused").iterdir())
        if _BAD in kept or _BAD not in aside or f"{_BAD}.reason.txt" not in aside:
            problems.append(f"the refused file is not where it belongs: drop {sorted(kept)}, refused {aside}")
    return problems


AMAZON_NETSUITE: Entry[Stage] = Entry(
    name="amazon_netsuite",
    targets=("netsuite",),
    vendors=("amazon", "netsuite"),
    writes=({"vendor": "netsuite", "path": "/record/v1/"},),
    scenes={name: Scene(name, *FILES[name], _WRITTEN[name]) for name in FILES},
    open=stage_on,
    prepare=_prepare,
    place=_place,
    live=_live,
    made=_made,
    names=lambda stage: stage.books().external_ids(),
    intended=lambda stage: set(stage.books().external_ids()),
    by_hand=_by_hand,
    again=_again,
    around=_around,
    written=lambda stage: stage.writes(),
    picture=_picture,
    mirrors=("customrecord_azs_summary", "customrecord_azs_txn"),
    money=lambda: (*money_amazon.paths(), *money_netsuite.paths()),
)
