"""Connections of `http` steps: looked up, connected (through a proxy if told so), gone over to TLS, and speaking the HTTP both sides know."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpcore2
import httpx2

from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.http import HttpPart
from sojourn_probes.steps.http1 import Http1
from sojourn_probes.steps.http2 import Http2
from sojourn_probes.steps.http_broken import NoHttp2
from sojourn_probes.steps.http_stream import Stream
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.proxy_way import open_way, proxy_address, proxy_headers
from sojourn_probes.steps.resolving import addresses_of, first_of, lookup_for
from sojourn_probes.steps.talk import ssl_error_in
from sojourn_probes.steps.tls import TlsSettings
from sojourn_probes.steps.tls_facts import tls_facts
from sojourn_probes.steps.tls_faults import tls_words
from sojourn_probes.steps.tls_look import LOOK_SECONDS, second_look, spare
from sojourn_probes.steps.tls_trust import context_for
from sojourn_probes.steps.wire import fits_family

ALPN: Final = {"auto": ("h2", "http/1.1"), "1.1": ("http/1.1",), "2": ("h2",)}
"""What is offered in the TLS handshake, by `http_version`."""

MOST_KEPT: Final = 16
"""Connections kept open at most, for one attempt."""

Connection = Http1 | Http2


class Refused(Exception):  # noqa: N818 - says what is the matter
    """The TLS handshake failed; the text says why, with what a second look showed. `code` is OpenSSL's word for what is wrong with the certificate."""

    def __init__(self, words: str, code: int | None) -> None:
        self.code = code
        super().__init__(words)


