"""The folder of segment files under the spool: append with fsync, read in order, drop the oldest.

A segment is named by the sequence number of its first record and never written again once another has begun. A process begins its own
segment, so only the last one found at the start can have a torn tail. Plain blocking code: `Spool` calls it from a thread.
"""

import itertools
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sojourn_agent.spool_record import Record, scan

SEGMENT_BYTES: Final = 8 << 20
_WINDOW: Final = 2 << 20  # read beyond what was asked for, so that the last record is whole


@dataclass(slots=True)
class Segment:
    """One file: the numbers of its first record and of the one after its last, its sound bytes, when its first and last record were made."""

    path: Path
    first_seq: int
    next_seq: int
    size: int
    oldest_ms: int
    newest_ms: int


@dataclass(slots=True)
class ReadPoint:
    """Where a reader stands: the next record it wants, and the offset in the segment it last read from."""

    seq: int
    segment: int = -1
    offset: int = 0


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Segments:
    """All segments, oldest first. `next_seq` is the number the next record gets; `cut_bytes` what a torn tail cost at the start."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES, *, at_least_seq: int = 0) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._writing: int | None = None
        self._segments: list[Segment] = []
        self.cut_bytes = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._load()
        last = self._segments[-1].next_seq if self._segments else 0
        self.next_seq = max(last, at_least_seq)

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        with self._lock:
            return sum(segment.size for segment in self._segments)

    @property
    def first_seq(self) -> int:
        """The oldest record still there; `next_seq` when there is none."""
        with self._lock:
            return self._segments[0].first_seq if self._segments else self.next_seq

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest record still there was made."""
        with self._lock:
            return self._segments[0].oldest_ms if self._segments else None

    def append(self, records: Sequence[Record]) -> None:
        """Write `records`, numbered from `next_seq`, and fsync once. Raises OSError, and then none of them is in the spool."""
        if self._writing is None or self._segments[-1].size >= self._segment_bytes:
            self._begin(records[0])
        assert self._writing is not None
        segment = self._segments[-1]
        data = b"".join(record.encode() for record in records)
        try:
            _write_all(self._writing, data, segment.size)
            os.fsync(self._writing)
        except OSError:
            # After a failed write or fsync nobody knows what of the file is on disk: leave it as far as it was known good and begin another.
            self.seal()
            raise
        with self._lock:
            segment.size += len(data)
            segment.next_seq = self.next_seq = records[-1].seq + 1
            segment.newest_ms = records[-1].created_ms

    def seal(self) -> None:
        """End the segment being written; the next record begins another."""
        if self._writing is None:
            return
        writing, self._writing = self._writing, None
        segment = self._segments[-1]
        try:
            if os.fstat(writing).st_size != segment.size:
                os.ftruncate(writing, segment.size)
        finally:
            os.close(writing)
            if not segment.size:
                with self._lock:
                    self._segments.pop()
                segment.path.unlink(missing_ok=True)

    def seal_older_than(self, ms: int) -> None:
        """End the segment being written when its first record was made before `ms` (since the epoch)."""
        if self._writing is not None and self._segments[-1].oldest_ms < ms:
            self.seal()

    def drop_finished(self, seq: int) -> None:
        """Remove the sealed segments that lie wholly before `seq`."""
        while self._segments and self._segments[0].next_seq <= seq and not self._is_writing(self._segments[0]):
            self._remove_first()

    def drop_older_than(self, ms: int) -> None:
        """Remove the sealed segments whose last record was made before `ms` (since the epoch)."""
        while self._segments and self._segments[0].newest_ms < ms and not self._is_writing(self._segments[0]):
            self._remove_first()

    def make_room(self, coming: int, most: int) -> None:
        """Remove the oldest segments until `coming` more bytes fit into `most`."""
        while self._segments and self.size + coming > most:
            if self._is_writing(self._segments[0]):
                self.seal()
            self._remove_first()

    def read(self, point: ReadPoint, most_records: int, most_bytes: int) -> list[Record | int]:
        """The next records from `point` on, which is moved; a number stands for a record that is damaged or gone."""
        found: list[Record | int] = []
        size = 0
        while len(found) < most_records and size < most_bytes:
            segment = self._holding(point.seq)
            if segment is None:
                break
            found.extend(range(point.seq, segment.first_seq))
            point.seq = max(point.seq, segment.first_seq)
            if point.segment != segment.first_seq:
                point.segment, point.offset = segment.first_seq, 0
            try:
                met = self._read_segment(segment, point, most_records - len(found), most_bytes - size)
            except FileNotFoundError:  # dropped in this moment; the cursor has been moved
                break
            found.extend(met)
            size += sum(record.size for record in met if isinstance(record, Record))
        return found

    def _read_segment(self, segment: Segment, point: ReadPoint, most_records: int, most_bytes: int) -> list[Record | int]:
        found: list[Record | int] = []
        next_seq, end = segment.next_seq, segment.size
        window = most_bytes + _WINDOW
        while not found and point.seq < next_seq:
            with segment.path.open("rb") as file:
                file.seek(point.offset)
                data = file.read(min(window, end - point.offset))
            offset = size = 0
            for met in scan(data):
                if met.seq >= next_seq or len(found) >= most_records or size >= most_bytes:
                    break
                if met.seq >= point.seq:
                    found.extend(range(point.seq, met.seq))
                    found.append(met.seq if met.record is None else met.record)
                    size += met.end - offset
                    point.seq = met.seq + 1
                offset = met.end
            else:
                if point.offset + len(data) >= end and len(found) < most_records:
                    # The segment is read to its end: what is missing before the next one is damaged.
                    found.extend(range(point.seq, next_seq))
                    point.seq = next_seq
            point.offset += offset
            window *= 2
        return found

    def _holding(self, seq: int) -> Segment | None:
        with self._lock:
            return next((segment for segment in self._segments if seq < segment.next_seq), None)

    def _is_writing(self, segment: Segment) -> bool:
        return self._writing is not None and segment is self._segments[-1]

    def _remove_first(self) -> None:
        with self._lock:
            segment = self._segments.pop(0)
        segment.path.unlink(missing_ok=True)

    def _begin(self, first: Record) -> None:
        self.seal()
        path = self._folder / f"{self.next_seq:016x}.seg"
        self._writing = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with self._lock:
            self._segments.append(Segment(path, self.next_seq, self.next_seq, 0, first.created_ms, first.created_ms))
        try:
            sync_folder(self._folder)
        except OSError:
            self.seal()
            raise

    def _load(self) -> None:
        paths = sorted(path for path in self._folder.glob("*.seg") if _seq_of(path) is not None)
        for path, following in itertools.zip_longest(paths, paths[1:]):
            first = _seq_of(path)
            assert first is not None
            if following is None:
                self._load_last(path, first)
                continue
            stat = path.stat()
            changed = int(stat.st_mtime * 1000)
            self._segments.append(Segment(path, first, _seq_of(following) or first, stat.st_size, changed, changed))

    def _load_last(self, path: Path, first: int) -> None:
        data = path.read_bytes()
        found = list(scan(data))
        if not found:
            self.cut_bytes += len(data)
            path.unlink()
            return
        size = found[-1].end
        if size < len(data):
            self.cut_bytes += len(data) - size
            with path.open("r+b") as file:
                file.truncate(size)
                os.fsync(file.fileno())
        self._segments.append(Segment(path, first, found[-1].seq + 1, size, found[0].created_ms, found[-1].created_ms))


def _seq_of(path: Path) -> int | None:
    try:
        return int(path.stem, 16)
    except ValueError:
        return None


def _write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
