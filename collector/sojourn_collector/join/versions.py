"""Versions of rows that replace one another: milliseconds that never go back, whatever the clock does."""

from collections.abc import Callable
from datetime import datetime


class Versions:
    """Gives out numbers that grow by at least one. `highest` is kept across restarts by its owner."""

    def __init__(self, clock: Callable[[], datetime], highest: int) -> None:
        self._clock = clock
        self.highest = highest

    def next(self) -> int:
        """A number above all given out before."""
        self.highest = max(self.highest + 1, int(self._clock().timestamp() * 1000))
        return self.highest
