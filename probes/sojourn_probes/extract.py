"""Takes values out of an answer for later steps."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sojourn_probes.errors import SojournError
from sojourn_probes.expect import MISSING, found_at, one_or_all
from sojourn_probes.json_paths import require_json_path
from sojourn_probes.markup import TooMuch, require_css, require_xpath
from sojourn_probes.names import Names
from sojourn_probes.patterns import SearchTooLong, require_pattern, search
from sojourn_probes.step import Extract


class NotExtracted(SojournError):  # noqa: N818 - says what is the matter
    """A value was not where it was looked for."""


_PATHS: Final[dict[str, Callable[[str], object]]] = {
    "json_path": require_json_path,
    "xpath": require_xpath,
    "css": require_css,
    "header": str,
    "cookie": str,
    "regex": require_pattern,
}
"""What says where in an answer a value is, and what it must be once it is filled."""


def extract(wanted: Mapping[str, Extract], facts: dict[str, Any], names: Names) -> dict[str, Any]:
    """The values of `wanted` by name. Raises `NotExtracted` for the first that is not there, and `NameMissing`."""
    return {name: _one(name, source, facts, names) for name, source in wanted.items()}


def _one(name: str, source: Extract, facts: dict[str, Any], names: Names) -> Any:
    try:
        return _looked(name, _filled(source, names), facts)
    except (SearchTooLong, TooMuch, ValueError) as fault:
        raise NotExtracted(f"{name} could not be extracted: {fault}") from None


def _filled(source: Extract, names: Names) -> Extract:
    """`source` with every `${…}` filled. Raises ValueError when what comes of it cannot be read."""
    filled = {key: names.fill_text(value) for key in _PATHS if (value := getattr(source, key)) is not None and "${" in value}
    for key, value in filled.items():
        _PATHS[key](value)
    return source.model_copy(update=filled) if filled else source


def _looked(name: str, source: Extract, facts: dict[str, Any]) -> Any:
    for look, path in (("json", source.json_path), ("xpath", source.xpath), ("css", source.css)):
        if path is not None:
            return _found(one_or_all(found_at(look, path, facts)), name, f"nothing at {path} in the body")
    if source.header is not None:
        return _found(facts.get("headers", {}).get(source.header.lower(), MISSING), name, f"no header {source.header}")
    if source.cookie is not None:
        return _found(facts.get("cookies", {}).get(source.cookie, MISSING), name, f"no cookie {source.cookie}")
    if source.on_page:
        value = _found(facts.get("extracted", {}).get(name, MISSING), name, _missing_on_page(source))
        pattern = source.url or source.regex
        return value if pattern is None else _matched(name, pattern, value if isinstance(value, str) else json.dumps(value), "it")
    return _matched(name, str(source.regex), facts.get("body", facts.get("text", "")), "the body" if "body" in facts else "the page")


def _missing_on_page(source: Extract) -> str:
    if source.evaluate is not None:
        return f"evaluating {source.evaluate[:80]} gave no value"
    target = source.text or source.value or source.of
    if target is None:
        return "the page has no address"
    return f"{target.says()} is not there once{f', or has no {source.attribute}' if source.attribute else ''}"


def _matched(name: str, pattern: str, text: str, where: str) -> Any:
    match = search(pattern, text)
    if match is None:
        raise NotExtracted(f"{name} could not be extracted: {where} has nothing like {pattern}")
    value = match.group(1) if match.re.groups else match.group()
    return _found(MISSING if value is None else value, name, f"the group of {pattern} matched nothing")


def _found(value: Any, name: str, why: str) -> Any:
    if value is MISSING:
        raise NotExtracted(f"{name} could not be extracted: {why}")
    return value
