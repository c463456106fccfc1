"""From gross sales to the deposit, step by step: the numbers, and their picture as SVG.

Belongs here: the steps, their running total, drawing. Does not belong here: what Dagster does with it
(`orchestration`), the page around it (`statement`).

The steps sum to the deposit exactly: each amount of the settlement is in one step.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.documents.settlement import Component, KindAmount, SettlementGroup, TransactionClass
from ledger_pipelines.reports.amounts import shown

SALES, SHIPPING, PROMOTIONS, TAX, REFUNDS = (
    "Product sales",
    "Shipping and gift wrap",
    "Promotions",
    "Tax, less tax withheld",
    "Refunds",
)
_ORDER_STEPS = {
    Component.PRODUCT: SALES,
    Component.SHIPPING: SHIPPING,
    Component.GIFTWRAP: SHIPPING,
    Component.PROMOTION: PROMOTIONS,
    Component.TAX: TAX,
    Component.WITHHELD_TAX: TAX,
}
_CLASS_STEPS = {
    TransactionClass.REFUND: REFUNDS,
    TransactionClass.CHARGEBACK: "Chargebacks and claims",
    TransactionClass.RETROCHARGE: TAX,
    TransactionClass.REIMBURSEMENT: "Reimbursements",
    TransactionClass.RESERVE: "Reserve",
    TransactionClass.TRANSFER: "Transfers",
}
_FIRST = (SALES, SHIPPING, PROMOTIONS, TAX, REFUNDS, "Chargebacks and claims")
_LAST = ("Reimbursements", "Other amounts", "Transfers", "Reserve")
MOST_FEES = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One bar. before, after: the running total left and right of it; the deposit's goes from zero."""

    label: str
    amount: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Steps whose amounts sum to `deposit`, in the settlement's currency."""

    currency: str
    steps: tuple[Step, ...]
    deposit: Decimal


def waterfall_of(groups: Iterable[SettlementGroup], currency: str) -> Waterfall:
    """The waterfall of a settlement. Fees are told by category, the smaller ones together."""
    sums: dict[str, Decimal] = {}
    fees: dict[str, Decimal] = {}
    for group in groups:
        for part in group.kinds:
            if part.kind.component is Component.FEES:
                fees[part.kind.category] = fees.get(part.kind.category, ZERO) + part.amount
            else:
                label = _label(group.cls, part)
                sums[label] = sums.get(label, ZERO) + part.amount
    largest = sorted(fees, key=lambda name: (-abs(fees[name]), name))
    told = largest if len(largest) <= MOST_FEES else largest[: MOST_FEES - 1]
    named = {_words(name): fees[name] for name in told}
    rest = sum((fees[name] for name in largest[len(told) :]), ZERO)
    if rest:
        named["Other fees"] = named.get("Other fees", ZERO) + rest
    amounts = [(label, sums[label]) for label in _FIRST if sums.get(label)]
    amounts += [(label, amount) for label, amount in named.items() if amount]
    amounts += [(label, sums[label]) for label in _LAST if sums.get(label)]
    steps, running = [], ZERO
    for label, amount in amounts:
        steps.append(Step(label, amount, running, running + amount))
        running += amount
    return Waterfall(currency, tuple(steps), running)


def _label(cls: TransactionClass, part: KindAmount) -> str:
    if cls is TransactionClass.ORDER:
        return _ORDER_STEPS.get(part.kind.component, "Other amounts")
    return _CLASS_STEPS.get(cls, "Other amounts")


def _words(category: str) -> str:
    words = category.replace("_", " ").strip() or "fees"
    return words[:1].upper() + words[1:].replace("fba", "FBA") if words != "fba fees" else "FBA fees"


_ROW, _TOP, _LEFT, _RIGHT, _WIDTH = 30, 8, 190, 120, 760


def svg(waterfall: Waterfall, *, alone: bool = True) -> str:
    """The picture: one bar a step, the deposit last. It scales to its place.

    Args:
        waterfall: The numbers.
        alone: As an image of its own, with colours and background; else colours come from the page's style
            (classes `wf-plus`, `wf-minus`, `wf-total`, `wf-text`, `wf-line`).
    """
    bars = [*waterfall.steps, Step("Deposit", waterfall.deposit, ZERO, waterfall.deposit)]
    values = [ZERO, *(v for s in bars for v in (s.before, s.after))]
    low, high = min(values), max(values)
    span = (high - low) or Decimal(1)
    plot = Decimal(_WIDTH - _LEFT - _RIGHT)

    def x(value: Decimal) -> str:
        return f"{(_LEFT + (value - low) / span * plot):.1f}"  # not money: pixels

    height = _TOP * 2 + _ROW * len(bars)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" class="waterfall"'
            f' font-family="system-ui,sans-serif" font-size="13">'
        ),
        (
            f"<title>From gross sales to the deposit of {shown(waterfall.deposit, waterfall.currency)} "
            f"{escape(waterfall.currency)}</title>"
        ),
    ]
    if alone:
        parts.append(
            "<style>.wf-plus{fill:#2f7d4f}.wf-minus{fill:#b4472f}.wf-total{fill:#2b5d9b}.wf-text{fill:#222}"
            ".wf-line{stroke:#999}</style>"
            f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
        )
    parts.append(f'<line class="wf-line" x1="{x(ZERO)}" x2="{x(ZERO)}" y1="0" y2="{height}"/>')
    for at, step in enumerate(bars):
        total = at == len(bars) - 1
        top = _TOP + at * _ROW
        left, right = sorted((step.before, step.after))
        width = max((right - left) / span * plot, Decimal("0.8"))  # not money: pixels
        colour = "wf-total" if total else "wf-plus" if step.amount > 0 else "wf-minus"
        middle = top + _ROW * 2 // 3 - 1  # not money: pixels
        weight = ' font-weight="600"' if total else ""
        parts.append(
            f'<text class="wf-text" x="{_LEFT - 10}" y="{middle}" text-anchor="end"{weight}>{escape(step.label)}</text>'
            f'<rect class="{colour}" x="{x(left)}" y="{top + 5}" width="{width:.1f}" height="{_ROW - 10}" rx="2"/>'
            f'<text class="wf-text" x="{_WIDTH - 6}" y="{middle}" text-anchor="end"{weight}>'
            f"{shown(step.amount, waterfall.currency)}</text>"
        )
        if not total:
            parts.append(
                f'<line class="wf-line" x1="{x(step.after)}" x2="{x(step.after)}" y1="{top + _ROW - 5}"'
                f' y2="{top + _ROW + 5}"/>'
            )
    return "".join(parts) + "</svg>"


def data_uri(waterfall: Waterfall) -> str:
    """The picture as a `data:` address, for places that take an image's address only."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg(waterfall).encode()).decode()


def as_markdown(waterfall: Waterfall) -> str:
    """The numbers as a Markdown table that adds up."""
    rows = [
        f"| {step.label} | {shown(step.amount, waterfall.currency)} | {shown(step.after, waterfall.currency)} |"
        for step in waterfall.steps
    ]
    head = [f"| Step | {waterfall.currency} | Running total |", "|---|---:|---:|"]
    total = f"| **Deposit** | **{shown(waterfall.deposit, waterfall.currency)}** | |"
    return "\n".join([*head, *rows, total])
