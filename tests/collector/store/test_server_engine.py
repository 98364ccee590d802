"""Servers: which one is used, when the next one is, and what is said of one that cannot hold the store.

The server is the engine's own HTTP interface, asked with user and password through the same client; what an old, a foreign or a silent server says is played.
"""

import asyncio
import contextlib
import dataclasses
import os
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from sojourn_collector.store.catalogue import FOLDER, Catalogue
from sojourn_collector.store.client import EngineUnavailable, Store
from sojourn_collector.store.endpoint import Endpoint
from sojourn_collector.store.layout import Layout
from sojourn_collector.store.load_sql import Load
from sojourn_collector.store.migrations import migrate, read
from sojourn_collector.store.server_check import MINIMUM, ServerRefusedError, examine, servers_answer
from sojourn_collector.store.server_engine import ServerEngine, ServerWatch
from tests.collector.store.test_load import body, record

WATCH = ServerWatch(every=0.02, deadline=2.0, first_wait=0.02, longest_wait=0.05)
NOWHERE = Endpoint("127.0.0.1", 1, user="default", layout=Layout("sojourn"))


def as_server(engine: Endpoint, **other: object) -> Endpoint:
    """The engine as a server: user and password in place of its token, tables in a database by name."""
    plain = dataclasses.replace(engine, token="", user="default", password=engine.token, layout=Layout("default"))
    return dataclasses.replace(plain, **other)  # type: ignore[arg-type]


@pytest.fixture
def server(engine: Endpoint) -> Endpoint:
    """A server that can hold the store."""
    return as_server(engine)


