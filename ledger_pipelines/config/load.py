"""From the file to a configuration: every problem found at once, one bad connection left out loudly.

Belongs here: finding the file, validating piece by piece, cross-checks between pieces, relative paths.
Does not belong here: what a field means (models), YAML itself (`document`), words of errors (`problems`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, TypeAdapter, ValidationError, create_model

from ledger_pipelines.config.base import Slug
from ledger_pipelines.config.cin7 import Cin7ConnectionConfig
from ledger_pipelines.config.connections import AmazonConnectionConfig, Connection, NetSuiteConnectionConfig
from ledger_pipelines.config.document import Document, Value, read
from ledger_pipelines.config.models import IntegrationConfig, IntegrationKind, LedgerConfig
from ledger_pipelines.config.problems import FieldPath, Problem, choose, describe, fields_at
from ledger_pipelines.config.shops import NetoConnectionConfig, SaasuConnectionConfig
from ledger_pipelines.errors import ConfigurationError

CONFIG_VARIABLE = "LEDGER_CONFIG"
DEFAULT_FILE = "ledger.yaml"

IntegrationModels = Mapping[str, type[BaseModel] | IntegrationKind]
"""Settings model (or the whole declaration) by kind; given by the layers above."""

_CONNECTIONS: dict[str, type[BaseModel]] = {
    "netsuite": NetSuiteConnectionConfig,
    "amazon": AmazonConnectionConfig,
    "neto": NetoConnectionConfig,
    "saasu": SaasuConnectionConfig,
    "cin7": Cin7ConnectionConfig,
}
_CONNECTION = TypeAdapter[Any](Connection)
_SLUG = TypeAdapter[str](Slug)


class UnusableConfigurationError(ConfigurationError):
    """The file cannot be used at all. problems: everything that was found."""

    def __init__(self, message: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(message, remedy="Correct the file and try again.")
        self.problems = problems


Section = Literal["connections", "integrations"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A connection or an integration that was left out, and why."""

    section: Section
    name: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """What can be used, and what could not be."""

    config: LedgerConfig
    path: Path
    left_out: tuple[LeftOut, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem found, in the order of the file."""
        found = {problem for one in self.left_out for problem in one.problems}
        return tuple(sorted(found, key=lambda problem: (problem.place, problem.message)))

    def of_kind(self, name: str, kind: str) -> IntegrationConfig:
        """The integration of that name. Raises ConfigurationError: none, left out, or of another kind."""
        integration = self.config.integrations.get(name)
        if integration is not None and integration.kind == kind:
            return integration
        others = ", ".join(n for n, i in self.config.integrations.items() if i.kind == kind) or "none"
        left = next((o for o in self.left_out if o.name == name), None)
        why = "" if left is None else f" It was left out: {left.problems[0].message}"
        raise ConfigurationError(
            f"There is no {kind} integration {name!r}.{why}", remedy=f"Those there are: {others}."
        )


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file: `LEDGER_CONFIG`, or ledger.yaml in the current folder."""
    return Path(environ.get(CONFIG_VARIABLE) or DEFAULT_FILE)


def load_config(path: Path, integration_models: IntegrationModels) -> LoadedConfig:
    """Read and check a configuration file.

    Args:
        path: The file. Relative paths in it are taken from its folder.
        integration_models: Settings model, or IntegrationKind, of each kind of integration.

    Raises:
        ConfigurationError: The file cannot be read.
        UnusableConfigurationError: Its general part is wrong, so that nothing in it can be used.
    """
    return _Loader(read(path), path, integration_models).load()


def declared(kinds: IntegrationModels) -> dict[str, IntegrationKind]:
    """The same with bare settings models wrapped."""
    return {
        kind: given if isinstance(given, IntegrationKind) else IntegrationKind(given)
        for kind, given in kinds.items()
    }


def integration_model(kind: str, settings: type[BaseModel]) -> type[IntegrationConfig]:
    """The model of one kind of integration: `settings` is its own settings model, with its defaults."""
    default = settings.model_construct() if _all_optional(settings) else ...
    fields: dict[str, Any] = {
        "kind": (Literal[kind], ...),
        "settings": (settings, default),
    }
    name = "".join(word.title() for word in kind.split("_")) + "Integration"
    return cast("type[IntegrationConfig]", create_model(name, __base__=IntegrationConfig, **fields))


def _all_optional(model: type[BaseModel]) -> bool:
    return not any(field.is_required() for field in model.model_fields.values())


def _without_tags(loc: tuple[int | str, ...], value: Value, model: type[BaseModel]) -> FieldPath:
    """The path in the file: pydantic's without the tags of unions (and of keys), which are not in it."""
    inner: list[str | int] = []
    here: Value = value
    for position, part in enumerate(loc):
        last = position == len(loc) - 1
        if isinstance(here, dict) and part in here:
            here = here[str(part)]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        elif not last or part not in fields_at(model, tuple(inner)):
            continue
        inner.append(part)
    return tuple(inner)


def _within(value: Value, path: FieldPath) -> Value:
    for part in path:
        if isinstance(value, dict):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


class _Loader:
    def __init__(self, document: Document, path: Path, kinds: IntegrationModels) -> None:
        self._document = document
        self._path = path
        self._kinds = declared(kinds)
        self._problems: list[Problem] = list(document.problems)

    def load(self) -> LoadedConfig:
        root = cast("dict[str, Value]", self._document.value)
        general = {key: value for key, value in root.items() if key not in {"connections", "integrations"}}
        base = self._validate(LedgerConfig, general, ())
        sections = {name: self._section(root, name) for name in ("connections", "integrations")}
        fatal = [p for p in self._problems if len(p.path) < 2 or p.path[0] not in sections]
        if base is None or fatal:
            found = tuple(sorted(self._problems, key=lambda problem: problem.place))
            listed = "\n".join(f"  {problem}" for problem in found)
            raise UnusableConfigurationError(f"{self._document.file} cannot be used:\n{listed}\n", found)
        connections = {name: self._connection(name, value) for name, value in sections["connections"].items()}
        usable = {name: found for name, found in connections.items() if found is not None}
        integrations = {
            name: self._integration(name, value, connections)
            for name, value in sections["integrations"].items()
        }
        config = LedgerConfig.model_validate(
            {
                **base.model_dump(exclude={"connections", "integrations"}),
                "data_dir": self._absolute(cast("LedgerConfig", base).data_dir),
                "connections": usable,
                "integrations": {name: found for name, found in integrations.items() if found is not None},
            }
        )
        left_out = (
            *self._left_out("connections", connections),
            *self._left_out("integrations", integrations),
        )
        return LoadedConfig(config, self._path.resolve(), left_out)

    def _left_out(self, section: Section, entries: Mapping[str, BaseModel | None]) -> list[LeftOut]:
        return [
            LeftOut(section, name, self._of((section, name)))
            for name, entry in entries.items()
            if entry is None
        ]

    def _section(self, root: dict[str, Value], name: str) -> dict[str, Value]:
        value = root.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._problem(
                (name,), "must hold names with fields below them", "Write `name:` and its fields indented."
            )
            return {}
        return value

    def _connection(self, name: str, value: Value) -> BaseModel | None:
        path: FieldPath = ("connections", name)
        self._name(path, name)
        system = value.get("system") if isinstance(value, dict) else None
        model = _CONNECTIONS.get(str(system))
        if isinstance(value, dict) and model is None:
            at, what = (
                ((*path, "system"), f"cannot be {system!r}") if system else (path, "system is required")
            )
            self._problem(at, what, choose(str(system), list(_CONNECTIONS)))
            return None
        found = self._validate(model or NetSuiteConnectionConfig, value, path)
        if isinstance(found, AmazonConnectionConfig) and found.drop is not None:
            drop = found.drop.model_copy(update={"path": self._absolute(found.drop.path)})
            found = found.model_copy(update={"drop": drop})
        return None if self._of(path) else found

    def _integration(
        self, name: str, value: Value, connections: Mapping[str, BaseModel | None]
    ) -> IntegrationConfig | None:
        path: FieldPath = ("integrations", name)
        self._name(path, name)
        if name in connections:
            self._problem(path, "is the name of a connection too", "Give one of the two another name.")
        kind = value.get("kind") if isinstance(value, dict) else None
        declaration = self._kinds.get(str(kind))
        if declaration is None:
            at, what = ((*path, "kind"), f"cannot be {kind!r}") if kind else (path, "kind is required")
            self._problem(at, what, choose(str(kind), list(self._kinds)))
            return None
        model = integration_model(str(kind), declaration.settings)
        found = cast("IntegrationConfig | None", self._validate(model, value, path))
        if found is None:
            return None
        source_system, target_system = found.kind.split("_")
        source = self._end(path, "source", found.source, source_system, connections)
        target = self._end(path, "target", found.target, target_system, connections)
        if source is not None and target is not None and declaration.check is not None:
            for finding in declaration.check(found, source, target):
                self._problem((*path, *finding.field.split(".")), finding.message, finding.remedy)
        return None if self._of(path) else found

    def _end(
        self, path: FieldPath, end: str, name: str, system: str, connections: Mapping[str, BaseModel | None]
    ) -> BaseModel | None:
        right = [n for n, c in connections.items() if c is not None and getattr(c, "system", "") == system]
        if name not in connections:
            self._problem((*path, end), f"there is no connection {name!r}", choose(name, right))
            return None
        connection = connections[name]
        if connection is None:
            line = self._document.place(("connections", name)).line
            self._problem(
                (*path, end),
                f"the connection {name} is left out because of its own problems (line {line})",
                "Correct the connection.",
            )
        elif getattr(connection, "system", "") != system:
            found = getattr(connection, "system", "")
            self._problem((*path, end), f"{name} is a {found} connection, not {system}", choose("", right))
            return None
        return connection

    def _name(self, path: FieldPath, name: str) -> None:
        try:
            _SLUG.validate_python(name)
        except ValidationError as error:
            self._problem(path, str(error.errors()[0].get("ctx", {}).get("error", "is no usable name")))

    def _validate(self, model: type[BaseModel], value: Value, path: FieldPath) -> BaseModel | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                inner = _without_tags(details["loc"], value, model)
                message, remedy = describe(details, model, inner, _within(value, inner[:-1]))
                self._problem((*path, *inner), message, remedy)
            return None

    def _absolute(self, place: str) -> str:
        if "://" in place:
            return place
        return str((self._path.resolve().parent / Path(place).expanduser()).resolve())

    def _problem(self, path: FieldPath, message: str, remedy: str = "") -> None:
        place = self._document.place(path)
        self._problems.append(Problem(self._document.file, place, path, message, remedy))

    def _of(self, path: FieldPath) -> tuple[Problem, ...]:
        return tuple(problem for problem in self._problems if problem.path[: len(path)] == path)
