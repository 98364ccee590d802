"""The tcp runner: connecting, dialogs of text and bytes, TLS on the way, hostile servers, and what a file may say."""

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.steps import starttls_servers as talking
from tests.probes.steps.pinging import may_ping
from tests.probes.steps.tls_servers import Authority, hours, listening, silent
from tests.probes.test_schema import fits_schema, loads
from tests.probes.walking import journey, walk

ROOT = Path(__file__).parents[3]


async def speak(port: int, keys: str = "", *expectations: str, host: str = "localhost", timeout: str = "25s", **more: Any) -> Any:
    lines = "".join(f"      - {one}\n" for one in expectations)
    expect = f"    expect:\n{lines}" if lines else ""
    text = f'id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    tcp:\n      host: "{host}"\n      port: {port}\n{keys}{expect}'
    return await walk(text, **more)


def dialog(*turns: str) -> str:
    return "      dialog:\n" + "".join(f"        - {turn}\n" for turn in turns)


async def shop(reader, writer):
    """Greets, and answers lines: HELO by name, BYTES by four of them."""
    writer.write(b"220 shop ready\r\n")
    while line := await reader.readline():
        if line.startswith(b"HELO"):
            writer.write(b"250-hello\r\n250 " + line[5:])
        elif line == b"BYTES\r\n":
            writer.write(b"\x00\x01\xfe\xff")
        elif line == b"QUIT\r\n":
            writer.write(b"221 bye\r\n")
            return


async def test_connecting_is_enough():
    """Without a dialog the step connects, and says how long that took, from where to where."""
    async with listening(silent) as port:
        run = await speak(port, "", "connect <= 20s", "resolve <= 20s", "size == 0")
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.method, exchange.url) == ("tcp", "TCP", f"localhost:{port}")
    assert (exchange.server_address, exchange.server_port, exchange.peer_address, exchange.peer_port) == ("localhost", port, "127.0.0.1", port)
    assert list(exchange.phases) == ["resolve", "connect"]


