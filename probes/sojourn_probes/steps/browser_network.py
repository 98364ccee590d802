"""A record of what a page asks for: exchanges for telemetry, those that matter; all of it, within bounds, for a HAR."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sojourn_probes.ids import new_span_id
from sojourn_probes.result import Exchange
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_faults import kind_of_code
from sojourn_probes.steps.browser_gate import Gate

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

MAX_EXCHANGES: Final = 60
"""Exchanges kept of one step: first those that failed, then the slowest of those that matter."""
SLOWEST_OTHERS: Final = 10
"""Of pictures, styles, scripts and other people's requests only so many are kept, the slowest."""
MAX_RECORDS: Final = 1000
"""Requests remembered of one step, for the HAR."""
_KEPT_TYPES: Final = frozenset({"Document", "XHR", "Fetch"})
_MAX_OPEN: Final = 2000
_BODY_WAIT: Final = 0.5
"""Seconds that the end of a step waits for bodies whose answer has begun."""


@dataclass(slots=True)
class Record:
    """One request that is over: DevTools' events about it, when it ended and how."""

    request: dict[str, Any]
    response: dict[str, Any] | None
    ended: float
    size: int | None
    error: FailureKind | None
    code: str
    matters: bool
    exchange: Exchange | None = None

    @property
    def failed(self) -> bool:
        """Whether it failed in a way a customer may notice."""
        return self.error is not None or int((self.response or {}).get("status") or 0) >= 500

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(0.0, float(self.ended - self.request["timestamp"]))


class Network:
    """Watches the pages of one attempt. `begin` sets the step that requests belong to from then on."""

    def __init__(self, context: StepContext, gate: Gate) -> None:
        self.context, self.gate = context, gate
        self.exchanges: list[Exchange] = []
        self.records: list[Record] = []
        self.requests = 0
        self._open: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = asyncio.Event()

    def begin(self, context: StepContext, exchanges: list[Exchange]) -> None:
        """From now on requests belong to this step."""
        self.context = self.gate.context = context
        self.exchanges, self.records, self.requests = exchanges, [], 0

    async def attach(self, cdp: "CDPSession") -> None:
        """Watch the page behind `cdp`."""
        cdp.on("Network.requestWillBeSent", lambda event: self._will_be_sent(event))
        cdp.on("Network.responseReceived", lambda event: self._received(event))
        cdp.on("Network.loadingFinished", lambda event: self._finished(event))
        cdp.on("Network.loadingFailed", lambda event: self._failed(event))
        await asyncio.gather(cdp.send("Network.enable"), self.gate.attach(cdp, self.spawn))

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
        self.exchanges[:] = self._chosen()

    def dropped(self) -> str:
        """What is not kept although it matters, in a sentence; empty when nothing is missing."""
        missing = sum(record.matters or record.failed for record in self.records) + max(0, self.requests - len(self.records))
        missing -= sum(record.matters or record.failed for record in self.records if record.exchange in self.exchanges)
        return f"{missing} of {self.requests} requests are not kept: the step made more than {MAX_EXCHANGES} that matter" if missing > 0 else ""

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
            if exchange.error not in (None, FailureKind.STATUS) or (exchange.status or 0) >= 500:
                said = f"answered {exchange.status}" if exchange.status else f"failed ({exchange.error})"
                if self.gate.is_own(exchange.url):
                    return f"{exchange.method} {urlsplit(exchange.url).path} {said}"
        return ""

    def document(self, url: str) -> dict[str, Any] | None:
        """Status and headers of the answer that `url`, the page on show, came with; None when it came before this step."""
        for record in reversed(self.records):
            if record.request.get("type") == "Document" and record.response and record.response["url"] == url.partition("#")[0]:
                headers = {name.lower(): value for name, value in record.response["headers"].items()}
                return {"status": int(record.response["status"]), "headers": headers, "url": url}
        return None

    def answered(self, url: str) -> int | None:
        """The status of the newest answer to `url` in this step, its body come or not; None when there is none."""
        url = url.partition("#")[0]
        answers = [request["response"] for request in self._open.values() if "response" in request]
        answers += [record.response for record in reversed(self.records) if record.response]
        return next((int(answer["status"]) for answer in answers if answer["url"] == url), None)

    def lost(self) -> Record | None:
        """The newest page of this step that did not come at all."""
        return next((record for record in reversed(self.records) if record.code and record.request.get("type") == "Document"), None)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the step."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
        if request is None or event["requestId"] in self.gate.blocked:
            return
        if event.get("canceled"):
            # A page that does not read an answer's body cancels it, and was answered all the same.
            if "response" in request:
                self._note(request, request["response"], event["timestamp"])
            return
        code = event.get("errorText", "").removeprefix("net::")
        self._note(request, request.get("response"), event["timestamp"], error=kind_of_code(code), code=code)

    def _matters(self, request: dict[str, Any]) -> bool:
        return request.get("type") in _KEPT_TYPES and self.gate.is_own(request["request"]["url"])

    def _note(
        self,
        request: dict[str, Any],
        response: dict[str, Any] | None,
        ended: float,
        size: int | None = None,
        error: FailureKind | None = None,
        code: str = "",
    ) -> None:
        self.requests += 1
        record = Record(request, response, ended, size, error, code, self._matters(request))
        if len(self.records) < MAX_RECORDS:
            self.records.append(record)
        elif record.failed:
            self.records[-1] = record
        else:
            return
        # Told at once, so that a step that is cut off has what it saw; what is kept in the end is chosen then.
        if (record.matters or record.failed) and len(self.exchanges) < MAX_EXCHANGES:
            self.exchanges.append(self._exchange(record))

    def _chosen(self) -> list[Exchange]:
        worth = sorted((record for record in self.records if record.matters or record.failed), key=lambda record: (not record.failed, -record.seconds))
        others = sorted((record for record in self.records if not record.matters and not record.failed), key=lambda record: -record.seconds)
        kept = [*worth[:MAX_EXCHANGES], *others[: max(0, min(SLOWEST_OTHERS, MAX_EXCHANGES - len(worth)))]]
        return sorted((self._exchange(record) for record in kept), key=lambda exchange: exchange.started_ns)

    def _exchange(self, record: Record) -> Exchange:
        if record.exchange is None:
            record.exchange = self._made(record)
        return record.exchange

    def _made(self, record: Record) -> Exchange:
        request, response = record.request, record.response or {}
        asked = request["request"]
        started, address = int(request["wallTime"] * 1e9), urlsplit(asked["url"])
        # The span of a first hop; a redirect's later hops carry the same header and are told apart by their number.
        span = self.gate.sent.get(request["requestId"]) if not request.get("hop") else None
        return Exchange(
            span_id=span or new_span_id(),
            method=asked["method"],
            url=self.context.redact.url(asked["url"]),
            started_ns=started,
            ended_ns=started + int(record.seconds * 1e9),
            status=response.get("status"),
            error=record.error,
            hop=request.get("hop", 0),
            phases=phases(record.response, record.ended),
            server_address=address.hostname or "",
            server_port=address.port or {"http": 80, "https": 443}.get(address.scheme, 0),
            peer_address=str(response.get("remoteIPAddress", "")).strip("[]"),
            peer_port=response.get("remotePort", 0),
            protocol_version={"http/1.1": "1.1", "http/1.0": "1.0", "h2": "2", "h3": "3"}.get(response.get("protocol", ""), ""),
            body_size=record.size,
        )


def phases(response: dict[str, Any] | None, ended: float) -> dict[str, float]:
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
