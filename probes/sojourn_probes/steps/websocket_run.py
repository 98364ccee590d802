"""Walks a `websocket` step: the opening request, the messages in turns, and the closing in order."""

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Final

import httpx2
from wsproto.events import BytesMessage, Request, TextMessage

from sojourn_probes.addresses import absolute, origin_of
from sojourn_probes.patterns import SearchTooLong, require_pattern, search
from sojourn_probes.result import Failure
from sojourn_probes.semconv import PROBE_HEADER, FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.cookies import jar_of
from sojourn_probes.steps.http import Proxy
from sojourn_probes.steps.http_broken import Proxied
from sojourn_probes.steps.http_request import REDIRECTS, user_agent
from sojourn_probes.steps.proxy_way import open_way, proxy_address, proxy_headers, refused_words
from sojourn_probes.steps.talk import LOST, Broken, Talk
from sojourn_probes.steps.tls import TlsSettings
from sojourn_probes.steps.websocket import Message, WebsocketPart, over_http
from sojourn_probes.steps.websocket_line import Line
from sojourn_probes.steps.wire import DEFAULT_LIMIT, Wire

_OVERHEAD: Final = 16 * 1024
"""Bytes the opening answer and frames may take beside the messages."""
_SHOWN: Final = 80


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
        url = httpx2.URL(absolute(over_http(context.base_url), over_http(context.names.fill_text(part.url).strip())))
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{str(url)!r} is no address; it needs ws:// or wss:// and a host")
        way = None if part.proxy is None else _Way(part.proxy, context)
    except (httpx2.InvalidURL, ValueError) as fault:
        seen.failure = Failure(FailureKind.CONFIG, context.redact.text(f"the connection cannot be opened: {fault}"))
        return
    most = DEFAULT_LIMIT if part.max_body is None else part.max_body
    secure = url.scheme == "https"
    place = SimpleNamespace(host=url.host.strip("[]"), ip_family=part.ip_family)
    async with Wire(place, context, seen, "websocket", url.port or (443 if secure else 80), most + _OVERHEAD) as wire:
        wire.url = f"ws{str(url.copy_with(fragment=None)).removeprefix('http')}"
        await wire.open(way)
        if secure:
            await wire.start_tls(part.tls or TlsSettings(), None if way is None else lambda talk: way.ask(talk, wire.host, wire.port))
        line = Line(context, seen, wire, most)
        try:
            await _hold(part, context, seen, line, url)
        finally:
            line.keep()


async def _hold(part: WebsocketPart, context: StepContext, seen: Observation, line: Line, url: httpx2.URL) -> None:
    opened = await line.open(_request(part, context, url, line.wire.span_id))
    headers = httpx2.Headers(seen.facts["headers"])
    httpx2.Cookies(jar_of(context)).extract_cookies(httpx2.Response(line.wire.status or 0, headers=headers, request=httpx2.Request("GET", url)))
    if not opened:
        if line.wire.status in REDIRECTS and "location" in headers:
            seen.note = f"the server sends on to {context.redact.url(headers['location'])[:200]}, where a WebSocket does not follow; name that address in url"
        return
    if part.subprotocols and "sec-websocket-protocol" not in headers:
        raise line.broken(f"the server took none of the subprotocols {', '.join(part.subprotocols)}; browsers give up there, so offer what it speaks")
    for turn in part.dialog:
        await _take(turn, context, seen, line)
    await line.close(held=bool(part.dialog))


def _request(part: WebsocketPart, context: StepContext, url: httpx2.URL, span_id: str) -> Request:
    names = context.names
    given = {"user-agent": user_agent(), "traceparent": f"00-{context.trace_id}-{span_id}-01"}
    given |= {name.lower(): names.fill_text(value) for name, value in part.headers.items()}
    if part.auth is not None and part.auth.bearer is not None:
        given["authorization"] = f"Bearer {names.fill_text(part.auth.bearer)}"
    elif part.auth is not None:
        pair = f"{names.fill_text(part.auth.user or '')}:{names.fill_text(part.auth.password or '')}"
        given["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if context.mark is not None and origin_of(str(url)) in {origin_of(over_http(one)) for one in context.own_origins}:
        given[PROBE_HEADER] = context.mark
    host = given.pop("host", url.netloc.decode())
    asked = httpx2.Request("GET", url)
    httpx2.Cookies(jar_of(context)).set_cookie_header(asked)
    if "cookie" in asked.headers:
        given.setdefault("cookie", asked.headers["cookie"])
    headers = [(name.encode("ascii"), value.encode()) for name, value in given.items()]
    return Request(host=host, target=url.raw_path.decode(), subprotocols=list(part.subprotocols), extra_headers=headers)


async def _take(turn: Message, context: StepContext, seen: Observation, line: Line) -> None:
    """One turn of the dialog."""
    names = context.names
    if turn.send is not None:
        await line.send(TextMessage(data=names.fill_text(turn.send)))
    elif "send_json" in turn.model_fields_set:
        await line.send(TextMessage(data=json.dumps(names.fill(turn.send_json), ensure_ascii=False)))
    elif turn.send_hex is not None:
        await line.send(BytesMessage(data=bytes.fromhex(turn.send_hex)))
    else:
        await _await(turn, context, seen, line)


async def _await(turn: Message, context: StepContext, seen: Observation, line: Line) -> None:
    """Pass messages over until one fits; what was passed over is not looked at again."""
    wanted = context.names.fill_text(turn.expect if turn.expect is not None else turn.matches or "")
    shown = f"{'' if turn.matches is None else 'a match of '}'{context.redact.text(wanted)[:_SHOWN]}'"
    while True:
        while line.unread:
            if _fits(turn, wanted, line.next()):
                seen.waiting = ""
                return
            if turn.matches is not None:
                await asyncio.sleep(0)  # many messages and a slow pattern must hold nobody else up
        seen.waiting = f"{shown} was awaited, and the server {line.last()}"
        if line.closed is not None:
            raise line.broken(f"the server closed ({line.why()}) while {shown} was awaited; it {line.last()}")
        await line.hear()


def _fits(turn: Message, wanted: str, message: str) -> bool:
    if turn.expect is not None:
        return wanted in message
    try:
        return search(require_pattern(wanted), message) is not None
    except SearchTooLong as fault:
        raise Broken(FailureKind.CONTENT, str(fault)) from None
    except ValueError as fault:
        raise Broken(FailureKind.CONFIG, str(fault)) from None


class _Way:
    """The way through the proxy of a step. Making it raises ValueError, and httpx2.InvalidURL, for what is no proxy."""

    def __init__(self, proxy: Proxy, context: StepContext) -> None:
        url = proxy_address(context.names.fill_text(proxy.url))
        self.host, self.port = url.host.strip("[]"), url.port or 80
        self._headers = proxy_headers(proxy, context.names)

    async def ask(self, talk: Talk, host: str, port: int) -> None:
        """Have the way to `host` opened. Raises `Broken`."""
        try:
            await open_way(talk.stream, host, port, self._headers)
        except Proxied as fault:
            kind, words = refused_words(fault)
            raise Broken(kind, f"{talk.where}{words}") from None
        except LOST:
            raise Broken(FailureKind.CONNECT, f"{talk.where}: the proxy broke the connection off") from None
