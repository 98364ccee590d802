"""What changed in a part of a journey, in words: `interval: 60s → 30s`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sojourn_probes.journey import Journey
from sojourn_probes.schema import journey_schema
from sojourn_probes.units import DURATION_PATTERN, SIZE_PATTERN, show_size, write_duration

NOT_SHOWN: Final = "[not shown]"
MAX_SHOWN: Final = 100
_HIDDEN: Final = re.compile(r"headers?$|cookie|passw|token|secret|api.?key|auth", re.IGNORECASE)
"""Keys under which a literal is not shown: somebody may have written there what should not be."""

_REFERENCES: Final = re.compile(r"((Bearer|Basic|Token) )?(\$\{[^}]*\})+")

Path = tuple[str | int, ...]


class Kind(StrEnum):
    """What happened to one thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed; `before` and `after` are as one would write them, and empty where there is nothing to show."""

    where: str
    kind: Kind
    before: str
    after: str
    line: int

    def __str__(self) -> str:
        if self.kind is Kind.RENAMED:
            return f"{self.where} {self.before} is now {self.after}: the history of {self.before} ends, {self.after} begins without one"
        if self.before == self.after:
            return f"{self.where} {self.kind}{' (not shown)' if self.after == NOT_SHOWN else ''}"
        if self.kind is Kind.CHANGED:
            return f"{self.where}: {self.before} → {self.after}"
        shown = self.after or self.before
        return f"{self.where}{': ' if shown else ' '}{shown}{' ' if shown else ''}{self.kind}"


def content_changes(before: Any, after: Any, of: str, path: Path, journey: Journey, key: str = "") -> Iterator[Change]:
    """The changes from `before` to `after`, which stand at `path` of the newer `journey`; `of` says in words what they are a part of."""
    if before == after:
        return
    line = journey.place_of(path)[0]
    where = f"{of}{key}"
    if _nothing(before) or _nothing(after):
        if not (_nothing(before) and _nothing(after)):
            shown = _shown(after if _nothing(before) else before, path)
            yield Change(where, Kind.ADDED, "", shown, line) if _nothing(before) else Change(where, Kind.REMOVED, shown, "", line)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from content_changes(before.get(name), after.get(name), of, (*path, name), journey, f"{key}.{name}" if key else str(name))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(before, after, of, path, journey, key)
    else:
        yield Change(where, Kind.CHANGED, _shown(before, path), _shown(after, path), line)


def _list_changes(before: list[Any], after: list[Any], of: str, path: Path, journey: Journey, key: str) -> Iterator[Change]:
    one, other = ([json.dumps(item, sort_keys=True) for item in items] for items in (before, after))
    for word, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if word == "equal":
            continue
        if word == "replace" and b - a == d - c:
            for offset in range(b - a):
                yield from content_changes(before[a + offset], after[c + offset], of, (*path, c + offset), journey, key)
            continue
        for index in range(a, b):
            yield Change(f"{of}{key}", Kind.REMOVED, _shown(before[index], (*path, index)), "", journey.place_of(path)[0])
        for index in range(c, d):
            yield Change(f"{of}{key}", Kind.ADDED, "", _shown(after[index], (*path, index)), journey.place_of((*path, index))[0])


def _nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, list | dict) and (not value or (isinstance(value, dict) and all(map(_nothing, value.values())))))


def _shown(value: Any, path: Path) -> str:
    """A value as one would write it; a literal where secrets are wont to stand is not shown."""
    text = _flow(_written(_hidden(value, path), path))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _flow(value: Any) -> str:
    """`value` on one line, much as YAML writes it."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {_flow(item)}' for name, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def _hidden(value: Any, path: Path) -> Any:
    """`value` without such literals. A reference is not a literal: `${secrets.x}` says nothing."""
    if isinstance(value, Mapping):
        return {name: _hidden(item, (*path, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, (*path, index)) for index, item in enumerate(value)]
    return value if not isinstance(value, str) or _REFERENCES.fullmatch(value) or not _may_be_secret(path) else NOT_SHOWN


def _may_be_secret(path: Path) -> bool:
    """Whether secrets are wont to stand at `path`. What is typed into a field may be one; where a value is extracted from is none."""
    words = [part for part in path if isinstance(part, str)]
    return "extract" not in words and (any(_HIDDEN.search(word) for word in words) or (words[-1:] == ["value"] and "fill" in words))


def _written(value: Any, path: Path) -> Any:
    if isinstance(value, Mapping):
        return {name: _written(item, (*path, name)) for name, item in value.items() if not _nothing(item)}
    if isinstance(value, list):
        return [_written(item, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        patterns = _patterns(path)
        return write_duration(value) if DURATION_PATTERN in patterns else show_size(value) if SIZE_PATTERN in patterns else value
    return value


@cache
def _schema() -> dict[str, Any]:
    return journey_schema()


def _patterns(path: Path) -> set[str]:
    """The shapes that a text at `path` may have."""
    nodes = [_schema()]
    for part in path:
        nodes = [inner for node in nodes for inner in _inside(node, part)]
    return {pattern for node in nodes for flat in _flat(node) if (pattern := flat.get("pattern"))}


def _flat(node: Any) -> Iterator[Any]:
    if "$ref" in node:
        yield from _flat(_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    elif "anyOf" in node or "oneOf" in node:
        for way in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from _flat(way)
    else:
        yield node


def _inside(node: Any, part: str | int) -> Iterator[Any]:
    for flat in _flat(node):
        if isinstance(part, int):
            found = [flat.get("items")]
        else:
            found = [flat.get("properties", {}).get(part), *flat.get("patternProperties", {}).values(), flat.get("additionalProperties")]
        yield from (one for one in found if isinstance(one, dict))