class Connections:
    """The connections of one step, or of all steps of an attempt that say `connections: kept`, by where they lead."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, ...], tuple[Connection, tuple[str, int], dict[str, Any]]] = {}

    async def aclose(self) -> None:
        """Close them all."""
        while self._open:
            await self._open.popitem()[1][0].aclose()

    def take(self, key: tuple[Any, ...]) -> tuple[Connection, tuple[str, int], dict[str, Any]] | None:
        """A connection that can be asked again, with its peer and its TLS facts."""
        known = self._open.get(key)
        return known if known is not None and known[0].usable else None

    async def drop(self, connection: Connection) -> None:
        """Close `connection` and know it no more."""
        self._open = {key: known for key, known in self._open.items() if known[0] is not connection}
        await connection.aclose()

    async def put(self, key: tuple[Any, ...], connection: Connection, peer: tuple[str, int], facts: dict[str, Any]) -> None:
        """Keep `connection`; the one kept before it under `key`, and the oldest of too many, are closed."""
        old = self._open.pop(key, None)
        if old is None and len(self._open) >= MOST_KEPT:
            old = self._open.pop(next(iter(self._open)))
        self._open[key] = (connection, peer, facts)
        if old is not None:
            await old[0].aclose()


class Dialer:
    """Connects as one step says. `address` pins the connections to one address instead of looking the name up."""

    def __init__(self, part: HttpPart, context: StepContext, seen: Observation, connections: Connections) -> None:
        self.part, self.context, self.seen = part, context, seen
        self.connections = connections
        self.first_host: bytes | None = None
        """The host the step asks first; `address` and `server_name` are meant for it alone, not for where redirects lead."""
        self.address: str | None = None
        self.fault: BaseException | None = None
        """What has gone wrong before there was anything to connect to."""
        self._settings = part.tls or TlsSettings()
        self._version = part.http_version or "auto"
        self._family = part.ip_family or "any"
        self._proxy: httpx2.URL | None = None if part.proxy is None else proxy_address(context.names.fill_text(part.proxy.url))

    async def to(self, url: httpx2.URL, phases: Phases) -> tuple[Connection, tuple[str, int], dict[str, Any]]:
        """A connection to where `url` leads, its peer and its TLS facts. Raises what `http_faults.CAUGHT` names, and `NameMissing`."""
        key = (url.raw_scheme, url.raw_host, url.port, self._version, self._family, self._proxy, self.address, self._settings)
        if self.fault is not None:
            raise self.fault
        known = self.connections.take(key)
        if known is not None:
            return known
        connection = await self._new(url, phases)
        peer, facts = phases.peer or ("", 0), phases.tls_facts or {}
        await self.connections.put(key, connection, peer, facts)
        return connection, peer, facts

    async def addresses(self, url: httpx2.URL, phases: Phases) -> list[str]:
        """All addresses of the host in `url`."""
        fits_family(_host(url), self._family)
        return await addresses_of(_host(url), _port(url), phases, lookup_for(self._family))

    async def _new(self, url: httpx2.URL, phases: Phases) -> Connection:
        secure = url.scheme == "https"
        # Before anything is sent: files that cannot be used are not the server's fault.
        trust = context_for(self._settings, self.context, ALPN[self._version]) if secure else None
        first = self._proxy or url
        addresses = [self.address] if self.address is not None and url.raw_host == self.first_host else await self.addresses(first, phases)
        phases.begin("connect")
        stream = await first_of(addresses, lambda address: Stream.connect(address, _port(first)))
        try:
            phases.peer = tuple(stream.get_extra_info("server_addr")[:2])
            if self._proxy is not None and secure:
                await self._through(stream, url)
            phases.end("connect")
            if trust is None:
                return self._speaking(stream, url, "h2" if self._version == "2" else None)
            return await self._secured(stream, url, phases, trust)
        except BaseException:
            await stream.aclose()
            raise

    async def _secured(self, stream: Stream, url: httpx2.URL, phases: Phases, trust: Any) -> Connection:
        name = self._server_name(url)
        phases.begin("tls")
        try:
            await stream.start_tls(trust, name, max(self.context.timeout, 1.0) + 60.0)
        except OSError as fault:
            refused = ssl_error_in(fault)
            ended = self.context.clock.now_ns()
            code = refused.verify_code if isinstance(refused, ssl.SSLCertVerificationError) else None
            chain = () if code is None else await self._look(name, url, phases)
            raise Refused(tls_words(refused, name, chain, ended / 1e9), code) from fault
        except (UnicodeError, ValueError):
            raise httpx2.LocalProtocolError(f"{name!r} cannot be asked for in a TLS handshake; set tls.server_name") from None
        phases.end("tls")
        connection = stream.get_extra_info("ssl_object")
        phases.tls_facts = tls_facts(connection, self.context.clock.now_ns() / 1e9)
        chosen = connection.selected_alpn_protocol()
        if self._version == "2" and chosen != "h2":
            raise NoHttp2
        return self._speaking(stream, url, chosen)

    def _speaking(self, stream: Stream, url: httpx2.URL, chosen: str | None) -> Connection:
        if chosen == "h2":
            return Http2(stream, httpcore2.Origin(url.raw_scheme, url.raw_host, _port(url)))
        return Http1(stream, through_proxy=self._proxy is not None and url.scheme == "http")

    def _server_name(self, url: httpx2.URL) -> str:
        given = self._settings.server_name if url.raw_host == self.first_host else None
        return _host(url).partition("%")[0].rstrip(".") if given is None else self.context.names.fill_text(given)

    async def _look(self, name: str, url: httpx2.URL, phases: Phases) -> Sequence[Mapping[str, Any]]:
        """What certificates the server shows, behind the proxy if there is one."""

        async def prepare(stream: httpcore2.AsyncNetworkStream) -> None:
            if self._proxy is not None:
                await self._through(stream, url)

        assert phases.peer is not None
        chain, facts = await second_look(phases.peer, name, spare(LOOK_SECONDS, self.context, self.seen), self.context.clock, prepare)
        phases.tls_facts = facts or None
        return chain

    async def _through(self, stream: httpcore2.AsyncNetworkStream, url: httpx2.URL) -> None:
        """Ask the proxy to open the way. Raises `Proxied`."""
        await open_way(stream, _host(url), _port(url), proxy_headers(self.part.proxy, self.context.names))

    def extra_headers(self, url: httpx2.URL) -> list[tuple[bytes, bytes]]:
        """Headers of this hop that the server must not see."""
        return proxy_headers(self.part.proxy, self.context.names) if url.scheme == "http" else []


def _host(url: httpx2.URL) -> str:
    return url.raw_host.decode("ascii")


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
