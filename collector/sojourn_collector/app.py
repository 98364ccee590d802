"""Runs a collector in one event loop: its listeners, its web pages and API, and what it does by itself, until it is told to end.

OTLP is taken as soon as journal and control database are open; the engine may come later or go away for a while, nothing accepted is lost by it.
"""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from sojourn_collector.assembly import build
from sojourn_collector.background import carry_on, work
from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.connections import room_for
from sojourn_collector.folder_lock import StartError
from sojourn_collector.forward.forwarding import is_self
from sojourn_collector.listener_tls import ServerTls, TlsFilesError
from sojourn_collector.listeners import BODY_DEADLINE, QuietServer, take, url_of
from sojourn_collector.receive.app import OtlpApp
from sojourn_collector.receive.evidence import EvidenceApp
from sojourn_collector.receive.intake import Intake
from sojourn_collector.running import Collector
from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.sources.intake import build_routes
from sojourn_collector.sources.records import EventReading
from sojourn_collector.sources.segment_door import build_segment
from sojourn_collector.sources.webhook_intake import build_webhooks
from sojourn_collector.store.backup import Backup
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.letters import Letters
from sojourn_collector.web.add_data import build_add_data
from sojourn_collector.web.admin import build_admin
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.api import build_api
from sojourn_collector.web.api_docs import build_docs
from sojourn_collector.web.erasures import build_erasures
from sojourn_collector.web.evidence import build_evidence
from sojourn_collector.web.exports import build_exports
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.feeds import build_feeds
from sojourn_collector.web.guard import Guard
from sojourn_collector.web.health import Health, build_health
from sojourn_collector.web.imports import build_imports
from sojourn_collector.web.lists import build_lists
from sojourn_collector.web.marks import build_marks
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages, mount_static, not_found
from sojourn_collector.web.render import Pages
from sojourn_collector.web.replay import build_replay
from sojourn_collector.web.shares import build_shares
from sojourn_collector.web.verdicts import build_verdicts

log = logging.getLogger("sojourn.collector")

RUNTIME_FILE = "control.json"
RENEW_EVERY = 10.0
"""Seconds between looks at the files of certificates."""


