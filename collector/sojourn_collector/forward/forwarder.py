"""Sends what waits for one destination, file after file, a few batches at a time, until it is all there; a destination in trouble is waited for without end."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.counters import Counters
from sojourn_collector.forward.items import Keep, sift
from sojourn_collector.forward.only import keep_of
from sojourn_collector.forward.outlet import Answer, Outlet, Verdict
from sojourn_collector.forward.queue import Queue, signal_of
from sojourn_collector.forward_config import Destination
from sojourn_collector.store import hops
from sojourn_collector.store import record as records
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record

log = logging.getLogger("sojourn.forward")

NOTED_EVERY: Final = 1.0
"""Seconds between notes of how far a file is sent: what a kill -9 has sent again, under the same ids."""
_MOST_RETRY_AFTER: Final = 3600.0


class HeadersError(Exception):
    """A header's value cannot be read; the text says where and how to mend it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How tries follow each other, in seconds: waits double from `first` to `most`, each drawn from its upper half."""

    first: float = 0.25
    most: float = 30.0
    in_flight: int = 4


class Forwarder:
    """Forwards to one destination. `own` is this collector's id; `clock` seconds since 1970; `draw` a number in [0, 1)."""

    def __init__(
        self,
        destination: Destination,
        queue: Queue,
        outlet: Outlet,
        counters: Counters,
        own: str,
        headers: Callable[[], Mapping[str, str]],
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`headers` gives the destination's own headers, asked again while it refuses them; it may raise HeadersError."""
        self.destination = destination
        self.queue = queue
        self.alarm = ""
        """Why the destination is held, for a person to mend; empty while it is not."""
        self.trouble = ""
        """Why it waits; passes by itself."""
        self.arrived = asyncio.Event()
        self._outlet = outlet
        self._counters = counters
        self._own = own
        self._read_headers = headers
        self._headers: Mapping[str, str] | None = None
        self._pace = pace or Pace()
        self._clock = clock
        self._draw = draw
        self._keep: Keep | None = keep_of(destination.only) if destination.only else None
        self._filter = destination.only.model_dump_json() if destination.only else ""
        self._failures = 0
        self._wait = 0.0
        self._turn = asyncio.Lock()
        self._noting = asyncio.Lock()
        self._noted = 0.0
        self._sent: set[int] = set()

    async def close(self) -> None:
        """Close the connections."""
        await self._outlet.close()

    async def run(self) -> None:
        """Send until cancelled; what was not answered by then is sent again, under its id."""
        try:
            while True:
                self.arrived.clear()
                path = await asyncio.to_thread(self.queue.first)
                if path is None:
                    await self.arrived.wait()
                elif await self._send(path):
                    await self._insist(path)
        finally:
            try:
                await asyncio.shield(asyncio.to_thread(self.queue.note))
            except OSError as error:
                log.warning("%s: how far it is cannot be noted (%s); some batches are sent again", self.destination.name, error.strerror)

    async def _insist(self, path: Path) -> None:
        """Let a sent file go as soon as the disk takes it."""
        while True:
            try:
                await asyncio.to_thread(self.queue.finished, path)
            except OSError as error:
                self.trouble = f"{path.name} is sent and cannot be let go: {error.strerror or error}"
                await asyncio.sleep(self._pace.most / 10)
            else:
                return

    async def _send(self, path: Path) -> bool:
        """Send a file's records from the cursor on. False when the file was rewritten or dropped meanwhile."""
        generation = self.queue.generation
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._back_off(Answer(Verdict.BUSY, f"{path.name} cannot be read: {error.strerror or error}"), self._failures)
            await asyncio.sleep(self._wait)
            return False
        self._sent.clear()
        slots = asyncio.Semaphore(self._pace.in_flight)
        whole = 0
        async with asyncio.TaskGroup() as group:
            for index, (_, end, record) in enumerate(records.read(data)):
                whole = end
                if index < self.queue.done:
                    continue
                await slots.acquire()
                if self.queue.generation != generation:
                    return False
                group.create_task(self._deliver(path, index, record, generation)).add_done_callback(lambda _: slots.release())
        if self.queue.generation != generation:
            return False
        if whole < len(data):
            self._counters.add("sojourn_forward_dropped_items", 1, destination=self.destination.name, reason="damaged")
            log.error("%s: %s is damaged after byte %d; what stood there is not forwarded", self.destination.name, path.name, whole)
        return True

    async def _deliver(self, path: Path, index: int, record: Record, generation: int) -> None:
        signal = signal_of(path)
        body, items = await self._sifted(signal, record)
        batch = self._batch(signal, record)
        while self.queue.generation == generation:
            if not body:
                break
            if self._failures:
                # In trouble one batch tries for all, and the wait is the destination's, so that no herd comes back at once.
                async with self._turn:
                    if self._failures:
                        await asyncio.sleep(self._wait)
                    done = self.queue.generation == generation and await self._attempt(path, index, record, body, items, batch)
            else:
                done = await self._attempt(path, index, record, body, items, batch)
            if done:
                break
        else:
            return
        await self._advance(index, generation)

    async def _sifted(self, signal: Signal, record: Record) -> tuple[bytes, int]:
        if self._keep is None or not record.body:
            return record.body, record.items
        try:
            body, stay, gone = await asyncio.to_thread(sift, signal, record.body, self._keep)
        except DecodeError:
            return record.body, record.items  # it was accepted, so it is one; the destination may judge
        if gone:
            self._counters.add("sojourn_forward_filtered_items", gone, destination=self.destination.name, signal=signal)
        return body, stay

    def _batch(self, signal: Signal, record: Record) -> str:
        """The batch's id at this destination: the same for ever for the same batch, body and filter."""
        first = record.batch or str(record.received)
        return hops.forwarded(record.batch, self._own, record.credential, signal, first, record.digest.hex(), self._filter)

    async def _attempt(self, path: Path, index: int, record: Record, body: bytes, items: int, batch: str) -> bool:
        """One try. True when the batch needs no more."""
        failures, signal, name = self._failures, signal_of(path), self.destination.name
        if len(hops.hops(record.batch)) >= hops.MOST:
            answer = Answer(Verdict.DEAD, f"it came through {hops.MOST} collectors that forward to each other; look at forward: of each")
        else:
            try:
                if self._headers is None:
                    self._headers = await asyncio.to_thread(self._read_headers)
            except HeadersError as error:
                answer = Answer(Verdict.HELD, str(error))
            else:
                self._counters.add("sojourn_forward_tries", destination=name)
                answer = await self._outlet.post(signal, body, batch, self._headers, self._clock())
        if answer.verdict is Verdict.DEAD:
            try:
                await asyncio.to_thread(self.queue.set_aside, path, index, record, answer.text, self._clock())
            except OSError as error:
                self._back_off(Answer(Verdict.BUSY, f"what it refuses cannot be set aside: {error.strerror or error}"), failures)
                return False
            self._counters.add("sojourn_forward_set_aside", destination=name, signal=signal)
            log.error("%s: a batch of %s is set aside: %s", name, signal, answer.text)
        elif answer.verdict is not Verdict.DELIVERED:
            self._back_off(answer, failures)
            return False
        else:
            self._counters.add("sojourn_forward_delivered_items", items - min(answer.refused, items), destination=name, signal=signal)
            if answer.refused or answer.text:
                self._counters.add("sojourn_forward_refused_items", answer.refused, destination=name, signal=signal)
                log.warning("%s refused %d items of a batch of %s: %s", name, answer.refused, signal, answer.text)
        if self._failures:
            log.info("%s takes batches again", name)
        self._failures, self.alarm, self.trouble = 0, "", ""
        return True

    def _back_off(self, answer: Answer, failures: int) -> None:
        """One failure more than the `failures` there were when the try began: those out at the same time are one failure, not several."""
        self._failures = failures + 1
        self._wait = min(self._pace.most, self._pace.first * 2 ** min(self._failures - 1, 30)) * (0.5 + self._draw() / 2)
        if answer.wait is not None:
            self._wait = max(self._wait, min(answer.wait, _MOST_RETRY_AFTER))
        alarm, trouble = ("", answer.text) if answer.verdict is Verdict.BUSY else (answer.text, "")
        if (bool(alarm), bool(trouble)) != (bool(self.alarm), bool(self.trouble)):
            log.log(logging.ERROR if alarm else logging.WARNING, "%s: %s; everything is kept and sent later", self.destination.name, answer.text)
        self.alarm, self.trouble = alarm, trouble
        if alarm:
            self._headers = None

    async def _advance(self, index: int, generation: int) -> None:
        """A record needs no more: move the cursor over all that are done without a gap, and note it now and then."""
        async with self._noting:
            if self.queue.generation != generation:
                return
            self._sent.add(index)
            while self.queue.done in self._sent:
                self._sent.remove(self.queue.done)
                self.queue.done += 1
            now = time.monotonic()
            if now - self._noted < NOTED_EVERY:
                return
            self._noted = now
            try:
                await asyncio.to_thread(self.queue.note)
            except OSError as error:
                log.warning("%s: how far it is cannot be noted (%s); after a crash some batches are sent again", self.destination.name, error.strerror)
