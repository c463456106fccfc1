"""The settings tables of docs/neto_saasu.md, made from the code.

Belongs here: which models, under which words of the add-on. Does not belong here: how they become tables
(`integrations.settings_reference`), prose.

`python -m ledger_pipelines.integrations.neto_saasu.settings_reference docs/neto_saasu.md` renews the page.
"""

from __future__ import annotations

import sys

from ledger_pipelines.integrations import settings_reference as shared
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings


def renewed(page: str) -> str:
    """The page with its tables as the code has them. Raises ValueError where a marker is missing."""
    return shared.renewed(
        page, {"settings": shared.settings_tables(NetoSaasuSettings, shared.tabs_of(NetoSaasuSettings))}
    )


if __name__ == "__main__":
    sys.exit(shared.renew_files(sys.argv[1:], renewed))
