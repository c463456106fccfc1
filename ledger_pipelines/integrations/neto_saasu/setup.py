"""What an integration is made of: its name, its two connections, its settings, its places.

Belongs here: taking that out of ledger.yaml. Does not belong here: doing anything with it (`service`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.config.shops import SaasuConnectionConfig
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.of_store import StoreSetup

KIND = "neto_saasu"


@dataclass(frozen=True, slots=True)
class Setup(StoreSetup):
    """What an integration is made of."""

    settings: NetoSaasuSettings
    target_config: SaasuConnectionConfig

    @property
    def account(self) -> str:
        """The file's own identity."""
        return str(self.target_config.file_id)


def setup_of(loaded: LoadedConfig, name: str) -> Setup:
    """The integration `name` of a configuration.

    Raises:
        ConfigurationError: there is none, it was left out, or it is of another kind.
    """
    config = loaded.config
    integration = loaded.of_kind(name, KIND)
    source, target = config.neto(integration.source), config.saasu(integration.target)
    zone_name = source.books_time_zone
    return Setup(
        name=name,
        source=integration.source,
        target=integration.target,
        mode=integration.mode,
        zone=config.books.zone if zone_name is None else ZoneInfo(zone_name),
        settings=integration.settings_as(NetoSaasuSettings),
        source_config=source,
        target_config=target,
        data=config.data_folder,
        journal_address=config.journal_address(os.environ),
        start_date=integration.start_date or source.start_date,
    )
