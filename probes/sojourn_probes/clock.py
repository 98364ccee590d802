"""The clock of a run: the wall once at the start, monotonic differences after, so that a stepped clock cannot bend durations."""

import time
from collections.abc import Callable


class Clock:
    """Nanoseconds since the epoch that only ever go forward. Tests pass their own `wall` and `monotonic` (both in ns)."""

    def __init__(self, wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now_ns(self) -> int:
        """Now, in nanoseconds since the epoch."""
        return self._offset + self._monotonic()
