"""The tables of docs/amazon_netsuite.md, made from the code: settings, and the categories amounts are mapped by.

Belongs here: models and vocabulary to Markdown, and putting them into the page. Does not belong here: prose.

`python -m ledger_pipelines.integrations.amazon_netsuite.settings_reference docs/amazon_netsuite.md` renews the page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from ledger_pipelines.config.reference import table
from ledger_pipelines.integrations.amazon_netsuite.settings import (
    AmazonNetSuiteSettings,
    General,
    Guards,
    Journal,
    OrderInvoices,
    Payment,
    Records,
    Refund,
    Summary,
)
from ledger_pipelines.systems.amazon.vocabulary import CATEGORIES

TABS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("General: `general`", General),
    ("Order invoices: `order_invoices`", OrderInvoices),
    ("Payment: `payment`", Payment),
    ("Refund: `refund`", Refund),
    ("Journal: `journal`", Journal),
    ("Summary: `summary`", Summary),
    ("Settlement records: `records`", Records),
    ("Guards: `guards`", Guards),
)


def settings_tables() -> str:
    """One table a tab; the settings outside a tab first."""
    names = {model for _, model in TABS}
    top = [
        f"| `{name}` | {' '.join((field.description or '').split())} | |"
        for name, field in AmazonNetSuiteSettings.model_fields.items()
        if field.annotation not in names
    ]
    first = "\n".join(["| field | what it is | default |", "|---|---|---|", *top])
    return "\n".join([first, "", *(f"### {title}\n\n{table(model)}" for title, model in TABS)]).strip()


def category_table() -> str:
    """Every category a fee or other amount may be mapped by."""
    rows = [f"| `{name}` | {words} |" for name, words in CATEGORIES.items()]
    return "\n".join(["| category | what it holds |", "|---|---|", *rows])


def renewed(page: str) -> str:
    """The page with its tables as the code has them. Raises ValueError where a marker is missing."""
    for name, text in (("settings", settings_tables()), ("categories", category_table())):
        begin, end = f"<!-- {name}: made from the code -->", f"<!-- end of {name} -->"
        head, found, rest = page.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"The page has no {begin} ... {end}.")
        page = f"{head}{begin}\n\n{text}\n\n{end}{tail}"
    return page


def main(arguments: list[str]) -> int:
    """Renew the page named."""
    for name in arguments:
        path = Path(name)
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
