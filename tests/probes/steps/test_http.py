"""The http runner against real servers on loopback."""

import asyncio
import datetime
import gzip
import json
import socket
import ssl
import time
from contextlib import AsyncExitStack
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any

import pytest
import trustme

from sojourn_probes.ids import new_run_id
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import SecretStore
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.cookies import jar_of
from sojourn_probes.steps.http_run import Runner
from sojourn_probes.steps.resolving import ResolveError, ResolvingBackend, resolve
from tests.probes.site import Asked, answer, site
from tests.probes.walking import journey, walk


def step_of(run: Any) -> Any:
    return run.attempts[-1].steps[0]


def one(url: str, more: str = "", **keys: str) -> str:
    head = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return f"id: j\nbase_url: {url}\n{head}steps:\n  - id: s\n    http: {{url: /start{more}}}\n"


async def always(raw: bytes):
    async def respond(asked: Asked) -> bytes:
        return raw

    return respond


async def test_phases_of_an_exchange():
    """Resolve, connect, send, wait and receive are told apart, and the wait is the server's."""

    async def respond(asked: Asked) -> bytes:
        await asyncio.sleep(0.15)
        return answer(body="hello")

    async with site(respond) as shop:
        run = await walk(one(f"http://localhost:{shop.port}"))
    exchange = step_of(run).exchanges[0]
    assert list(exchange.phases) == ["resolve", "connect", "send", "wait", "receive"]
    assert exchange.phases["wait"] >= 0.149
    assert sum(exchange.phases.values()) <= (exchange.ended_ns - exchange.started_ns) / 1e9
    assert (exchange.server_address, exchange.server_port, exchange.peer_address, exchange.peer_port) == ("localhost", shop.port, "127.0.0.1", shop.port)
    assert (exchange.status, exchange.body_size, exchange.protocol_version, exchange.hop) == (200, 5, "1.1", 0)
    assert run.outcome is Outcome.PASSED


async def test_an_address_needs_no_resolving():
    """Where the url has an address there is no resolve phase, and on plain http no tls."""
    async with site(await always(answer())) as shop:
        run = await walk(one(shop.url))
    assert list(step_of(run).exchanges[0].phases) == ["connect", "send", "wait", "receive"]


async def test_host_and_url_stay_as_they_are():
    """Resolving first changes neither the Host header nor the url."""
    async with site(await always(answer())) as shop:
        run = await walk(one(f"http://localhost:{shop.port}"))
    assert shop.asked[0].headers["host"] == f"localhost:{shop.port}"
    assert step_of(run).exchanges[0].url == f"http://localhost:{shop.port}/start"


async def test_each_redirect_is_an_exchange_of_its_own():
    """Hops have their own phases, span ids and traceparent; cookies go along; a 303 becomes a GET without the body."""

    async def respond(asked: Asked) -> bytes:
        if asked.target == "/start":
            return answer(303, location="/two", set_cookie="sid=abc; Path=/")
        return answer(302, location="/three") if asked.target == "/two" else answer(body="there")

    async with site(respond) as shop:
        run = await walk(one(shop.url, ", json: {a: 1}") + "    expect: [redirects == 2, body contains there]\n")
    step = step_of(run)
    assert run.outcome is Outcome.PASSED, run.failure
    assert [(e.hop, e.method, e.status, e.url) for e in step.exchanges] == [
        (0, "POST", 303, f"{shop.url}/start"),
        (1, "GET", 302, f"{shop.url}/two"),
        (2, "GET", 200, f"{shop.url}/three"),
    ]
    assert all({"send", "wait", "receive"} <= set(e.phases) for e in step.exchanges)
    assert [asked.headers["traceparent"] for asked in shop.asked] == [f"00-{run.trace_id}-{e.span_id}-01" for e in step.exchanges]
    assert [asked.headers.get("cookie") for asked in shop.asked] == [None, "sid=abc", "sid=abc"]
    assert (shop.asked[1].body, shop.asked[1].headers.get("content-type")) == (b"", None)


async def test_redirects_are_bounded():
    """A loop ends after follow_redirects hops, and with 0 the redirect itself is the answer."""
    async with site(await always(answer(302, location="/start"))) as shop:
        looped = await walk(one(shop.url, ", follow_redirects: 3"))
        first = await walk(one(shop.url, ", follow_redirects: 0"))
    assert (looped.failure.kind, looped.failure.message) == (FailureKind.PROTOCOL, f"GET {shop.url}/start: more than 3 redirects (follow_redirects)")
    assert len(step_of(looped).exchanges) == 4
    assert (first.outcome, step_of(first).exchanges[0].status) == (Outcome.PASSED, 302)


