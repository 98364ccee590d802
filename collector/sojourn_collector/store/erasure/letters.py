"""Dead letters as a place: a letter holds a whole request, so only the items that are the subject's are cut out of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.store import record as records
from sojourn_collector.store.control.dead_letters import DeadLetter, DeadLetters
from sojourn_collector.store.erasure.requests import Seeker, named
from sojourn_collector.store.erasure.subject import Names, Orders, without
from sojourn_collector.store.journal import write_durably
from sojourn_collector.store.record import Record

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class _Found:
    """A letter that holds something of the subject: how many items, and its file without them (None: nothing is left)."""

    letter: DeadLetter
    path: Path
    items: int
    left: bytes | None


class LettersPlace:
    """Files of dead letters on this collector's disk, and what is said of any letter."""

    name = "dead letters"

    def __init__(self, letters: DeadLetters, folder: Path, tenant: str) -> None:
        self._letters = letters
        self._folder = folder
        self._tenant = tenant

    async def count(self, names: Names) -> dict[str, int]:
        """Items in letters."""
        found = sum([one.items async for one in self._theirs(names)])
        return {"dead letters": found} if found else {}

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Cut them out; a letter of nothing else, or one that cannot be read and speaks of them, goes whole."""
        found = 0
        async for one in self._theirs(names):
            found += one.items
            if one.left is None:
                await self._letters.remove(one.letter.id)
                await asyncio.to_thread(one.path.unlink, missing_ok=True)
            else:
                await asyncio.to_thread(write_durably, one.path, one.left)
        for letter in await self._letters.list(_ALL):
            if (said := without(letter.reason, names)) != letter.reason:
                await self._letters.rewrite(letter.id, said)
        return {"dead letters": found} if found else {}

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The items as JSON; a letter that cannot be read has none to show."""
        seeker = Seeker(names)
        for letter in await self._letters.list(_ALL):
            record = await asyncio.to_thread(_read, self._folder / letter.file)
            if record is None or record.tenant != self._tenant:
                continue
            try:
                for item in seeker.items(letter.signal, record.body):
                    yield "dead_letters", {"signal": letter.signal, "at": letter.at.isoformat(), "item": MessageToDict(item)}
            except DecodeError:
                continue

    async def named(self) -> AsyncIterator[tuple[str, str]]:
        """Key and value of every attribute that names somebody in a letter that can be read."""
        for letter in await self._letters.list(_ALL):
            record = await asyncio.to_thread(_read, self._folder / letter.file)
            if record is None or record.tenant != self._tenant:
                continue
            try:
                for pair in named(letter.signal, record.body):
                    yield pair
            except DecodeError:
                continue

    async def _theirs(self, names: Names) -> AsyncIterator[_Found]:
        seeker = Seeker(names)
        for letter in await self._letters.list(_ALL):
            if (found := await asyncio.to_thread(_look, letter, self._folder / letter.file, seeker, self._tenant)) is not None:
                yield found


def _read(path: Path) -> Record | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return next((record for _, _, record in records.read(data)), None)


def _look(letter: DeadLetter, path: Path, seeker: Seeker, tenant: str) -> _Found | None:
    if not path.exists():
        return None  # on another collector's disk, or put back meanwhile
    record = _read(path)
    if record is None:
        # What cannot be read may not be kept on the chance that it is somebody else's.
        return _Found(letter, path, 1, None) if seeker.is_in(path.read_bytes()) else None
    if record.tenant != tenant or not seeker.may_be_in(record.body):
        return None
    try:
        cut = seeker.cut(letter.signal, record.body)
    except DecodeError:
        return _Found(letter, path, 1, None) if seeker.is_in(record.body) else None
    if not cut.gone:
        return None
    new = Record(record.tenant, record.batch, record.received, record.credential, record.digest, cut.left, cut.body)
    return _Found(letter, path, cut.gone, new.encode() if cut.left else None)
