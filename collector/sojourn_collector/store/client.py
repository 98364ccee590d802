"""The store as the other parts see it: named queries, inserts, statements of migrations and loads, over `clickhouse-connect`'s async client.

The same client speaks to the embedded engine and to a ClickHouse server.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clickhouse_connect.driver.asyncclient import AsyncClient

from sojourn_collector.store import rows as rows_of
from sojourn_collector.store.catalogue import Catalogue
from sojourn_collector.store.connect import NETWORK_ERRORS, ClickHouseError, as_store_error, connect
from sojourn_collector.store.connect import EngineUnavailable as EngineUnavailable
from sojourn_collector.store.connect import StatementFailed as StatementFailed
from sojourn_collector.store.connect import StoreError as StoreError
from sojourn_collector.store.ddl import EVERYWHERE, is_ddl, render
from sojourn_collector.store.endpoint import Endpoint
from sojourn_collector.store.layout import Layout
from sojourn_collector.store.load_sql import Load

TENANT = "default"

READING = {"optimize_move_to_prewhere_if_final": "1"}
"""Conditions on what rows are sorted by hold for all versions of a row: they are looked at before versions are merged, which is most of the work."""


class QueryTimeout(StoreError):  # noqa: N818 - says what is the case
    """A query ran into its deadline and was killed."""


class Store:
    """One tenant's view of the tables. `endpoint` returns where the engine is now, or None while it is down."""

    def __init__(self, endpoint: Callable[[], Endpoint | None], *, tenant: str = TENANT, catalogue: Catalogue | None = None, deadline: float = 10.0) -> None:
        self._endpoint = endpoint
        self._tenant = tenant
        self._catalogue = catalogue or Catalogue()
        self._deadline = deadline
        self._types: dict[str, dict[str, str]] = {}
        self.on_refusal: Callable[[StatementFailed], None] = lambda _: None
        """Told of each query the engine refused."""
        self._connected: tuple[Endpoint, AsyncClient] | None = None
        self._connecting = asyncio.Lock()

    @property
    def tenant(self) -> str:
        """Whose rows every query of this store sees."""
        return self._tenant

    async def query(self, name: str, /, *, deadline: float | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of the catalogue's query `name` as dicts; times are aware, in UTC.

        `tenant` is passed by itself. Raises KeyError for an unknown query, TypeError for wrong parameters, QueryTimeout after `deadline` seconds
        (default 10), EngineUnavailable, StatementFailed.
        """
        named = self._catalogue.get(name)
        if "tenant" in named.types:
            parameters.setdefault("tenant", self._tenant)
        return await self._rows(named.sql, named.bind(parameters), deadline or self._deadline)

    async def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, *, deadline: float | None = None) -> list[dict[str, Any]]:
        """Rows of a statement put together by us, such as an erasure's counts; no text of a request may be in it. Raises as `query`."""
        return await self._rows(sql, parameters or {}, deadline or self._deadline)

    async def _rows(self, sql: str, bound: Mapping[str, Any], deadline: float) -> list[dict[str, Any]]:
        client = await self._client()
        mark = uuid.uuid4().hex
        settings = {"max_execution_time": f"{deadline:.3f}", "log_comment": mark, **READING, **self._layout().reads()}
        try:
            async with asyncio.timeout(deadline):
                result = await client.query(sql, settings=settings, parameters=dict(bound))
        except TimeoutError as error:
            await self._kill(mark)
            raise QueryTimeout(f"The query took longer than {deadline:g} s and was stopped.") from error
        except asyncio.CancelledError:
            # Nobody waits for the rows any more; the engine need not go on.
            await asyncio.shield(self._kill(mark))
            raise
        except (ClickHouseError, *NETWORK_ERRORS) as error:
            refused = as_store_error(error)
            if isinstance(refused, StatementFailed):
                self.on_refusal(refused)
            raise refused from error
        return list(result.named_results())

    async def _kill(self, mark: str) -> None:
        try:
            async with asyncio.timeout(5):
                client = await self._client()
                await client.command(f"KILL QUERY{self._layout().on_cluster} WHERE Settings['log_comment'] = '{mark}' ASYNC")
        except (StoreError, ClickHouseError, TimeoutError, *NETWORK_ERRORS):
            return  # max_execution_time in the statement ends it anyway

    async def insert(self, table: str, rows: Sequence[Mapping[str, Any]], token: str | None = None, *, deadline: float = 60.0) -> None:
        """Insert rows; a column left out gets its default; DateTime64 as aware datetime or integer milliseconds.

        The same `token` again stores nothing, so a retry after a lost answer is safe. Without a token every call inserts.
        Raises KeyError for a column the table does not have, EngineUnavailable, StatementFailed.
        """
        if not rows:
            return
        client = await self._client()
        try:
            async with asyncio.timeout(deadline):
                types = await self.columns(table)
                names, values = rows_of.plan(rows, types, table, self._tenant)
                await client.insert(
                    table,
                    values,
                    column_names=names,
                    column_type_names=[types[name] for name in names],
                    column_oriented=True,
                    settings=insert_settings(token, self._layout()),
                )
                if table in EVERYWHERE and (layout := self._layout()).cluster:
                    # What is read next, on whichever host, must see these rows.
                    await client.command(f"SYSTEM SYNC REPLICA{layout.on_cluster} {layout.database}.{table}")
        except TimeoutError as error:
            raise EngineUnavailable(f"The engine did not take the rows within {deadline:g} s.") from error
        except (ClickHouseError, *NETWORK_ERRORS) as error:
            raise as_store_error(error) from error

    async def columns(self, table: str) -> dict[str, str]:
        """Names and types of a table's columns. Raises KeyError when there is no such table."""
        if table not in self._types:
            sql = "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position"
            found = await self._rows(sql, {"table": table}, self._deadline)
            if not found:
                raise KeyError(f"there is no table {table}")
            self._types[table] = {row["name"]: row["type"] for row in found}
        return self._types[table]

    async def statement(self, sql: str, parameters: Mapping[str, Any] | None = None, *, deadline: float = 600.0) -> None:
        """Run one statement of ours that returns nothing (migrations, mutations); DDL in the form the layout needs.

        Raises EngineUnavailable, StatementFailed, DdlError.
        """
        client = await self._client()
        layout = self._layout()
        try:
            async with asyncio.timeout(deadline):
                for one in render(sql, layout):
                    await client.command(one, parameters=dict(parameters or {}), settings=layout.statements() if is_ddl(one) else layout.writes())
        except TimeoutError as error:
            raise EngineUnavailable(f"The engine did not finish a statement within {deadline:g} s.") from error
        except (ClickHouseError, *NETWORK_ERRORS) as error:
            raise as_store_error(error) from error

    async def load(self, load: Load, *, deadline: float = 600.0) -> None:
        """Load a journal file: the embedded engine reads it itself, a server gets it as the body. Raises EngineUnavailable, StatementFailed, OSError."""
        layout = self._layout()
        if layout.shape == "embedded":
            await self.statement(load.sql(), deadline=deadline)
            return
        client = await self._client()
        body = load.sql_for_body(layout.writes()).encode() + await asyncio.to_thread(load.path.read_bytes)
        try:
            async with asyncio.timeout(deadline):
                await client.raw_insert(insert_block=body)
        except TimeoutError as error:
            raise EngineUnavailable(f"The engine did not finish a load within {deadline:g} s.") from error
        except (ClickHouseError, *NETWORK_ERRORS) as error:
            raise as_store_error(error) from error

    @property
    def embedded(self) -> bool:
        """Whether the tables are files of this machine's data folder. Raises EngineUnavailable while there is no engine."""
        return self._layout().shape == "embedded"

    def _layout(self) -> Layout:
        """Of the engine there is now. Raises EngineUnavailable."""
        endpoint = self._endpoint()
        if endpoint is None:
            raise EngineUnavailable("The engine is starting or was just restarted; try again in a moment.")
        return endpoint.layout

    async def ping(self) -> bool:
        """Whether a statement comes back."""
        try:
            await self._rows("SELECT 1 AS one", {}, 5.0)
        except StoreError:
            return False
        return True

    async def close(self) -> None:
        """Close the connections; the engine goes on."""
        connected, self._connected = self._connected, None
        if connected:
            await connected[1].close()

    async def _client(self) -> AsyncClient:
        endpoint = self._endpoint()
        if endpoint is None:
            raise EngineUnavailable("The engine is starting or was just restarted; try again in a moment.")
        if self._connected and self._connected[0] == endpoint:
            return self._connected[1]
        async with self._connecting:
            if self._connected and self._connected[0] == endpoint:
                return self._connected[1]
            await self.close()
            client = await connect(endpoint)
            self._connected = (endpoint, client)
            return client


def insert_settings(token: str | None, layout: Layout) -> dict[str, str]:
    """Deduplication said in so many words: by our token, views included, or not at all."""
    if token is None:
        return {**layout.writes(), "deduplicate_insert": "disable"}
    return {**layout.writes(), "deduplicate_insert": "enable", "deduplicate_blocks_in_dependent_materialized_views": "1", "insert_deduplication_token": token}
