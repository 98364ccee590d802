"""Walks a `websocket` step: the opening request, the messages in turns, and the closing in order (RFC 6455)."""

import asyncio
import base64
import contextlib
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import httpx2
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, RejectConnection, RejectData, Request, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from sojourn_probes.addresses import absolute, origin_of
from sojourn_probes.expect import shortened
from sojourn_probes.patterns import SearchTooLong, require_pattern, search
from sojourn_probes.result import Failure
from sojourn_probes.semconv import PROBE_HEADER, FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.http_request import user_agent
from sojourn_probes.steps.talk import Broken
from sojourn_probes.steps.tls import TlsSettings
from sojourn_probes.steps.websocket import Message, WebsocketPart, over_http
from sojourn_probes.steps.wire import DEFAULT_LIMIT, Wire

GOODBYE_SECONDS: Final = 1.0
"""How long the server may take to close in turn."""
WELL: Final = frozenset({1000, 1001, 1005})
"""Close codes that are no complaint: normal, going away, none given."""
_OVERHEAD: Final = 16 * 1024
"""Bytes the opening answer and frames may take beside the messages."""


class Runner:
    """Walks one `websocket` step."""

    async def run(self, part: WebsocketPart, context: StepContext) -> Observation:
        """Open the connection, hold the dialog of `part`, close, and say what was seen."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        try:
            await _walk(part, context, seen)
        finally:
            seen.ended_ns = context.clock.now_ns()
        context.kept.pop("partial", None)
        return seen


async def _walk(part: WebsocketPart, context: StepContext, seen: Observation) -> None:
    try:
        base = over_http(context.base_url)
        url = httpx2.URL(absolute(base, over_http(context.names.fill_text(part.url).strip())))
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{str(url)!r} is no address; it needs ws:// or wss:// and a host")
    except (httpx2.InvalidURL, ValueError) as fault:
        seen.failure = Failure(FailureKind.CONFIG, context.redact.text(f"the connection cannot be opened: {fault}"))
        return
    limit = (DEFAULT_LIMIT if part.max_body is None else part.max_body) + _OVERHEAD
    secure = url.scheme == "https"
    host = url.host.strip("[]")
    async with Wire(SimpleNamespace(host=host, ip_family=part.ip_family), context, seen, "websocket", url.port or (443 if secure else 80), limit) as wire:
        await wire.open()
        if secure:
            await wire.start_tls(part.tls or TlsSettings())
        conversation = _Conversation(part, context, seen, wire)
        try:
            if await conversation.opened(url):
                for turn in part.dialog:
                    await conversation.take(turn)
                await conversation.close()
        finally:
            conversation.keep()
    if "status" in seen.facts and seen.exchanges:
        seen.exchanges[-1] = replace(seen.exchanges[-1], status=seen.facts["status"])


class _Conversation:
    """The messages of one connection."""

    def __init__(self, part: WebsocketPart, context: StepContext, seen: Observation, wire: Wire) -> None:
        self.part, self.context, self.seen, self.wire = part, context, seen, wire
        self.state = WSConnection(ConnectionType.CLIENT)
        self.said: list[str] = []
        """Every message of the server, binary ones in hex."""
        self.unread = 0
        """The first message that no turn has taken yet."""
        self.refusal = bytearray()
        self._text: list[str] = []
        self._bytes = bytearray()
        self._closed: CloseConnection | None = None

    async def opened(self, url: httpx2.URL) -> bool:
        """Ask for the connection; False when the server answered something else, which is in the facts then."""
        target = url.raw_path.decode()
        offered = list(self.part.subprotocols)
        await self._send(Request(host=url.netloc.decode(), target=target, subprotocols=offered, extra_headers=self._headers(url)))
        self.seen.waiting = "the server does not answer the opening request; it may speak no WebSocket"
        while "status" not in self.seen.facts:
            await self._hear()
        while self.seen.facts["status"] != 101 and not self._refused:
            await self._hear()
        self.seen.waiting = ""
        return bool(self.seen.facts["status"] == 101)

    _refused = False

    def _headers(self, url: httpx2.URL) -> list[tuple[bytes, bytes]]:
        context, names, part = self.context, self.context.names, self.part
        given = {"user-agent": user_agent(), "traceparent": f"00-{context.trace_id}-{context.span_id}-01"}
        given |= {name.lower(): names.fill_text(value) for name, value in part.headers.items()}
        if part.auth is not None and part.auth.bearer is not None:
            given["authorization"] = f"Bearer {names.fill_text(part.auth.bearer)}"
        elif part.auth is not None:
            pair = f"{names.fill_text(part.auth.user or '')}:{names.fill_text(part.auth.password or '')}"
            given["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if context.mark is not None and origin_of(str(url)) in {origin_of(over_http(one)) for one in context.own_origins}:
            given[PROBE_HEADER] = context.mark
        return [(name.encode("ascii"), value.encode()) for name, value in given.items()]

    async def take(self, turn: Message) -> None:
        """One turn of the dialog."""
        names = self.context.names
        if turn.send is not None:
            await self._send(TextMessage(data=names.fill_text(turn.send)))
        elif "send_json" in turn.model_fields_set:
            await self._send(TextMessage(data=json.dumps(names.fill(turn.send_json), ensure_ascii=False)))
        elif turn.send_hex is not None:
            await self._send(BytesMessage(data=bytes.fromhex(turn.send_hex)))
        else:
            await self._await(turn)

    async def _await(self, turn: Message) -> None:
        wanted = self.context.names.fill_text(turn.expect if turn.expect is not None else turn.matches or "")
        shown = f"{'' if turn.matches is None else 'a match of '}'{self.context.redact.text(wanted)[:80]}'"
        while True:
            while self.unread < len(self.said):
                message = self.said[self.unread]
                self.unread += 1
                if self._fits(turn, wanted, message):
                    self.seen.waiting = ""
                    return
            last = f"said '{shortened(self.context.redact.text(self.said[-1]))}'" if self.said else "said nothing"
            self.seen.waiting = f"{shown} was awaited, and the server {last}"
            if self._closed is not None:
                raise self._broken(f"the server closed ({self._why(self._closed)}) while {shown} was awaited; it {last}")
            await self._hear()

    @staticmethod
    def _fits(turn: Message, wanted: str, message: str) -> bool:
        if turn.expect is not None:
            return wanted in message
        try:
            return search(require_pattern(wanted), message) is not None
        except SearchTooLong as fault:
            raise Broken(FailureKind.CONTENT, str(fault)) from None
        except ValueError as fault:
            raise Broken(FailureKind.CONFIG, str(fault)) from None

    async def close(self) -> None:
        """Close in order. A server that had closed before with a complaint fails the step."""
        if self._closed is None:
            await self._send(CloseConnection(code=1000))
            with contextlib.suppress(TimeoutError, Broken):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    while self._closed is None:
                        await self._hear()
        if self._closed is not None and self._closed.code not in WELL:
            raise self._broken(f"the server closed with {self._why(self._closed)}")

    async def _send(self, event: Event) -> None:
        try:
            data = self.state.send(event)
        except LocalProtocolError as fault:
            if self._closed is not None:
                raise self._broken(f"the server has closed ({self._why(self._closed)}); nothing more can be sent") from None
            raise Broken(FailureKind.CONFIG, f"this cannot be sent over a WebSocket: {fault}") from None
        await self.wire.talk.write(data)

    async def _hear(self) -> None:
        """Wait for something of the server and take in what it says."""
        talk = self.wire.talk
        alive = await talk.more()
        data, talk.unread[:] = bytes(talk.unread), b""
        if not alive and not talk.received:
            raise self._broken("the server closed the connection without a word")
        try:
            self.state.receive_data(data if alive else None)
            for event in self.state.events():
                await self._heard(event)
        except RemoteProtocolError as fault:
            raise self._broken(f"what it sent is no WebSocket: {fault}; it may speak another protocol") from None
        if not alive and self._closed is None:
            raise self._broken(f"the connection ended without being closed in order{talk.said() if not self.said else ''}")

    async def _heard(self, event: Event) -> None:
        match event:
            case AcceptConnection(extra_headers=headers):
                self._opening(101, headers)
            case RejectConnection(status_code=status, headers=headers, has_body=has_body):
                self._opening(status, headers)
                self._refused = not has_body
            case RejectData(data=data, body_finished=finished):
                self.refusal += data
                self._refused = finished
            case TextMessage(data=text, message_finished=finished):
                self._text.append(text)
                if finished:
                    self.said.append("".join(self._text))
                    self._text.clear()
            case BytesMessage(data=data, message_finished=finished):
                self._bytes += data
                if finished:
                    self.said.append(self._bytes.hex())
                    self._bytes.clear()
            case Ping():
                await self._send(event.response())
            case CloseConnection():
                self._closed = event
                with contextlib.suppress(LocalProtocolError, Broken):
                    await self.wire.talk.write(self.state.send(event.response()))

    def _opening(self, status: int, headers: Any) -> None:
        self.seen.facts |= {"status": status, "headers": {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}}

    def _why(self, closed: CloseConnection) -> str:
        reason = f": {shortened(self.context.redact.text(closed.reason))}" if closed.reason else ""
        return f"code {int(closed.code)}{reason}"

    def _broken(self, message: str) -> Broken:
        return self.wire.talk.broken(FailureKind.PROTOCOL, message)

    def keep(self) -> None:
        """What was said, as facts."""
        body = "\n".join(self.said) if self.said or not self.refusal else bytes(self.refusal).decode("utf-8", "replace")
        self.seen.facts |= {"body": body, "size": len(body.encode())}
