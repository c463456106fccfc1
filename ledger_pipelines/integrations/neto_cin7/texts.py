"""Texts of the store in fields of Omni that have a length: cut where that does no harm, and said.

Belongs here: lengths and cutting. Does not belong here: which text goes where (`order_body`, `contacts`). Facts: cin7-omni.md 6.1,
10.1. The lengths of names of contacts and of addresses are those of an order's (inferred there).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

LONG: Final = 250
"""Names, companies, addresses, e-mail addresses."""
SHORT: Final = 50
"""Phone numbers and tracking codes."""
CUSTOMER_ORDER_NO: Final = 100
INSTRUCTIONS: Final = 2000


@dataclass(slots=True)
class Texts:
    """The texts of one record, and what was done to them. said: one sentence each."""

    said: list[str] = field(default_factory=list)

    def cut(self, what: str, text: str, most: int = LONG) -> str:
        """The text without outer blanks, cut to its field's length."""
        told = text.strip()
        if len(told) > most:
            self.said.append(f"The {what} is cut to {most} characters, it has {len(told)}.")
            told = told[:most].rstrip()
        return told

    def whole(self, what: str, text: str, most: int) -> str:
        """The text without outer blanks; nothing where it is too long, for a part of it would be another one."""
        told = text.strip()
        if len(told) > most:
            self.said.append(
                f"The {what} {told[:most]!r}... is left out: Omni keeps {most} characters, it has {len(told)}."
            )
            return ""
        return told
