"""Whose turn it is to join: one collector at a time, by a lease in the control database that is renewed, and taken over when its holder falls silent.

A holder that stood still for longer than its lease notices before it writes: versions of rows are given out by a turn that is held, and never below those
of a holder before it. Progress is written under the lease's fence.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.control.leases import Lease, LeaseLostError, Leases

_log = logging.getLogger(__name__)
NAME = "join"
SECONDS = 6.0
"""How long a lease holds; renewed three times as often."""
_AHEAD = 60_000
"""Versions (milliseconds) reserved beyond the present one, so that a next holder knows what this one may have given out."""


class Turn:
    """The turn of one collector."""

    def __init__(
        self, leases: Leases, node: int, wall: Callable[[], datetime], *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._leases = leases
        self._node = node
        self._wall = wall
        self._seconds = seconds
        self._clock = clock
        self._until = 0.0
        self._given = 0
        self.lease: Lease | None = None
        self.ceiling = 0
        """Highest version that may be given out."""
        self.holder: int | None = None
        """The node whose turn it is, as far as is known."""

    @property
    def held(self) -> bool:
        """Whether it is this collector's turn."""
        return self.lease is not None and self._clock() < self._until

    def give(self, version: int) -> int:
        """Note that this version is given out. Raises LeaseLostError when it is not our turn, or the version is not reserved."""
        if not self.held or version > self.ceiling:
            raise LeaseLostError("it is no longer this collector's turn to join")
        self._given = version
        return version

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` whenever it is our turn, until cancelled. Raises what `work` raises, but for LeaseLostError."""
        while True:
            try:
                taken = await self._take()
            except ControlUnavailableError:
                taken = False
            if taken:
                await self._hold(work)
            else:
                await asyncio.sleep(self._seconds / 12)

    async def _take(self) -> bool:
        asked = self._clock()
        lease = await self._leases.take(NAME, self._node, self._seconds)
        if lease is None:
            self.holder = await self._leases.holder(NAME)
            return False
        self.lease, self.holder, self._until, self._given = lease, self._node, asked + self._seconds, lease.reserved
        return await self._renew()

    async def _renew(self) -> bool:
        assert self.lease is not None
        asked = self._clock()
        ceiling = max(self._given, int(self._wall().timestamp() * 1000)) + _AHEAD
        if not await self._leases.renew(self.lease, self._seconds, ceiling):
            self._until = 0.0
            return False
        self._until, self.ceiling = asked + self._seconds, ceiling
        return True

    async def _hold(self, work: Callable[[], Awaitable[None]]) -> None:
        _log.info("node %d joins from now on", self._node)
        doing = asyncio.ensure_future(work())
        try:
            while self.held:
                await asyncio.wait([doing], timeout=self._seconds / 3)
                if doing.done():
                    doing.result()
                    return
                with suppress(ControlUnavailableError):  # tried again while the lease holds
                    await self._renew()
        except LeaseLostError:
            pass
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
            await self._let_go()
        _log.warning("node %d joins no longer: its turn is over", self._node)

    async def _let_go(self) -> None:
        lease, self.lease, self.holder = self.lease, None, None
        if lease is not None and self._clock() < self._until:
            with suppress(ControlUnavailableError):
                await self._leases.give_back(lease, self._given)
