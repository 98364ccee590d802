"""httpcore2's HTTP/2 connection, with what servers may well do and it takes for the end: go away in order, and answer before they have heard all.

Both are ordinary (nginx goes away with the last answer it gives on a connection, and so does whoever is restarted), and browsers take them.
"""

from typing import Any

import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import httpcore2

from sojourn_probes.steps.http_stream import Stream


class _Answered(Exception):  # noqa: N818 - says what happened
    """The answer is whole before the request is."""


class _State(h2.connection.H2Connection):
    """After a server's word that it goes away in order, what was asked before is still answered (RFC 9113 §6.8)."""

    def _receive_goaway_frame(self, frame: Any) -> Any:
        state, unsent = self.state_machine.state, bytes(self._data_to_send)
        told = super()._receive_goaway_frame(frame)
        if frame.error_code == h2.errors.ErrorCodes.NO_ERROR:
            self.state_machine.state = state
            self._data_to_send[:] = unsent
        return told


class PatientConnection(httpcore2.AsyncHTTP2Connection):
    """One connection for one request at a time; `half_asked` once an answer came before all of its request was taken."""

    def __init__(self, origin: httpcore2.Origin, stream: Stream) -> None:
        super().__init__(origin, stream)
        self._h2_state = _State(config=self.CONFIG)
        self.half_asked = False

    @property
    def newest(self) -> int:
        """The stream of the newest request."""
        return self._h2_state.highest_outbound_stream_id

    async def _receive_events(self, request: httpcore2.Request, stream_id: int | None = None) -> None:
        going = self._connection_terminated
        if going is None or going.error_code != h2.errors.ErrorCodes.NO_ERROR or self.newest > (going.last_stream_id or 0):
            await super()._receive_events(request, stream_id)
            return
        self._connection_terminated = None
        try:
            await super()._receive_events(request, stream_id)
        finally:
            self._connection_terminated = self._connection_terminated or going

    async def _send_request_body(self, request: httpcore2.Request, stream_id: int) -> None:
        try:
            await super()._send_request_body(request, stream_id)
        except (_Answered, h2.exceptions.StreamClosedError):
            if not self._answered(stream_id):
                raise
            self.half_asked = True

    async def _wait_for_outgoing_flow(self, request: httpcore2.Request, stream_id: int) -> int:
        while not self._answered(stream_id):
            flow = min(self._h2_state.local_flow_control_window(stream_id), self._h2_state.max_outbound_frame_size)
            if flow > 0:
                return flow
            await self._receive_events(request)
            await self._write_outgoing_data(request)
        raise _Answered

    def _answered(self, stream_id: int) -> bool:
        return any(isinstance(event, h2.events.StreamEnded) for event in self._events[stream_id])

    async def _receive_response(self, request: httpcore2.Request, stream_id: int) -> tuple[int, list[tuple[bytes, bytes]]]:
        while not isinstance(event := await self._receive_stream_event(request, stream_id), h2.events.ResponseReceived):
            pass
        headers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
        status = next((value for name, value in headers if name == b":status"), b"")
        if len(status) != 3 or not status.isdigit():
            raise httpcore2.RemoteProtocolError(f"its status is {status[:20].decode('latin-1')!r}")
        return int(status), [(name, value) for name, value in headers if not name.startswith(b":")]
