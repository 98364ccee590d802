"""YAML 1.2 as JSON has it: core-schema scalars, no duplicate keys, no tags, bounded in size, depth and number; with the place of every value.

PyYAML alone reads `22:00` as 1320, `NO` as false, the key `on` as true, `0123` as 83, and takes the last of duplicate keys in silence.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

MAX_BYTES: Final = 256 * 1024
"""Largest file read."""
MAX_DEPTH: Final = 32
"""Deepest nesting."""
MAX_VALUES: Final = 20_000
"""Most values, those repeated by aliases counted each time."""

Path = tuple[str | int, ...]
Place = tuple[int, int]


class YamlFault(Exception):  # noqa: N818 - told from the library's own YAMLError
    """Something that is no YAML or not the YAML we take. `line` and `col` count from 1."""

    def __init__(self, message: str, line: int, col: int, key: str = "") -> None:
        self.line, self.col, self.key = line, col, key
        super().__init__(message)


@dataclass(slots=True)
class Document:
    """A file's content. `values` and `keys` give line and column (from 1) by path; `inside` the column offset of a scalar's first character,
    `origin` the file of what came from another one."""

    data: Any
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    inside: dict[Path, int] = field(default_factory=dict)
    origin: dict[Path, str] = field(default_factory=dict)


class _CoreResolver(BaseResolver):
    """Scalars of the YAML 1.2 core schema, and nothing else."""


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.0123456789")),
):
    _CoreResolver.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


class _Loader(Reader, Scanner, Parser, Composer, _CoreResolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _CoreResolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise YamlFault(f"is nested more than {MAX_DEPTH} deep; make it flatter", *_place(event.start_mark))
        if getattr(event, "tag", None) is not None:
            raise YamlFault(f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not taken; remove it, put texts in quotes", *_place(event.start_mark))
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(text: str) -> Document:
    """The one document in `text`. Raises `YamlFault`."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except ReaderError as fault:
        before = text[: fault.position]
        raise YamlFault("holds a character that YAML does not allow; remove it", before.count("\n") + 1, len(before) - before.rfind("\n")) from None
    except yaml.MarkedYAMLError as fault:
        raise _explained(fault, text) from None
    if root is None:
        raise YamlFault("is empty; `sojourn init` writes one to begin with", 1, 1)
    document = Document(None)
    document.data = _Reading(document).value(root, (), 0)
    return document


def _place(mark: Any) -> Place:
    return (mark.line + 1, mark.column + 1)