def build_web(collector: Collector) -> Guard:
    """Report, API, sources and health behind the guard."""
    pages = Pages(collector.impact, collector.context.clock)
    app = FastAPI(title="Sojourn", version=version("sojourn"), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.include_router(build_health(Health(collector.report, collector.metrics)))
    app.include_router(build_webhooks(collector.context, collector.counters))
    app.include_router(build_routes(collector.context, signed=collector.context.signed))
    app.include_router(build_segment(collector.context, collector.counters, collector.config.web.origins))
    importing = ImportDoor(collector.control, collector.token)
    app.include_router(build_imports(collector.context, importing))
    app.include_router(build_add_data(collector.context, importing))
    # Before the journeys and problems themselves, whose paths would swallow what belongs to one.
    app.include_router(build_verdicts(collector.context))
    app.include_router(build_measures(collector.context))
    app.include_router(build_feedback(collector.context))
    app.include_router(build_feeds(collector.context))
    app.include_router(build_api(collector.context))
    app.include_router(build_lists(collector.context))
    letters = Letters(collector.control, collector.config.data / "dead-letters", collector.journal, collector.context.clock, node=collector.node)
    admin = AdminDoor(collector.control.keys, collector.token)
    app.include_router(build_admin(letters, admin))
    app.include_router(build_marks(collector.context, importing, admin))
    app.include_router(build_replay(collector.control, EventReading(collector.context.webhooks), admin))
    app.include_router(build_shares(collector.context, admin))
    app.include_router(build_erasures(collector.eraser, collector.control, admin))
    assert collector.context.evidence_links is not None
    app.include_router(build_evidence(collector.evidence, collector.context.evidence_links))
    backup = Backup(collector.config.data, collector.store, collector.control, collector.journal, collector.loader, collector.turns)
    app.include_router(build_exports(collector.context, collector.eraser, backup, admin))
    app.include_router(build_docs(app))
    app.include_router(build_pages(collector.context))
    mount_static(app)

    @app.exception_handler(ControlUnavailableError)
    def unavailable(request: Request, error: ControlUnavailableError) -> Response:
        return JSONResponse({"error": str(error)}, 503, {"retry-after": "2"})

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404 and not request.url.path.startswith("/api/"):
            return not_found(pages)
        said = f"There is nothing at {request.url.path[:80]}; see /api/docs." if error.status_code == 404 else str(error.detail)
        return JSONResponse({"error": said}, error.status_code, error.headers)

    web = collector.config.web
    return Guard(app, frozenset(name.lower() for name in web.hosts), collector.control.keys, needs_key=web.needs_key, token=collector.token)


async def serve(config: CollectorConfig, impact: ImpactConfig, environ: Mapping[str, str]) -> None:
    """Run until SIGTERM or SIGINT. Raises StartError, ListenError, ConfigError, EngineStartError when it cannot start."""
    try:
        tls = {key: None if one.tls is None else ServerTls(one.tls, f"{key}.tls") for key, one in (("otlp", config.otlp), ("web", config.web))}
    except TlsFilesError as error:
        raise StartError(str(error)) from error
    otlp_socket, web_socket = take(config.otlp.listen, "otlp.listen"), None
    try:
        web_socket = take(config.web.listen, "web.listen")
        listeners = [one.getsockname()[:2] for one in (otlp_socket, web_socket)]
        for one in config.forward:
            if is_self(one.endpoint, listeners):
                raise StartError(f"forward: {one.name}: {one.endpoint} is this collector itself; give endpoint the address of another backend")
        async with build(config, impact, environ) as collector:
            await _run(collector, otlp_socket, web_socket, tls)
    finally:
        for taken in (otlp_socket, web_socket):
            if taken is not None:
                taken.close()


async def _run(collector: Collector, otlp_socket: socket.socket, web_socket: socket.socket, tls: Mapping[str, ServerTls | None]) -> None:
    config = collector.config
    intake = Intake(collector.journal, collector.batches, collector.control.keys, config.limits, collector.counters, own=collector.journal.id)
    otlp = OtlpApp(intake, needs_key=config.otlp.needs_key)
    evidence = EvidenceApp(otlp, intake, collector.evidence, config.evidence.largest, needs_key=config.otlp.needs_key)
    room, body_deadline = room_for(config.limits.connections), max(BODY_DEADLINE, config.limits.body_deadline + 10)
    servers = [
        (QuietServer(evidence, tls["otlp"], connections=room, body_deadline=body_deadline), otlp_socket),
        (QuietServer(build_web(collector), tls["web"], connections=room), web_socket),
    ]
    by_grpc = None
    if config.otlp.grpc_address is not None:
        # Loaded only where it is wanted: it takes 20 MiB.
        from sojourn_collector.receive.otlp_grpc import OtlpGrpc

        by_grpc = OtlpGrpc(intake, needs_key=config.otlp.grpc_needs_key, tls=tls["otlp"], connections=room)
        await by_grpc.start(*config.otlp.grpc_address)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runtime = config.data / RUNTIME_FILE
    tasks = [asyncio.create_task(server.serve(sockets=[taken]), name="listener") for server, taken in servers]
    working = asyncio.create_task(work(collector), name="work")
    # It needs no engine: what is accepted goes out also while there is none.
    forwarding = asyncio.create_task(carry_on(collector, "forward", collector.forwarding.run), name="forward")
    beside = [working]
    if several := collector.several:
        beside.append(asyncio.create_task(several.beat(collector.journal, collector.loader), name="heartbeat"))
        beside.append(asyncio.create_task(several.claiming.run(), name="claims"))
    renewing = asyncio.create_task(_renew([one for one in tls.values() if one is not None]), name="certificates")
    try:
        listening = {"web": web_socket.getsockname()[:2], "otlp": otlp_socket.getsockname()[:2]}
        if by_grpc is not None:
            listening["otlp_grpc"] = by_grpc.address
        addresses = {way: url_of(*address, tls=tls[way.partition("_")[0]] is not None) for way, address in listening.items()}
        await asyncio.to_thread(_write_runtime, runtime, {**addresses, "token": collector.token, "pid": os.getpid()})
        ways = " and ".join(addresses[way] for way in ("otlp", "otlp_grpc") if way in addresses)
        log.info("collector %s: report at %s, OTLP at %s", version("sojourn"), addresses["web"], ways)
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([stopping, *beside, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in done - {stopping}:
            task.result()  # raises what ended it
    finally:
        log.info("collector stops")
        for server, _ in servers:
            server.should_exit = True
        if by_grpc is not None:
            await by_grpc.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in (*beside, renewing, forwarding):
            task.cancel()
        await asyncio.gather(*beside, renewing, forwarding, return_exceptions=True)
        runtime.unlink(missing_ok=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _renew(listeners: Sequence[ServerTls]) -> None:
    """Take up renewed certificates."""
    while True:
        await asyncio.sleep(RENEW_EVERY)
        for one in listeners:
            try:
                if await asyncio.to_thread(one.renew):
                    log.info("the certificate %s was renewed", one.settings.cert_file)
            except TlsFilesError as error:
                log.warning("%s; the old one is used on", error)


def _write_runtime(path: Path, content: dict[str, Any]) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(content, out)
