"""The public listener: `/rum.js`, and `POST /v1/beacons`, which answers 204 once a beacon is on disk.

Everything about a request is hostile until shown otherwise: its size and pace are bounded before it is parsed, its origin is
checked against the list, its texts are cut and scrubbed. The order of the bounds is the order of their cost.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sojourn_agent.rum.beacon import MAX_BYTES, Beacon, BeaconError, BeaconReader
from sojourn_agent.rum.bots import is_bot
from sojourn_agent.rum.config import AppConfig, RumConfig
from sojourn_agent.rum.countries import Countries
from sojourn_agent.rum.counts import IntakeCounts
from sojourn_agent.rum.gather import Gatherer, Parcel
from sojourn_agent.rum.limits import ClientAddress, TokenBuckets
from sojourn_agent.rum.origins import Origins, all_origins, origin_of
from sojourn_agent.rum.otlp import Encoded, encode
from sojourn_agent.rum.seen import Seen, name_of
from sojourn_agent.spool import Signal, SpoolUnavailable, SpoolWriter
from sojourn_probes.marks import Mark, verify_mark
from sojourn_probes.semconv import Consent

BODY_SECONDS: Final = 5.0
"""How long a body may take to arrive."""
RETRY_SECONDS: Final = 5
_SNIPPET: Final = Path(__file__).with_name("rum.js")
_HEADERS_ALLOWED: Final = "content-type, content-encoding, accept, authorization, traceparent, tracestate, baggage, x-api-key, idempotency-key"
_HEADERS_EXPOSED: Final = "retry-after"

log = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A request answered with `status` and one sentence; `counter` is the field of `IntakeCounts` it goes under."""

    def __init__(self, status: int, counter: str, sentence: str) -> None:
        self.status, self.counter = status, counter
        super().__init__(sentence)


class Intake:
    """Takes beacons. `clock` gives seconds since the epoch; `probe_keys` maps key ids to secrets."""

    def __init__(self, config: RumConfig, spool: SpoolWriter, probe_keys: Mapping[str, bytes], clock: Callable[[], float], body_seconds: float) -> None:
        self.counts = IntakeCounts()
        self.gatherer = Gatherer(spool)
        self._apps: dict[str, tuple[AppConfig, Origins]] = {name: (app, Origins(app.origins)) for name, app in config.apps.items()}
        self._any_origin = all_origins(config.apps)
        self._probe_keys, self._clock, self._body_seconds = probe_keys, clock, body_seconds
        self._reader, self._seen = BeaconReader(), Seen()
        self._per_client, self._per_app = TokenBuckets(config.per_ip, clock), TokenBuckets(config.per_app, clock)
        self._address = ClientAddress(config.proxies)
        self._countries, self._country_header = Countries.read(), config.country_header

    async def beacons(self, request: Request) -> Response:
        """`POST` and `OPTIONS /v1/beacons`."""
        origin = origin_of(request.headers.get("origin"), request.headers.get("referer"))
        allowed = origin is not None and self._any_origin.allow(origin)
        headers = _cors(origin) if allowed else {"vary": "Origin"}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        try:
            await self._take(request, origin, allowed)
        except Refusal as refusal:
            setattr(self.counts, refusal.counter, getattr(self.counts, refusal.counter) + 1)
            return _refused(refusal, headers)
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(status_code=204, headers=headers)

    async def _take(self, request: Request, origin: str | None, allowed: bool) -> None:
        if not allowed:
            raise Refusal(403, "refused_origin", _unlisted(origin))
        peer = request.client.host if request.client is not None else ""
        if not self._per_client.take(self._address.of(peer, request.headers.get("x-forwarded-for"))):
            raise Refusal(429, "refused_rate", f"too many beacons from this address; try again in {RETRY_SECONDS} s")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "refused_malformed", "the body is encoded; send it as it is")
        body = await self._body(request)
        try:
            beacon, dropped = self._reader.read(body)
        except BeaconError as fault:
            raise Refusal(400, "refused_malformed", f"{fault}") from None
        app = self._app_of(beacon, origin)
        await self._keep(beacon, app, dropped, request)

    async def _body(self, request: Request) -> bytes:
        told = request.headers.get("content-length", "0")
        too_large = Refusal(413, "refused_size", f"a beacon may have {MAX_BYTES} bytes; send fewer items at once")
        if told.isdigit() and int(told[:12]) > MAX_BYTES:
            raise too_large
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise too_large
                    chunks.append(chunk)
        except TimeoutError:
            raise Refusal(408, "refused_slow", f"the body did not arrive within {self._body_seconds:g} s") from None
        return b"".join(chunks)

    def _app_of(self, beacon: Beacon, origin: str | None) -> AppConfig:
        known = self._apps.get(beacon.app)
        if known is None:
            raise Refusal(403, "refused_origin", f"app {beacon.app!r} is not known here; add it under rum: apps: in agent.yaml")
        app, origins = known
        if origin is None or not origins.allow(origin):
            raise Refusal(403, "refused_origin", _unlisted(origin, beacon.app))
        if not self._per_app.take(beacon.app):
            raise Refusal(429, "refused_rate", f"too many beacons of app {beacon.app!r}; try again in {RETRY_SECONDS} s")
        return app

    async def _keep(self, beacon: Beacon, app: AppConfig, dropped: int, request: Request) -> None:
        now = self._clock()
        mark = self._mark_of(beacon, now)
        if mark is None and app.bots == "drop" and is_bot(request.headers.get("user-agent", ""), beacon.device.webdriver):
            self.counts.bots += 1
            return
        name = name_of(beacon.app, beacon.session.id, beacon.id)
        if name in self._seen:
            self.counts.repeated += 1
            await self._again(name)
            return
        consent = self._consent_of(beacon, app, request)
        encoded = encode(beacon, int(now * 1e9), consent, mark, unverified=mark is None and beacon.probe is not None, country=self._country_of(beacon, request))
        bodies: dict[Signal, bytes] = {signal: body for signal, body in (("traces", encoded.traces), ("logs", encoded.logs)) if body}  # type: ignore[misc]  # mypy widens the literals
        parcel = Parcel(bodies)
        self._seen.add(name, parcel)
        await self._store(name, parcel)
        self._count(encoded, dropped, mark)

    async def _again(self, name: bytes) -> None:
        """A beacon that came before: wait for the first if it is on its way, store what a failed try left."""
        parcel = self._seen.parcel(name)
        if parcel is None:
            return
        if parcel.stored is not None and not parcel.stored.done():
            await _or_refuse(asyncio.shield(parcel.stored))
        else:
            await self._store(name, parcel)

    async def _store(self, name: bytes, parcel: Parcel) -> None:
        whole = len(parcel.bodies)
        try:
            await _or_refuse(self.gatherer.store(parcel))
        except Refusal:
            if len(parcel.bodies) == whole:
                self._seen.forget(name)
            raise
        self._seen.stored(name)

    def _mark_of(self, beacon: Beacon, now: float) -> Mark | None:
        if beacon.probe is None:
            return None
        mark = verify_mark(beacon.probe, self._probe_keys, now)
        self.counts.invalid_marks += mark is None
        return mark

    def _consent_of(self, beacon: Beacon, app: AppConfig, request: Request) -> str:
        consent: str = beacon.consent
        if app.gpc == "anonymise" and request.headers.get("sec-gpc") == "1":
            consent = Consent.DENIED
        if consent != Consent.GRANTED and (beacon.user or beacon.visitor or beacon.account):
            self.counts.ids_withheld += 1
        return consent

    def _country_of(self, beacon: Beacon, request: Request) -> str:
        told = ""
        if self._country_header and request.client is not None and self._address.is_proxy(request.client.host):
            told = self._countries.told(request.headers.getlist(self._country_header))
        return told or self._countries.of_zone(beacon.device.zone)

    def _count(self, encoded: Encoded, dropped: int, mark: Mark | None) -> None:
        counts = self.counts
        counts.accepted += 1
        counts.synthetic += mark is not None
        counts.items += encoded.items
        counts.items_dropped += dropped + encoded.dropped
        counts.texts_cut += encoded.cut
        counts.times_clamped += encoded.clamped
        counts.clocks_corrected += encoded.corrected


