"""`scheme://host:port` of foreign tools as the parts of a step that is not http."""

import re
from typing import Any

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:/\s\[\]]+))(?::(\d{1,5}|\$\{[^}]+\}))?(?:[/?].*)?\Z")


def host_port(text: str) -> tuple[str, Any] | None:
    """Host and port (None when not given) of `host:port`; None when it is no such thing."""
    found = _HOST_PORT.match(text.rpartition("://")[2])
    if found is None:
        return None
    port = found.group(3)
    if port is not None and port.isdecimal() and not 1 <= int(port) <= 65535:
        return None
    return found.group(1) or found.group(2), int(port) if port and port.isdecimal() else port
