"""What the drills have to know of a store whose orders go to Cin7 Omni.

Belongs here: `neto_cin7` in the drills' words. Does not belong here: the business (`omni_scene`), faults, verdicts.

An installation of a case begins as a copy of one that has done its initial sync and its first orders: `prepare` makes it once, in
the scene's folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Entry as Row
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.faults import money_omni, omni_books, omni_scene
from ledger_pipelines_tests.faults.entry import Entry, Scene
from ledger_pipelines_tests.faults.shop_entry import ended
from ledger_pipelines_tests.omni_stage import FREE, OmniStage, omni_stage

VENDORS = ("cin7", "neto")
_WRITING = "/(SalesOrders|Contacts|Payments|Products)(/|$|[?])"
"""Paths of Omni that records are written to."""
LATER = 3700
"""Seconds after which a connection that was throttled goes on."""


def open_account(sandbox: RunningSandbox, folder: Path) -> OmniStage:
    """An installation whose integration date is the day before the sandbox's: nothing is read that no case is about."""
    with loopback(sandbox.control_url) as control:
        told = control.get("/clock").raise_for_status().json()
    start = (datetime.fromisoformat(told["now"]) - timedelta(days=1)).date()
    return omni_stage(sandbox, folder, settings=omni_scene.SETTINGS, start=start.isoformat())


def quiet(stage: OmniStage) -> None:
    """An empty store and an empty account, without limits."""
    for vendor in VENDORS:
        stage.control.post("/reset", json={"seed": "empty", "vendor": vendor}).raise_for_status()
    stage.omni_settings(**FREE)
    stage.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()


def prepare(stage: OmniStage, scene: Scene, kept: Path) -> None:
    """An empty store and account, the first act on them, and the installation's data put by."""
    del scene
    quiet(stage)
    omni_scene.prepare(stage)
    stage.close_service()
    shutil.copytree(stage.folder / "data", kept / "data")


def place(stage: OmniStage, scene: Scene, kept: Path, refused: bool) -> None:
    """What the installation has by now; what is new is in the store."""
    del scene, refused
    shutil.copytree(kept / "data", stage.folder / "data", dirs_exist_ok=True)


def live(stage: OmniStage, partition: str) -> int:
    """One run of all flows, over the days that it finds itself."""
    del partition
    return ended(stage, stage.run())


def written(stage: OmniStage) -> int:
    """Calls that write records of the account."""
    return sum(
        number for call, number in stage.calls("cin7").items() if call.startswith(("POST", "PUT", "DELETE"))
    )


def _made(stage: OmniStage, scene: Scene) -> Mapping[str, int]:
    return omni_books.made(stage, list(scene.kinds))


def _by_hand(stage: OmniStage, row: Row) -> Sequence[str]:
    return omni_books.found_by_hand(stage, row.effect.kind, row.effect.external_id)


def _around(stage: OmniStage, refused: bool) -> Sequence[str]:
    """The run after the last one writes nothing."""
    del refused
    stage.control.delete("/faults").raise_for_status()
    stage.clock.jump(LATER)
    before = written(stage)
    code = live(stage, "")
    stage.close_service()
    again = written(stage) - before
    problems = [f"the run after the last one ends with {code}"] if code else []
    return [*problems, f"the run after the last one writes {again} times"] if again else problems


NETO_CIN7: Entry[OmniStage] = Entry(
    name="neto_cin7",
    targets=("cin7", "neto"),
    vendors=VENDORS,
    writes=(
        {"vendor": "cin7", "method": "POST", "path": _WRITING},
        {"vendor": "cin7", "method": "PUT", "path": _WRITING},
        {"vendor": "neto", "header": "netoapi_action: Add", "rate": 1.0, "times": 1},
    ),
    scenes={"small": Scene("small", "", b"", omni_scene.KINDS)},
    open=open_account,
    prepare=prepare,
    place=place,
    live=live,
    made=_made,
    names=omni_books.references,
    live_days=lambda stage, days: ended(stage, stage.run(days)),
    lasts=4000 + omni_scene.DAY,
    intended=omni_books.intended,
    by_hand=_by_hand,
    around=_around,
    written=written,
    picture=omni_books.picture,
    lacks=("landing.", "settlement."),
    money=money_omni.paths,
    every=30,
    reaches=1,
    crossed=1,
    beyond=frozenset({"apply_twice"}),
    throttled=LATER,
    lags=(12, 90),
    lates=(12,),
    sleeps=("apply.after_send",),
    appliers=8,
    logs_in=False,
)
