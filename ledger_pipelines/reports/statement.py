"""The settlement statement: one self-contained HTML page for an accountant.

Belongs here: turning the view into the page. Does not belong here: filling the view (`integrations`), storing it.

No script, no address outside the page but the links given; every text is escaped; every total is the sum of the rows
above it as they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from ledger_pipelines.documents.money import ZERO
from ledger_pipelines.reports.amounts import shown
from ledger_pipelines.reports.pages import link, template
from ledger_pipelines.reports.view import StatementData
from ledger_pipelines.reports.waterfall import svg

MOST_DOCUMENTS = 2000
"""More are summed in one row, so that the page stays small enough to open."""


def render(data: StatementData, *, most_documents: int = MOST_DOCUMENTS) -> str:
    """The page as text (UTF-8 when stored)."""
    currency = data.heading.currency

    def money(amount: Decimal) -> str:
        return shown(amount, currency)

    def number(amount: Decimal) -> Markup:
        return Markup('<td class="n">{}</td>').format(money(amount))

    def total(rows: Sequence[object], name: str) -> Decimal:
        return sum((getattr(row, name) for row in rows), ZERO)

    def check(what: str, amount: Decimal | None, good: bool, words: str, label: str) -> Markup:
        if amount is None:
            return Markup(
                '<section><small>{}</small><b class="soft">not booked yet</b><span class="soft">{}</span></section>'
            ).format(what, words)
        return Markup(
            '<section><small>{}</small><b class="{}">{} {} {} {}</b><span class="soft">{}</span></section>'
        ).format(what, "good" if good else "bad", "✔" if good else "✘", label, money(amount), currency, words)

    listed = data.documents[:most_documents]
    rest = data.documents[most_documents:]
    return template("statement.html.j2").render(
        d=data,
        money=money,
        n=number,
        sum=total,
        check=check,
        link=link,
        picture=Markup(svg(data.waterfall, alone=False)),  # noqa: S704 - drawn by us, its texts escaped
        open_rows=data.open,
        document_rows=listed,
        more_documents=len(rest),
        more_amount=sum((row.amount for row in rest), ZERO),
    )
