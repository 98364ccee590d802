"""The dns runner against a real name server on loopback, good and hostile."""

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import trustme

from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps import dns_run
from sojourn_probes.steps.talk import Broken
from tests.probes.site import Asked, answer, site
from tests.probes.test_load import problems
from tests.probes.walking import walk

Answering = Callable[[dns.message.Message, str], bytes]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answering: Answering) -> None:
        self.answering = answering

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(self.answering(dns.message.from_wire(data), "udp"), addr)


@contextlib.asynccontextmanager
async def serving(answering: Answering, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def on_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        answer = answering(dns.message.from_wire(await reader.readexactly(length)), "tcp")
        writer.write(len(answer).to_bytes(2, "big") + answer)
        await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async with await asyncio.start_server(on_tcp, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(answering), local_addr=("127.0.0.1", port))
        try:
            yield port
        finally:
            transport.close()


def zone(query: dns.message.Message, transport: str) -> bytes:
    """shop.test has two addresses; big.test is cut over UDP; everything else is not there."""
    answer = dns.message.make_response(query)
    name = query.question[0].name.to_text()
    if name == "big.test." and transport == "udp":
        answer.flags |= dns.flags.TC
    elif name in ("shop.test.", "big.test."):
        answer.answer.append(dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.1", "192.0.2.2"))
    elif name != "empty.test.":
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()


async def asked(port: int, name: str = "shop.test", more: str = "", keys: str = "", timeout: str = "20s"):
    return await walk(f'id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    dns: {{name: {name}, resolver: "127.0.0.1:{port}"{keys}}}\n{more}')


async def test_an_answer_is_facts():
    """Records, their number, the rcode, the time to live and the wait can be expected."""
    async with serving(zone) as port:
        run = await asked(
            port, more="    expect: [rcode == NOERROR, records contains '192.0.2.2', answers == 2, ttl == 300s, wait < 20s]\n    degraded_if: [answers < 2]\n"
        )
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.protocol_version, list(exchange.phases)) == ("dns", "udp", ["wait"])


async def test_a_cut_answer_is_asked_again_over_tcp():
    """Both exchanges are kept."""
    async with serving(zone) as port:
        run = await asked(port, "big.test")
    assert run.outcome is Outcome.PASSED, run.failure
    assert [one.protocol_version for one in run.attempts[0].steps[0].exchanges] == ["udp", "tcp"]


@pytest.mark.parametrize(("name", "message"), [("none.test", "expected rcode == NOERROR, got 'NXDOMAIN'"), ("empty.test", "expected answers > 0, got 0")])
async def test_no_record_fails_the_step(name, message):
    """A name that is not there, or has no such record, fails as dns when the journey says nothing else."""
    async with serving(zone) as port:
        run = await asked(port, name)
    assert run.failure.kind is FailureKind.DNS
    assert run.failure.message.startswith(message)


async def test_a_name_may_be_expected_not_to_be_there():
    """What the journey says of the rcode takes the place of the default."""
    async with serving(zone) as port:
        run = await asked(port, "none.test", "    expect: [rcode == NXDOMAIN]\n")
    assert run.outcome is Outcome.PASSED, run.failure


@pytest.mark.parametrize(
    "hostile",
    [b"", b"\xff" * 40, b"\0\0\x81\x80\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", b"\0\0\x81\x80\0\1\xff\xff\0\0\0\0\4shop\4test\0\0\1\0\1"],
    ids=["nothing", "garbage", "compression loop", "counts that lie"],
)
async def test_hostile_answers_over_tcp(hostile):
    """What cannot be read is a failure of the protocol."""
    async with serving(lambda query, _: query.id.to_bytes(2, "big") + hostile[2:]) as port:
        run = await asked(port, keys=", transport: tcp")
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure


async def test_an_answer_of_another_id_is_not_ours():
    """It is passed over until the deadline."""

    def forged(query: dns.message.Message, transport: str) -> bytes:
        query.id ^= 1
        return zone(query, transport)

    async with serving(forged) as port:
        run = await asked(port, timeout="1s")
    assert run.failure.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("name: a..b, resolver: 127.0.0.1", "a..b is no name that can be asked about (EmptyLabel); write it as shop.example"),
        ("name: a.b, resolver: '127.0.0.1:x'", "127.0.0.1:x is no resolver; write host or host:port, an IPv6 address with a port in [ ]"),
        ("name: a.b, resolver: '127.0.0.1:70000'", "127.0.0.1:70000 is no resolver; write host or host:port, an IPv6 address with a port in [ ]"),
    ],
)
async def test_what_cannot_be_asked_is_a_fault_of_the_file(keys, message):
    """The failure says what to write."""
    run = await walk(f"id: j\nsteps:\n  - id: s\n    dns: {{{keys}}}\n")
    assert (run.failure.kind, run.failure.message) == (FailureKind.CONFIG, message)