async def test_the_mark_goes_to_our_own_origin_only():
    """A redirect to another origin carries neither the probe mark nor a secret header; coming back it does."""

    async def elsewhere(asked: Asked) -> bytes:
        return answer(302, location=f"{shop.url}/back")

    async with site(elsewhere) as other:

        async def respond(asked: Asked) -> bytes:
            return answer(302, location=f"{other.url}/away") if asked.target == "/start" else answer()

        async with site(respond) as shop:
            text = one(shop.url, ', headers: {authorization: "Bearer ${secrets.pw}", x-own: "${secrets.pw}", x-open: yes}')
            run = await walk(text, environ={"SOJOURN_SECRET_PW": "hunter2"}, mark=lambda run_id: f"mark-of-{run_id}")
    assert run.outcome is Outcome.PASSED
    assert [asked.headers.get("x-sojourn-probe") for asked in (*shop.asked, *other.asked)] == [f"mark-of-{run.run_id}"] * 2 + [None]
    assert shop.asked[0].headers["authorization"] == "Bearer hunter2"
    assert {"authorization", "x-own"} & set(other.asked[0].headers) == set()
    assert other.asked[0].headers["x-open"] == "yes"
    assert "traceparent" in other.asked[0].headers


async def test_bodies_are_sent_as_asked():
    """json, form and body each with its content type, query parameters merged, names filled with their types."""
    async with site(await always(answer())) as shop:
        head = f"id: j\nbase_url: {shop.url}\nvars: {{n: 3}}\nsteps:\n"
        await walk(
            head
            + '  - {id: a, http: {url: "/a?x=1", query: {y: "${vars.n}", z: true}, json: {n: "${vars.n}", t: "n${vars.n}", u: ü}}}\n'
            + '  - {id: b, http: {url: /b, form: {a: "1 &", n: 3}}}\n'
            + "  - {id: c, http: {url: /c, method: PUT, body: raw, headers: {content-type: text/x}}}\n"
            + '  - {id: d, http: {url: /d, json: null}}\n  - {id: e, http: {url: /e, auth: {user: u, password: "${secrets.pw}"}}}\n',
            environ={"SOJOURN_SECRET_PW": "hunter2"},
        )
    a, b, c, d, e = shop.asked
    assert (a.method, a.target, json.loads(a.body), a.headers["content-type"]) == (
        "POST",
        "/a?x=1&y=3&z=true",
        {"n": 3, "t": "n3", "u": "ü"},
        "application/json",
    )
    assert (b.body, b.headers["content-type"]) == (b"a=1+%26&n=3", "application/x-www-form-urlencoded")
    assert (c.method, c.body, c.headers["content-type"]) == ("PUT", b"raw", "text/x")
    assert d.body == b"null"
    assert e.headers["authorization"] == "Basic dTpodW50ZXIy"
    assert a.headers["user-agent"].startswith("Sojourn/")
    assert a.headers["user-agent"].endswith(" (+synthetic)")


async def test_a_name_without_address_is_dns():
    """An unknown host fails as `dns`, with no phase finished."""
    run = await walk(one("http://nowhere.invalid"))
    assert run.failure.kind is FailureKind.DNS
    assert run.failure.message.startswith("no address for nowhere.invalid")
    assert step_of(run).exchanges[0].phases == {}


