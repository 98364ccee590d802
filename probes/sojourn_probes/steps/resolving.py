"""A network backend for httpcore2 that looks the name up itself and then connects, so that the two can be told apart.

The URL, the Host header and the name in the TLS handshake stay as they are; putting the IP into the URL would bend all three.
"""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

import httpcore2

from sojourn_probes.steps.phases import Phases

STAGGER_SECONDS: Final = 0.25
"""How long one address may take before the next is tried beside it (RFC 8305 §5)."""


_FAMILIES: Final = {"any": socket.AF_UNSPEC, "4": socket.AF_INET, "6": socket.AF_INET6}


class ResolveError(httpcore2.ConnectError):
    """A host name has no address."""


class HasAclose(Protocol):
    """A connection that can be closed."""

    async def aclose(self) -> None:
        """Close it."""
        ...


Closing = TypeVar("Closing", bound=HasAclose)

Lookup = Callable[[str, int], Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what a test puts in its place."""


def lookup_for(family: str) -> Lookup:
    """The system's lookup, for addresses of one family (`4`, `6`) or `any`."""

    def look(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        return socket.getaddrinfo(host, port, family=_FAMILIES[family], type=socket.SOCK_STREAM)

    return look


_system_lookup: Final = lookup_for("any")


async def resolve(host: str, port: int, lookup: Lookup = _system_lookup) -> list[str]:
    """The addresses of `host`, in the system's order. Raises `ResolveError`.

    Each lookup has a thread of its own: a resolver that hangs must not take a place in a pool from other probes, and a
    cancelled lookup must not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def deliver(found: list[str] | None, fault: Exception | None) -> None:
        if answer.done():
            return
        if fault is None:
            answer.set_result(found or [])
        else:
            answer.set_exception(fault)

    def look() -> None:
        found, fault = None, None
        try:
            found = list(dict.fromkeys(str(entry[4][0]) for entry in lookup(host, port)))
        except (OSError, UnicodeError) as error:
            fault = ResolveError(f"no address for {host}: {getattr(error, 'strerror', None) or error}")
        try:
            loop.call_soon_threadsafe(deliver, found, fault)
        except RuntimeError:
            return  # the loop ended before the answer came

    threading.Thread(target=look, name=f"resolve {host}", daemon=True).start()
    addresses = await answer
    if not addresses:
        raise ResolveError(f"no address for {host}")
    return addresses


async def addresses_of(host: str, port: int, phases: Phases, lookup: Lookup = _system_lookup) -> list[str]:
    """Where to connect to for `host`; the lookup is the phase `resolve`, which an address does not have. Raises `ResolveError`."""
    if is_address(host):
        return [host.strip("[]")]
    phases.begin("resolve")
    addresses = await resolve(host, port, lookup)
    phases.end("resolve")
    return addresses


async def first_of(addresses: list[str], dial: Callable[[str], Awaitable[Closing]]) -> Closing:
    """Happy eyeballs: `dial` each address, the next one when one fails or takes long; the first connected wins."""
    if len(addresses) == 1:
        return await dial(addresses[0])
    waiting = _alternating(addresses)
    trying: set[asyncio.Task[Closing]] = set()
    fault: BaseException | None = None
    winner: Closing | None = None
    try:
        while waiting or trying:
            if waiting:
                trying.add(asyncio.ensure_future(dial(waiting.pop(0))))
            done, trying = await asyncio.wait(trying, timeout=STAGGER_SECONDS if waiting else None, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task.exception() is not None:
                    fault = fault or task.exception()
                elif winner is None:
                    winner = task.result()
                else:
                    await task.result().aclose()
            if winner is not None:
                return winner
    finally:
        await _abandon(trying)
    assert fault is not None
    raise fault


async def _abandon(tasks: "set[asyncio.Task[Closing]]") -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(outcome, BaseException):
            await outcome.aclose()


class ResolvingBackend(httpcore2.AsyncNetworkBackend):
    """Resolves, then connects. `phases()` gives the phases of the exchange under way."""

    def __init__(self, phases: Callable[[], Phases], lookup: Lookup = _system_lookup) -> None:
        self._phases = phases
        self._lookup = lookup
        self._plain = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to `host`: its first address to answer."""
        phases = self._phases()
        addresses = await addresses_of(host, port, phases, self._lookup)
        phases.begin("connect")
        stream = await first_of(addresses, lambda address: self._plain.connect_tcp(address, port, timeout, local_address, socket_options))
        phases.end("connect")
        return stream

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore2 asks before its own retries (which we do not use)."""
        await asyncio.sleep(seconds)


def _alternating(addresses: list[str]) -> list[str]:
    """Families in turn, the system's first choice first (RFC 8305 §4)."""
    first = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    other = [address for address in addresses if address not in first]
    mixed: list[str] = []
    while first or other:
        mixed += first[:1] + other[:1]
        first, other = first[1:], other[1:]
    return mixed


def is_address(host: str) -> bool:
    """Whether `host` is an address and no name."""
    try:
        ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
