"""How far one destination has come: a small file of two slots, written in turn, so that a torn write leaves the other one whole.

A move is written at once (it survives kill -9) and fsynced now and then: after a power loss a destination may be sent a few batches
again, under the ids they had.
"""

import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Final

_SLOT: Final = struct.Struct("<4sQQ")
_MAGIC: Final = b"SJC1"
_WHOLE: Final = _SLOT.size + 4


class Cursor:
    """Everything before `seq` is done with. Batches finished out of order are remembered until those before them are finished too."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._ahead: set[int] = set()
        self._turn, self._seq = max(_read_slots(os.pread(self._file, 2 * _WHOLE, 0)), default=(0, -1))
        self.new = self._seq < 0
        self._dirty = False

    @property
    def seq(self) -> int:
        """The first batch not finished; 0 for a destination never seen before."""
        return max(self._seq, 0)

    @property
    def ahead(self) -> int:
        """How many batches are finished while an earlier one is not."""
        return len(self._ahead)

    def finish(self, seq: int) -> bool:
        """Batch `seq` needs nothing more. False when that was known."""
        with self._lock:
            if seq < self.seq or seq in self._ahead:
                return False
            self._ahead.add(seq)
            following = self.seq
            while following in self._ahead:
                self._ahead.remove(following)
                following += 1
            self._write(following)
            return True

    def skip_to(self, seq: int) -> int:
        """Give up what lies before `seq`. Returns how many batches that left unfinished."""
        with self._lock:
            if seq <= self.seq:
                return 0
            lost = seq - self.seq - sum(1 for done in self._ahead if done < seq)
            self._ahead = {done for done in self._ahead if done >= seq}
            following = seq
            while following in self._ahead:
                self._ahead.remove(following)
                following += 1
            self._write(following)
            return lost

    def sync(self) -> None:
        """Make the last move durable."""
        with self._lock:
            if self._dirty:
                os.fsync(self._file)
                self._dirty = False

    def close(self) -> None:
        """Make the last move durable and let go of the file."""
        self.sync()
        os.close(self._file)

    def _write(self, seq: int) -> None:
        if seq == self._seq:
            return
        self._turn, self._seq = self._turn + 1, seq
        slot = _SLOT.pack(_MAGIC, self._turn, seq)
        os.pwrite(self._file, slot + zlib.crc32(slot).to_bytes(4, "little"), self._turn % 2 * _WHOLE)
        self._dirty = True


def _read_slots(data: bytes) -> list[tuple[int, int]]:
    slots = []
    for start in (0, _WHOLE):
        slot, crc = data[start : start + _SLOT.size], data[start + _SLOT.size : start + _WHOLE]
        if len(crc) == 4 and zlib.crc32(slot) == int.from_bytes(crc, "little"):
            magic, turn, seq = _SLOT.unpack(slot)
            if magic == _MAGIC:
                slots.append((turn, seq))
    return slots
