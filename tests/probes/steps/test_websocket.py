"""The websocket runner against real servers on loopback, good and hostile."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, RejectConnection, RejectData, Request, TextMessage

from sojourn_probes.semconv import PROBE_HEADER, FailureKind, Outcome
from tests.probes.test_examples import mark
from tests.probes.test_load import problems
from tests.probes.walking import walk

EXAMPLE = Path(__file__).parents[3] / "configs/journeys/examples/live.yaml"


class Server:
    """One connection seen from the server: `said` is what the client sent, `headers` what it opened with."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.state = WSConnection(ConnectionType.SERVER)
        self.headers: dict[str, str] = {}
        self.request: Request | None = None

    async def events(self) -> AsyncIterator[object]:
        while True:
            data = await self.reader.read(65536)
            self.state.receive_data(data or None)
            for event in self.state.events():
                if isinstance(event, Request):
                    self.request = event
                    self.headers = {name.decode().lower(): value.decode() for name, value in event.extra_headers}
                yield event
            if not data:
                return

    async def send(self, *events: object) -> None:
        for event in events:
            self.writer.write(self.state.send(event))  # type: ignore[arg-type]  # events of wsproto
        await self.writer.drain()


Serve = Callable[[Server], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await serve(Server(reader, writer))
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def echo(server: Server) -> None:
    """Greets, gives back what it is told, pings once, and closes in turn."""
    async for event in server.events():
        match event:
            case Request(subprotocols=offered):
                await server.send(AcceptConnection(subprotocol=offered[0] if offered else None), TextMessage(data="welcome"), Ping(payload=b"there?"))
            case TextMessage(data=data):
                await server.send(TextMessage(data=data))
            case BytesMessage(data=data):
                await server.send(BytesMessage(data=bytes(data)))
            case CloseConnection():
                await server.send(event.response())
                return


async def asked(port: int, dialog: str = "", more: str = "", *, keys: str = "", timeout: str = "20s", scheme: str = "ws", host: str = "127.0.0.1", **given):
    text = f"id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    websocket: {{url: '{scheme}://{host}:{port}/live?a=b', dialog: [{dialog}]{keys}}}\n{more}"
    return await walk(text, **given)


async def test_messages_are_sent_and_awaited():
    """Text, JSON and bytes; a message that was passed over is not looked at again; pings are answered."""
    dialog = "{expect: welc}, {send: hello}, {send_json: {a: [1, true]}}, {matches: '^.\"a\": .1'}, {send_hex: 00 ff}, {expect: 00ff}"
    async with serving(echo) as port:
        run = await asked(port, dialog, "    expect: [status == 101, body contains hello, wait < 20s]\n", keys=", subprotocols: [chat.v2]")
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.status) == ("websocket", 101)
    assert {"connect", "wait"} <= set(exchange.phases)


