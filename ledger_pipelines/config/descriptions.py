"""What each setting is: the words that stand below it in its model.

Belongs here: reading them when somebody asks (the JSON Schema, the reference tables, the remedy of an error). Does not belong
here: the words. pydantic would read them, too (`use_attribute_docstrings`), but by parsing the source of every model at every
start: a tenth of a second before anything is done, for a text that hardly any start shows.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel
from pydantic.config import JsonDict


@cache
def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """Field -> its text, own and inherited. A `Field(description=...)` goes before the words below it."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            found |= _below(owner)
    given = {name: field.description for name, field in model.model_fields.items() if field.description}
    return {name: text for name, text in (found | given).items() if name in model.model_fields}


def describe_schema(schema: JsonDict, model: type[BaseModel]) -> None:
    """Put the texts into a model's JSON Schema: its `json_schema_extra`."""
    properties = schema["properties"]
    assert isinstance(properties, dict)  # noqa: S101 (a model is an object)
    for name, text in descriptions(model).items():
        one = properties[name]
        assert isinstance(one, dict)  # noqa: S101 (the schema of a field)
        one["description"] = text


def _below(owner: type[BaseModel]) -> dict[str, str]:
    """The text below each field in the class's own source. A class made by a call has none."""
    try:
        source = inspect.getsource(owner)
    except OSError:
        return {}
    (body,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 (it is the source of a class)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
