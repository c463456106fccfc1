"""Types that Dagster reads at run time in one form and the type checker in another.

Belongs here: aliases. Does not belong here: anything that runs. `@asset` tells by its annotation that a function
returns a MaterializeResult, and so bypasses the IO manager (dagster.md 0.5); it knows the bare class only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import dagster as dg

if TYPE_CHECKING:
    from dagster._core.definitions.metadata import RawMetadataValue

    Result: TypeAlias = dg.MaterializeResult[None]
    Shown: TypeAlias = Mapping[str, RawMetadataValue]
else:
    Result = dg.MaterializeResult
    Shown = Mapping

__all__ = ["Result", "Shown"]
