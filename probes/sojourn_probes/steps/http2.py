"""HTTP/2 on one stream: asks, and hands over the answer as it comes. The protocol is httpcore2's, on h2."""

from collections.abc import AsyncIterator
from typing import Any, Final

import h2.errors
import h2.events
import h2.exceptions
import httpcore2
import httpx2

from sojourn_probes.steps.http2_patient import PatientConnection
from sojourn_probes.steps.http_broken import Ended, Gone, NotHttp
from sojourn_probes.steps.http_stream import Stream
from sojourn_probes.steps.phases import Phases

_LOST: Final = (httpcore2.ProtocolError, httpcore2.ConnectionNotAvailable, h2.exceptions.ProtocolError)


class Http2:
    """One connection. `ask` once, then `body` to its end, then perhaps again while `usable`."""

    version: Final = "2"
    surplus: Final = 0

    def __init__(self, stream: Stream, origin: httpcore2.Origin) -> None:
        self.stream = stream
        self._connection = PatientConnection(origin, stream)
        self._answer: httpcore2.Response | None = None
        self._whole = True
        self._asked_at = 0

    @property
    def usable(self) -> bool:
        """Whether it can be asked again."""
        return self._whole and not self._connection.half_asked and self._connection.is_available() and not (self.stream.ended or self._connection.has_expired())

    async def ask(self, request: httpx2.Request, phases: Phases, extra: list[tuple[bytes, bytes]]) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Send `request`, `extra` headers with it, and wait for the answer's status and headers."""
        url = httpcore2.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path)
        asked = httpcore2.Request(request.method, url, headers=[*request.headers.raw, *extra], content=request.content, extensions={"trace": phases.trace})
        self._whole, self._asked_at = False, self.stream.received
        try:
            self._answer = await self._connection.handle_async_request(asked)
        except _LOST as fault:
            raise self._broken(fault, phases, "answer") from None
        return self._answer.status, [(name, value) for name, value in self._answer.headers]

    async def body(self, phases: Phases) -> AsyncIterator[bytes]:
        """The answer's body, packed as it came."""
        assert self._answer is not None
        stream: Any = self._answer.stream
        try:
            async for chunk in stream:
                yield chunk
            self._whole = True
        except _LOST as fault:
            raise self._broken(fault, phases, "body") from None
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        """Close the connection."""
        await self.stream.aclose()

    def _broken(self, fault: Exception, phases: Phases, stage: str) -> Exception:
        event = fault.args[0] if fault.args else None
        if isinstance(event, h2.events.StreamReset):
            return Gone(False, _code(event.error_code), unseen=event.error_code == h2.errors.ErrorCodes.REFUSED_STREAM)
        if isinstance(event, h2.events.ConnectionTerminated):
            return Gone(True, _code(event.error_code), unseen=self._connection.newest > (event.last_stream_id or 0))
        if isinstance(fault, httpcore2.ConnectionNotAvailable):
            return Gone(True, "NO_ERROR", unseen=True)
        if isinstance(fault, httpcore2.LocalProtocolError) and phases.current == "send" and self.stream.received == self._asked_at:
            return httpx2.LocalProtocolError(str(fault))
        if self.stream.ended and not isinstance(fault, httpcore2.LocalProtocolError):
            return Ended(stage)
        return NotHttp(str(fault) or "it breaks the rules of HTTP/2")


def _code(code: Any) -> str:
    try:
        return h2.errors.ErrorCodes(code).name
    except ValueError:
        return str(code)
