"""The JSON Schema of journey files."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import load_text
from sojourn_probes.schema import journey_schema, journey_schema_text
from sojourn_probes.yaml_core import YamlFault, read

ROOT = Path(__file__).parents[2]
GOOD = (Path(__file__).parent / "data" / "good.yaml").read_text()


def test_the_committed_schema_is_fresh():
    """probes/schema/journey.schema.json is what the models say; `make schema` writes it."""
    assert (ROOT / "probes/schema/journey.schema.json").read_text() == journey_schema_text()


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether `value` fits `schema`: the part of JSON Schema 2020-12 that ours uses; an unknown keyword is an error."""
    known = {"$ref", "$defs", "$schema", "title", "description", "default", "type", "enum", "const", "anyOf", "properties", "required", "pattern", "examples"}
    known |= {
        "additionalProperties",
        "items",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "propertyNames",
        "patternProperties",
    }
    assert set(schema) <= known, set(schema) - known
    if "$ref" in schema and not fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root):
        return False
    if "anyOf" in schema and not any(fits(value, one, root) for one in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "type" in schema and not _is(value, schema["type"]):
        return False
    if isinstance(value, str):
        return _text(value, schema)
    if isinstance(value, dict):
        return _map(value, schema, root)
    if isinstance(value, list):
        return schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**9) and all(fits(item, schema.get("items", {}), root) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value) and not value <= schema.get("exclusiveMinimum", value - 1)
    return True


def _is(value: Any, kind: str) -> bool:
    types = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None), "integer": int, "number": (int, float)}
    return isinstance(value, types[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))  # type: ignore[arg-type]


def _text(value: str, schema: dict[str, Any]) -> bool:
    return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9) and (
        "pattern" not in schema or re.search(schema["pattern"], value) is not None
    )


