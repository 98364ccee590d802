"""One exchange over HTTP: a connection, a request, its answer, and the record of it all. Redirects are `http_run.py`'s."""

import asyncio
import codecs
import re
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from sojourn_probes.addresses import origin_of
from sojourn_probes.ids import new_span_id
from sojourn_probes.result import Exchange, Failure
from sojourn_probes.semconv import HTTP_PHASES, PROBE_HEADER, FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.body import Body, read_body
from sojourn_probes.steps.cookies import jar_of
from sojourn_probes.steps.http import HttpPart
from sojourn_probes.steps.http_broken import Ended, Gone
from sojourn_probes.steps.http_connect import Connections, Dialer, Refused
from sojourn_probes.steps.http_faults import CAUGHT, Circumstances, failure_of, waiting_for
from sojourn_probes.steps.phases import Phases
from sojourn_probes.units import show_size

DEFAULT_MAX_BODY: Final = 5_000_000

_AGAIN: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that may be sent once more when a kept connection turns out to be closed."""

_CHARSET: Final = re.compile(r"charset=[\"']?([A-Za-z0-9._:-]+)", re.IGNORECASE)


@dataclass(slots=True)
class Answer:
    """What a server answered, its body as far as it was read."""

    status: int
    headers: httpx2.Headers
    body: Body
    version: str

    def text(self) -> str:
        """The body as text, in its own charset; an unknown one is read as UTF-8."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        try:
            charset = codecs.lookup(found.group(1)).name if found else "utf-8"
            return self.body.content.decode(charset, "replace")
        except (LookupError, UnicodeError):
            return self.body.content.decode("utf-8", "replace")


