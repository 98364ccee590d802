"""Versions of rows that replace one another: milliseconds that never go back, whatever the clock does."""

from collections.abc import Callable
from datetime import datetime

from sojourn_collector.join.turn import Turn


class Versions:
    """Gives out numbers that grow by at least one. `highest` is kept across restarts by its owner; with several collectors only a `turn` that is held gives."""

    def __init__(self, clock: Callable[[], datetime], highest: int, turn: Turn | None = None) -> None:
        self._clock = clock
        self._turn = turn
        self.highest = highest

    def next(self) -> int:
        """A number above all given out before, by whomever. Raises LeaseLostError when it is not our turn."""
        now = int(self._clock().timestamp() * 1000)
        if self._turn is None:
            self.highest = max(self.highest + 1, now)
        else:
            self.highest = self._turn.give(max(self.highest + 1, min(now, self._turn.ceiling)))
        return self.highest