def _map(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]) -> bool:
    if not set(schema.get("required", ())) <= set(value):
        return False
    if "propertyNames" in schema and not all(fits(key, schema["propertyNames"], root) for key in value):
        return False
    for key, item in value.items():
        patterns = [inner for pattern, inner in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
        inner = schema.get("properties", {}).get(key, patterns[0] if patterns else schema.get("additionalProperties", True))
        if inner is False or (isinstance(inner, dict) and not fits(item, inner, root)):
            return False
    return True


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


BOTH_GOOD = [
    GOOD,
    "id: a\nsteps:\n  - {id: s, http: {url: 'http://x/'}}\n",
    swapped("retries: {max: 1, only_on: [connect, timeout], backoff: 2s}", "retries: 2"),
    swapped("http: {url: /, ", "http: {url: /, json: null, method: POST, "),
    swapped("total > 800ms", "{source: total, comparison: '>', target: 800ms}").replace("[{source: total", "[{source: total"),
    swapped("- status == 200", "- {source: css, property: li, count: true, comparison: '>', target: 3}"),
    swapped("- status == 200", "- {source: json, property: $, comparison: fits, target: {type: object}}"),
    swapped("- status == 200", "- not xpath //a exists"),
    swapped("max: 1", "max: 0"),
    swapped("follow_redirects: 3", "max_body: 2 MB"),
    swapped("follow_redirects: 3", "max_body: 2000"),
    swapped("interval: 60s", "schedule: '*/5 8-18 * * 1-5'\ntimezone: Europe/Berlin\nenabled: false\ntags: [a]\nlabels: {tier: gold}\nx-mine: {any: [thing]}"),
    swapped("interval: 60s", "interval: 60s\nmaintenance: [{daily: {from: 22:00, to: '02:00'}}, {cron: '0 3 * * *', for: 2h}]\ndepends_on: [other]"),
    swapped("interval: 60s", "interval: 60s\noverrides: {us: {timeout: 10s, retries: 0, steps: {home: {expect: [status == 200]}}}}"),
    swapped(
        "interval: 60s", "interval: 60s\nside_effects: order\nsetup: [{id: up, wait: 1s}]\ncleanup: [{id: down, http: {url: /down}, continue_on_error: true}]"
    ),
    swapped("backoff: 2s", "backoff: {first: 1s, growth: linear, most: 5s, jitter: false}"),
    swapped("always_run: true", "when: '${vars.lang} == en'\n    repeat: {until: [status == 200], within: 2s, every: 1s, at_most: 3}"),
    swapped("always_run: true", "when: ['${vars.lang} == en', '${run.location} exists']"),
]
BOTH_BAD = [
    "id: a\n",
    "steps: []\nid: a\n",
    swapped("id: checkout", "id: Check out"),
    swapped("id: checkout", "id: 5"),
    swapped("lifecycle", "lifecycl"),
    swapped("interval: 60s", "interval: 60"),
    swapped("interval: 60s", "interval: 60 weeks"),
    swapped("timeout: 20s", "timeout:"),
    swapped("only_on: [connect, timeout]", "only_on: [conect]"),
    swapped("max: 1", "max: 9"),
    swapped("max: 1", "max: '1'"),
    swapped("locations: [eu, us]", "locations: eu"),
    swapped("worth: 62 EUR", "worth: 62"),
    swapped("{app: shop}", "{ap: shop}"),
    swapped("http: {url: /, ", "http: {uri: /, "),
    swapped("http: {url: /, ", "http: {url: /, timeout: 3s, "),
    swapped("method: POST", "method: post"),
    swapped("follow_redirects: 3", "follow_redirects: many"),
    swapped("- status == 200", "- 200"),
    swapped("- status == 200", "- {source: status, is: 200}"),
    swapped("comparison: not contains", "comparison: has"),
    swapped("- status == 200", "- {source: css, property: li, count: 3, comparison: '>', target: 3}"),
    swapped("always_run: true", "always_run: 'yes'"),
    swapped("always_run: true", "when: never"),
    swapped("{page: /}", "{page: home}"),
    swapped("browser:", "webbrowser:"),
    swapped("secret: true", "secret: 1"),
    swapped("interval: 60s", "schedule: '* * *'"),
    swapped("interval: 60s", "maintenance: [{daily: {from: 22, to: 2}}]"),
    swapped("interval: 60s", "overrides: {us: {expect: []}}"),
    swapped("interval: 60s", "tags: shop"),
    swapped("interval: 60s", "side_effects: orders"),
    swapped("backoff: 2s", "backoff: {growth: slow}"),
    swapped("always_run: true", "when: []"),
    swapped("always_run: true", "repeat: {until: []}"),
    swapped("always_run: true", "wait: 5"),
]


def loads(text: str) -> bool:
    try:
        load_text(text, Path("x.yaml"))
    except JourneyFileError:
        return False
    return True


def fits_schema(text: str) -> bool:
    try:
        data = read(text).data
    except YamlFault:
        return False
    schema = journey_schema()
    return fits(data, schema, schema)


@pytest.mark.parametrize("text", BOTH_GOOD)
def test_good_files_are_good_to_both(text):
    """What the loader takes, the editor does not mark."""
    assert loads(text)
    assert fits_schema(text)


@pytest.mark.parametrize("text", BOTH_BAD)
def test_bad_files_are_bad_to_both(text):
    """What is wrong in form is marked by the editor and refused by the loader."""
    assert not loads(text)
    assert not fits_schema(text)


def test_every_key_is_described():
    """Hovering over a key in an editor says what it is for."""
    schema = journey_schema()
    undescribed = [
        f"{name}.{key}"
        for name, model in {"Journey": schema, **schema["$defs"]}.items()
        for key, inner in model.get("properties", {}).items()
        if name in ("Journey", "Step", "HttpPart", "Retries", "Goal", "Extract") and "description" not in inner and key != "steps"
    ]
    assert undescribed == []


def test_the_schema_is_json():
    """It is one JSON object of draft 2020-12."""
    assert json.loads(journey_schema_text())["$schema"] == "https://json-schema.org/draft/2020-12/schema"
