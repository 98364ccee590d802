"""Links to frozen reports. Of a link's secret only the digest is kept."""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.tables import shares

SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Share:
    """One link: `report` is the JSON that it shows for ever, until `expires_at`."""

    id: str
    tenant: str
    digest: str
    title: str
    report: str
    actor: str
    made_at: datetime
    expires_at: datetime


class Shares:
    """Makes links, finds what one shows, lists and ends them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, title: str, report: str, actor: str, at: datetime, expires_at: datetime, *, tenant: str = "default") -> tuple[Share, str]:
        """A new link and its secret, which is told this once. Links that have ended go."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        one = Share(secrets.token_hex(6), tenant, _digest(secret), title, report, actor, at, expires_at)

        def work(connection: Connection) -> None:
            connection.execute(delete(shares).where(shares.c.expires_at <= at))
            connection.execute(insert(shares), asdict(one))

        await self._database.write(work)
        return one, secret

    async def shown_by(self, secret: str, at: datetime) -> Share | None:
        """What a link shows; None when there is none of this secret, or it has ended."""
        query = select(shares).where(shares.c.digest == _digest(secret), shares.c.expires_at > at)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else Share(**row)

    async def list(self, at: datetime, *, tenant: str = "default") -> list[Share]:
        """Links that lead somewhere, the newest first."""
        query = select(shares).where(shares.c.tenant == tenant, shares.c.expires_at > at).order_by(shares.c.made_at.desc(), shares.c.id).limit(500)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [Share(**row) for row in rows]

    async def end(self, ident: str, *, tenant: str = "default") -> bool:
        """End a link. False when there is none of this id."""
        gone = delete(shares).where(shares.c.id == ident, shares.c.tenant == tenant)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount == 1)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
