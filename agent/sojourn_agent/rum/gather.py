"""Joins what many beacons came to into few batches, so that many share one fsync."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from sojourn_agent.spool import Signal, SpoolWriter

GATHER_SECONDS: Final = 0.02
GATHER_BYTES: Final = 512 << 10
_SIGNALS: Final[tuple[Signal, Signal]] = ("traces", "logs")


@dataclass(slots=True, eq=False)
class Parcel:
    """What one beacon has for the spool, by signal. A signal that is stored is taken out, so that a second try stores only the rest."""

    bodies: dict[Signal, bytes]
    stored: asyncio.Future[None] | None = None

    @property
    def size(self) -> int:
        """Bytes still to store."""
        return sum(len(body) for body in self.bodies.values())


@dataclass(slots=True)
class Gatherer:
    """Waits up to 20 ms or 512 KiB for company, then makes one batch per signal and answers everybody in it.

    `close()` stores what waits. The spool's own errors reach whoever waits in `store`.
    """

    spool: SpoolWriter
    _waiting: list[Parcel] = field(default_factory=list)
    _bytes: int = 0
    _timer: asyncio.TimerHandle | None = None
    _flushes: set[asyncio.Task[None]] = field(default_factory=set)

    async def store(self, parcel: Parcel) -> None:
        """Return once `parcel` is on disk; raises what the spool raised, and `parcel` then holds what is still to store."""
        if not parcel.bodies:
            return
        loop = asyncio.get_running_loop()
        parcel.stored = loop.create_future()
        parcel.stored.add_done_callback(_look)
        if self._bytes + parcel.size > GATHER_BYTES:
            self._flush()
        self._waiting.append(parcel)
        self._bytes += parcel.size
        if self._timer is None:
            self._timer = loop.call_later(GATHER_SECONDS, self._flush)
        # Shielded: a client that hangs up must not take the others' batch down.
        await asyncio.shield(parcel.stored)

    async def close(self) -> None:
        """Store what waits now and return when that is done."""
        self._flush()
        while self._flushes:
            await asyncio.wait(self._flushes)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            task = asyncio.get_running_loop().create_task(self._append(self._waiting))
            self._flushes.add(task)
            task.add_done_callback(self._flushes.discard)
        self._waiting, self._bytes = [], 0

    async def _append(self, parcels: list[Parcel]) -> None:
        faults = await asyncio.gather(*(self._append_one(signal, parcels) for signal in _SIGNALS))
        fault = next((fault for fault in faults if fault is not None), None)
        for parcel in parcels:
            if parcel.stored is None or parcel.stored.done():
                continue
            if not parcel.bodies:
                parcel.stored.set_result(None)
            else:
                parcel.stored.set_exception(fault or RuntimeError("the spool stored less than it was given"))

    async def _append_one(self, signal: Signal, parcels: list[Parcel]) -> BaseException | None:
        bodies = [parcel.bodies[signal] for parcel in parcels if signal in parcel.bodies]
        if not bodies:
            return None
        try:
            await self.spool.append(signal, b"".join(bodies))
        except asyncio.CancelledError:
            raise
        except Exception as fault:  # noqa: BLE001 - handed on to everyone who waits
            return fault
        for parcel in parcels:
            parcel.bodies.pop(signal, None)
        return None


def _look(stored: asyncio.Future[None]) -> None:
    """An error nobody waits for any more (the client hung up) is no error of ours."""
    if not stored.cancelled():
        stored.exception()
