"""What the drills have to know of an integration of a shop: days of orders, whose snapshots make its plans.

Belongs here: `neto_saasu` in the drills' words. Does not belong here: the business (`shop_scene`), faults, verdicts.

An installation of a case begins as a copy of one that has done its initial sync and its first bookings: `prepare` makes it
once, in the scene's folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ledger_pipelines.integrations.by_day.results import RunResult
from ledger_pipelines.sandbox.server import RunningSandbox
from ledger_pipelines.storage.journal import Entry as Row
from ledger_pipelines_tests.configured import loopback
from ledger_pipelines_tests.faults import money_shop, shop_books, shop_scene
from ledger_pipelines_tests.faults.entry import Entry, Scene
from ledger_pipelines_tests.shop_stage import ShopStage, shop_stage
from ledger_pipelines_tests.store_stage import StoreStage

OPEN, PARKED = 1, 4
LATER = 3700
"""Seconds after which quantities are read again."""
VENDORS = ("neto", "saasu")
_WRITING = "/(Invoice|Payment|Journal|Item|Contact|ContactAggregate|Company)(/|$|[?])"
"""Paths of Saasu that records are written to."""


def open_shop(sandbox: RunningSandbox, folder: Path) -> ShopStage:
    """An installation whose integration date is the day before the sandbox's: nothing is read that no case is about."""
    with loopback(sandbox.control_url) as control:
        told = control.get("/clock").raise_for_status().json()
    start = (datetime.fromisoformat(told["now"]) - timedelta(days=1)).date()
    return shop_stage(sandbox, folder, settings=shop_scene.SETTINGS, start=start.isoformat())


def quiet(stage: ShopStage) -> None:
    """An empty store and an empty file, without limits."""
    for vendor in VENDORS:
        stage.control.post("/reset", json={"seed": "empty", "vendor": vendor}).raise_for_status()
    unlimited = {"rate_limit": False, "daily_quota": None}
    stage.control.post("/saasu/settings", json=unlimited).raise_for_status()
    stage.control.post("/neto/settings", json={"calls_per_minute": None}).raise_for_status()


def prepare(stage: ShopStage, scene: Scene, kept: Path) -> None:
    """An empty store and file, the first act on them, and the installation's data put by."""
    del scene
    quiet(stage)
    shop_scene.prepare(stage)
    stage.close_service()
    shutil.copytree(stage.folder / "data", kept / "data")


def place(stage: ShopStage, scene: Scene, kept: Path, refused: bool) -> None:
    """What the installation has by now; what is new is in the store and in the file."""
    del scene, refused
    shutil.copytree(kept / "data", stage.folder / "data", dirs_exist_ok=True)


def live(stage: ShopStage, partition: str) -> int:
    """One run of all flows, over the days that it finds itself."""
    del partition
    return ended(stage, stage.run())


def ended(stage: StoreStage[Any], result: RunResult) -> int:
    """Exit code of a run: 0 when nothing is left."""
    if any(run.result is not None and run.result.parked is not None for run in result.runs):
        return PARKED
    return result.exit_code or (OPEN if stage.unfinished() else 0)


def _made(stage: ShopStage, scene: Scene) -> Mapping[str, int]:
    return shop_books.made(stage, list(scene.kinds))


def _by_hand(stage: ShopStage, row: Row) -> Sequence[str]:
    return shop_books.found_by_hand(stage, row.effect.kind, row.effect.external_id)


def _around(stage: ShopStage, refused: bool) -> Sequence[str]:
    """The run after the last one writes nothing to the file. It brings the store what the last one has sold: quantities are
    read before invoices are written, and not again within the hour."""
    del refused
    stage.control.delete("/faults").raise_for_status()
    stage.clock.jump(LATER)
    before = written(stage)
    code = live(stage, "")
    stage.close_service()
    again = written(stage) - before
    problems = [f"the run after the last one ends with {code}"] if code else []
    return [*problems, f"the run after the last one writes {again} times"] if again else problems


def written(stage: ShopStage) -> int:
    """Calls that write records of the file."""
    counted = stage.calls("saasu")
    return sum(
        number
        for call, number in counted.items()
        if call.startswith(("POST", "PUT", "DELETE")) and "authorisation" not in call
    )


NETO_SAASU: Entry[ShopStage] = Entry(
    name="neto_saasu",
    targets=VENDORS,
    vendors=VENDORS,
    writes=(
        {"vendor": "saasu", "method": "POST", "path": _WRITING},
        {"vendor": "saasu", "method": "PUT", "path": _WRITING},
        *(
            {"vendor": "neto", "header": f"netoapi_action: {of}", "rate": 1.0, "times": 1}
            for of in ("Add", "Update")
        ),
        {"vendor": "neto"},  # one address for all; a reading that fails is a start that fails
    ),
    scenes={"small": Scene("small", "", b"", shop_scene.KINDS)},
    open=open_shop,
    prepare=prepare,
    place=place,
    live=live,
    made=_made,
    names=shop_books.references,
    live_days=lambda stage, days: ended(stage, stage.run(days)),
    lasts=4000,
    intended=shop_books.intended,
    by_hand=_by_hand,
    around=_around,
    written=written,
    picture=shop_books.picture,
    lacks=("landing.", "settlement."),
    money=money_shop.paths,
    every=30,
    reaches=1,
    crossed=1,
    beyond=frozenset({"apply_twice"}),
    throttled=LATER,
    lags=(12, 90),
    lates=(12,),
    sleeps=("apply.after_send",),
    appliers=8,
)
