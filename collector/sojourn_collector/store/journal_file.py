"""One file of the journal, and how files and folders are made durable."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record

SIGNALS: tuple[Signal, ...] = get_args(Signal)


@dataclass(slots=True)
class JournalFile:
    """One file of the journal."""

    seq: int
    signal: Signal
    path: Path
    size: int = 0
    items: int = 0
    opened: float = 0.0
    records: list[Record] = field(default_factory=list)
    """What the ledger needs of each record; the bodies are left out once they are on disk."""
    leftover: bool = False
    """Whether it was found at the start: a load of it may have been interrupted."""
    descriptor: int = -1
    doubtful: bool = False
    """Whether it may be in the tables under another token: the journal's name was lost."""
    spoiled: bool = False
    """Whether bytes of a refused group may stand behind `size`: nothing more is appended, and `cut` is due before it is loaded."""


def without_body(record: Record) -> Record:
    """What is remembered of a record once it is on disk."""
    return Record(record.tenant, record.batch, record.received, record.credential, record.digest, record.items, b"")


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file so that either the old or the new content is there after a power cut."""
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
    sync_folder(path.parent)
