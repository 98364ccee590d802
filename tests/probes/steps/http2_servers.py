"""HTTP/2 servers on loopback: hypercorn, and a hand-made one that breaks the rules when told to."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import hypercorn.asyncio
import hypercorn.config
import trustme

from tests.probes.steps.tls_servers import listening

Misbehave = Callable[[h2.connection.H2Connection, int], None]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the HTTP version it was asked in and the size of the body."""
    if scope["type"] == "lifespan":
        return
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"HTTP/{scope['http_version']} {scope['method']} {size}".encode()})


@asynccontextmanager
async def serving(folder: Path, authority: trustme.CA) -> AsyncIterator[int]:
    """hypercorn with TLS, offering h2 and http/1.1; its authority lies in `folder` as ca.pem. Yields the port."""
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    (folder / "server.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    listener = socket.create_server(("127.0.0.1", 0))
    port = int(listener.getsockname()[1])
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.certfile, config.keyfile = str(folder / "server.pem"), str(folder / "server.key")
    config.loglevel = "CRITICAL"
    config.errorlog = None
    config.graceful_timeout = 0.1
    over = asyncio.Event()
    task = asyncio.create_task(hypercorn.asyncio.serve(echo, config, shutdown_trigger=over.wait))
    try:
        yield port
    finally:
        over.set()
        await task


@asynccontextmanager
async def misbehaving(misbehave: Misbehave, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that speaks HTTP/2 from the first byte and does `misbehave` with each request. Yields the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        writer.write(state.data_to_send())
        while data := await reader.read(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    assert event.stream_id is not None
                    misbehave(state, event.stream_id)
            writer.write(state.data_to_send())
            await writer.drain()

    async with listening(serve, tls) as port:
        yield port
