"""What `extract` may say: sources that the step's kind has, paths and patterns that can be read."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from sojourn_probes.expectation import BROWSER, SOURCES
from sojourn_probes.json_paths import require_json_path
from sojourn_probes.markup import require_css, require_xpath
from sojourn_probes.patterns import require_pattern

_READERS: Final[dict[str, Callable[[str], object] | None]] = {
    "json": require_json_path,
    "xpath": require_xpath,
    "css": require_css,
    "header": None,
    "regex": require_pattern,
    "cookie": None,
    "text": None,
    "value": None,
    "attribute": None,
    "url": require_pattern,
    "evaluate": None,
}
"""What each key must be, beyond text."""

_ON_PAGE: Final = frozenset({"text", "value", "attribute", "url", "evaluate"})
"""What only a page has."""


def faults(extract: Any, kind: str | None) -> Iterator[tuple[str, str]]:
    """Each key of `extract` that will not do in a step of `kind`, and why."""
    for key, read in _READERS.items():
        value = getattr(extract, "json_path" if key == "json" else key)
        if value is None:
            continue
        kinds = _kinds(key)
        if kind not in kinds:
            yield key, f"is seen by {' and '.join(sorted(kinds))} steps only; remove it" if kind is None else _unseen(kinds, kind)
        elif read is not None and "${" not in value:
            try:
                read(value)
            except ValueError as fault:
                yield key, str(fault)


def _kinds(key: str) -> frozenset[str]:
    if key in _ON_PAGE:
        return BROWSER
    return SOURCES["body"].kinds | BROWSER if key == "regex" else SOURCES[key].kinds


def _unseen(kinds: frozenset[str], kind: str) -> str:
    return f"is seen by {' and '.join(sorted(kinds))} steps only, not by {kind}; remove it"
