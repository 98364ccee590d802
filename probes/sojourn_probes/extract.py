"""Takes values out of an answer for later steps."""

from collections.abc import Mapping
from typing import Any

from sojourn_probes.errors import SojournError
from sojourn_probes.expect import MISSING, found_at, one_or_all
from sojourn_probes.journey import Extract
from sojourn_probes.markup import TooMuch
from sojourn_probes.patterns import SearchTooLong, search


class NotExtracted(SojournError):  # noqa: N818 - says what is the matter
    """A value was not where it was looked for."""


def extract(wanted: Mapping[str, Extract], facts: dict[str, Any]) -> dict[str, Any]:
    """The values of `wanted` by name. Raises `NotExtracted` for the first that is not there."""
    return {name: _one(name, source, facts) for name, source in wanted.items()}


def _one(name: str, source: Extract, facts: dict[str, Any]) -> Any:
    try:
        return _looked(name, source, facts)
    except (SearchTooLong, TooMuch) as fault:
        raise NotExtracted(f"{name} could not be extracted: {fault}") from None


def _looked(name: str, source: Extract, facts: dict[str, Any]) -> Any:
    for look, path in (("json", source.json_path), ("xpath", source.xpath), ("css", source.css)):
        if path is not None:
            return _found(one_or_all(found_at(look, path, facts)), name, f"nothing at {path} in the body")
    if source.header is not None:
        return _found(facts.get("headers", {}).get(source.header.lower(), MISSING), name, f"no header {source.header}")
    if source.cookie is not None:
        return _found(facts.get("cookies", {}).get(source.cookie, MISSING), name, f"no cookie {source.cookie}")
    match = search(str(source.regex), facts.get("body", ""))
    if match is None:
        raise NotExtracted(f"{name} could not be extracted: the body has nothing like {source.regex}")
    value = match.group(1) if match.re.groups else match.group()
    return _found(MISSING if value is None else value, name, f"the group of {source.regex} matched nothing")


def _found(value: Any, name: str, why: str) -> Any:
    if value is MISSING:
        raise NotExtracted(f"{name} could not be extracted: {why}")
    return value
