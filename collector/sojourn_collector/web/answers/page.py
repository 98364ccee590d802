"""One page of a list: the window, where the page begins, and where the next one does."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.web.answers.times import from_ms, to_ms
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.asked import Asked
from sojourn_collector.web.cursor import END, Cursor, decoded, encoded


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: below `(at, after)`, within the window."""

    window: Window
    at: int
    after: str
    question: str

    def next(self, at: int, after: str) -> str:
        """The cursor of the page that begins below this item."""
        return encoded(Cursor(self.window.since, self.window.until, at, after), self.question)


def place_of(context: Context, asked: Asked, name: str) -> Place:
    """Where the page asked for begins. Raises BadWindow, BadCursor."""
    question = asked.question(name)
    now = context.clock()
    if not asked.cursor:
        window = window_of(now, ZoneInfo(context.impact.timezone), asked.since, asked.until)
        # Whole milliseconds, as a cursor keeps them: the pages of one list are of one window.
        return Place(Window(from_ms(to_ms(window.since)), from_ms(to_ms(window.until) + 1), now), END, "", question)
    cursor = decoded(asked.cursor, question)
    return Place(Window(cursor.since, cursor.until, now), cursor.at, cursor.after, question)
