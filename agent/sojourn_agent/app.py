"""Builds the agent from its configuration and runs it: journeys and beacons into the spool, the spool to every destination."""

import asyncio
import contextlib
import gc
import importlib.metadata
import json
import logging
import os
import socket
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sojourn_agent import telemetry
from sojourn_agent.admin import build_admin
from sojourn_agent.config import AgentConfig, ConfigError
from sojourn_agent.dead_letters import DeadLetters
from sojourn_agent.evidence import prune
from sojourn_agent.evidence_sender import EvidenceSender
from sojourn_agent.host import HostWatch
from sojourn_agent.host_metrics import encode_gauges
from sojourn_agent.journeys import JourneyFolder
from sojourn_agent.memory import give_back
from sojourn_agent.outlets import evidence_outbox, evidence_senders, http_client, probe_keys, read_key, senders
from sojourn_agent.report import Report
from sojourn_agent.scheduler import Scheduler, WallTimer
from sojourn_agent.sender import Sender
from sojourn_agent.serve import Listener, bind
from sojourn_agent.spool import Spool, SpoolUnavailable
from sojourn_agent.tools import close_tools, make_tools, require_browser, require_keys, warm_up
from sojourn_agent.walker import Walker
from sojourn_probes import semconv
from sojourn_probes.clock import Clock
from sojourn_probes.errors import SojournError
from sojourn_probes.marks import make_mark
from sojourn_probes.secrets import SecretStore

RELOAD_EVERY: Final = 2.0
GAUGES_EVERY: Final = 15.0
PRUNE_EVERY: Final = 600.0
RUN_GRACE: Final = 10.0
SEND_GRACE: Final = 2.0

log = logging.getLogger(__name__)


def version() -> str:
    """The version installed; `0` in a source tree that is not."""
    try:
        return importlib.metadata.version("sojourn")
    except importlib.metadata.PackageNotFoundError:
        return "0"


@dataclass(slots=True)
class Plan:
    """Everything that can be known, opened or refused before the agent starts."""

    config: AgentConfig
    environ: Mapping[str, str]
    keys: dict[str, bytes]
    folder: JourneyFolder
    admin: socket.socket
    rum: socket.socket | None

    def close(self) -> None:
        """Let go of the listeners."""
        for listening in (self.admin, self.rum):
            if listening is not None:
                listening.close()

    def secrets(self) -> SecretStore:
        """A fresh store, so that a rotated secret is found."""
        return secret_store(self.config, self.environ)


def secret_store(config: AgentConfig, environ: Mapping[str, str]) -> SecretStore:
    """Where secrets of journeys come from on this host."""
    files = {name: secret.file for name, secret in config.secrets.items()}
    return SecretStore(environ, environ.get("CREDENTIALS_DIRECTORY"), files, config.secrets_file)


def journey_folder(config: AgentConfig, environ: Mapping[str, str]) -> JourneyFolder:
    """The folder of journeys, not read yet."""
    return JourneyFolder(config.journeys, location=config.location, environ=environ, secrets=lambda: secret_store(config, environ))


def prepare(config: AgentConfig, environ: Mapping[str, str]) -> Plan:
    """Read keys and journeys, make the data folder, open the listeners. Raises `SojournError` with sentences for a person."""
    keys = probe_keys(config, environ)
    for destination in config.send:
        if destination.key is not None:
            read_key(destination.key, environ, f"send: {destination.name}: key")
    folder = journey_folder(config, environ)
    require_browser(folder.load(), environ)
    require_keys(folder.walked, keys)
    try:
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (config.data / "evidence").mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"data: {config.data} cannot be made: {error.strerror}") from None
    admin = bind(config.admin.listen, "admin: listen:")
    try:
        rum = bind(config.rum.listen, "rum: listen:") if config.rum.apps else None
    except SojournError:
        admin.close()
        raise
    return Plan(config, environ, keys, folder, admin, rum)


