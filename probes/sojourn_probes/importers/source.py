"""Reading what somebody else's tool wrote: bounded in size, depth and number, nothing in it evaluated.

Foreign YAML is taken a little wider than our own (keys that are numbers, merge keys), because those files are as they are.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from sojourn_probes.errors import SojournError

MAX_BYTES: Final = 32 * 1024 * 1024
"""Largest file read; recordings of a browser hold whole pages."""
MAX_DEPTH: Final = 64
"""Deepest nesting."""
MAX_VALUES: Final = 500_000
"""Most values of a YAML file, those repeated by aliases counted each time."""

_INT = re.compile(r"[-+]?[0-9]{1,18}\Z|0o[0-7]{1,20}\Z|0x[0-9a-fA-F]{1,16}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: Final[dict[str, Any]] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL")) | dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
)


class ImportFault(SojournError):  # noqa: N818 - says what is the matter
    """A file that cannot be imported; the text is one sentence with the cure. `line` counts from 1, 0 when unknown."""

    def __init__(self, message: str, line: int = 0) -> None:
        self.line = line
        super().__init__(message)


class Located(dict[str, Any]):
    """A mapping that knows the line it begins on."""

    line: int = 0


def data_of(text: str) -> Any:
    """The JSON or YAML in `text` as plain data. Raises `ImportFault`."""
    return json_of(text) if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[") and _is_json(text) else yaml_of(text)


def _is_json(text: str) -> bool:
    """YAML may begin with a bracket too; JSON is tried first because it is quicker and far more common."""
    try:
        json_of(text)
    except ImportFault as fault:
        return "nested" in str(fault)
    return True


def json_of(text: str) -> Any:
    """The JSON in `text`. Raises `ImportFault` with the line."""
    text = text.lstrip("\ufeff")
    if _depth(text) > MAX_DEPTH:
        raise ImportFault(f"is nested more than {MAX_DEPTH} deep; a file of this kind is not")
    try:
        return json.loads(text, parse_int=_whole)
    except json.JSONDecodeError as fault:
        raise ImportFault(
            f"is not JSON: {fault.msg[:1].lower()}{fault.msg[1:].removesuffix(' at')} at column {fault.colno}; export it anew", fault.lineno
        ) from None
    except RecursionError:
        raise ImportFault(f"is nested more than {MAX_DEPTH} deep; a file of this kind is not") from None


def _whole(digits: str) -> int:
    if len(digits) > 40:
        raise ImportFault(f"holds a number of {len(digits)} digits; a file of this kind does not")
    return int(digits)


def _depth(text: str) -> int:
    """How deep brackets outside of texts go; read in one pass, without recursion or backtracking."""
    deepest = depth = 0
    for mark in re.finditer(r'"(?:[^"\\]++|\\[\s\S])*+(?:"|\\?\Z)|[\[{]|[\]}]', text):
        sign = mark.group()
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def yaml_of(text: str) -> Any:
    """The first YAML document in `text`, scalars by YAML 1.2, keys as texts, mappings as `Located`. Raises `ImportFault`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Building(yaml.parse(text, Loader=loader)).document()
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise ImportFault(f"is not YAML: {fault.problem or 'cannot be read'}; correct or export it anew", 0 if mark is None else mark.line + 1) from None
    except yaml.YAMLError:
        raise ImportFault("holds a character that YAML does not allow; save it as UTF-8") from None


@dataclass(slots=True)
class _Kept:
    """What an anchor stands for, and how many values it counts."""

    value: Any
    count: int


class _Building:
    """Builds data from the parser's events; the library's own composer recurses without a bound."""

    def __init__(self, events: Any) -> None:
        self.events = iter(events)
        self.anchors: dict[str, _Kept] = {}
        self.count = 0

    def document(self) -> Any:
        for event in self.events:
            if isinstance(event, yaml.events.DocumentStartEvent):
                return self._value(next(self.events), 0)
        raise ImportFault("is empty")

    def _value(self, event: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ImportFault(f"is nested more than {MAX_DEPTH} deep; a file of this kind is not", event.start_mark.line + 1)
        if isinstance(event, yaml.events.AliasEvent):
            return self._alias(event)
        self._counted(1, event)
        before = self.count
        value = self._scalar(event) if isinstance(event, yaml.events.ScalarEvent) else self._collection(event, depth)
        if event.anchor:
            self.anchors[event.anchor] = _Kept(value, self.count - before + 1)
        return value

    def _alias(self, event: Any) -> Any:
        kept = self.anchors.get(event.anchor)
        if kept is None:
            raise ImportFault(f"uses *{event.anchor[:40]}, which is nowhere set; if text is meant, put it in quotes", event.start_mark.line + 1)
        self._counted(kept.count, event)
        return kept.value

    def _counted(self, more: int, event: Any) -> None:
        self.count += more
        if self.count > MAX_VALUES:
            raise ImportFault(f"has more than {MAX_VALUES} values, counting those that aliases repeat; split it", event.start_mark.line + 1)

    def _collection(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.events.SequenceStartEvent):
            found: list[Any] = []
            while not isinstance(item := next(self.events), yaml.events.SequenceEndEvent):
                found.append(self._value(item, depth + 1))
            return found
        mapping = Located()
        mapping.line = event.start_mark.line + 1
        merged: list[Any] = []
        while not isinstance(key := next(self.events), yaml.events.MappingEndEvent):
            name = key.value if isinstance(key, yaml.events.ScalarEvent) else self._no_key(key)
            value = self._value(next(self.events), depth + 1)
            if name == "<<" and key.implicit[0]:
                merged += value if isinstance(value, list) else [value]
            else:
                mapping[name] = value
        for source in merged:
            for name, value in mapping_of(source).items():
                mapping.setdefault(name, value)
        return mapping

    def _no_key(self, event: Any) -> str:
        raise ImportFault("has a map or list for a key; only texts can be", event.start_mark.line + 1)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.match(text):
            return int(text, 8) if text.startswith("0o") else int(text, 16) if text.startswith("0x") else int(text)
        return float(text) if _FLOAT.match(text) and re.search(r"[.eE]", text) else text


def words(text: str) -> frozenset[str]:
    """The words of `text` as a set."""
    return frozenset(text.split())


def mapping_of(value: Any) -> dict[str, Any]:
    """`value` when it is a mapping, else an empty one: what a hostile or sloppy file leaves out is not there."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """`value` when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """`value` as the text it was written as; nothing for mappings, lists and null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def line_of(value: Any) -> int:
    """The line `value` begins on, 0 when unknown."""
    return value.line if isinstance(value, Located) else 0