class _Reading:
    """Turns nodes into plain data, counting what aliases repeat."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_VALUES:
            raise YamlFault(f"has more than {MAX_VALUES} values, counting those that aliases repeat; make it smaller", *_place(node.start_mark))
        if depth > MAX_DEPTH:
            raise YamlFault(f"is nested more than {MAX_DEPTH} deep; make it flatter", *_place(node.start_mark))
        self.document.values[path] = _place(node.start_mark)
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        self.document.inside[path] = {"'": 1, '"': 1}.get(node.style or "", 0) if node.style not in ("|", ">") else -1
        return _scalar(node)

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        merged = self._merged(node, path, depth)
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, col = _place(key_node.start_mark)
            if _is_merge(key_node):
                continue
            if not isinstance(key_node, ScalarNode) or not key_node.tag.endswith(":str"):
                raise YamlFault(_key_fault(key_node), line, col)
            key = key_node.value
            if key in found:
                first = self.document.keys[(*path, key)][0]
                raise YamlFault(f"is there twice, first on line {first}; keep one", line, col, key)
            self.document.keys[(*path, key)] = (line, col)
            found[key] = self.value(value_node, (*path, key), depth + 1)
        return {**merged, **found}

    def _merged(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        """What `<<: *anchor` brings in, of a list the first map before the later ones (https://yaml.org/type/merge.html)."""
        found: dict[str, Any] = {}
        given = [(key, value) for key, value in node.value if _is_merge(key)]
        if len(given) > 1:
            raise YamlFault("is there twice; give one << a list of anchors", *_place(given[1][0].start_mark), "<<")
        for _, value in given:
            for one in reversed(value.value if isinstance(value, SequenceNode) else [value]):
                self.count += 1
                if not isinstance(one, MappingNode):
                    raise YamlFault("<< takes an alias of a map, such as <<: *common, or a list of such", *_place(value.start_mark))
                if depth > MAX_DEPTH or self.count > MAX_VALUES:
                    raise YamlFault(f"is nested more than {MAX_DEPTH} deep; make it flatter", *_place(value.start_mark))
                found |= self._mapping(one, path, depth + 1)
        for key in found:
            self.document.keys.pop((*path, key), None)
        return found


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "<<" and not node.style


def _key_fault(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return f'the key {node.value or "(nothing)"} is not text; put it in quotes: "{node.value}"'
    return 'a map or list cannot be a key; if ${…} or {…} is meant as text, put it in quotes: "${…}"'


def _scalar(node: ScalarNode) -> Any:
    kind = node.tag.rpartition(":")[2]
    text = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text[0] in "tT"
    if kind == "int":
        return _whole(node, text)
    if kind == "float":
        value = float(
            text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".nan", "nan").replace(".NaN", "nan").replace(".NAN", "nan")
        )
        if value != value or abs(value) == float("inf"):
            raise YamlFault(f'{text} is no number we can use; if text is meant, put it in quotes: "{text}"', *_place(node.start_mark))
        return value
    return text


def _whole(node: ScalarNode, text: str) -> int:
    if len(text) > 40:
        raise YamlFault(f'a number of {len(text)} digits is too long; if text is meant, put it in quotes: "{text[:8]}…"', *_place(node.start_mark))
    return int(text, 8) if text.startswith("0o") else int(text, 16) if text.startswith("0x") else int(text, 10)


def _explained(fault: yaml.MarkedYAMLError, text: str) -> YamlFault:
    """The library's error with the cure for what people most often mean."""
    mark = fault.problem_mark or fault.context_mark
    line, col = (1, 1) if mark is None else _place(mark)
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    problem = fault.problem or "cannot be read"
    in_flow = "flow" in (fault.context or "")
    if in_flow and "got '?'" in problem:
        return YamlFault('inside { } or [ ] a text that holds ? must be in quotes: {url: "/find?word=mug"}', line, col)
    if in_flow and "${" in here:
        return YamlFault('inside { } or [ ] a value with ${…} must be in quotes: {url: "${vars.x}/y"}', line, col)
    if "quoted scalar" in (fault.context or "") and "end of stream" in problem:
        opened = (line, col) if fault.context_mark is None else _place(fault.context_mark)
        return YamlFault("a quote that opens here is not closed; inside { } or [ ] put the whole value in quotes", *opened)
    if "'\\t'" in problem:
        return YamlFault("is indented with a tab; use spaces", line, col)
    if "mapping values are not allowed" in problem:
        return YamlFault("a second ': ' on this line; put the text that holds it in quotes", line, col)
    if "alias" in problem or "alias" in (fault.context or ""):
        return YamlFault("YAML takes a word that begins with * for an alias that is nowhere set; if text is meant, put it in quotes", line, col)
    if "single document" in (fault.context or ""):
        return YamlFault("a second document begins here (---); keep one journey in a file", line, col)
    if "cannot start any token" in problem:
        return YamlFault(f"{problem.replace('found character ', '').split(' that')[0]} cannot begin a value; put the text in quotes", line, col)
    if in_flow and re.search(r"\[.* in \[", here):
        return YamlFault("inside [ ] an expectation with brackets of its own must be in quotes: ['status in [200, 204]']", line, col)
    if in_flow:
        return YamlFault("a { or [ is not closed, or a comma is missing", line, col)
    if "expected <block end>" in problem:
        return YamlFault("does not fit what is above it; check the indentation, or put a text with quotes inside it wholly into quotes", line, col)
    return YamlFault(f"is not YAML: {problem}", line, col)
