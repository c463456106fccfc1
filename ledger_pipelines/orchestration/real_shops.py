"""The product's own service of a shop's integration. Imported at run time only: definitions load without its weight."""

from __future__ import annotations

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.neto_saasu.service import NetoSaasu, build_service


def shop_service(loaded: LoadedConfig, name: str, run_id: str) -> NetoSaasu:
    """The service of one integration. Raises ConfigurationError."""
    return build_service(loaded, name, run_id=run_id)
