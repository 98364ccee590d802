"""Whose a request is: only what the site itself is made of can stop a customer, not a tracker that an ad blocker holds back.

A site's own are the origins of the visit's pages, what the sender says is its own (the page's origin and `data-trace-origins`), and the
origins of the journey: where its probes go and what `customers.origins` lists. Hosts of the same domain are not its own by that alone:
trackers are put there (`metrics.shop.example`) so that they look like the shop.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sojourn_probes import semconv
from sojourn_probes.addresses import origin_of

_OLD_URL = "http.url"
"""What OpenTelemetry called `url.full`; its browser instrumentation still says it by default."""
_RESOURCE = re.compile(r"(?:script|link) did not load: (https?://\S+)")
_ECHO = re.compile(
    r"(?:TypeError: |AxiosError: )?(?:failed to fetch(?: \([^()]*\))?|networkerror when attempting to fetch resource|load failed(?: \([^()]*\))?|network error|"
    r"the network connection was lost|the internet connection appears to be offline)\.?",
    re.IGNORECASE,
)
"""What browsers, and the library axios, throw when a request got no answer."""


def page_origins(rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The origins of the pages that these spans and events of one visit happened on."""
    addresses = {_address(row["attrs"]) for row in rows if row["kind"] != "fetch"}
    return frozenset(origin for address in addresses if (origin := _origin(address)))


def asked_origin(row: Mapping[str, Any]) -> str:
    """The origin that a fetch asked, or that a script or style sheet should have come from; empty where it is the page's or not told."""
    attrs: Mapping[str, str] = row["attrs"]
    if row["kind"] == "fetch":
        return _origin(_address(attrs)) or _server(attrs)
    if row["name"] == semconv.EVENT_EXCEPTION and (found := _RESOURCE.match(attrs.get(semconv.EXCEPTION_MESSAGE, ""))):
        return _origin(found[1])
    return ""


def is_foreign(row: Mapping[str, Any], origin: str, pages: frozenset[str]) -> bool:
    """Whether `origin`, which `row` asked, is none of the visit's own. An address without a host is the page's."""
    return origin != "" and origin not in pages and row["attrs"].get(semconv.REQUEST_OWN, "") != "true"


def is_echo(message: str) -> bool:
    """Whether a script error says no more than that some request got no answer. The request itself tells whose it was."""
    return _ECHO.fullmatch(message.strip()) is not None


def _address(attrs: Mapping[str, str]) -> str:
    return attrs.get(semconv.URL_FULL, "") or attrs.get(_OLD_URL, "")


def _origin(address: str) -> str:
    return (origin_of(address) or "") if address else ""


def _server(attrs: Mapping[str, str]) -> str:
    host = attrs.get(semconv.SERVER_ADDRESS, "")
    if not host or semconv.URL_FULL in attrs:
        return ""
    port = attrs.get(semconv.SERVER_PORT, "")
    shown = f"[{host}]" if ":" in host else host
    return _origin(f"{attrs.get('url.scheme', 'https')}://{shown}{f':{port}' if port else ''}")
