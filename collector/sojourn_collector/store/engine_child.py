"""The engine's own process: chDB behind the part of ClickHouse's HTTP interface that `clickhouse-connect` speaks.

Run by `engine_process.py` as `python -m sojourn_collector.store.engine_child`; the only module that imports chdb. One JSON line on stdin tells it
what to open, one JSON line on stdout says where it listens; when stdin ends (the parent is gone) it ends too.

Connections: one for loads, one for other writes and DDL, a pool for reads, one for health and KILL QUERY, so that a ping never waits behind a query.
Settings ride in the statement: a `SET` would stay on the connection and, with a deduplication token, swallow the next insert.
"""

import asyncio
import base64
import ctypes
import hmac
import json
import os
import queue
import re
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

PR_SET_PDEATHSIG = 1
TRANSPORT = frozenset(
    {
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "wait_end_of_query",
    }
)
"""URL parameters that speak about the transport and mean nothing here."""
USER = "default"
"""The user whose password is the token, for a client that has no bearer token to give."""
SETTING_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
# One line end and no more: an insert of ten columns begins with the byte 10, which is a line end too.
INSERT_WITH_DATA = re.compile(rb"\s*(INSERT\s+INTO\s[^\n]*?)\s+FORMAT\s+(\w+)[ \t\r]*\n", re.IGNORECASE)
INPUT = re.compile(r"\binput\(('(?:[^'\\]|\\.)*')\)")
FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
EXPORT = re.compile(r"\s*INSERT\s+INTO\s+FUNCTION\s", re.IGNORECASE)
FIELD_NAME = re.compile(rb'name="([^"]+)"')
ERROR_CODE = re.compile(r"Code: (\d+)")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class BadRequestError(Exception):
    """A request this server does not answer; the text says why."""


class Engine:
    """Connections to one chDB folder, each used by one statement at a time."""

    def __init__(self, path: str, options: str, readers: int) -> None:
        import chdb

        self._connect = partial(chdb.connect, f"{path}?{options}")
        self._folder = Path(path).parent
        self._lanes: dict[str, queue.SimpleQueue[Any]] = {}
        for lane, count in {"load": 1, "write": 1, "read": readers, "control": 1}.items():
            self._lanes[lane] = queue.SimpleQueue()
            for _ in range(count):
                self._lanes[lane].put(self._connect())
        self.pools = {lane: ThreadPoolExecutor(held.qsize(), f"engine-{lane}") for lane, held in self._lanes.items()}

    @contextmanager
    def _connection(self, lane: str) -> Iterator[Any]:
        """One of the lane's connections, for one statement; one whose statement failed is not used again.

        What a failing statement had put out by then, chDB puts before the answer of the connection's next statement (seen with 26.9).
        """
        connection = self._lanes[lane].get()
        try:
            yield connection
        except BaseException:
            connection.close()
            connection = self._connect()
            raise
        finally:
            self._lanes[lane].put(connection)

    def statement(self, lane: str, sql: str, parameters: dict[str, str]) -> bytes:
        """Run one statement; raises RuntimeError with the engine's text."""
        with self._connection(lane) as connection:
            return bytes(connection.query(sql, "TabSeparated", params=parameters).bytes())

    def insert(self, lane: str, head: str, data_format: str, data: bytes) -> bytes:
        """Insert `data` in `data_format`; `head` is `INSERT INTO t (columns) [SETTINGS …]`, or reads them by `input(…)`."""
        if INPUT.search(head):
            return self._insert_through_file(lane, head, data_format, data)
        with self._connection(lane) as connection, connection.send_insert(head, data_format) as stream:
            stream.append(data)
            stream.finish()
        return b""

    def _insert_through_file(self, lane: str, head: str, data_format: str, data: bytes) -> bytes:
        """As a server reads a body by `input(…)`: here that stores nothing and says nothing, so the body becomes a file that only we can read."""
        with tempfile.NamedTemporaryFile(prefix="body-", dir=self._folder) as spool:
            spool.write(data)
            spool.flush()
            return self.statement(lane, INPUT.sub(lambda found: f"file('{spool.name}', '{data_format}', {found[1]})", head), {})


