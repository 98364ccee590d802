"""The spool: everything the agent has to say lies here, fsynced, until every destination has it.

A batch is one OTLP request body of one signal. Its id (UUIDv7) is fixed here before the first try and the body is kept as it will
be sent (gzip), so that a batch is never cut anew. Appends that come together share one fsync.
"""

import asyncio
import fcntl
import gzip
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from sojourn_agent.spool_cursor import Cursor
from sojourn_agent.spool_record import SIGNALS, Record, Signal
from sojourn_agent.spool_segments import SEGMENT_BYTES, ReadPoint, Segments, sync_folder
from sojourn_probes.errors import SojournError
from sojourn_probes.ids import new_run_id

__all__ = ["MAX_BODY", "SIGNALS", "Signal", "Spool", "SpoolInUse", "SpoolReader", "SpoolUnavailable", "SpoolWriter"]

MAX_BODY: Final = 1 << 20
"""The largest request body, in bytes before compression, that one batch may have."""

_MAX_PENDING: Final = 32 << 20
_HOUR: Final = 3600.0

log = logging.getLogger(__name__)


class SpoolUnavailable(SojournError):  # noqa: N818 - says what is the matter
    """The spool cannot take this batch now (disk full, disk broken, too much waiting). Nothing of it was kept; try again later."""


class SpoolInUse(SojournError):  # noqa: N818 - says what is the matter
    """Another process has the spool open."""


class SpoolWriter(Protocol):
    """Where batches go. What ships as `Spool` and, for tests, as `MemorySpool`."""

    async def append(self, signal: Signal, body: bytes) -> str:
        """Keep `body`, an encoded OTLP request of `signal` of at most `MAX_BODY` bytes, and return its batch id once it is on disk.

        Raises `SpoolUnavailable` when it could not be kept, ValueError when it is too large."""
        ...


@dataclass(slots=True)
class SpoolCounts:
    """What happened since this process opened the spool. `dropped` counts batch and destination: one batch given up for two counts twice."""

    appended: int = 0
    refused: int = 0
    dropped_for_room: int = 0
    dropped_for_age: int = 0
    damaged: int = 0
    cut_bytes: int = 0


@dataclass(slots=True)
class _Pending:
    batch: uuid.UUID
    created_ms: int
    signal: Signal
    body: bytes
    stored: asyncio.Future[None]


