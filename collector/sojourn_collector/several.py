"""A collector's part among several on one control database: its number, its heartbeat, its claims on batches and its turn to join."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sojourn_collector.config import CollectorConfig
from sojourn_collector.context import now
from sojourn_collector.join.turn import Turn
from sojourn_collector.receive.claiming import Claiming
from sojourn_collector.store.books import entry_of
from sojourn_collector.store.control.claims import Claims
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.control.leases import Lease
from sojourn_collector.store.control.nodes import NodeRow
from sojourn_collector.store.journal import Journal, JournalFile
from sojourn_collector.store.load import Loader
from sojourn_collector.store.node import register

log = logging.getLogger("sojourn.collector")

ALIVE = 8.0
"""Seconds after its last heartbeat for which a node counts as alive."""
BEAT = 2.0
SOONEST = 0.2
"""Seconds between two heartbeats at least; each also publishes how far the node has loaded."""
_START = 20.0
_AGAIN = 0.5


@dataclass(frozen=True, slots=True)
class Several:
    """The part of one collector."""

    node: NodeRow
    control: Control
    claims: Claims
    claiming: Claiming
    turn: Turn

    async def recover(self, files: list[JournalFile]) -> None:
        """At the start: settle what the journal holds, and give up what else was claimed. What others have by now the loader leaves out."""
        for file in files:
            await self.claims.settle(dict(entry_of(file, one) for one in file.records if one.batch))
        await self.claims.give_up_rest()

    async def beat(self, journal: Journal, loader: Loader) -> None:
        """Say that this node lives and how far it is, until cancelled. Raises ControlError when another collector goes by its name."""
        while True:
            loaded = loader.loaded_seq
            with suppress(ControlUnavailableError):
                if not await self.control.nodes.beat(self.node, ALIVE, journal.last_seq, loaded):
                    raise ControlError(
                        f"another collector was started as node {self.node.number}; its data folder is a copy of this one's, which must not be: end one of them"
                    )
            await asyncio.sleep(SOONEST)
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT - SOONEST):
                    await loader.wait_beyond(loaded)

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` while no other collector does what goes by this name; it is waited for. A database that does not answer is waited for too."""
        while True:
            with suppress(ControlUnavailableError):
                if (lease := await self.control.leases.take(name, self.node.number, ALIVE)) is not None:
                    break
            await asyncio.sleep(_AGAIN)
        holding = asyncio.create_task(self._hold(lease))
        try:
            await work()
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            with suppress(ControlUnavailableError):
                await self.control.leases.give_back(lease)

    async def _hold(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(ALIVE / 3)
            with suppress(ControlUnavailableError):
                await self.control.leases.renew(lease, ALIVE)

    async def leave(self, journal: Journal, loader: Loader) -> None:
        """At an orderly end: settle everything, so that others can answer repeats, and be alive no longer."""
        await self.claiming.flush()
        with suppress(ControlUnavailableError):
            await self.control.nodes.beat(self.node, 0.0, journal.last_seq, loader.loaded_seq)

    async def shares_engine(self, embedded: bool) -> None:
        """Raises ControlError when another collector lives that does not see the tables of this one's engine, because that is `embedded`."""
        for other in await self.control.nodes.list():
            if embedded and other.alive and other.number != self.node.number:
                raise ControlError(
                    f"the collector on {other.host} (node {other.number}) uses this control database too, and the engine here is embedded, so neither would "
                    "see the other's tables; give both the same ClickHouse server by engine: in collector.yaml, or each a control database of its own"
                )

    def report(self) -> dict[str, Any]:
        """For /readyz."""
        return {"number": self.node.number, "id": self.node.id, "epoch": self.node.epoch, "joins": self.turn.held, "join_holder": self.turn.holder}


async def open_control(config: CollectorConfig, environ: Mapping[str, str], wait: float = _START) -> Control:
    """The control database, brought to this version; one that does not answer is waited for. Raises ControlError."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    where = config.control.where(config.data, environ)
    said = ""
    while True:
        try:
            return await asyncio.to_thread(Control.open, where)
        except ControlUnavailableError as error:
            if not config.control.shared or loop.time() > deadline:
                raise ControlError(f"{str(error).rstrip('.')}; look at control.url in collector.yaml: {where}") from error
            if str(error) != said:
                log.warning("%s It is tried again.", error)
            said = str(error)
        await asyncio.sleep(_AGAIN)


async def take_part(control: Control, config: CollectorConfig) -> Several | None:
    """This collector's part, None when it is alone. Raises ControlError, ControlUnavailableError."""
    if not control.database.shared:
        return None
    node = await register(control.nodes, config.data, ALIVE)
    claims = Claims(control.database, node.number)
    return Several(node, control, claims, Claiming(claims), Turn(control.leases, node.number, now))
