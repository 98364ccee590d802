"""http steps against servers that break off, drip, say too much or too little, and break the rules of HTTP."""

import asyncio
import socket
import struct
import tracemalloc
from typing import Any

import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import answer
from tests.probes.steps.tls_servers import Serve, listening
from tests.probes.walking import walk

OK = b"HTTP/1.1 200 OK\r\n"


def one(url: str, more: str = "", then: str = "", timeout: str = "25s") -> str:
    return f"id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    http: {{url: '{url}'{more}}}\n{then}"


def exchanges(run: Any) -> Any:
    return run.attempts[-1].steps[-1].exchanges


def saying(*pieces: bytes | float, resets: bool = False, stays: bool = False) -> Serve:
    """A server that reads a request and says `pieces`, with pauses; then it resets the connection, stays silent or closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            else:
                await asyncio.sleep(piece)
        if resets:
            await asyncio.sleep(0.1)
            reset(writer)
        while stays and await reader.read(65536):
            pass

    return serve


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST instead of FIN."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.parametrize(
    ("pieces", "said", "status"),
    [
        ((), "the connection was reset before an answer came", None),
        ((OK + b"x-a",), "the connection was reset before an answer came", None),
        ((OK + b"content-length: 50\r\n\r\nhello",), "the connection was reset in the body, after 5 B", 200),
        ((OK + b"\r\nhello",), "the connection was reset in the body, after 5 B", 200),
        ((OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",), "the connection was reset in the body, after 5 B", 200),
    ],
    ids=["before", "in the header", "in the body", "until the end", "chunked"],
)
async def test_a_reset_connection(pieces, said, status):
    """A TCP reset is `protocol`, with how far it came; a body that the end of the connection ends is not taken for whole."""
    async with listening(saying(*pieces, resets=True)) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/"))
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert run.failure.message == f"GET http://127.0.0.1:{port}/: {said}; the server or something on the way broke it off"
    assert (exchanges(run)[0].status, exchanges(run)[0].error) == (status, FailureKind.PROTOCOL)


async def test_a_header_that_drips_ends_at_the_deadline():
    """A line now and then does not stretch it, and what was waited for is said."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        while True:
            writer.write(b"x: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(drip) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/", timeout="1s"))
    assert run.failure.kind is FailureKind.TIMEOUT
    assert "the server took the request and its header is not whole" in run.failure.message
    assert exchanges(run)[0].status is None


@pytest.mark.parametrize(
    "framing", [b"\r\n", b"transfer-encoding: chunked\r\n\r\n", b"content-length: 999999999999\r\n\r\n"], ids=["none", "chunked", "length"]
)
async def test_a_body_without_end_is_bounded(framing):
    """Without max_body too: 5 MB are read and not much more is held."""

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + framing)
        piece = b"x" * 50_000
        piece = b"c350\r\n" + piece + b"\r\n" if b"chunked" in framing else piece
        while True:
            writer.write(piece)
            await writer.drain()

    async with listening(endless) as port:
        tracemalloc.start()
        try:
            run = await walk(one(f"http://127.0.0.1:{port}/"))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert run.failure.kind is FailureKind.CONTENT
    assert run.failure.message == f"GET http://127.0.0.1:{port}/: the body is larger than 5.0 MB (max_body)"
    assert peak < 40_000_000


