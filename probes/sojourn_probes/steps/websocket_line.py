"""A WebSocket on a connection that is there: opened, spoken on, listened to, and closed in order (RFC 6455). The parsing is wsproto's."""

import asyncio
import contextlib
from typing import Any, Final

import h11
import httpx2
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, RejectConnection, RejectData, Request, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from sojourn_probes.expect import shortened
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.talk import Broken
from sojourn_probes.steps.wire import Wire
from sojourn_probes.units import show_size

GOODBYE_SECONDS: Final = 1.0
"""How long the server may take to close in turn."""
WELL: Final = frozenset({1000, 1001, 1005})
"""Close codes that are no complaint: normal, going away, none given."""
_WORDLESS: Final = 1006
"""What an end without a close code is known as."""
_SWITCHED: Final = 101


class Line:
    """One WebSocket. What the server says is in `said`; what cannot go on is raised as `Broken`.

    No extension is offered, so that nothing comes packed and a message is as large as the bytes it came in.
    """

    def __init__(self, context: StepContext, seen: Observation, wire: Wire, limit: int) -> None:
        self.context, self.seen, self.wire, self.limit = context, seen, wire, limit
        self.said: list[str] = []
        """Every message of the server, binary ones in hex."""
        self.closed: CloseConnection | None = None
        """How the server ended it."""
        self._state = WSConnection(ConnectionType.CLIENT)
        self._heard_bytes = 0
        self._taken = 0
        self._half: list[str] = []
        self._half_bytes = 0
        self._refusal = bytearray()
        self._refused = False
        self._last = (0, "said nothing")

    async def open(self, request: Request) -> bool:
        """Ask for the WebSocket; False when the server answered something else, which is in the facts then."""
        await self.send(request)
        self.seen.waiting = "the server does not answer the opening request; it may speak no WebSocket"
        while self.wire.status is None:
            await self.hear()
        if self.wire.status == _SWITCHED:
            self.seen.waiting = ""
            return True
        self.seen.waiting = f"the server refused ({self.wire.status}) and its page is not whole"
        with contextlib.suppress(Broken):  # the status says enough, however its page ends
            while not self._refused:
                await self.hear()
        self.seen.waiting = ""
        return False

    async def send(self, event: Event) -> None:
        """Say something."""
        try:
            data = self._state.send(event)
        except (LocalProtocolError, h11.LocalProtocolError, UnicodeEncodeError) as fault:
            if self.closed is not None:
                raise self._over() from None
            raise Broken(FailureKind.CONFIG, f"this cannot be sent over a WebSocket: {fault}") from None
        waiting, self.seen.waiting = self.seen.waiting, "the server takes no more of what is sent to it"
        try:
            await self.wire.talk.write(data)
        except Broken:
            # What it said before it went says more than that it is gone.
            with contextlib.suppress(Broken):
                while self.closed is None:
                    await self.hear()
            if self.closed is None or self.closed.code == _WORDLESS:
                raise
            raise self._over() from None
        self.seen.waiting = waiting

    async def hear(self) -> None:
        """Wait for something of the server and take in what it says."""
        talk = self.wire.talk
        alive = await talk.more()
        data, talk.unread[:] = bytes(talk.unread), b""
        if not alive and not talk.received:
            wanted = "TLS or another protocol here" if self.wire.phases.tls_facts is None else "a client certificate (tls: {cert_file})"
            raise self.broken(f"the server closed the connection without a word; it may have crashed over this request, or wants {wanted}")
        try:
            self._state.receive_data(data if alive else None)
            await self._take_all()
        except (RemoteProtocolError, UnicodeDecodeError) as fault:
            await self._take_all()  # what came before it
            if self.wire.status not in (None, _SWITCHED):
                self._refused = True
                return
            if talk.received.startswith(b"HTTP/"):
                raise self.broken(f"the answer opens no WebSocket: {fault}; what stands before the server may have changed it") from None
            raise self.broken(f"what it sent is no WebSocket: {fault}; it may speak another protocol") from None
        if not alive and self.closed is None:
            raise self.broken("the connection ended before the opening was answered")

    async def close(self, held: bool) -> None:
        """Close in order. A server that has closed with a complaint fails the step; `held` says whether it kept up a dialog before."""
        if self.closed is None:
            await self.send(CloseConnection(code=1000))
            with contextlib.suppress(TimeoutError, Broken):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    while self.closed is None:
                        await self.hear()
            if held and self.closed is not None and self.closed.code == _WORDLESS:
                self.seen.note = "the server ended the connection without closing the WebSocket in turn"
                return
        if self.closed is not None and self.closed.code not in WELL:
            raise self.broken(f"the server closed with {self.why()}")

    @property
    def unread(self) -> bool:
        """Whether there is a message that `next` has not given yet."""
        return self._taken < len(self.said)

    def next(self) -> str:
        """The next message."""
        self._taken += 1
        return self.said[self._taken - 1]

    def last(self) -> str:
        """What the server did last, as the end of a sentence that begins with it."""
        if self._half_bytes:
            return f"is in the middle of a message, after {show_size(self._half_bytes)}"
        if self._last[0] != len(self.said):
            self._last = (len(self.said), f"said '{shortened(self.context.redact.text(self.said[-1]))}'")
        return self._last[1]

    def why(self) -> str:
        """The code the server closed with, and its reason."""
        assert self.closed is not None
        if self.closed.code == _WORDLESS:
            return "code 1006: the connection ended without one"
        reason = f": {shortened(self.context.redact.text(self.closed.reason))}" if self.closed.reason else ""
        return f"code {int(self.closed.code)}{reason}"

    def broken(self, message: str, kind: FailureKind = FailureKind.PROTOCOL) -> Broken:
        """What to raise when it cannot go on."""
        return self.wire.talk.broken(kind, message)

    def keep(self) -> None:
        """What was said, as facts."""
        body = "\n".join(self.said) if self.said or not self._refusal else bytes(self._refusal).decode("utf-8", "replace")
        self.seen.facts |= {"body": body, "size": len(body.encode())}

    def _over(self) -> Broken:
        return self.broken(f"the server has closed ({self.why()}); nothing more can be sent")

    async def _take_all(self) -> None:
        for event in self._state.events():
            await self._take(event)

    async def _take(self, event: Event) -> None:
        match event:
            case AcceptConnection(extra_headers=headers, subprotocol=subprotocol):
                chosen = [] if subprotocol is None else [(b"sec-websocket-protocol", subprotocol.encode())]
                self._answered(_SWITCHED, [*headers, *chosen])
            case RejectConnection(status_code=status) if status < 200:
                return  # 103 and the like: the answer is still to come
            case RejectConnection(status_code=status, headers=headers):
                self._answered(status, headers)
            case RejectData(data=data, body_finished=finished):
                self._refusal += data
                self._refused = finished
            case TextMessage(data=text, message_finished=finished):
                self._piece(text, len(text.encode()), finished)
            case BytesMessage(data=data, message_finished=finished):
                self._piece(data.hex(), len(data), finished)
            case Ping():
                await self._reply(event.response())
            case CloseConnection():
                await self._ended(event)

    def _piece(self, text: str, size: int, finished: bool) -> None:
        self._half.append(text)
        self._half_bytes += size
        self._heard_bytes += size
        if self._heard_bytes > self.limit:
            raise self.broken(f"the server said more than {show_size(self.limit)} (max_body)", FailureKind.CONTENT)
        if finished:
            self.said.append("".join(self._half))
            self._half.clear()
            self._half_bytes = 0

    async def _ended(self, event: CloseConnection) -> None:
        if self._state.state in (ConnectionState.OPEN, ConnectionState.LOCAL_CLOSING):
            # The server has not closed: this is wsproto's word that it breaks the rules.
            await self._reply(CloseConnection(code=event.code))
            raise self.broken(f"what the server sent breaks the rules of WebSocket: {event.reason}; look at what makes its messages, and what is between")
        self.closed = event
        await self._reply(event.response())

    async def _reply(self, event: Event) -> None:
        """Answer as the protocol wants it, where that is still possible."""
        with contextlib.suppress(LocalProtocolError, Broken):
            await self.wire.talk.write(self._state.send(event))

    def _answered(self, status: int, headers: Any) -> None:
        self.wire.status = status
        self.seen.facts |= {"status": status, "headers": dict(httpx2.Headers(list(headers)).items())}
