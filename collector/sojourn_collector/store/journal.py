"""The journal: accepted requests on disk before anybody hears 200. It is the truth; ledger and tables follow from it.

One file is open per signal, named `<seq>.<signal>.pb`; `seq` rises without gaps over all signals. Waiting requests share one write and one fsync.
A file is closed when it is large, or when it is a little old and the loader has time; closed files are loaded in the order of `seq` and then removed.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sojourn_collector.store import record as records
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.journal_file import SIGNALS as SIGNALS
from sojourn_collector.store.journal_file import JournalFile as JournalFile
from sojourn_collector.store.journal_file import sync_folder as sync_folder
from sojourn_collector.store.journal_file import without_body
from sojourn_collector.store.journal_file import write_durably as write_durably
from sojourn_collector.store.journal_start import Note, recover
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record

LARGEST_BYTES = 32 << 20
LARGEST_ITEMS = 100_000
LINGER = 0.2
"""Seconds a file stays open at least for others to join, while the loader has nothing to do."""
CHEAP_LOAD = 0.05
"""Seconds; after a load that took a multiple of this, files stay open for that multiple of the usual."""
LONGEST_LINGER = 5.0
"""The largest such multiple: a second in all."""


class JournalUnavailableError(Exception):
    """The request could not be put on disk; nothing of it is kept. The text says why."""


@dataclass(slots=True)
class _Waiting:
    signal: Signal
    record: Record
    done: asyncio.Future[int]


class Journal:
    """Appends records and hands out files to load."""

    def __init__(
        self,
        folder: Path,
        *,
        limit: int = 4 << 30,
        file_bytes: int = LARGEST_BYTES,
        linger: float = LINGER,
        sync: Callable[[int], None] = os.fdatasync,
        clock: Callable[[], float] = time.monotonic,
        damaged: Damaged | None = None,
    ) -> None:
        """`limit` bytes may wait for the loader; a file is closed at `file_bytes`; `sync` makes a descriptor's data durable;
        `damaged` is where damaged files are put aside, by default beside the folder."""
        self._folder = folder
        self._damaged = damaged or Damaged(folder.parent / "damaged")
        self._file_bytes = file_bytes
        self._sync = sync
        self._limit = limit
        self._linger = linger
        self._clock = clock
        self._handed: float | None = None
        """When the last file was given to the loader."""
        self._open: dict[Signal, JournalFile] = {}
        self._closed: list[JournalFile] = []
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._appended = asyncio.Event()
        self._disk = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._resolved: set[int] = set()
        self.id = ""
        self.loaded_seq = 0
        self.last_seq = 0
        self.waiting_bytes = 0
        self.on_closed: Callable[[JournalFile], None] = lambda _: None
        """Told of each file as soon as nothing more is appended to it."""
        self.before_retired: Callable[[JournalFile], None] = lambda _: None
        """Called in a thread before a loaded file is removed; what it raises keeps the file, and `resolve` is to be called again."""

    async def open(self, highest_known: int = 0) -> list[JournalFile]:
        """Read what is there, cut torn tails, start the writer. Returns the files not loaded yet.

        `highest_known` is the highest sequence number anybody else has seen; it only matters when the journal's folder was lost.
        """
        start = await asyncio.to_thread(recover, self._folder, self._damaged)
        files, self.id = start.files, start.id
        self.last_seq = max(start.last_seq, highest_known)
        there = {file.seq for file in files}
        # Between the oldest waiting file and the newest number every number without a file is done.
        self.loaded_seq = min(there) - 1 if there else self.last_seq
        self._resolved = {seq for seq in range(self.loaded_seq + 1, self.last_seq + 1) if seq not in there}
        if self.last_seq > start.last_seq:
            # The numbers between were another folder's: nobody shall miss their files.
            await asyncio.to_thread(Note(self.id, self.last_seq, self.loaded_seq, self._resolved).write, self._folder)
        self._closed = list(files)
        self.waiting_bytes = sum(file.size for file in files)
        self._task = asyncio.create_task(self._write_forever(), name="journal")
        return files

    async def close(self) -> None:
        """Write what waits, then stop. Files stay for the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._flush()
        for file in self._open.values():
            os.close(file.descriptor)
        self._open.clear()

    # --- Appending ---------------------------------------------------------------------------------------------------

    async def append(self, signal: Signal, record: Record) -> int:
        """Put a record on disk; returns its file's sequence number once it is fsynced. Raises JournalUnavailableError."""
        if self.waiting_bytes > self._limit:
            raise JournalUnavailableError("the journal is full because the engine is behind")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(signal, record, done))
        self._wake.set()
        return await done

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            # A cancelled writer still finishes the write that has begun, so that no file changes behind close()'s back.
            await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        async with self._disk:
            group, self._waiting = self._waiting, []
            if not group:
                return
            try:
                for signal in SIGNALS:
                    of_signal = [one for one in group if one.signal == signal]
                    while of_signal:
                        of_signal = of_signal[await self._write_some(signal, of_signal) :]
            finally:
                for one in group:
                    if not one.done.done():  # an error of ours; nobody may wait for ever
                        one.done.set_exception(JournalUnavailableError("the journal failed"))
            self._appended.set()

    async def _write_some(self, signal: Signal, group: list[_Waiting]) -> int:
        """Write as many records as the open file takes; returns how many."""
        file = self._open.get(signal)
        chunk: list[bytes] = []
        size, items = (file.size, file.items) if file else (0, 0)
        for one in group:
            data = one.record.encode()
            if (size or chunk) and (size + len(data) > self._file_bytes or items + one.record.items > LARGEST_ITEMS):
                break
            chunk.append(data)
            size, items = size + len(data), items + one.record.items
        if not chunk:
            self._close_file(signal)
            return 0
        taken = group[: len(chunk)]
        try:
            if file is None:
                file = await asyncio.to_thread(self._create, signal)
            await asyncio.to_thread(self._write_and_sync, file, b"".join(chunk))
        except OSError as error:
            if file is not None and file.spoiled:
                self._close_file(signal)
            for one in taken:
                if not one.done.done():
                    one.done.set_exception(JournalUnavailableError(f"the disk does not take it ({error.strerror})"))
            return len(taken)
        self.waiting_bytes += size - file.size
        file.size, file.items = size, items
        for one in taken:
            file.records.append(without_body(one.record))
            if not one.done.done():
                one.done.set_result(file.seq)
        if size >= self._file_bytes or items >= LARGEST_ITEMS:
            self._close_file(signal)
        return len(taken)

    def _write_and_sync(self, file: JournalFile, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file.descriptor, view) :]
            self._sync(file.descriptor)
        except OSError:
            # Nothing of a failed group may stay: its senders will come again.
            file.spoiled = True
            os.ftruncate(file.descriptor, file.size)
            os.lseek(file.descriptor, file.size, os.SEEK_SET)
            file.spoiled = False
            raise

    def _create(self, signal: Signal) -> JournalFile:
        seq = self.last_seq + 1
        path = self._folder / f"{seq:016}.{signal}.pb"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            sync_folder(self._folder)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self.last_seq = seq
        file = JournalFile(seq, signal, path, opened=self._clock(), descriptor=descriptor)
        self._open[signal] = file
        return file

    def _close_file(self, signal: Signal) -> None:
        file = self._open.pop(signal)
        os.close(file.descriptor)
        file.descriptor = -1
        self._closed.append(file)
        self._closed.sort(key=lambda one: one.seq)
        self.on_closed(file)

    def waiting(self) -> list[tuple[Path, int]]:
        """The files not loaded yet, each with the bytes that were acknowledged, in the order of their numbers."""
        files = sorted([*self._closed, *self._open.values()], key=lambda file: file.seq)
        return [(file.path, file.size) for file in files if file.size]

    # --- Loading -----------------------------------------------------------------------------------------------------

    async def next_file(self) -> JournalFile:
        """The oldest closed file, waiting for one; when none waits, open files that are old enough are closed for it.

        A load costs mostly the same however little it brings. So files wait for longer where the last one took long, and the engine rests most of the time.
        """
        now = self._clock()
        took = 0.0 if self._handed is None else now - self._handed
        linger = self._linger * min(max(took / CHEAP_LOAD, 1.0), LONGEST_LINGER)
        file = await self._next_file(linger)
        self._handed = self._clock()
        return file

    async def _next_file(self, linger: float) -> JournalFile:
        while True:
            self._appended.clear()
            async with self._disk:
                now = self._clock()
                # While the loader is behind, open files grow on instead of becoming ever more small ones; only one older than all that
                # wait is not left behind, for what is loaded counts without gaps.
                oldest = self._closed[0].seq if self._closed else None
                for signal, file in list(self._open.items()):
                    if file.size and now - file.opened >= linger and (oldest is None or file.seq < oldest):
                        self._close_file(signal)
                if self._closed:
                    return self._closed[0]
                ages = [now - file.opened for file in self._open.values() if file.size]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(linger - max(ages), 0.005) if ages else None):
                    await self._appended.wait()

    async def close_aged(self, seconds: float) -> None:
        """Close open files that are this old, whoever waits for them."""
        async with self._disk:
            for signal, file in list(self._open.items()):
                if file.size and self._clock() - file.opened >= seconds:
                    self._close_file(signal)
            self._appended.set()

    @property
    def closed(self) -> tuple[JournalFile, ...]:
        """Files that wait for the loader, oldest first."""
        return tuple(self._closed)

    @property
    def oldest_received(self) -> int | None:
        """When the oldest request that waits for the loader was accepted, in nanoseconds since 1970."""
        return min((file.records[0].received for file in (*self._closed, *self._open.values()) if file.records), default=None)

    async def cut(self, file: JournalFile) -> None:
        """Take off what a refused group left behind a spoiled file. Raises OSError while the disk does not let it."""
        if file.spoiled:
            await asyncio.to_thread(os.truncate, file.path, file.size)
            file.spoiled = False

    async def leave_out(self, file: JournalFile, theirs: Callable[[Record], bool]) -> list[Record]:
        """Take the records out of a closed file that are not to be loaded from here; returns them. Raises OSError while the disk does not take it."""
        out = [one for one in file.records if theirs(one)]
        if out:
            left = await asyncio.to_thread(_rewrite, file.path, theirs)
            self.waiting_bytes -= file.size - left
            file.size, file.items = left, file.items - sum(one.items for one in out)
            file.records = [one for one in file.records if not theirs(one)]
        return out

    async def resolve(self, file: JournalFile) -> None:
        """A file is in the tables and its batches are in the ledger: note it, then remove it.

        Raises OSError when the disk does not take the note; then nothing has changed, and it is to be called again.
        """
        loaded_seq, resolved = self.loaded_seq, self._resolved | {file.seq}
        while loaded_seq + 1 in resolved:
            loaded_seq += 1
            resolved.remove(loaded_seq)
        await asyncio.to_thread(self._forget, file, self.last_seq, loaded_seq, resolved)
        self._closed.remove(file)
        self.loaded_seq, self._resolved = loaded_seq, resolved
        self.waiting_bytes -= file.size

    def _forget(self, file: JournalFile, last_seq: int, loaded_seq: int, resolved: set[int]) -> None:
        self.before_retired(file)
        # Numbers are never given twice, also when no file is left to tell the highest; and a file that is gone otherwise is missed at the next start.
        Note(self.id, last_seq, loaded_seq, resolved).write(self._folder)
        file.path.unlink(missing_ok=True)


def _rewrite(path: Path, theirs: Callable[[Record], bool]) -> int:
    """Write a file anew without some records; its new size."""
    data = path.read_bytes()
    kept = b"".join(data[start:end] for start, end, record in records.read(data) if not theirs(record))
    write_durably(path, kept)
    return len(kept)
