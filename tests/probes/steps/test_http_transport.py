"""How http steps get there: HTTP/1.1 and 2, families and addresses, proxies, connections kept."""

import asyncio
import socket
from typing import Any

import h2.errors
import pytest
import trustme

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Asked, answer, site
from tests.probes.steps.http2_servers import misbehaving, serving
from tests.probes.steps.tls_servers import Authority, listening
from tests.probes.walking import walk


def one(url: str, more: str = "", then: str = "") -> str:
    return f"id: j\ntimeout: 25s\nsteps:\n  - id: s\n    http: {{url: '{url}'{more}}}\n{then}"


def exchanges(run: Any) -> Any:
    return run.attempts[-1].steps[-1].exchanges


async def ok(asked: Asked) -> bytes:
    return answer(body="hello")


@pytest.mark.parametrize(("said", "spoken"), [("", "2"), (", http_version: auto", "2"), (", http_version: 2", "2"), (", http_version: 1.1", "1.1")])
async def test_http_2_is_spoken_where_it_is_offered(said, spoken, tmp_path):
    """`auto` takes HTTP/2 when the server offers it, 1.1 and 2 are had when asked for; the phases and the fact are the same."""
    async with serving(tmp_path, trustme.CA()) as port:
        text = one(f"https://localhost:{port}/", f", tls: {{ca_file: ca.pem}}, json: [1]{said}")
        run = await walk(
            text + f"    expect: [http_version == '{spoken}', body contains 'HTTP/{spoken} POST 3', tls.protocol exists]\n", path=tmp_path / "j.yaml"
        )
    assert run.outcome is Outcome.PASSED, run.failure
    assert exchanges(run)[0].protocol_version == spoken
    assert list(exchanges(run)[0].phases) == ["resolve", "connect", "tls", "send", "wait", "receive"]


async def test_http_2_that_is_not_offered_is_protocol(tmp_path):
    """`http_version: 2` against a server without it says so; `auto` speaks 1.1 there."""
    authority = Authority(tmp_path)
    async with site(ok, authority.context()) as shop:
        wanted = await walk(one(f"{shop.url}/", ", tls: {ca_file: ca.pem}, http_version: 2"), path=tmp_path / "j.yaml")
        either = await walk(one(f"{shop.url}/", ", tls: {ca_file: ca.pem}"), path=tmp_path / "j.yaml")
    assert wanted.failure.kind is FailureKind.PROTOCOL
    said = "the server does not offer HTTP/2 in the TLS handshake (ALPN); turn it on there, or say http_version: auto"
    assert wanted.failure.message == f"GET {shop.url}/: {said}"
    assert "tls" in exchanges(wanted)[0].phases
    assert (either.outcome, exchanges(either)[0].protocol_version) == (Outcome.PASSED, "1.1")


def resets(state: Any, stream: int) -> None:
    state.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)


def resets_in_the_body(state: Any, stream: int) -> None:
    state.send_headers(stream, [(":status", "200")])
    state.send_data(stream, b"hello")
    state.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)


def goes_away(state: Any, stream: int) -> None:
    state.close_connection(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, last_stream_id=stream)


def goes_away_before(state: Any, stream: int) -> None:
    state.close_connection(h2.errors.ErrorCodes.NO_ERROR, last_stream_id=0)


@pytest.mark.parametrize(
    ("misbehave", "said", "phases"),
    [
        (resets, "the server broke the answer off (RST_STREAM, INTERNAL_ERROR) before an answer came", ["connect", "send"]),
        (resets_in_the_body, "the server broke the answer off (RST_STREAM, CANCEL) in the body, after 5 B", ["connect", "send", "wait"]),
        (goes_away, "the server ended the whole HTTP/2 connection (GOAWAY, ENHANCE_YOUR_CALM) before an answer came", ["connect", "send"]),
        (goes_away_before, "the server ended the whole HTTP/2 connection (GOAWAY, NO_ERROR) before an answer came", ["connect", "send"]),
    ],
)
async def test_an_answer_broken_off_in_http_2(misbehave, said, phases):
    """RST_STREAM and GOAWAY are `protocol`, with the server's own word for why; finished phases are kept."""
    async with misbehaving(misbehave) as port:
        run = await walk(one(f"http://127.0.0.1:{port}/", ", http_version: 2"))
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure
    assert run.failure.message == f"GET http://127.0.0.1:{port}/: {said}; its log may say why"
    assert list(exchanges(run)[0].phases) == phases


