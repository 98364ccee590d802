"""Builds the collector's parts and runs them in one event loop: OTLP listener, loader, join, web, and the engine as a child.

OTLP is taken as soon as journal and control database are open; the engine may come later or go away for a while, nothing accepted is lost by it.
"""

import asyncio
import contextlib
import fcntl
import itertools
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.connections import room_for
from sojourn_collector.context import Context, now
from sojourn_collector.counters import Counters
from sojourn_collector.engines import engine_of
from sojourn_collector.exposition import Sample, render
from sojourn_collector.forward.forwarding import ForwardError, Forwarding, is_self
from sojourn_collector.forward.place import ForwardPlace
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.ranges import AllNodes
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.join.worker import JoinWorker
from sojourn_collector.listener_tls import ServerTls, TlsFilesError
from sojourn_collector.listeners import BODY_DEADLINE, QuietServer, take, url_of
from sojourn_collector.receive.app import OtlpApp
from sojourn_collector.receive.batches import Batches, Key
from sojourn_collector.receive.evidence import EvidenceApp
from sojourn_collector.receive.intake import Intake
from sojourn_collector.several import Several, open_control, take_part
from sojourn_collector.sources import normalise
from sojourn_collector.sources.intake import build_routes
from sojourn_collector.store.backup import Backup
from sojourn_collector.store.books import SharedBooks
from sojourn_collector.store.client import EngineUnavailable, StatementFailed, Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.damaged_parts import DamagedParts
from sojourn_collector.store.disk_budget import DiskBudget
from sojourn_collector.store.endpoint import Engine, EngineStartError
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.letters import LettersPlace
from sojourn_collector.store.erasure.others import Others
from sojourn_collector.store.erasure.places import places
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.evidence.evidence import Evidence
from sojourn_collector.store.evidence.links import USE, EvidenceLinks
from sojourn_collector.store.evidence.place import EvidencePlaceError, open_evidence
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.keep import apply_keep
from sojourn_collector.store.letters import Letters
from sojourn_collector.store.load import PASSING, Loader, sentence
from sojourn_collector.store.migrations import migrate
from sojourn_collector.store.turns import Turns
from sojourn_collector.web.admin import build_admin
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.api import build_api
from sojourn_collector.web.api_docs import build_docs
from sojourn_collector.web.erasures import build_erasures
from sojourn_collector.web.evidence import build_evidence
from sojourn_collector.web.exports import build_exports
from sojourn_collector.web.guard import Guard
from sojourn_collector.web.health import Health, build_health
from sojourn_collector.web.lists import build_lists
from sojourn_collector.web.pages import build_pages, mount_static, not_found
from sojourn_collector.web.render import Pages
from sojourn_collector.web.slis import Slis

log = logging.getLogger("sojourn.collector")

RUNTIME_FILE = "control.json"
RENEW_EVERY = 10.0
"""Seconds between looks at the files of certificates."""
LEDGER_KEPT = timedelta(days=30)


class StartError(Exception):
    """The collector cannot start; the text is one sentence with the cure."""


