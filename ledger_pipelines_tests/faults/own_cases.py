"""Cases that an integration brings along, for drills whose other cases are about settlement files.

Belongs here: which integration has which, and carrying one out. Does not belong here: any case (`day_cases`, `omni_cases`, `shop_cases`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger_pipelines_tests.faults import day_cases, omni_cases, shop_cases
from ledger_pipelines_tests.faults.chain_case import Chain, ChainCase
from ledger_pipelines_tests.faults.day_cases import Case, OneCase
from ledger_pipelines_tests.faults.entries import ENTRIES
from ledger_pipelines_tests.faults.kit import Drill, Verdict
from ledger_pipelines_tests.faults.omni_entry import NETO_CIN7
from ledger_pipelines_tests.faults.shop_entry import NETO_SAASU

SCENE = "small"


def _together(*parts: Mapping[str, Mapping[str, Case]]) -> Mapping[str, Mapping[str, Case]]:
    drills = dict.fromkeys(drill for part in parts for drill in part)
    return {
        drill: {kind: case for part in parts for kind, case in part.get(drill, {}).items()}
        for drill in drills
    }


OWN: Mapping[str, Mapping[str, Mapping[str, Case]]] = {
    NETO_CIN7.name: _together(omni_cases.CASES, day_cases.CASES),
    NETO_SAASU.name: _together(shop_cases.CASES, day_cases.CASES),
}
"""By integration, drill and kind."""


@dataclass
class OwnCases:
    """The cases of one drill, of all integrations that have some; a sandbox is started when its first is carried out."""

    drill: Drill
    _chain: Chain | None = None

    def names(self) -> list[str]:
        """`INTEGRATION:KIND`; none in the fast tier."""
        if self.drill.setting.fast:
            return []
        return [f"{name}:{kind}" for name in OWN for kind in self._of(name)]

    def has(self, case: str) -> bool:
        """Whether a case is one of these."""
        name, _, kind = case.partition(":")
        return name in OWN and kind in self._of(name)

    def carry_out(self, case: str) -> Verdict:
        """One case."""
        if self._chain is None:
            folder = self.drill.setting.folder / "own"
            folder.mkdir()
            self._chain = Chain(folder, self.drill.setting.seed, self.drill.stack)
        name, _, kind = case.partition(":")
        entry, chain = ENTRIES[name], self._chain
        whole = chain.undisturbed(ChainCase(name, SCENE))
        order = chain.filled(entry, entry.scenes[SCENE])
        stage = order.open()
        try:
            stage.forget_calls()
            one = OneCase(entry, stage, whole, order)
            self._of(name)[kind](one)
        finally:
            stage.close()
        found = one.found
        return Verdict(case, tuple(found.problems), found.figures, frozenset(found.reached))

    def _of(self, name: str) -> Mapping[str, Case]:
        return OWN[name].get(self.drill.name, {})
