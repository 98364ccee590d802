"""Each batch once: the same id with the same body is answered without being stored again, with another body it is a conflict.

Key = (credential, path, batch id); the body's SHA-256 tells a repeat from a conflict. Batches not yet in the tables are known from the journal's files,
older ones from the ledger in the control database; a repeat of one in flight waits for the first. With several collectors a batch is claimed in the ledger
before it goes to disk.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from sojourn_collector.receive.answers import RefusalError, Taken
from sojourn_collector.receive.claiming import Claiming
from sojourn_collector.store.control.claims import BatchName, Entry
from sojourn_collector.store.control.ledger import LedgerRow
from sojourn_collector.store.journal import JournalFile, JournalUnavailableError


class Key(NamedTuple):
    """What names a batch."""

    credential: str
    path: str
    batch: str


class Ledger(Protocol):
    """Where accepted batches are looked up."""

    async def find(self, credential: str, path: str, batch_id: str) -> LedgerRow | None:
        """The accepted batch of this name."""
        ...


class Batches:
    """Knows which batches were accepted. `claiming` is there with several collectors."""

    def __init__(self, ledger: Ledger, claiming: Claiming | None = None) -> None:
        self._ledger = ledger
        self._claiming = claiming
        self._unloaded: dict[Key, bytes] = {}
        self._flying: dict[Key, tuple[bytes, asyncio.Future[Taken | None]]] = {}

    def index(self, files: Iterable[JournalFile]) -> None:
        """Take in the batches of journal files found at the start."""
        for file in files:
            for one in file.records:
                if one.batch:
                    self._unloaded[Key(one.credential, f"/v1/{file.signal}", one.batch)] = one.digest

    def settled(self, file: JournalFile) -> None:
        """A file's batches are durable in the ledger; they need not be remembered here."""
        for one in file.records:
            if one.batch:
                self.forget(Key(one.credential, f"/v1/{file.signal}", one.batch))

    def forget(self, key: Key) -> None:
        """The ledger knows this batch; it need not be remembered here."""
        self._unloaded.pop(key, None)
        if self._claiming is not None:
            self._claiming.settled(BatchName(*key))

    async def once(self, key: Key, digest: bytes, store: Callable[[], Awaitable[Taken]]) -> tuple[Taken, bool]:
        """Run `store` unless the batch is known; returns its answer and whether this was a repeat. Raises RefusalError 409 and what `store` raises."""
        while (flying := self._flying.get(key)) is not None:
            self._same(flying[0], digest, key)
            taken = await asyncio.shield(flying[1])
            if taken is not None:
                return taken, True
            # The first one failed; this one tries itself.
        done: asyncio.Future[Taken | None] = asyncio.get_running_loop().create_future()
        self._flying[key] = (digest, done)
        taken = None
        try:
            known = self._unloaded.get(key) or await self._known(key, digest)
            if known is not None:
                self._same(known, digest, key)
                taken = Taken()
                return taken, True
            try:
                taken = await store()
            finally:
                if self._claiming is not None and key not in self._unloaded:
                    self._claiming.not_kept(BatchName(*key))
            return taken, False
        finally:
            del self._flying[key]
            done.set_result(taken)

    async def _known(self, key: Key, digest: bytes) -> bytes | None:
        if self._claiming is not None:
            return await self._claiming.known(BatchName(*key), digest)
        row = await self._ledger.find(*key)
        return None if row is None else bytes.fromhex(row.body_sha256)

    def kept(self, key: Key, digest: bytes, seq: int, received: int) -> None:
        """The batch is on disk in journal file `seq`, as received at that moment in nanoseconds."""
        if self._claiming is not None and key in self._unloaded:
            self._claiming.kept(BatchName(*key), Entry(seq, digest.hex(), datetime.fromtimestamp(received / 1e9, UTC)))

    @contextmanager
    def stored(self, key: Key, digest: bytes) -> Iterator[None]:
        """Remember the batch while and after it goes to disk; before, because its file may be loaded and settled at once."""
        if not key.batch:
            yield
            return
        self._unloaded[key] = digest
        try:
            yield
        except JournalUnavailableError:
            del self._unloaded[key]
            raise

    @staticmethod
    def _same(known: bytes, digest: bytes, key: Key) -> None:
        if known != digest:
            raise RefusalError(409, f"Batch {key.batch} was accepted before with another body; a batch id belongs to one body for ever.", "conflict")
