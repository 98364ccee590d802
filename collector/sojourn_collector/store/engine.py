"""Keeps the engine's process alive: pings it, kills it when it hangs or grows too big, starts it again with backoff."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2

from sojourn_collector.store.endpoint import Endpoint, EngineStartError, State
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings

log = logging.getLogger("sojourn.engine")

COMPUTING = 0.05
"""Share of a processor's time that tells a busy engine from one that hangs."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Watch:
    """How the engine is watched, in seconds. An engine that computes is given `busy_deadline` to answer a ping, one that stands still
    `deadline`; every `glance` it is looked which of them it is. `memory_slack` is how far its resident memory may exceed its own cap."""

    every: float = 0.5
    deadline: float = 4.0
    glance: float = 0.5
    busy_deadline: float = 30.0
    first_wait: float = 0.2
    longest_wait: float = 5.0
    memory_slack: float = 1.5


class Supervisor:
    """Runs one engine. `endpoint()` is where it answers now, None while it does not."""

    def __init__(self, folder: Path, settings: EngineSettings | None = None, watch: Watch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings or EngineSettings()
        self._process = EngineProcess(folder, self._settings)
        self._watch = watch or Watch()
        self._clock = clock
        self._endpoint: Endpoint | None = None
        self._task: asyncio.Task[None] | None = None
        self._starting: asyncio.Future[Endpoint] | None = None
        self.state: State = "starting"
        self.reason = "The engine is starting."
        self.restarts = 0

    def endpoint(self) -> Endpoint | None:
        """Where the engine answers, None while it is down."""
        return self._endpoint

    @property
    def pid(self) -> int | None:
        """Process id of the running engine."""
        return self._process.pid

    async def start(self) -> None:
        """Start the engine and its watch. Raises EngineStartError when the first start fails: then the folder is at fault."""
        await self._begin()
        self._task = asyncio.create_task(self._run(), name="engine-watch")

    async def stop(self) -> None:
        """End watch and engine."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._endpoint, self.state, self.reason = None, "stopped", "The engine was stopped."
        await asyncio.to_thread(self._process.stop)
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
            await asyncio.to_thread(self._process.kill)

    async def _begin(self) -> None:
        # Cancelled while the process comes up, the thread goes on; stop() ends what it started and waits for it.
        self._starting = asyncio.ensure_future(asyncio.to_thread(self._process.start))
        self._endpoint = await asyncio.shield(self._starting)
        self.state, self.reason = "ready", ""

    async def _run(self) -> None:
        wait = self._watch.first_wait
        # Loopback and plain HTTP: verify=False only spares a TLS context that nobody uses.
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=self._watch.busy_deadline) as http:
            while True:
                if self._endpoint is not None:
                    if trouble := await self._trouble(http, self._endpoint):
                        self._down(trouble)
                    else:
                        wait = self._watch.first_wait
                        await asyncio.sleep(self._watch.every)
                        continue
                await asyncio.to_thread(self._process.kill)
                try:
                    await self._begin()
                    log.warning("the engine is back")
                except (EngineStartError, OSError) as error:
                    self.reason = str(error)
                    log.error("the engine did not start: %s", error)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, self._watch.longest_wait)

    def _down(self, trouble: str) -> None:
        self._endpoint = None
        self.state, self.reason = "restarting", f"The engine {trouble}; it is being restarted."
        self.restarts += 1
        log.error("the engine %s; restarting it", trouble)

    async def _trouble(self, http: httpx2.AsyncClient, endpoint: Endpoint) -> str:
        """What is wrong with the running engine, empty when nothing is."""
        if not self._process.alive():
            return "ended by itself"
        resident, limit = self._process.resident_bytes(), self._settings.memory * self._watch.memory_slack
        if resident > limit:
            return f"holds {resident >> 20} MiB, more than the {int(limit) >> 20} MiB it may"
        ping = asyncio.ensure_future(http.get(f"http://{endpoint.host}:{endpoint.port}/ping", headers={"authorization": f"Bearer {endpoint.token}"}))
        try:
            if silent := await self._silent(ping):
                return silent
            answer = ping.result()
        except httpx2.HTTPError:
            return "ended by itself" if not self._process.alive() else "broke off an answer"
        finally:
            ping.cancel()
            await asyncio.gather(ping, return_exceptions=True)
        return "" if answer.status_code == 200 else f"answered a ping with {answer.status_code}"

    async def _silent(self, ping: asyncio.Future[httpx2.Response]) -> str:
        """Wait for the answer; says so when none is to be expected any more. On a crowded machine a busy engine may be slow to answer; one that hangs
        or was stopped does not compute."""
        watch, began = self._watch, self._clock()
        looked = moved = began
        worked = self._process.cpu_ticks()
        while not (await asyncio.wait({ping}, timeout=watch.glance))[0]:
            now, ticks = self._clock(), self._process.cpu_ticks()
            if ticks - worked > COMPUTING * TICKS * (now - looked):
                moved = now
            looked, worked = now, ticks
            for deadline, since in ((watch.deadline, moved), (watch.busy_deadline, began)):
                if now - since >= deadline:
                    return f"did not answer within {deadline:g} s"
        return ""
