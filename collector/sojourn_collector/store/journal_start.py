"""What a start finds in the journal's folder: torn ends are cut, damaged records are left out and put aside, missing files are missed.

`journal.json` names the journal and says how far it was loaded: `{id, last_seq, loaded_seq, done}`; the first version had no `loaded_seq` and `done`.
"""

import json
import os
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sojourn_collector.store import record as records
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.journal_file import SIGNALS, JournalFile, without_body, write_durably
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.numbering import first_of, node_of
from sojourn_collector.store.record import Record

NOTE = "journal.json"


@dataclass(frozen=True, slots=True)
class Note:
    """The journal's name, the highest number given, up to where everything is loaded, and what beyond that is loaded too."""

    id: str
    last_seq: int = 0
    loaded_seq: int | None = None
    """None where it is not known."""
    done: Collection[int] = ()

    def write(self, folder: Path) -> None:
        """Put it into `folder`, durably. Raises OSError."""
        known = {} if self.loaded_seq is None else {"loaded_seq": self.loaded_seq}
        write_durably(folder / NOTE, json.dumps({"id": self.id, "last_seq": self.last_seq, "done": sorted(self.done), **known}).encode())

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What is noted. Raises OSError, ValueError when it is damaged."""
        try:
            noted = dict(json.loads((folder / NOTE).read_text()))
            loaded = noted.get("loaded_seq")
            return cls(str(noted["id"]), int(noted["last_seq"]), None if loaded is None else int(loaded), [int(seq) for seq in noted.get("done", ())])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{NOTE} is not what it should be") from error


@dataclass(slots=True)
class Start:
    """What there is."""

    id: str
    last_seq: int
    files: list[JournalFile] = field(default_factory=list)


def recover(folder: Path, damaged: Damaged) -> Start:
    """Read the folder, made when needed. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    numbered: list[tuple[int, Signal, Path]] = []
    for path in sorted(folder.glob("*.pb")):
        name, _, kind = path.name.removesuffix(".pb").partition(".")
        signal: Signal | None = next((one for one in SIGNALS if one == kind), None)
        if name.isdigit() and signal is not None:
            numbered.append((int(name), signal, path))
    there = {seq for seq, _, _ in numbered}
    note, renamed = _noted(folder, damaged, max(there, default=0))
    _say_missing(note, there, damaged)
    start = Start(note.id, max([note.last_seq, *there]))
    seen: set[Record] = set()
    empty: list[JournalFile] = []
    for seq, signal, path in numbered:
        file = _read(path, seq, signal, seen, note.id, damaged)
        file.doubtful |= renamed
        (start.files if file.size else empty).append(file)
    if empty:
        # Noted before they go, so that nobody misses them at the next start.
        done = {*note.done, *(file.seq for file in empty)}
        Note(note.id, start.last_seq, note.loaded_seq, done).write(folder)
        for file in empty:
            file.path.unlink()
    return start


def _noted(folder: Path, damaged: Damaged, highest: int) -> tuple[Note, bool]:
    """What is noted, and whether files there are may have been loaded under another name."""
    try:
        return Note.read(folder), False
    except FileNotFoundError:
        pass  # a new journal, or all of its folder was lost
    except ValueError:
        damaged.keep(f"{uuid.uuid4().hex[:8]}-{NOTE}", f"{NOTE} of the journal was damaged and was made anew; nothing is lost by it.", folder / NOTE)
    # A new journal gets a new name: tokens of an older one with the same numbers must not swallow its files.
    note = Note(uuid.uuid4().hex[:12], highest)
    note.write(folder)
    return note, highest > 0


def _say_missing(note: Note, there: Collection[int], damaged: Damaged) -> None:
    if note.loaded_seq is None:
        return
    last = max([note.last_seq, *there])
    # A collector that became one of several counts on from its node's first number.
    before = max(note.loaded_seq, first_of(node_of(last)))
    known = {*there, *note.done}
    for seq in range(before + 1, last + 1):
        if seq not in known:
            damaged.keep(
                f"{note.id}-{seq:016}.missing", f"Journal file {seq} was not loaded and is gone; what it held is lost unless its senders still have it."
            )


def _read(path: Path, seq: int, signal: Signal, seen: set[Record], name: str, damaged: Damaged) -> JournalFile:
    """A file of an earlier start. A torn end is cut off; of a damaged file the whole records go on, and the file as it was is put aside.

    `seen` are the records of earlier files: one that is there again byte for byte is no new one.
    """
    data = path.read_bytes()
    file = JournalFile(seq, signal, path, leftover=True)
    whole: list[bytes] = []
    lost = again = 0
    for start, end, record in records.survey(data):
        if record is None:
            # Bytes of a write that did not end were never acknowledged: their fsync did not come back.
            lost += 0 if end == len(data) and records.torn(data, start) else 1
            continue
        short = without_body(record)
        if short in seen:
            again += 1
            continue
        seen.add(short)
        whole.append(data[start:end])
        file.size, file.items = file.size + end - start, file.items + record.items
        file.records.append(short)
    if lost or again:
        said = [f"{lost} of its records could not be read" if lost else "", f"{again} were there twice" if again else ""]
        damaged.keep(f"{name}-{path.name}", f"Journal file {path.name} was damaged: {' and '.join(filter(None, said))}; {len(whole)} were kept.", path)
        write_durably(path, b"".join(whole))
        # Its token, or those of its parts, stand for what it held before.
        file.doubtful = True
    elif file.size < len(data):
        os.truncate(path, file.size)
    return file
