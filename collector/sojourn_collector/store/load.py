"""The loader: journal files into tables, each as one block under its own token, so that a repeated load stores nothing twice.

A file goes only when its rows are in the table and its batches are durable in the ledger (`books.py` says when they are entered). A file the engine
refuses is split until the request at fault stands alone; that one becomes a dead letter, the others are stored.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from sojourn_collector.counters import Counters
from sojourn_collector.store import record as records
from sojourn_collector.store.books import Books, SoleBooks, UndecidedError
from sojourn_collector.store.client import EngineUnavailable, StatementFailed, Store, StoreError
from sojourn_collector.store.control.dead_letters import DeadLetters
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.control.ledger import Ledger
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.journal import Journal, JournalFile, write_durably
from sojourn_collector.store.load_sql import TABLES, Load
from sojourn_collector.store.numbering import node_of
from sojourn_collector.store.turns import Turns

log = logging.getLogger("sojourn.load")

PASSING = {
    159: "time-out",
    164: "read-only",
    202: "too many queries",
    236: "aborted",
    241: "memory",
    243: "disk full",
    252: "too many parts",
    394: "cancelled",
    # Of servers and clusters.
    3: "unexpected end of a connection",
    60: "a table is missing",
    81: "the database is missing",
    192: "unknown user",
    193: "wrong password",
    198: "a host's name is not known",
    201: "quota used up",
    203: "no free connection",
    209: "network time-out",
    210: "network",
    225: "no Keeper",
    242: "table is read-only, its Keeper is away",
    244: "not every replica answers",
    279: "a shard does not answer",
    285: "too few live replicas",
    286: "an earlier quorum is not reached",
    289: "replica is not in the quorum",
    319: "not known whether it was stored",
    425: "the server's operating system",
    439: "no free thread",
    497: "the user may not",
    516: "user or password refused",
    701: "the cluster is not known",
    999: "Keeper",
}
"""Codes of the engine that say nothing against the data: the same load is tried again."""
MEMORY = 241
TRIES_BEFORE_SPLIT = 5


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits between tries in seconds."""

    first: float = 0.1
    longest: float = 2.0


class Forget(Protocol):
    """Takes out of a file just loaded what is older than the erasure of whom it names."""

    @property
    def active(self) -> bool:
        """Whether anybody was ever erased."""
        ...

    async def loaded(self, seq: int) -> int:
        """Look at the rows of one file; how many went. Raises what the store raises."""
        ...


