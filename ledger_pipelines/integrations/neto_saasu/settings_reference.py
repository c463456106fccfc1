"""The settings tables of docs/neto_saasu.md, made from the code.

Belongs here: which models, under which words of the add-on. Does not belong here: how they become tables
(`integrations.settings_reference`), prose.

`python -m ledger_pipelines.integrations.neto_saasu.settings_reference docs/neto_saasu.md` renews the page.
"""

from __future__ import annotations

import sys

from pydantic import BaseModel

from ledger_pipelines.config.descriptions import descriptions
from ledger_pipelines.integrations import settings_reference as shared
from ledger_pipelines.integrations.neto_saasu.settings import NetoSaasuSettings


def tabs() -> list[tuple[str, type[BaseModel]]]:
    """The groups of settings in their order, each under the add-on's own words for it."""
    said = descriptions(NetoSaasuSettings)
    return [
        (f"{said.get(name, name).strip().rstrip('.')}: `{name}`", field.annotation)
        for name, field in NetoSaasuSettings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    ]


def renewed(page: str) -> str:
    """The page with its tables as the code has them. Raises ValueError where a marker is missing."""
    return shared.renewed(page, {"settings": shared.settings_tables(NetoSaasuSettings, tabs())})


if __name__ == "__main__":
    sys.exit(shared.renew_files(sys.argv[1:], renewed))
