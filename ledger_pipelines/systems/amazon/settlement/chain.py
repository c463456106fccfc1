"""What one settlement hands on to the next: reserves, debts, payouts that came back.

Belongs here: the roll-forward between two neighbouring settlements. Does not belong here: finding neighbours
(`storage.settlements`), booking. Facts: amazon-settlement.md 11; celigo-amazon-netsuite.md 7 (practitioner method).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import Kind
from ledger_pipelines.systems.amazon import vocabulary
from ledger_pipelines.systems.amazon.vocabulary import normal

_CURRENT = frozenset({"currentreserveamount"})


@dataclass(frozen=True, slots=True)
class Balances:
    """The balance movements of one settlement, with the sign of the file.

    held: `Current Reserve Amount` (normally negative). released: `Previous Reserve Amount Balance`.
    payable: `Payable to Amazon`. charged: `Successful charge`. returned: payouts that came back.
    """

    total: Decimal
    held: Decimal
    released: Decimal
    payable: Decimal
    charged: Decimal
    returned: Decimal


@dataclass(frozen=True, slots=True)
class RollForward:
    """Whether what N held back and owed is what N+1 starts with. Differences are 0 when it does.

    reserve_difference: released in N+1 minus held in N. debt_difference: payable in N+1 minus N's negative total.
    """

    reserve_difference: Decimal
    debt_difference: Decimal

    @property
    def holds(self) -> bool:
        """Whether both agree."""
        return not self.reserve_difference and not self.debt_difference

    def sentences(self) -> tuple[str, ...]:
        """What does not agree, in words."""
        said = []
        if self.reserve_difference:
            said.append(
                f"The reserve released differs by {self.reserve_difference:f} from the reserve held before: a "
                "settlement is missing, was deleted or came twice."
            )
        if self.debt_difference:
            said.append(
                f"The debt carried over differs by {self.debt_difference:f} from the settlement before."
            )
        return tuple(said)


def balances(total: Decimal, kinds: Iterable[tuple[Kind, Decimal]]) -> Balances:
    """Pick the balance movements out of a settlement's sums by kind."""
    held = released = payable = charged = returned = ZERO
    for kind, amount in kinds:
        if kind.category == vocabulary.RESERVE:
            if normal(kind.amount_description) in _CURRENT:
                held += amount
            else:
                released += amount
        elif kind.category == vocabulary.PAYABLE_TO_AMAZON:
            payable += amount
        elif kind.category == vocabulary.CARD_CHARGE:
            charged += amount
        elif kind.category == vocabulary.FAILED_PAYOUT:
            returned += amount
    return Balances(total, held, released, payable, charged, returned)


def roll_forward(before: Balances, after: Balances) -> RollForward:
    """Compare a settlement with the one that starts the second it ends."""
    owed = min(before.total, ZERO)
    return RollForward(after.released + before.held, after.payable - owed)
