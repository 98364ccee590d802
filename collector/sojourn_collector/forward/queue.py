"""What waits for one destination: hard links to the journal's files in a folder of its own, and how far the first of them is sent.

    <seq>.<signal>.pb     a journal file, kept by this link after the loader let it go
    <seq>.<signal>.done   sent while the loader still has the file; it must not be taken again
    cursor.json           {"since": seq, "file": name, "done": records}; files up to `since` were there before the destination was
    aside/                records the destination refused for good, each with a .json that says why

Links cost no copy but keep blocks on the disk, so their bytes are counted and bounded. Called from the event loop and from threads.
"""

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sojourn_collector.store import record as records
from sojourn_collector.store.journal import JournalFile, sync_folder, write_durably
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record

CURSOR: Final = "cursor.json"
ASIDE: Final = "aside"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One file that waits. `at` is when it was last written to, in seconds since 1970."""

    path: Path
    size: int
    at: float


class Queue:
    """The folder of one destination."""

    def __init__(self, folder: Path, journal: Path, signals: tuple[str, ...]) -> None:
        """`journal` is the journal's folder."""
        self.folder = folder
        self._journal = journal
        self._signals = frozenset(signals)
        self._lock = threading.RLock()
        self._since = 0
        self._file = ""
        self.done = 0
        """Records sent of the file the cursor names."""
        self.generation = 0
        """Grows when a waiting file was rewritten or dropped: who has read it must read it again."""

    def open(self, last_seq: int) -> None:
        """Read the cursor; a folder without one begins after `last_seq`. Raises OSError."""
        (self.folder / ASIDE).mkdir(parents=True, exist_ok=True)
        try:
            noted = json.loads((self.folder / CURSOR).read_text())
            self._since, self._file, self.done = int(noted["since"]), str(noted["file"]), int(noted["done"])
        except FileNotFoundError:
            self._since = last_seq
            self.note()
        except (ValueError, KeyError, TypeError):
            # A damaged cursor loses no file; a part of the first one may be sent twice, under its ids.
            self._since, self._file, self.done = 0, "", 0
            self.note()

    def note(self) -> None:
        """Make the cursor durable. Raises OSError."""
        with self._lock:
            write_durably(self.folder / CURSOR, json.dumps({"since": self._since, "file": self._file, "done": self.done}).encode())

    # --- In ----------------------------------------------------------------------------------------------------------

    def take(self, file: JournalFile) -> bool:
        """Keep a closed journal file, unless it is kept, sent or not wanted. Durable on return; says whether it is new. Raises OSError."""
        if file.seq <= self._since or file.signal not in self._signals or not file.size:
            return False
        with self._lock:
            target = self.folder / file.path.name
            if target.exists() or self._marker(target).exists():
                return False
            try:
                os.link(file.path, target)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
                    raise
                self._copy(file.path, target)
            sync_folder(self.folder)
        return True

    def _copy(self, source: Path, target: Path) -> None:
        """On a file system without hard links."""
        beside = target.with_suffix(".new")
        shutil.copy2(source, beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(target)

    # --- Out ---------------------------------------------------------------------------------------------------------

    def first(self) -> Path | None:
        """The oldest file that waits. One the cursor names is gone on with."""
        waiting = self.waiting()
        if not waiting:
            return None
        path = waiting[0].path
        if path.name != self._file:
            self._file, self.done = path.name, 0
        return path

    def finished(self, path: Path) -> None:
        """A file is sent: let it go for good. Raises OSError."""
        with self._lock:
            if (self._journal / path.name).exists():
                write_durably(self._marker(path), b"")
            path.unlink(missing_ok=True)
            self._file, self.done = "", 0

    def set_aside(self, path: Path, index: int, record: Record, why: str, at: float) -> None:
        """Keep what the destination refuses for good beside the others. Raises OSError."""
        target = self.folder / ASIDE / f"{path.name.split('.')[0]}-{index}.{path.name.split('.')[1]}.pb"
        write_durably(target.with_suffix(".json"), json.dumps({"at": at, "why": why, "items": record.items}).encode())
        write_durably(target, record.encode())

    def tidy(self) -> None:
        """Forget that files were sent which the journal no longer has. Raises OSError."""
        with self._lock:
            for marker in self.folder.glob("*.done"):
                if not (self._journal / marker.with_suffix(".pb").name).exists():
                    marker.unlink(missing_ok=True)

    # --- Bounds ------------------------------------------------------------------------------------------------------

    def waiting(self) -> list[Waiting]:
        """Files to be sent, oldest first."""
        return sorted(_files(self.folder), key=lambda one: one.path.name)

    def aside(self) -> list[Waiting]:
        """What was set aside, oldest first."""
        return sorted(_files(self.folder / ASIDE), key=lambda one: one.path.name)

    def drop(self, path: Path) -> int:
        """Throw a file away; returns how many items of it were not sent. Raises OSError."""
        with self._lock:
            sent = self.done if path.name == self._file else 0
            lost = sum(record.items for number, (_, _, record) in enumerate(records.read(path.read_bytes())) if number >= sent)
            if path.parent == self.folder:
                self.generation += 1
                self.finished(path)
            else:
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)
        return lost

    # --- Erasure -----------------------------------------------------------------------------------------------------

    def rewrite(self, path: Path, scrubbed: dict[int, bytes]) -> None:
        """Replace the bodies of records, by their place, in a file of this folder; none moves, an empty body is not sent. Raises OSError."""
        with self._lock:
            stat = path.stat()
            new = [
                record.encode() if number not in scrubbed else replaced(record, scrubbed[number]).encode()
                for number, (_, _, record) in enumerate(records.read(path.read_bytes()))
            ]
            write_durably(path, b"".join(new))
            os.utime(path, (stat.st_atime, stat.st_mtime))
            self.generation += 1

    @staticmethod
    def _marker(path: Path) -> Path:
        return path.with_suffix(".done")


def replaced(record: Record, body: bytes) -> Record:
    """The record with another body; one without a body has no items."""
    return Record(record.tenant, record.batch, record.received, record.credential, record.digest, record.items if body else 0, body)


def signal_of(path: Path) -> Signal:
    """The signal in a file's name."""
    word = path.name.split(".")[1]
    return "traces" if word == "traces" else "logs" if word == "logs" else "metrics"


def why_aside(path: Path) -> dict[str, Any]:
    """What is known of a record set aside: at (seconds since 1970), why, items."""
    try:
        known = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        return {"at": None, "why": "not known", "items": None}
    return {key: known.get(key) for key in ("at", "why", "items")} if isinstance(known, dict) else {"at": None, "why": "not known", "items": None}


def _files(folder: Path) -> Iterator[Waiting]:
    for path in folder.glob("*.pb"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        yield Waiting(path, stat.st_size, stat.st_mtime)
