"""Remembers beacons by app, session and id, so that one sent twice is stored once."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from sojourn_agent.rum.gather import Parcel

MAX_SEEN: Final = 20_000
"""Beacons remembered; a repeat comes within seconds, so the oldest may go."""


def name_of(app: str, session: str, beacon: str) -> bytes:
    """16 bytes that stand for one beacon."""
    return blake2b(f"{app}\0{session}\0{beacon}".encode("utf-8", "replace"), digest_size=16).digest()


class Seen:
    """A bounded memory of beacons: all stored, or with a parcel on its way or half stored."""

    def __init__(self, limit: int = MAX_SEEN) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, Parcel | None] = OrderedDict()

    def __contains__(self, name: bytes) -> bool:
        return name in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, name: bytes, parcel: Parcel) -> None:
        """Remember a new beacon and what it has to store."""
        self._known[name] = parcel
        if len(self._known) > self._limit:
            self._known.popitem(last=False)

    def parcel(self, name: bytes) -> Parcel | None:
        """What is still to store of a known beacon, None when nothing is."""
        return self._known[name]

    def stored(self, name: bytes) -> None:
        """All of it is on disk: forget its bytes, keep its name."""
        if name in self._known:
            self._known[name] = None

    def forget(self, name: bytes) -> None:
        """Nothing of it was stored: let it be new when it comes again."""
        self._known.pop(name, None)
