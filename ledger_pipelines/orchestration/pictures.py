"""Pictures in metadata: the waterfall from gross to deposit, as a table with bars of blocks.

Belongs here: drawing. Does not belong here: deciding what is drawn (`assets.settlements`). Dagster has no metadata type
for images, and the UI of 1.13 takes the address out of images with a data URI (its Markdown passes http and https
only), so bars are text. Under 1,000 characters the UI shows them without a click.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from ledger_pipelines.documents.money import ZERO

_CELLS = 24


def bars(steps: Sequence[tuple[str, Decimal]], total: str, write: Callable[[Decimal], str]) -> str:
    """A Markdown table: each step's bar stands on the sum of those before it; the last one is their sum.

    Args:
        steps: Name and signed amount, in order; those of 0 are left out.
        total: Name of the last bar.
        write: An amount as text.
    """
    level = ZERO
    rows: list[tuple[str, Decimal, Decimal]] = []
    for name, amount in steps:
        if amount:
            rows.append((name, level, level + amount))
            level += amount
    rows.append((total, ZERO, level))
    ends = [ZERO, *(end for _, start, stop in rows for end in (start, stop))]
    low, span = min(ends), (max(ends) - min(ends)) or Decimal(1)
    lines = ["| | | |", "|---|---|---:|"]
    for name, start, stop in rows:
        left, right = sorted(
            int((end - low) * _CELLS // span)  # not money: cells of a bar
            for end in (start, stop)
        )
        bar = "\u00a0" * left + "\u2588" * max(1, right - left)
        lines.append(f"| {name} | {bar} | {write(stop - start)} |")
    return "\n".join(lines)
