"""Every way a TLS server can be wrong: its failure kind, and a sentence with cause and cure. The same for tls, tcp and http steps."""

import asyncio
import socket
import ssl
from typing import Any

import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import answer
from tests.probes.steps.tls_servers import Authority, handshaking, hours, listening, self_signed, silent
from tests.probes.walking import walk

STEPS = {
    "tls": "tls: {{host: localhost, port: {port}, ca_file: ca.pem{more}}}",
    "tcp": "tcp: {{host: localhost, port: {port}, tls: {{ca_file: ca.pem{more}}}}}",
    "http": "http: {{url: 'https://localhost:{port}/', tls: {{ca_file: ca.pem{more}}}}}",
}


def place(kind: str, port: int) -> str:
    """How the sentence of a failure begins."""
    return f"GET https://localhost:{port}/: " if kind == "http" else f"localhost:{port}: "


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


async def shake(kind, port, folder, more: str = "", timeout: str = "25s") -> Any:
    step = STEPS[kind].format(port=port, more=more)
    return await walk(f"id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    {step}\n", path=folder / "j.yaml")


def bad_servers(authority, folder):
    """Name → the server's TLS and what is said of it."""
    return {
        "expired": (
            authority.context(not_before=hours(-99), not_after=hours(-72)),
            "the certificate expired 3.0 d ago; renew it on the server, or this machine's clock is wrong",
        ),
        "expired long ago": (
            authority.context(not_before=hours(-20000), not_after=hours(-9600)),
            "the certificate expired 400.0 d ago; renew it on the server",
        ),
        "not yet valid": (
            authority.context(not_before=hours(72.1)),
            "the certificate is not valid yet for another 3.0 d; the server has it too early, or this machine's clock is wrong",
        ),
        "wrong host": (
            authority.context("shop.example", "*.shop.example"),
            "the certificate is not for localhost; it is for shop.example, *.shop.example: get one with this name, or set server_name",
        ),
        "self-signed": (self_signed(folder), "the certificate is self-signed, nobody vouches for it; get one from an authority, or trust it with ca_file"),
        "chain missing": (authority.without_chain(), "the server sent its own certificate alone, and its issuer ("),
        "old protocol": (
            authority.old(),
            "the server speaks no TLS version this probe takes; it may have old, unsafe ones only: turn on TLS 1.2 or newer there",
        ),
    }


@pytest.mark.parametrize("kind", sorted(STEPS))
@pytest.mark.parametrize("which", ["expired", "expired long ago", "not yet valid", "wrong host", "self-signed", "chain missing", "old protocol"])
async def test_a_badly_set_up_server_is_tls(kind, which, authority, tmp_path):
    """Each fault of a certificate or a version is `tls`, says cause and cure, and keeps what was measured before."""
    tls, said = bad_servers(authority, tmp_path)[which]
    with handshaking(tls) as port:
        run = await shake(kind, port, tmp_path)
    assert (run.outcome, run.failure.kind) == (Outcome.FAILED, FailureKind.TLS)
    assert run.failure.message.removeprefix(place(kind, port)).startswith(said)
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (list(exchange.phases), exchange.error) == (["resolve", "connect"], FailureKind.TLS)


async def test_an_unknown_authority_is_named(authority, tmp_path):
    """A whole chain of somebody not trusted here says whose it is and how to trust it."""
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Smugglers")
    async with listening(silent, other.context()) as port:
        run = await shake("tls", port, tmp_path)
    assert "is not known here" in run.failure.message
    assert "Smugglers" in run.failure.message
    assert run.failure.message.endswith("trust the issuer with ca_file")


async def test_a_second_look_that_hangs_changes_nothing(authority, tmp_path):
    """A server that answers once and then no more: the failure stays `tls`, in fewer words, and the deadline is kept."""
    context = authority.context(not_before=hours(-99), not_after=hours(-72))
    connections = 0

    async def once(reader, writer):
        nonlocal connections
        connections += 1
        if connections == 1:
            await writer.start_tls(context)
        await silent(reader, writer)

    async with listening(once) as port:
        run = await shake("tls", port, tmp_path, timeout="8s")
    assert connections == 2
    said = f"localhost:{port}: the certificate has expired; renew it on the server, or this machine's clock is wrong"
    assert (run.failure.kind, run.failure.message) == (FailureKind.TLS, said)


async def speaks_plain(reader, writer):
    writer.write(b"220 mail.example ESMTP ready\r\n")
    await writer.drain()
    await reader.read()