class Exchanger:
    """Makes exchanges as `part` says and records them in `seen`. Close `connections` when nothing more is asked."""

    def __init__(self, part: HttpPart, context: StepContext, seen: Observation, connections: Connections) -> None:
        self.part, self.context, self.seen = part, context, seen
        self.dialer = Dialer(part, context, seen, connections)
        self.limit = DEFAULT_MAX_BODY if part.max_body is None else part.max_body
        self.began = context.clock.now_ns()
        """What the fact `total` counts from."""
        self.totals: dict[str, float] = {}
        self.phases = Phases(context.clock)
        self._jar = jar_of(context)

    async def once(self, request: httpx2.Request, hop: int = 0, counted: bool = True, phases: Phases | None = None) -> Answer | None:
        """One exchange, recorded whatever comes of it; None, and a failure, when it failed.

        One that is not `counted` leaves no facts: it only serves the step. `phases` may hold what was measured for it already.
        """
        self.phases = phases or Phases(self.context.clock)
        record = _Record(request, new_span_id(), hop, self.context.clock.now_ns())
        self._mark(request, record.span_id)
        error: FailureKind | None = None
        try:
            await self._ask(request, record)
            return record.answer
        except CAUGHT as fault:
            at = Circumstances(self.where(request), self.phases, record.body, self.limit, hop, self.part.proxy is not None)
            failure = failure_of(fault, at)
            error = failure.kind
            self.seen.facts["tls_fault"] = fault.code if isinstance(fault, Refused) else None
            self.seen.failure = Failure(error, self.context.redact.text(failure.message))
            return None
        except asyncio.CancelledError:
            error = FailureKind.TIMEOUT
            self.seen.waiting = waiting_for(self.phases, record.body)
            raise
        finally:
            self._record(record, error, counted)

    async def _ask(self, request: httpx2.Request, record: "_Record") -> None:
        connection, record.peer, record.tls = await self.dialer.to(request.url, self.phases)
        extra = self.dialer.extra_headers(request.url)
        while True:
            reused = self.phases.peer is None
            record.version = connection.version
            try:
                status, raw = await connection.ask(request, self.phases, extra)
                break
            except (Ended, Gone, ConnectionError) as fault:
                if not reused or not _may_ask_again(request, fault):
                    raise
                await self.dialer.connections.drop(connection)
                connection, record.peer, record.tls = await self.dialer.to(request.url, self.phases)
        headers = httpx2.Headers(raw)
        record.answer = Answer(status, headers, record.body, connection.version)
        if "set-cookie" in headers:
            httpx2.Cookies(self._jar).extract_cookies(httpx2.Response(status, headers=headers, request=request))
        await read_body(connection.body(self.phases), headers.get("content-encoding", ""), self.limit, record.body)
        if connection.surplus:
            self.seen.note = f"the server sent {show_size(connection.surplus)} more than its content-length says; browsers cut that off"

    def _mark(self, request: httpx2.Request, span_id: str) -> None:
        """Trace context of this very exchange; the probe mark to our own origins and nobody else; the cookies that belong there."""
        headers = request.headers
        headers["traceparent"] = f"00-{self.context.trace_id}-{span_id}-01"
        headers.pop(PROBE_HEADER, None)
        if self.context.mark is not None and origin_of(str(request.url)) in self.context.own_origins:
            headers[PROBE_HEADER] = self.context.mark
        if next(iter(self._jar), None) is not None:
            httpx2.Cookies(self._jar).set_cookie_header(request)

    def where(self, request: httpx2.Request) -> str:
        """`GET https://shop.example/cart`, with the address when one was asked for."""
        address = "" if self.dialer.address is None else f" at {self.dialer.address}"
        return self.context.redact.url(f"{request.method} {request.url.copy_with(query=None, fragment=None)}{address}")

    def _record(self, record: "_Record", error: FailureKind | None, counted: bool) -> None:
        ended = self.context.clock.now_ns()
        seconds, url, request = self.phases.seconds, str(record.request.url), record.request
        # What a new connection showed is known even when nothing could be asked on it.
        peer = self.phases.peer or record.peer
        tls = self.phases.tls_facts or record.tls
        exchange = Exchange(
            span_id=record.span_id,
            method=request.method,
            url=self.context.redact.url(url),
            started_ns=record.started,
            ended_ns=ended,
            status=None if record.answer is None else record.answer.status,
            error=error,
            hop=record.hop,
            phases={phase: seconds[phase] for phase in HTTP_PHASES if phase in seconds},
            server_address=request.url.host,
            server_port=request.url.port or (443 if request.url.scheme == "https" else 80),
            peer_address=peer[0],
            peer_port=peer[1],
            protocol_version="" if record.answer is None else record.version,
            body_size=None if record.answer is None else record.body.wire,
        )
        self.seen.exchanges.append(exchange)
        if not counted:
            self.began += ended - record.started
            return
        for phase, spent in seconds.items():
            self.totals[phase] = self.totals.get(phase, 0.0) + spent
        facts: dict[str, Any] = self.seen.facts
        facts |= self.totals | {"total": (ended - self.began) / 1e9, "url": url, "redirects": record.hop, "tls_facts": tls}
        if record.answer is not None:
            facts |= {
                "status": record.answer.status,
                "headers": dict(record.answer.headers.items()),
                "body": record.answer.text(),
                "size": record.body.wire,
                "http_version": record.version,
                "cookies": {cookie.name: cookie.value for cookie in self._jar},
            }


def _may_ask_again(request: httpx2.Request, fault: Ended | Gone | ConnectionError) -> bool:
    """A server may close a kept connection at any time, and then most likely has not seen the request; or it says so."""
    if isinstance(fault, Gone):
        return fault.unseen
    return request.method in _AGAIN and getattr(fault, "stage", "answer") == "answer"


class _Record:
    """An exchange under way."""

    def __init__(self, request: httpx2.Request, span_id: str, hop: int, started: int) -> None:
        self.request, self.span_id, self.hop, self.started = request, span_id, hop, started
        self.answer: Answer | None = None
        self.body = Body()
        self.version = ""
        self.peer: tuple[str, int] = ("", 0)
        self.tls: dict[str, Any] = {}
