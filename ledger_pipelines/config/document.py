"""A YAML file as plain values with the place of each: what errors with line and column need.

Belongs here: reading YAML safely (no tags, no duplicate keys, bounded size). Does not belong here: what a field means.

Scalars stay the text the user wrote (`0400` is an account number, `0.02` an exact decimal); the models turn them into
numbers, dates and booleans. Only null becomes None: the loader resolves no other bare word, so that it does not matter what a
version of YAML takes `no` or `1:30` for. libyaml reads the file where it is there: a start waits for this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ledger_pipelines.config.problems import Place, Problem
from ledger_pipelines.errors import ConfigurationError

MAX_BYTES = 1_000_000
_MAX_VALUES = 50_000
_MAX_DEPTH = 50
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")}

_LOADER: Any = type("_Loader", (getattr(yaml, "CBaseLoader", yaml.BaseLoader),), {})
_LOADER.add_implicit_resolver(_TAG + "null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])

FieldPath = tuple[str | int, ...]
Value = None | str | list["Value"] | dict[str, "Value"]


@dataclass(slots=True)
class Document:
    """Values and places. places: path -> where its key (or list entry) begins; values: where the value begins."""

    file: str
    value: Value = None
    places: dict[FieldPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: FieldPath) -> Place:
        """Where `path` stands, or else the nearest thing around it."""
        for length in range(len(path), -1, -1):
            found = self.places.get(path[:length])
            if found is not None:
                return found
        return Place(1, 1)


def read(path: Path) -> Document:
    """Read one file.

    Raises:
        ConfigurationError: The file is absent, too large, not UTF-8, or not YAML; the message has the place.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"There is no configuration file {path}.",
            remedy="Run in the folder that holds ledger.yaml, or name the file in LEDGER_CONFIG.",
            code="no-configuration",
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(f"{path} has {len(raw)} bytes; a configuration has at most {MAX_BYTES}.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"{path}:{line}: not UTF-8 text.", remedy="Save the file as UTF-8."
        ) from error
    return parse(text, str(path))


def parse(text: str, file: str) -> Document:
    """Read YAML text. Raises ConfigurationError where it is not YAML at all."""
    document = Document(file)
    try:
        _refuse_depth(text, file)
        roots = list(yaml.compose_all(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark) if mark is not None else Place(1, 1)
        what = (error.problem or "cannot be read").strip()
        raise ConfigurationError(
            f"{file}:{place.line}:{place.column}: not YAML: {what}.",
            remedy="Look at the indentation, colons and quotes of that line and the one above.",
        ) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file}: not YAML: {error}.") from error
    if len(roots) != 1 or roots[0] is None:
        what = "is empty" if not roots or roots[0] is None else "holds several documents (---)"
        raise ConfigurationError(f"{file} {what}.", remedy="Start from the ledger.yaml that is shipped.")
    reader = _Reader(document)
    document.value = reader.convert(roots[0], (), ())
    if not isinstance(document.value, dict):
        raise ConfigurationError(f"{file}:1:1: the file must be a list of `field: value` lines.")
    return document


def _refuse_depth(text: str, file: str) -> None:
    """Before a tree is made: libyaml makes it by recursion, and without a limit."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _tangled(file, _place(event.start_mark))


def _tangled(file: str, place: Place) -> ConfigurationError:
    return ConfigurationError(
        f"{file}:{place.line}:{place.column}: too many values, too deep, or a value inside itself.",
        remedy="Write it out without anchors (&, *).",
    )


def _place(mark: yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0

    def convert(self, node: Node, path: FieldPath, above: tuple[int, ...]) -> Value:
        self._count += 1
        if self._count > _MAX_VALUES or id(node) in above or len(above) > _MAX_DEPTH:
            raise _tangled(self._document.file, _place(node.start_mark))
        self._document.places.setdefault(path, _place(node.start_mark))
        if str(node.tag) not in _PLAIN_TAGS:
            self._problem(
                path, _place(node.start_mark), f"the tag {node.tag} is not allowed", "Take the tag away."
            )
            return None
        inside = (*above, id(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, path, inside)
        if isinstance(node, SequenceNode):
            return [self.convert(item, (*path, i), inside) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 (the third and last kind of node)
        return None if str(node.tag) == _TAG + "null" else str(node.value)

    def _mapping(self, node: MappingNode, path: FieldPath, inside: tuple[int, ...]) -> Value:
        result: dict[str, Value] = {}
        for key_node, value_node in node.value:
            place = _place(key_node.start_mark)
            if not isinstance(key_node, ScalarNode):
                self._problem(
                    path, place, "a field's name must be one word", "Quote it if it has special signs."
                )
                continue
            key = str(key_node.value)
            if key in result:
                first = self._document.places[(*path, key)]
                self._problem(
                    (*path, key),
                    place,
                    f"stands here for the second time; the first is in line {first.line}",
                    "Keep one of the two.",
                )
                continue
            self._document.places[(*path, key)] = place
            result[key] = self.convert(value_node, (*path, key), inside)
        return result

    def _problem(self, path: FieldPath, place: Place, message: str, remedy: str) -> None:
        self._document.problems.append(Problem(self._document.file, place, path, message, remedy))
