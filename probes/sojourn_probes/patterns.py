"""Regular expressions over what a server said. What a server says may be made to keep a pattern busy for years, so each search has a limit.

The standard library's `re` cannot be stopped and holds everything else up while it searches; the `regex` module can, and does not.
Its language is that of `re`, with `\\p{L}` and look-behinds of any width besides.
"""

import functools
from typing import Any, Final

SEARCH_SECONDS: Final = 0.5
"""Processor time of this process that one search may take; an ordinary one takes a thousandth of it."""


class NoPattern(ValueError):  # noqa: N818 - says what is the matter
    """What is no regular expression, and where it stops being one."""

    def __init__(self, message: str, at: int) -> None:
        self.at = at
        super().__init__(message)


class SearchTooLong(Exception):  # noqa: N818 - says what is the matter
    """A search was given up."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"looking for {pattern!r} took longer than {SEARCH_SECONDS:g} s; write a pattern with less to try, without one repetition in another")


def require_pattern(pattern: Any) -> str:
    """`pattern` itself. Raises ValueError with the cause when it is no regular expression."""
    import regex  # not needed by journeys without patterns

    if not isinstance(pattern, str):
        raise ValueError("a regular expression is wanted here, in quotes")
    try:
        regex.compile(pattern)
    except regex.error as fault:
        raise NoPattern(f"{pattern!r} is not a regular expression: {fault}", getattr(fault, "pos", 0) or 0) from None
    return pattern


def search(pattern: str, text: str, *, multiline: bool = False) -> Any:
    """The first match of `pattern` in `text`, or None. Raises `SearchTooLong`."""
    try:
        return _compiled(pattern, multiline).search(text, timeout=SEARCH_SECONDS)
    except TimeoutError:
        raise SearchTooLong(pattern) from None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str, multiline: bool) -> Any:
    import regex

    return regex.compile(pattern, regex.MULTILINE if multiline else 0)