@pytest.mark.parametrize(
    ("raw", "body", "note"),
    [
        (OK + b"content-length: 2\r\n\r\nhello", "he", "the server sent 3 B more than its content-length says; browsers cut that off"),
        (b"HTTP/1.1 204 No\r\n\r\nhello", "", "the server sent 5 B more than its content-length says; browsers cut that off"),
        (b"HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\nhello", "", None),
        (b"HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n", "", ""),
        (OK + b"content-length: 5, 5\r\n\r\nhello", "hello", ""),
        (OK + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello", "hello", ""),
        (OK + b"transfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx-sum: 1\r\nset-cookie: a=b\r\n\r\n", "hello", ""),
        (OK + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", ""),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", "hello", ""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + answer(body="hello"), "hello", ""),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500 + answer(body="hello"), "hello", ""),
        (b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello", "hello", ""),
        (b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", "hello", ""),
        (OK + b"x: " + b"y" * 90_000 + b"\r\ncontent-length: 5\r\n\r\nhello", "hello", ""),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_odd_answers_that_browsers_take(raw, body, note):
    """Are taken: too many bytes are a note, trailers and hints are passed over, a body where there is none is cut off."""
    async with listening(saying(raw)) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/", then=f"    expect: [status < 400, body == '{body}']\n"))
    assert run.outcome is Outcome.PASSED, run.failure
    assert note is None or run.attempts[0].steps[0].note == note


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!", "the answer is not good HTTP: "),
        (OK + b"content-length: five\r\n\r\nhello", "the answer is not good HTTP: "),
        (OK + b"content-length: -1\r\n\r\nhello", "the answer is not good HTTP: "),
        (OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "the answer is not good HTTP: "),
        (OK + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 30 + b"\r\nhello", "the answer is not good HTTP: "),
        (OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: " + b"y" * 200_000, "the answer is not good HTTP: "),
        (OK + b"x y: z\r\n\r\n", "the answer is not good HTTP: "),
        (OK + b": z\r\n\r\n", "the answer is not good HTTP: "),
        (b"HTTP/1.1 20 OK\r\n\r\n", "the answer is not good HTTP: "),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "the answer is not good HTTP: "),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "the server closed the connection in the middle of its header"),
        (OK + b"x: y\r\n" * 40_000, "the answer is not good HTTP: "),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_answers_that_cannot_be_taken(raw, said):
    """Are `protocol`, with the reason."""
    async with listening(saying(raw)) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/", timeout="60s"))
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert said in run.failure.message


async def test_hints_without_end_are_bounded():
    """A server that says for ever that it will answer does not keep us busy, nor fill memory, beyond the deadline."""

    async def hints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 100)
            await writer.drain()

    async with listening(hints) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/", timeout="1s"))
    assert run.failure.kind in (FailureKind.TIMEOUT, FailureKind.PROTOCOL)
    assert run.attempts[0].ended_ns - run.attempts[0].started_ns < 3e9


@pytest.mark.parametrize("how", ["closed", "reset", "closed on asking", "reset on asking", "said 408 before"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_goes_between_requests(how, method):
    """It is made anew and the request sent again; one that may do harm twice (POST) is not sent twice, and the failure says what happened."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer(body="hello"))
        await writer.drain()
        if len(asked) > 1:
            return
        if how == "said 408 before":
            await asyncio.sleep(0.05)
            writer.write(answer(408))
            return
        if "asking" in how:
            await reader.readuntil(b"\r\n\r\n")
        else:
            await asyncio.sleep(0.05)
        if "reset" in how:
            reset(writer)

    async with listening(serve) as port:
        text = f"id: j\nbase_url: http://127.0.0.1:{port}\ndefaults: {{http: {{connections: kept}}}}\nsteps:\n"
        run = await walk(text + f"  - {{id: a, http: {{url: /a}}}}\n  - {{id: w, wait: 200ms}}\n  - {{id: b, http: {{url: /b, method: {method}}}}}\n")
    if method == "POST" and "asking" in how:
        assert run.failure.kind is FailureKind.PROTOCOL, run.failure
        assert len(asked) == 1
    else:
        assert run.outcome is Outcome.PASSED, run.failure
        assert len(asked) == 2
        assert "connect" in exchanges(run)[0].phases


@pytest.mark.parametrize("then", ["stays", "half closes"])
async def test_an_answer_before_all_was_heard(then, tmp_path):
    """A server that refuses a large body at its beginning and takes no more of it is heard; the connection is not asked again."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(413, "too large"))
        if then == "half closes":
            writer.write_eof()
        await asyncio.sleep(3600)

    with (tmp_path / "big").open("wb") as file:
        file.truncate(18_000_000)
    async with listening(serve) as port:
        text = f"id: j\ntimeout: 20s\nbase_url: http://127.0.0.1:{port}\ndefaults: {{http: {{connections: kept}}}}\nsteps:\n"
        text += "  - {id: a, http: {url: /a, file: big}, expect: [status == 413, body == 'too large']}\n  - {id: b, http: {url: /b}, expect: [status == 413]}\n"
        run = await walk(text, path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    assert "connect" in exchanges(run)[0].phases


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