async def test_a_dialog_of_several_turns():
    """Each turn waits for its own words after those of the turn before; bytes go in hex; banner, body and size are facts."""
    turns = dialog('expect: "220"', 'send: "HELO ${vars.name}\\r\\n"', "matches: '^250 probe$'", 'send_hex: "42 59 54 45 53 0d0a"', "expect_hex: 00 01 fe ff")
    async with listening(shop) as port:
        text = f"id: j\nvars: {{name: probe}}\nsteps:\n  - id: s\n    tcp:\n      host: localhost\n      port: {port}\n{turns}"
        run = await walk(text + "    expect: [\"banner == '220 shop ready\\r\\n'\", body contains 250-hello, size > 30, send <= 20s, wait <= 20s]\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert list(run.attempts[0].steps[0].exchanges[0].phases) == ["resolve", "connect", "send", "wait"]


async def test_the_same_words_must_come_again():
    """What was expected once is used up: a second turn wants it a second time."""
    async with listening(shop) as port:
        run = await speak(port, dialog('expect: "220"', 'expect: "220"'), timeout="2s")
    assert run.failure.kind is FailureKind.TIMEOUT
    assert run.failure.message.endswith(": '220' was awaited, and the server said '220 shop ready'")


async def test_words_that_come_in_pieces_are_found():
    """A text cut into single bytes over many packets is still that text, a regular expression included."""

    async def drips(reader, writer):
        for byte in b"well: gr\xc3\xbc\xc3\x9fe!\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.002)
        await silent(reader, writer)

    async with listening(drips) as port:
        run = await speak(port, dialog('expect: "ell"', "matches: 'gr[üu]ß'", 'expect: "e!"'))
    assert run.outcome is Outcome.PASSED, run.failure


async def test_what_was_awaited_in_vain_is_said():
    """At the deadline the failure says what was awaited and what came instead, without secrets."""

    async def echoes(reader, writer):
        writer.write(b"you said " + await reader.readline())
        await silent(reader, writer)

    turns = dialog('send: "PASS ${secrets.pw}\\n"', 'expect: "+OK"')
    async with listening(echoes) as port:
        run = await speak(port, turns, timeout="2s", environ={"SOJOURN_SECRET_PW": "hunter2-hunter2"})
    assert run.failure.kind is FailureKind.TIMEOUT
    assert run.failure.message.startswith(f"not done within 2.00 s (timeout of the attempt), at TCP localhost:{port} after resolve ")
    assert run.failure.message.endswith(": '+OK' was awaited, and the server said 'you said PASS [redacted]'")
    assert "hunter2" not in repr(run)


async def test_a_server_that_closes_is_protocol():
    """An end before the awaited word is `protocol`, with what was said until then."""

    async def refuses(reader, writer):
        writer.write(b"554 go away\r\n")

    async with listening(refuses) as port:
        run = await speak(port, dialog('expect: "220"'))
    message = f"localhost:{port}: the server closed the connection while '220' was awaited; it said '554 go away'"
    assert (run.failure.kind, run.failure.message) == (FailureKind.PROTOCOL, message)
    assert list(run.attempts[0].steps[0].exchanges[0].phases) == ["resolve", "connect", "wait"]


async def test_a_connection_that_breaks_is_protocol():
    """A reset in the middle is `protocol`."""

    async def resets(reader, writer):
        await reader.readline()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with listening(resets) as port:
        run = await speak(port, dialog('send: "x\\n"', 'expect: "y"'))
    assert (run.failure.kind, run.failure.message) == (FailureKind.PROTOCOL, f"localhost:{port}: the connection broke while listening; it said nothing")


async def test_endless_words_are_bounded():
    """A server that never stops ends at max_body, as `content`."""

    async def floods(reader, writer):
        while True:
            writer.write(b"x" * 10000)
            await writer.drain()

    async with listening(floods) as port:
        run = await speak(port, dialog('expect: "y"') + "      max_body: 50 KB\n")
    assert (run.failure.kind, run.failure.message) == (FailureKind.CONTENT, f"localhost:{port}: the server said more than 50.0 KB (max_body)")


async def test_tls_from_the_first_byte(tmp_path):
    """With `tls` the whole dialog is encrypted, and the certificate's facts are there."""
    authority = Authority(tmp_path)
    async with listening(shop, authority.context(not_after=hours(48))) as port:
        keys = "      tls: {ca_file: ca.pem}\n" + dialog('expect: "220"', 'send: "QUIT\\r\\n"', 'expect: "221"')
        run = await speak(port, keys, "tls.expires_in between 1d and 2d", "tls.key_bits == 256", "banner contains shop", path=tmp_path / "j.yaml")
        unknown = await speak(port, "      tls: true\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert list(run.attempts[0].steps[0].exchanges[0].phases) == ["resolve", "connect", "tls", "send", "wait"]
    assert unknown.failure.kind is FailureKind.TLS


async def test_starttls_by_name_and_by_hand(tmp_path):
    """`starttls: smtp` says EHLO and STARTTLS itself; `starttls: true` in the dialog goes on in TLS from there."""
    authority = Authority(tmp_path)
    ask = ('send: "EHLO x\\r\\n"', "matches: '^250 '")
    async with listening(talking.smtp(authority.context())) as port:
        tls = "      tls: {ca_file: ca.pem}\n"
        named = await speak(port, tls + "      starttls: smtp\n" + dialog(*ask), "tls.protocol exists", path=tmp_path / "j.yaml")
        by_hand = dialog("matches: '^220 '", *ask, 'send: "STARTTLS\\r\\n"', 'expect: "220"', "starttls: true", *ask, 'send: "QUIT\\r\\n"', 'expect: "221"')
        hand = await speak(port, tls + by_hand, "tls.protocol exists", "banner contains ESMTP", path=tmp_path / "j.yaml")
    assert named.outcome is Outcome.PASSED, named.failure
    assert hand.outcome is Outcome.PASSED, hand.failure
    assert [run.attempts[0].steps[0].exchanges[0].protocol for run in (named, hand)] == ["smtp", "tcp"]


async def test_a_bad_certificate_in_the_middle_of_a_dialog_is_explained(tmp_path):
    """The second look says the dialog up to its STARTTLS once more."""
    authority = Authority(tmp_path)
    turns = dialog("matches: '^220 '", 'send: "STARTTLS\\r\\n"', 'expect: "220"', "starttls: true")
    async with listening(talking.smtp(authority.context("other.example"))) as port:
        run = await speak(port, "      tls: {ca_file: ca.pem}\n" + turns, path=tmp_path / "j.yaml")
    assert run.failure.message.startswith(f"localhost:{port}: the certificate is not for localhost; it is for other.example")


async def test_over_ipv6():
    """An address of IPv6 and a name looked up for IPv6 alone both work; a family that has no address is `dns`."""
    async with listening(shop, host="::1") as port:
        there = await speak(port, dialog('expect: "220"'), host="::1")
        named = await speak(port, "      ip_family: 4\n", host="::1")
    assert there.outcome is Outcome.PASSED, there.failure
    assert there.attempts[0].steps[0].exchanges[0].url == f"[::1]:{port}"
    assert (named.failure.kind, named.failure.message) == (FailureKind.CONFIG, "::1 is an address of IPv6, and ip_family says 4; remove one of them")


async def test_a_family_can_be_chosen():
    """With ip_family 4 a name's address of IPv4 is asked."""
    async with listening(shop) as port:
        run = await speak(port, "      ip_family: 4\n" + dialog('expect: "220"'))
    assert run.outcome is Outcome.PASSED, run.failure
    assert run.attempts[0].steps[0].exchanges[0].peer_address == "127.0.0.1"


async def test_nothing_is_left_open():
    """Whatever ends a step, its connection is closed; the server sees the end of it."""
    ended = asyncio.Semaphore(0)

    async def watches(reader, writer):
        writer.write(b"hello")
        while await reader.read(100):
            pass
        ended.release()

    async with listening(watches) as port:
        await speak(port, dialog('expect: "hello"'))
        await speak(port, dialog('expect: "never"'), timeout="300ms")
        async with asyncio.timeout(25):
            await ended.acquire()
            await ended.acquire()


async def test_the_port_example():
    """configs/journeys/examples/port.yaml passes against servers that are well, and fails at the one that says something else."""
    text = (ROOT / "configs/journeys/examples/port.yaml").read_text()
    text = text.replace("{gateway: 192.0.2.1, desktop: desktop.example, cache: cache.example}", "{gateway: 127.0.0.1, desktop: localhost, cache: localhost}")
    text = text.replace("rtt > 150ms", "rtt > 30s").replace("connect > 300ms", "connect > 30s").replace("wait < 1s", "wait < 30s")
    if not may_ping("127.0.0.1"):
        text = re.sub(r"  - id: line\n.*?(?=  - id: desktop)", "", text, flags=re.DOTALL)

    async def cache(reader, writer):
        writer.write(b"+PONG\r\n" if await reader.readline() == b"PING\r\n" else b"-ERR\r\n")

    async with listening(silent) as desktop, listening(cache) as good, listening(shop) as bad:
        text = text.replace("port: 3389", f"port: {desktop}")
        run = await walk(text.replace("port: 6379", f"port: {good}"))
        other = await walk(text.replace("port: 6379", f"port: {bad}").replace("wait < 30s]", "wait < 30s]\n    timeout: 3s"))
    assert run.outcome is Outcome.PASSED, run.failure
    assert (other.failure.step, other.failure.kind) == ("cache", FailureKind.TIMEOUT)
    assert other.failure.message.endswith("'+PONG' was awaited, and the server said '220 shop ready'")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{host: x}", "steps[0].tcp.port: is missing; add it"),
        ("{host: x, port: 0}", "must be at least 1"),
        ("{host: x, port: 25, dialog: [{}]}", "steps[0].tcp.dialog[0]: say exactly one of send, send_hex, expect, expect_hex, matches, starttls"),
        ("{host: x, port: 25, dialog: [{send: a, expect: b}]}", "say exactly one of send, send_hex, expect, expect_hex, matches, starttls"),
        ("{host: x, port: 25, dialog: [{send_hex: 0g}]}", "steps[0].tcp.dialog[0].send_hex: '0g' are no hex bytes; write two digits for each, such as 01 ff"),
        ("{host: x, port: 25, dialog: [{matches: '('}]}", "steps[0].tcp.dialog[0].matches: '(' is not a regular expression: "),
        ("{host: x, port: 25, dialog: [{starttls: false}]}", "starttls is true or not there; remove it"),
        ("{host: x, port: 25, starttls: smtp, dialog: [{starttls: true}]}", "steps[0].tcp: goes on in TLS twice; keep one starttls"),
        ("{host: x, port: 25, tls: {cafile: a}}", "steps[0].tcp.tls.cafile: is not known here; did you mean ca_file?"),
        ("{host: x, port: 25, tls: false}", "steps[0].tcp.tls: "),
        ("{host: x, port: 25, url: /}", "steps[0].tcp.url: is not known here"),
    ],
)
def test_what_a_file_may_not_say(part, message):
    """Each wrong key is refused at its place, with the cure."""
    with pytest.raises(JourneyFileError) as refused:
        journey(f"id: j\nsteps:\n  - id: s\n    tcp: {part}\n")
    assert message in str(refused.value)


