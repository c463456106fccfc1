"""The reconciliation of a shop with its books: one self-contained HTML page for an accountant.

Belongs here: turning the values into the page, and the plot of its days. Does not belong here: finding them
(`integrations`), what they come to (`shop_view`), storing the page.

No script, no address outside the page but the links given; every text is escaped; every total is the sum of the rows
above it as they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from markupsafe import Markup, escape

from ledger_pipelines.documents.money import ZERO, plain
from ledger_pipelines.reports.amounts import shown
from ledger_pipelines.reports.pages import link, template
from ledger_pipelines.reports.shop_view import Check, DayLine, ShopReconciliation

_Scale: TypeAlias = Callable[[Decimal], Decimal]
MOST_ROWS = 2000
"""More are summed or counted in one row, so that the page stays small enough to open."""
WORDS: Final = {
    "paid_in_store_is_received": "Paid in the store is received in the books",
    "every_order_has_its_invoice": "Every order has its invoice",
    "every_invoice_has_its_order": "Every invoice has its order",
    "totals_agree": "Totals and amounts owed agree",
    "nothing_is_there_twice": "No document of ours is in the books twice",
    "stock_agrees": "Stock agrees",
    "readings_are_fresh": "Both sides were read lately",
}


@dataclass(frozen=True, slots=True)
class _ShownCheck:
    words: str
    check: Check


def render(data: ShopReconciliation, *, most_rows: int = MOST_ROWS) -> str:
    """The page as text (UTF-8 when stored)."""
    currency = data.heading.currency

    def money(amount: Decimal) -> str:
        return shown(amount, currency)

    def cell(amount: Decimal | None, more: str = "") -> Markup:
        text = "–" if amount is None else money(amount)
        return Markup('<td class="{}">{}</td>').format(f"n {more}".strip(), text)

    def total(rows: Sequence[object], name: str) -> Decimal:
        return sum((getattr(row, name) or ZERO for row in rows), ZERO)

    lines = [line for line in data.days if _moved(line)]
    return template(
        "shop_reconciliation.html.j2"
    ).render(
        d=data,
        money=money,
        cell=cell,
        sum=total,
        link=link,
        plain=plain,
        checks=[_ShownCheck(WORDS.get(check.name, check.name), check) for check in data.checks()],
        picture=Markup(plot(data, alone=False)),  # noqa: S704 - drawn by us, its texts escaped
        lines=lines,
        quiet_days=len(data.days) - len(lines),
        differences=data.differences[:most_rows],
        more=data.differences[most_rows:],
        documents=data.documents[:most_rows],
        more_documents=len(data.documents[most_rows:]),
        doubles=data.doubles[:most_rows],
        more_doubles=len(data.doubles[most_rows:]),
        drift=data.drift[:most_rows],
        more_drift=len(data.drift[most_rows:]),
        waiting=data.waiting[:most_rows],
        more_waiting=len(data.waiting[most_rows:]),
    )


def _moved(line: DayLine) -> bool:
    return bool(line.taken or line.received or line.orders or line.invoices)


_WIDTH, _HEIGHT, _TOP, _LEFT, _BOTTOM = 760, 190, 22, 8, 24
_MOST_LABELS = 8


def plot(data: ShopReconciliation, *, alone: bool = True) -> str:
    """Taken and received, two bars a day, as SVG; a mark under the days that differ. "" where nothing moved.

    Args:
        data: The days.
        alone: As an image of its own, with colours and background; else colours come from the page's style.
    """
    days = data.days
    if not any(line.taken or line.received for line in days):
        return ""
    values = [ZERO, *(value for line in days for value in (line.taken, line.received))]
    low, high = min(values), max(values)
    span = (high - low) or Decimal(1)
    tall = Decimal(_HEIGHT - _TOP - _BOTTOM)
    step = Decimal(_WIDTH - 2 * _LEFT) / len(days)  # not money: pixels
    bar = step * Decimal("0.4")

    def y(value: Decimal) -> Decimal:
        return _TOP + (high - value) / span * tall  # not money: pixels

    parts = [_opening(data, alone)]
    parts.append(
        f'<line class="wf-line" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{y(ZERO):.1f}" y2="{y(ZERO):.1f}"/>'
    )
    every = -(-len(days) // _MOST_LABELS)  # not money: labels
    for at, line in enumerate(days):
        left = _LEFT + step * at
        title = (
            f"{line.day}: taken {shown(line.taken, data.heading.currency)}, "
            f"received {shown(line.received, data.heading.currency)}"
        )
        bars = ((line.taken, "rc-taken", left + step * Decimal("0.08")),
                (line.received, "rc-received", left + step * Decimal("0.52")))  # fmt: skip
        drawn = [_bar(value, css, x, bar, y) for value, css, x in bars if value]
        if line.difference:
            middle = left + step * Decimal("0.5")
            drawn.append(
                f'<circle class="rc-off" cx="{middle:.1f}" cy="{_HEIGHT - _BOTTOM + 6}" r="2.5"></circle>'
            )
        if drawn:
            parts.append(f"<g><title>{escape(title)}</title>{''.join(drawn)}</g>")
        if at % every == 0:
            parts.append(
                f'<text class="wf-text" x="{left:.1f}" y="{_HEIGHT - 3}" font-size="11">{line.day:%d %b}</text>'
            )
    return "".join(parts) + "</svg>"


def _bar(value: Decimal, css: str, x: Decimal, width: Decimal, y: _Scale) -> str:
    top, bottom = sorted((y(value), y(ZERO)))
    height = max(bottom - top, Decimal("0.6"))
    return f'<rect class="{css}" x="{x:.2f}" y="{top:.1f}" width="{width:.2f}" height="{height:.1f}"/>'


def _opening(data: ShopReconciliation, alone: bool) -> str:
    words = f"Taken in the store and received in the books, {data.heading.first} to {data.heading.last}"
    style = (
        "<style>.rc-taken{fill:#2b5d9b}.rc-received{fill:#2f7d4f}.rc-off{fill:#b42318}.wf-text{fill:#222}"
        f'.wf-line{{stroke:#999}}</style><rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        if alone
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" class="waterfall"'
        f' font-family="system-ui,sans-serif" font-size="12"><title>{escape(words)}</title>{style}'
        f'<rect class="rc-taken" x="{_LEFT}" y="4" width="10" height="10"/>'
        f'<text class="wf-text" x="{_LEFT + 15}" y="13">taken</text>'
        f'<rect class="rc-received" x="{_LEFT + 65}" y="4" width="10" height="10"/>'
        f'<text class="wf-text" x="{_LEFT + 80}" y="13">received</text>'
        f'<circle class="rc-off" cx="{_LEFT + 152}" cy="9" r="3"></circle>'
        f'<text class="wf-text" x="{_LEFT + 160}" y="13">a day that differs</text>'
    )
