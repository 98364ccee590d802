"""The facade over the control database: one object with one part per table."""

from pathlib import Path
from typing import Self

from sojourn_collector.store.control.audit import Audit
from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.dead_letters import DeadLetters
from sojourn_collector.store.control.inbox import Inbox
from sojourn_collector.store.control.keys import Keys
from sojourn_collector.store.control.ledger import Ledger
from sojourn_collector.store.control.progress import Progress
from sojourn_collector.store.control.watermarks import Watermarks


class Control:
    """Keys, ledger, inbox, watermarks, progress, dead letters and audit. Every method of the parts is async and runs in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.audit = Audit(database)
        self.dead_letters = DeadLetters(database)
        self.inbox = Inbox(database)
        self.keys = Keys(database)
        self.ledger = Ledger(database)
        self.progress = Progress(database)
        self.watermarks = Watermarks(database)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the SQLite file at `path`, made and migrated when needed. Blocks for a few milliseconds."""
        database = Database(path)
        try:
            database.migrate()
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Let go of the file; waits for writes that have begun."""
        self._database.close()
