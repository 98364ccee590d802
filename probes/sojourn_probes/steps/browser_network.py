"""What a page asks for: `traceparent` and the probe mark on requests to the journey's own origins, and a record of what matters.

Done over the DevTools protocol and not by Playwright's `route`, because headers set by `route` go along on a redirect to
somebody else's origin: here every hop is looked at anew.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sojourn_probes.ids import new_span_id
from sojourn_probes.result import Exchange
from sojourn_probes.semconv import PROBE_HEADER, FailureKind
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_faults import kind_of_code

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

MAX_EXCHANGES: Final = 60
"""Exchanges kept of one step; a failed one may still push out the last that went well."""
_KEPT_TYPES: Final = frozenset({"Document", "XHR", "Fetch"})
_MAX_OPEN: Final = 2000
_BODY_WAIT: Final = 0.5
"""Seconds that the end of a step waits for bodies whose answer has begun."""


class Network:
    """Watches one page. `begin` sets the step whose trace and list things go to."""

    def __init__(self, context: StepContext) -> None:
        self.context = context
        self.exchanges: list[Exchange] = []
        self._open: dict[str, dict[str, Any]] = {}
        self._sent: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    def begin(self, context: StepContext, exchanges: list[Exchange]) -> None:
        """From now on requests belong to this step."""
        self.context, self.exchanges = context, exchanges

    async def attach(self, cdp: "CDPSession") -> None:
        """Watch the page behind `cdp`."""
        cdp.on("Fetch.requestPaused", lambda event: self.spawn(self._let_go(cdp, event)))
        cdp.on("Network.requestWillBeSent", self._will_be_sent)
        cdp.on("Network.responseReceived", self._received)
        cdp.on("Network.loadingFinished", self._finished)
        cdp.on("Network.loadingFailed", self._failed)
        await cdp.send("Network.enable")
        await cdp.send("Fetch.enable", {"patterns": [{"urlPattern": "http*", "requestStage": "Request"}]})

    async def finish_step(self) -> None:
        """Let the answers that have begun end, for a page shows what it needs from an answer before the browser reports its end.

        What still streams after half a second is recorded as far as it came, so that every step pays for it only once.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BODY_WAIT):
                while self._begun():
                    self._closed.clear()
                    await self._closed.wait()
        for ident in self._begun():
            request = self._open.pop(ident)
            self._note(request, request["response"], request["answered"])

    def _begun(self) -> list[str]:
        """Requests worth keeping that have an answer and not yet its end."""
        return [ident for ident, request in self._open.items() if "response" in request and self._matters(request)]

    async def settle(self) -> None:
        """Let what is under way finish; for the end."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    def trouble(self) -> str:
        """The newest request to an own origin that failed, in words, or nothing."""
        for exchange in reversed(self.exchanges):
            if exchange.error is not None or (exchange.status or 0) >= 500:
                said = f"answered {exchange.status}" if exchange.status else f"failed ({exchange.error})"
                if self._is_own(exchange.url):
                    return f"{exchange.method} {urlsplit(exchange.url).path} {said}"
        return ""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the step."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_go(self, cdp: "CDPSession", event: dict[str, Any]) -> None:
        from playwright.async_api import Error

        request = event["request"]
        headers = {name: value for name, value in request["headers"].items() if name.lower() != PROBE_HEADER}
        own = self._is_own(request["url"])
        if own:
            names = {name.lower() for name in headers}
            if "traceparent" not in names:
                span = new_span_id()
                headers["traceparent"] = f"00-{self.context.trace_id}-{span}-01"
                self._remember(event.get("networkId", ""), span)
            if self.context.mark is not None:
                headers[PROBE_HEADER] = self.context.mark
        elif self._sent.get(event.get("networkId", "")):
            # A hop of ours that leads to somebody else: our trace is none of their business.
            headers = {name: value for name, value in headers.items() if name.lower() != "traceparent"}
        # The page may be gone by now, which is nobody's fault.
        with contextlib.suppress(Error):
            await cdp.send("Fetch.continueRequest", {"requestId": event["requestId"], "headers": [{"name": k, "value": v} for k, v in headers.items()]})

    def _remember(self, network_id: str, span: str) -> None:
        if len(self._sent) > _MAX_OPEN:
            self._sent.clear()
        self._sent[network_id] = span

    def _is_own(self, url: str) -> bool:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" in self.context.own_origins

    def _will_be_sent(self, event: dict[str, Any]) -> None:
        ident = event["requestId"]
        before = self._open.pop(ident, None)
        if before is not None and "redirectResponse" in event:
            self._note(before, event["redirectResponse"], event["timestamp"])
            event["hop"] = before.get("hop", 0) + 1
        if len(self._open) < _MAX_OPEN and event["request"]["url"].startswith("http"):
            self._open[ident] = event

    def _received(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._open:
            self._open[event["requestId"]] |= {"response": event["response"], "answered": event["timestamp"]}

    def _finished(self, event: dict[str, Any]) -> None:
        request = self._open.pop(event["requestId"], None)
        self._closed.set()
        if request is not None:
            self._note(request, request.get("response"), event["timestamp"], int(event.get("encodedDataLength") or 0))

    def _failed(self, event: dict[str, Any]) -> None:
        request = self._open.pop(event["requestId"], None)
        self._closed.set()
        if request is None or event.get("canceled"):
            return
        self._note(request, request.get("response"), event["timestamp"], error=kind_of_code(event.get("errorText", "").removeprefix("net::")))

    def _matters(self, request: dict[str, Any]) -> bool:
        return request.get("type") in _KEPT_TYPES and self._is_own(request["request"]["url"])

    def _note(self, request: dict[str, Any], response: dict[str, Any] | None, ended: float, size: int | None = None, error: FailureKind | None = None) -> None:
        status = None if response is None else response.get("status")
        failed = error is not None or (status or 0) >= 500
        asked = request["request"]
        if not failed and not self._matters(request):
            return
        if len(self.exchanges) >= MAX_EXCHANGES:
            if not failed:
                return
            self.exchanges.pop()
        started = int(request["wallTime"] * 1e9)
        address = urlsplit(asked["url"])
        # The span of a first hop; a redirect's later hops carry the same header and are told apart by their number.
        span = self._sent.get(request["requestId"]) if not request.get("hop") else None
        self.exchanges.append(
            Exchange(
                span_id=span or new_span_id(),
                method=asked["method"],
                url=self.context.redact.url(asked["url"]),
                started_ns=started,
                ended_ns=started + max(0, int((ended - request["timestamp"]) * 1e9)),
                status=status,
                error=error,
                hop=request.get("hop", 0),
                phases=_phases(response, ended),
                server_address=address.hostname or "",
                server_port=address.port or {"http": 80, "https": 443}.get(address.scheme, 0),
                peer_address=str((response or {}).get("remoteIPAddress", "")).strip("[]"),
                peer_port=(response or {}).get("remotePort", 0),
                protocol_version={"http/1.1": "1.1", "http/1.0": "1.0", "h2": "2", "h3": "3"}.get((response or {}).get("protocol", ""), ""),
                body_size=size,
            )
        )


def _phases(response: dict[str, Any] | None, ended: float) -> dict[str, float]:
    """Seconds by phase from DevTools' ResourceTiming: milliseconds after `requestTime`, -1 for what did not happen."""
    timing = (response or {}).get("timing")
    if not timing:
        return {}
    connect_end = timing["sslStart"] if timing["sslStart"] >= 0 else timing["connectEnd"]
    spans = {
        "resolve": (timing["dnsStart"], timing["dnsEnd"]),
        "connect": (timing["connectStart"], connect_end),
        "tls": (timing["sslStart"], timing["sslEnd"]),
        "send": (timing["sendStart"], timing["sendEnd"]),
        "wait": (timing["sendEnd"], timing["receiveHeadersEnd"]),
        "receive": (timing["receiveHeadersEnd"], (ended - timing["requestTime"]) * 1000),
    }
    return {name: max(0.0, (end - start) / 1000) for name, (start, end) in spans.items() if start >= 0 and end >= 0}
