"""Addresses: relative to absolute, and which origin they are."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urljoin, urlsplit

_PORTS: Final = {"http": 80, "https": 443}


def absolute(base_url: str, url: str) -> str:
    """`url` as a browser would take it on a page at `base_url`; an empty base leaves it as it is."""
    return urljoin(base_url, url) if base_url else url


def origin_of(url: str) -> str | None:
    """`scheme://host[:port]` in small letters without the default port; None when `url` is no http address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" if port in (None, _PORTS[parts.scheme]) else f"{parts.scheme}://{host}:{port}"


def is_listed(origin: str, listed: Iterable[str]) -> bool:
    """Whether `origin` is one of `listed`: exact origins, or `https://*.shop.example` for every host below."""
    for wanted in listed:
        scheme, star, tail = wanted.partition("://*.")
        if origin == wanted or (star and origin.startswith(f"{scheme}://") and origin.endswith(f".{tail}")):
            return True
    return False
