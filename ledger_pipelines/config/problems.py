"""A problem of the configuration, and pydantic's findings put into words a user can act on.

Belongs here: file, line, column, field, what is wrong, what would be right. Does not belong here: finding problems.
A value is repeated only where it cannot be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ledger_pipelines.config.descriptions import descriptions

FieldPath = tuple[str | int, ...]

_SENSITIVE = re.compile(
    r"(?i)secret|token|password|passwd|private|credential|key|_env$|client_id|certificate_id"
)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the file."""

    file: str
    place: Place
    path: FieldPath
    message: str
    remedy: str = ""

    @property
    def field(self) -> str:
        """Dotted name of the field: `connections.netsuite.auth.client_id_env`, `general.amazon_order_ids[2]`."""
        return dotted(self.path)

    def __str__(self) -> str:
        head = f"{self.file}:{self.place.line}:{self.place.column}:"
        named = f"{head} {self.field}: " if self.path else f"{head} "
        return f"{named}{self.message}." + (f" {self.remedy}" if self.remedy else "")


def dotted(path: Iterable[str | int]) -> str:
    """A path in dots and brackets."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(word: str, allowed: Sequence[str]) -> str | None:
    """The allowed word that was probably meant."""
    found = difflib.get_close_matches(word.lower(), [name.lower() for name in allowed], n=1, cutoff=0.6)
    return next((name for name in allowed if name.lower() == found[0]), None) if found else None


def choose(word: str, allowed: Sequence[str]) -> str:
    """Remedy for a word outside a set."""
    meant = nearest(word, allowed)
    listed = ", ".join(allowed)
    return f"Did you mean {meant}? Allowed: {listed}." if meant else f"Allowed: {listed}."


def describe(
    error: ErrorDetails, model: type[BaseModel], path: FieldPath, owner: object = None
) -> tuple[str, str]:
    """(message, remedy) of one pydantic error at `path`, relative to `model`. owner: the mapping it stands in."""
    kind, given, context = error["type"], error.get("input"), error.get("ctx", {})
    shown = "" if sensitive(path) else _shown(given)
    match kind:
        case "missing":
            return "is required and not there", _example(model, path)
        case "extra_forbidden":
            word = str(path[-1])
            fields = [
                name for found in _fitting(models_at(model, path[:-1]), owner) for name in found.model_fields
            ]
            return "is no setting here", choose(word, fields) if fields else ""
        case "enum" | "literal_error":
            allowed = words_at(model, path)
            return f"cannot be {shown}" if shown else "is none of the allowed words", choose(
                str(given), allowed
            )
        case "union_tag_invalid" | "union_tag_not_found":
            name = str(context.get("discriminator", "")).strip("'")
            expected = [tag.strip().strip("'") for tag in str(context.get("expected_tags", "")).split(",")]
            if kind == "union_tag_invalid":
                word = str(context.get("tag", ""))
                return f"{name} cannot be {word!r}", choose(word, expected)
            options = "" if expected == [""] else f"Allowed: {', '.join(expected)}."
            return f"{name} is required and not there", options
        case "bool_parsing" | "bool_type":
            return f"must be true or false{_not(shown)}", ""
        case "int_parsing" | "int_type" | "int_from_float":
            return f"must be a whole number{_not(shown)}", ""
        case "float_parsing" | "float_type" | "decimal_parsing" | "decimal_type":
            return f"must be a number{_not(shown)}", "Write a decimal point, no thousands sign."
        case "date_from_datetime_parsing" | "date_parsing" | "date_type" | "date_from_datetime_inexact":
            return f"must be a date{_not(shown)}", "Write it as year-month-day, like 2026-01-31."
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return f"{_bound(kind, context)}{_not(shown)}", ""
        case "string_type":
            return f"must be one word or text{_not(shown)}", ""
        case "string_pattern_mismatch":
            return f"does not look right{_not(shown)}", f"It has the form {context.get('pattern')}."
        case "string_too_short" | "too_short":
            return "must not be empty", ""
        case "string_too_long":
            return f"is longer than {context.get('max_length')} characters", ""
        case "tuple_type" | "list_type":
            return f"must be a list{_not(shown)}", "Write [one, two], or one `- entry` a line."
        case "model_type" | "model_attributes_type" | "dict_type" | "mapping_type":
            return f"must hold fields of its own{_not(shown)}", "Write them indented below it."
        case "value_error":
            return str(context.get("error", error["msg"])), ""
        case _:
            return error["msg"][:1].lower() + error["msg"][1:], ""


def sensitive(path: FieldPath) -> bool:
    """Whether the value at this path might be a secret, so that it must not be repeated."""
    return any(isinstance(part, str) and _SENSITIVE.search(part) for part in path)


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return "" if value is None else f"a {'list' if isinstance(value, list) else 'group of fields'}"
    return repr(value if len(value) <= 60 else value[:57] + "...")


def _not(shown: str) -> str:
    return f", not {shown}" if shown else ""


def _bound(kind: str, context: dict[str, Any]) -> str:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for short, word in words.items():
        if short in context:
            return f"must be {word} {context[short]}"
    return kind.replace("_", " ")


def _example(model: type[BaseModel], path: FieldPath) -> str:
    owner = models_at(model, path[:-1])
    for candidate in owner:
        described = descriptions(candidate).get(str(path[-1]))
        if described:
            return described.split("\n")[0]
    return ""


def _fitting(models: list[type[BaseModel]], owner: object) -> list[type[BaseModel]]:
    """Of several models of a union, those whose fixed words are the ones that stand in the file."""
    if not isinstance(owner, dict):
        return models
    fitting = [
        model
        for model in models
        if all(
            str(owner[name]) in map(str, get_args(field.annotation))
            for name, field in model.model_fields.items()
            if name in owner and get_origin(field.annotation) is Literal
        )
    ]
    return fitting or models


def fields_at(model: type[BaseModel], path: FieldPath) -> list[str]:
    """Names of the fields that may stand directly under `path`."""
    return [name for found in models_at(model, path) for name in found.model_fields]


def words_at(model: type[BaseModel], path: FieldPath) -> list[str]:
    """The words a field may hold, where it is an enumeration or a literal."""
    words: list[str] = []
    for annotation in _walk(model, path):
        for leaf in _leaves(annotation):
            if get_origin(leaf) is Literal:
                words += [str(word) for word in get_args(leaf)]
            elif isinstance(leaf, type) and issubclass(leaf, Enum):
                words += [str(member.value) for member in leaf]
    return list(dict.fromkeys(words))


def models_at(model: type[BaseModel], path: FieldPath) -> list[type[BaseModel]]:
    """The models that may stand at `path` (several for a union)."""
    return [
        leaf
        for annotation in _walk(model, path)
        for leaf in _leaves(annotation)
        if isinstance(leaf, type) and issubclass(leaf, BaseModel)
    ]


def _walk(model: Any, path: FieldPath) -> list[Any]:
    here: list[Any] = [model]
    for part in path:
        following: list[Any] = []
        for annotation in here:
            for leaf in _leaves(annotation):
                if isinstance(leaf, type) and issubclass(leaf, BaseModel):
                    found = leaf.model_fields.get(str(part))
                    following += [] if found is None else [found.annotation]
                elif get_args(leaf) and get_origin(leaf) is not Literal:
                    following.append(get_args(leaf)[-1 if isinstance(part, str) else 0])
        here = following
    return here


def _leaves(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated or str(type(annotation).__name__) == "SerializeAsAny":
        return _leaves(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return [leaf for option in get_args(annotation) for leaf in _leaves(option)]
    return [annotation]
