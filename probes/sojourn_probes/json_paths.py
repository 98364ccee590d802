"""JSONPath over a body. What the body makes slow is bounded: patterns in filters have the limit of all patterns."""

import functools
import json
import re
from typing import Any, Final

from sojourn_probes.markup import TooMuch
from sojourn_probes.patterns import search

MAX_NESTS: Final = 400_000
"""Lists and objects in a body; each costs sixty bytes and more, however empty."""

_FLAGS: Final = {"a": re.A, "i": re.I, "m": re.M, "s": re.S}


def require_json_path(path: str) -> None:
    """Raises ValueError when `path` is no JSONPath."""
    import jsonpath  # not needed by journeys that never look at JSON

    try:
        _environment().compile(path)
    except jsonpath.JSONPathError as fault:
        raise ValueError(f"{path!r} is not a JSONPath: {str(fault).splitlines()[0]}") from None


def parsed(body: str) -> tuple[Any] | None:
    """The JSON of `body`, in a tuple because it may be null; None when it is none. Raises `TooMuch`."""
    if body.count("[") + body.count("{") > MAX_NESTS:
        raise TooMuch(f"the body has more than {MAX_NESTS} lists and objects")
    try:
        return (json.loads(body),)
    except (ValueError, RecursionError):
        return None


def values_at(path: str, value: Any) -> list[Any] | None:
    """All that `path` finds in `value`; None when it nests too deep to be looked through. Raises `SearchTooLong`."""
    try:
        found: list[Any] = _environment().findall(path, value)
    except RecursionError:  # the library's own kind of it is one of these
        return None
    return found


@functools.cache
def _environment() -> Any:
    import jsonpath
    from jsonpath.function_extensions import ExpressionType, FilterFunction

    class Search(FilterFunction):
        """RFC 9535's `search` and `match`, within the time a search may take."""

        arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - the library's own form
        return_type = ExpressionType.LOGICAL

        def __init__(self, whole: bool) -> None:
            self.whole = whole

        def __call__(self, value: object, pattern: object) -> bool:
            if not isinstance(value, str) or not isinstance(pattern, str):
                return False
            return _found(rf"\A(?:{pattern})\Z" if self.whole else pattern, value)

    class Environment(jsonpath.JSONPathEnvironment):
        """Python-jsonpath's language with our searches."""

        def setup_function_extensions(self) -> None:
            super().setup_function_extensions()
            self.function_extensions["search"] = Search(False)
            self.function_extensions["match"] = Search(True)

        def compare(self, left: object, operator: str, right: object) -> bool:
            if operator == "=~" and hasattr(right, "pattern") and hasattr(right, "flags"):
                flags = "".join(letter for letter, flag in _FLAGS.items() if right.flags & flag)
                return isinstance(left, str) and _found(rf"{f'(?{flags})' if flags else ''}\A(?:{right.pattern})\Z", left)
            return bool(super().compare(left, operator, right))

    return Environment()


def _found(pattern: str, text: str) -> bool:
    import regex

    try:
        return search(pattern, text) is not None
    except regex.error:
        return False  # as RFC 9535 has it
