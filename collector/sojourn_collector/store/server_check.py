"""Whether a ClickHouse server can hold the store: version, cluster, database, and what the user may do there."""

import asyncio
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
from clickhouse_connect.driver.asyncclient import AsyncClient

from sojourn_collector.store.connect import NETWORK_ERRORS, ClickHouseError, EngineUnavailable, StatementFailed, as_store_error, connect, plain_http
from sojourn_collector.store.endpoint import Endpoint, EngineStartError

MINIMUM = (26, 2)
"""The oldest server that knows everything the store says. By ClickHouse's own history of settings (`system.settings_changes` of 26.9, the same as its
SettingsChangesHistory.cpp): `deduplicate_insert` came with 26.2 (pull request 95970), `deduplicate_insert_select` with 25.12, `format_schema_source` with 25.6,
by which the load brings its Protobuf schema along. `quantilesDD` and `distributed_foreground_insert` are older (2024 and 2023)."""
NEEDED_FOR = "for deduplicate_insert, by which a repeated load is stored once"

DEADLINE = 10.0
"""Seconds a server has for one answer."""
CODE = re.compile(r"Code: (\d+)")
VERSION = re.compile(r"\d{1,4}\.\d{1,4}[\w.-]{0,40}")
WRONG_LOGIN = frozenset({192, 193, 194, 516})
NOT_ALLOWED = 497

RIGHTS = ("SELECT", "INSERT", "ALTER TABLE", "CREATE TABLE", "CREATE VIEW", "DROP TABLE", "DROP VIEW")
"""What the user must be allowed in the database."""
CLUSTER_RIGHTS = ("SYSTEM SYNC REPLICA ON {database}.*", "CLUSTER ON *.*", "REMOTE ON *.*")
"""What a cluster needs besides: to wait for replicas, ON CLUSTER, and Distributed tables."""


class ServerRefusedError(EngineStartError):
    """This server cannot hold the store as things are; waiting will not help. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A server that can."""

    version: str
    missing: tuple[str, ...]
    """What the user may not do and would have to."""


async def examine(endpoint: Endpoint, *, rights: bool = False) -> Examined:
    """Look at the server and make the database where it is missing; with `rights` also at what the user may do.

    Raises ServerRefusedError, EngineUnavailable.
    """
    try:
        version = await _version(endpoint)
        _new_enough(endpoint, version)
        client = await connect(endpoint, database="")
    except StatementFailed as error:
        raise _refused(endpoint, error) from error
    try:
        await _cluster(endpoint, client)
        await _database(endpoint, client)
        return Examined(version, await _missing(endpoint, client) if rights else ())
    except StatementFailed as error:
        raise _refused(endpoint, error) from error
    finally:
        await client.close()


async def _version(endpoint: Endpoint) -> str:
    """The server's version, asked without the driver: that one fails on old servers before it can tell. Raises StatementFailed, EngineUnavailable."""
    try:
        async with asyncio.timeout(DEADLINE), plain_http(endpoint, DEADLINE) as http:
            answer = await http.post(endpoint.url, content="SELECT version()")
    except (httpx2.HTTPError, TimeoutError, ssl.SSLError, OSError) as error:
        raise EngineUnavailable(f"it does not answer ({type(error).__name__})") from error
    if answer.status_code != 200:
        code = CODE.search(answer.text[:2000])
        if code is None:
            raise EngineUnavailable(f"it answers with HTTP status {answer.status_code}")
        raise StatementFailed(answer.text[:300], int(code[1]))
    if not VERSION.fullmatch(version := answer.text.strip()):
        raise ServerRefusedError(f"what answers at {endpoint.url} is no ClickHouse server; see engine.hosts")
    return version


def _new_enough(endpoint: Endpoint, version: str) -> None:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < MINIMUM:
        raise ServerRefusedError(
            f"the ClickHouse server at {endpoint.url} is version {version}; Sojourn needs {MINIMUM[0]}.{MINIMUM[1]} or newer ({NEEDED_FOR}); upgrade the server"
        )


