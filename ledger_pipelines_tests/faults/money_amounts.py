"""Amounts to be sent through the product, and what a path for them is.

Belongs here: drawing amounts, comparing what came out, the words the money drill and its paths share. Does not belong
here: any path (`money_paths`, `money_<integration>`).

An amount is drawn as a whole number of its smallest unit. What comes out of a path is compared as such a number, so that
the comparison itself uses no arithmetic of the product.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ledger_pipelines.sandbox.server import RunningSandbox

EXACT = Context(prec=80)
MOST_SHOWN = 5
HARD = (0, 1, -1, 3, 10, 29, 30, 57, 115, 1005, 2675, 9007199254740993, -9007199254740993, 4503599627370497)
"""Units whose amounts binary floats get wrong: halves that are none, cents beyond 2^53."""

CURRENCIES = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}


@dataclass(frozen=True, slots=True)
class Series:
    """Amounts of one currency with so many decimals, in units of the last one."""

    currency: str
    digits: int
    units: tuple[int, ...]

    def decimals(self) -> list[Decimal]:
        """The amounts."""
        scale = -self.digits
        return [Decimal(unit).scaleb(scale, EXACT) for unit in self.units]

    def texts(self, sign: str = ".") -> list[str]:
        """The amounts as a file writes them."""
        if not self.digits:
            return [str(unit) for unit in self.units]
        width = self.digits + 1
        found = []
        for unit in self.units:
            text = str(abs(unit)).zfill(width)
            minus = "-" if unit < 0 else ""
            found.append(f"{minus}{text[: -self.digits]}{sign}{text[-self.digits :]}")
        return found

    @property
    def total(self) -> Decimal:
        """Their sum."""
        return Decimal(sum(self.units)).scaleb(-self.digits, EXACT)


def draw(
    chooser: random.Random, count: int, currency: str, digits: int, *, whole: int = 12, bounded: bool = True
) -> Series:
    """Amounts of every magnitude up to `whole` digits before the point: as many small ones as large ones.

    Args:
        chooser: Chooses them.
        count: How many.
        currency: Of all.
        digits: Decimals.
        whole: Digits before the point, at most.
        bounded: Signs are chosen so that every running total keeps within that many digits, too.
    """
    most = 10 ** (whole + digits) - 1
    hard = [unit for unit in (*HARD, most, -most, most - 1) if abs(unit) <= most]
    sizes = [10**n for n in range(1, whole + digits + 1)]
    units: list[int] = []
    running = 0
    for _ in range(count):
        chance = chooser.random()
        unit = chooser.choice(hard) if chance < 0.03 else chooser.randrange(chooser.choice(sizes))
        if chance > 0.5:
            unit = -unit
        if bounded and abs(running + unit) > most:
            unit = -unit
        running += unit
        units.append(unit)
    return Series(currency, digits, tuple(units))


@dataclass(slots=True)
class Block:
    """One case: so many amounts, an empty folder, a chooser of its own, and the sandbox if the path needs it."""

    case: str
    count: int
    folder: Path
    chooser: random.Random
    sandbox: Callable[[], RunningSandbox]


@dataclass(frozen=True, slots=True)
class MoneyPath:
    """A way that amounts take.

    Args:
        name: What a case calls it.
        block: Amounts of one case.
        full: Cases of the full tier.
        fast: Amounts of the one case of the fast tier.
        carry: Sends a block through; sentences for what came out otherwise.
    """

    name: str
    block: int
    full: int
    fast: int
    carry: Callable[[Block], Sequence[str]]


def differing(where: str, sent: Sequence[Decimal], got: Sequence[object]) -> list[str]:
    """Sentences for amounts that came out otherwise: another value, another type, another number of them."""
    if len(sent) != len(got):
        return [f"{where}: {len(sent)} amounts went in and {len(got)} came out."]
    wrong = [
        f"{where}: {before} came out as {after!r}."
        for before, after in zip(sent, got, strict=True)
        if type(after) is not Decimal or after != before
    ]
    more = len(wrong) - MOST_SHOWN
    return wrong[:MOST_SHOWN] + ([f"{where}: and {more} more."] if more > 0 else [])


def differing_column(where: str, series: Series, column: pa.ChunkedArray[Any]) -> list[str]:
    """The same for a column of Arrow: its integers are compared, without making numbers of them."""
    if not pa.types.is_decimal128(column.type):
        return [f"{where}: the column is {column.type}."]
    scale = column.type.scale
    if scale > 6:  # wider than 64 bits
        return differing(where, series.decimals(), column.to_pylist())
    flat = column.combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.chunk(0) if flat.num_chunks else pa.array([], column.type)
    if flat.null_count or len(flat) != len(series.units):
        return [
            f"{where}: {len(series.units)} amounts went in, {len(flat)} came out, {flat.null_count} null."
        ]
    words = np.frombuffer(flat.buffers()[1], dtype="<i8").reshape(-1, 2)[
        flat.offset : flat.offset + len(flat)
    ]
    factor = 10 ** (scale - series.digits)
    wanted = np.array([unit * factor for unit in series.units], dtype=np.int64)
    wrong = np.flatnonzero((words[:, 0] != wanted) | (words[:, 1] != words[:, 0] >> 63))
    decimals = series.decimals()
    return [f"{where}: {decimals[at]} came out as {flat[int(at)].as_py()}." for at in wrong[:MOST_SHOWN]]


def unequal(where: str, wanted: object, got: object) -> list[str]:
    """A sentence when a single figure differs, or is no exact number."""
    if type(got) is float or wanted != got:
        return [f"{where}: {got!r} instead of {wanted!r}."]
    return []


def all_of(parts: Iterable[Sequence[str]]) -> list[str]:
    """All sentences."""
    return [sentence for part in parts for sentence in part]
