"""The drills, by name. Each is a module `drills.NAME` whose class `DRILL` is found by that name.

Belongs here: the list, in the order of docs/reliability.md. Does not belong here: any drill.
"""

from __future__ import annotations

from importlib import import_module

from ledger_pipelines_tests.faults.kit import Drill

NAMES: tuple[str, ...] = (
    "crash",
    "lag",
    "race",
    "redeliver",
    "corrupt",
    "malformed",
    "money",
    "simulate",
    "mutants",
    "plan",
    "isolation",
    "rebuild",
    "resources",
    "secrets",
    "terminate",
    "history",
    "soak",
)


def find(name: str) -> type[Drill]:
    """The drill of that name. Raises ValueError."""
    if name not in NAMES:
        raise ValueError(f"There is no drill {name!r}; there are {', '.join(NAMES)}.")
    drill: type[Drill] = import_module(f"{__name__}.{name}").DRILL
    return drill
