"""What a browser's error means: decided by its type and by Chromium's `net::ERR_…` code, never by prose."""

import re
from typing import Final

from sojourn_probes.semconv import FailureKind

_CODE = re.compile(r"net::(ERR_[A-Z0-9_]+)")

_BY_CODE: Final[tuple[tuple[re.Pattern[str], FailureKind], ...]] = (
    (re.compile(r"ERR_(NAME_|DNS_|ICANN_)"), FailureKind.DNS),
    (re.compile(r"ERR_(CERT|SSL|BAD_SSL|ECH)"), FailureKind.TLS),
    (re.compile(r"ERR_TIMED_OUT"), FailureKind.TIMEOUT),
    (re.compile(r"ERR_INVALID_AUTH_CREDENTIALS"), FailureKind.STATUS),  # a 401 to the user and password that were given
    (re.compile(r"ERR_(CONNECTION|ADDRESS|INTERNET|NETWORK|PROXY|TUNNEL|SOCKS|SOCKET|UNSAFE_PORT)"), FailureKind.CONNECT),
    (re.compile(r"ERR_(BLOCKED|ABORTED|INSUFFICIENT|OUT_OF_MEMORY|FILE|ACCESS)"), FailureKind.BROWSER),
)
"""Chromium's net error list (net/base/net_error_list.h) by prefix; what is not here is a breach of protocol."""


def code_in(text: str) -> str | None:
    """The `ERR_…` code in an error of Chromium, or None."""
    found = _CODE.search(text)
    return found.group(1) if found else None


def kind_of_code(code: str) -> FailureKind:
    """The failure kind of a code such as `ERR_NAME_NOT_RESOLVED`."""
    return next((kind for pattern, kind in _BY_CODE if pattern.match(code)), FailureKind.PROTOCOL)
