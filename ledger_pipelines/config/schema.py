"""The JSON Schema of ledger.yaml, for editors.

Belongs here: the schema only. Does not belong here: validation (`load`), which also checks across fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, create_model

from ledger_pipelines.config.base import Slug
from ledger_pipelines.config.load import IntegrationModels, declared, integration_model
from ledger_pipelines.config.models import LedgerConfig


def json_schema(integration_models: IntegrationModels) -> dict[str, Any]:
    """JSON Schema (2020-12) of the whole file, with each integration's own settings in it."""
    models = [integration_model(kind, one.settings) for kind, one in declared(integration_models).items()]
    if not models:
        return LedgerConfig.model_json_schema()
    union: Any = reduce(or_, models)
    if len(models) > 1:
        union = Annotated[union, Field(discriminator="kind")]
    fields: dict[str, Any] = {
        "integrations": (
            Mapping[Slug, union],
            Field(default_factory=dict, description="Integrations, by name."),
        )
    }
    root = cast("type[BaseModel]", create_model("Ledger", __base__=LedgerConfig, **fields))
    schema = root.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ledger.yaml"
    return schema
