"""The websocket runner against servers and networks that behave badly, and on ways that are not straight."""

import asyncio
import base64
import hashlib
import ssl
import tracemalloc

import pytest
import trustme
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Asked, answer, site
from tests.probes.steps.test_http_transport import PROXY_REFUSALS, proxy
from tests.probes.steps.test_websocket import SWITCHED, Serve, Server, asked, echo, raw, serving
from tests.probes.steps.tls_servers import Authority, handshaking, listening
from tests.probes.walking import walk


def framed(*frames: tuple[int, bytes]) -> bytes:
    """Frames of a server, by their first byte (FIN, RSV and opcode) and payload."""
    raw = b""
    for first, payload in frames:
        size = (
            bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2) if len(payload) < 65536 else b"\x7f" + len(payload).to_bytes(8)
        )
        raw += bytes([first]) + size + payload
    return raw


def accepting(*frames: tuple[int, bytes] | bytes, before: bytes = b"", more: bytes = b"", stays: bool = True) -> Serve:
    """A server by hand: opens well, with headers `more`, sends frames as they are, and hears the rest out or goes."""

    async def serve(server: Server) -> None:
        head = await server.reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        token = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest())
        server.writer.write(before + SWITCHED + token + b"\r\n" + more + b"\r\n")
        for one in frames:
            server.writer.write(one if isinstance(one, bytes) else framed(one))
        await server.writer.drain()
        while stays and await server.reader.read(65536):
            pass

    return serve


TEXT, PIECE, LAST, BYTES, CLOSE, PING = 0x81, 0x01, 0x80, 0x82, 0x88, 0x89


async def test_a_message_may_come_in_pieces():
    """With pings in between, letters cut in two and empty pieces; it is one message. A server may also say first that it will answer (103)."""
    euro = "€".encode()
    frames = [(PIECE, b"wel" + euro[:1]), (PING, b"?"), (0x00, b""), (0x00, euro[1:]), (LAST, b"come"), (0x02, b"\x01"), (LAST, b"\xff"), (CLOSE, b"\x03\xe8")]
    async with serving(accepting(*frames, before=b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")) as port:
        run = await asked(port, "{expect: wel€come}, {expect: 01ff}", "    expect: [body contains 'wel€come', status == 101]\n")
    assert run.outcome is Outcome.PASSED, run.failure


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ((0xC1, b"\xaa\x56"), "Reserved bit set unexpectedly"),
        ((0x83, b""), "Invalid opcode 0x3"),
        (b"\x81\x81abcde", "client received unexpected masked frame"),
        ((TEXT, b"\xff"), "invalid start byte"),
        ((0x80, b"x"), "unexpected CONTINUATION"),
        ((0x09, b"x"), "Invalid attempt to fragment control frame"),
        (b"\x89\x7e\x00\xff", "Control frame with payload len > 125"),
        ((CLOSE, b"\x03"), "CLOSE with 1 byte payload"),
        ((CLOSE, b"\x03\xee"), "remote CLOSE with local-only reason"),
        ((CLOSE, b"\xff\xff"), "CLOSE with invalid code"),
        (b"\x81\xff" + b"\xff" * 8, "8-byte payload length with non-zero MSB"),
    ],
)
async def test_a_server_that_breaks_the_rules(frame, said):
    """Is `protocol`: it is not said to have closed with a code that it never sent. Nothing packed is taken, so no bomb either."""
    async with serving(accepting(frame)) as port:
        run = await asked(port, "{expect: hello}", timeout="10s")
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert run.failure.message.startswith(f"127.0.0.1:{port}: what the server sent breaks the rules of WebSocket: ")
    assert said in run.failure.message
    assert run.attempts[0].steps[0].exchanges[0].status == 101


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (b"Sec-WebSocket-Extensions: permessage-deflate\r\n", "the answer opens no WebSocket: unrecognized extension"),
        (b"Sec-WebSocket-Protocol: chat\r\n", "the answer opens no WebSocket: unrecognized subprotocol chat"),
        (b"Sec-WebSocket-Protocol: ch\xe4t\r\n", "the answer opens no WebSocket: "),
        (b"Connection: \xe4\r\n", "the answer opens no WebSocket: "),
        (b"x: " + b"y" * 100_000 + b"\r\n", "the answer opens no WebSocket: "),
    ],
)
async def test_an_opening_that_is_not_good(more, said):
    """What was not offered is not taken, and headers of a stranger's letters are no fault of ours."""
    async with serving(accepting(more=more)) as port:
        run = await asked(port, "{expect: hello}", timeout="10s")
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert said in run.failure.message