@dataclass(slots=True)
class Collector:
    """The running parts."""

    config: CollectorConfig
    impact: ImpactConfig
    control: Control
    supervisor: Engine
    store: Store
    journal: Journal
    loader: Loader
    batches: Batches
    counters: Counters
    journeys: JourneyFolder
    join: JoinWorker
    rollups: Rollups
    disk: DiskBudget
    forwarding: Forwarding
    slis: Slis
    evidence: Evidence
    context: Context
    eraser: Eraser
    tombstones: Tombstones
    turns: Turns
    token: str
    damaged: Damaged
    parts: DamagedParts
    several: Several | None = None
    """Its part among several collectors on one control database; None when it is alone."""
    others: Others | None = None
    """Its part in their erasures."""
    started: float = field(default_factory=time.time)
    prepared: bool = False
    failing: dict[str, str] = field(default_factory=dict)
    """Background work that failed and is being tried again, with its error."""

    @property
    def node(self) -> int:
        """Its number; 0 when it is alone."""
        return 0 if self.several is None else self.several.node.number

    def report(self) -> dict[str, Any]:
        """What works and what does not."""
        engine = {"state": self.supervisor.state, "reason": self.supervisor.reason, "restarts": self.supervisor.restarts}
        loading = {
            "loaded_seq": self.journal.loaded_seq,
            "last_seq": self.journal.last_seq,
            "waiting_bytes": self.journal.waiting_bytes,
            "trouble": self.loader.trouble,
        }
        joining = {"joined_seq": self.join.joined_seq, "trouble": self.join.problem}
        database = self.control.database
        control = {"kind": "postgresql" if database.shared else "sqlite", "state": "down" if database.trouble else "ready", "trouble": database.trouble}
        ready = self.prepared and self.supervisor.state == "ready" and not (self.loader.trouble or self.failing or database.trouble)
        return {
            "ready": ready,
            "engine": engine,
            "control": control,
            "node": None if self.several is None else self.several.report(),
            "loading": loading,
            "joining": joining,
            "rollups": {"trouble": self.rollups.problem},
            "disk": self.disk.state.report(),
            "journeys": {"problem": self.journeys.problem},
            "evidence": {"pieces": self.evidence.pieces, "bytes": self.evidence.bytes, "trouble": self.evidence.trouble},
            "forward": self.forwarding.report(),
            "failing": dict(self.failing),
            "damaged": self.damaged.sentences(),
        }

    def metrics(self, open_metrics: bool) -> str:
        """Prometheus' page, or OpenMetrics'."""
        return render(itertools.chain(self._samples(), self.counters.samples(), self.forwarding.samples(), self.slis.samples()), open_metrics=open_metrics)

    def _samples(self) -> Iterator[Sample]:
        oldest = self.journal.oldest_received
        for name, value in {
            "sojourn_ready": self.report()["ready"],
            "sojourn_engine_up": self.supervisor.state == "ready",
            "sojourn_control_up": not self.control.database.trouble,
            "sojourn_engine_restarts": self.supervisor.restarts,
            "sojourn_journal_waiting_bytes": self.journal.waiting_bytes,
            "sojourn_journal_limit_bytes": self.config.limits.journal,
            "sojourn_journal_last_seq": self.journal.last_seq,
            "sojourn_journal_loaded_seq": self.journal.loaded_seq,
            "sojourn_join_seq": max(0, self.join.joined_seq),
            "sojourn_ingest_lag_seconds": 0.0 if oldest is None else max(0.0, time.time() - oldest / 1e9),
            "sojourn_evidence_pieces": self.evidence.pieces,
            "sojourn_evidence_bytes": self.evidence.bytes,
            "sojourn_evidence_place_up": not self.evidence.trouble,
            "sojourn_tables_budget_bytes": self.config.keep.disk or 0,
            "sojourn_damaged": len(self.damaged.sentences()),
            "sojourn_data_free_bytes": shutil.disk_usage(self.config.data).free,
            "sojourn_start_time_seconds": self.started,
        }.items():
            yield Sample(name, {}, float(value))
        if (used := self.disk.state.used) is not None:
            yield Sample("sojourn_tables_bytes", {}, used)
        yield Sample("sojourn_build_info", {"version": version("sojourn")}, 1)


def probe_keys(config: CollectorConfig, environ: Mapping[str, str]) -> dict[str, bytes]:
    """Secrets of probe marks by key id. Raises StartError naming where one is missing."""
    found = {}
    for key in config.probe_keys:
        try:
            text = key.file.read_text(encoding="utf-8").strip() if key.file else environ.get(key.env or "", "")
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(f"probe key {key.id}: {key.file} cannot be read ({error}); make the file or drop the key from collector.yaml") from error
        if not text:
            raise StartError(
                f"probe key {key.id}: {key.file or 'the environment variable ' + str(key.env)} is empty; put the key there or drop it from collector.yaml"
            )
        found[key.id] = text.encode()
    return found


