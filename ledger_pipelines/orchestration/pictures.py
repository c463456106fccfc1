"""Pictures in metadata: the waterfall from gross to deposit, as SVG within Markdown.

Belongs here: drawing. Does not belong here: deciding what is drawn (`assets.settlements`). Dagster has no metadata
type for images; its Markdown shows a data URI (dagster.md 13). A picture is stored in the event's row for ever, so it
stays under a few kilobytes; no library draws this small, so it is written out here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape

from ledger_pipelines.documents.money import ZERO

_WIDTH, _HEIGHT, _TOP, _BOTTOM, _LEFT = 760, 300, 28, 44, 12
_CELLS = 24
_UP, _DOWN, _TOTAL, _INK, _LINE = "#2f855a", "#c05621", "#2b6cb0", "#2d3748", "#a0aec0"


def waterfall(title: str, steps: Sequence[tuple[str, Decimal]], total: str) -> str:
    """Markdown with a picture: each step stands on the sum of those before it; the last bar is their sum.

    Args:
        title: For the picture's alternative text.
        steps: Name and signed amount, in order; those of 0 are left out.
        total: Name of the last bar.
    """
    shown = [(name, amount) for name, amount in steps if amount]
    bars: list[tuple[str, Decimal, Decimal, str]] = []
    level = ZERO
    for name, amount in shown:
        bars.append((name, level, level + amount, _UP if amount > 0 else _DOWN))
        level += amount
    bars.append((total, ZERO, level, _TOTAL))
    picture = _svg(title, bars)
    encoded = base64.b64encode(picture.encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})"


def bars(steps: Sequence[tuple[str, Decimal]], total: str, write: Callable[[Decimal], str]) -> str:
    """The same as a Markdown table with bars of blocks: under 1,000 characters, which the UI shows without a click."""
    shown = [(name, amount) for name, amount in steps if amount]
    level = ZERO
    rows: list[tuple[str, Decimal, Decimal]] = []
    for name, amount in shown:
        rows.append((name, level, level + amount))
        level += amount
    rows.append((total, ZERO, level))
    ends = [ZERO, *(end for _, start, stop in rows for end in (start, stop))]
    low, span = min(ends), (max(ends) - min(ends)) or Decimal(1)
    lines = ["| | | |", "|---|---|---:|"]
    for name, start, stop in rows:
        left, right = sorted(int((end - low) * _CELLS // span) for end in (start, stop))
        bar = "\u00a0" * left + "\u2588" * max(1, right - left)
        lines.append(f"| {name} | {bar} | {write(stop - start)} |")
    return "\n".join(lines)


def _svg(title: str, bars: Sequence[tuple[str, Decimal, Decimal, str]]) -> str:
    ends = [ZERO, *(end for _, start, stop, _ in bars for end in (start, stop))]
    high, low = max(ends), min(ends)
    span = high - low or Decimal(1)
    room = Decimal(_HEIGHT - _TOP - _BOTTOM)

    def y(amount: Decimal) -> int:
        return _TOP + int((high - amount) * room // span)

    step = (_WIDTH - 2 * _LEFT) // len(bars)
    width = step * 7 // 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}"',
        f' viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<path d="M{_LEFT} {y(ZERO)}H{_WIDTH - _LEFT}" stroke="{_LINE}"/>',
    ]
    for place, (name, start, stop, colour) in enumerate(bars):
        left = _LEFT + place * step + (step - width) // 2
        top, bottom = y(max(start, stop)), y(min(start, stop))
        amount = stop - start
        middle = left + width // 2
        parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="{max(1, bottom - top)}" fill="{colour}" rx="2"/>'
            f'<text x="{middle}" y="{top - 5}" text-anchor="middle">{amount:,.2f}</text>'
            f'<text x="{middle}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(name)}</text>'
        )
        if place + 1 < len(bars):
            parts.append(f'<path d="M{left + width} {y(stop)}H{left + step}" stroke="{_LINE}"/>')
    return "".join([*parts, "</svg>"])