async def test_the_exchange_carries_the_standard_names():
    """A span of a question can be found by the name asked about and the addresses answered."""
    async with serving(zone) as port:
        found, cut, none = await asked(port), await asked(port, "big.test"), await asked(port, "none.test")
    [attributes] = [one.attributes for one in found.attempts[0].steps[0].exchanges]
    assert attributes == {"dns.question.name": "shop.test", "dns.answers": attributes["dns.answers"]}
    assert sorted(attributes["dns.answers"]) == ["192.0.2.1", "192.0.2.2"]  # a server answers in any order
    assert ["dns.answers" in one.attributes for one in cut.attempts[0].steps[0].exchanges] == [False, True]
    assert [one.attributes for one in none.attempts[0].steps[0].exchanges] == [{"dns.question.name": "none.test"}]


@contextlib.contextmanager
def silent_port():
    """A port that takes datagrams and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_the_next_resolver_of_this_machine_is_asked(monkeypatch):
    """One that nobody listens at and one that is silent are passed over, as this machine's own lookups would, and said; the answer is not a change."""
    monkeypatch.setattr(dns_run, "PATIENCE_SECONDS", 0.3)
    tools: dict[str, object] = {}
    with silent_port() as silent:
        async with serving(zone) as port:
            runs = []
            for first in (f"127.0.0.1:{port}", f"127.0.0.1:{silent}", "127.0.0.1:1"):
                monkeypatch.setattr(dns_run, "_of_system", lambda family, first=first: [first, f"127.0.0.1:{port}"])
                runs.append(await walk("id: j\ntimeout: 20s\nsteps:\n  - id: s\n    dns: {name: shop.test}\n", tools=tools))
    assert [run.outcome for run in runs] == [Outcome.PASSED] * 3
    notes = [run.attempts[0].steps[0].note for run in runs]
    assert notes[0] == ""
    assert notes[1] == f"no answer of this machine's resolver 127.0.0.1:{silent}, so 127.0.0.1:{port} was asked"
    assert notes[2] == f"no answer of this machine's resolver 127.0.0.1:1, so 127.0.0.1:{port} was asked"
    assert [len(run.attempts[0].steps[0].exchanges) for run in runs] == [1, 2, 2]


def test_the_resolvers_of_this_machine_are_those_it_names_now(monkeypatch):
    """Read anew each time, three at most, of one address family where the step says so; a bad line and none at all are the machine's fault."""
    named = ["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"]
    monkeypatch.setattr("dns.resolver.Resolver", lambda: SimpleNamespace(nameservers=named))
    assert dns_run._of_system() == ["192.0.2.1", "[2001:db8::1]", "192.0.2.2"]
    assert dns_run._of_system("6") == ["[2001:db8::1]"]
    named[:] = ["192.0.2.9"]
    assert dns_run._of_system() == ["192.0.2.9"]
    with pytest.raises(Broken, match=r"^this machine names no resolver over IPv6 in /etc/resolv\.conf; write resolver: host$"):
        dns_run._of_system("6")

    def bad() -> None:
        raise ValueError("nameserver nonsense is not a dns.nameserver.Nameserver instance")

    monkeypatch.setattr("dns.resolver.Resolver", bad)
    with pytest.raises(Broken, match=r"^/etc/resolv\.conf names a resolver that is none \(nameserver nonsense .*\); mend it, or write resolver: host$"):
        dns_run._of_system()


