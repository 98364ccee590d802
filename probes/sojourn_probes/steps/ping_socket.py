"""Sockets for pinging: unprivileged where the kernel allows it, raw where we may, else one sentence with the cure."""

import socket
from collections.abc import Callable
from typing import Any, Final

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.talk import Broken

MAY_NOT: Final = (
    "this machine does not let the agent ping; allow it with 'sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"' (for IPv6 too), "
    "or give the agent CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW in its unit)"
)
"""Said when neither kind of socket may be had."""

SO_TIMESTAMPNS: Final = 35
"""Linux: stamp what comes in with the time the kernel took it. Python has no name for it."""

_PROTOCOLS: Final = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}


def ping_socket(address: str, make: Callable[..., Any] = socket.socket) -> tuple[socket.socket, bool]:
    """A socket connected to `address`, not blocking, and whether it is raw. Raises `Broken`, and OSError when there is no way there."""
    family, _, _, _, where = socket.getaddrinfo(address, 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    made, raw = _made(socket.AddressFamily(family), make)
    try:
        made.setblocking(False)
        # Connected, it hears only this host, and of its being unreachable.
        made.connect(where)
        made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except BaseException:
        made.close()
        raise
    return made, raw


def _made(family: socket.AddressFamily, make: Callable[..., Any]) -> tuple[socket.socket, bool]:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return make(family, kind, _PROTOCOLS[family]), kind == socket.SOCK_RAW
        except PermissionError:
            continue
        except OSError as fault:
            raise Broken(FailureKind.CONFIG, f"this machine has no IPv{'6' if family == socket.AF_INET6 else '4'}: {fault.strerror}") from None
    raise Broken(FailureKind.CONFIG, MAY_NOT)
