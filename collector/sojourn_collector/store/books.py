"""When the batches of a journal file are entered in the ledger: after its load by a collector alone, before it where there are several.

Entering before the load is what keeps a batch from being loaded twice: from then on it is this node's for ever, and what meanwhile became another's is
taken out of the file. A file is never loaded in part before that, so its token stands for the same rows at every try.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from sojourn_collector.store.control.claims import BatchName, Claims, Entry, Whose
from sojourn_collector.store.control.ledger import Ledger, LedgerRow
from sojourn_collector.store.journal import Journal, JournalFile
from sojourn_collector.store.record import Record


class UndecidedError(Exception):
    """Whether a file may be loaded as it is cannot be said yet. The text says why."""


class Books(Protocol):
    """Enters the batches of journal files."""

    async def before(self, file: JournalFile) -> None:
        """The file is about to be loaded. Raises UndecidedError, ControlUnavailableError, OSError: then it is to be called again."""
        ...

    async def after(self, file: JournalFile) -> None:
        """The file is in the tables. Raises ControlUnavailableError."""
        ...


class SoleBooks:
    """Of a collector that is alone on its control database."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def before(self, file: JournalFile) -> None:
        """Nothing: nobody else takes batches."""

    async def after(self, file: JournalFile) -> None:
        """Enter the file's batches."""
        await self._ledger.add_many(
            [LedgerRow(*name, entry.body_sha256, entry.seq, entry.accepted_at) for one in file.records if one.batch for name, entry in [entry_of(file, one)]]
        )


class SharedBooks:
    """Of one collector among several. `on_left_out` is told of each batch that became another's."""

    def __init__(self, claims: Claims, journal: Journal, on_left_out: Callable[[BatchName], None]) -> None:
        self._claims = claims
        self._journal = journal
        self._on_left_out = on_left_out

    async def before(self, file: JournalFile) -> None:
        """Settle the file's batches and take out those that other collectors have settled."""
        whose = await self._claims.settle(dict(entry_of(file, one) for one in file.records if one.batch))
        waiting = sum(one is Whose.UNDECIDED for one in whose.values())
        if waiting:
            raise UndecidedError(f"Journal file {file.path.name} has {waiting} batches that another collector has in work; waiting for it.")
        theirs = {name for name, one in whose.items() if one is Whose.SETTLED}
        for record in await self._journal.leave_out(file, lambda record: bool(record.batch) and name_of(file, record) in theirs):
            self._on_left_out(name_of(file, record))

    async def after(self, file: JournalFile) -> None:
        """Nothing: it was done before."""


def name_of(file: JournalFile, record: Record) -> BatchName:
    """What names a record's batch."""
    return BatchName(record.credential, f"/v1/{file.signal}", record.batch)


def entry_of(file: JournalFile, record: Record) -> tuple[BatchName, Entry]:
    """A record's batch as the ledger has it."""
    return name_of(file, record), Entry(file.seq, record.digest.hex(), datetime.fromtimestamp(record.received / 1e9, UTC))
