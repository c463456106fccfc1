"""What an integration is made of: its name, its two connections, its settings, its places.

Belongs here: taking that out of ledger.yaml. Does not belong here: doing anything with it (`service`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from ledger_pipelines.config.connections import AmazonConnectionConfig, NetSuiteConnectionConfig
from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.documents.effects import Mode
from ledger_pipelines.documents.settlement import Footing, Settlement, SettlementGroup
from ledger_pipelines.errors import ConfigurationError
from ledger_pipelines.integrations.amazon_netsuite.settings import AmazonNetSuiteSettings

KIND = "amazon_netsuite"


class Settlements(Protocol):
    """Accepted settlements of one connection."""

    def ids(self) -> list[str]:
        """Settlement ids, oldest period first."""
        ...

    def settlement(self, settlement_id: str) -> Settlement:
        """One settlement. Raises DataError when there is none."""
        ...

    def groups(self, settlement_id: str, zone: ZoneInfo) -> Sequence[SettlementGroup]:
        """Its groups, in the order of the file."""
        ...

    def footing(self, settlement_id: str, zone: ZoneInfo) -> Footing:
        """What its stored rows sum to, by kind and month of `zone`."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What an integration is made of."""

    name: str
    source: str
    target: str
    mode: Mode
    zone: ZoneInfo
    settings: AmazonNetSuiteSettings
    source_config: AmazonConnectionConfig
    target_config: NetSuiteConnectionConfig
    data: Path
    journal_address: str
    start_date: date


def setup_of(loaded: LoadedConfig, name: str) -> Setup:
    """The integration `name` of a configuration.

    Raises:
        ConfigurationError: there is none, it was left out, or it is of another kind.
    """
    config = loaded.config
    integration = loaded.of_kind(name, KIND)
    source, target = config.connections[integration.source], config.connections[integration.target]
    if not isinstance(source, AmazonConnectionConfig) or not isinstance(target, NetSuiteConnectionConfig):
        raise ConfigurationError(
            f"{name} goes from an amazon connection to a netsuite connection.",
            remedy="Correct `source` and `target`.",
        )
    return Setup(
        name=name,
        source=integration.source,
        target=integration.target,
        mode=integration.mode,
        zone=config.books.zone,
        settings=integration.settings_as(AmazonNetSuiteSettings),
        source_config=source,
        target_config=target,
        data=config.data_folder,
        journal_address=config.journal_address(os.environ),
        start_date=integration.start_date or source.start_date,
    )
