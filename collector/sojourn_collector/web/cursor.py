"""Where the next page of a list begins: opaque to the caller, checked when it comes back."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sojourn_collector.web.answers.times import from_ms, to_ms

END = 2**62
"""Later than everything, in milliseconds and in nanoseconds."""
LATEST_MS = 2**42
"""The year 2109."""
LONGEST = 2048
"""Characters of a cursor; ids in it are at most 512 letters."""


class BadCursor(ValueError):  # noqa: N818 - says what is the case
    """A cursor that is none, or another list's; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """After the item of this time (`at`, in the list's own unit since the epoch) and id, in the window the first page was of."""

    since: datetime
    until: datetime
    at: int
    after: str


def encoded(cursor: Cursor, question: str) -> str:
    """The cursor as text; it is good for the same `question` only."""
    held = [_mark(question), to_ms(cursor.since), to_ms(cursor.until), cursor.at, cursor.after]
    return base64.urlsafe_b64encode(json.dumps(held, separators=(",", ":")).encode()).decode().rstrip("=")


def decoded(text: str, question: str) -> Cursor:
    """The cursor that `encoded` made for the same question. Raises BadCursor."""
    try:
        mark, since, until, at, after = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        if not (isinstance(after, str) and all(type(one) is int for one in (since, until, at)) and 0 <= since < until < LATEST_MS and 0 <= at <= END):
            raise ValueError(text)
        cursor = Cursor(from_ms(since), from_ms(until), at, after)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise BadCursor("cursor is none of ours; take next of the page before, or leave it out") from error
    if mark != _mark(question):
        raise BadCursor("cursor belongs to another question; repeat the parameters it came with, or leave it out")
    return cursor


def _mark(question: str) -> str:
    return sha256(question.encode()).hexdigest()[:12]
