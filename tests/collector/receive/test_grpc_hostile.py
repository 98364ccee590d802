"""gRPC's frames, mangled; callers that go away; more connections than are taken."""

import asyncio
import contextlib
import random
import struct
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from sojourn_collector.config import Limits
from sojourn_collector.receive.otlp_grpc import METHODS
from sojourn_probes.semconv import BATCH_HEADER
from tests.collector.receive.conftest import Listener, listening, traces

EXPORT = next(method for method, signal in METHODS.items() if signal == "traces")
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 5, 6, 7, 8, 9
END_STREAM, END_HEADERS, PADDED = 1, 4, 8


def frame(kind: int, flags: int, stream: int, payload: bytes, length: int | None = None) -> bytes:
    """A frame of HTTP/2 (RFC 9113 §4.1); `length` may lie."""
    return struct.pack(">I", len(payload) if length is None else length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(path: str | bytes) -> bytes:
    """A call's header block, each name and value as a literal that is not indexed (RFC 7541 §6.2.2)."""
    path = path.encode() if isinstance(path, str) else path
    fields: dict[str, str | bytes] = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "x",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    pairs = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in fields.items()]
    return b"".join(b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in pairs)


def good_call() -> list[bytes]:
    """The frames of a call that is taken."""
    body = traces(1).SerializeToString()
    message = b"\x00" + struct.pack(">I", len(body)) + body
    return [frame(SETTINGS, 0, 0, b""), frame(HEADERS, END_HEADERS, 1, headers(EXPORT)), frame(DATA, END_STREAM, 1, message)]


def mangled(seed: int) -> bytes:
    """A call with frames left out, doubled, changed, put in, or with a length that lies."""
    chance = random.Random(seed)
    frames = good_call()
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(frames))
        how = chance.choice(("drop", "double", "flip", "insert", "length", "swap", "stream"))
        if how == "drop":
            del frames[at]
        elif how == "double":
            frames.insert(at, frames[at])
        elif how == "flip":
            data = bytearray(frames[at])
            for _ in range(chance.randint(1, 5)):
                data[chance.randrange(len(data))] ^= chance.randint(1, 255)
            frames[at] = bytes(data)
        elif how == "insert":
            kind = chance.choice((DATA, HEADERS, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION, 200))
            frames.insert(at, frame(kind, chance.randrange(256), chance.choice((0, 1, 2, 3, 2**31 - 1)), chance.randbytes(chance.choice((0, 4, 6, 8, 100)))))
        elif how == "length":
            frames[at] = struct.pack(">I", chance.choice((0, 1, 16384, 16385, 2**24 - 1)))[1:] + frames[at][3:]
        elif how == "swap":
            frames.reverse()
        else:
            frames[at] = frames[at][:5] + struct.pack(">I", chance.choice((0, 2, 7, 2**31 + 1))) + frames[at][9:]
        if not frames:
            frames = good_call()
    return (PREFACE if chance.random() < 0.95 else PREFACE[: chance.randrange(len(PREFACE))]) + b"".join(frames)


FLOODS = {
    "settings": frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 100)) * 20_000,
    "pings": frame(PING, 0, 0, bytes(8)) * 20_000,
    "calls that are reset at once": b"".join(
        frame(HEADERS, END_HEADERS, stream, headers(EXPORT)) + frame(RST, 0, stream, struct.pack(">I", 8)) for stream in range(1, 8001, 2)
    ),
    "headers without end": frame(HEADERS, 0, 1, headers(EXPORT)) + frame(CONTINUATION, 0, 1, b"\x00\x01a\x7f" + b"b" * 127) * 20_000,
    "empty pieces of a message": frame(HEADERS, END_HEADERS, 1, headers(EXPORT)) + frame(DATA, 0, 1, b"") * 50_000,
    "a message said to have 4 GB": frame(HEADERS, END_HEADERS, 1, headers(EXPORT)) + frame(DATA, 0, 1, b"\x00\xff\xff\xff\xff" + b"x" * 1000),
}


