"""Dead letters as a place: a letter holds a whole request, so only the items that are the subject's are cut out of it."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.store import record as records
from sojourn_collector.store.control.dead_letters import DeadLetter, DeadLetters
from sojourn_collector.store.erasure.statements import IDENTITY
from sojourn_collector.store.erasure.subject import Names, Orders, pattern
from sojourn_collector.store.journal import write_durably
from sojourn_collector.store.letters import REQUESTS
from sojourn_collector.store.record import Record

TAKEN_OUT = "[erased]"


class LettersPlace:
    """Files of dead letters and what is said of them."""

    name = "dead letters"

    def __init__(self, letters: DeadLetters, folder: Path, tenant: str) -> None:
        self._letters = letters
        self._folder = folder
        self._tenant = tenant

    async def count(self, names: Names) -> dict[str, int]:
        """Items in letters."""
        found = 0
        for _, _, cut in await self._theirs(names):
            found += cut[1]
        return {"dead letters": found} if found else {}

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Cut them out; a letter of nothing else, or one that cannot be read and speaks of them, goes whole."""
        found = 0
        for letter, path, (left, items) in await self._theirs(names):
            found += items
            if left is None:
                await self._letters.remove(letter.id)
                await asyncio.to_thread(path.unlink, missing_ok=True)
            else:
                await asyncio.to_thread(write_durably, path, left)
        secret = [name.encode() for name in names.known]
        for letter in await self._letters.list(1_000_000):
            if any(one in letter.reason.encode() for one in secret):
                await self._letters.rewrite(letter.id, _without(letter.reason, names))
        return {"dead letters": found} if found else {}

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The items as JSON."""
        for letter in await self._letters.list(1_000_000):
            record = await asyncio.to_thread(_read, self._folder / letter.file)
            if record is None or record.tenant != self._tenant:
                continue
            for item in _items(record, letter.signal, names):
                yield "dead_letters", {"signal": letter.signal, "at": letter.at.isoformat(), "item": MessageToDict(item)}

    async def _theirs(self, names: Names) -> list[tuple[DeadLetter, Path, tuple[bytes | None, int]]]:
        found = []
        for letter in await self._letters.list(1_000_000):
            path = self._folder / letter.file
            cut = await asyncio.to_thread(_cut, path, letter.signal, names, self._tenant)
            if cut[1]:
                found.append((letter, path, cut))
        return found


def _read(path: Path) -> Record | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return next((record for _, _, record in records.read(data)), None)


def _cut(path: Path, signal: str, names: Names, tenant: str) -> tuple[bytes | None, int]:
    """The letter without what is theirs (None: nothing is left), and how many items that was."""
    record = _read(path)
    if record is None:
        # What cannot be read may not be kept on the chance that it is somebody else's.
        raw = path.read_bytes() if path.exists() else b""
        return (None, 1) if any(name.encode() in raw for name in names.known) else (raw, 0)
    if record.tenant != tenant:
        return None, 0
    try:
        message = REQUESTS[signal].FromString(record.body)
    except (DecodeError, KeyError):
        return (None, 1) if any(name.encode() in record.body for name in names.known) else (b"", 0)
    gone = 0
    left = 0
    for source, items in _groups(message):
        mine = _speaks(source, names)
        for index in reversed(range(len(items))):
            if mine or _is_theirs(items[index], names):
                del items[index]
                gone += 1
        left += len(items)
    if not gone:
        return None, 0
    for group in list(message.DESCRIPTOR.fields):
        sources = getattr(message, group.name)
        for index in reversed(range(len(sources))):
            if not any(len(items) for _, items in _groups_of(sources[index])):
                del sources[index]
    body = message.SerializeToString()
    new = Record(record.tenant, record.batch, record.received, record.credential, record.digest, left, body)
    return (new.encode() if left else None), gone


def _items(record: Record, signal: str, names: Names) -> Iterator[Any]:
    try:
        message = REQUESTS[signal].FromString(record.body)
    except (DecodeError, KeyError):
        return
    for source, items in _groups(message):
        mine = _speaks(source, names)
        yield from (item for item in items if mine or _is_theirs(item, names))


def _groups(message: Any) -> Iterator[tuple[Any, Any]]:
    """Resource and items of every scope."""
    for group in message.DESCRIPTOR.fields:
        for source in getattr(message, group.name):
            yield from _groups_of(source)


def _groups_of(source: Any) -> Iterator[tuple[Any, Any]]:
    for scopes in ("scope_spans", "scope_logs", "scope_metrics"):
        for scope in getattr(source, scopes, ()):
            for items in ("spans", "log_records", "metrics"):
                if hasattr(scope, items):
                    yield source.resource, getattr(scope, items)


def _is_theirs(item: Any, names: Names) -> bool:
    trace = getattr(item, "trace_id", b"").hex()
    return trace in names.traces or _speaks(item, names)


def _speaks(message: Any, names: Names) -> bool:
    """Whether an identity attribute holds one of the names, or a text one of their words."""
    words = names.words()
    seek = pattern(words) if words else None
    return _walk(message, names, seek)


def _walk(message: Any, names: Names, seek: re.Pattern[str] | None) -> bool:
    if message.DESCRIPTOR.name == "KeyValue" and message.key in IDENTITY and message.value.string_value in names.known:
        return True
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if field.message_type is not None:
                if _walk(one, names, seek):
                    return True
            elif isinstance(one, str) and seek is not None and seek.search(one):
                return True
    return False


def _without(text: str, names: Names) -> str:
    for name in sorted(names.known, key=len, reverse=True):
        text = text.replace(name, TAKEN_OUT)
    return text
