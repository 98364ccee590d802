"""http steps against HTTP/2 servers that go away, stall, say too much or too little, and break the rules of the protocol."""

import asyncio
import contextlib
import tracemalloc
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.steps.http2_servers import misbehaving
from tests.probes.steps.test_http_hostile import exchanges, one
from tests.probes.steps.tls_servers import listening
from tests.probes.walking import walk


def answers(state: Any, stream: int, body: bytes = b"hello") -> None:
    state.send_headers(stream, [(":status", "200")])
    state.send_data(stream, body, end_stream=True)


async def test_hints_trailers_and_odd_ends_are_taken():
    """103 is passed over, trailers too, and an answer of nothing but a header is one."""

    def hints(state: Any, stream: int) -> None:
        state.send_headers(stream, [(":status", "103"), ("link", "</a>")])
        state.send_headers(stream, [(":status", "200"), ("content-length", "5")])
        state.send_data(stream, b"hello")
        state.send_headers(stream, [("x-sum", "1")], end_stream=True)

    def bare(state: Any, stream: int) -> None:
        state.send_headers(stream, [(":status", "204")], end_stream=True)

    for misbehave, body in ((hints, "hello"), (bare, "")):
        async with misbehaving(misbehave) as port:
            run = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2", f"    expect: [body == '{body}', status < 300]\n"))
        assert run.outcome is Outcome.PASSED, run.failure


async def test_goaway_after_the_answer_is_no_failure():
    """The answer was whole; a kept connection is made anew for the next request, and so it is when the server was never to see it."""
    asked: list[int] = []

    def goes(state: Any, stream: int) -> None:
        asked.append(stream)
        answers(state, stream)
        state.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=stream)

    async with misbehaving(goes) as port:
        text = f"id: j\nbase_url: http://127.0.0.1:{port}\ndefaults: {{http: {{connections: kept, http_version: 2}}}}\nsteps:\n"
        run = await walk(
            text + "".join(f"  - {{id: {name}, http: {{url: /{name}, method: {method}}}}}\n" for name, method in (("a", "GET"), ("b", "POST"), ("c", "GET")))
        )
    assert run.outcome is Outcome.PASSED, run.failure
    assert len(asked) == 3


async def test_asked_again_when_the_server_says_it_did_not_look():
    """GOAWAY with an earlier stream, and REFUSED_STREAM, on a kept connection: the request was not looked at, so that it is sent again."""
    for refuse in (
        lambda state, stream: state.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=1),
        lambda state, stream: state.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM),
    ):
        asked: list[int] = []

        def second(state: Any, stream: int, refuse: Any = refuse, asked: list[int] = asked) -> None:
            asked.append(stream)
            if stream == 1:
                answers(state, stream)
            else:
                refuse(state, stream)

        async with misbehaving(second) as port:
            text = f"id: j\nbase_url: http://127.0.0.1:{port}\ndefaults: {{http: {{connections: kept, http_version: 2}}}}\nsteps:\n"
            run = await walk(text + "  - {id: a, http: {url: /a}}\n  - {id: b, http: {url: /b}}\n")
        assert run.outcome is Outcome.PASSED, run.failure
        assert asked == [1, 3, 1]