async def _rows(client: AsyncClient, sql: str, **parameters: str) -> list[tuple[object, ...]]:
    try:
        return [tuple(row) for row in (await client.query(sql, parameters=parameters)).result_rows]
    except (ClickHouseError, *NETWORK_ERRORS) as error:
        raise as_store_error(error) from error


async def _cluster(endpoint: Endpoint, client: AsyncClient) -> None:
    name = endpoint.layout.cluster
    if not name:
        return
    if not await _rows(client, "SELECT 1 FROM system.clusters WHERE cluster = {name:String} LIMIT 1", name=name):
        known = ", ".join(sorted(str(row[0]) for row in await _rows(client, "SELECT DISTINCT cluster FROM system.clusters"))) or "none"
        raise ServerRefusedError(f"the ClickHouse server at {endpoint.url} knows no cluster {name}; it knows: {known}; see its remote_servers")
    macros = {str(row[0]) for row in await _rows(client, "SELECT macro FROM system.macros")}
    if lacking := sorted({"shard", "replica"} - macros):
        raise ServerRefusedError(
            f"the ClickHouse server at {endpoint.url} has no macro {' and no macro '.join(lacking)}; replicated tables are named by them; define them"
        )


async def _database(endpoint: Endpoint, client: AsyncClient) -> None:
    layout = endpoint.layout
    if await _rows(client, "SELECT 1 FROM system.databases WHERE name = {name:String}", name=layout.database):
        return
    try:
        await client.command(f"CREATE DATABASE IF NOT EXISTS {layout.database}{layout.on_cluster} ENGINE = Atomic", settings=layout.statements())
    except (ClickHouseError, *NETWORK_ERRORS) as error:
        raise as_store_error(error) from error


async def _missing(endpoint: Endpoint, client: AsyncClient) -> tuple[str, ...]:
    layout = endpoint.layout
    wanted = [f"{right} ON {layout.database}.*" for right in RIGHTS]
    if layout.cluster:
        wanted += [right.format(database=layout.database) for right in CLUSTER_RIGHTS]
    return tuple([right for right in wanted if (await _rows(client, f"CHECK GRANT {right}"))[0][0] != 1])


def _refused(endpoint: Endpoint, error: StatementFailed) -> EngineStartError | EngineUnavailable:
    if error.code in WRONG_LOGIN:
        return ServerRefusedError(
            f"the ClickHouse server at {endpoint.url} does not let {endpoint.user} in (code {error.code}); "
            "see engine.user and engine.password_file or engine.password_env"
        )
    if error.code == NOT_ALLOWED:
        return ServerRefusedError(
            f"the ClickHouse server at {endpoint.url} does not allow {endpoint.user} to look at it or to make the database {endpoint.layout.database} "
            f"(code {error.code}); make the database and grant what docs/collector.md lists"
        )
    return EngineUnavailable(f"it answers with an error (code {error.code})")


async def servers_answer(endpoints: Sequence[Endpoint]) -> str:
    """What `check` says of the servers when all of them can be used. Raises ServerRefusedError, EngineUnavailable for the first that cannot."""
    said = []
    for endpoint in endpoints:
        try:
            found = await examine(endpoint, rights=True)
        except EngineUnavailable as error:
            raise EngineUnavailable(f"{endpoint.url}: {error}") from error
        if found.missing:
            raise ServerRefusedError(f"{endpoint.user} at {endpoint.url} lacks rights; grant: {'; '.join(found.missing)}")
        said.append(f"{endpoint.url} answers, ClickHouse {found.version}")
    layout = endpoints[0].layout
    where = f"database {layout.database}" + (f" on cluster {layout.cluster}" if layout.cluster else "")
    return f"{', '.join(said)}; {endpoints[0].user} may do what is needed in {where}"
