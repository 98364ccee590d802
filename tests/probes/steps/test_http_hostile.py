"""The http runner against servers that break off, drip, or send without end."""

import asyncio
import socket
import struct
import time

import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.steps.test_http import one, step_of
from tests.probes.steps.tls_servers import listening
from tests.probes.walking import walk


def linger_off(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort", b"HTTP/1.1 200 OK\r\n\r\nshort"], ids=["a length", "to the end"])
async def test_a_reset_in_the_body_is_protocol(begin):
    """The connection is reset half-way: never a whole body, with status and phases kept and how far it came."""

    async def resets(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begin)
        await writer.drain()
        await asyncio.sleep(0.2)
        linger_off(writer)

    async with listening(resets) as port:
        run = await walk(one(f"http://127.0.0.1:{port}"))
    exchange = step_of(run).exchanges[0]
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert "the connection was reset in the body, after 5 B; the server or something on the way broke it off" in run.failure.message
    assert (exchange.status, exchange.error) == (200, FailureKind.PROTOCOL)
    assert list(exchange.phases) == ["connect", "send", "wait"]


async def test_a_header_that_drips_ends_at_the_deadline():
    """A byte now and then keeps nothing going: the deadline is for the whole step."""

    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nx-a: ")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(drip) as port:
        began = time.monotonic()
        run = await walk(one(f"http://127.0.0.1:{port}", timeout="1s"))
        took = time.monotonic() - began
    exchange = step_of(run).exchanges[0]
    assert run.failure.kind is FailureKind.TIMEOUT
    assert "the server took the request and its header is not whole" in run.failure.message
    assert (exchange.status, list(exchange.phases)) == (None, ["connect", "send"])
    assert took < 5


@pytest.mark.parametrize("chunked", [False, True], ids=["to the end", "chunked"])
async def test_an_endless_body_is_bounded_without_max_body(chunked):
    """A journey that says nothing of max_body is not filled up: it is content at the default, long before the deadline."""
    piece = b"x" * 65536
    sent = 0

    async def floods(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"transfer-encoding: chunked\r\n\r\n" if chunked else b"\r\n"))
        while True:
            writer.write(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
            await writer.drain()
            sent += len(piece)

    async with listening(floods) as port:
        run = await walk(one(f"http://127.0.0.1:{port}", timeout="60s"))
    assert run.failure.kind is FailureKind.CONTENT, run.failure
    assert "(max_body)" in run.failure.message
    assert sent < 40 * 1024 * 1024


async def test_bytes_beyond_the_length_are_no_part_of_the_body():
    """Content-Length ends the body; what comes after it is neither read as body nor taken for the answer to the next request."""

    async def says_more(reader, writer):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()

    async with listening(says_more) as port:
        get = f"http: {{url: 'http://127.0.0.1:{port}/', connections: kept}}, expect: [status == 200, body == hello, size == 5]"
        run = await walk(f"id: j\nsteps:\n  - {{id: a, {get}}}\n  - {{id: b, {get}}}\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert [next(iter(step.exchanges[0].phases)) for step in run.attempts[0].steps] == ["connect", "connect"]
    assert {step.note for step in run.attempts[0].steps} == {"the server sent 44 B more than its content-length says; browsers cut that off"}


async def test_bytes_that_come_after_the_body_end_a_kept_connection():
    """Also when they come later, on their own: they are never taken for the next answer."""
    opened = 0

    async def says_more_later(reader, writer):
        nonlocal opened
        opened += 1
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.write(b"HTTP/1.1 500 Smuggled\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()

    async with listening(says_more_later) as port:
        get = f"http: {{url: 'http://127.0.0.1:{port}/', connections: kept}}, expect: [status == 200, body == hello]"
        run = await walk(f"id: j\nsteps:\n  - {{id: a, {get}}}\n  - {{id: w, wait: 500ms}}\n  - {{id: b, {get}}}\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert opened == 2
