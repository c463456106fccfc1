"""An integration by days whose source is a Neto store: what its set-up and its service have in common, whatever the target.

Belongs here: the store's identity, its client, reading it and writing to it, the settings' digest. Does not belong here: the target, flows
(each integration's own `service`), the order of steps (`by_day.service`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec
from pydantic import BaseModel

from ledger_pipelines.config.shops import NetoConnectionConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.keys import digest
from ledger_pipelines.integrations.by_day.context import DayContext
from ledger_pipelines.integrations.by_day.initial import Found
from ledger_pipelines.integrations.by_day.readings import Side
from ledger_pipelines.integrations.by_day.service import ByDay
from ledger_pipelines.integrations.by_day.setup import DaySetup
from ledger_pipelines.integrations.shop_mirror import ShopMirror
from ledger_pipelines.sync.plan import PlanRow
from ledger_pipelines.systems.neto import connect
from ledger_pipelines.systems.neto.client import NetoClient
from ledger_pipelines.systems.neto.entities import ENTITIES
from ledger_pipelines.systems.neto.reader import NetoReader
from ledger_pipelines.systems.neto.writer import NetoWriter


@dataclass(frozen=True, slots=True)
class StoreSetup(DaySetup):
    """What an integration of a store is made of."""

    source_config: NetoConnectionConfig

    @property
    def store(self) -> str:
        """The store's own identity, part of every key: its host, whatever the scheme."""
        return urlsplit(self.source_config.store).netloc.lower()


_TITLES: Final = {
    "orders": "Order {}", "rmas": "Return {}", "payments": "Payments of order {}", "products": "Product {}",
}  # fmt: skip
S = TypeVar("S", bound=StoreSetup)
F = TypeVar("F", bound=Found)
R = TypeVar("R")


class OfStore(ByDay[S, F, R], Generic[S, F, R]):
    """One integration of a store."""

    @property
    @abstractmethod
    def settings(self) -> BaseModel:
        """The user's choices."""

    @cached_property
    def settings_digest(self) -> str:
        """Of the settings."""
        return digest(msgspec.json.encode(self.settings.model_dump(mode="json"), order="sorted"))

    @cached_property
    def neto(self) -> NetoClient:
        """The store's client. Raises ConfigurationError when a credential's variable is missing."""
        return connect.connect(
            self.source,
            self.setup.source_config,
            state_folder=self.setup.data / "state",
            run_id=self._run_id,
            clock=self.clock,
        )

    @property
    @abstractmethod
    def mirror(self) -> ShopMirror:
        """Both sides as last read."""

    @property
    @abstractmethod
    def test_orders(self) -> Collection[str]:
        """Numbers of the orders that mode test is about."""

    def unread(self, ctx: DayContext, entity: str, until: str = "") -> list[PlanRow]:
        """Rows of the store's records of the day that cannot be read; in mode test those of its orders.

        Args:
            until: What is so until they can be.
        """
        found = []
        for error in self.mirror.unreadable_of(entity, ctx.day):
            number = self.mirror.order_of(entity, error.key) if entity == "payments" else error.key
            if ctx.mode is Mode.TEST and self.mirror.order_of(entity, error.key) not in self.test_orders:
                continue
            title = _TITLES[entity].format(number)
            of = title if entity == "payments" else ""
            found.append(ctx.unreadable(error, number, title, of=of, until=until))
        return found

    def neto_side(self, wanted: Sequence[str]) -> Side:
        """The store, of which these entities are read."""
        config = self.setup.source_config

        def opened() -> NetoReader:
            return NetoReader(self.neto, orders_a_page=config.orders_a_page)

        return Side(self.source, opened, ENTITIES, config.start_date, wanted)

    def neto_writer(self) -> NetoWriter:
        """Who writes to the store."""
        return NetoWriter(self.neto, timedelta(seconds=self.setup.source_config.settle_window_seconds))