async def test_an_answer_is_extracted():
    """From the body, which holds every message of the server."""

    async def ticket(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                await server.send(AcceptConnection(), TextMessage(data='{"ticket": "t-77"}'))
            elif isinstance(event, CloseConnection):
                await server.send(event.response())
                return

    more = "    extract: {ticket: {json: $.ticket}}\n  - {id: t, when: '${steps.s.ticket} == t-77', wait: 1ms}\n"
    async with serving(ticket) as port:
        run = await asked(port, "{expect: ticket}", more)
    assert run.outcome is Outcome.PASSED, run.failure
    assert run.attempts[0].steps[1].outcome is Outcome.PASSED


async def test_the_opening_request_carries_what_it_should():
    """Trace context, credentials, and the probe mark to the journey's own origin."""
    seen: list[dict[str, str]] = []

    async def look(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                seen.append(server.headers)
                await server.send(AcceptConnection())
            elif isinstance(event, CloseConnection):
                await server.send(event.response())
                return

    async with serving(look) as port:
        keys = ", headers: {x-a: b}, auth: {bearer: '${secrets.token}'}"
        run = await asked(port, keys=keys, environ={"SOJOURN_SECRET_TOKEN": "canary-of-the-token"}, mark=mark)
    assert run.outcome is Outcome.PASSED, run.failure
    assert (seen[0]["authorization"], seen[0]["x-a"]) == ("Bearer canary-of-the-token", "b")
    assert seen[0]["traceparent"].startswith(f"00-{run.trace_id}-")
    assert seen[0][PROBE_HEADER].startswith(run.run_id)
    assert "canary" not in repr(run)


@pytest.mark.parametrize("status", [403, 302])
async def test_a_refusal_is_a_status(status):
    """The status is what the server answered; the body of the refusal can be looked at."""

    async def refuse(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                headers = [(b"content-length", b"4"), (b"location", b"/elsewhere")]
                await server.send(RejectConnection(status_code=status, headers=headers, has_body=True), RejectData(data=b"nope"))
                return

    async with serving(refuse) as port:
        run = await asked(port, "{send: hello}")
        looked = await asked(port, "{send: hello}", f"    expect: [status == {status}, body == nope]\n")
    assert run.failure.kind is FailureKind.STATUS
    assert run.failure.message.startswith(f"{status} from WEBSOCKET")
    assert looked.outcome is Outcome.PASSED, looked.failure


def raw(answer: bytes) -> Serve:
    async def serve(server: Server) -> None:
        await server.reader.readuntil(b"\r\n\r\n")
        server.writer.write(answer)
        await server.writer.drain()

    return serve


SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (SWITCHED + b"d3Jvbmc=\r\n\r\n", FailureKind.PROTOCOL, "the answer opens no WebSocket: Bad accept token; what stands before the server may"),
        (b"220 mail.example ESMTP\r\n\r\n", FailureKind.PROTOCOL, "what it sent is no WebSocket: "),
        (b"", FailureKind.PROTOCOL, "the server closed the connection without a word"),
    ],
    ids=["wrong accept key", "another protocol", "nothing"],
)
async def test_what_is_no_websocket_is_a_failure_of_the_protocol(answer, kind, said):
    """Whatever it is."""
    async with serving(raw(answer)) as port:
        run = await asked(port, timeout="10s")
    assert run.failure.kind is kind
    assert said in run.failure.message


async def test_a_server_that_closes_with_a_complaint_fails_the_step():
    """With its code and reason, also when it comes while a message is awaited."""

    async def angry(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                await server.send(AcceptConnection(), CloseConnection(code=1008, reason="no such room"))

    async with serving(angry) as port:
        awaited = await asked(port, "{expect: hello}")
        closed = await asked(port)
    assert awaited.failure.kind is FailureKind.PROTOCOL
    assert awaited.failure.message == f"127.0.0.1:{port}: the server closed (code 1008: no such room) while 'hello' was awaited; it said nothing"
    assert closed.failure.kind is FailureKind.PROTOCOL
    assert "code 1008: no such room" in closed.failure.message


async def test_what_never_comes_ends_at_the_deadline():
    """The failure says what was awaited and what came instead."""
    async with serving(echo) as port:
        run = await asked(port, "{send: hello}, {expect: good-bye}", timeout="2s")
    assert run.failure.kind is FailureKind.TIMEOUT
    assert "'good-bye' was awaited, and the server said 'hello'" in run.failure.message


async def test_too_much_is_cut_off():
    """Beyond max_body the step fails as content."""

    async def flood(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                await server.send(AcceptConnection())
                while True:
                    await server.send(TextMessage(data="x" * 10_000))

    async with serving(flood) as port:
        run = await asked(port, "{expect: end}", keys=", max_body: 50 KB")
    assert run.failure.kind is FailureKind.CONTENT
    assert "(max_body)" in run.failure.message


async def test_over_tls_with_an_authority_of_ones_own(tmp_path):
    """wss, its phases and its certificate; a name it is not for is refused as tls."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    outcomes = []
    for name in ("localhost", "other.example"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        async with serving(echo, context) as port:
            run = await asked(
                port,
                "{expect: welcome}",
                "    expect: [tls.expires_in > 1m]\n",
                keys=", ip_family: 4, tls: {ca_file: ca.pem}",
                scheme="wss",
                host="localhost",
                path=tmp_path / "j.yaml",
            )
        outcomes.append((run.outcome, None if run.failure is None else run.failure.kind))
    assert outcomes == [(Outcome.PASSED, None), (Outcome.FAILED, FailureKind.TLS)]


async def test_a_relative_address_is_taken_from_the_base(tmp_path):
    """http becomes ws."""
    async with serving(echo) as port:
        run = await walk(f"id: j\nbase_url: http://127.0.0.1:{port}\nsteps:\n  - {{id: s, websocket: {{url: /live, dialog: [{{expect: welcome}}]}}}}\n")
    assert run.outcome is Outcome.PASSED, run.failure


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{url: 'ws://x/', dialog: [{send: a, expect: b}]}", "steps[0].websocket.dialog[0]: say exactly one of send, send_json, send_hex, expect, matches"),
        ("{url: 'ws://x/', dialog: [{matches: '('}]}", None),
        ("{url: 'ws://x/', headers: {Authorization: Bearer abc}}", None),
        ("{url: 'ftp://x/'}", None),
    ],
)
def test_what_cannot_be_said_is_refused(part, message):
    """When the file is read."""
    found = problems(f"id: a\nsteps:\n  - id: s\n    websocket: {part}\n")
    assert len(found) == 1, found
    assert message is None or found[0].endswith(message)


async def test_the_example_passes():
    """configs/journeys/examples/live.yaml subscribes and gets a price."""

    async def prices(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                await server.send(AcceptConnection(subprotocol="prices.v1"))
            elif isinstance(event, TextMessage) and '"subscribe"' in event.data:
                await server.send(TextMessage(data='{"type": "subscribed"}'), TextMessage(data='{"type": "price", "sku": "mug", "amount": 12.5}'))
            elif isinstance(event, CloseConnection):
                await server.send(event.response())
                return

    async with serving(prices) as port:
        run = await walk(EXAMPLE.read_text().replace("http://127.0.0.1:8080", f"http://127.0.0.1:{port}"))
    assert run.outcome is Outcome.PASSED, run.failure
