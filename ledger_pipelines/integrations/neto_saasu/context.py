"""What every flow module is given: both sides as last read, the settings, and what the journal knows.

Belongs here: what is this integration's own. Does not belong here: how keys, effects and rows are made (`by_day.context`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from ledger_pipelines.integrations.by_day.context import DayContext, Known
from ledger_pipelines.integrations.neto_saasu.books import Books
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings
from ledger_pipelines.integrations.shop import Shop

_PAID = re.compile(r'"InvoiceTransactionId":(?:\{"\$link":"([A-Z2-7]+)"\}|"?([0-9]+)"?)')


@dataclass(frozen=True)
class Context(DayContext):
    """The integration at work on one day. source: the Neto connection's name, target: the Saasu connection's.

    pairs: contacts that the initial sync paired: user name, folded -> id in Saasu.
    """

    source_system: ClassVar[str] = "neto"
    target_system: ClassVar[str] = "saasu"

    settings: NetoSaasuSettings
    shop: Shop
    books: Books
    pairs: Mapping[str, str] = field(default_factory=dict)

    def reference(self, number: str, suffix: str = "") -> str:
        """Our reference in the file of an order's document: prefix, order number, and what tells it from its sisters."""
        return f"{self.settings.orders_to_saasu.prefix}{number}{f'-{suffix}' if suffix else ''}"

    @cached_property
    def payments_on(self) -> Mapping[str, tuple[Known, ...]]:
        """Payments by what they are on: the key of the effect that makes it, or its id in the file."""
        found: dict[str, list[Known]] = {}
        for one in self.journal.known.values():
            if one.kind == "payment":
                for key, number in set(_PAID.findall(one.body)):
                    found.setdefault(key or number, []).append(one)
        return {target: tuple(sorted(some, key=lambda one: one.key)) for target, some in found.items()}