async def test_goaway_in_order_lets_the_answer_come():
    """As nginx does with the last answer of a connection: it says first that it goes, and answers then, a large body too."""
    body = b"x" * 3_000_000

    def first(state: Any, stream: int) -> None:
        state.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=stream)
        state.state_machine.state = h2.connection.ConnectionState.SERVER_OPEN

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        sent, stream = 0, 0
        while data := await reader.read(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    stream = event.stream_id or 0
                    first(state, stream)
                    writer.write(state.data_to_send())
                    await asyncio.sleep(0.1)
                    state.send_headers(stream, [(":status", "200")])
            while stream and sent < len(body) and (room := min(state.local_flow_control_window(stream), state.max_outbound_frame_size)) > 0:
                piece = body[sent : sent + room]
                sent += len(piece)
                state.send_data(stream, piece, end_stream=sent == len(body))
            writer.write(state.data_to_send())
            await writer.drain()

    async with listening(serve) as port:
        text = f"id: j\nbase_url: http://127.0.0.1:{port}\ndefaults: {{http: {{connections: kept, http_version: 2}}}}\nsteps:\n"
        run = await walk(text + "  - {id: a, http: {url: /a}, expect: [size == 3000000]}\n  - {id: b, http: {url: /b}}\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert "connect" in exchanges(run)[0].phases


@pytest.mark.parametrize("resets", [True, False])
async def test_answered_before_all_was_heard(resets):
    """A server that refuses a large body at its beginning is heard, whether it stops the rest with RST_STREAM or takes no more of it."""

    def refuses(state: Any, stream: int) -> None:
        state.send_headers(stream, [(":status", "413")])
        state.send_data(stream, b"too large", end_stream=True)
        if resets:
            with contextlib.suppress(h2.exceptions.StreamClosedError):  # both sides are through
                state.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)

    async with misbehaving(refuses) as port:
        url = f"http://127.0.0.1:{port}/"
        text = f"id: j\nbase_url: {url}\ndefaults: {{http: {{connections: kept, http_version: 2}}}}\nsteps:\n"
        text += f"  - {{id: a, http: {{url: /a, body: '{'x' * 300_000}'}}, expect: [status == 413, body == 'too large']}}\n"
        run = await walk(text + "  - {id: b, http: {url: /b}, expect: [status == 413]}\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert "connect" in exchanges(run)[0].phases


async def test_flow_control_that_stalls_ends_at_the_deadline():
    """A server that gives no window takes no more of the request; one that stops in the middle of its answer stalls it. Both are said."""

    def silent(state: Any, stream: int) -> None:
        return

    def stops(state: Any, stream: int) -> None:
        state.send_headers(stream, [(":status", "200"), ("content-length", "100000")])
        state.send_data(stream, b"x" * 10_000)

    body = ", body: '" + "x" * 200_000 + "'"
    async with misbehaving(silent) as port:
        sending = await walk(one(f"http://127.0.0.1:{port}/", f", http_version: 2{body}", timeout="1s"))
    async with misbehaving(stops) as port:
        receiving = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2", timeout="1s"))
    assert sending.failure.kind is FailureKind.TIMEOUT
    assert sending.failure.message.endswith("the server takes no more of the request")
    assert receiving.failure.kind is FailureKind.TIMEOUT
    assert "the body is not whole after 10.0 KB" in receiving.failure.message
    assert exchanges(receiving)[0].status == 200


async def test_bodies_are_bounded_and_windows_are_opened():
    """A large body is read to its end, an endless one to max_body."""

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        writer.write(state.data_to_send())
        sent, stream = 0, 0
        while data := await reader.read(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    stream = event.stream_id or 0
                    state.send_headers(stream, [(":status", "200")])
            while stream and sent < total and (room := min(state.local_flow_control_window(stream), state.max_outbound_frame_size)) > 0:
                sent += room
                state.send_data(stream, b"x" * room, end_stream=sent >= total)
                writer.write(state.data_to_send())
                await writer.drain()
            writer.write(state.data_to_send())

    total = 30_000_000
    async with listening(pour) as port:
        whole = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2, max_body: 40 MB", "    expect: [size > 29 MB]\n"))
        cut = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2"))
    assert whole.outcome is Outcome.PASSED, whole.failure
    assert cut.failure.kind is FailureKind.CONTENT


@pytest.mark.parametrize(
    "frame", [b"\x00\x00\x00\x07", b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", b"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00"], ids=["short", "too large", "cut"]
)
async def test_frames_that_are_none(frame):
    """Are `protocol`, and nothing of ours stops."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(24)
        writer.write(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + frame)
        await writer.drain()

    async with listening(serve) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2", timeout="60s"))
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure


async def test_wrong_length_and_no_status():
    """A body of another length than said, and an answer without a status, are `protocol`."""

    def short(state: Any, stream: int) -> None:
        state.send_headers(stream, [(":status", "200"), ("content-length", "50")])
        state.send_data(stream, b"hello", end_stream=True)

    def none(state: Any, stream: int) -> None:
        state.config.validate_outbound_headers = False
        state.send_headers(stream, [("x-a", "b")], end_stream=True)

    def odd(state: Any, stream: int) -> None:
        state.send_headers(stream, [(":status", "many")], end_stream=True)

    for misbehave in (short, none, odd):
        async with misbehaving(misbehave) as port:
            run = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2", timeout="60s"))
        assert run.failure is not None, misbehave
        assert run.failure.kind is FailureKind.PROTOCOL, run.failure


async def test_headers_without_end_are_bounded():
    """A header in endless pieces (CONTINUATION) is given up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(24)
        writer.write(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x88")
        while True:
            writer.write(b"\x00\x40\x00\x09\x00\x00\x00\x00\x01" + b"\x00\x01a\x01b" + b"\x00\x01a\x01b" * 3275 + b"\0\0\0\0")
            await writer.drain()

    async with listening(serve) as port:
        tracemalloc.start()
        try:
            run = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2", timeout="10s"))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert peak < 30_000_000