@contextlib.asynccontextmanager
async def calling(listener: Listener) -> AsyncIterator[Any]:
    """Sends a good call over a connection of its own, again where it is told that nobody is there just now, as every exporter does."""
    quick = (("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100))
    async with grpc.aio.insecure_channel(listener.grpc, options=quick) as channel:

        async def call() -> None:
            async with asyncio.timeout(20):
                while True:
                    try:
                        await channel.unary_unary(EXPORT)(traces().SerializeToString(), timeout=20)
                    except grpc.aio.AioRpcError as error:
                        if error.code() is not grpc.StatusCode.UNAVAILABLE:
                            raise
                        await asyncio.sleep(0.02)
                    else:
                        return

        yield call


async def thrown(listener: Listener, data: bytes, patience: float = 2.0) -> None:
    """Send bytes, take what comes back, and hang up when the other side does, or after so many seconds."""
    host, port = listener.grpc.split(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return  # one before has ended the listener; it will be back
    try:
        writer.write(data)
        async with asyncio.timeout(patience):
            await writer.drain()
            while await reader.read(1 << 16):
                pass
    except (TimeoutError, ConnectionError):
        return  # it does not read on, or has hung up
    finally:
        writer.transport.abort()


async def _mangled(listener: Listener, seeds: range) -> None:
    before = psutil.Process().memory_info().rss
    async with calling(listener) as call:
        for first in range(0, len(seeds), 25):
            await asyncio.gather(*(thrown(listener, mangled(seed), 0.1) for seed in seeds[first : first + 25]))
            await call()
    async with calling(listener) as call:
        await call()
    assert psutil.Process().memory_info().rss - before < 100 << 20


async def test_mangled_frames(listener: Listener):
    """After each of them, connections old and new are served."""
    await _mangled(listener, range(150))


@pytest.mark.slow
async def test_mangled_frames_for_long(listener: Listener):
    """Thousands of them."""
    await _mangled(listener, range(1000, 11_000))


async def test_the_name_of_a_method_that_is_no_text(engine: Any, tmp_path: Path, queries: Path):
    """It ends grpcio's own loop. A call that is in work is answered all the same, later ones are taken, and that again and again."""
    bad = PREFACE + frame(SETTINGS, 0, 0, b"") + frame(HEADERS, END_HEADERS, 1, headers(EXPORT.encode().replace(b"t", b"\xe1")))
    async with listening(engine, tmp_path, queries, Limits(body_deadline=30.0)) as listener:
        for times in range(1, 4):
            async with grpc.aio.insecure_channel(listener.grpc, options=(("grpc.use_local_subchannel_pool", 1),)) as channel:
                waiting: asyncio.Queue[bytes] = asyncio.Queue()

                async def late(waiting: asyncio.Queue[bytes] = waiting) -> AsyncIterator[bytes]:
                    yield await waiting.get()

                sent = channel.stream_unary(EXPORT)(late())
                async with asyncio.timeout(20):
                    # That the caller has sent it is not yet that it is in work here.
                    while not listener.by_grpc.in_work:
                        await asyncio.sleep(0.01)
                await thrown(listener, bad, 0.1)
                async with asyncio.timeout(20):
                    while listener.counters.value("sojourn_rejected", signal="none", reason="grpc") < times:
                        await asyncio.sleep(0.01)
                waiting.put_nowait(traces().SerializeToString())
                await sent
            async with calling(listener) as call:
                await call()


async def test_a_call_that_ends_before_its_message_keeps_no_batch_from_being_sent_again(listener: Listener):
    """It is no empty batch: it is to be sent again, and what is sent under its id then is taken."""

    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    metadata = ((BATCH_HEADER, str(uuid.uuid4())),)
    async with grpc.aio.insecure_channel(listener.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.stream_unary(EXPORT)(nothing(), metadata=metadata, timeout=20)
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.UNAVAILABLE, "The call ended before its message came; send it again.")
        await channel.unary_unary(EXPORT)(traces().SerializeToString(), metadata=metadata, timeout=20)


@pytest.mark.parametrize("flood", FLOODS)
async def test_floods_of_frames(listener: Listener, flood: str):
    """Four connections at a time that send more of a kind of frame than anybody needs: memory stays, and others are served meanwhile."""
    before = psutil.Process().memory_info().rss
    async with calling(listener) as call:
        throwing = asyncio.gather(*(thrown(listener, PREFACE + frame(SETTINGS, 0, 0, b"") + FLOODS[flood], 0.5) for _ in range(4)))
        await call()
        await throwing
        await call()
    assert psutil.Process().memory_info().rss - before < 100 << 20


async def test_what_a_caller_that_went_away_sent_counts_until_it_is_done(listener: Listener, monkeypatch: pytest.MonkeyPatch):
    """A caller cannot have more in work than others by hanging up: request and bytes count until the journal has it."""
    held, append = asyncio.Event(), listener.journal.append

    async def slow(*given: Any) -> int:
        await held.wait()
        return await append(*given)

    monkeypatch.setattr(listener.journal, "append", slow)
    async with grpc.aio.insecure_channel(listener.grpc) as channel:
        sent = channel.unary_unary(EXPORT)(body := traces(100).SerializeToString())
        async with asyncio.timeout(10):
            while not listener.intake.active:
                await asyncio.sleep(0.01)
        sent.cancel()
        async with asyncio.timeout(10):
            while not sent.done():
                await asyncio.sleep(0.01)
        # The server knows when a later call of the same connection has been answered.
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/none/None")(b"")
        assert (listener.intake.active, listener.intake.budget.held) == (1, len(body))
        held.set()
        async with asyncio.timeout(10):
            while listener.intake.active:
                await asyncio.sleep(0.01)
    assert listener.intake.budget.held == 0


async def test_more_connections_than_are_taken(engine: Any, tmp_path: Path, queries: Path):
    """Those beyond `limits.connections` are closed; one that was there before is served on, and when others go new ones are taken."""
    async with listening(engine, tmp_path, queries, Limits(connections=16)) as listener, calling(listener) as call:
        await call()
        host, port = listener.grpc.split(":")
        idle = [await asyncio.open_connection(host, int(port)) for _ in range(40)]
        for _, writer in idle:
            writer.write(PREFACE + frame(SETTINGS, 0, 0, b""))

        async def ended(reader: asyncio.StreamReader) -> bool:
            try:
                while await reader.read(1000):
                    pass
            except ConnectionError:
                pass
            return True

        ends = [asyncio.create_task(ended(reader)) for reader, _ in idle]
        async with asyncio.timeout(20):
            while sum(task.done() for task in ends) < 40 - 16 + 1:
                await asyncio.sleep(0.01)
        await call()
        for _, writer in idle:
            writer.transport.abort()
        for task in ends:
            task.cancel()
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(grpc.aio.AioRpcError):
                    async with calling(listener) as another:
                        await another()
                        break
