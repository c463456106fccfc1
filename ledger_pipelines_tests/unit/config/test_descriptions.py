"""The words below a setting are read when somebody asks, and say the same as pydantic's own reading of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from ledger_pipelines.config.base import Model
from ledger_pipelines.config.descriptions import descriptions
from ledger_pipelines.config.load import integration_model
from ledger_pipelines.config.schema import json_schema
from ledger_pipelines.integrations.kinds import KINDS
from ledger_pipelines_tests.unit.config.test_shipped import ROOTS, models


class Base(Model):
    size: int = 3
    """How large
    it is."""
    kind: str = ""
    """Of all."""


class Derived(Base):
    kind: str = "derived"
    """Of these."""
    given: str = Field("", description="Given.")
    """Not this."""
    bare: str = ""


class ByPydantic(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    size: int = 3
    """How large
    it is."""


def test_own_inherited_given_and_none() -> None:
    assert descriptions(Derived) == {"size": "How large\nit is.", "kind": "Of these.", "given": "Given."}
    assert descriptions(Base)["kind"] == "Of all."
    assert descriptions(Base)["size"] == ByPydantic.model_fields["size"].description


def test_a_model_that_was_made_by_a_call_has_those_of_its_base() -> None:
    made = create_model("Made", __base__=Base, kind=(int, 1))
    assert descriptions(made)["kind"] == "Of all."
    described = descriptions(integration_model("neto_saasu", KINDS["neto_saasu"].settings))
    assert described["kind"].startswith("Which integration") and "settings" in described


def test_the_schema_carries_them_also_beside_a_reference() -> None:
    schema: dict[str, Any] = json_schema(KINDS)
    assert schema["properties"]["books"]["description"] == "The books that everything ends in."
    found = schema["$defs"]["NetoSaasuIntegration"]["properties"]
    assert found["settings"]["description"].startswith("The integration's own settings")
    assert Derived.model_json_schema()["properties"]["given"]["description"] == "Given."


@pytest.mark.parametrize("root", [*ROOTS, *(one.settings for one in KINDS.values())])
def test_no_start_waits_for_pydantic_to_read_sources(root: type[BaseModel]) -> None:
    eager = [one for one in models(root, set()) if one.model_config.get("use_attribute_docstrings")]
    assert eager == []
