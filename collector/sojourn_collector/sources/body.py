"""Cutting a request body into rows: one JSON object, an array of them, or one object a line (NDJSON)."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

LARGEST_BODY: Final = 5 << 20
MOST_ROWS: Final = 10_000
DEEPEST: Final = 16
DEEPEST_EVENT: Final = 32
"""Levels of nesting in what a vendor sends."""


def _too_deep_said(levels: int) -> str:
    return f"The JSON is nested deeper than {levels} levels."


_TOO_DEEP = _too_deep_said(DEEPEST)
_TOO_MANY = f"The body has more than {MOST_ROWS} rows; send them in several requests."


class BodyRefused(ValueError):  # noqa: N818 - says what happened
    """A body no row of which can be read; its text is one sentence."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no JSON: why, in one sentence."""

    reason: str


def rows_of(body: bytes, *, lines: bool, most: int | None = MOST_ROWS) -> list[Any]:
    """The rows of a body, in their order. `lines`: it is NDJSON by its content type; other JSON may still turn out to be.

    Numbers with a point come as Decimal, so that money never passes through a float. A line that is no JSON comes as
    `Unreadable`. `most` rows are read, None for any number. Raises BodyRefused.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BodyRefused("The body is not UTF-8.") from None
    if not text.strip():
        raise BodyRefused("The body is empty; send a JSON object, an array of objects, or one object a line.")
    rows = _from_lines(text, most) if lines else _from_json(text, most)
    if most is not None and len(rows) > most:
        raise BodyRefused(_TOO_MANY)
    return [row if isinstance(row, Unreadable) or not _too_deep(row) else Unreadable(_TOO_DEEP) for row in rows]


def json_of(body: bytes) -> Any:
    """A body that is one piece of JSON of a vendor's, read as rows are. Raises BodyRefused."""
    try:
        read = _loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BodyRefused("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BodyRefused(f"The body is not JSON: {_where(error)}.") from None
    except _Refused as error:
        raise BodyRefused(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise BodyRefused(_too_deep_said(DEEPEST_EVENT)) from None
    if _too_deep(read, DEEPEST_EVENT):
        raise BodyRefused(_too_deep_said(DEEPEST_EVENT))
    return read


def _from_json(text: str, most: int | None) -> list[Any]:
    try:
        whole = _loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            return _from_lines(text, most)
        raise BodyRefused(f"The body is not JSON: {_where(error)}.") from None
    except _Refused as error:
        raise BodyRefused(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise BodyRefused(_TOO_DEEP) from None
    return whole if isinstance(whole, list) else [whole]


def _from_lines(text: str, most: int | None) -> list[Any]:
    filled = [line for line in text.split("\n") if line.strip()]
    if most is not None and len(filled) > most:
        raise BodyRefused(_TOO_MANY)
    return [_line(line) for line in filled]


def _line(line: str) -> Any:
    try:
        return _loads(line)
    except json.JSONDecodeError as error:
        return Unreadable(f"the line is not JSON: {error.msg} at column {error.colno}")
    except _Refused as error:
        return Unreadable(f"the line is not JSON: {error}")
    except RecursionError:
        return Unreadable(_TOO_DEEP)


def _where(error: json.JSONDecodeError) -> str:
    return f"{error.msg} at line {error.lineno}, column {error.colno}"


class _Refused(ValueError):  # noqa: N818 - says what happened
    """Something Python's reader would take that is no JSON or nothing we can hold."""


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_object)


def _whole(digits: str) -> int:
    if len(digits) > 300:
        raise _Refused("a number has more than 300 digits")
    return int(digits)


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is not a number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise _Refused("a key stands twice in one object")
    return read


def _too_deep(row: Any, levels: int = DEEPEST) -> bool:
    level = [row]
    for _ in range(levels):
        level = [child for node in level if isinstance(node, (dict, list)) for child in (node.values() if isinstance(node, dict) else node)]
        if not level:
            return False
    return True
