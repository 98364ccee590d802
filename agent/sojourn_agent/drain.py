"""Sends what waits in the spool and ends; for a host that goes away or an agent that is no longer wanted."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from sojourn_agent.app import dead_letters, open_spool
from sojourn_agent.config import AgentConfig
from sojourn_agent.outlets import http_client, senders
from sojourn_agent.sender import Sender


@dataclass(frozen=True, slots=True)
class Drained:
    """How far one destination came; `waiting` batches are left, `why` says the reason."""

    name: str
    delivered: int
    dead: int
    waiting: int
    why: str


async def drain(config: AgentConfig, environ: Mapping[str, str], seconds: float) -> list[Drained]:
    """Send what waits, for at most `seconds`. Raises `SpoolInUse` while an agent has the spool open."""
    async with open_spool(config) as spool, http_client(config) as client:
        outlets = senders(config, spool, dead_letters(config), client, environ)
        await asyncio.gather(*(_drain_one(sender, seconds) for sender in outlets))
        return [
            Drained(
                sender.name,
                sender.state.delivered,
                sender.state.dead,
                spool.waiting(sender.name),
                sender.state.alarm or sender.state.trouble or f"{seconds:g} s were not enough; say a longer --timeout",
            )
            for sender in outlets
        ]


async def _drain_one(sender: Sender, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await sender.run(until_empty=True)
