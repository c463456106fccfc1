"""The product's own service, put together for a run. Imported at run time only: definitions load without its weight."""

from __future__ import annotations

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.integrations.amazon_netsuite.service import AmazonNetSuite, build_service


def settlement_service(loaded: LoadedConfig, name: str, run_id: str) -> AmazonNetSuite:
    """The service of one integration. Raises ConfigurationError."""
    return build_service(loaded, name, run_id=run_id)
