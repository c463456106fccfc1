"""The tables of docs/amazon_netsuite.md, made from the code: settings, and the categories amounts are mapped by.

Belongs here: which models and vocabulary. Does not belong here: how they become tables (`integrations.settings_reference`),
prose.

`python -m ledger_pipelines.integrations.amazon_netsuite.settings_reference docs/amazon_netsuite.md` renews the page.
"""

from __future__ import annotations

import sys

from pydantic import BaseModel

from ledger_pipelines.integrations import settings_reference as shared
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


def renewed(page: str) -> str:
    """The page with its tables as the code has them. Raises ValueError where a marker is missing."""
    return shared.renewed(
        page,
        {
            "settings": shared.settings_tables(AmazonNetSuiteSettings, TABS),
            "categories": shared.words_table(("category", "what it holds"), CATEGORIES),
        },
    )


if __name__ == "__main__":
    sys.exit(shared.renew_files(sys.argv[1:], renewed))