async def test_a_resolver_that_is_named_is_the_only_one_asked(monkeypatch):
    """Whoever names a resolver wants to know of that one."""
    monkeypatch.setattr(dns_run, "_of_system", lambda family: pytest.fail("nobody else is to be asked"))
    for transport in ("udp", "tcp"):
        run = await asked(1, keys=f", transport: {transport}")
        assert run.failure.kind is FailureKind.CONNECT, run.failure


async def test_nobody_listens():
    """A refused connection is one of connect."""
    async with serving(zone) as port:
        pass
    run = await asked(port, keys=", transport: tcp")
    assert run.failure.kind is FailureKind.CONNECT


async def test_garbage_over_udp_is_nobodys_answer():
    """It is passed over until the deadline, and the failure says what may be the matter."""
    async with serving(lambda query, _: b"\xff" * 30) as port:
        run = await asked(port, timeout="1s")
    assert run.failure.kind is FailureKind.TIMEOUT
    assert "or what came was no answer to this question" in run.failure.message


async def test_an_answer_to_another_question_is_not_believed():
    """Over TCP it ends the step as `protocol`."""

    def other(query: dns.message.Message, transport: str) -> bytes:
        answer = dns.message.make_response(dns.message.make_query("evil.test", "A"))
        answer.id = query.id
        return answer.to_wire()

    async with serving(other) as port:
        run = await asked(port, keys=", transport: tcp")
    assert run.failure.kind is FailureKind.PROTOCOL
    assert run.failure.message == f"127.0.0.1:{port} answered another question than was asked; do not trust this resolver"


