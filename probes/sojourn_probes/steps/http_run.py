"""Walks an `http` step: one request and its redirects, each hop an exchange with its own phases, on fresh connections.

Proxies of the environment are not used: a probe measures the way it was told to.
"""

import asyncio
import codecs
import functools
import importlib.metadata
import json
import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

import httpcore2
import httpx2

from sojourn_probes.addresses import absolute, origin_of
from sojourn_probes.ids import new_span_id
from sojourn_probes.names import mentions_secret
from sojourn_probes.result import Exchange, Failure
from sojourn_probes.semconv import HTTP_PHASES, PROBE_HEADER, FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.body import ENCODINGS, Body, read_body
from sojourn_probes.steps.cookies import jar_of
from sojourn_probes.steps.http import SECRET_HEADERS, HttpPart, HttpTls
from sojourn_probes.steps.http_faults import CAUGHT, failure_of, tls_fault
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import ResolvingBackend

DEFAULT_REDIRECTS: Final = 10
DEFAULT_MAX_BODY: Final = 5_000_000


class Runner:
    """Walks one `http` step. Cookies live as long as the attempt, connections as long as the step."""

    async def run(self, part: HttpPart, context: StepContext) -> Observation:
        """Send the request of `part`, follow its redirects and say what was seen."""
        clock = context.clock
        now = clock.now_ns()
        observation = Observation(now, now)
        # What is seen so far must survive a cancelled run.
        context.kept["partial"] = observation
        try:
            walk = _Walk(part, context, observation)
        except (OSError, ssl.SSLError) as fault:
            observation.failure = Failure(FailureKind.CONFIG, f"tls.ca_file cannot be read: {fault.strerror or fault}")
            return observation
        try:
            await walk.follow()
        finally:
            observation.ended_ns = clock.now_ns()
            await walk.close()
        context.kept.pop("partial", None)
        return observation


