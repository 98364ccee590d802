"""How much memory the bodies of all requests in work may hold together, however many senders there are."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sojourn_collector.receive.answers import RefusalError

SMALL = 1 << 20
"""Bytes up to which a body may use all of the budget, as batches of our agents do; larger ones leave a quarter of it to them."""


class Held:
    """What one request holds."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self.bytes = 0
        self._work: asyncio.Future[Any] | None = None

    def grow(self, by: int) -> None:
        """Hold `by` bytes more. Raises RefusalError 503 when there is no room."""
        budget = self._budget
        most = budget.limit if self.bytes + by <= SMALL else budget.limit // 4 * 3
        if budget.held + by > most:
            raise RefusalError(503, "Too many large requests are in work; come back in a second.", "memory", {"retry-after": "1", "connection": "close"})
        budget.held += by
        self.bytes += by

    def until(self, work: asyncio.Future[Any]) -> None:
        """Hold on until `work` ends, also when whoever asked for it goes away before."""
        self._work = work

    def give_back(self) -> None:
        """The request is answered, or nobody waits for the answer."""
        work, self._work = self._work, None
        if work is not None and not work.done():
            work.add_done_callback(lambda _: self._free())
        else:
            self._free()

    def _free(self) -> None:
        self._budget.held -= self.bytes
        self.bytes = 0


class Budget:
    """Bytes held by all requests. Used on the event loop only."""

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        self.limit = limit
        self.held = 0

    @contextmanager
    def hold(self) -> Iterator[Held]:
        """One request's share, given back at its end."""
        held = Held(self)
        try:
            yield held
        finally:
            held.give_back()