async def test_a_server_that_speaks_1_1_where_2_was_wanted():
    """Without TLS there is nothing to negotiate: the wrong protocol is said to be no good HTTP."""
    async with site(ok) as shop:
        run = await walk(one(f"{shop.url}/", ", http_version: 2"))
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure


async def test_connections_are_kept_when_told_so():
    """A step with `connections: kept` goes on with the attempt's connection; what it did not do is absent, not 0."""

    async def keeps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer(body="hello"))

    async with listening(keeps) as port:
        url = f"http://127.0.0.1:{port}/"
        text = f"id: j\nbase_url: {url}\ndefaults: {{http: {{connections: kept}}}}\nsteps:\n"
        text += "  - {id: a, http: {url: /a}}\n  - {id: b, http: {url: /b}}\n  - {id: c, http: {url: /c, connections: fresh}}\n"
        run = await walk(text)
    a, b, c = (step.exchanges[0] for step in run.attempts[0].steps)
    assert run.outcome is Outcome.PASSED, run.failure
    assert [list(exchange.phases) for exchange in (a, b, c)] == [["connect", "send", "wait", "receive"], ["send", "wait", "receive"], list(a.phases)]
    assert a.peer_port == b.peer_port == port


async def test_a_kept_connection_that_was_closed_is_made_anew():
    """A server may end a kept connection whenever it likes: the step that finds it closed connects again."""
    closing: list[asyncio.StreamWriter] = []

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(body="hello"))
        closing.append(writer)
        # The second request is read and never answered.
        await reader.read(1)

    async with listening(respond) as port:
        text = f"id: j\nbase_url: http://127.0.0.1:{port}\ndefaults: {{http: {{connections: kept}}}}\nsteps:\n"
        run = await walk(text + "  - {id: a, http: {url: /a}}\n  - {id: b, http: {url: /b}}\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert len(closing) == 2
    assert "connect" in exchanges(run)[0].phases


@pytest.fixture
def hosts(monkeypatch):
    """Names with addresses on loopback: two.example has two, both.example one of each family, four.example only an old one."""
    system = socket.getaddrinfo
    known = {"two.example": ["127.0.0.1", "127.0.0.2"], "both.example": ["127.0.0.1", "::1"], "four.example": ["127.0.0.1"]}

    def found(host: Any, port: Any, family: int = 0, *more: Any, **named: Any) -> Any:
        if host not in known:
            return system(host, port, family, *more, **named)
        families = {":" in address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in known[host]}
        entries = [(families[":" in address], socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]
        fitting = [entry for entry in entries if family in (socket.AF_UNSPEC, entry[0])]
        if not fitting:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return fitting

    monkeypatch.setattr(socket, "getaddrinfo", found)


async def test_the_family_can_be_chosen(hosts):
    """With ip_family only such addresses are tried; where a name has none, that is `dns`."""
    async with site(ok, host="::1") as shop:
        six = await walk(one(f"http://both.example:{shop.port}/", ", ip_family: 6"))
        four = await walk(one(f"http://both.example:{shop.port}/", ", ip_family: 4"))
        none = await walk(one(f"http://four.example:{shop.port}/", ", ip_family: 6"))
        other = await walk(one(f"http://[::1]:{shop.port}/", ", ip_family: 4"))
    assert (six.outcome, exchanges(six)[0].peer_address) == (Outcome.PASSED, "::1"), six.failure
    assert four.failure.kind is FailureKind.CONNECT
    assert (none.failure.kind, none.failure.message) == (FailureKind.DNS, "no address for four.example: Name or service not known")
    assert other.failure.kind is FailureKind.CONFIG
    assert "is an address of IPv6, and ip_family says 4" in other.failure.message


async def test_each_address_is_asked(hosts):
    """`all_addresses` asks each address the same, an exchange each, after one lookup."""
    async with site(ok, host="0.0.0.0") as shop:
        run = await walk(one(f"http://two.example:{shop.port}/", ", all_addresses: true") + "    expect: [body contains hello]\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert [exchange.peer_address for exchange in exchanges(run)] == ["127.0.0.1", "127.0.0.2"]
    assert [next(iter(exchange.phases)) for exchange in exchanges(run)] == ["resolve", "connect"]
    assert [asked.headers["host"] for asked in shop.asked] == [f"two.example:{shop.port}"] * 2


async def test_an_address_that_fails_is_named(hosts):
    """One of several addresses that is down, or answers wrongly, fails the step; the sentence says which."""
    async with site(ok, host="127.0.0.1") as shop:
        down = await walk(one(f"http://two.example:{shop.port}/", ", all_addresses: true"))

    async def differs(asked: Asked) -> bytes:
        return answer(503 if len(shop.asked) == 2 else 200)

    async with site(differs, host="0.0.0.0") as shop:
        bad = await walk(one(f"http://two.example:{shop.port}/", ", all_addresses: true"))
    assert down.failure.kind is FailureKind.CONNECT
    assert " at 127.0.0.2: the connection was refused" in down.failure.message
    assert [exchange.status for exchange in exchanges(down)] == [200, None]
    assert (bad.failure.kind, bad.failure.message) == (FailureKind.STATUS, "503 at 127.0.0.2 from GET /, expected status < 400")


def proxy(seen: list[bytes], refuse: bytes | None = None) -> Any:
    """A proxy that tunnels CONNECT and answers other requests itself."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        if refuse is not None or not head.startswith(b"CONNECT "):
            writer.write(refuse or answer(body="from the proxy"))
            return
        host, _, port = head.split()[1].rpartition(b":")
        there, back = await asyncio.open_connection(host.decode(), int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    return serve


PROXY_REFUSALS = [
    (answer(403), FailureKind.CONNECT, "the proxy did not open the way to the server (it answered 403)"),
    (answer(407), FailureKind.CONFIG, "the proxy wants a user and password (407)"),
    (b"SSH-2.0-x\r\n\r\n", FailureKind.CONNECT, "what answers as the proxy is no HTTP proxy"),
]
"""What a proxy may say no with, and what is then said, whatever was to go through it."""


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    finally:
        writer.close()


async def test_plain_http_through_a_proxy():
    """The whole address is asked of the proxy, which gets its password; the peer is the proxy."""
    seen: list[bytes] = []
    async with listening(proxy(seen)) as port:
        more = f", proxy: {{url: 'http://localhost:{port}', user: probe, password: '${{secrets.pw}}'}}"
        text = one("http://shop.example/cart?x=1#y", more) + "    expect: [body contains 'from the proxy']\n"
        run = await walk(text, environ={"SOJOURN_SECRET_PW": "hunter2"})
    assert run.outcome is Outcome.PASSED, run.failure
    assert seen[0].startswith(b"GET http://shop.example/cart?x=1 HTTP/1.1\r\n")
    assert b"proxy-authorization: Basic cHJvYmU6aHVudGVyMg==" in seen[0]
    assert b"host: shop.example" in seen[0].lower()
    assert exchanges(run)[0].peer_port == port


async def test_https_through_a_proxy(tmp_path):
    """The proxy opens the way and sees neither address nor headers; the TLS facts are the server's own."""
    seen: list[bytes] = []
    async with listening(proxy(seen)) as port, serving(tmp_path, trustme.CA(organization_name="Harbour Trust")) as there:
        more = f", tls: {{ca_file: ca.pem}}, proxy: 'http://127.0.0.1:{port}'"
        text = one(f"https://localhost:{there}/cart", more) + "    expect: [http_version == '2', tls.issuer contains Harbour]\n"
        run = await walk(text, path=tmp_path / "j.yaml")
        bad = await walk(one(f"https://127.0.0.1:{there}/cart", more), path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    assert seen[0].startswith(f"CONNECT localhost:{there} HTTP/1.1\r\n".encode())
    assert b"traceparent" not in seen[0]
    assert list(exchanges(run)[0].phases) == ["connect", "tls", "send", "wait", "receive"]
    assert (bad.failure.kind, "it is for localhost" in bad.failure.message) == (FailureKind.TLS, True)


@pytest.mark.parametrize(("refuse", "kind", "said"), PROXY_REFUSALS)
async def test_a_proxy_that_refuses(refuse, kind, said):
    """What the proxy says no to is told apart from what the server says."""
    async with listening(proxy([], refuse)) as port:
        run = await walk(one("https://shop.example/", f", proxy: 'http://127.0.0.1:{port}'"))
    assert run.failure.kind is kind, run.failure
    assert said in run.failure.message
    assert "connect" not in exchanges(run)[0].phases


async def test_a_proxy_that_is_down():
    """A refused connection to the proxy says that it was the proxy."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        run = await walk(one("https://shop.example/", f", proxy: 'http://127.0.0.1:{held.getsockname()[1]}'"))
    assert (run.failure.kind, run.failure.message.endswith("refuses it (the proxy)")) == (FailureKind.CONNECT, True)