async def test_a_refused_connection_is_connect():
    """Nobody listening fails as `connect`; what was resolved is kept."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        run = await walk(one(f"http://localhost:{port}"))
    assert run.failure.kind is FailureKind.CONNECT
    said = "the connection was refused; nothing listens on this port there, or a firewall refuses it"
    assert run.failure.message == f"GET http://localhost:{port}/start: {said}"
    assert list(step_of(run).exchanges[0].phases) == ["resolve"]


@pytest.mark.parametrize(
    ("raw", "kind", "message"),
    [
        (None, FailureKind.PROTOCOL, "the server closed the connection without an answer; it may have crashed over this request, or wants TLS"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", FailureKind.PROTOCOL, "the server closed the connection in the middle of its header; it may have crashed"),
        (b"SSH-2.0-x\r\n", FailureKind.PROTOCOL, "the answer is not good HTTP: it begins with 'SSH-2.0-x\\r\\n'"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort",
            FailureKind.PROTOCOL,
            "the server closed the connection before the body was whole, after 5 B; it may",
        ),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", FailureKind.PROTOCOL, "before the body was whole, after 5 B"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n\r\n", FailureKind.PROTOCOL, "the answer is not good HTTP: illegal chunk header"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000, FailureKind.PROTOCOL, "the answer is not good HTTP: Receive buffer too long"),
        (answer(302, location="http://x:port/"), FailureKind.PROTOCOL, "the answer is not good HTTP"),
        (answer(302, location="ftp://x/"), FailureKind.PROTOCOL, "the answer is not good HTTP"),
        (answer(body=b"no gzip", content_encoding="gzip"), FailureKind.CONTENT, "the body is not what its content-encoding says"),
        (answer(body=gzip.compress(b"x" * 1000, mtime=0)[:20], content_encoding="gzip"), FailureKind.CONTENT, "the body is not what its content-encoding says"),
    ],
)
async def test_broken_answers(raw, kind, message):
    """Each way an answer can be broken is a failure of its kind, never an exception."""

    async def respond(asked: Asked) -> Any:
        return raw

    async with site(respond) as shop:
        run = await walk(one(shop.url))
    assert run.failure.kind is kind, run.failure
    assert message in run.failure.message


async def test_a_time_out_keeps_the_finished_phases():
    """A server that never answers fails as `timeout` at the step's deadline, with what was done before."""

    async def respond(asked: Asked) -> bytes:
        await asyncio.sleep(3600)
        return b""

    async with site(respond) as shop:
        run = await walk(one(f"http://localhost:{shop.port}") + "    timeout: 300ms\n")
    step = step_of(run)
    assert run.failure.kind is FailureKind.TIMEOUT
    assert run.failure.message.startswith(f"not done within 300 ms (timeout of the step), at GET http://localhost:{shop.port}/start after resolve ")
    assert list(step.exchanges[0].phases) == ["resolve", "connect", "send"]
    assert (step.exchanges[0].error, step.exchanges[0].status) == (FailureKind.TIMEOUT, None)


async def test_a_body_that_drips_ends_at_the_deadline():
    """The deadline is for the whole step: a byte now and then does not stretch it."""

    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nx")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    run = await walk(one(f"http://127.0.0.1:{port}", timeout="1s"))
    server.close()
    assert run.failure.kind is FailureKind.TIMEOUT
    assert "timeout of the attempt" in run.failure.message
    assert step_of(run).exchanges[0].status == 200


async def test_other_charsets_are_read():
    """The charset of the content type counts; an unknown one is read as UTF-8."""
    async with site(await always(answer(body="Grüße".encode("latin-1"), content_type="text/html; charset=iso-8859-1"))) as shop:
        run = await walk(one(shop.url) + "    expect: [body contains Grüße]\n")
    assert run.outcome is Outcome.PASSED, run.failure
    async with site(await always(answer(body="Grüße", content_type="text/html; charset=klingon"))) as shop:
        run = await walk(one(shop.url) + "    expect: [body contains Grüße]\n")
    assert run.outcome is Outcome.PASSED, run.failure


def tls_context(authority: trustme.CA, **more) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", **more).configure_cert(context)
    return context


