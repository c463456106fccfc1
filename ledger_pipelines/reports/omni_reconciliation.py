"""The reconciliation of a store with Cin7 Omni: one self-contained HTML page.

Belongs here: turning the values into the page. Does not belong here: finding them (`integrations`), what they come to (`omni_view`),
storing the page.

No script, no address outside the page; every text is escaped; every total is the sum of the rows above it as they are shown.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from markupsafe import Markup

from ledger_pipelines.reports.amounts import shown
from ledger_pipelines.reports.omni_view import OmniReconciliation
from ledger_pipelines.reports.pages import template
from ledger_pipelines.reports.shop_reconciliation import MOST_ROWS

WORDS: Final = {
    "every_order_is_in_omni": "Every order is in Omni",
    "totals_agree": "Totals agree",
    "dispatch_agrees": "What is completed is dispatched, what is cancelled is void",
    "products_in_step": "Products are in step",
    "nothing_is_there_twice": "No payment of ours is there twice",
    "readings_are_fresh": "Both sides were read lately",
}


def render(data: OmniReconciliation, *, most_rows: int = MOST_ROWS) -> str:
    """The page as text (UTF-8 when stored)."""
    currency = data.heading.currency

    def money(amount: Decimal) -> str:
        return shown(amount, currency)

    def cell(amount: Decimal | None) -> Markup:
        return Markup('<td class="n">{}</td>').format("–" if amount is None else money(amount))

    lines = [line for line in data.days if line.orders or line.taken or line.received]
    return template("omni_reconciliation.html.j2").render(
        d=data,
        money=money,
        cell=cell,
        checks=[(WORDS.get(check.name, check.name), check) for check in data.checks()],
        lines=lines,
        quiet_days=len(data.days) - len(lines),
        orders=(*data.differences, *data.documents)[:most_rows],
        more_orders=max(0, len(data.differences) + len(data.documents) - most_rows),
        catalogue=data.catalogue[:most_rows],
        more_catalogue=max(0, len(data.catalogue) - most_rows),
        doubles=data.doubles[:most_rows],
        waiting=data.waiting[:most_rows],
        more_waiting=max(0, len(data.waiting) - most_rows),
    )
