"""Walks an `http` step: a request and its redirects, each hop an exchange with its own phases.

Proxies of the environment are not used: a probe measures the way it was told to.
"""

from dataclasses import replace
from typing import Final

import httpx2

from sojourn_probes.addresses import origin_of
from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.auth_run import SignIn
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.http import HttpPart
from sojourn_probes.steps.http_broken import BadLocation
from sojourn_probes.steps.http_connect import Connections
from sojourn_probes.steps.http_exchange import Answer, Exchanger
from sojourn_probes.steps.http_faults import CAUGHT, Circumstances, failure_of
from sojourn_probes.steps.http_request import REDIRECTS, first_request, following
from sojourn_probes.steps.phases import Phases

DEFAULT_REDIRECTS: Final = 10

_KEPT: Final = "http_connections"


class Runner:
    """Walks one `http` step. Cookies live as long as the attempt, connections as long as the step unless they are kept."""

    async def run(self, part: HttpPart, context: StepContext) -> Observation:
        """Send the request of `part`, follow its redirects and say what was seen."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        # What is seen so far must survive a cancelled run.
        context.kept["partial"] = seen
        kept = part.connections == "kept"
        connections = _kept(context) if kept else Connections()
        try:
            await self._walk(part, context, seen, connections)
        finally:
            seen.ended_ns = context.clock.now_ns()
            if not kept:
                await connections.aclose()
        context.kept.pop("partial", None)
        return seen

    async def _walk(self, part: HttpPart, context: StepContext, seen: Observation, connections: Connections) -> None:
        try:
            exchanger = Exchanger(part, context, seen, connections)
            request = await first_request(part, context)
        except (httpx2.InvalidURL, ValueError) as fault:
            seen.failure = Failure(FailureKind.CONFIG, context.redact.text(f"the request cannot be made: {fault}"))
            return
        exchanger.dialer.first_host = request.url.raw_host
        if part.all_addresses:
            await _EachAddress(part, context, seen, exchanger).walk(request)
        else:
            await _Hops(part, context, seen, exchanger).follow(request)


class _Hops:
    """One request under way, and where it is sent on to."""

    def __init__(self, part: HttpPart, context: StepContext, seen: Observation, exchanger: Exchanger) -> None:
        self.part, self.seen, self.exchanger = part, seen, exchanger
        self.sign_in = SignIn(part.auth, context, seen, part)
        self.clock = context.clock

    async def follow(self, request: httpx2.Request, phases: Phases | None = None) -> None:
        """The request, then its redirects as far as they are followed. `phases` may hold what the first hop already took."""
        allowed = DEFAULT_REDIRECTS if self.part.follow_redirects is None else self.part.follow_redirects
        origin = origin_of(str(request.url))
        hop = 0
        answer = await self._signed(request, phases)
        while answer is not None and answer.status in REDIRECTS and "location" in answer.headers and allowed:
            if hop >= allowed:
                self._fail(FailureKind.PROTOCOL, f"{self.exchanger.where(request)}: more than {allowed} redirects (follow_redirects)")
                return
            try:
                request = following(request, answer.status, answer.headers["location"], self.part)
            except BadLocation as fault:
                at = Circumstances(self.exchanger.where(request), self.exchanger.phases, answer.body, self.exchanger.limit, hop, False)
                failure = failure_of(fault, at)
                self._fail(failure.kind, failure.message)
                self.seen.exchanges[-1] = replace(self.seen.exchanges[-1], error=failure.kind)
                return
            if self.sign_in.signs_each and origin_of(str(request.url)) == origin and not await self.sign_in.sign(request):
                return
            hop += 1
            answer = await self.exchanger.once(request, hop)

    async def _signed(self, request: httpx2.Request, phases: Phases | None) -> Answer | None:
        """The first exchange, signed in; once more with a new token when one from before was refused."""
        before = self.clock.now_ns()
        if not await self.sign_in.sign(request):
            return None
        # Getting a token is no part of what customers wait for.
        self.exchanger.began += self.clock.now_ns() - before
        answer = await self.exchanger.once(request, phases=phases)
        if answer is None or answer.status != 401 or not self.sign_in.forget():
            return answer
        if not await self.sign_in.sign(request):
            return None
        self.exchanger.totals.clear()
        self.exchanger.began = self.clock.now_ns()
        return await self.exchanger.once(request)

    def _fail(self, kind: FailureKind, message: str) -> None:
        self.seen.failure = Failure(kind, self.exchanger.context.redact.text(message))


class _EachAddress:
    """The same request to each address its host has."""

    def __init__(self, part: HttpPart, context: StepContext, seen: Observation, exchanger: Exchanger) -> None:
        self.part, self.context, self.seen, self.exchanger = part, context, seen, exchanger

    async def walk(self, request: httpx2.Request) -> None:
        """Ask them one after the other. All are asked, whatever the first ones say; the first failure is the step's."""
        phases: Phases | None = Phases(self.context.clock)
        assert phases is not None
        try:
            addresses = await self.exchanger.dialer.addresses(request.url, phases)
        except CAUGHT as fault:
            self.exchanger.dialer.fault = fault
            await self.exchanger.once(request, phases=phases)
            return
        failures: list[Failure] = []
        for address in addresses:
            await self._one(httpx2.Request(request.method, request.url, headers=request.headers.raw, content=request.content or None), address, phases)
            phases = None  # looked up once
            if self.seen.failure is not None:
                failures.append(self.seen.failure)
            else:
                self.seen.answers.append((address, dict(self.seen.facts)))
            self.seen.failure = None
        if failures:
            self.seen.failure = failures[0] if len(failures) == 1 else replace(failures[0], message=f"{failures[0].message} (and {len(failures) - 1} more)")

    async def _one(self, request: httpx2.Request, address: str, phases: Phases | None) -> None:
        connections = Connections()
        exchanger = Exchanger(self.part, self.context, self.seen, connections)
        exchanger.dialer.first_host, exchanger.dialer.address = request.url.raw_host, address
        try:
            await _Hops(self.part, self.context, self.seen, exchanger).follow(request, phases)
        finally:
            await connections.aclose()


def _kept(context: StepContext) -> Connections:
    connections = context.kept.get(_KEPT)
    if not isinstance(connections, Connections):
        connections = context.kept[_KEPT] = Connections()
        context.stack.push_async_callback(connections.aclose)
    return connections
