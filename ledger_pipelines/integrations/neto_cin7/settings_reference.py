"""The settings tables of docs/neto_cin7.md, made from the code.

Belongs here: which page. Does not belong here: how settings become tables (`integrations.settings_reference`), prose.

`python -m ledger_pipelines.integrations.neto_cin7.settings_reference docs/neto_cin7.md` renews the page.
"""

from __future__ import annotations

import sys

from ledger_pipelines.integrations import settings_reference as shared
from ledger_pipelines.integrations.neto_cin7.settings import NetoCin7Settings


def renewed(page: str) -> str:
    """The page with its tables as the code has them. Raises ValueError where a mark is missing."""
    tabs = shared.tabs_of(NetoCin7Settings)
    return shared.renewed(page, {"settings": shared.settings_tables(NetoCin7Settings, tabs)})


if __name__ == "__main__":
    sys.exit(shared.renew_files(sys.argv[1:], renewed))
