"""What assets and sensors call: the integrations, made when they are needed and not before.

Belongs here: the contract with an integration's service, and the place where one is built at run time. Does not
belong here: doing anything (`integrations/<name>/service.py`). Credentials are looked up by the service, in the
process that runs an asset: nothing secret is in a definition, a run's configuration or an event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import IntegrationConfig, LedgerConfig
from ledger_pipelines.orchestration.shops import BuildShop, ShopService
from ledger_pipelines.telling import Progress

if TYPE_CHECKING:
    from ledger_pipelines.documents.settlement import Footing, Settlement, SettlementGroup
    from ledger_pipelines.integrations.amazon_netsuite.books import Books
    from ledger_pipelines.integrations.amazon_netsuite.readback import ReadBack
    from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
    from ledger_pipelines.integrations.open_items import Unfinished
    from ledger_pipelines.sync.plan import Plan
    from ledger_pipelines.sync.result import ApplyResult
    from ledger_pipelines.systems.entities import ChangesReader, EntityLike


class SettlementService(Protocol):
    """One integration that takes settlements into books. Errors: see ledger_pipelines.errors."""

    @property
    def flows(self) -> tuple[str, ...]:
        """Flows in order."""
        ...

    def settlements(self) -> list[str]:
        """Accepted settlement ids, oldest first."""
        ...

    def settlement(self, sid: str) -> Settlement:
        """One settlement as read."""
        ...

    def groups(self, sid: str) -> Sequence[SettlementGroup]:
        """Its groups."""
        ...

    def footing(self, sid: str) -> Footing:
        """What its stored rows sum to now."""
        ...

    def read_books(self, sid: str, progress: Progress | None = None) -> Books:
        """What the target holds."""
        ...

    def plan(self, flow: str, sid: str) -> Plan:
        """Decide, and store the decision."""
        ...

    def export(self, flow: str, sid: str, progress: Progress | None = None, *, who: str = "") -> ApplyResult:
        """Carry the stored plan out, in the configured mode."""
        ...

    def read_back(self, sid: str, progress: Progress | None = None) -> ReadBack:
        """What the target says now."""
        ...

    def reconcile(self, sid: str) -> Reconciliation:
        """The figures."""
        ...

    def statement(self, sid: str) -> Path | None:
        """The HTML statement."""
        ...

    def unfinished(self) -> list[Unfinished]:
        """Settlements with writes whose outcome is not known, or that were meant and not sent."""
        ...

    def not_reconciled(self) -> list[str]:
        """Settlements that are not wholly booked, oldest first."""
        ...

    def summaries_due(self, today: date) -> list[str]:
        """Settlements to refresh."""
        ...

    def calls(self) -> int:
        """Calls made to the target so far."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


BuildService = Callable[[LoadedConfig, str, str], SettlementService]
"""(configuration, integration, run id) -> its service."""


class Reading(Protocol):
    """One account opened for a sweep."""

    @property
    def reader(self) -> ChangesReader:
        """Reads it."""
        ...

    def entity(self, name: str) -> EntityLike:
        """An entity by name. Raises ConfigurationError."""
        ...

    def calls(self) -> int:
        """Calls made so far."""
        ...


OpenReader = Callable[[LoadedConfig, str, str], AbstractContextManager[Reading]]
"""(configuration, connection, run id) -> the account, closed at the end of the block."""


class _Closable(Protocol):
    def close(self) -> None:
        """Close what was opened."""
        ...


S = TypeVar("S", bound=_Closable)


@dataclass
class _Made(Generic[S]):
    """Services of one kind in this process."""

    loaded: LoadedConfig
    build: Callable[[LoadedConfig, str, str], S]
    _made: dict[tuple[str, str], S] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, integration: str, run_id: str) -> S:
        with self._lock:
            if (integration, run_id) not in self._made:
                for old in [key for key in self._made if key[1] != run_id]:
                    self._made.pop(old).close()
                self._made[integration, run_id] = self.build(self.loaded, integration, run_id)
            return self._made[integration, run_id]

    @contextmanager
    def passing(self, integration: str) -> Iterator[S]:
        service = self.build(self.loaded, integration, "")
        try:
            yield service
        finally:
            service.close()


class Runtime:
    """The configuration, and the services of this process. It never leaves the process."""

    def __init__(self, loaded: LoadedConfig, build: BuildService, build_shop: BuildShop) -> None:
        self.loaded = loaded
        self._settlements: _Made[SettlementService] = _Made(loaded, build)
        self._shops: _Made[ShopService] = _Made(loaded, build_shop)

    @property
    def config(self) -> LedgerConfig:
        """What can be used of the configuration."""
        return self.loaded.config

    def service(self, integration: str, run_id: str) -> SettlementService:
        """The service of a run, made at first use and kept for its later steps: one log-in, one journal.

        Raises:
            ConfigurationError: It cannot be made. Other integrations are not touched.
        """
        return self._settlements.of(integration, run_id)

    def passing(self, integration: str) -> AbstractContextManager[SettlementService]:
        """A service of the caller's own, closed at the end: sensors run side by side in one long-lived process."""
        return self._settlements.passing(integration)

    def shop(self, integration: str, run_id: str) -> ShopService:
        """The same as `service`, of a shop's integration. Raises ConfigurationError."""
        return self._shops.of(integration, run_id)

    def passing_shop(self, integration: str) -> AbstractContextManager[ShopService]:
        """The same as `passing`, of a shop's integration."""
        return self._shops.passing(integration)

    def integrations_from(self, connection: str) -> dict[str, IntegrationConfig]:
        """The usable integrations that read this connection."""
        return {name: one for name, one in self.config.integrations.items() if one.source == connection}
