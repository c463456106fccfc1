"""Money text of a settlement file: one grammar, one decimal sign a file.

Belongs here: the grammar, inferring the decimal sign from all amounts, parsing. Does not belong here: formatting
(`documents.money`), the same grammar as an Arrow expression (`fast`, which a property test holds to this one).
Facts: amazon-settlement.md 6; reliability.md 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

MOST_DECIMALS = 6
MOST_WHOLE_DIGITS = 12
MINUS = "−"  # U+2212, written by spreadsheets

Sign = Literal[".", ",", ""]
_NUMBER = re.compile(r"(-?)([0-9]+)(?:([.,])([0-9]+))?", re.ASCII)
_PARENTHESES = re.compile(r"\(([0-9.,]+)\)", re.ASCII)


class NotANumberError(ValueError):
    """The text is no amount in the file's style. The message is a clause: why not."""


@dataclass(slots=True)
class SignEvidence:
    """What the amounts seen so far say about the decimal sign.

    An amount with one separator proves it a decimal sign unless it could be grouping as well: one to three digits
    without leading zero, then exactly three (`1.234`). Those wait for proof from another amount.
    """

    point: tuple[int, str, str] | None = None
    comma: tuple[int, str, str] | None = None
    unclear: tuple[int, str, str] | None = None

    def see(self, line: int, column: str, text: str) -> None:
        """Take an amount into account; text that is no amount at all proves nothing."""
        proof = _proof(text)
        if not proof:
            return
        where = (line, column, text)
        if proof == "?":
            self.unclear = self.unclear or where
        elif proof == ".":
            self.point = self.point or where
        else:
            self.comma = self.comma or where

    @property
    def mixed(self) -> tuple[int, str, str] | None:
        """The first amount with the second sign, when both are proven."""
        if self.point and self.comma:
            return max(self.point, self.comma)
        return None

    @property
    def ambiguous(self) -> tuple[int, str, str] | None:
        """An amount that could be read both ways while no other proves the sign."""
        return self.unclear if not self.point and not self.comma else None

    @property
    def sign(self) -> Sign:
        """The proven decimal sign; "" when every amount is whole."""
        return "." if self.point else "," if self.comma else ""


@lru_cache(maxsize=1 << 16)
def _proof(text: str) -> Literal[".", ",", "?", ""]:
    """The decimal sign that an amount proves; "?" where it may be grouping, "" where it proves nothing."""
    match = _NUMBER.fullmatch(tidy(text))
    if match is None or match[3] is None:
        return ""
    if len(match[4]) == 3 and len(match[2]) <= 3 and not match[2].startswith("0"):
        return "?"
    return "." if match[3] == "." else ","


def tidy(text: str) -> str:
    """Strip blanks and undo what spreadsheets do to a sign: leading `+`, parentheses, U+2212 (section 6)."""
    text = text.strip(" ")
    if text[:1] == MINUS:
        return "-" + text[1:]
    if text[:1] == "+" and text[1:2].isdigit():
        return text[1:]
    match = _PARENTHESES.fullmatch(text) if text[:1] == "(" else None
    return "-" + match[1] if match else text


@lru_cache(maxsize=1 << 16)
def parse(text: str, sign: Sign) -> Decimal:
    """The exact amount.

    Args:
        text: The cell as it stands.
        sign: The file's decimal sign; "" when the file has whole amounts only.

    Raises:
        NotANumberError: anything but optional minus, digits, optionally the sign and up to six digits.
    """
    cell = tidy(text)
    match = _NUMBER.fullmatch(cell)
    if match is None:
        grouped = cell.replace(".", "").replace(",", "").lstrip("-").isdigit() and cell.isascii()
        raise NotANumberError("it has grouped thousands" if grouped else "it is not a number")
    if match[3] is not None and match[3] != sign:
        raise NotANumberError("its decimal sign differs from that of the other amounts")
    if len(match[2].lstrip("0")) > MOST_WHOLE_DIGITS:
        raise NotANumberError(f"it has more than {MOST_WHOLE_DIGITS} digits before the decimal sign")
    if match[4] is not None and len(match[4]) > MOST_DECIMALS:
        raise NotANumberError(f"it has more than {MOST_DECIMALS} decimals")
    return Decimal(cell.replace(",", "."))
