"""Planted bugs: known-bad variants of the product that the drills must catch (reliability.md 7, rung 12).

Belongs here: the list, which case of which drill must notice each, and by what. Does not belong here: the patches
(`planted`), running them (`drills.mutants`). The product knows nothing of this.

A child process of a drill calls `install_from_environment` first thing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

VARIABLE = "LEDGER_DRILL_MUTANT"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug.

    Args:
        name: What a person types.
        bug: One line: what is wrong with it.
        plant: Patches the production code of this process.
        drill: The drill that must catch it.
        told: Regular expression: one of the drill's problems must say this. A drill that breaks down has caught nothing.
        case: The case of that drill that is enough; "" = its fast tier.
    """

    name: str
    bug: str
    plant: Callable[[], None]
    drill: str
    told: str
    case: str = ""

    @property
    def quick(self) -> bool:
        """Whether a few schedules of the simulation catch it: what the fast tier has time for."""
        return self.drill == "simulate" and self.case == "direct 1-12"


def _planted(function: str) -> Callable[[], None]:
    """The patch of that name; what it patches is imported only when it is planted."""

    def plant() -> None:
        getattr(import_module("ledger_pipelines_tests.faults.planted"), function)()

    return plant


_LIST = (
    Mutant(
        "post-then-record", "The journal learns of a call when its answer is there.",
        _planted("post_then_record"), "simulate", r"doubled: ", "direct 1-12",
    ),
    Mutant(
        "mark-first", "What is about to be sent is noted as done, and never sent again.",
        _planted("mark_first"), "simulate", r"lost: ", "direct 1-12",
    ),
    Mutant(
        "short-settle-window", 'Five seconds after a call "not there" counts, whatever the target may still be doing.',
        _planted("short_settle_window"), "simulate", r"doubled: ", "direct 1-120",
    ),
    Mutant(
        "retrying-client", "The HTTP client sends a write again when its answer is lost, or a 5xx.",
        _planted("retrying_client"), "simulate", r"doubled: ", "http 1-25",
    ),
    Mutant(
        "bookmark-before-data", "The note that a day is complete is on disk before its rows are.",
        _planted("bookmark_before_data"), "simulate", r"lost: ", "sweep 1-10",
    ),
    Mutant(
        "float-sum", "Amounts are added as binary floats.",
        _planted("float_sum"), "money", r"total.* instead of ", "arithmetic:1:2000",
    ),
    Mutant(
        "distinct-lines", "Lines of a settlement that say the same are taken for one.",
        _planted("distinct_lines"), "malformed", r"rows=8.* not as .*rows=9", "file:identical rows",
    ),
    Mutant(
        "plan-not-rechecked", "A plan is applied as it is given; neither its seal nor its inputs are looked at.",
        _planted("plan_not_rechecked"), "simulate", r"(stale|altered) plan was applied|other total", "direct 1-120",
    ),
    Mutant(
        "random-key", "Keys and external ids are made up anew each time.",
        _planted("random_key"), "simulate", r"doubled: ", "direct 1-12",
    ),
    Mutant(
        "claim-not-atomic", "A claim reads, then writes: whatever happened in between is overwritten.",
        _planted("claim_not_atomic"), "simulate", r"doubled: ", "direct 1-120",
    ),
    Mutant(
        "no-redactor", "What other programs say is shown as it comes.",
        _planted("no_redactor"), "secrets", r"holds access_token", "amazon_netsuite:cli:refuse",
    ),
)  # fmt: skip

MUTANTS: Mapping[str, Mutant] = {mutant.name: mutant for mutant in _LIST}


def install(name: str) -> None:
    """Plant a bug in this process and in those it starts. Raises KeyError for an unknown one."""
    if name:
        os.environ[VARIABLE] = name
        MUTANTS[name].plant()


def install_from_environment() -> None:
    """Plant the bug that the parent process was told to plant, if any."""
    install(os.environ.get(VARIABLE, ""))
