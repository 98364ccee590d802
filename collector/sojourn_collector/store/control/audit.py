"""The audit log: who did what to this installation. Only added to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.tables import audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One deed: `actor` is a key's id or `cli`, `action` such as `key.create`, `subject` what it was done to."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


class Audit:
    """Adds to and reads the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, at: datetime, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Write one deed down; durable when this returns."""
        row = {"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail}
        await self._database.write(lambda connection: connection.execute(insert(audit), row))

    async def list(self, limit: int = 1000) -> list[AuditRow]:
        """The newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [AuditRow(**row) for row in rows]
