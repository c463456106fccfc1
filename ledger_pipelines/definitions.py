"""The code location: finds the configuration, builds, names the result `defs`. Nothing else belongs here."""

from __future__ import annotations

from ledger_pipelines.config.load import config_path, load_config
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines.orchestration.build import build_definitions

defs = build_definitions(load_config(config_path(), KINDS))
