"""HTTP/1.1 on one stream: asks, and hands over the answer as it comes. The parsing is h11's."""

from collections.abc import AsyncIterator
from typing import Any, Final

import h11
import httpx2

from sojourn_probes.steps.http_broken import Ended, NotHttp
from sojourn_probes.steps.http_stream import Stream
from sojourn_probes.steps.phases import Phases

MAX_HEADER: Final = 100 * 1024
"""Bytes a header may have."""

_CHUNK: Final = 64 * 1024
_SHOWN: Final = 40


class Http1:
    """One connection. `ask` once, then `body` to its end, then perhaps again while `usable`."""

    version: Final = "1.1"

    def __init__(self, stream: Stream, through_proxy: bool = False) -> None:
        self.stream = stream
        self.surplus = 0
        """Bytes that came after the end of the answer and belong to none."""
        self._proxied = through_proxy
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER)
        self._asked_at = 0
        self._stage = "answer"
        self._closed = False

    @property
    def usable(self) -> bool:
        """Whether it can be asked again: the answer was read to its end and both sides keep the connection."""
        return self._state.our_state is h11.DONE and self._state.their_state is h11.DONE and not self.surplus and self.stream.alive

    async def ask(self, request: httpx2.Request, phases: Phases, extra: list[tuple[bytes, bytes]]) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Send `request`, `extra` headers with it, and wait for the answer's status and headers."""
        if self._state.our_state is h11.DONE:
            self._state.start_next_cycle()
        self._asked_at, self._stage = self.stream.received, "answer"
        await self._send(request, phases, extra)
        phases.begin("wait")
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                break
        phases.end("wait")
        self._stage = "body"
        return event.status_code, event.headers.raw_items()

    async def _send(self, request: httpx2.Request, phases: Phases, extra: list[tuple[bytes, bytes]]) -> None:
        phases.begin("send")
        # Through a proxy the whole address is asked for.
        target = str(request.url.copy_with(fragment=None)).encode("ascii") if self._proxied else request.url.raw_path
        try:
            asked = h11.Request(method=request.method, target=target, headers=[*request.headers.raw, *extra])
            raw = self._state.send(asked) or b""
            if request.content:
                raw += self._state.send(h11.Data(data=request.content)) or b""
            raw += self._state.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as fault:
            raise httpx2.LocalProtocolError(str(fault)) from None
        try:
            await self.stream.write(raw)
        except ConnectionError:
            # A server may refuse a body before it has all of it; what it said counts more than that it closed.
            if not self.stream.heard:
                raise
        phases.end("send")

    async def body(self, phases: Phases) -> AsyncIterator[bytes]:
        """The answer's body, packed as it came."""
        phases.begin("receive")
        while True:
            event = await self._next()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif event is h11.PAUSED or isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                break
        phases.end("receive")
        self.surplus = len(self._state.trailing_data[0])

    async def aclose(self) -> None:
        """Close the connection."""
        await self.stream.aclose()

    async def _next(self) -> Any:
        while True:
            try:
                event = self._state.next_event()
            except h11.RemoteProtocolError as fault:
                if self._closed:
                    raise Ended(self._stage) from None
                raise NotHttp(str(fault)) from None
            if event is not h11.NEED_DATA:
                return event
            data = await self.stream.read(_CHUNK)
            if self.stream.received == self._asked_at:
                raise Ended("answer")
            if self._stage == "answer":
                self._stage = "header"
                if not data.startswith(b"HTTP/"[: len(data)]):
                    raise NotHttp(f"it begins with {data[:_SHOWN].decode('latin-1')!r}")
            self._closed = not data
            self._state.receive_data(data)
