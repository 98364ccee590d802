"""The phases of one HTTP exchange, measured as they finish."""

from typing import Any, Final

from sojourn_probes.clock import Clock

_TRACE: Final = {
    # What httpcore2 says of an HTTP/2 connection as it goes, and which phase that begins or ends.
    "http2.send_connection_init.started": ("begin", "send"),
    "http2.send_request_headers.started": ("begin", "send"),
    "http2.send_request_body.complete": ("end", "send"),
    "http2.receive_response_headers.started": ("begin", "wait"),
    "http2.receive_response_headers.complete": ("end", "wait"),
    "http2.receive_response_body.started": ("begin", "receive"),
    "http2.receive_response_body.complete": ("end", "receive"),
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
        if step is not None and step[0] == "end":
            self.end(step[1])
        elif step is not None and self.current != step[1]:  # a new connection's greeting is the begin of what is sent
            self.begin(step[1])