async def test_the_subprotocol_is_a_header_and_must_be_taken():
    """As in browsers: a server that takes none of what is offered ends it."""
    keys = ", subprotocols: [chat.v2, chat.v1]"
    async with serving(echo) as port:
        taken = await asked(port, more="    expect: [header Sec-WebSocket-Protocol == chat.v2]\n", keys=keys)
    async with serving(accepting()) as port:
        none = await asked(port, keys=keys)
    assert taken.outcome is Outcome.PASSED, taken.failure
    assert none.failure.kind is FailureKind.PROTOCOL
    said = "the server took none of the subprotocols chat.v2, chat.v1; browsers give up there, so offer what it speaks"
    assert none.failure.message == f"127.0.0.1:{port}: {said}"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\n\r\nnope, until the end",
        b"HTTP/1.0 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 500\r\n\r\nbroken off",
        b"HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 900000\r\n\r\n" + b"x" * 900_000,
        b"HTTP/1.1 403 Forbidden\r\n\r\n" + b"endless" * 100_000,
    ],
    ids=["until the end", "old", "broken off", "bad chunks", "large", "endless"],
)
async def test_a_refusal_counts_however_its_page_ends(answer):
    """The status is what matters, and the page is read within bounds."""
    async with serving(raw(answer)) as port:
        run = await asked(port, "{send: hello}")
    assert run.failure.kind is FailureKind.STATUS, run.failure
    assert run.failure.message == "403 from WEBSOCKET /live, expected status == 101"
    assert run.attempts[0].steps[0].exchanges[0].status == 403


async def test_a_refusal_by_who_guards_the_site_is_named():
    """As for http: the guard, its reference, and how to be let through. A captive portal too."""
    page = b"HTTP/1.1 403 Forbidden\r\nserver: cloudflare\r\ncf-ray: 8f1-FRA\r\n\r\n<title>Attention Required! | Cloudflare</title>"
    login = b"HTTP/1.1 302 Found\r\nlocation: http://login.example/?ap_mac=1&client_mac=2\r\ncontent-length: 0\r\n\r\n"
    async with serving(raw(page)) as port:
        guarded = await asked(port, "{send: hello}")
    async with serving(raw(login)) as port:
        captive = await asked(port, "{send: hello}")
    assert guarded.failure.kind is FailureKind.BLOCKED_BY_WAF
    assert guarded.failure.message.startswith("Cloudflare refused the probe (403 from WEBSOCKET /live, reference 8f1-FRA)")
    assert captive.failure.kind is FailureKind.AGENT
    assert "captive portal" in captive.failure.message


async def test_a_redirect_is_not_followed_and_says_where_to():
    """No browser follows one when a WebSocket is opened."""
    async with serving(raw(b"HTTP/1.1 301 Moved\r\nlocation: https://shop.example/live\r\ncontent-length: 0\r\n\r\n")) as port:
        run = await asked(port, "{send: hello}")
    assert run.failure.kind is FailureKind.STATUS
    assert run.attempts[0].steps[0].note == "the server sends on to https://shop.example/live, where a WebSocket does not follow; name that address in url"


@pytest.mark.parametrize("more", [", dialog: [{send: '${vars.bad}'}]", ', headers: {x-a: "${vars.line}"}'])
async def test_what_cannot_be_sent_is_config(more):
    """A name that stands for what no header or message can hold is no fault of the server, nor of the agent."""
    async with serving(echo) as port:
        run = await walk(f'id: j\nvars: {{bad: "\\ud800", line: "a\\nb"}}\nsteps:\n  - id: s\n    websocket: {{url: "ws://127.0.0.1:{port}/"{more}}}\n')
    assert (run.outcome, run.failure.kind) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG), run.failure
    assert "this cannot be sent over a WebSocket" in run.failure.message


