"""`scheme://host[:port]` of foreign tools as the parts of a step that is not http."""

import re
from typing import Any

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:/@\s\[\]]+|\$\{[^}/\s]+\}))(?::(\d{1,5}|\$\{[^}]+\}))?(?:[/?].*)?\Z")
_BARE_V6 = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.:]*(?:%\w+)?\Z")


def host_port(text: str) -> tuple[str, Any] | None:
    """Host and port (None when not given) of `host:port`; None when it is no such thing."""
    rest = text.rpartition("://")[2]
    if _BARE_V6.match(rest):
        return rest, None
    found = _HOST_PORT.match(rest)
    if found is None:
        return None
    port = found.group(3)
    if port is not None and port.isdecimal() and not 1 <= int(port) <= 65535:
        return None
    return found.group(1) or found.group(2), int(port) if port and port.isdecimal() else port


def resolver_of(text: str) -> str | None:
    """A name server as a dns step names it, `host` or `host:port`; None when it is no such thing."""
    where = host_port(text)
    if where is None:
        return None
    host, port = where
    return host if port is None else f"[{host}]:{port}" if ":" in host and "${" not in host else f"{host}:{port}"
