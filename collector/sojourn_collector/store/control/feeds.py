"""How each pulled feed stands: when it was asked and answered, what came of it, what is wrong, and when it is asked next."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import feeds


@dataclass(frozen=True, slots=True)
class FeedState:
    """One feed. `items` were taken in all, `fresh` the last time; `validators` tell by the digest of an address what its last answer was known by."""

    source: str
    pulled_at: datetime | None = None
    answered_at: datetime | None = None
    next_at: datetime | None = None
    failures: int = 0
    items: int = 0
    fresh: int = 0
    error: str = ""
    validators: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Feeds:
    """Keeps states."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, source: str, tenant: str = "default") -> FeedState:
        """The state of a feed; an empty one of a feed that was never asked."""
        query = select(feeds).where(feeds.c.tenant == tenant, feeds.c.source == source)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return FeedState(source) if row is None else _state(dict(row))

    async def list(self, tenant: str = "default") -> dict[str, FeedState]:
        """All of them by name."""
        rows = await self._database.read(lambda connection: connection.execute(select(feeds).where(feeds.c.tenant == tenant)).mappings().all())
        return {row["source"]: _state(dict(row)) for row in rows}

    async def put(self, state: FeedState, tenant: str = "default") -> None:
        """Keep a state in the place of the one before."""
        values = {name: getattr(state, name) for name in ("pulled_at", "answered_at", "next_at", "failures", "items", "fresh", "error")}
        values["validators"] = json.dumps(state.validators)

        def work(connection: Any) -> None:
            statement = insert_into(connection, feeds).values(tenant=tenant, source=state.source, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "source"], set_=values))

        await self._database.write(work)


def _state(row: Mapping[str, Any]) -> FeedState:
    known = {name: value for name, value in row.items() if name != "tenant"}
    return FeedState(**{**known, "validators": json.loads(row["validators"])})