async def _or_refuse(storing: Awaitable[None]) -> None:
    try:
        await storing
    except SpoolUnavailable as fault:
        log.warning("a beacon was refused: %s", fault)
        raise Refusal(503, "refused_spool", f"beacons cannot be kept right now; try again in {RETRY_SECONDS} s") from None


def _cors(origin: str | None) -> dict[str, str]:
    return {
        "access-control-allow-origin": origin or "",
        "access-control-allow-credentials": "true",  # `sendBeacon` always sends with credentials; we set and read none
        "access-control-allow-methods": "POST, GET, OPTIONS",
        "access-control-allow-headers": _HEADERS_ALLOWED,
        "access-control-expose-headers": _HEADERS_EXPOSED,
        "access-control-max-age": "7200",
        "vary": "Origin",
    }


def _unlisted(origin: str | None, app: str | None = None) -> str:
    if origin is None:
        return "the request names no Origin; beacons are taken from listed pages only"
    whose = "any app" if app is None else f"app {app!r}"
    return f"origin {origin!r} is not listed for {whose}; add it under rum: apps: origins: in agent.yaml"


def _refused(refusal: Refusal, headers: Mapping[str, str]) -> Response:
    answer = {**headers, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    if refusal.status in (429, 503):
        answer["retry-after"] = str(RETRY_SECONDS)
    if refusal.status in (408, 413):
        answer["connection"] = "close"  # the rest of the body is not going to be read
    return Response(json.dumps({"error": str(refusal)}), refusal.status, answer, media_type="application/json")


def _snippet(script: bytes) -> Callable[[Request], Awaitable[Response]]:
    headers = {
        "content-type": "text/javascript; charset=utf-8",
        "etag": f'"{hashlib.sha256(script).hexdigest()[:16]}"',
        "cache-control": "public, max-age=3600",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
    }

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(script, headers=headers)

    return serve


async def _nothing_here(request: Request, fault: Exception) -> Response:
    return Response('{"error": "nothing here; beacons go to POST /v1/beacons, the snippet is /rum.js"}', 404, media_type="application/json")


async def _wrong_method(request: Request, fault: Exception) -> Response:
    return Response('{"error": "this method is not for this path; beacons go to POST /v1/beacons"}', 405, {"allow": "POST, OPTIONS"}, "application/json")


def build_app(
    config: RumConfig,
    spool: SpoolWriter,
    probe_keys: Mapping[str, bytes],
    clock: Callable[[], float] = time.time,
    body_seconds: float = BODY_SECONDS,
) -> Starlette:
    """The intake as an ASGI app; its counters are at `app.state.counts`.

    `spool` takes the batches; `probe_keys` maps probe key ids to secrets; `clock` gives seconds since the epoch; a body may take
    `body_seconds` to arrive. At shutdown what waits is stored.
    """
    intake = Intake(config, spool, probe_keys, clock, body_seconds)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await intake.gatherer.close()

    routes = [
        Route("/v1/beacons", intake.beacons, methods=["POST", "OPTIONS"]),
        Route("/rum.js", _snippet(_SNIPPET.read_bytes()), methods=["GET"]),
    ]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={404: _nothing_here, 405: _wrong_method})
    app.state.counts = intake.counts
    return app
