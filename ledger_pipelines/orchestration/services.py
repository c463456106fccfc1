"""What assets and sensors call: the integrations, made when they are needed and not before.

Belongs here: the contract with an integration's service, and the place where one is built at run time. Does not
belong here: doing anything (`integrations/<name>/service.py`). Credentials are looked up by the service, in the
process that runs an asset: nothing secret is in a definition, a run's configuration or an event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.models import IntegrationConfig, LedgerConfig
from ledger_pipelines.documents.settlement import Settlement, SettlementGroup
from ledger_pipelines.integrations.amazon_netsuite.books import Books
from ledger_pipelines.integrations.amazon_netsuite.readback import ReadBack
from ledger_pipelines.integrations.amazon_netsuite.verify import Reconciliation
from ledger_pipelines.sync.plan import Plan
from ledger_pipelines.sync.result import ApplyResult


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

    def read_books(self, sid: str) -> Books:
        """What the target holds."""
        ...

    def plan(self, flow: str, sid: str) -> Plan:
        """Decide, and store the decision."""
        ...

    def export(self, flow: str, sid: str) -> ApplyResult:
        """Carry the stored plan out, in the configured mode."""
        ...

    def read_back(self, sid: str) -> ReadBack:
        """What the target says now."""
        ...

    def reconcile(self, sid: str) -> Reconciliation:
        """The figures."""
        ...

    def statement(self, sid: str) -> Path:
        """The HTML statement."""
        ...

    def resume(self) -> ApplyResult:
        """Settle what is open."""
        ...

    def summaries_due(self, today: date) -> list[str]:
        """Settlements to refresh."""
        ...


BuildService = Callable[[LoadedConfig, str], SettlementService]


@dataclass
class Runtime:
    """The configuration, and the services of this process. Picklable it is not: it never leaves the process."""

    loaded: LoadedConfig
    build: BuildService
    _made: dict[str, SettlementService] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def config(self) -> LedgerConfig:
        """What can be used of the configuration."""
        return self.loaded.config

    def service(self, integration: str) -> SettlementService:
        """The service of this process, made at first use.

        Raises:
            ConfigurationError: It cannot be made: a credential is not set, say. Other integrations are not touched.
        """
        with self._lock:
            if integration not in self._made:
                self._made[integration] = self.build(self.loaded, integration)
            return self._made[integration]

    def fresh(self, integration: str) -> SettlementService:
        """A service of the caller's own: sensors run side by side in one long-lived process."""
        return self.build(self.loaded, integration)

    def integrations_from(self, connection: str) -> dict[str, IntegrationConfig]:
        """The usable integrations that read this connection."""
        return {name: one for name, one in self.config.integrations.items() if one.source == connection}
