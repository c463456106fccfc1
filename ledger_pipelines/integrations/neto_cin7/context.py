"""What every flow module is given: both sides as last read, the settings, and what the journal knows.

Belongs here: what is this integration's own. Does not belong here: how keys, effects and rows are made (`by_day.context`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import ClassVar, Final

from ledger_pipelines.documents.effects import Action
from ledger_pipelines.integrations.by_day.context import DayContext, Known
from ledger_pipelines.integrations.by_day.stored import if_readable, readable, unreadable
from ledger_pipelines.integrations.folding import folded
from ledger_pipelines.integrations.neto_cin7.omni import Omni
from ledger_pipelines.integrations.neto_cin7.settings import NetoCin7Settings
from ledger_pipelines.integrations.shop import Shop
from ledger_pipelines.systems.neto.documents import NetoShipment

_ON_ORDER = re.compile(r'"orderId":(?:\{"\$link":"([A-Z2-7]+)"\}|"?([0-9]+)"?)')
_ENOUGH: Final = 9
"""Orders that are asked which branch is Omni's main one: all of them would be a history to decode."""


@dataclass(frozen=True)
class Context(DayContext):
    """The integration at work on one day. source: the Neto connection's name, target: the Cin7 connection's.

    shipments: by order number, where the store tells. unread_codes: SKUs and codes, folded, of products that were left out since
    they cannot be read (`legible`): they are there, and nothing is known of them.
    """

    source_system: ClassVar[str] = "neto"
    target_system: ClassVar[str] = "cin7"

    settings: NetoCin7Settings
    shop: Shop
    omni: Omni
    shipments: Mapping[str, NetoShipment] = field(default_factory=dict)
    unread_codes: frozenset[str] = frozenset()

    @property
    def legible(self) -> Context:
        """The same without records that cannot be read: for what compares all there is, and decides nothing."""
        unread = frozenset(folded(code) for code in (*unreadable(self.shop.items), *self.omni.unread_codes()))
        return replace(self, shop=self.shop.legible, omni=self.omni.legible, unread_codes=unread)

    @cached_property
    def options_of_style(self) -> Mapping[str, tuple[str, ...]]:
        """SKUs of the store that make one product of Omni: variants by their parent, others by themselves."""
        found: dict[str, list[str]] = {}
        for product in readable(self.shop.items):
            if not product.is_parent:
                found.setdefault(product.parent or product.key, []).append(product.key)
        # One that cannot be read stays an option of its parent: the product is not made without it.
        for sku in unreadable(self.shop.items):
            found.setdefault(self.shop.parents.get(sku) or sku, []).append(sku)
        return {style: tuple(sorted(skus)) for style, skus in found.items()}

    @cached_property
    def order_of_reference(self) -> Mapping[str, str]:
        """Order numbers of the store by their reference in Omni, folded."""
        prefix = self.settings.download_orders.prefix
        return {folded(f"{prefix}{number}"): number for number in self.shop.orders}

    @cached_property
    def main_branch(self) -> str:
        """Id of Omni's main branch: the only one, or the one that most orders of ours are at which named none (staff move some); "" =
        not known. Raises UnreadableError where only a branch that cannot be read would tell."""
        active = [one.id for one in readable(self.omni.branches) if one.active]
        bad = unreadable(self.omni.branches)
        if len(active) == 1 and not bad:
            return active[0]
        found = Counter(islice(self._branches_of_orders(), _ENOUGH))
        for branch, _ in found.most_common(1):
            return branch
        for error in bad.values():
            raise error
        return ""

    def _branches_of_orders(self) -> Iterator[str]:
        """Where orders of ours are that named no branch, then or later, those written first first."""
        orders = [one for one in self.journal.known.values() if one.kind == "sales_order"]
        moved = {one.remote_id for one in orders if one.action is Action.UPDATE and '"branchId"' in one.body}
        for one in orders:
            made = one.action is Action.CREATE and '"branchId"' not in one.body and one.remote_id not in moved
            there = if_readable(self.omni.orders, one.remote_id) if made else None
            if there is not None and there.branch_id:
                yield there.branch_id

    @cached_property
    def payments_on(self) -> Mapping[str, tuple[Known, ...]]:
        """Payments by what they are on: the key of the effect that makes the order, or the order's id."""
        found: dict[str, list[Known]] = {}
        for one in self.journal.known.values():
            if one.kind == "payment":
                for key, number in set(_ON_ORDER.findall(one.body)):
                    found.setdefault(key or number, []).append(one)
        return {target: tuple(sorted(some, key=lambda one: one.key)) for target, some in found.items()}
