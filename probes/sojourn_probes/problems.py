"""Turns what pydantic found into sentences with place, cause and cure."""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, RootModel, ValidationError

from sojourn_probes.breach import Breach
from sojourn_probes.errors import Problem
from sojourn_probes.yaml_core import Document, Path

_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a map (key: value)",
    "model_type": "a map (key: value)",
    "model_attributes_type": "a map (key: value)",
    "list_type": "a list (lines beginning with -)",
    "tuple_type": "a list (lines beginning with -)",
}


def sentences(error: ValidationError, model: type[BaseModel], document: Document, file: str) -> list[Problem]:
    """One `Problem` for each thing pydantic found wrong with `document`, in the order of the file."""
    found: dict[tuple[Path, str], Problem] = {}
    for item in error.errors(include_url=False):
        path = _existing(item["loc"], document.data)
        if item["type"] == "too_short" and _value_at(document.data, path):
            continue  # counted after its faulty items were taken out
        missing = item["type"] == "missing"
        key_error = item["type"] in ("extra_forbidden",) or (item["loc"] and item["loc"][-1] == "[key]")
        message = _message(item, path, model, document.data)
        offset = int(item.get("ctx", {}).get("offset", 0))
        problem = problem_at(document, path, message, file, offset=offset, at_key=key_error or missing)
        if missing:
            problem = Problem(file, problem.line, problem.col, _key((*path, str(item["loc"][-1]))), message)
        found.setdefault((path, problem.message if missing else ""), problem)
    return sorted(found.values(), key=lambda problem: (problem.line, problem.col))


def of_breach(breach: Breach, document: Document, file: str) -> Problem:
    """The `Problem` for a rule broken."""
    return problem_at(document, breach.path, breach.message, file, offset=breach.offset)


def problem_at(document: Document, path: Path, message: str, file: str, *, offset: int = 0, at_key: bool = False) -> Problem:
    """A problem at `path`. `offset` moves the column into a text that stands on one line."""
    places = document.keys if at_key and path in document.keys else document.values
    near = path
    while near and near not in places:
        near = near[:-1]
    line, col = places.get(near, (1, 1))
    file = document.origin.get(near, file)
    if offset and near == path and document.inside.get(path, -1) >= 0:
        col += offset + document.inside[path]
    elif near == path and document.inside.get(path, 0) > 0 and not at_key:
        col += document.inside[path] if offset else 0
    return Problem(file, line, col, _key(path), message)


def _key(path: Path) -> str:
    """`steps[2].http.url`, as one would say it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _existing(loc: tuple[int | str, ...], data: Any) -> Path:
    """The part of pydantic's `loc` that is really in the file: tags of unions and names of validators are not."""
    path: list[str | int] = []
    part: Any
    for part in loc:
        if (isinstance(data, Mapping) and part in data) or (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            data = data[part]
            path.append(part)
    return tuple(path)


def _message(item: Any, path: Path, model: type[BaseModel], data: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(item["loc"][-1]), _model_at(model, path[:-1]))
    if kind == "missing":
        return "is missing; add it"
    if kind in _WANTED:
        return _mistyped(_WANTED[kind], _value_at(data, path))
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", item["msg"]))
    if kind == "expectation":
        return str(item["msg"])
    if kind in ("literal_error", "enum"):
        return _not_one_of(str(context["expected"]), _value_at(data, path))
    if kind == "string_pattern_mismatch":
        return _misshapen(str(context["pattern"]), _value_at(data, path) if item["loc"][-1] != "[key]" else item["input"])
    return _bounds(kind, context) or item["msg"][:1].lower() + item["msg"][1:]


def _bounds(kind: str, context: Mapping[str, Any]) -> str | None:
    words = {"greater_than": ("gt", "must be more than"), "greater_than_equal": ("ge", "must be at least"), "less_than": ("lt", "must be less than")}
    words |= {"less_than_equal": ("le", "must be at most")}
    if kind in words:
        name, phrase = words[kind]
        return f"{phrase} {context[name]:g}"
    if kind in ("string_too_short", "too_short"):
        return "is empty; give it something"
    if kind in ("string_too_long", "too_long"):
        return f"is too long; at most {context['max_length']}"
    return None


def _mistyped(wanted: str, value: Any) -> str:
    if value is None:
        return "has no value; give it one or remove the key"
    if wanted == "text" and isinstance(value, bool | int | float):
        shown = str(value).lower() if isinstance(value, bool) else value
        return f'wants text, and {shown} is not; put it in quotes: "{shown}"'
    shape = "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else f"{value!r}"
    return f"wants {wanted}, not {shape}"


def _not_one_of(expected: str, value: Any) -> str:
    choices = [choice.strip("' ") for choice in expected.replace(" or ", ", ").split(",")]
    close = difflib.get_close_matches(str(value), choices, n=1, cutoff=0.5) or [choice for choice in choices if choice.lower() == str(value).lower()]
    return f"{value!r} is not known; " + (f"did you mean {close[0]}?" if close else f"one of {', '.join(choices)}")


_SHAPES: Final = {
    "^[a-z0-9][a-z0-9_-]{0,63}$": "small letters, digits, - and _ are taken, up to 64, the first a letter or digit",
    "^[A-Za-z_][A-Za-z0-9_-]{0,63}$": "letters, digits, - and _ are taken, up to 64, the first a letter",
    "^[A-Za-z0-9_.:-]{1,100}$": "letters, digits, _ . : and - are taken, up to 100",
    r"^/[^?#\s]{0,199}$": "a path is wanted, such as /checkout/*, without query",
    r"^\$": "a JSONPath is wanted, such as $.token",
}


def _misshapen(pattern: str, value: Any) -> str:
    return f"{value!r} will not do; {_SHAPES.get(pattern, f'it must match {pattern}')}"


def _unknown(key: str, model: type[BaseModel] | None) -> str:
    known = [] if model is None else [info.alias or name for name, info in model.model_fields.items()]
    if key in getattr(model, "not_built", ()):
        return "is not built yet and would be ignored; remove it"
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if close:
        return f"is not known here; did you mean {close[0]}?"
    return f"is not known here; known are {', '.join(known)}" if known else "is not known here; remove it"


def _value_at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that reads what is at `path`."""
    current: Any = model
    for part in path:
        current = _inside(current, part)
    return next(iter(_models(current)), None)


def _inside(kind: Any, part: str | int) -> Any:
    for model in _models(kind):
        for name, info in model.model_fields.items():
            if (info.alias or name) == part or issubclass(model, RootModel):
                return info.annotation if not issubclass(model, RootModel) else _inside(info.annotation, part)
    for candidate in _flat(kind):
        arguments = typing.get_args(candidate)
        if arguments and typing.get_origin(candidate) in (list, tuple, dict):
            return arguments[-1] if typing.get_origin(candidate) is dict else arguments[0]
    return None


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    for candidate in _flat(kind):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            yield candidate


def _flat(kind: Any) -> Iterator[Any]:
    """`kind` without Annotated, Optional and Union around it."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        yield from _flat(typing.get_args(kind)[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in typing.get_args(kind):
            yield from _flat(argument)
    else:
        yield kind