async def test_a_message_without_end_is_bounded_and_named():
    """By max_body, whether it comes in one endless frame or in endless pieces; at the deadline it is said to be half there."""

    async def endless(server: Server) -> None:
        await accepting(stays=False)(server)
        server.writer.write(b"\x01\x7f" + (2**62).to_bytes(8))
        while True:
            server.writer.write(b"x" * 10_000)
            await server.writer.drain()

    async with serving(endless) as port:
        tracemalloc.start()
        frame = await asked(port, "{expect: end}", keys=", max_body: 50 KB")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    async with serving(accepting((PIECE, b"x" * 3000))) as port:
        half = await asked(port, "{expect: end}", timeout="1s")
    assert (frame.failure.kind, frame.failure.message) == (FailureKind.CONTENT, frame.failure.message)
    assert frame.failure.message.endswith("the server said more than 50.0 KB (max_body)")
    assert peak < 5_000_000
    assert half.failure.kind is FailureKind.TIMEOUT
    assert "'end' was awaited, and the server is in the middle of a message, after 3.0 KB" in half.failure.message
    assert half.attempts[0].steps[0].exchanges[0].status == 101


async def test_pings_and_pieces_without_number_are_bounded():
    """Empty frames cost a server nothing; they count too, and nobody answers for ever."""
    for frame in (framed((PING, b"x" * 125)), framed((TEXT, b"")), framed((PIECE, b"")) + framed((0x00, b"")) * 100_000):
        async with serving(accepting(frame * max(1, 200_000 // len(frame)))) as port:
            run = await asked(port, "{matches: end}")
        assert run.failure.kind is FailureKind.CONTENT, run.failure
        assert "(max_body)" in run.failure.message


async def test_secrets_in_messages_are_not_shown():
    """Neither said back as text, nor in bytes, nor as a reason; nor a token that the step itself extracts when the dialog fails after it."""

    async def parrot(server: Server) -> None:
        async for event in server.events():
            match event:
                case Request():
                    await server.send(AcceptConnection())
                case TextMessage(data=data) if data.startswith("close"):
                    await server.send(CloseConnection(code=1008, reason=data))
                case TextMessage(data=data) if data.startswith("bytes"):
                    await server.send(BytesMessage(data=data.encode()))
                case TextMessage(data=data):
                    await server.send(TextMessage(data='{"token": "canary-of-the-server"} ' + data))

    more = "    extract: {t: {regex: 'token\": \"([a-z-]+)', secret: true}}\n"
    for word in ("text", "bytes", "close"):
        async with serving(parrot) as port:
            send = f"{{send: '{word} ${{secrets.token}}'}}, {{expect: '${{secrets.token}} again'}}"
            run = await asked(port, send, more, environ={"SOJOURN_SECRET_TOKEN": "canary-of-the-file"}, timeout="1s")
        assert run.failure is not None
        assert "[redacted] again" in run.failure.message
        assert "canary" not in repr(run)
        assert b"canary".hex() not in repr(run)


async def test_a_code_is_heard_though_the_connection_is_gone():
    """A server that closes with a complaint and goes is not said to have broken the connection."""

    async def gone(server: Server) -> None:
        await accepting((CLOSE, b"\x11\x31who are you?"), stays=False)(server)
        server.writer.transport.abort()

    async def quiet(server: Server) -> None:
        await accepting((TEXT, b"hello"), stays=False)(server)
        await server.reader.read(10)

    async with serving(gone) as port:
        sends = ", ".join(["{send: hello}"] * 30)
        run = await asked(port, sends)
    async with serving(quiet) as port:
        held = await asked(port, "{expect: hello}")
        bare = await asked(port)
    assert run.failure.kind is FailureKind.PROTOCOL
    assert "4401" in run.failure.message, run.failure
    assert (held.outcome, held.attempts[0].steps[0].note) == (Outcome.PASSED, "the server ended the connection without closing the WebSocket in turn")
    assert bare.failure.kind is FailureKind.PROTOCOL
    assert bare.failure.message.endswith("the server closed with code 1006: the connection ended without one")


async def test_a_ping_in_the_goodbye_hides_no_complaint():
    """What comes with it counts."""

    async def serve(server: Server) -> None:
        await accepting(stays=False)(server)
        await server.reader.read(100)
        server.writer.write(framed((PING, b"?"), (CLOSE, b"\x03\xf3broken")))
        await server.reader.read()

    async with serving(serve) as port:
        run = await asked(port)
    assert run.failure is not None
    assert run.failure.message.endswith("the server closed with code 1011: broken")


async def test_cookies_of_the_attempt_go_along():
    """What an http step signed in is signed in here too, and what the opening sets is kept."""
    seen: list[dict[str, str]] = []

    async def look(server: Server) -> None:
        async for event in server.events():
            if isinstance(event, Request):
                seen.append(server.headers)
                await server.send(AcceptConnection(extra_headers=[(b"set-cookie", b"b=2; path=/")]))
            elif isinstance(event, CloseConnection):
                await server.send(event.response())

    async def login(asked: Asked) -> bytes:
        return answer(set_cookie="a=1; path=/")

    async with serving(look) as port, site(login) as shop:
        ws = f"websocket: {{url: 'ws://127.0.0.1:{port}/'}}"
        run = await walk(f"id: j\nsteps:\n  - {{id: l, http: {{url: '{shop.url}/'}}}}\n  - {{id: s, {ws}}}\n  - {{id: t, {ws}}}\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert [headers.get("cookie") for headers in seen] == ["a=1", "a=1; b=2"]


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_through_a_proxy(scheme, tmp_path):
    """It opens the way to both, with its password, and sees no header of ours."""
    asked_of: list[bytes] = []
    tls = Authority(tmp_path).context() if scheme == "wss" else None
    async with listening(proxy(asked_of)) as way, serving(echo, tls) as port:
        keys = f", tls: {{ca_file: ca.pem}}, proxy: {{url: 'http://127.0.0.1:{way}', user: probe, password: '${{secrets.pw}}'}}"
        environ = {"SOJOURN_SECRET_PW": "hunter2"}
        run = await asked(port, "{expect: welcome}", keys=keys, scheme=scheme, host="localhost", environ=environ, path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    assert asked_of[0].startswith(f"CONNECT localhost:{port} HTTP/1.1\r\n".encode())
    assert b"proxy-authorization: Basic cHJvYmU6aHVudGVyMg==" in asked_of[0]
    assert b"traceparent" not in asked_of[0]
    assert list(run.attempts[0].steps[0].exchanges[0].phases) == ["connect", *(["tls"] if tls else []), "send", "wait"]


@pytest.mark.parametrize(("refuse", "kind", "said"), PROXY_REFUSALS)
async def test_a_proxy_that_refuses(refuse, kind, said):
    """What the proxy says no to is told apart from what the server says."""
    async with listening(proxy([], refuse)) as way:
        run = await asked(1, keys=f", proxy: 'http://127.0.0.1:{way}'", host="shop.example")
    assert run.failure.kind is kind, run.failure
    assert said in run.failure.message
    assert "connect" not in run.attempts[0].steps[0].exchanges[0].phases


async def test_a_client_certificate_is_shown_and_missed(tmp_path):
    """A server that wants one takes it; without it the failure is `tls`, though TLS 1.3 says so only after the handshake."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("probe.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    given = {"scheme": "wss", "host": "localhost", "path": tmp_path / "j.yaml"}
    async with serving(echo, context) as port:
        shown = await asked(port, "{expect: welcome}", keys=", ip_family: 4, tls: {ca_file: ca.pem, cert_file: client.pem}", **given)
    with handshaking(context) as port:
        missed = await asked(port, "{expect: welcome}", keys=", ip_family: 4, tls: {ca_file: ca.pem}", **given)
    assert shown.outcome is Outcome.PASSED, shown.failure
    assert missed.failure.kind is FailureKind.TLS, missed.failure
    assert "certificate" in missed.failure.message


async def test_nothing_is_left_open_after_the_deadline():
    """The server sees the end of the connection at once."""
    over = asyncio.Event()

    async def serve(server: Server) -> None:
        await accepting()(server)
        over.set()

    async with serving(serve) as port:
        run = await asked(port, "{expect: hello}", timeout="500ms")
        await asyncio.wait_for(over.wait(), 60)
    assert run.failure.kind is FailureKind.TIMEOUT
