"""Strict YAML for the collector's own files: YAML 1.2 core scalars, duplicate keys refused, every error with file:line:col.

PyYAML by itself reads `22:00` as 1320, `NO` as false and takes the last of duplicate keys in silence.
"""

import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
NULL, BOOL = {"", "~", "null", "Null", "NULL"}, {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER, REAL = re.compile(r"[-+]?[0-9]+\Z"), re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
DEEPEST = 32


class ConfigError(Exception):
    """A configuration file cannot be used. The text has a line per problem: `file:line:col: key: what is wrong`."""


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[tuple[str | int, ...], yaml.Mark] = {}

    def error(self, mark: yaml.Mark | None, text: str) -> str:
        return f"{self.path}:{mark.line + 1}:{mark.column + 1}: {text}" if mark else f"{self.path}: {text}"

    def value(self, node: yaml.Node, where: tuple[str | int, ...] = ()) -> Any:
        self.places.setdefault(where, node.start_mark)
        if len(where) > DEEPEST:
            raise ConfigError(self.error(node.start_mark, "nested too deeply"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        if node.tag not in {"tag:yaml.org,2002:str"} and node.tag.startswith("!"):
            raise ConfigError(self.error(node.start_mark, f"the tag {node.tag} is not known here; write the plain value"))
        return scalar(node.value) if node.style is None else node.value

    def _mapping(self, node: yaml.MappingNode, where: tuple[str | int, ...]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(self.error(key_node.start_mark, "a key must be plain text"))
            key = str(key_node.value)
            if key in out:
                raise ConfigError(self.error(key_node.start_mark, f"{dotted((*where, key))}: is given twice; keep one"))
            self.places[(*where, key)] = key_node.start_mark
            out[key] = self.value(value_node, (*where, key))
        return out


def scalar(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2; what is no null, bool or number is text."""
    if text in NULL:
        return None
    if text in BOOL:
        return BOOL[text]
    if INTEGER.match(text):
        return int(text)
    return float(text) if REAL.match(text) else text


def dotted(where: tuple[str | int, ...]) -> str:
    """`a.b[0].c`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".") or "file"


def load(path: Path, model: type[Model], what: str) -> Model:
    """Read `path` into `model`. Raises ConfigError; `what` names the file in it, such as `the collector's configuration`."""
    reader = _Reader(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; give {what} with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(reader.error(error.problem_mark, f"not YAML: {error.problem}; quote values that contain ': ', '#', '{{' or '['")) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    data = reader.value(node) if node is not None else {}
    if not isinstance(data, dict):
        raise ConfigError(reader.error(node.start_mark if node else None, "must be a mapping of keys to values"))
    try:
        return model.model_validate(data, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(reader, item, model) for item in error.errors(include_url=False))) from error


def _problem(reader: _Reader, item: Any, model: type[BaseModel]) -> str:
    where = tuple(part for part in item["loc"] if not (isinstance(part, str) and "[" in part))
    mark = next((reader.places[where[:end]] for end in range(len(where), -1, -1) if where[:end] in reader.places), None)
    if item["type"] == "extra_forbidden":
        text = f"unknown key; known here: {', '.join(known_keys(model, where[:-1]))}"
    elif item["type"] == "missing":
        text = "is needed"
    else:
        message = str(item["msg"]).removeprefix("Value error, ")
        text = f"{message[0].lower()}{message[1:]}, got {item['input']!r}" if item["type"] != "value_error" else message
    return reader.error(mark, f"{dotted(where)}: {text}")


def known_keys(model: type[BaseModel], where: tuple[str | int, ...]) -> list[str]:
    """Keys the model knows at a place."""
    found: Any = model
    for part in where:
        if isinstance(found, type) and issubclass(found, BaseModel) and isinstance(part, str) and part in found.model_fields:
            found = found.model_fields[part].annotation
        candidates = [found, *getattr(found, "__args__", ())]
        found = next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), found)
    return list(found.model_fields) if isinstance(found, type) and issubclass(found, BaseModel) else []
