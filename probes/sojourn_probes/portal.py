"""Whether a captive portal answered in the site's place: the login page of a network that this machine is not let out of."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl, urlsplit

TELLING: Final = frozenset(
    {"uamip", "uamport", "nasid", "ap_mac", "apmac", "ap_name", "client_mac", "clientmac", "base_grant_url", "switch_url", "redirurl", "link-login"}
    | {"link-orig", "link-login-only", "wlan", "wlanuserip", "wlanacname", "essid", "ssid", "fgtauth", "gw_address", "gw_port", "gw_id"}
    | {"user_continue_url", "userurl", "statusurl", "portal_redirurl", "mac", "authaction"}
)
"""Parameters by which access points hand a guest to their login page; two of them are no chance."""

_NETWORK_AUTHENTICATION: Final = 511
_LOOKED_AT: Final = 16_384
_SENT_ON: Final = re.compile(
    r"""(?:(?<![\w-])location(?:\.href)?\s{0,5}=\s{0,5}|location\.replace\(\s{0,5}|[;\s"']url\s{0,5}=\s{0,5})["']?(https?://[^"'<>\s]{1,2000})""", re.IGNORECASE
)


def portal(asked: str, status: int, url: str, location: str, body: str) -> str | None:
    """How a captive portal shows, if it does: `asked` is the first url, `url` that of the answer, `location` where it would send us on.

    Over https a portal cannot answer in the site's name: there it is a failure of TLS.
    """
    if not asked.lower().startswith(("http://", "ws://")):
        return None
    if status == _NETWORK_AUTHENTICATION:
        return "511 Network Authentication Required"
    begin = body[:_LOOKED_AT]
    if "<wispaccessgatewayparam" in begin.lower():
        return "its page carries the WISPr login of a public network"
    for other in (url, location, *_sent_on(begin)):
        host = host_of(other)
        if host is not None and host != host_of(asked) and _hands_over(other):
            return f"it sent us to {host} with the parameters of a network's login page"
    return None


def _sent_on(begin: str) -> Iterator[str]:
    """Where a page sends a browser on by script or refresh. The pages of access points that do are small; a long one speaks of it."""
    if len(begin) >= _LOOKED_AT:
        return
    for found in _SENT_ON.finditer(begin):
        yield found.group(1)


def host_of(url: str) -> str | None:
    """The host of `url`; None when it has none."""
    try:
        return urlsplit(url).hostname
    except ValueError:  # half an IPv6 address, in what a stranger wrote
        return None


def _hands_over(url: str) -> bool:
    try:
        names = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=100)}
    except ValueError:
        return False
    return len(names & TELLING) >= 2