async def test_tls_facts_come_from_the_handshake(tmp_path):
    """Expiry, issuer, version and the tls phase are there for expectations."""
    authority = trustme.CA(organization_name="Harbour Trust")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=20)
    async with site(await always(answer()), tls_context(authority, not_after=expires)) as shop:
        text = one(shop.url, ", tls: {ca_file: ca.pem}")
        text += "    expect:\n      - tls.expires_in between 19d and 20d\n      - tls.issuer contains 'Harbour Trust'\n"
        text += "      - tls.version matches '^TLSv1'\n      - tls < 10s\n"
        run = await walk(text, path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    assert "tls" in step_of(run).exchanges[0].phases


async def test_a_bad_certificate_is_tls():
    """An unknown authority fails as `tls` with the reason; verify: false takes it; resolve and connect are kept."""
    async with site(await always(answer()), tls_context(trustme.CA())) as shop:
        bad = await walk(one(shop.url))
        taken = await walk(one(shop.url, ", tls: {verify: false}") + "    expect: [status == 200, tls.version exists]\n")
    assert bad.failure.kind is FailureKind.TLS
    said = f"GET {shop.url}/start: the server sent its own certificate alone, and its issuer (organizationName=trustme"
    assert bad.failure.message.startswith(said)
    assert list(step_of(bad).exchanges[0].phases) == ["resolve", "connect"]
    assert taken.outcome is Outcome.PASSED, taken.failure


async def test_a_host_that_speaks_no_tls_is_tls():
    """https to a plain http server fails in the handshake."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer(400))
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    run = await walk(one(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    server.close()
    assert run.failure.kind is FailureKind.TLS, run.failure


async def test_a_ca_file_that_is_not_there_is_config(tmp_path):
    """A wrong ca_file says so, and the run is inconclusive: nothing was measured."""
    run = await walk(one("https://localhost:1", ", tls: {ca_file: none.pem}"), path=tmp_path / "j.yaml")
    assert (run.outcome, run.failure.kind, run.failure.message) == (
        Outcome.INCONCLUSIVE,
        FailureKind.CONFIG,
        "tls.ca_file cannot be read: No such file or directory; its path is relative to the journey file",
    )


async def test_an_url_that_cannot_be_is_config():
    """A url that is filled with nonsense is refused before anything is sent."""
    run = await walk("id: j\nvars: {u: 'http://x:port/'}\nsteps:\n  - id: s\n    http: {url: '${vars.u}'}\n")
    assert run.failure.kind is FailureKind.CONFIG


async def test_a_dead_first_address_does_not_stop_the_connection():
    """When a name has several addresses the next one is tried beside a silent one (happy eyeballs)."""
    async with site(await always(answer())) as shop:
        from sojourn_probes.clock import Clock
        from sojourn_probes.steps.phases import Phases

        phases = Phases(Clock())
        found = [(0, 0, 0, "", (address, shop.port)) for address in ("127.0.0.9", "127.0.0.1")]
        stream = await ResolvingBackend(lambda: phases, lambda host, port: found).connect_tcp("two.example", shop.port)
        await stream.aclose()
    assert list(phases.seconds) == ["resolve", "connect"]


async def test_a_hanging_lookup_can_be_cancelled():
    """A resolver that hangs holds up neither the deadline nor other lookups."""
    import threading

    release = threading.Event()

    def hang(host: str, port: int):
        release.wait(30)
        return []

    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await resolve("slow.example", 80, hang)
    assert await resolve("localhost", 80, lambda host, port: [(0, 0, 0, "", ("127.0.0.1", port))]) == ["127.0.0.1"]
    release.set()
    assert time.monotonic() - started < 25
    with pytest.raises(ResolveError):
        await resolve("none.example", 80, lambda host, port: [])


async def test_connections_are_fresh_in_every_step():
    """Each step pays its own handshake, so that a warm connection never hides a slow one."""
    async with site(await always(answer())) as shop:
        run = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n  - {{id: a, http: {{url: /a}}}}\n  - {{id: b, http: {{url: /b}}}}\n")
    assert all("connect" in step.exchanges[0].phases for step in run.attempts[0].steps)


async def test_cookies_lie_in_the_jar_of_the_attempt():
    """An http step sends what lies in `kept["cookies"]`, and puts there what the server sets: where a browser step finds it."""

    def cookie(name: str, value: str) -> Cookie:
        return Cookie(0, name, value, None, False, "127.0.0.1", False, False, "/", True, False, None, True, None, None, {})

    async def respond(asked: Asked) -> bytes:
        return answer(set_cookie="sid=from-the-server; Path=/")

    async with site(respond) as shop:
        found = journey(one(shop.url))
        store = SecretStore({})
        names = Names({}, {}, store, new_run_id(time.time()))
        async with AsyncExitStack() as stack:
            context = StepContext(
                run_id=names.run_id,
                journey_id="j",
                step_id="s",
                attempt=1,
                trace_id="1" * 32,
                span_id="1" * 16,
                base_url=shop.url,
                own_origins=(shop.url,),
                names=names,
                redact=Redactor(store),
                mark=None,
                timeout=30.0,
                folder=Path(),
                evidence_folder=None,
                stack=stack,
            )
            jar = jar_of(context)
            jar.set_cookie(cookie("cart", "from-the-browser"))
            await Runner().run(found.steps[0].part, context)
    assert shop.asked[0].headers["cookie"] == "cart=from-the-browser"
    assert context.kept["cookies"] is jar
    assert {one.name: one.value for one in jar} == {"cart": "from-the-browser", "sid": "from-the-server"}
