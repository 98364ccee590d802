"""What waits to be forwarded as a place of erasure. What a destination already has is out of reach: it must be told by its own means."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.forward.erase import Scrub
from sojourn_collector.store.erasure.requests import Seeker
from sojourn_collector.store.erasure.subject import Names, Orders
from sojourn_collector.store.load_sql import Signal


class ForwardPlace:
    """Files that wait for destinations, and what these refused."""

    name = "what waits to be forwarded"

    def __init__(self, scrub: Callable[[Scrub], Awaitable[int]]) -> None:
        """`scrub` goes through every file and writes back what the function it is given returns."""
        self._scrub = scrub

    async def count(self, names: Names) -> dict[str, int]:
        """Items, for each destination they wait for."""
        return await self._through(names, change=False)

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Take them out. Raises OSError."""
        return await self._through(names, change=True)

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Nothing: everything that waits is in the tables too, or in dead letters."""
        nothing: tuple[tuple[str, dict[str, Any]], ...] = ()
        for one in nothing:
            yield one

    async def _through(self, names: Names, *, change: bool) -> dict[str, int]:
        seeker = Seeker(names)
        found = 0

        def scrub(signal: Signal, body: bytes) -> bytes | None:
            nonlocal found
            if not seeker.may_be_in(body):
                return None
            try:
                cut = seeker.cut(signal, body)
            except DecodeError:
                left, gone = (b"", 1) if seeker.is_in(body) else (body, 0)
            else:
                left, gone = cut.body if cut.left else b"", cut.gone
            found += gone
            return left if change and gone else None

        await self._scrub(scrub)
        return {"to be forwarded": found} if found else {}
