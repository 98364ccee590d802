"""Batches a destination will never take (400, 409, 413, 415, 422): kept apart, one file each, so that somebody can look and nothing is held up.

A file is one line of JSON that says what and why, then the gzipped OTLP body.
"""

import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sojourn_agent.spool_record import Record
from sojourn_agent.spool_segments import sync_folder

SUFFIX: Final = ".letter"
_MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One batch given up for one destination. `at` is RFC 3339, `status` the HTTP status of the refusal, `size` the bytes of the gzipped body."""

    batch: str
    signal: str
    destination: str
    status: int
    reason: str
    at: str
    size: int


class DeadLetters:
    """The folder of dead letters. Beyond `max_bytes` or `max_age` (seconds) the oldest go, counted in `dropped`."""

    def __init__(self, folder: Path, *, max_bytes: int = 64 << 20, max_age: float = 14 * 86400.0) -> None:
        self.folder = folder
        self.dropped = 0
        self._max_bytes = max_bytes
        self._max_age = max_age

    def put(self, record: Record, destination: str, status: int, reason: str, now: float) -> None:
        """Keep `record`, durably. `now` is in seconds since the epoch. Raises OSError."""
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        letter = DeadLetter(str(record.batch), record.signal, destination, status, reason[:_MAX_REASON], at, len(record.body))
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{record.batch}.{re.sub(r'[^A-Za-z0-9_.-]', '_', destination)}{SUFFIX}"
        unfinished = path.with_suffix(".part")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(json.dumps(asdict(letter)).encode() + b"\n" + record.body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(self.folder)
        self._bound(now)

    def all(self) -> Iterator[DeadLetter]:
        """Every dead letter, oldest first; a file that is none is passed over."""
        for path in self._paths():
            with contextlib.suppress(OSError, ValueError, TypeError), path.open("rb") as file:
                yield DeadLetter(**json.loads(file.readline(1 << 16)))

    def count(self) -> int:
        """How many there are."""
        return len(self._paths())

    def _paths(self) -> list[Path]:
        # A batch id begins with its time: by name is by age.
        return sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []

    def _bound(self, now: float) -> None:
        kept = 0
        for path in reversed(self._paths()):
            stat = path.stat()
            kept += stat.st_size
            if kept > self._max_bytes or stat.st_mtime < now - self._max_age:
                path.unlink(missing_ok=True)
                self.dropped += 1
