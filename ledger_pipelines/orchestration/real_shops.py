"""The product's own service of an integration by days. Imported at run time only: definitions load without its weight."""

from __future__ import annotations

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.opening import AnyByDay, open_by_day


def shop_service(loaded: LoadedConfig, name: str, run_id: str) -> AnyByDay:
    """The service of one integration. Raises ConfigurationError."""
    return open_by_day(loaded, name, run_id=run_id)
