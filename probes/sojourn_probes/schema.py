"""The JSON Schema of journey files, generated from the models, for completion and marks in editors."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sojourn_probes.journey import Journey


class _Schema(GenerateJsonSchema):
    """Optional keys may be left out, but not given without a value; the loader says the same."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default", 0) in (None, "", [], {}):
            found.pop("default")
        return found


def journey_schema() -> dict[str, Any]:
    """The schema as a dict."""
    body = Journey.model_json_schema(by_alias=True, schema_generator=_Schema, mode="validation")
    aside = {"^x-": {"description": "your own, such as a place for anchors; not read"}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_plain(body), "patternProperties": aside, "title": "Sojourn journey"}


def journey_schema_text() -> str:
    """The schema as the file `probes/schema/journey.schema.json` holds it."""
    return json.dumps(journey_schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _plain(value: Any) -> Any:
    """Without what editors would only stumble over."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not _is_noise(key, item)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _is_noise(key: str, item: Any) -> bool:
    """A title made from a field's name; bounds that hold for the number a written duration or size stands for, not for the text."""
    return (key == "title" and isinstance(item, str)) or (key in ("gt", "ge", "lt", "le") and isinstance(item, int | float))