@contextlib.contextmanager
def folder_lock(data: Path) -> Iterator[None]:
    """Hold the data folder: two collectors on one would load each other's files. Raises StartError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / "collector.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(f"the data folder {data} cannot be used ({error.strerror}); give `data` another folder in collector.yaml") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartError(f"another collector runs on {data}; stop it or give `data` another folder in collector.yaml") from error
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def build(config: CollectorConfig, impact: ImpactConfig, environ: Mapping[str, str]) -> AsyncIterator[Collector]:
    """Open everything but the listeners; close it in the reverse order. Raises StartError, ConfigError, JourneyFileError, EngineStartError."""
    keys = probe_keys(config, environ)
    journeys = JourneyFolder(config.journeys)
    counters = Counters()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(folder_lock(config.data))
        try:
            control = await open_control(config, environ)
            stack.callback(control.close)
            several = await take_part(control, config)
            if several is not None:
                await several.shares_engine(config.engine.embedded)
        except (ControlError, ControlUnavailableError) as error:
            raise StartError(str(error)) from error
        journal = Journal(config.data / "journal", limit=config.limits.journal)
        supervisor = engine_of(config, environ)
        stack.push_async_callback(supervisor.stop)
        store = Store(supervisor.endpoint)
        damaged = Damaged(config.data / "damaged")
        parts = DamagedParts(store, damaged)
        if config.engine.embedded:
            store.on_refusal = parts.noticed
        stack.push_async_callback(store.close)
        batches = Batches(control.ledger, several.claiming if several else None)
        books = SharedBooks(several.claims, journal, lambda name: batches.forget(Key(*name))) if several else None
        letters = config.data / "dead-letters"
        turns = Turns()
        tombstones = Tombstones(store, control, turns, shared=several is not None)
        await tombstones.read()
        loader = Loader(
            journal,
            store,
            control.ledger,
            control.dead_letters,
            letters,
            counters,
            books=books,
            on_settled=batches.settled,
            forget=tombstones,
            turns=turns,
            damaged=damaged,
        )
        files = await journal.open(several.node.last_seq if several else await control.ledger.highest_seq())
        stack.push_async_callback(journal.close)
        batches.index(files)
        if several:
            await several.recover(files)
            stack.push_async_callback(several.leave, journal, loader)
        links = EvidenceLinks(await control.signing_keys.get(USE, now()), config.evidence.link, now)
        context = Context(store, control, journeys, impact, config, loader, now, keys, links)
        forwarding = Forwarding(config.forward, config.data, journal, counters, environ)
        try:
            await forwarding.open()
        except ForwardError as error:
            raise StartError(str(error)) from error
        stack.push_async_callback(forwarding.close)
        run_counts = RunCounts()
        try:
            evidence = open_evidence(config.evidence, config.data, environ, control.evidence, counters, now, shared=several is not None)
        except EvidencePlaceError as error:
            raise StartError(str(error)) from error
        ranges, turn = (AllNodes(control.nodes, several.node.number, loader), several.turn) if several else (None, None)
        join = JoinWorker(
            store,
            control,
            journeys,
            impact,
            loader,
            normalise=normalise,
            ranges=ranges,
            turn=turn,
            counts=run_counts,
            turns=turns,
            sift=tombstones.sift,
        )
        everywhere = places(config.data, store, control, evidence, [ForwardPlace(forwarding.erase)])
        others = Others(control, several.node.number, [place for place in everywhere if isinstance(place, (LettersPlace, ForwardPlace))]) if several else None
        eraser = Eraser(store, control, turns, tombstones, everywhere, journal, loader, now, others=others)
        token = secrets.token_urlsafe(32)
        yield Collector(
            config,
            impact,
            control,
            supervisor,
            store,
            journal,
            loader,
            batches,
            counters,
            journeys,
            join,
            Rollups(store, control, ZoneInfo(impact.timezone), config.keep.runs, lambda: join.written_version, now, turn=turn),
            DiskBudget(store, control.progress, config.keep, counters, now),
            forwarding,
            Slis(context, run_counts, counters),
            evidence,
            context,
            eraser,
            tombstones,
            turns,
            token,
            damaged,
            parts,
            several,
            others,
        )


def build_web(collector: Collector) -> Guard:
    """Report, API, sources and health behind the guard."""
    pages = Pages(collector.impact, collector.context.clock)
    app = FastAPI(title="Sojourn", version=version("sojourn"), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.include_router(build_health(Health(collector.report, collector.metrics)))
    app.include_router(build_routes(collector.context))
    app.include_router(build_api(collector.context))
    app.include_router(build_lists(collector.context))
    letters = Letters(collector.control, collector.config.data / "dead-letters", collector.journal, collector.context.clock, node=collector.node)
    admin = AdminDoor(collector.control.keys, collector.token)
    app.include_router(build_admin(letters, admin))
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
    work = asyncio.create_task(_work(collector), name="work")
    # It needs no engine: what is accepted goes out also while there is none.
    forwarding = asyncio.create_task(_keep(collector, "forward", collector.forwarding.run), name="forward")
    beside = [work]
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


async def _work(collector: Collector) -> None:
    """Start the engine, bring its tables up to date, then load, join and tidy for ever."""
    await collector.supervisor.start()
    await (_prepare(collector) if collector.several is None else collector.several.alone("schema", lambda: _prepare(collector)))
    collector.prepared = True
    async with asyncio.TaskGroup() as group:
        group.create_task(_keep(collector, "loader", collector.loader.run))
        group.create_task(_keep(collector, "evidence", collector.evidence.run))
        group.create_task(_keep(collector, "parts", collector.parts.run))
        group.create_task(_keep(collector, "slis", collector.slis.run))
        if collector.several is None:
            for name, work in _for_all(collector).items():
                group.create_task(_keep(collector, name, work))
        else:
            turn = collector.several.turn
            if collector.others is not None:
                group.create_task(_keep(collector, "erasure", collector.others.run))
            group.create_task(_keep(collector, "join", lambda: turn.run(lambda: _together(_for_all(collector)))))


def _for_all(collector: Collector) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What one of several collectors does for all, by name."""
    works = {"join": collector.join.run, "rollups": collector.rollups.run, "ledger": lambda: _tidy(collector), "erasure": collector.eraser.run}
    return works if collector.config.engine.cluster else works | {"disk": collector.disk.run}


