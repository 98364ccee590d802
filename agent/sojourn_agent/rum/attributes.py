"""Putting values into OTLP attributes, cut to length and scrubbed on the way."""

from typing import Any, Final

from sojourn_agent.rum.scrub import scrub

MAX_TEXT: Final = 1024
"""Characters kept of an ordinary text; names have less, stacks more."""


class Attributes:
    """Writes into one OTLP attribute list. What is None or an empty text is left out; `cut` counts texts that were too long."""

    __slots__ = ("cut", "into")

    def __init__(self, into: Any) -> None:
        self.into = into
        self.cut = 0

    def text(self, key: str, value: str | None, limit: int = MAX_TEXT) -> None:
        """A text that cannot hold personal data: a word of a closed list, an id we let through."""
        if not value:
            return
        if len(value) > limit:
            value = value[:limit]
            self.cut += 1
        pair = self.into.add()
        pair.key = key
        pair.value.string_value = value

    def free(self, key: str, value: str | None, limit: int = MAX_TEXT) -> None:
        """A text somebody wrote or a page composed: scrubbed."""
        if value:
            # Cut first, so that the work is bounded, with room for what scrubbing may shorten; then to length.
            self.text(key, scrub(value[: limit + 256]), limit)

    def number(self, key: str, value: float | None) -> None:
        """A number that may have a fraction."""
        if value is not None:
            pair = self.into.add()
            pair.key = key
            pair.value.double_value = value

    def whole(self, key: str, value: int | None) -> None:
        """A whole number."""
        if value is not None:
            pair = self.into.add()
            pair.key = key
            pair.value.int_value = value

    def flag(self, key: str, value: bool) -> None:
        """True or false."""
        pair = self.into.add()
        pair.key = key
        pair.value.bool_value = value
