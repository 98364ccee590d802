"""Bounds against floods: token buckets by client address and by app, kept in a bounded map."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

from sojourn_agent.rum.config import RateLimit

MAX_CLIENTS: Final = 20_000
"""Addresses remembered; the one unseen longest goes first and starts with a full bucket when it returns."""


class TokenBuckets:
    """One token bucket per key. `clock` gives seconds; a clock that goes back costs nobody anything."""

    def __init__(self, limit: RateLimit, clock: Callable[[], float], max_keys: int = MAX_CLIENTS) -> None:
        self._limit, self._clock, self._max_keys = limit, clock, max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take one token of `key`'s bucket; False when it is empty."""
        now = self._clock()
        tokens, last = self._buckets.pop(key, (self._limit.burst, now))
        tokens = min(self._limit.burst, tokens + max(0.0, now - last) * self._limit.per_second)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return allowed

    def __len__(self) -> int:
        return len(self._buckets)


class ClientAddress:
    """Whose bucket a request counts against. `X-Forwarded-For` is believed from the listed proxies only, read from the right."""

    def __init__(self, proxies: Sequence[str]) -> None:
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]

    def of(self, peer: str, forwarded: str | None) -> str:
        """The client's address, for IPv6 its /64; the text as it is when it is no address."""
        address = peer
        if self._proxies and forwarded and self.is_proxy(peer):
            hops = [hop.strip() for hop in forwarded[:1000].split(",")]
            address = next((hop for hop in reversed(hops) if not self.is_proxy(hop)), hops[0])
        return _prefix(address)

    def is_proxy(self, text: str) -> bool:
        """Whether the address is one of the listed proxies."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


def _prefix(text: str) -> str:
    if ":" not in text:
        return text[:64]
    try:
        address = ipaddress.IPv6Address(text.partition("%")[0])
    except ValueError:
        return text[:64]
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
