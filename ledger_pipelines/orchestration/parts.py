"""What a code location is put together from, while it is.

Belongs here: the collection, and what tests may give instead of the product's own parts. Does not belong here: any asset.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.orchestration.services import BuildService, OpenReader, Reading, SettlementService
from ledger_pipelines.orchestration.shops import BuildShop, ShopService


def real_service(loaded: LoadedConfig, name: str, run_id: str) -> SettlementService:
    """The product's own service; imported when it is needed: what it needs is heavy."""
    from ledger_pipelines.orchestration.real import settlement_service  # noqa: PLC0415 (load time)

    return settlement_service(loaded, name, run_id)


def real_shop(loaded: LoadedConfig, name: str, run_id: str) -> ShopService:
    """The product's own service of a shop's integration."""
    from ledger_pipelines.orchestration.real_shops import shop_service  # noqa: PLC0415 (load time)

    return shop_service(loaded, name, run_id)


@contextmanager
def real_reader(loaded: LoadedConfig, connection: str, run_id: str) -> Iterator[Reading]:
    """The product's own reader of an account."""
    from ledger_pipelines.orchestration.reading import open_connection  # noqa: PLC0415 (load time)

    with open_connection(loaded, connection, run_id) as reading:
        yield reading


@dataclass(frozen=True, slots=True)
class Overrides:
    """Parts that tests give."""

    build_service: BuildService = real_service
    open_reader: OpenReader = real_reader
    build_shop: BuildShop = real_shop


@dataclass
class Parts:
    """The location so far."""

    assets: list[dg.AssetsDefinition] = field(default_factory=list)
    jobs: list[dg.UnresolvedAssetJobDefinition | dg.JobDefinition] = field(default_factory=list)
    sensors: list[dg.SensorDefinition] = field(default_factory=list)
    schedules: list[dg.ScheduleDefinition] = field(default_factory=list)