async def _prepare(collector: Collector) -> None:
    """Bring the engine's tables up to date, as soon as it answers, and note what is kept for another time than before."""
    changes: list[str] = []
    while True:
        try:
            await migrate(collector.store)
            changes += await apply_keep(collector.store, collector.config.keep)
            while changes:
                await collector.control.audit.add(now(), "collector", "keep.change", changes[0].partition(" ")[0], changes[0])
                del changes[0]
        except (EngineUnavailable, ControlUnavailableError):
            await asyncio.sleep(0.2)
        except StatementFailed as error:
            if error.code not in PASSING:
                raise EngineStartError(f"the tables cannot be brought up to date. {sentence(error)}") from error
            log.warning("the tables cannot be brought up to date just now: %s", PASSING[error.code])
            await asyncio.sleep(1.0)
        else:
            return


async def _together(works: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    """Several at once. Raises what the first of them to fail raises."""
    tasks = [asyncio.ensure_future(work()) for work in works.values()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(collector: Collector, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run background work for ever; an error of ours is logged, shown at /readyz and does not end the others."""
    wait = 0.5
    while True:
        try:
            await work()
        except Exception as error:
            log.exception("%s failed; it starts again in %g s", name, wait)
            collector.failing[name] = f"{type(error).__name__}: {error}"
        await asyncio.sleep(wait)
        wait = min(wait * 2, 30.0)
        collector.failing.pop(name, None)


async def _tidy(collector: Collector) -> None:
    """Forget batches so old that no sender repeats them. A clock that jumps ahead meanwhile must not make them so."""
    loop = asyncio.get_running_loop()
    began, at = loop.time(), now()
    while True:
        await collector.control.ledger.forget_before(min(now(), at + timedelta(seconds=loop.time() - began)) - LEDGER_KEPT)
        await asyncio.sleep(3600)
