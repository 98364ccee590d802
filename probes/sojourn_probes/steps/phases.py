"""The phases of one HTTP exchange, measured as they finish."""

from typing import Any, Final

from sojourn_probes.clock import Clock
from sojourn_probes.steps.tls_facts import tls_facts

_TRACE: Final = {
    # What httpcore2 says as it goes, and which phase that begins or ends. Resolve and connect are the network backend's own.
    "connection.start_tls.started": ("begin", "tls"),
    "connection.start_tls.complete": ("end", "tls"),
    "http11.send_request_headers.started": ("begin", "send"),
    "http11.send_request_body.complete": ("end", "send"),
    "http11.receive_response_headers.started": ("begin", "wait"),
    "http11.receive_response_headers.complete": ("end", "wait"),
    "http11.receive_response_body.started": ("begin", "receive"),
    "http11.receive_response_body.complete": ("end", "receive"),
}


class Phases:
    """Seconds by phase of those that finished; `current` is the one begun and not finished. One for each exchange."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = 0
        self.current: str | None = None
        self.seconds: dict[str, float] = {}
        self.peer: tuple[str, int] | None = None
        """Address and port connected to; None on a connection that was there already."""
        self.tls_facts: dict[str, Any] | None = None
        """What the TLS handshake showed; None without one."""

    def begin(self, phase: str) -> None:
        """`phase` begins now."""
        self.current, self._begun = phase, self._clock.now_ns()

    def end(self, phase: str) -> None:
        """`phase`, begun before, ends now."""
        if self.current == phase:
            self.seconds[phase] = (self._clock.now_ns() - self._begun) / 1e9
            self.current = None

    async def trace(self, name: str, info: dict[str, Any]) -> None:
        """httpcore2's `trace` extension."""
        step = _TRACE.get(name)
        if step is not None:
            (self.begin if step[0] == "begin" else self.end)(step[1])
        # Asked now: a connection that has been closed since knows neither.
        if name == "connection.connect_tcp.complete":
            address = info["return_value"].get_extra_info("server_addr")
            self.peer = None if not address else (str(address[0]), int(address[1]))
        if name == "connection.start_tls.complete":
            self.tls_facts = tls_facts(info["return_value"].get_extra_info("ssl_object"), self._clock.now_ns() / 1e9)