async def closes(reader, writer):
    await reader.read(64)


async def resets(reader, writer):
    await reader.read(64)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


CLOSED = "the server closed the connection in the middle of the TLS handshake; it may speak no TLS on this port, or its own log says why"


@pytest.mark.parametrize("kind", sorted(STEPS))
@pytest.mark.parametrize(
    ("serve", "said"),
    [
        (speaks_plain, "what the server answers is no TLS; it speaks plain text on this port: use its TLS port, or starttls"),
        (closes, CLOSED),
        (resets, CLOSED),
    ],
)
async def test_a_hostile_server_is_tls(kind, serve, said, authority, tmp_path):
    """Plain text where TLS should be, and a connection ended in the handshake, are `tls`."""
    async with listening(serve) as port:
        run = await shake(kind, port, tmp_path)
    assert (run.failure.kind, run.failure.message) == (FailureKind.TLS, f"{place(kind, port)}{said}")


@pytest.mark.parametrize("kind", sorted(STEPS))
async def test_a_silent_server_is_timeout(kind, authority, tmp_path):
    """A handshake that never goes on ends at the deadline; the sentence says where it hung and why that may be."""
    async with listening(silent) as port:
        run = await shake(kind, port, tmp_path, timeout="2s")
    assert run.failure.kind is FailureKind.TIMEOUT
    request = f"GET https://localhost:{port}/" if kind == "http" else f"{kind.upper()} localhost:{port}"
    assert run.failure.message.startswith(f"not done within 2.00 s (timeout of the attempt), at {request} after resolve ")
    assert run.failure.message.endswith("silent in the TLS handshake; it may speak no TLS on this port, or want starttls, or hang")
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (list(exchange.phases), exchange.error) == (["resolve", "connect"], FailureKind.TIMEOUT)


@pytest.mark.parametrize("kind", sorted(STEPS))
async def test_nobody_there_is_connect(kind, authority, tmp_path):
    """A port nobody listens on is `connect`, with what was resolved."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        run = await shake(kind, port, tmp_path)
    said = "the connection was refused; nothing listens on this port there, or a firewall refuses it"
    assert (run.failure.kind, run.failure.message) == (FailureKind.CONNECT, f"{place(kind, port)}{said}")
    assert list(run.attempts[0].steps[0].exchanges[0].phases) == ["resolve"]


async def test_an_unknown_name_is_dns(authority, tmp_path):
    """A host that has no address is `dns`."""
    run = await walk("id: j\nsteps:\n  - {id: s, tls: {host: nowhere.invalid}}\n")
    assert run.failure.kind is FailureKind.DNS
    assert run.failure.message.startswith("no address for nowhere.invalid")


async def test_a_server_that_drips_its_handshake_ends_at_the_deadline(authority, tmp_path):
    """Bytes now and then do not stretch the deadline."""

    async def drips(reader, writer):
        writer.write(b"\x16\x03\x03\x40\x00")
        while True:
            writer.write(b"\x02")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with listening(drips) as port:
        run = await shake("tls", port, tmp_path, timeout="2s")
    assert run.failure.kind in (FailureKind.TIMEOUT, FailureKind.TLS)
    assert (run.ended_ns - run.started_ns) / 1e9 < 60


@pytest.mark.parametrize("kind", sorted(STEPS))
@pytest.mark.parametrize("newest", ["TLSv1_2", "TLSv1_3"])
async def test_a_missing_client_certificate_is_tls(kind, newest, authority, tmp_path):
    """A server that wants a client certificate says no during the handshake, with TLS 1.3 right after it; both are seen."""
    greeting = answer(body="hello\n") if kind == "http" else b"hello\n"
    with handshaking(authority.wanting_clients(ssl.TLSVersion[newest]), greeting) as port:
        step = STEPS[kind].format(port=port, more="")
        if kind == "tcp":
            step = step[:-1] + ', dialog: [{expect: "hello"}]}'
        run = await walk(f"id: j\nsteps:\n  - id: s\n    {step}\n", path=tmp_path / "j.yaml")
        authority.client()
        step = step.replace("ca_file: ca.pem", "ca_file: ca.pem, cert_file: client.pem, key_file: client.key")
        good = await walk(f"id: j\nsteps:\n  - id: s\n    {step}\n", path=tmp_path / "j.yaml")
    assert run.failure.kind is FailureKind.TLS
    assert "client certificate" in run.failure.message
    assert good.outcome is Outcome.PASSED, good.failure
