"""Which page may send beacons for which app: exact origins, or any host below a domain."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from sojourn_agent.rum.config import AppConfig


class Origins:
    """The allow-list of one app, or of several together."""

    def __init__(self, origins: list[str]) -> None:
        self._exact = {origin for origin in origins if "://*." not in origin}
        self._below = [tuple(origin.split("://*", 1)) for origin in origins if "://*." in origin]

    def allow(self, origin: str) -> bool:
        """Whether `origin`, as a browser sends it, is listed. Scheme, host and port must all agree; never a part of them."""
        if origin in self._exact:
            return True
        if not self._below:
            return False
        scheme, _, host = origin.partition("://")
        return any(scheme == wanted and host.endswith(tail) and len(host) > len(tail) and not set(host) & set("/?#@\\") for wanted, tail in self._below)


def all_origins(apps: Mapping[str, AppConfig]) -> Origins:
    """The origins of all apps together: what a preflight, which names no app, is answered by."""
    return Origins([origin for app in apps.values() for origin in app.origins])


def origin_of(origin: str | None, referer: str | None) -> str | None:
    """The origin a request says it comes from: its Origin header, else the origin of its Referer, else None."""
    if origin:
        return origin.lower()[:300]
    if not referer:
        return None
    try:
        parts = urlsplit(referer[:2000])
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme in ("http", "https") and parts.netloc else None
