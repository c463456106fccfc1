"""What the reconciliation of a store's orders with those of Cin7 Omni shows, as plain frozen values, and what it comes to.

Belongs here: the view an integration fills, its sums, checks and summary in words. Does not belong here: how it is filled
(`integrations/<name>/reconcile.py`), how it looks (`omni_reconciliation`).

Amounts are in the store's currency; orders in another one are compared, and are in no sum. Days are the books'. `days` are sums of either side;
`differences` are one an order: that both come to the same is checked (`explained`), never arranged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger_pipelines.reports.shop_view import (
    About,
    Check,
    DayReconciliation,
    Difference,
    Drift,
    count,
    reasons,
    waits,
)

CHECKS: Final = (
    "every_order_is_in_omni",
    "totals_agree",
    "dispatch_agrees",
    "products_in_step",
    "nothing_is_there_twice",
    "readings_are_fresh",
)
"""Names of the checks, in their order. They are API."""


@dataclass(frozen=True, slots=True)
class OutOfStep:
    """A product that is not in step. sku: of the store, code: of Omni; "" = none. blocks: whether an order waits for it."""

    sku: str
    code: str
    why: str
    text: str
    remedy: str
    blocks: bool


@dataclass(frozen=True)
class OmniReconciliation(DayReconciliation):
    """All of it. `differences` are orders in the store's currency whose total differs, or that Omni lacks; `documents` those in other
    currencies, and orders whose state differs; `catalogue` is of all products, not of the days."""

    catalogue: tuple[OutOfStep, ...] = ()
    compared: bool = True
    """Whether products are compared at all."""
    dispatches: bool = True
    """Whether completed orders are dispatched and cancelled ones voided."""

    @property
    def drift(self) -> tuple[Drift, ...]:
        """Stock does not flow."""
        return ()

    def checks(self) -> list[Check]:
        """One a name of `CHECKS`, in that order."""
        both = (*self.differences, *self.documents)
        missing = [one for one in both if one.about is About.NOT_THERE and one.open]
        other = [one for one in both if one.about is About.TOTAL and one.open]
        return [
            self._of(
                "every_order_is_in_omni", missing, "not in Omni", "Every order that is downloaded is in Omni."
            ),
            self._totals(other),
            self._dispatch(),
            self._products(),
            self._twice(),
            self._fresh(),
        ]

    @staticmethod
    def _of(name: str, left: Sequence[Difference], words: str, fine: str) -> Check:
        if not left:
            return Check(name, True, fine)
        return Check(name, False, f"{count(len(left), 'order')} {words}. {reasons(left)}", waits=waits(left))

    def _totals(self, left: Sequence[Difference]) -> Check:
        if self.explained != self.difference:
            return Check(
                "totals_agree", False,
                f"The orders' differences come to {self._money_words(self.explained)}, those of the days to "
                f"{self._money_words(self.difference)}: this reconciliation is wrong; please report it.",
            )  # fmt: skip
        return self._of(
            "totals_agree", left, "with another total", "Every order comes to the same on both sides."
        )

    def _dispatch(self) -> Check:
        left = [one for one in self.documents if one.about is About.STATE and one.open]
        fine = "What is completed is dispatched, what is cancelled is void."
        if not self.dispatches and not left:
            fine = "Not compared: Auto Dispatch Orders is No."
        return self._of("dispatch_agrees", left, "in another state", fine)

    def _products(self) -> Check:
        if not self.compared:
            return Check("products_in_step", True, "Not compared: products.in_step is off.")
        left = [one for one in self.catalogue if one.sku]
        if not left:
            return Check("products_in_step", True, "Every product of the store is a product of Omni.")
        blocking = sum(1 for one in left if one.blocks)
        more = f"; orders wait for {blocking} of them" if blocking else "; no order waits for one"
        first = left[0]
        return Check(
            "products_in_step", False, f"{count(len(left), 'product')} not in step{more}. First {first.sku}: {first.text}",
            waits=not blocking,
        )  # fmt: skip

    def _twice(self) -> Check:
        if not self.doubles:
            return Check("nothing_is_there_twice", True, "No payment of ours is in Omni twice.")
        first = self.doubles[0]
        more = f" {count(len(self.doubles) - 1, 'document')} more." if len(self.doubles) > 1 else ""
        return Check(
            "nothing_is_there_twice",
            False,
            f"{first.what} {first.reference}: {first.text} {first.remedy}{more}",
        )
