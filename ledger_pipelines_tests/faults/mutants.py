"""Planted bugs: known-bad variants of the product that the drills must catch (reliability.md 7, rung 12).

Belongs here: the bugs, each a patch of production code put in by the drill's own processes, and which case of which drill
must notice it. Does not belong here: running them (`drills.mutants`). The product knows nothing of this.

A child process of a drill calls `install_from_environment` first thing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

VARIABLE = "LEDGER_DRILL_MUTANT"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug.

    Args:
        name: What a person types.
        bug: One line: what is wrong with it.
        plant: Patches the production code of this process.
        drill: The drill that must catch it.
        case: The case of that drill that is enough; "" = its fast tier.
    """

    name: str
    bug: str
    plant: Callable[[], None]
    drill: str
    case: str = ""


MUTANTS: Mapping[str, Mutant] = {}


def install(name: str) -> None:
    """Plant a bug in this process and in those it starts. Raises KeyError for an unknown one."""
    if name:
        os.environ[VARIABLE] = name
        MUTANTS[name].plant()


def install_from_environment() -> None:
    """Plant the bug that the parent process was told to plant, if any."""
    install(os.environ.get(VARIABLE, ""))