def open_spool(config: AgentConfig) -> Spool:
    """The spool of this configuration, not opened yet."""
    return Spool(
        config.data / "spool",
        [destination.name for destination in config.send],
        max_bytes=config.spool.max_bytes,
        max_age=config.spool.max_age,
    )


def dead_letters(config: AgentConfig) -> DeadLetters:
    """The dead letters of this configuration."""
    return DeadLetters(config.data / "dead-letters", max_bytes=max(config.spool.max_bytes // 10, 1 << 20), max_age=config.spool.max_age)


async def run_agent(plan: Plan, stop: asyncio.Event, reload: asyncio.Event) -> None:
    """Run until `stop` is set: runs going on are finished or cancelled, beacons answered, the spool closed. `reload` reads the journeys at once."""
    agent = Agent(plan)
    async with AsyncExitStack() as stack:
        stack.callback(plan.close)
        spool = await stack.enter_async_context(open_spool(plan.config))
        client = await stack.enter_async_context(http_client(plan.config))
        outbox = evidence_outbox(plan.config)
        outbox.forget_others()
        await agent.build(
            spool, senders(plan.config, spool, dead_letters(plan.config), client, plan.environ), evidence_senders(plan.config, outbox, client, plan.environ)
        )
        stack.push_async_callback(close_tools, agent.walker.tools)
        async with asyncio.TaskGroup() as group:
            background = [group.create_task(work, name=name) for name, work in agent.background(reload)]
            listening = [group.create_task(listener.run_here()) for listener in agent.listeners]
            warm_up(plan.folder.walked)
            give_back()
            gc.freeze()  # what is there now stays: later collections need not walk it, and stay short
            agent.scheduler.keep(plan.folder.walked)
            agent.announce()
            await stop.wait()
            await agent.wind_down()
            await asyncio.gather(*listening)
            for task in background:
                task.cancel()


class Agent:
    """The parts, built once, and how they are started and stopped together."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.config = plan.config
        self.host = HostWatch()
        self.listeners: list[Listener] = []
        self.intake: Listener | None = None
        self.spool: Spool
        self.senders: list[Sender]
        self.evidence: list[EvidenceSender]
        self.walker: Walker
        self.scheduler: Scheduler
        self.described = telemetry.resource(plan.config.location, version())

    async def build(self, spool: Spool, outlets: list[Sender], evidence: list[EvidenceSender]) -> None:
        """Make every part around an open spool."""
        config, plan = self.config, self.plan
        self.spool, self.senders, self.evidence = spool, outlets, evidence
        self.walker = Walker(
            location=config.location,
            environ=plan.environ,
            secrets=plan.secrets,
            mark=self._mark if plan.keys else None,
            spool=spool,
            host=self.host,
            budget=config.host,
            described=self.described,
            version=version(),
            evidence=config.data / "evidence",
            outbox=evidence[0].outbox if evidence else None,
            tools=make_tools(config.browser.model_dump()),
        )
        self.scheduler = Scheduler(self.walker.walk, WallTimer(Clock()), location=config.location, at_once=config.runs_at_once)
        counts = None
        if plan.rum is not None:
            # Only an agent that takes beacons loads what reads them.
            from sojourn_agent.rum.intake import build_app

            app = build_app(config.rum, spool, plan.keys, time.time)
            counts = app.state.counts.as_dict
            self.intake = Listener(app, plan.rum)
            self.listeners.append(self.intake)
        report = Report(config, version(), plan.folder, spool, outlets, evidence, self.walker, self.scheduler, self.host, counts)
        self.listeners.append(Listener(build_admin(report.status(), config.admin.hosts), plan.admin))

    def background(self, reload: asyncio.Event) -> list[tuple[str, Any]]:
        """What runs beside the listeners, by name."""
        return [
            *((f"send {sender.name}", sender.run()) for sender in self.senders),
            *((f"evidence {sender.name}", sender.run()) for sender in self.evidence),
            ("host", self.host.run()),
            ("gauges", self._gauges()),
            ("reload", self._reload(reload)),
            ("prune", self._prune()),
            ("memory", self._stay_small()),
        ]

    def announce(self) -> None:
        """Say in the log and in `agent.json` what runs where."""
        addresses = {"admin": self.listeners[-1].address} | ({"rum": self.intake.address} if self.intake else {})
        runtime = self.config.data / "agent.json"
        _write_private(runtime, json.dumps({"pid": os.getpid(), **addresses}))
        log.info(
            "sojourn-agent %s at %s: %d journeys, %s, admin at http://%s, sends to %s",
            version(),
            self.config.location,
            len(self.plan.folder.walked),
            f"beacons at http://{addresses['rum']}" if self.intake else "no beacons (no apps under rum:)",
            addresses["admin"],
            ", ".join(f"{sender.name} ({sender.url})" for sender in self.senders),
        )

    async def wind_down(self) -> None:
        """Finish or cancel runs, answer what beacons are there, and send what can be sent at once."""
        log.info("stopping: %d runs going on", self.scheduler.running)
        cancelled = await self.scheduler.stop(RUN_GRACE)
        if cancelled:
            log.warning("cancelled %d runs that took longer than %g s to end", cancelled, RUN_GRACE)
        for listener in self.listeners:
            listener.should_exit = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEND_GRACE):
                while any(self._can_send(sender) for sender in self.senders):  # noqa: ASYNC110 - ends by several causes that share no event
                    await asyncio.sleep(0.02)
        for sender in self.senders:
            if self.spool.waiting(sender.name):
                log.warning("%d batches for %s stay in the spool; they are sent at the next start", self.spool.waiting(sender.name), sender.name)

    def _can_send(self, sender: Sender) -> bool:
        return self.spool.waiting(sender.name) > 0 and not (sender.state.alarm or sender.state.trouble)

    def _mark(self, run_id: str) -> str:
        newest, secret = next(iter(self.plan.keys.items()))
        return make_mark(run_id, newest, secret, time.time())

    async def _gauges(self) -> None:
        since = time.monotonic()
        while True:
            await asyncio.sleep(GAUGES_EVERY)
            values = {
                semconv.AGENT_CPU: self.host.cpu,
                semconv.AGENT_RSS: float(self.host.rss),
                semconv.AGENT_LOOP_LAG: self.host.strain(since).loop_lag,
                semconv.AGENT_SCHEDULER_LAG: self.scheduler.lag,
                semconv.AGENT_SPOOL_BYTES: float(self.spool.size),
                semconv.AGENT_CLOCK_OFFSET: self.senders[0].state.clock_offset,
            }
            since = time.monotonic()
            try:
                await self.spool.append("metrics", encode_gauges(values, self.described, version(), time.time_ns()))
            except SpoolUnavailable:
                continue  # the next ones say how it is then; the spool has said what is wrong

    async def _reload(self, reload: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(RELOAD_EVERY):
                    await reload.wait()
                reload.clear()
            except TimeoutError:
                pass
            journeys = await asyncio.to_thread(self.plan.folder.reload)
            if journeys is not None:
                self.scheduler.keep(journeys)

    async def _prune(self) -> None:
        evidence = self.config.evidence
        while True:
            await asyncio.to_thread(prune, self.config.data / "evidence", max_bytes=evidence.max_bytes, max_age=evidence.max_age)
            if self.walker.outbox is not None:
                await self.walker.outbox.tidy()
            await asyncio.sleep(PRUNE_EVERY)

    async def _stay_small(self) -> None:
        """First runs load certificates and more: give back what that left, soon after the start and now and then."""
        await asyncio.sleep(10)
        while True:
            give_back()
            await asyncio.sleep(PRUNE_EVERY)


def _write_private(path: Path, text: str) -> None:
    """Whole or not at all: whoever waits for the file may read it as soon as it is there."""
    unfinished = path.with_suffix(".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