class Loader:
    """Loads the journal's files for ever. `loaded_seq` is the highest number up to which everything is in the tables."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        ledger: Ledger,
        dead_letters: DeadLetters,
        folder: Path,
        counters: Counters,
        *,
        books: Books | None = None,
        on_settled: Callable[[JournalFile], None] = lambda _: None,
        forget: Forget | None = None,
        turns: Turns | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: Patience | None = None,
        damaged: Damaged | None = None,
    ) -> None:
        self._journal = journal
        self._store = store
        self._books = books or SoleBooks(ledger)
        self._dead_letters = dead_letters
        self._dead_folder = folder
        self._counters = counters
        self._on_settled = on_settled
        self._forget = forget
        self._turn = (turns or Turns()).load
        self._clock = clock
        self._patience = patience or Patience()
        self._damaged = damaged or Damaged(folder.parent / "damaged")
        self._changed = asyncio.Condition()
        self._refusal = ""
        self.trouble = ""
        """Why loading does not get on just now; empty while it does."""

    @property
    def loaded_seq(self) -> int:
        """Highest sequence number up to which every journal file is loaded."""
        return self._journal.loaded_seq

    async def wait_beyond(self, seq: int) -> int:
        """Wait until `loaded_seq` exceeds `seq`; returns it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._journal.loaded_seq > seq)
        return self._journal.loaded_seq

    async def run(self) -> None:
        """Load until cancelled."""
        while True:
            file = await self._journal.next_file()
            async with self._turn:
                if file in self._journal.closed:
                    await self._take(file)

    async def _take(self, file: JournalFile) -> None:
        await self._insist(partial(self._journal.cut, file), f"Journal file {file.path.name} ends in bytes of a refused batch that cannot be cut off")
        await self._insist(partial(self._books.before, file), f"The batches of journal file {file.path.name} cannot be settled")
        if file.size:
            await self._load(file)
            await self._sift(file)
        await self._insist(partial(self._books.after, file), f"The batches of journal file {file.path.name} cannot be entered")
        # A file left behind would be loaded again at the next start.
        await self._insist(partial(self._journal.resolve, file), f"Journal file {file.path.name} is loaded and cannot be retired")
        self._marker(file).unlink(missing_ok=True)
        self._on_settled(file)
        self._counters.add("sojourn_loaded", file.items, signal=file.signal)
        async with self._changed:
            self._changed.notify_all()

    async def _sift(self, file: JournalFile) -> None:
        """Before anybody counts on the file's rows: those of erased people go again."""
        wait = self._patience.first
        while self._forget is not None and self._forget.active:
            try:
                gone = await self._forget.loaded(file.seq)
            except (StoreError, ControlUnavailableError) as error:
                self.trouble = str(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, self._patience.longest)
                continue
            self.trouble = ""
            if gone:
                self._counters.add("sojourn_forgotten", gone, signal=file.signal)
            return

    async def _insist(self, work: Callable[[], Awaitable[None]], cannot: str) -> None:
        """Do what needs the disk or the control database, as soon as that takes it; `cannot` says what waits meanwhile."""
        wait = self._patience.first
        while True:
            try:
                await work()
            except OSError as error:
                self.trouble, reason = f"{cannot}: {error.strerror or error}.", "disk"
            except ControlUnavailableError as error:
                self.trouble, reason = f"{cannot}: {error}", "control"
            except UndecidedError as error:
                self.trouble, reason = str(error), "undecided"
            else:
                self.trouble = ""
                return
            self._counters.add("sojourn_load_retries", reason=reason)
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._patience.longest)

    def _token(self, file: JournalFile) -> str:
        return f"{self._journal.id}-{file.seq}"

    async def _load(self, file: JournalFile) -> None:
        if file.doubtful and (found := await self._rows_of(file)):
            # Its token cannot say what is stored already, and nobody can tell the items that are from those that are not.
            self.trouble = ""
            if found < file.items:
                said = f"Journal file {file.path.name} is in the tables in part ({found} of {file.items} items); it was put aside."
                name = f"{self._journal.id}-rest-{file.path.name}"
                await self._insist(partial(asyncio.to_thread, self._damaged.keep, name, said, file.path), f"Journal file {file.path.name} cannot be put aside")
            return
        if self._marker(file).exists():
            await self._load_in_parts(file)
            return
        tries = await self._try(Load(file.signal, file.path, file.seq, self._token(file)))
        if tries == 0:
            await self._load_in_parts(file)
        elif tries > 1 or file.leftover:
            await self._verify(file)

    async def _try(self, load: Load) -> int:
        """Load, waiting out what passes; returns how many tries it took, 0 when the data themselves are refused."""
        wait, tries, memory = self._patience.first, 0, 0
        while True:
            tries += 1
            try:
                await self._store.load(load)
            except EngineUnavailable as error:
                self.trouble, reason = str(error), "engine"
            except StatementFailed as error:
                memory += error.code == MEMORY
                if error.code not in PASSING or memory >= TRIES_BEFORE_SPLIT:
                    log.warning("the engine refuses journal file %s: %s", load.path.name, error)
                    self._refusal = sentence(error)
                    return 0
                self.trouble, reason = f"The engine cannot load just now: {PASSING[error.code]}.", PASSING[error.code]
            else:
                self.trouble = ""
                return tries
            self._counters.add("sojourn_load_retries", reason=reason)
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._patience.longest)

    async def _rows_of(self, file: JournalFile) -> int:
        wait = self._patience.first
        while True:
            try:
                return int((await self._store.query(f"loaded_{TABLES[file.signal]}", seq=file.seq))[0]["n"])
            except StoreError as error:
                self.trouble = str(error)
                await asyncio.sleep(wait)
                wait = min(wait * 2, self._patience.longest)

    async def _verify(self, file: JournalFile) -> None:
        found = await self._rows_of(file)
        self.trouble = ""
        # Of a file whose load was cut short, erased rows may be gone already.
        sifted = self._forget is not None and self._forget.active and found < file.items
        if found != file.items and not sifted:
            self._counters.add("sojourn_load_mismatch")
            log.error("journal file %s has %d items, the table %s has %d of them", file.path.name, file.items, TABLES[file.signal], found)

    # --- Poison ------------------------------------------------------------------------------------------------------

    def _marker(self, file: JournalFile) -> Path:
        return file.path.with_suffix(".split")

    async def _load_in_parts(self, file: JournalFile) -> None:
        """Load record by record where needed. Parts get names of their own only after it is sure that nothing is stored under the file's."""
        if not self._marker(file).exists():
            wait = self._patience.first
            while await self._rows_of(file):
                self.trouble = f"Journal file {file.path.name} is stored in part and refused; trying it again as a whole."
                await asyncio.sleep(wait)
                wait = min(wait * 2, 60.0)
                if await self._try(Load(file.signal, file.path, file.seq, self._token(file))):
                    return
            await asyncio.to_thread(write_durably, self._marker(file), b"")
        data = await asyncio.to_thread(file.path.read_bytes)
        pieces = [data[start:end] for start, end, _ in records.read(data)]
        await self._load_part(file, pieces, 0, len(pieces))
        self.trouble = ""

    async def _load_part(self, file: JournalFile, pieces: list[bytes], first: int, last: int) -> None:
        part = file.path.with_suffix(f".{first}-{last}.part")
        await asyncio.to_thread(part.write_bytes, b"".join(pieces[first:last]))
        try:
            loaded = await self._try(Load(file.signal, part, file.seq, f"{self._token(file)}-{first}-{last}"))
        finally:
            part.unlink(missing_ok=True)
        if loaded:
            return
        if last - first == 1:
            await self._put_aside(file, first, pieces[first])
            return
        middle = (first + last) // 2
        await self._load_part(file, pieces, first, middle)
        await self._load_part(file, pieces, middle, last)

    async def _put_aside(self, file: JournalFile, index: int, data: bytes) -> None:
        self._dead_folder.mkdir(parents=True, exist_ok=True)
        path = self._dead_folder / f"{file.seq:016}-{index}.{file.signal}.pb"
        await asyncio.to_thread(write_durably, path, data)
        await self._insist(
            partial(self._dead_letters.add, file.signal, self._refusal, path.name, self._clock(), node_of(file.seq)), f"Dead letter {path.name} cannot be noted"
        )
        self._counters.add("sojourn_dead_letters", signal=file.signal)


def sentence(error: StatementFailed) -> str:
    """The engine's reason without the client's wrapping, short enough to show."""
    text = str(error)
    start = text.find("DB::Exception:")
    text = text[start + len("DB::Exception:") :] if start >= 0 else text
    return f"The engine refused it (code {error.code}): {text.split(' (for url')[0].strip()[:300]}"
