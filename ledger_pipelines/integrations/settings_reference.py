"""The tables of an integration's docs page that are made from its code, and putting them between their marks.

Belongs here: what all integrations share. Does not belong here: which models and vocabularies one has
(`integrations/<name>/settings_reference.py`), prose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel

from ledger_pipelines.config.descriptions import descriptions
from ledger_pipelines.config.reference import table

Tabs = Sequence[tuple[str, type[BaseModel]]]
"""Title and model of each group of settings."""


def tabs_of(settings: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """The groups of settings in their order, each under its own words."""
    said = descriptions(settings)
    return [
        (f"{said.get(name, name).strip().rstrip('.')}: `{name}`", field.annotation)
        for name, field in settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    ]


def settings_tables(settings: type[BaseModel], tabs: Tabs) -> str:
    """One table a tab; the settings outside a tab first."""
    inside = {model for _, model in tabs}
    said = descriptions(settings)
    top = [
        f"| `{name}` | {' '.join(said.get(name, '').split())} | |"
        for name, field in settings.model_fields.items()
        if field.annotation not in inside
    ]
    first = ["| field | what it is | default |", "|---|---|---|", *top, ""] if top else []
    return "\n".join([*first, *(f"### {title}\n\n{table(model)}" for title, model in tabs)]).strip()


def words_table(head: tuple[str, str], words: Mapping[str, str]) -> str:
    """A vocabulary: each word with what it means."""
    rows = [f"| `{name}` | {text} |" for name, text in words.items()]
    return "\n".join([f"| {head[0]} | {head[1]} |", "|---|---|", *rows])


def renewed(page: str, parts: Mapping[str, str]) -> str:
    """The page with each part between its marks. Raises ValueError where a mark is missing."""
    for name, text in parts.items():
        begin, end = f"<!-- {name}: made from the code -->", f"<!-- end of {name} -->"
        head, found, rest = page.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"The page has no {begin} ... {end}.")
        page = f"{head}{begin}\n\n{text}\n\n{end}{tail}"
    return page


def renew_files(names: Sequence[str], renew: Callable[[str], str]) -> int:
    """Renew the pages named; the exit code."""
    for name in names:
        path = Path(name)
        path.write_text(renew(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0