@pytest.fixture
def authority(tmp_path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return made


def server_side(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


HEAD = "id: j\nsteps:\n  - id: s\n"
OVER_TLS = "dns: {{name: shop.test, resolver: 'localhost:{port}', transport: tls, ip_family: 4, tls: {{ca_file: ca.pem}}}}"
DOT = f"{HEAD}    {OVER_TLS}\n    expect: [tls.expires_in > 1m]\n"


async def test_a_resolver_is_asked_over_tls(authority, tmp_path):
    """With the phases of its connection, and its certificate judged."""
    async with serving(zone, server_side(authority)) as port:
        run = await walk(DOT.format(port=port), path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.protocol_version) == ("dns", "tls")
    assert {"resolve", "connect", "tls", "wait"} <= set(exchange.phases)


async def test_a_resolver_with_a_foreign_certificate_is_not_believed(authority, tmp_path):
    """The failure is one of TLS and names the cause."""
    async with serving(zone, server_side(authority, "dns.example")) as port:
        run = await walk(DOT.format(port=port), path=tmp_path / "j.yaml")
    assert run.failure.kind is FailureKind.TLS
    assert "dns.example" in run.failure.message


SAFE = "transport: https, ip_family: 4, tls: {{ca_file: ca.pem}}"
DOH = HEAD + "    dns: {{name: shop.test, resolver: 'https://localhost:{port}{path}', " + SAFE + "}}\n"


async def over_https(asked: Asked) -> bytes:
    """A resolver as RFC 8484 has it; every other path is a web page."""
    path, _, query = asked.target.partition("?dns=")
    if path != "/dns-query":
        return answer(404) if path == "/none" else answer(body="<h1>Hello</h1>", content_type="text/html")
    question = dns.message.from_wire(base64.urlsafe_b64decode(query + "=" * (-len(query) % 4)))
    return answer(body=zone(question, "https"), content_type="application/dns-message")


async def test_a_resolver_is_asked_over_https(authority, tmp_path):
    """By a GET, recorded as the HTTP exchange it is."""
    async with site(over_https, server_side(authority)) as served:
        run = await walk(DOH.format(port=served.port, path="/dns-query"), path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    assert run.attempts[0].steps[0].exchanges[0].status == 200
    assert served.asked[0].headers["accept"] == "application/dns-message"


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/none", FailureKind.STATUS, "answered 404, expected 200; is it the address of a resolver, with its path?"),
        ("/page", FailureKind.PROTOCOL, "answered no DNS but text/html; correct its path"),
    ],
)
async def test_a_web_page_is_no_resolver(authority, tmp_path, path, kind, said):
    """And is told from one."""
    async with site(over_https, server_side(authority)) as served:
        run = await walk(DOH.format(port=served.port, path=path), path=tmp_path / "j.yaml")
    assert run.failure.kind is kind
    assert run.failure.message == f"https://localhost:{served.port}{path} {said}"


async def test_an_answer_that_changed_since_last_time_is_told():
    """The first run does not know; order is no change; another record is, and makes the step slow when asked to."""
    addresses = [["192.0.2.1", "192.0.2.2"], ["192.0.2.2", "192.0.2.1"], ["192.0.2.9"]]

    def turning(query: dns.message.Message, transport: str) -> bytes:
        reply = dns.message.make_response(query)
        reply.answer.append(dns.rrset.from_text("shop.test.", 60, "IN", "A", *addresses.pop(0)))
        return reply.to_wire()

    tools: dict[str, object] = {}
    async with serving(turning) as port:
        text = f'id: j\nsteps:\n  - id: s\n    dns: {{name: shop.test, resolver: "127.0.0.1:{port}"}}\n    degraded_if: [changed == true]\n'
        runs = [await walk(text, tools=tools) for _ in range(3)]
    assert [run.outcome for run in runs] == [Outcome.PASSED, Outcome.PASSED, Outcome.DEGRADED]
    assert runs[2].attempts[0].steps[0].note == "the answer differs from last time: 192.0.2.1, 192.0.2.2 → 192.0.2.9"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("name: a.b, transport: tls", "a.yaml:6:10: steps[0].dns: transport: tls needs resolver:, the server that speaks it"),
        (
            "name: a.b, transport: https, resolver: dns.example",
            "a.yaml:6:10: steps[0].dns: 'dns.example' is no address of a resolver over https; write it as https://dns.example/dns-query",
        ),
        (
            "name: a.b, resolver: 'https://dns.example/'",
            "a.yaml:6:10: steps[0].dns: 'https://dns.example/' is an address and transport is udp; say transport: https, or write host or host:port",
        ),
        ("name: a.b, tls: {}", "a.yaml:6:10: steps[0].dns: tls: says nothing over udp; say transport: tls or https, or remove it"),
    ],
)
def test_what_does_not_go_together_is_refused(keys, message):
    """When the file is read."""
    assert problems(f"id: a\nname: x\ntimeout: 9s\nsteps:\n  - id: s\n    dns: {{{keys}}}\n") == [message]


async def test_the_example_passes():
    """configs/journeys/examples/dns.yaml passes against a name server that knows the shop, and fails when a record is another."""
    text = (Path(__file__).parents[3] / "configs/journeys/examples/dns.yaml").read_text()

    def of_shop(mail: str) -> Answering:
        records = {"A": ["192.0.2.1"], "MX": [f"10 {mail}."], "CAA": ['0 issue "ca.example"'], "TXT": ['"v=spf1 mx -all"']}

        def respond(query: dns.message.Message, transport: str) -> bytes:
            reply = dns.message.make_response(query)
            kind = dns.rdatatype.to_text(query.question[0].rdtype)
            reply.answer.append(dns.rrset.from_text(query.question[0].name.to_text(), 300, "IN", kind, *records[kind]))
            return reply.to_wire()

        return respond

    async with serving(of_shop("mail.shop.example")) as port:
        run = await walk(text.replace("192.0.2.53", f"127.0.0.1:{port}"))
    assert run.outcome is Outcome.PASSED, run.failure
    async with serving(of_shop("mail.other.example")) as port:
        run = await walk(text.replace("192.0.2.53", f"127.0.0.1:{port}"))
    assert (run.outcome, run.failure.step) == (Outcome.FAILED, "mail")
