"""Ports for the parts: the fixed ones people know, or free ones for a run that nobody watches."""

import contextlib
import socket
from dataclasses import asdict, dataclass


class PortTakenError(Exception):
    """A fixed port is in use; the text is for people."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One port on loopback for each listener of the demo."""

    web: int = 8400
    otlp: int = 4318
    intake: int = 8410
    agent_admin: int = 8411
    shop: int = 8080
    payments: int = 8081
    switchboard: int = 8082


WHAT = {
    "web": "the report",
    "otlp": "the collector's OTLP",
    "intake": "the agent's beacons",
    "agent_admin": "the agent's own pages",
    "shop": "the shop",
    "payments": "the shop's payments service",
    "switchboard": "the shop's switchboard",
}


def fixed_ports(ports: Ports | None = None) -> Ports:
    """The ports people know. Raises PortTakenError with one sentence for the first that is in use."""
    ports = ports or Ports()
    for name, port in asdict(ports).items():
        with contextlib.closing(socket.socket()) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                raise PortTakenError(f"Port {port}, wanted for {WHAT[name]}, is taken: stop what listens there, or give --once to take free ports.") from None
    return ports


def free_ports() -> Ports:
    """Ports that are free right now; all are held at the same time, so they differ."""
    with contextlib.ExitStack() as stack:
        found = {}
        for name in WHAT:
            sock = stack.enter_context(contextlib.closing(socket.socket()))
            sock.bind(("127.0.0.1", 0))
            found[name] = sock.getsockname()[1]
        return Ports(**found)