def lane_of(sql: str, *, with_data: bool) -> str:
    """Which connection a statement belongs to."""
    if with_data:
        return "write"
    match = FIRST_WORD.match(sql)
    word = match.group(1).upper() if match else ""
    if word == "INSERT":
        # An export reads a table and writes a file; the loader need not wait for it.
        return "read" if EXPORT.match(sql) else "load"
    if word == "KILL":
        return "control"
    return "read" if word in {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"} else "write"


def settings_clause(settings: dict[str, str]) -> str:
    """` SETTINGS a = 'b'` for the settings a client put into the URL."""
    for name in settings:
        if not SETTING_NAME.match(name):
            raise BadRequestError(f"{name[:80]!r} is not a name of a setting.")
    quoted = (f"{name} = '{value.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39))}'" for name, value in settings.items())
    return " SETTINGS " + ", ".join(quoted) if settings else ""


def form_fields(content_type: bytes, body: bytes) -> dict[str, str]:
    """Fields of a multipart form; the client sends long parameters so."""
    boundary = content_type.partition(b"boundary=")[2].strip(b'"')
    fields = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if name := FIELD_NAME.search(head):
            fields[name.group(1).decode()] = content.removesuffix(b"\r\n").decode()
    return fields


class Application:
    """ASGI: `/` runs a statement, `/ping` answers by the engine's own control connection."""

    def __init__(self, engine: Engine, token: str) -> None:
        self._engine = engine
        self._wanted = [f"Bearer {token}".encode(), b"Basic " + base64.b64encode(f"{USER}:{token}".encode())]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not any(hmac.compare_digest(given, one) for one in self._wanted):
            await self._answer(send, 401, b"Code: 516. The engine takes requests of its own collector only.", code="516")
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            result = await self._run(scope, bytes(body))
        except BadRequestError as error:
            await self._answer(send, 400, f"Code: 36. {error}".encode(), code="36")
        except Exception as error:  # noqa: BLE001 - chdb raises bare RuntimeError and its own kinds; the text carries the code
            text = str(error)
            found = ERROR_CODE.search(text)
            await self._answer(send, 500, text.encode(), code=found.group(1) if found else "1002")
        else:
            await self._answer(send, 200, result)

    async def _run(self, scope: dict[str, Any], body: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        if scope["path"] == "/ping":
            await loop.run_in_executor(self._engine.pools["control"], self._engine.statement, "control", "SELECT 1", {})
            return b"Ok.\n"
        content_type = dict(scope["headers"]).get(b"content-type", b"")
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        if content_type.startswith(b"multipart/form-data"):
            query |= form_fields(content_type, body)
            body = b""
        parameters = {name[6:]: value for name, value in query.items() if name.startswith("param_")}
        settings = {name: value for name, value in query.items() if name not in TRANSPORT and not name.startswith("param_")}
        insert = INSERT_WITH_DATA.match(query["query"].encode() + b"\n" + body if "query" in query else body)
        if insert:
            data = insert.string[insert.end() :]
            head = insert.group(1).decode() + settings_clause(settings)
            return await loop.run_in_executor(self._engine.pools["write"], self._engine.insert, "write", head, insert.group(2).decode(), data)
        sql = (query.get("query", "") + " " + body.decode()).strip().rstrip(";")
        if not sql:
            raise BadRequestError("The request carries no statement.")
        lane = lane_of(sql, with_data=False)
        if lane == "read":
            sql += settings_clause(settings)
        return await loop.run_in_executor(self._engine.pools[lane], self._engine.statement, lane, sql, parameters)

    async def _answer(self, send: Send, status: int, body: bytes, code: str = "") -> None:
        headers = [(b"x-clickhouse-timezone", b"UTC"), (b"x-clickhouse-summary", b"{}"), (b"content-length", str(len(body)).encode())]
        if code:
            headers.append((b"x-clickhouse-exception-code", code.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def end_with_parent(parent: int) -> None:
    """Make sure this process never outlives the collector: it would keep the folder locked."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def main() -> None:
    """Read the order from stdin, open the engine, say where, serve until told to stop."""
    order = json.loads(sys.stdin.buffer.readline())
    end_with_parent(order["parent"])
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    try:
        engine = Engine(order["path"], order["options"], order["readers"])
    except Exception as error:  # noqa: BLE001 - whatever hinders the engine, the parent shall read it
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        sys.stdout.flush()
        os._exit(1)
    sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    application = Application(engine, order["token"])
    config = uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[listener])
    # Everything stored is on disk; closing by hand could wait for a query that nobody wants any more.
    os._exit(0)


if __name__ == "__main__":
    main()
