"""Progress: named whole numbers that must survive a restart, such as how far the join has come."""

from sqlalchemy import Connection, select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.leases import Lease, require
from sojourn_collector.store.control.tables import progress


class Progress:
    """Reads and writes named numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str, default: int = 0) -> int:
        """The number of this name, or `default`."""
        query = select(progress.c.value).where(progress.c.name == name)
        value = await self._database.read(lambda connection: connection.execute(query).scalar())
        return default if value is None else int(value)

    async def set(self, name: str, value: int) -> None:
        """Keep the number; durable when this returns."""
        await self.set_many({name: value})

    async def set_many(self, values: dict[str, int], lease: Lease | None = None) -> None:
        """Keep several numbers in one transaction; with `lease` only while that is held. Raises LeaseLostError."""
        if not values:
            return

        def work(connection: Connection) -> None:
            if lease is not None:
                require(connection, lease)
            statement = insert_into(connection, progress)
            upsert = statement.on_conflict_do_update(index_elements=["name"], set_={"value": statement.excluded.value})
            connection.execute(upsert, [{"name": name, "value": value} for name, value in values.items()])

        await self._database.write(work)