class _Transport(httpx2.AsyncBaseTransport):
    """httpx2 over our own pool; httpcore2's errors come through as they are, with their causes."""

    def __init__(self, pool: httpcore2.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.AsyncByteStream)
        url = httpcore2.URL(scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path)
        sent = httpcore2.Request(request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions)
        answer = await self._pool.handle_async_request(sent)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Stream(answer.stream), extensions=answer.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> Any:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Walk:
    """One step under way."""

    def __init__(self, part: HttpPart, context: StepContext, observation: Observation) -> None:
        self.part, self.context, self.seen = part, context, observation
        self.phases = Phases(context.clock)
        self.limit = DEFAULT_MAX_BODY if part.max_body is None else part.max_body
        self.totals: dict[str, float] = {}
        self.connected: dict[bytes, tuple[tuple[str, int], dict[str, Any]]] = {}
        tls = part.tls or HttpTls()
        pool = httpcore2.AsyncConnectionPool(ssl_context=_ssl_context(tls, context), network_backend=ResolvingBackend(lambda: self.phases))
        self.client = httpx2.AsyncClient(transport=_Transport(pool), cookies=jar_of(context), trust_env=False, timeout=None, follow_redirects=False)

    async def close(self) -> None:
        await self.client.aclose()

    async def follow(self) -> None:
        """The request, then its redirects as far as they are followed."""
        request = self._request()
        if request is None:
            return
        allowed = DEFAULT_REDIRECTS if self.part.follow_redirects is None else self.part.follow_redirects
        hop = 0
        while request is not None and self.seen.failure is None:
            following = await self._exchange(request, hop)
            if following is None or not allowed:
                return
            if hop >= allowed:
                self.seen.failure = Failure(FailureKind.PROTOCOL, f"{self._where(request)}: more than {allowed} redirects (follow_redirects)")
                return
            _strip_secrets(following, request, self.part)
            request, hop = following, hop + 1

    def _request(self) -> httpx2.Request | None:
        """The first request, with everything filled in. None, and a failure, when it cannot be made."""
        names, part = self.context.names, self.part
        try:
            url = httpx2.URL(absolute(self.context.base_url, names.fill_text(part.url).strip()))
            if part.query:
                url = url.copy_merge_params({name: names.fill_text(value) for name, value in part.query.items()})
            headers = {"user-agent": user_agent(), "accept": "*/*"} | {name.lower(): names.fill_text(value) for name, value in part.headers.items()}
            headers["accept-encoding"] = headers.get("accept-encoding", ENCODINGS)
            headers |= self._authorization()
            content, kind = self._content()
            if kind is not None:
                headers.setdefault("content-type", kind)
            # Header values are sent as UTF-8; HTTP leaves it open, and refusing them helps nobody.
            raw = [(name.encode("ascii"), value.encode()) for name, value in headers.items()]
            return self.client.build_request(part.verb, url, headers=raw, content=content)
        except (httpx2.InvalidURL, ValueError) as fault:
            self.seen.failure = Failure(FailureKind.CONFIG, self.context.redact.text(f"the request cannot be made: {fault}"))
            return None

    def _authorization(self) -> dict[str, str]:
        auth, names = self.part.auth, self.context.names
        if auth is None:
            return {}
        if auth.bearer is not None:
            return {"authorization": f"Bearer {names.fill_text(auth.bearer)}"}
        pair = f"{names.fill_text(auth.user or '')}:{names.fill_text(auth.password or '')}"
        return {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    def _content(self) -> tuple[bytes | None, str | None]:
        part, names = self.part, self.context.names
        if part.has_json:
            return json.dumps(names.fill(part.json_body), ensure_ascii=False).encode(), "application/json"
        if part.form is not None:
            filled = {name: names.fill_text(value) for name, value in part.form.items()}
            return str(httpx2.QueryParams(filled)).encode(), "application/x-www-form-urlencoded"
        if part.body is not None:
            return names.fill_text(part.body).encode(), "text/plain; charset=utf-8"
        return None, None

    async def _exchange(self, request: httpx2.Request, hop: int) -> httpx2.Request | None:
        """One exchange, recorded whatever comes of it. Returns the request a redirect asks for."""
        self.phases = Phases(self.context.clock)
        span_id = new_span_id()
        self._mark(request, span_id)
        started = self.context.clock.now_ns()
        answer: httpx2.Response | None = None
        body = Body()
        error: FailureKind | None = None
        try:
            answer = await self.client.send(request, stream=True)
            await read_body(answer.aiter_raw(), answer.headers.get("content-encoding", ""), self.limit, body)
            if answer.has_redirect_location and answer.next_request is None and self.part.follow_redirects != 0:
                raise httpx2.RemoteProtocolError("it redirects to what is no address")
            return answer.next_request
        except CAUGHT as fault:
            failure = failure_of(fault, self.phases, self._where(request), self.limit, hop)
            error = failure.kind
            self.seen.facts["tls_fault"] = tls_fault(fault)
            self.seen.failure = Failure(failure.kind, self.context.redact.text(failure.message))
            return None
        except asyncio.CancelledError:
            error = FailureKind.TIMEOUT
            raise
        finally:
            self._record(request, answer, body, span_id, hop, started, error)
            if answer is not None:
                await answer.aclose()

    def _mark(self, request: httpx2.Request, span_id: str) -> None:
        """Trace context of this very exchange; the probe mark to our own origins and nobody else."""
        request.extensions = {**request.extensions, "trace": self.phases.trace}
        request.headers["traceparent"] = f"00-{self.context.trace_id}-{span_id}-01"
        request.headers.pop(PROBE_HEADER, None)
        if self.context.mark is not None and origin_of(str(request.url)) in self.context.own_origins:
            request.headers[PROBE_HEADER] = self.context.mark

    def _where(self, request: httpx2.Request) -> str:
        return self.context.redact.url(f"{request.method} {request.url.copy_with(query=None, fragment=None)}")

    def _record(
        self, request: httpx2.Request, answer: httpx2.Response | None, body: Body, span_id: str, hop: int, started: int, error: FailureKind | None
    ) -> None:
        ended = self.context.clock.now_ns()
        for phase, seconds in self.phases.seconds.items():
            self.totals[phase] = self.totals.get(phase, 0.0) + seconds
        url = str(request.url)
        # A hop on a connection that was there already has that connection's peer and certificate.
        known = self.connected.get(request.url.netloc, (("", 0), {}))
        peer, facts = known if self.phases.peer is None else (self.phases.peer, self.phases.tls_facts or {})
        self.connected[request.url.netloc] = (peer, facts)
        exchange = Exchange(
            span_id=span_id,
            method=request.method,
            url=self.context.redact.url(url),
            started_ns=started,
            ended_ns=ended,
            status=None if answer is None else answer.status_code,
            error=error,
            hop=hop,
            phases={phase: self.phases.seconds[phase] for phase in HTTP_PHASES if phase in self.phases.seconds},
            server_address=request.url.host,
            server_port=request.url.port or (443 if request.url.scheme == "https" else 80),
            peer_address=peer[0],
            peer_port=peer[1],
            protocol_version="" if answer is None else answer.http_version.removeprefix("HTTP/"),
            body_size=None if answer is None else body.wire,
        )
        self.seen.exchanges.append(exchange)
        self.seen.facts.update(self._facts(request, answer, body, hop, ended), tls_facts=facts)

    def _facts(self, request: httpx2.Request, answer: httpx2.Response | None, body: Body, hop: int, ended: int) -> dict[str, Any]:
        facts: dict[str, Any] = dict(self.totals)
        facts |= {"total": (ended - self.seen.started_ns) / 1e9, "url": str(request.url), "redirects": hop}
        if answer is not None:
            facts |= {
                "status": answer.status_code,
                "http_version": answer.http_version.removeprefix("HTTP/"),
                "headers": {name.lower(): value for name, value in answer.headers.items()},
                "body": bytes(body.content).decode(_charset(answer), "replace"),
                "size": body.wire,
                "cookies": {cookie.name: cookie.value for cookie in self.client.cookies.jar},
            }
        return facts


def _charset(answer: httpx2.Response) -> str:
    try:
        return codecs.lookup(answer.charset_encoding or "utf-8").name
    except LookupError:
        return "utf-8"


def _strip_secrets(following: httpx2.Request, before: httpx2.Request, part: HttpPart) -> None:
    """A redirect to another origin does not get the headers meant for the first, one that drops the body not the body's type."""
    if "content-length" not in following.headers and "transfer-encoding" not in following.headers:
        following.headers.pop("content-type", None)
    if origin_of(str(following.url)) == origin_of(str(before.url)):
        return
    secret = {name.lower() for name, value in part.headers.items() if mentions_secret(value)} | SECRET_HEADERS
    for name in secret - {"cookie"}:  # the jar decides which cookies go where
        following.headers.pop(name, None)


def _ssl_context(tls: HttpTls, context: StepContext) -> ssl.SSLContext:
    """One context for all steps that judge certificates alike: each costs 2.7 MiB."""
    shared: dict[tuple[bool, str | None], ssl.SSLContext] = context.tools.setdefault("http_ssl", {})
    key = (tls.verify, None if tls.ca_file is None else str(_ca_file(tls.ca_file, context)))
    if key not in shared:
        made = httpx2.create_ssl_context(verify=tls.verify) if key[1] is None or not tls.verify else ssl.create_default_context(cafile=key[1])
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        shared[key] = made
    return shared[key]


def _ca_file(name: str, context: StepContext) -> Path:
    return context.folder / context.names.fill_text(name)


@functools.cache
def user_agent() -> str:
    """`Sojourn/<version> (+synthetic)`."""
    try:
        version = importlib.metadata.version("sojourn")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    return f"Sojourn/{version} (+synthetic)"
