"""Asking an address that somebody else may have a hand in: bounded in time and size, and never led into a network of ours.

The name is resolved here and the connection goes to an address that was looked at, at every redirect anew, so that a name that means another address a
moment later (DNS rebinding) leads nowhere. The host's proxy variables do not apply.
"""

import asyncio
import email.utils
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpcore2

from sojourn_probes.unpacking import UNPACKERS, NotUnpacked

LARGEST: Final = 5 << 20
DEADLINE: Final = 30.0
"""Seconds for everything, redirects included."""
MOST_REDIRECTS: Final = 5
LONGEST_PAUSE: Final = 86_400.0
"""Seconds; nobody is let ask for a longer one."""
_LONGEST_URL = 4000
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host."""


class FetchError(Exception):
    """There is no answer that can be used; the text says why. `after` is the pause in seconds that was asked for."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is allowed: http, networks that are not public, how much and how long. `trust` has the authorities and `lookup` the names, the system's without."""

    insecure: bool = False
    internal: tuple[Network, ...] = ()
    largest: int = LARGEST
    deadline: float = DEADLINE
    trust: ssl.SSLContext | None = None
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """200 with its body unpacked, or 304 without one. `headers` by small names."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


async def fetch(url: str, headers: Mapping[str, str], bounds: Bounds, now: float, *, form: bytes | None = None) -> Answer:
    """What `url` answers; with `form` it is sent there. `now` is in seconds since 1970. A request with a token follows no redirect. Raises FetchError."""
    secret = form is not None or "authorization" in headers
    backend = _Guarded(bounds)
    try:
        trust = bounds.trust or ssl.create_default_context()
        async with asyncio.timeout(bounds.deadline), httpcore2.AsyncConnectionPool(ssl_context=trust, network_backend=backend) as pool:
            for _ in range(MOST_REDIRECTS + 1):
                host = _checked(url, bounds)
                found = await _ask(pool, url, headers, bounds, now, form)
                if isinstance(found, Answer):
                    return found
                if secret:
                    raise FetchError(f"{host} sends a request with a token to another address; give that one")
                url = found
            raise FetchError(f"{host} redirects more than {MOST_REDIRECTS} times")
    except TimeoutError as error:
        raise FetchError(f"{_host(url)} did not answer within {bounds.deadline:g} s") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, httpcore2.UnsupportedProtocol, OSError) as error:
        raise FetchError(_unreachable(url, error)) from error


def _checked(url: str, bounds: Bounds) -> str:
    """The host of an address that may be asked. Raises FetchError."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username and len(url) <= _LONGEST_URL
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise FetchError("it leads to an address that is none of the web")
    if parts.scheme == "http" and not bounds.insecure:
        raise FetchError(f"{_host(url)} is not encrypted; only https is asked, unless insecure: true")
    return _host(url)


async def _ask(pool: httpcore2.AsyncConnectionPool, url: str, headers: Mapping[str, str], bounds: Bounds, now: float, form: bytes | None) -> Answer | str:
    """The answer, or the address it redirects to. Raises FetchError, what the connection raises."""
    sent = {"host": urlsplit(url).netloc, "user-agent": "Sojourn", "accept-encoding": "gzip, deflate", **headers}
    if form is not None:
        sent |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(form))}
    async with pool.stream("GET" if form is None else "POST", url, headers=list(sent.items()), content=form) as response:
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in _REDIRECTS and told.get("location"):
            try:
                return urljoin(url, told["location"])
            except ValueError:
                raise FetchError(f"{_host(url)} redirects to an address that is none") from None
        if response.status == 304:
            return Answer(304, told)
        if response.status != 200:
            raise _refusal(response.status, _host(url), told, now)
        return Answer(200, told, await _body(response, told.get("content-encoding", "").strip().lower(), _host(url), bounds.largest))


async def _body(response: Any, coding: str, host: str, largest: int) -> bytes:
    """The body, unpacked, of at most `largest` bytes before and after. Raises FetchError."""
    too_large = FetchError(
        f"the answer of {host} is larger than {largest >> 20} MiB" if largest >= 1 << 20 else f"the answer of {host} is larger than {largest} bytes"
    )
    if coding not in ("", "identity") and coding not in UNPACKERS:
        raise FetchError(f"the answer of {host} is packed in a way that was not asked for")
    unpacker = UNPACKERS[coding]() if coding in UNPACKERS else None
    whole, size = bytearray(), 0
    try:
        async for piece in response.aiter_stream():
            size += len(piece)
            if size > largest:
                raise too_large
            for part in [piece] if unpacker is None else unpacker.pieces(piece):
                whole += part
                if len(whole) > largest:
                    raise too_large
        if unpacker is not None:
            unpacker.finish()
    except NotUnpacked as error:
        raise FetchError(f"the answer of {host} cannot be unpacked: {error}") from error
    return bytes(whole)


def _refusal(status: int, host: str, headers: Mapping[str, str], now: float) -> FetchError:
    cures = {
        401: "; see its token",
        403: "; see its token",
        404: "; see its address",
        410: "; it is gone for good, take it out",
        429: "; it is asked too often",
    }
    return FetchError(f"{host} answered {status}{cures.get(status, '')}", retry_after(headers.get("retry-after", ""), now))


def retry_after(text: str, now: float) -> float | None:
    """Seconds of a Retry-After header, at most a day; None for none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        return min(max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now), LONGEST_PAUSE)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _unreachable(url: str, error: Exception) -> str:
    seen: BaseException | None = error
    for _ in range(10):
        if isinstance(seen, ssl.SSLCertVerificationError):
            return f"{_host(url)} shows a certificate that is not trusted here ({seen.verify_message})"
        if isinstance(seen, socket.gaierror):
            return f"{_host(url)} has no address"
        seen = None if seen is None else seen.__cause__ or seen.__context__
    return f"{_host(url)} cannot be reached ({type(error).__name__})"


def _host(url: str) -> str:
    """The host for a sentence."""
    try:
        host = urlsplit(url).hostname or "it"
    except ValueError:
        return "it"
    return "".join(char if char.isprintable() else "?" for char in host)[:100]


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were looked at, and to no others."""

    def __init__(self, bounds: Bounds) -> None:
        self._internal = bounds.internal
        self._lookup = bounds.lookup or _system
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first address of `host` that answers. Raises FetchError for a host with an address that is not public."""
        addresses = (await self._lookup(host.strip("[]"), port))[:8]
        if inner := next((one for one in addresses if not (is_public(one) or self._allowed(one))), None):
            raise FetchError(f"{host[:100]} leads to {inner}, which is no public address; name its network in internal: where that is meant")
        fault: Exception = OSError("no address")
        for address in addresses:
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout, OSError) as error:
                fault = error
        raise fault

    def _allowed(self, address: str) -> bool:
        read = ipaddress.ip_address(address.partition("%")[0])
        return any(read.version == one.version and read in one for one in self._internal)

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore2 asks before its own retries, which are not used."""
        await asyncio.sleep(seconds)


async def _system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_public(address: str) -> bool:
    """Whether everybody on the internet means the same host by an address, also one that stands inside another."""
    read = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(read, ipaddress.IPv6Address):
        inside = read.ipv4_mapped or read.sixtofour or (ipaddress.IPv4Address(int(read) & 0xFFFFFFFF) if read in _NAT64 else None)
        if inside is not None:
            return is_public(str(inside))
        if read.teredo is not None or read.is_site_local:
            return False
    return read.is_global and not read.is_multicast
