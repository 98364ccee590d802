"""How many connections a listener holds, and which one makes room when there are too many: whoever is idle goes before whoever works."""

import resource
from typing import Protocol

SPARE = 512
"""Open files left to the journal, the control database and the engine's connections."""


class Connection(Protocol):
    """What can be let go."""

    def let_go(self) -> None:
        """Close."""
        ...


class Connections:
    """The open connections of one listener. Idle is one with no request in work, also while the headers of one are still arriving."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0
        self.let_go = 0
        """How many had to make room."""
        self._idle: dict[Connection, None] = {}

    def made(self, one: Connection) -> None:
        """A new one. Beyond `most` the longest idle goes; when all are at work, the new one."""
        self.open += 1
        self._idle[one] = None
        if self.open > self.most:
            longest = next(iter(self._idle))
            del self._idle[longest]
            self.let_go += 1
            longest.let_go()

    def works(self, one: Connection) -> None:
        """A request of it is in work."""
        self._idle.pop(one, None)

    def rests(self, one: Connection) -> None:
        """Its request is answered."""
        self._idle.pop(one, None)
        self._idle[one] = None

    def lost(self, one: Connection) -> None:
        """It is closed."""
        self.open -= 1
        self._idle.pop(one, None)


def room_for(wanted: int) -> int:
    """How many connections each of three listeners may hold, having raised the process's limit of open files as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(16, min(wanted, (hard - SPARE) // 3))
