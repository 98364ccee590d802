"""Keeps to a ClickHouse server that answers: looks at the hosts in their order, stays with one, and goes to the next when it is gone.

Statements under way when a host goes fail as `EngineUnavailable`; loads come again under their token, which the other replicas know too.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from sojourn_collector.store.connect import EngineUnavailable, plain_http
from sojourn_collector.store.endpoint import Endpoint, EngineStartError, State
from sojourn_collector.store.server_check import ServerRefusedError, examine

log = logging.getLogger("sojourn.engine")


@dataclass(frozen=True, slots=True)
class ServerWatch:
    """How servers are watched, in seconds: a ping `every` so often, answered within `deadline`; waits between rounds over all hosts."""

    every: float = 1.0
    deadline: float = 4.0
    first_wait: float = 0.2
    longest_wait: float = 5.0


class ServerEngine:
    """Watches the servers of one store. `endpoint()` is the one in use, None while none can be used."""

    def __init__(self, endpoints: Sequence[Endpoint], watch: ServerWatch | None = None) -> None:
        self._endpoints = tuple(endpoints)
        self._watch = watch or ServerWatch()
        self._current = 0
        self._endpoint: Endpoint | None = None
        self._task: asyncio.Task[None] | None = None
        self.state: State = "starting"
        self.reason = "The ClickHouse server was not looked at yet."
        self.restarts = 0

    def endpoint(self) -> Endpoint | None:
        """The server in use, None while none can be used."""
        return self._endpoint

    async def start(self) -> None:
        """Choose a server and begin to watch. A server that does not answer may come; one that answers and cannot hold the store is an error.

        Raises EngineStartError when no server can be used and one of them said why.
        """
        refused = await self._choose()
        if refused is not None and self._endpoint is None:
            raise refused
        self._task = asyncio.create_task(self._run(), name="engine-watch")

    async def stop(self) -> None:
        """End the watch; the servers go on."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._endpoint, self.state, self.reason = None, "stopped", "The collector stopped using the server."

    async def _choose(self) -> EngineStartError | None:
        """Take the first host, from the current on, that can be used; else keep what each of them said. Returns the first refusal."""
        refused: EngineStartError | None = None
        said = []
        for step in range(len(self._endpoints)):
            place = (self._current + step) % len(self._endpoints)
            endpoint = self._endpoints[place]
            try:
                found = await examine(endpoint)
            except ServerRefusedError as error:
                refused = refused or error
                said.append(str(error))
                continue
            except EngineUnavailable as error:
                said.append(f"{endpoint.url}: {error}")
                continue
            self._current, self._endpoint, self.state, self.reason = place, endpoint, "ready", ""
            log.info("the store is at %s, ClickHouse %s", endpoint.url, found.version)
            return refused
        self.reason = f"No ClickHouse server can be used: {'; '.join(said)}"
        return refused

    async def _run(self) -> None:
        wait = self._watch.first_wait
        # One client for all hosts: user and files are the same.
        async with plain_http(self._endpoints[0], self._watch.deadline) as http:
            while True:
                if self._endpoint is not None:
                    if not (trouble := await self._trouble(http, self._endpoint)):
                        wait = self._watch.first_wait
                        await asyncio.sleep(self._watch.every)
                        continue
                    self._leave(trouble)
                await self._choose()
                if self._endpoint is None:
                    log.error("%s", self.reason)
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, self._watch.longest_wait)

    def _leave(self, trouble: str) -> None:
        log.error("the ClickHouse server %s", trouble)
        self._endpoint, self.state, self.reason = None, "restarting", f"The ClickHouse server {trouble}; looking for another."
        self._current = (self._current + 1) % len(self._endpoints)
        self.restarts += 1

    async def _trouble(self, http: httpx2.AsyncClient, endpoint: Endpoint) -> str:
        """What is wrong with the server in use, empty when nothing is."""
        try:
            async with asyncio.timeout(self._watch.deadline):
                answer = await http.get(f"{endpoint.url}/ping")
        except (TimeoutError, httpx2.TimeoutException):
            return f"at {endpoint.url} did not answer within {self._watch.deadline:g} s"
        except httpx2.HTTPError as error:
            return f"at {endpoint.url} does not answer ({type(error).__name__})"
        return "" if answer.status_code == 200 else f"at {endpoint.url} answered a ping with {answer.status_code}"
