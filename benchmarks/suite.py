"""The benchmarks, by name, in the order of RESULTS.md. Each is a module with `section(quick) -> Section`.

Belongs here: the list. Does not belong here: any measurement.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from benchmarks.report import Section

NAMES: tuple[str, ...] = (
    "settlement_load",
    "reconcile",
    "same_file",
    "plan_size",
    "journal",
    "resume",
    "calls",
    "extraction",
    "startup",
    "backfill",
    "idle",
    "shop_calls",
    "shop_year",
    "omni_calls",
)
LONG: frozenset[str] = frozenset({"shop_calls", "shop_year", "omni_calls"})
"""Those that take long, because they make years of a shop's business first: only by name. Together half an hour."""


def find(name: str) -> Callable[[bool], Section]:
    """The benchmark of that name: called with `quick`."""
    section: Callable[[bool], Section] = import_module(f"benchmarks.{name}").section
    return section
