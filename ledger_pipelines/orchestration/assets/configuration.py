"""A standing asset that shows what was left out of the configuration, and why.

Belongs here: that asset. Does not belong here: finding problems (`config`). A connection that does not validate is left
out and the others go on; without this, it would be missing from the UI and nobody would be told.
"""

from __future__ import annotations

import dagster as dg

from ledger_pipelines.config.load import LoadedConfig
from ledger_pipelines.orchestration import metadata as m
from ledger_pipelines.orchestration.names import CONFIGURATION_KEY
from ledger_pipelines.orchestration.results import Result

NOTHING_LEFT_OUT = "nothing_left_out"


def build_configuration(loaded: LoadedConfig) -> dg.AssetsDefinition:
    """The asset; its description holds the problems, so that they are seen before anything is run."""
    problems = [str(problem) for problem in loaded.problems]
    left = ", ".join(f"{one.name} ({one.section.removesuffix('s')})" for one in loaded.left_out)
    found = "\n".join(f"* {_plain(problem)}" for problem in problems)
    text = f"**LEFT OUT because of its configuration: {left}**\n\n{found}" if left else "Everything is used."

    @dg.asset(
        key=CONFIGURATION_KEY,
        group_name="configuration",
        kinds={"yaml"},
        check_specs=[
            dg.AssetCheckSpec(
                NOTHING_LEFT_OUT,
                asset=CONFIGURATION_KEY,
                description="Every connection and integration is used.",
            )
        ],
        description=f"The configuration file, as this code location reads it. {text}",
    )
    def configuration() -> Result:
        return Result(
            metadata={
                m.FILE: dg.MetadataValue.path(str(loaded.path)),
                m.NOTES: dg.MetadataValue.md(text),
                "connections": len(loaded.config.connections),
                "integrations": len(loaded.config.integrations),
                "problems": len(problems),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=NOTHING_LEFT_OUT,
                    passed=not left,
                    severity=dg.AssetCheckSeverity.ERROR,
                    description=f"Left out: {left}." if left else "Everything is used.",
                    metadata={m.NOTES: dg.MetadataValue.md(text)},
                )
            ],
        )

    return configuration


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;")
