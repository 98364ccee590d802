"""Keys that sign what the collector hands out, such as links to evidence: made once, kept here, so that links live on over restarts."""

import secrets
from datetime import datetime

from sqlalchemy import Connection, select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import signing_keys


class SigningKeys:
    """One key of 32 random bytes per use."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str, now: datetime) -> bytes:
        """The key for the use `name`, made when there is none."""

        def work(connection: Connection) -> str:
            fresh = insert_into(connection, signing_keys).values(name=name, secret=secrets.token_hex(32), made_at=now)
            connection.execute(fresh.on_conflict_do_nothing(index_elements=["name"]))
            return str(connection.execute(select(signing_keys.c.secret).where(signing_keys.c.name == name)).scalar_one())

        return bytes.fromhex(await self._database.write(work))
