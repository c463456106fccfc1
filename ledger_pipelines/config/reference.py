"""The reference tables of docs/configuration.md, made from the models' own descriptions.

Belongs here: fields to Markdown. Does not belong here: prose (the page itself).
"""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ledger_pipelines.config.cin7 import Cin7ConnectionConfig, Cin7Key
from ledger_pipelines.config.connections import (
    AmazonConnectionConfig,
    DropFolder,
    MachineToMachine,
    NetSuiteConnectionConfig,
    SellingPartnerApi,
    TokenBased,
)
from ledger_pipelines.config.descriptions import descriptions
from ledger_pipelines.config.models import Books, IntegrationConfig, LedgerConfig
from ledger_pipelines.config.shops import (
    NetoApp,
    NetoConnectionConfig,
    NetoKey,
    SaasuAccessKey,
    SaasuConnectionConfig,
    SaasuLogin,
)

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", LedgerConfig),
    ("`books`", Books),
    ("A connection with `system: amazon`", AmazonConnectionConfig),
    ("Its `drop`", DropFolder),
    ("Its `api`", SellingPartnerApi),
    ("A connection with `system: netsuite`", NetSuiteConnectionConfig),
    ("Its `auth` with `method: m2m`", MachineToMachine),
    ("Its `auth` with `method: tba`", TokenBased),
    ("A connection with `system: neto`", NetoConnectionConfig),
    ("Its `auth` with `method: key`", NetoKey),
    ("Its `auth` with `method: app`", NetoApp),
    ("A connection with `system: saasu`", SaasuConnectionConfig),
    ("Its `auth` with `method: password`", SaasuLogin),
    ("Its `auth` with `method: access_key`", SaasuAccessKey),
    ("A connection with `system: cin7`", Cin7ConnectionConfig),
    ("Its `auth`", Cin7Key),
    ("An integration", IntegrationConfig),
)


def reference() -> str:
    """All tables, as Markdown."""
    return "\n".join(f"### {title}\n\n{table(model)}" for title, model in SECTIONS)


def table(model: type[BaseModel]) -> str:
    """One model: field, what it is, default."""
    lines = ["| field | what it is | default |", "|---|---|---|"]
    said = descriptions(model)
    for name, field in model.model_fields.items():
        text = " ".join(said.get(name, "").split()).replace("|", "\\|")
        words = _words(field.annotation)
        allowed = f" One of: {', '.join(f'`{word}`' for word in words)}." if len(words) > 1 else ""
        lines.append(f"| `{name}` | {text}{allowed} | {_default(field)} |")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None or field.default is None:
        return ""
    value = field.default.value if isinstance(field.default, Enum) else field.default
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return "" if value in ("", ()) else f"`{value}`"


def _words(annotation: Any) -> list[str]:
    origin = get_origin(annotation)
    if origin is Literal:
        return [str(word) for word in get_args(annotation)]
    if origin is Annotated:
        return _words(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return [word for option in get_args(annotation) for word in _words(option)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(member.value) for member in annotation]
    return []
