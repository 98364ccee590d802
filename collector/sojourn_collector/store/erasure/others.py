"""Erasure among several collectors: the one whose turn it is does what all share, and each goes through what lies on its own disk.

An erasure's names are in the control database while it is at work. Each collector looks there, goes through its own dead letters and forwarding queues, and
says so; the erasure is done when all have that live. Erasures are done one after the other, so the highest id says it all.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import cast

from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.subject import Names, Orders

log = logging.getLogger("sojourn.erasure")
_LOOK_EVERY = 2.0


class Others:
    """The part of one collector in the erasures of all."""

    def __init__(self, control: Control, node: int, places: Sequence[Place], look_every: float = _LOOK_EVERY) -> None:
        """`places` are those on this collector's disk; `look_every` in seconds."""
        self._control = control
        self._node = node
        self._places = places
        self._look_every = look_every

    async def run(self) -> None:
        """Follow for ever. Raises OSError; a control database that does not answer is waited for."""
        while True:
            try:
                await self.follow()
            except ControlUnavailableError as error:
                log.warning("erasures cannot be followed: %s", error)
            await asyncio.sleep(self._look_every)

    async def follow(self) -> None:
        """Go through this disk for every erasure at work that names are known of. Raises ControlUnavailableError, OSError."""
        done = await self._control.progress.get(_name(self._node))
        for row in await self._control.erasures.open():
            if row.id <= done or "names" not in row.work:
                continue
            for place in self._places:
                found = await place.erase(Names.from_dict(row.work["names"]), cast("Orders", row.orders))
                log.info("erasure %d: %s of this node: %s", row.id, place.name, found or "nothing")
            await self._control.progress.set(_name(self._node), row.id)

    async def all_done(self, ident: int) -> list[str]:
        """Wait until every collector that lives has gone through its disk; says which did not, being away."""
        while True:
            nodes = await self._control.nodes.list()
            behind = [node for node in nodes if await self._control.progress.get(_name(node.number)) < ident]
            if not any(node.alive for node in behind):
                return [f"node {node.number} ({node.host})" for node in behind]
            await asyncio.sleep(self._look_every)


def _name(node: int) -> str:
    return f"erased_here:{node}"