@contextlib.asynccontextmanager
async def door(to: Endpoint, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """A port of its own that leads to a server, and how to shut it with all who came through."""
    open_writers: list[asyncio.StreamWriter] = []
    guests: list[asyncio.Future[object]] = []

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(1 << 16):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(to.host, to.port)
        open_writers.extend((writer, outer))
        guests.extend((asyncio.ensure_future(pump(reader, outer)), asyncio.ensure_future(pump(inner, writer))))

    listener = await asyncio.start_server(through, "127.0.0.1", port, ssl=tls)

    def shut() -> None:
        listener.close()
        for writer in open_writers:
            writer.transport.abort()

    try:
        yield listener.sockets[0].getsockname()[1], shut
    finally:
        shut()
        await asyncio.gather(*guests, return_exceptions=True)


@contextlib.asynccontextmanager
async def saying(status: str, text: str) -> AsyncIterator[Endpoint]:
    """A server that says one thing to every request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield dataclasses.replace(NOWHERE, port=listener.sockets[0].getsockname()[1])
    finally:
        listener.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait for something the watch does."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def test_every_migration_query_and_load_goes_to_a_server(server: Endpoint, tmp_path: Path):
    """By user and password: tables are up to date, each query of the catalogue is answered, a journal file goes as a body and is stored once."""
    watched = ServerEngine([server], WATCH)
    await watched.start()
    store = Store(watched.endpoint, tenant="of-a-server")
    try:
        assert (watched.state, watched.reason) == ("ready", "")
        assert await migrate(store) == 0  # the session's engine has them; the shapes' tests run each
        assert len(await store.query("migrations_done")) == sum(len(one.statements) for one in read())
        for path in FOLDER.glob("*.sql"):
            types = Catalogue().get(path.stem).types
            await store.query(path.stem, **{name: nothing(name, kind) for name, kind in types.items() if name != "tenant"})
        seq = int.from_bytes(os.urandom(5))
        path = tmp_path / "file.pb"
        path.write_bytes(record(body("b", 3), "b", 3).encode() * 2)
        for _ in range(2):
            await store.load(Load("traces", path, seq, f"server-{seq}"))
        assert await store.query("loaded_spans", seq=seq) == [{"n": 6}]
    finally:
        await store.close()
        await watched.stop()
    assert watched.endpoint() is None


def nothing(name: str, kind: str) -> Any:
    """A value of a parameter's type."""
    if kind.startswith("Array"):
        return []
    if kind.startswith("DateTime"):
        return "2026-11-01 00:00:00"
    if name == "every":
        return "day"
    return "UTC" if kind == "String" else 1


async def test_a_body_that_is_no_protobuf_is_refused_and_stores_nothing(server: Endpoint, tmp_path: Path):
    """A damaged file is an error with ClickHouse's code, as the embedded engine's is, so that the loader splits it."""
    store = Store(lambda: server)
    path = tmp_path / "file.pb"
    path.write_bytes(record(body("b", 2), "b", 2).encode()[:-3])
    with pytest.raises(Exception, match=r"Code: \d+") as refused:
        await store.load(Load("traces", path, 4_711, "damaged"))
    assert refused.value.code > 0  # type: ignore[attr-defined]
    assert await store.query("loaded_spans", seq=4_711) == [{"n": 0}]
    await store.close()


async def test_the_next_host_is_used_when_one_goes(server: Endpoint):
    """The first host that answers is used; when it goes, /readyz says so until the next one is found, and the store goes on there."""
    async with door(server) as (first, shut), door(server) as (second, _):
        hosts = [dataclasses.replace(server, port=1), dataclasses.replace(server, port=first), dataclasses.replace(server, port=second)]
        watched = ServerEngine(hosts, WATCH)
        await watched.start()
        store = Store(watched.endpoint)
        try:
            assert (watched.endpoint(), watched.restarts) == (hosts[1], 0)
            assert await store.ping()
            shut()
            await until(lambda: watched.endpoint() == hosts[2])
            assert (watched.state, watched.reason, watched.restarts) == ("ready", "", 1)
            assert await store.ping()
        finally:
            await store.close()
            await watched.stop()


async def test_without_any_server_it_waits_and_says_so(server: Endpoint):
    """No host answers: the collector starts all the same, says which hosts were tried, statements may be tried again; a host that comes is used."""
    async with door(server) as (port, _):
        pass
    watched = ServerEngine([dataclasses.replace(server, port=port)], WATCH)
    await watched.start()
    store = Store(watched.endpoint)
    try:
        assert watched.endpoint() is None
        assert watched.reason == f"No ClickHouse server can be used: http://127.0.0.1:{port}: it does not answer (ConnectError)"
        with pytest.raises(EngineUnavailable):
            await store.query("loaded_spans", seq=1)
        async with door(server, port=port):
            await until(lambda: watched.state == "ready")
            assert await store.ping()
    finally:
        await store.close()
        await watched.stop()


async def test_wrong_password_stops_the_start(server: Endpoint):
    """The sentence names the server, the user and the keys to look at, never the password."""
    wrong = dataclasses.replace(server, password="no such secret")
    with pytest.raises(ServerRefusedError) as refused:
        await ServerEngine([wrong], WATCH).start()
    assert str(refused.value) == (
        f"the ClickHouse server at {server.url} does not let default in (code 516); see engine.user and engine.password_file or engine.password_env"
    )
    assert "secret" not in repr(wrong)


async def test_an_old_server_stops_the_start():
    """Version 18.16.1 (Debian's) and the one before the oldest are refused by one sentence with both versions; nothing else is asked of them."""
    for version in ("18.16.1", f"{MINIMUM[0]}.{MINIMUM[1] - 1}.9.9"):
        async with saying("200 OK", version + "\n") as old:
            with pytest.raises(ServerRefusedError) as refused:
                await ServerEngine([NOWHERE, old], WATCH).start()
        assert str(refused.value) == (
            f"the ClickHouse server at {old.url} is version {version}; Sojourn needs 26.2 or newer "
            "(for deduplicate_insert, by which a repeated load is stored once); upgrade the server"
        )


@pytest.mark.parametrize(
    ("status", "text", "sentence"),
    [
        ("200 OK", "<html>hello</html>", "what answers at {url} is no ClickHouse server; see engine.hosts"),
        ("200 OK", "9" * 90 + ".1", "what answers at {url} is no ClickHouse server; see engine.hosts"),
        ("502 Bad Gateway", "no backend", "it answers with HTTP status 502"),
        ("500 Internal Server Error", "Code: 999. DB::Exception: Keeper", "it answers with an error (code 999)"),
    ],
)
async def test_what_else_may_answer(status: str, text: str, sentence: str):
    """Something that is no ClickHouse is said to be none; trouble that may pass is waited out."""
    async with saying(status, text) as other:
        with pytest.raises((ServerRefusedError, EngineUnavailable)) as refused:
            await examine(other)
        assert str(refused.value) == sentence.format(url=other.url)


async def test_an_unknown_cluster_stops_the_start(server: Endpoint):
    """The sentence says which clusters the server knows."""
    with pytest.raises(ServerRefusedError) as refused:
        await ServerEngine([dataclasses.replace(server, layout=Layout("default", "main"))], WATCH).start()
    assert str(refused.value) == f"the ClickHouse server at {server.url} knows no cluster main; it knows: none; see its remote_servers"


async def test_check_says_version_and_rights(server: Endpoint):
    """The line of `check` names each server, its version, and where the user may do what is needed."""
    said = await servers_answer([server])
    assert said.startswith(f"{server.url} answers, ClickHouse 26.")
    assert said.endswith("; default may do what is needed in database default")


async def test_tls_is_verified(server: Endpoint, tmp_path: Path):
    """With the authority's file the server is used over TLS; without it, it is no server to us."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with door(server, context) as (port, _):
        trusted = dataclasses.replace(server, port=port, secure=True, ca_file=tmp_path / "ca.pem")
        watched = ServerEngine([trusted], WATCH)
        await watched.start()
        store = Store(watched.endpoint)
        assert await store.ping()
        await store.close()
        await watched.stop()
        with pytest.raises(EngineUnavailable, match=r"^it does not answer \(ConnectError\)$"):
            await examine(dataclasses.replace(trusted, ca_file=None))
