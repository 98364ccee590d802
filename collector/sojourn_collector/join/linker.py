"""Looking up what links need in the tables, for a batch of feedback, orders, tickets or invitations at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sojourn_collector.join.links import Known, Link, by, earliest, link, linked, order_key
from sojourn_collector.store.client import Store

LINKED_TABLES = ("orders", "tickets", "feedback", "invitations")
"""In this order: a ticket may name an order, an answer either."""
_AT_ONCE = 100  # ids in one query; they travel in its address
_LOOK_BACK = timedelta(days=2)


class Linker:
    """Links rows of `LINKED_TABLES`. `identity` is how long after a visit something is still held to come from it."""

    def __init__(self, store: Store, identity: timedelta) -> None:
        self._store = store
        self._identity = identity

    async def link(self, rows: Sequence[Mapping[str, Any]], users: Mapping[str, str] = MappingProxyType({})) -> list[dict[str, Any]]:
        """The rows with the columns of their links. `users` are people by their address's digest who are not written yet. Raises what `Store.query` raises."""
        done: list[dict[str, Any]] = []
        for portion in cut(rows):
            batch = await self._named(portion, users)
            known = await self._known(batch)
            done.extend({**row, **linked(row, self._one(row, known))} for row in batch)
        return done

    async def near(self, table: str, sessions: Sequence[str], persons: Sequence[str], since: datetime) -> list[dict[str, Any]]:
        """Rows of `table` that these sessions may concern and whose link is now another than before, with that link."""
        return await self.changed(await self._store.query(f"join_{table}_near", sessions=list(sessions), persons=list(persons), since=since))

    async def changed(self, rows: Sequence[Mapping[str, Any]], users: Mapping[str, str] = MappingProxyType({})) -> list[dict[str, Any]]:
        """Those of the rows whose link is now another than before, with that link."""
        again = await self.link(rows, users)
        return [new for old, new in zip(rows, again, strict=True) if any(_other(old[column], new[column]) for column in new)]

    async def _named(self, rows: Sequence[Mapping[str, Any]], new: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Rows that know their person by the digest of an address alone get the `user.id` that people have for it."""
        digests = _distinct(row.get("email_sha256", "") for row in rows if not row["user_id"])
        if not digests:
            return list(rows)
        users = {row["key"]: row["user_id"] for row in await self._store.query("join_people_by_email", digests=digests)} | dict(new)
        return [row if row["user_id"] else {**row, "user_id": users.get(row.get("email_sha256", ""), "")} for row in rows]

    def _one(self, row: Mapping[str, Any], known: Known) -> Link:
        return link(row, known, identity=self._identity)

    async def _known(self, rows: Sequence[Mapping[str, Any]]) -> Known:
        since = earliest(rows) - self._identity - _LOOK_BACK
        traces = await self._map("join_sessions_by_trace", "traces", _distinct(row["trace_id"] for row in rows), since)
        orders = await self._map("join_sessions_by_order", "orders", _distinct(order_key(row) for row in rows), since)
        tickets = await self._map("join_sessions_by_ticket", "tickets", _distinct(row.get("ticket_id", "") for row in rows), since)
        persons = _distinct(f"user:{row['user_id']}" for row in rows if row["user_id"])
        visits = await self._store.query("join_sessions_by_person", persons=persons, since=since) if persons else []
        ids = _distinct([*(row["given_session_id"] for row in rows), *traces.values(), *orders.values(), *tickets.values()])
        found = await self._store.query("join_sessions_by_id", sessions=ids) if ids else []
        sessions = {session["session_id"]: session for session in [*visits, *found]}
        runs = await self._store.query("join_runs_by_session", sessions=list(sessions), since=since) if sessions else []
        return Known(sessions, traces, orders, by(visits, "person_id"), by(runs, "session_id"), tickets)

    async def _map(self, query: str, parameter: str, keys: list[str], since: datetime) -> dict[str, str]:
        if not keys:
            return {}
        bound: dict[str, Any] = {parameter: keys, "since": since}
        return {row["key"]: row["session_id"] for row in await self._store.query(query, **bound)}


def cut(rows: Sequence[Any], size: int = _AT_ONCE) -> Iterator[Sequence[Any]]:
    """The rows in batches."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _distinct(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value]


def _other(old: Any, new: Any) -> bool:
    return list(old) != list(new) if isinstance(old, (list, tuple)) else old != new
