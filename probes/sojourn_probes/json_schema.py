"""Holds JSON against a JSON Schema of its author's. Nothing a schema refers to is fetched, and its patterns have the limit of all patterns."""

import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sojourn_probes.own_file import own
from sojourn_probes.patterns import require_pattern, search

MAX_FILE: Final = 1_000_000
"""Bytes a schema's file may have."""

LOOKED_AT: Final = 20
"""Errors of which the most telling one is shown; a hostile body may have millions."""


class BadSchema(ValueError):  # noqa: N818 - says what is the matter
    """A schema that cannot be used: one sentence with cause and cure."""


def require_schema(schema: Any) -> Any:
    """`schema` itself. Raises `BadSchema` when it is no JSON Schema, or refers to what is not in it."""
    import jsonschema

    try:
        validator = _validator_of(schema)
        # Patterns are judged by what will search for them, below.
        type(validator).check_schema(schema, format_checker=jsonschema.FormatChecker(()))
        for pattern in _patterns(schema):
            require_pattern(pattern)
        for reference in _references(schema):
            _require_inside(validator, reference)
    except jsonschema.SchemaError as fault:
        raise BadSchema(f"is no JSON Schema: at {fault.json_path} {fault.message[:200]}") from None
    except BadSchema:
        raise
    except (ValueError, RecursionError) as fault:
        raise BadSchema(f"is no JSON Schema: {fault}") from None
    return schema


def _require_inside(validator: Any, reference: str) -> None:
    import referencing

    try:
        validator._resolver.lookup(reference)
    except referencing.exceptions.Unresolvable:
        raise BadSchema(f"refers to {reference!r}, which is not in it; put it under $defs, nothing is fetched") from None


def read_schema(folder: Path, name: str) -> Any:
    """The schema in the file `name`, which lies in `folder` or below it. Raises `BadSchema`."""
    try:
        path = folder / own(name)
    except ValueError as fault:
        raise BadSchema(str(fault)) from None
    try:
        state = path.stat()
        if state.st_size > MAX_FILE:
            raise BadSchema(f"{path.name} is larger than {MAX_FILE} bytes")
        return _read(path, state.st_mtime_ns, state.st_size)
    except OSError as fault:
        raise BadSchema(f"{path.name} cannot be read: {fault.strerror}") from None


@functools.lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> Any:
    """Once for each state of the file."""
    try:
        schema = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise BadSchema(f"{path.name} is no JSON") from None
    try:
        return require_schema(schema)
    except BadSchema as fault:
        raise BadSchema(f"{path.name} {fault}") from None


def misfit(schema: Any, value: Any) -> str | None:
    """Where and why `value` does not fit `schema`, which may show the whole value; None when it does. Raises `BadSchema` and `SearchTooLong`."""
    import jsonschema
    import referencing

    try:
        errors = list(itertools.islice(_validator_of(schema).iter_errors(value), LOOKED_AT))
    except referencing.exceptions.Unresolvable as fault:
        raise BadSchema(f"refers to {fault.ref!r}, which is not in it; put it under $defs, nothing is fetched") from None
    except RecursionError:
        raise BadSchema("or what is held against it nests too deep to be looked through") from None
    if not errors:
        return None
    worst = jsonschema.exceptions.best_match(errors)
    return f"at {worst.json_path}: {worst.message}"


def _validator_of(schema: Any) -> Any:
    """A validator that fetches nothing and searches within limits."""
    import jsonschema
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    chosen = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return _bounded(chosen)(schema, registry=REGISTRY)


@functools.cache
def _bounded(chosen: Any) -> Any:
    import jsonschema

    ours = {"pattern": _pattern, "patternProperties": _pattern_properties, "additionalProperties": _additional_properties}
    return jsonschema.validators.extend(chosen, ours)  # type: ignore[no-untyped-call]


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    import jsonschema

    if isinstance(instance, str) and search(pattern, instance) is None:
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, by_pattern: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in by_pattern.items():
        for key, value in instance.items():
            if search(pattern, key) is not None:
                yield from validator.descend(value, inner, path=key, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[Any]:
    import jsonschema

    if not isinstance(instance, dict):
        return
    patterns = list(schema.get("patternProperties", {}))
    extra = [key for key in instance if key not in schema.get("properties", {}) and not any(search(pattern, key) for pattern in patterns)]
    if isinstance(allowed, dict):
        for key in extra:
            yield from validator.descend(instance[key], allowed, path=key)
    elif not allowed and extra:
        shown = ", ".join(repr(key) for key in extra[:5])
        yield jsonschema.ValidationError(f"{shown} {'is' if len(extra) == 1 else 'are'} not among the properties it may have")


def _patterns(schema: Any) -> Iterator[Any]:
    for inner in _parts(schema):
        if isinstance(inner.get("pattern"), str):
            yield inner["pattern"]
        if isinstance(inner.get("patternProperties"), dict):
            yield from inner["patternProperties"]
            if "unevaluatedProperties" in inner:
                raise ValueError("patternProperties and unevaluatedProperties cannot be used together here; say additionalProperties")


def _references(schema: Any) -> Iterator[str]:
    """Every `$ref`. With names of its own inside (`$id`) they are relative to those, and are found when they are followed."""
    parts = list(_parts(schema))
    if not any(isinstance(inner.get("$id"), str) for inner in parts[1:]):
        yield from (inner["$ref"] for inner in parts if isinstance(inner.get("$ref"), str))


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every map in the schema, however deep; what stands as data (`const`, `enum` …) is none of its parts."""
    if isinstance(schema, dict):
        yield schema
        for key, inner in schema.items():
            if key not in ("const", "enum", "default", "examples"):
                yield from _parts(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _parts(inner)
