"""One sandbox for each module, and a small shop with its books on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from ledger_pipelines.sandbox.server import RunningSandbox, running_sandbox
from ledger_pipelines_tests.e2e.shop.kit import EagerClock, open_shop, restored
from ledger_pipelines_tests.shop_stage import ShopStage, shop_stage

MORNING = "2026-10-20T09:00:00"
"""When the small shop's first scene plays, in Sydney: far from any clock change."""
Opened = Callable[..., ShopStage]


@pytest.fixture(scope="module", autouse=True)
def _no_power_cut() -> Iterator[None]:
    """Nobody pulls the plug here: waiting for the disk would be most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture(scope="module")
def vendors() -> Iterator[RunningSandbox]:
    """Both vendors, with their lists only; how they were once the small shop was set up is kept aside."""
    with running_sandbox(seed="empty") as sandbox:
        open_shop(sandbox, MORNING)
        with httpx.Client(base_url=sandbox.control_url, trust_env=False, timeout=60) as control:
            control.post("/snapshot", json={"name": "opened"}).raise_for_status()
        yield sandbox


@pytest.fixture(scope="module")
def opened(vendors: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Gives stages on the shop as it was when it was set up, its clock at the morning, the initial sync done."""
    stages: list[ShopStage] = []

    def make(
        *,
        synced: bool = True,
        at: str = MORNING,
        start: str = "2026-10-19",
        connections: Mapping[str, Mapping[str, object]] | None = None,
        only: Mapping[str, object] | None = None,
        **settings: object,
    ) -> ShopStage:
        while stages:
            stages.pop().close()
        restored(vendors, at)
        folder: Path = tmp_path_factory.mktemp("shop")
        named = {name.replace("__", "."): value for name, value in settings.items()}
        chosen: dict[str, object] = {"inventory_from_saasu.enabled": False} | named
        stage = shop_stage(
            vendors, folder, settings=chosen, start=start, connections=connections or {}, only=only
        )
        stage.clock = EagerClock(stage.control)
        stages.append(stage)
        if synced:
            stage.service.initial_sync()
        return stage

    yield make
    for stage in stages:
        stage.close()