class Spool:
    """The spool under `folder` for the named `destinations`. An async context manager; one process at a time (`SpoolInUse`).

    `max_bytes` bounds the segments on disk and `max_age` (seconds) their age; beyond either the oldest segment goes first, counted.
    `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        folder: Path,
        destinations: Sequence[str],
        *,
        max_bytes: int = 1 << 30,
        max_age: float = 14 * 24 * _HOUR,
        clock: Callable[[], float] = time.time,
        segment_bytes: int | None = None,
    ) -> None:
        self.folder = folder
        self.counts = SpoolCounts()
        self._destinations = tuple(destinations)
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._clock = clock
        self._segment_bytes = segment_bytes or min(SEGMENT_BYTES, max(max_bytes // 8, 64 << 10))
        self._pending: list[_Pending] = []
        self._pending_bytes = 0
        self._appended = asyncio.Event()
        self._grown = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._lock_file = -1
        self._segments: Segments
        self._cursors: dict[str, Cursor] = {}

    async def __aenter__(self) -> Self:
        try:
            await self._in_thread(self._open)
        except BaseException:
            self._thread.shutdown()
            raise
        self._tasks = [asyncio.create_task(self._commit_forever(), name="spool commit"), asyncio.create_task(self._keep_house(), name="spool housekeeping")]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        self._appended.set()
        committing, housekeeping = self._tasks
        await asyncio.gather(committing, return_exceptions=True)
        housekeeping.cancel()
        await asyncio.gather(housekeeping, return_exceptions=True)
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def append(self, signal: Signal, body: bytes) -> str:
        """Keep `body` and return its batch id once it is on disk; see `SpoolWriter`."""
        if len(body) > MAX_BODY:
            raise ValueError(f"a batch of {len(body)} bytes is over the {MAX_BODY} a batch may have; make smaller ones")
        if self._closing or self._pending_bytes + len(body) > _MAX_PENDING:
            self.counts.refused += 1
            raise SpoolUnavailable("the spool is closing" if self._closing else "the disk is too slow for what comes in; the spool takes no more for now")
        now = self._clock()
        batch = uuid.UUID(new_run_id(now))
        pending = _Pending(batch, int(now * 1000), signal, body, asyncio.get_running_loop().create_future())
        self._pending.append(pending)
        self._pending_bytes += len(body)
        self._appended.set()
        await pending.stored
        return str(batch)

    def reader(self, destination: str) -> "SpoolReader":
        """What still has to go to `destination`, in order."""
        return SpoolReader(self, self._cursors[destination])

    @property
    def size(self) -> int:
        """Bytes on disk that some destination still waits for."""
        return self._segments.size if any(self.waiting(name) for name in self._destinations) else 0

    @property
    def oldest_age(self) -> float:
        """Seconds since the oldest batch on disk was made; 0 when none waits."""
        oldest = self._segments.oldest_ms
        return max(0.0, self._clock() - oldest / 1000) if oldest is not None and self.size else 0.0

    def waiting(self, destination: str) -> int:
        """How many batches `destination` has not got yet."""
        cursor = self._cursors[destination]
        return max(0, self._segments.next_seq - cursor.seq - cursor.ahead)

    async def tidy(self) -> None:
        """Drop what is too old or has reached everyone, and make the cursors durable. Done every few seconds by itself."""
        await self._in_thread(self._tidy)

    async def _commit_forever(self) -> None:
        while not (self._closing and not self._pending):
            await self._appended.wait()
            self._appended.clear()
            while self._pending:
                taken, self._pending = self._pending, []
                self._pending_bytes = 0
                await self._commit(taken)

    async def _commit(self, taken: list[_Pending]) -> None:
        try:
            await self._in_thread(lambda: self._store(taken))
        except OSError as error:
            self.counts.refused += len(taken)
            log.error("the spool at %s cannot be written: %s", self.folder, error.strerror or error)
            for pending in taken:
                if not pending.stored.done():
                    pending.stored.set_exception(SpoolUnavailable(f"the spool at {self.folder} cannot be written: {error.strerror or error}"))
            return
        self.counts.appended += len(taken)
        for pending in taken:
            if not pending.stored.done():
                pending.stored.set_result(None)
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def _store(self, taken: list[_Pending]) -> None:
        first = self._segments.next_seq
        # Level 1 and no time in the header: cheap on the intake's path, and the same bytes on every try.
        records = [
            Record(seq, pending.created_ms, pending.batch, pending.signal, gzip.compress(pending.body, 1, mtime=0)) for seq, pending in enumerate(taken, first)
        ]
        self._segments.make_room(sum(record.size for record in records), self._max_bytes)
        self.counts.dropped_for_room += self._skip_dropped("is full")
        self._segments.append(records)

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = _lock(self.folder)
        cursors = self.folder / "cursors"
        cursors.mkdir(exist_ok=True, mode=0o700)
        self._cursors = {name: Cursor(cursors / f"{_file_name(name)}.cursor") for name in self._destinations}
        self._segments = Segments(self.folder / "segments", self._segment_bytes, at_least_seq=max((c.seq for c in self._cursors.values()), default=0))
        sync_folder(cursors)
        sync_folder(self.folder)
        self.counts.cut_bytes = self._segments.cut_bytes
        if self._segments.cut_bytes:
            log.warning("the spool ended in the middle of a batch that nobody was told is kept; cut %d bytes", self._segments.cut_bytes)
        for cursor in self._cursors.values():
            if cursor.new:
                cursor.skip_to(self._segments.first_seq)

    def _close(self) -> None:
        self._tidy()
        self._segments.seal()
        for cursor in self._cursors.values():
            cursor.close()
        os.close(self._lock_file)

    def _tidy(self) -> None:
        oldest_kept = int((self._clock() - self._max_age) * 1000)
        self._segments.drop_older_than(oldest_kept)
        self.counts.dropped_for_age += self._skip_dropped("holds nothing that old")
        # A segment goes as a whole: one that stayed open for long would keep old batches with it.
        self._segments.seal_older_than(int((self._clock() - min(_HOUR, self._max_age / 4)) * 1000))
        for cursor in self._cursors.values():
            cursor.sync()
        if self._cursors:
            self._segments.drop_finished(min(cursor.seq for cursor in self._cursors.values()))

    def _skip_dropped(self, why: str) -> int:
        lost = 0
        for name, cursor in self._cursors.items():
            dropped = cursor.skip_to(self._segments.first_seq)
            if dropped:
                log.error("the spool %s: dropped the oldest %d batches that %s had not got", why, dropped, name)
            lost += dropped
        return lost

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(2)
            try:
                await self.tidy()
            except OSError as error:
                log.error("the spool at %s cannot be tidied: %s", self.folder, error.strerror or error)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)


class SpoolReader:
    """Reads on from where one destination has come to. Several batches may be out at once; each is finished by its number."""

    def __init__(self, spool: Spool, cursor: Cursor) -> None:
        self._spool = spool
        self._cursor = cursor
        self._point = ReadPoint(cursor.seq)
        self._ready: list[Record] = []

    async def next(self) -> Record:
        """The next batch; waits until there is one."""
        while True:
            grown = self._spool._grown
            record = await self.next_now()
            if record is not None:
                return record
            await grown.wait()

    async def next_now(self) -> Record | None:
        """The next batch, or None when there is none now."""
        while not self._ready:
            self._point.seq = max(self._point.seq, self._cursor.seq)
            found = await asyncio.to_thread(self._spool._segments.read, self._point, 32, 1 << 20)
            if not found:
                return None
            for item in found:
                if isinstance(item, Record):
                    self._ready.append(item)
                elif self._cursor.finish(item):
                    self._spool.counts.damaged += 1
                    log.error("batch number %d in the spool is damaged and was passed over", item)
        return self._ready.pop(0)

    def finish(self, record: Record) -> None:
        """`record` needs nothing more here: delivered, or put among the dead letters."""
        self._cursor.finish(record.seq)

    def wanted(self, record: Record) -> bool:
        """False when the spool has meanwhile given `record` up."""
        return record.seq >= self._cursor.seq

    @property
    def ahead(self) -> int:
        """How many batches are finished while an earlier one is not."""
        return self._cursor.ahead


def _file_name(destination: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", destination)


def _lock(folder: Path) -> int:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise SpoolInUse(f"the spool at {folder} is in use by process {holder}; stop that agent first, one process at a time may have it open") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle
