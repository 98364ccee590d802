"""Refusals in one sentence each: place, cause, cure. What a sender's developer reads when a row did not get in."""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

_LONGEST_SHOWN = 40


def refusal(cause_and_cure: str) -> PydanticCustomError:
    """The error a validator raises; its place is put before it by `sentence_of`."""
    # The text is no template: braces of a sender's value must stay as they are.
    return PydanticCustomError("refused", "{text}", {"text": cause_and_cure})


def shown(value: Any) -> str:
    """A sender's value, safe to quote in a sentence: printable, short, and encodable whatever it was."""
    text = json.dumps(value, default=str) if not isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def sentence_of(error: ValidationError, known: Iterable[str]) -> str:
    """All that is wrong with one row, as one line. `known` are the keys a row may have."""
    return "; ".join(_one(dict(detail), sorted(known)) for detail in error.errors(include_url=False))


def _one(detail: Mapping[str, Any], known: list[str]) -> str:
    place = ".".join(str(part) if isinstance(part, int) else shown(part).strip('"') for part in detail["loc"])
    kind, context, value = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind == "refused":
        text = str(context["text"])
        return f"{place}: {text}" if place else text
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        return f"{place}: unknown key{_meant(place, known)}"
    if kind == "literal_error":
        return f"{place}: {shown(value)} is not one of {str(context['expected']).replace(chr(39), '')}"
    return f"{place}: {_OTHERS.get(kind, 'cannot be read')}, got {shown(value)}"


def _meant(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


_OTHERS = {
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "string_type": "must be text",
}
