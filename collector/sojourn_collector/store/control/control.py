"""The facade over the control database: one object with one part per table."""

from pathlib import Path
from typing import Self

from sojourn_collector.store.control.audit import Audit
from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.dead_letters import DeadLetters
from sojourn_collector.store.control.erasures import Erasures
from sojourn_collector.store.control.evidence import EvidenceRows
from sojourn_collector.store.control.feeds import Feeds
from sojourn_collector.store.control.folds import Folds
from sojourn_collector.store.control.impact_versions import ImpactVersions
from sojourn_collector.store.control.imports import Imports
from sojourn_collector.store.control.inbox import Inbox
from sojourn_collector.store.control.keys import Keys
from sojourn_collector.store.control.leases import Leases
from sojourn_collector.store.control.ledger import Ledger
from sojourn_collector.store.control.marks import Marks
from sojourn_collector.store.control.nodes import Nodes
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.control.progress import Progress
from sojourn_collector.store.control.shares import Shares
from sojourn_collector.store.control.signing import SigningKeys
from sojourn_collector.store.control.watermarks import Watermarks
from sojourn_collector.store.control.webhooks import WebhookRows


class Control:
    """One part for each kind of row: keys, ledger, inbox, imports, webhooks and the others. Every method of the parts is async."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.audit = Audit(database)
        self.dead_letters = DeadLetters(database)
        self.erasures = Erasures(database)
        self.evidence = EvidenceRows(database)
        self.feeds = Feeds(database)
        self.folds = Folds(database)
        self.inbox = Inbox(database)
        self.impact_versions = ImpactVersions(database)
        self.imports = Imports(database, self.inbox)
        self.keys = Keys(database)
        self.leases = Leases(database)
        self.ledger = Ledger(database)
        self.marks = Marks(database)
        self.nodes = Nodes(database)
        self.progress = Progress(database)
        self.shares = Shares(database)
        self.signing_keys = SigningKeys(database)
        self.watermarks = Watermarks(database)
        self.webhooks = WebhookRows(database, self.inbox)

    @classmethod
    def open(cls, where: Path | PostgresAddress) -> Self:
        """Open the SQLite file (made when needed) or PostgreSQL database, brought to this version. Blocks for a moment; raises as `Database.migrated`."""
        return cls(Database.migrated(where))

    async def compact(self) -> None:
        """Rewrite the files so that nothing deleted stays in them; other writers wait."""
        await self.database.compact()

    async def copy(self, path: Path) -> None:
        """A consistent copy at `path` while others read and write. Raises NoFileError for a database that is no file."""
        await self.database.copy(path)

    def close(self) -> None:
        """Let go of the database; waits for writes that have begun."""
        self.database.close()
