"""One TCP connection of a step that is not http: looked up, connected, gone over to TLS, and recorded as one exchange."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Protocol

import httpcore2

from sojourn_probes.ids import new_span_id
from sojourn_probes.result import Exchange, Failure
from sojourn_probes.semconv import HTTP_PHASES, FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import ResolveError, ResolvingBackend, lookup_for
from sojourn_probes.steps.talk import LOST, Broken, Talk, causes, ssl_error_in
from sojourn_probes.steps.tls import TlsSettings
from sojourn_probes.steps.tls_facts import tls_facts
from sojourn_probes.steps.tls_faults import SILENT, tls_words
from sojourn_probes.steps.tls_look import LOOK_SECONDS, second_look, spare
from sojourn_probes.steps.tls_trust import TrustError, context_for

GOODBYE_SECONDS: Final = 1.0
"""How long the server may take to answer the end of TLS."""

DEFAULT_LIMIT: Final = 64 * 1024
"""Bytes read at most, unless the step says otherwise."""

UNREACHED: Final = "nobody answers there; the host may be down, or a firewall drops what is sent to this port"


class Through(Protocol):
    """A proxy that opens the way to a server."""

    host: str
    port: int

    async def ask(self, talk: Talk, host: str, port: int) -> None:
        """Have it opened, on a connection to the proxy. Raises `Broken`."""
        ...


Upgrade = Callable[[Talk], Awaitable[None]]
"""Asks the server, in the plain text of its protocol, to go on in TLS."""


class Wire:
    """`async with Wire(…) as wire`: what breaks inside becomes the step's failure, and the exchange is recorded whatever happens."""

    def __init__(self, part: Any, context: StepContext, seen: Observation, protocol: str, port: int | str, limit: int = DEFAULT_LIMIT) -> None:
        self.context, self.seen, self.protocol = context, seen, protocol
        self.host = context.names.fill_text(part.host).strip()
        self.phases = Phases(context.clock)
        self.family: str = part.ip_family
        self.port = 0
        self.span_id = new_span_id()
        """Of the exchange this connection is recorded as."""
        self.url = ""
        """What is asked there, where that is more than a host and a port."""
        self.status: int | None = None
        """What the server answered, in protocols that have a status."""
        self._port = context.names.fill_text(port) if isinstance(port, str) else str(port)
        self._limit = limit
        self._talk: Talk | None = None
        self._started = context.clock.now_ns()
        self._ended = 0

    @property
    def where(self) -> str:
        """`mail.example:587`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def talk(self) -> Talk:
        """The conversation, once `open` was called."""
        assert self._talk is not None
        return self._talk

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> bool:
        error: FailureKind | None = None
        if isinstance(fault, Broken):
            error = fault.failure.kind
            self.seen.failure = Failure(error, self.context.redact.text(fault.failure.message))
        elif isinstance(fault, asyncio.CancelledError):
            error = FailureKind.TIMEOUT
        self._record(error)
        if self._talk is not None:
            with contextlib.suppress(*LOST):
                await self._talk.stream.aclose()
        return isinstance(fault, Broken)

    async def open(self, through: Through | None = None) -> None:
        """Look the name up and connect, or have a proxy connect."""
        self.port = port_of(self._port)
        first = (self.host, self.port) if through is None else (through.host, through.port)
        whose = "" if through is None else " (the proxy)"
        fits_family(first[0], self.family)
        self.seen.waiting = f"{UNREACHED}{whose}"
        try:
            stream = await ResolvingBackend(lambda: self.phases, lookup_for(self.family)).connect_tcp(*first)
        except ResolveError as fault:
            raise Broken(FailureKind.DNS, f"{fault}{whose}") from None
        except LOST as fault:
            raise Broken(FailureKind.CONNECT, f"{self.where}: {_connect_words(fault)}{whose}") from None
        except (UnicodeError, ValueError):
            raise Broken(FailureKind.CONFIG, f"{first[0]!r} is no host that can be asked") from None
        self.phases.peer = _address(stream)
        self._talk = Talk(stream, self.where, self.phases, self.context.redact, self._limit)
        if through is not None:
            await self._pass(through)
        self.seen.waiting = ""

    async def _pass(self, through: Through) -> None:
        """Have the proxy open the way, which is a part of connecting."""
        spent = self.phases.seconds.pop("connect", 0.0)
        self.phases.begin("connect")
        self.seen.waiting = "the proxy does not say whether it opens the way to the server; either of them may be down"
        await through.ask(self.talk, self.host, self.port)
        self.phases.end("connect")
        self.phases.seconds["connect"] += spent

    async def start_tls(self, settings: TlsSettings, upgrade: Upgrade | None = None) -> None:
        """Go on in TLS. After a certificate that is not good, `upgrade` repeats the way there for a second look at it."""
        name = self._server_name(settings)
        trust = self._trust(settings)
        self.seen.waiting = SILENT
        self.phases.begin("tls")
        try:
            stream = await self.talk.stream.start_tls(trust, name)
        except LOST as fault:
            self._ended = self.context.clock.now_ns()
            refused = ssl_error_in(fault)
            chain: Sequence[Mapping[str, Any]] = ()
            if isinstance(refused, ssl.SSLCertVerificationError):
                self.seen.facts["tls_fault"] = refused.verify_code
                chain = await self._second_look(name, upgrade)
            raise Broken(FailureKind.TLS, f"{self.where}: {tls_words(refused, name, chain, self._ended / 1e9)}") from None
        except (UnicodeError, ValueError):
            raise Broken(FailureKind.CONFIG, f"{name!r} cannot be asked for in a TLS handshake; set server_name") from None
        self.phases.end("tls")
        self.seen.waiting = ""
        self.phases.tls_facts = tls_facts(stream.get_extra_info("ssl_object"), self.context.clock.now_ns() / 1e9)
        self.talk.stream = stream

    async def goodbye(self) -> None:
        """End TLS in order, and hear what the server has against us: in TLS 1.3 it judges a client's certificate only after the handshake."""
        self._ended = self.context.clock.now_ns()
        stream = self.talk.stream
        connection: ssl.SSLObject = stream.get_extra_info("ssl_object")
        try:
            with contextlib.suppress(ssl.SSLWantReadError):
                connection.unwrap()
            async with asyncio.timeout(self._spare(GOODBYE_SECONDS)):
                await stream.read(1024)
        except ssl.SSLError as fault:
            if "ALERT" in (fault.reason or ""):
                raise Broken(FailureKind.TLS, f"{self.where}: {tls_words(fault, self.host)}") from None
        except (TimeoutError, *LOST):
            return

    def _server_name(self, settings: TlsSettings) -> str:
        name = self.host if settings.server_name is None else self.context.names.fill_text(settings.server_name)
        return name.partition("%")[0].rstrip(".")

    def _trust(self, settings: TlsSettings) -> ssl.SSLContext:
        try:
            return context_for(settings, self.context)
        except TrustError as fault:
            raise Broken(fault.failure.kind, fault.failure.message) from None

    async def _second_look(self, name: str, upgrade: Upgrade | None) -> Sequence[Mapping[str, Any]]:
        """The certificates behind a refused handshake."""
        assert self.phases.peer is not None

        async def prepare(stream: httpcore2.AsyncNetworkStream) -> None:
            if upgrade is not None:
                await upgrade(Talk(stream, self.where, Phases(self.context.clock), self.context.redact, self._limit))

        chain, facts = await second_look(self.phases.peer, name, self._spare(LOOK_SECONDS), self.context.clock, prepare)
        self.phases.tls_facts = facts or self.phases.tls_facts
        return chain

    def _spare(self, most: float) -> float:
        return spare(most, self.context, self.seen)

    def _record(self, error: FailureKind | None) -> None:
        ended = self._ended or self.context.clock.now_ns()
        handshake = self.phases.tls_facts
        self.seen.facts |= self.phases.seconds | {"total": (ended - self.seen.started_ns) / 1e9}
        if handshake is not None:
            self.seen.facts["tls_facts"] = handshake
        peer = self.phases.peer or ("", 0)
        exchange = Exchange(
            span_id=self.span_id,
            method=self.protocol.upper(),
            url=self.context.redact.url(self.url or self.where),
            started_ns=self._started,
            ended_ns=ended,
            status=self.status,
            error=error,
            phases={phase: self.phases.seconds[phase] for phase in HTTP_PHASES if phase in self.phases.seconds},
            server_address=self.host,
            server_port=self.port,
            peer_address=peer[0],
            peer_port=peer[1],
            protocol_version=str((handshake or {}).get("protocol", "")).removeprefix("TLSv") if self.protocol == "tls" else "",
            protocol=self.protocol,
        )
        self.seen.exchanges.append(exchange)


def port_of(filled: str) -> int:
    """A port as a number. Raises `Broken`."""
    if not filled.isdecimal() or len(filled) > 5 or not 1 <= int(filled) <= 65535:
        raise Broken(FailureKind.CONFIG, f"{filled[:40]!r} is no port; it is a number from 1 to 65535")
    return int(filled)


def fits_family(host: str, family: str) -> None:
    """Raises `Broken` when `host` is an address of another family than wanted."""
    given = "6" if ":" in host else "4" if host.replace(".", "").isdecimal() else family
    if family not in ("any", given):
        raise Broken(FailureKind.CONFIG, f"{host} is an address of IPv{given}, and ip_family says {family}; remove one of them")


def _address(stream: httpcore2.AsyncNetworkStream) -> tuple[str, int] | None:
    address = stream.get_extra_info("server_addr")
    return None if not address else (str(address[0]), int(address[1]))


def _connect_words(fault: BaseException) -> str:
    for cause in causes(fault):
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused; nothing listens on this port there, or a firewall refuses it"
        if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.strerror:
            return f"no connection: {cause.strerror}"
    return "no connection"
