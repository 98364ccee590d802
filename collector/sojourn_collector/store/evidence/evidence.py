"""The collector's evidence: contents in their place, rows about them in the control database, and the end of both.

The order makes a crash harmless: a content is durable before its row is, and a row says `gone` before its content goes. What a crash
leaves is a content without a row, which nobody can ask for and which the next tidying finds.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sojourn_collector.counters import Counters
from sojourn_collector.store.control.evidence import EvidenceRow, EvidenceRows, Noted, Piece, Why
from sojourn_collector.store.evidence.blobs import BlobMissingError, Blobs, BlobsUnavailableError

T = TypeVar("T")
TIDY_EVERY = 60.0
ORPHANS_EVERY = 3600.0
ORPHAN_AGE = timedelta(hours=1)
"""A content without a row that is younger may be one whose row is about to be written."""
REMEMBERED = timedelta(days=400)
"""How long it is known why a piece is gone: as long as runs are kept."""
_AT_ONCE = 500
_LOCKS = 16

log = logging.getLogger("sojourn.evidence")


@dataclass(frozen=True, slots=True)
class Bounds:
    """`keep` is how long a piece stays, `max_bytes` how much all contents may have together."""

    keep: timedelta
    max_bytes: int


class Evidence:
    """Takes, gives out and forgets evidence."""

    def __init__(self, blobs: Blobs, rows: EvidenceRows, bounds: Bounds, counters: Counters, clock: Callable[[], datetime], *, shared: bool = False) -> None:
        """`shared`: other collectors keep contents in the same place."""
        self.blobs = blobs
        self.rows = rows
        self.bounds = bounds
        self.pieces = 0
        self.bytes = 0
        self.trouble = ""
        """Why the place of contents cannot be used, empty when it can."""
        self._counters = counters
        self._clock = clock
        self._full = asyncio.Event()
        self._shared = shared
        # A content is not removed while somebody brings it again: both take the lock of its digest.
        self._locks = [asyncio.Lock() for _ in range(_LOCKS)]

    async def keep(self, piece: Piece, content: bytes, media_type: str) -> Noted:
        """Keep a piece; durable when this returns `NEW` or `KNOWN`. With `OTHER`, `GONE` and `ERASED` nothing is kept.

        Raises `BlobsUnavailableError`."""
        sha256 = (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
        now = self._clock()
        async with self._lock(sha256):
            found = await self.rows.look(piece, sha256)
            if found is not Noted.NEW:
                return found
            await self._told(self.blobs.put(sha256, content))
            row = EvidenceRow(**asdict(piece), sha256=sha256, bytes=len(content), media_type=media_type, received_at=now, expires_at=now + self.bounds.keep)
            found = await self.rows.add(row)
        if found is Noted.NEW:
            self.pieces += 1
            self.bytes += len(content)
            if self.bytes > self.bounds.max_bytes:
                self._full.set()
        return found

    async def content(self, row: EvidenceRow) -> bytes:
        """The content of a piece that is there. Raises `BlobMissingError`, `BlobsUnavailableError`."""
        return await self._told(self.blobs.get(row.sha256))

    async def erase(self, tenant: str, runs: Collection[str]) -> int:
        """Remove everything of these runs, contents first, and take no more of them. Returns how many pieces there were.

        A content that a piece of another run has too stays for that one. Raises `BlobsUnavailableError`: then it is not done; call it again.
        """
        await self.rows.bar(tenant, runs, self._clock())
        found = await self.rows.of_runs(tenant, runs)
        mine = {row.id for row in found}
        # Rows first say that they have no content, so that only other runs' rows hold a content back.
        await self.rows.gone(mine, "erased", self._clock())
        for sha256 in sorted({row.sha256 for row in found}):
            await self._release(sha256)
        await self.rows.forget(mine)
        await self._count()
        if found:
            self._counters.add("sojourn_evidence_removed", len(found), why="erased")
        return len(found)

    async def run(self) -> None:
        """Tidy for ever: every minute, and at once when there is too much."""
        loop = asyncio.get_running_loop()
        orphans = loop.time()
        while True:
            await self.tidy()
            if loop.time() >= orphans:
                await self.remove_orphans()
                orphans = loop.time() + ORPHANS_EVERY
            try:
                async with asyncio.timeout(TIDY_EVERY):
                    await self._full.wait()
            except TimeoutError:
                pass
            self._full.clear()

    async def tidy(self) -> None:
        """Remove what is too old, then the oldest of what is too much. A place that cannot be used just now is tidied later."""
        now = self._clock()
        try:
            while due := await self.rows.due(now, now - self.bounds.keep, _AT_ONCE):
                await self._remove(due, "age", now)
            await self._make_room(now)
        except BlobsUnavailableError as error:
            log.warning("evidence cannot be removed now: %s; it is tried again", error)
        await self.rows.forget_gone_before(now - REMEMBERED)
        await self._count()

    async def remove_orphans(self) -> int:
        """Remove contents that belong to no piece and are older than an hour. Returns how many.

        A control database that knows of nothing removes nothing: it is new, and what lies there is another's.
        """
        if not await self.rows.any():
            return 0
        before = self._clock() - ORPHAN_AGE
        removed = 0
        try:
            waiting: list[str] = []
            async for blob in self.blobs.all():
                if blob.changed < before:
                    waiting.append(blob.sha256)
                if len(waiting) >= _AT_ONCE:
                    removed += await self._remove_unowned(waiting)
                    waiting.clear()
            removed += await self._remove_unowned(waiting)
        except BlobsUnavailableError as error:
            self.trouble = str(error)
            log.warning("evidence without an owner cannot be looked for now: %s; it is tried again", error)
        if removed:
            log.info("removed %d contents of evidence that belonged to nothing", removed)
        return removed

    async def _remove_unowned(self, digests: Sequence[str]) -> int:
        unowned = set(digests) - await self.rows.live_contents(digests)
        for sha256 in sorted(unowned):
            await self._release(sha256)
        return len(unowned)

    async def _make_room(self, now: datetime) -> None:
        removed = 0
        while (over := (await self.rows.live_bytes())[1] - self.bounds.max_bytes) > 0:
            chosen: list[EvidenceRow] = []
            for row in await self.rows.oldest(_AT_ONCE):
                if over <= 0:
                    break
                chosen.append(row)
                over -= row.bytes
            await self._remove(chosen, "room", now)
            removed += len(chosen)
        if removed:
            log.warning(
                "removed the oldest %d pieces of evidence: there was more than evidence.max of collector.yaml (%d bytes)", removed, self.bounds.max_bytes
            )

    async def _remove(self, rows: Sequence[EvidenceRow], why: Why, now: datetime) -> None:
        await self.rows.gone([row.id for row in rows], why, now)
        self._counters.add("sojourn_evidence_removed", len(rows), why=why)
        for sha256 in sorted({row.sha256 for row in rows}):
            await self._release(sha256)

    async def _release(self, sha256: str) -> None:
        """Remove a content unless a piece that is there has it."""
        async with self._lock(sha256):
            if await self.rows.live_contents([sha256]):
                return
            kept = await self._kept(sha256) if self._shared else None
            await self._told(self.blobs.delete(sha256))
            # Another collector takes no lock of ours: it may have brought the content again and noted it meanwhile.
            if kept is not None and await self.rows.live_contents([sha256]):
                await self._told(self.blobs.put(sha256, kept))

    async def _kept(self, sha256: str) -> bytes | None:
        try:
            return await self._told(self.blobs.get(sha256))
        except BlobMissingError:
            return None

    async def _told(self, asked: Awaitable[T]) -> T:
        """What the place answers; whether it can be used is remembered."""
        try:
            answer = await asked
        except BlobsUnavailableError as error:
            self.trouble = str(error)
            raise
        self.trouble = ""
        return answer

    async def _count(self) -> None:
        self.pieces, self.bytes = await self.rows.live_bytes()

    def _lock(self, sha256: str) -> asyncio.Lock:
        return self._locks[int(sha256[:2], 16) % _LOCKS]
