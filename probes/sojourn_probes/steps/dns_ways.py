"""The ways a name server is asked: a datagram, a stream with or without TLS, a request over HTTPS. Each is recorded as an exchange."""

import asyncio
import base64
import socket
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sojourn_probes.ids import new_span_id
from sojourn_probes.result import Exchange, Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.dns import DnsPart
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import addresses_of, lookup_for
from sojourn_probes.steps.talk import Broken
from sojourn_probes.steps.tls import TlsSettings
from sojourn_probes.steps.wire import Wire

if TYPE_CHECKING:
    from dns.message import Message


def failed(kind: FailureKind, message: str, context: StepContext) -> Failure:
    """The failure, without secrets."""
    return Failure(kind, context.redact.text(message))


def place(resolver: str, port: int) -> tuple[str, int]:
    """Host and port of `resolver`; `port` when it names none. Raises `Broken`."""
    host, _, rest = resolver[1:].partition("]") if resolver.startswith("[") else resolver.partition(":")
    if resolver.startswith("["):
        rest = rest.removeprefix(":")
    elif resolver.count(":") > 1:
        host, rest = resolver, ""
    rest = rest or str(port)
    if not host or not (rest.isascii() and rest.isdigit()) or not 1 <= int(rest[:6]) <= 65535:
        raise Broken(FailureKind.CONFIG, f"{resolver} is no resolver; write host or host:port, an IPv6 address with a port in [ ]")
    return host, int(rest)


async def ask_udp(part: DnsPart, question: "Message", host: str, port: int, context: StepContext, seen: Observation) -> "Message | None":
    """Ask by a datagram. What is not an answer to `question` is passed over, for anybody can send one; the deadline ends the waiting."""
    import dns.asyncbackend
    import dns.asyncquery

    phases, started, error = Phases(context.clock), context.clock.now_ns(), None
    address = (await addresses_of(host, port, phases, lookup_for(part.ip_family)))[0]
    seen.waiting = f"no answer of {host}:{port}; it may be down, a firewall may drop what is sent there, or what came was no answer to this question"
    phases.begin("wait")
    try:
        # A connected socket hears that nobody listens there; one that is not waits in vain.
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        backend: Any = dns.asyncbackend.get_backend("asyncio")
        async with await backend.make_socket(family, socket.SOCK_DGRAM, 0, None, (address, port)) as connected:
            answer = await dns.asyncquery.udp(question, address, port=port, ignore_unexpected=True, ignore_errors=True, sock=connected)
        phases.end("wait")
    except asyncio.CancelledError:
        error = FailureKind.TIMEOUT
        raise
    except OSError as fault:
        error = FailureKind.CONNECT
        seen.failure = failed(
            error, f"{host}:{port} is not reached ({fault.strerror or type(fault).__name__}); look whether a name server listens there", context
        )
        return None
    finally:
        seen.facts |= phases.seconds
        where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        exchange = Exchange(new_span_id(), "DNS", where, started, context.clock.now_ns(), error=error, phases=dict(phases.seconds), protocol="dns")
        seen.exchanges.append(replace(exchange, server_address=host, server_port=port, peer_address=address, peer_port=port, protocol_version="udp"))
    seen.waiting = ""
    return answer


async def ask_stream(part: DnsPart, question: "Message", host: str, port: int, context: StepContext, seen: Observation) -> "Message | None":
    """Ask over TCP, in TLS when `part` says so (RFC 7766, RFC 7858)."""
    before = len(seen.exchanges)
    answer: Message | None = None
    async with Wire(SimpleNamespace(host=host, ip_family=part.ip_family), context, seen, "dns", port, 70_000) as wire:
        await wire.open()
        if part.transport == "tls":
            await wire.start_tls(part.tls or TlsSettings.model_validate({}))
        sent = question.to_wire()
        seen.waiting = "the server is silent, or speaks no DNS"
        await wire.talk.write(len(sent).to_bytes(2, "big") + sent)
        answer = _read(await wire.talk.exactly(int.from_bytes(await wire.talk.exactly(2), "big")), question, wire.where)
        seen.waiting = ""
    how = "tls" if part.transport == "tls" else "tcp"
    seen.exchanges[before:] = [replace(one, hop=before, protocol_version=how) for one in seen.exchanges[before:]]
    return answer


async def ask_https(part: DnsPart, question: "Message", resolver: str, context: StepContext, seen: Observation) -> "Message | None":
    """Ask by a GET as RFC 8484 has it."""
    from sojourn_probes.steps.http import HttpPart
    from sojourn_probes.steps.http_connect import Connections
    from sojourn_probes.steps.http_exchange import Exchanger
    from sojourn_probes.steps.http_request import first_request

    question.id = 0  # so that caches may answer (RFC 8484 §4.1)
    asked = base64.urlsafe_b64encode(question.to_wire()).rstrip(b"=").decode()
    joint = "&" if "?" in resolver else "?"
    http = HttpPart(url=f"{resolver}{joint}dns={asked}", headers={"accept": "application/dns-message"}, tls=part.tls, ip_family=part.ip_family, max_body=70_000)
    connections = Connections()
    try:
        exchanger = Exchanger(http, context, seen, connections)
        answer = await exchanger.once(await first_request(http, context))
    finally:
        await connections.aclose()
    if answer is None:
        return None
    if answer.status != 200:
        raise Broken(FailureKind.STATUS, f"{resolver} answered {answer.status}, expected 200; is it the address of a resolver, with its path?")
    if not answer.headers.get("content-type", "").startswith("application/dns-message"):
        raise Broken(FailureKind.PROTOCOL, f"{resolver} answered no DNS but {answer.headers.get('content-type', 'nothing said')[:60]}; correct its path")
    return _read(bytes(answer.body.content), question, resolver)


def _read(raw: bytes, question: "Message", where: str) -> "Message":
    """The answer in `raw`. Raises `Broken` when it is none to `question`."""
    import dns.exception
    import dns.message

    try:
        answer = dns.message.from_wire(raw, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, UnicodeError) as fault:
        raise Broken(FailureKind.PROTOCOL, f"{where} answered something that is no DNS ({type(fault).__name__}); it may speak another protocol") from None
    if not question.is_response(answer):
        raise Broken(FailureKind.PROTOCOL, f"{where} answered another question than was asked; do not trust this resolver")
    return answer