SAME_TO_BOTH = [
    ("tcp: {host: x, port: 25, tls: true}", True),
    ("tcp: {host: x, port: '${env.PORT}', tls: {verify: false, min_version: 1.3}}", True),
    ("tcp: {host: x, port: 25, ip_family: 4, dialog: [{send: a}, {expect: b}, {starttls: true}], max_body: 2 KB}", True),
    ("tls: {host: x, port: 1, ip_family: '6', starttls: ldap, min_version: '1.2', key_password: '${secrets.a}', cert_file: a}", True),
    ("icmp: {host: x, count: 100, gap: 10ms, wait: 3s, size: 16, ip_family: any}", True),
    ("tcp: {host: x, port: 25, tls: false}", False),
    ("tcp: {host: x, port: '25'}", False),
    ("tcp: {host: x, port: 25.5}", False),
    ("tcp: {host: x, port: 65536}", False),
    ("tcp: {host: x}", False),
    ("tcp: {host: '', port: 25}", False),
    ("tcp: {host: x, port: 25, ip_family: 5}", False),
    ("tcp: {host: x, port: 25, dialog: {send: a}}", False),
    ("tcp: {host: x, port: 25, dialog: [{say: a}]}", False),
    ("tls: {host: x, min_version: 1.1}", False),
    ("tls: {host: x, min_version: 1.25}", False),
    ("tls: {host: x, starttls: irc}", False),
    ("tls: {host: x, ca_file: [a]}", False),
    ("icmp: {host: x, count: 101}", False),
    ("icmp: {host: x, count: '3'}", False),
    ("icmp: {host: x, gap: 3}", False),
]


@pytest.mark.parametrize(("part", "good"), SAME_TO_BOTH)
def test_editor_and_loader_agree(part, good):
    """What the loader takes of these kinds the JSON Schema takes, and what it refuses in form the schema marks."""
    text = f"id: j\nsteps:\n  - id: s\n    {part}\n"
    assert (loads(text), fits_schema(text)) == (good, good)
