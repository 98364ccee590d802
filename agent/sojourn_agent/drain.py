"""Sends what waits in the spool and ends; for a host that goes away or an agent that is no longer wanted."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from sojourn_agent.app import dead_letters, open_spool
from sojourn_agent.config import AgentConfig
from sojourn_agent.evidence_sender import EvidenceSender
from sojourn_agent.outlets import evidence_outbox, evidence_senders, http_client, senders
from sojourn_agent.sender import Sender


@dataclass(frozen=True, slots=True)
class Drained:
    """How far one destination came; `waiting` batches and `evidence_waiting` pieces of evidence are left, `why` says the reason."""

    name: str
    delivered: int
    dead: int
    waiting: int
    evidence: int
    evidence_waiting: int
    why: str


async def drain(config: AgentConfig, environ: Mapping[str, str], seconds: float) -> list[Drained]:
    """Send what waits, for at most `seconds`. Raises `SpoolInUse` while an agent has the spool open."""
    async with open_spool(config) as spool, http_client(config) as client:
        outlets = senders(config, spool, dead_letters(config), client, environ)
        outbox = evidence_outbox(config)
        takers = {sender.name: sender for sender in evidence_senders(config, outbox, client, environ)}
        every: list[Sender | EvidenceSender] = [*outlets, *takers.values()]
        await asyncio.gather(*(_drain_one(sender, seconds) for sender in every))
        return [
            Drained(
                sender.name,
                sender.state.delivered,
                sender.state.dead,
                spool.waiting(sender.name),
                takers[sender.name].state.delivered if sender.name in takers else 0,
                outbox.waiting(sender.name) if sender.name in takers else 0,
                _why(sender, takers.get(sender.name)) or f"{seconds:g} s were not enough; say a longer --timeout",
            )
            for sender in outlets
        ]


def _why(sender: Sender, taker: EvidenceSender | None) -> str:
    return sender.state.alarm or sender.state.trouble or ("" if taker is None else taker.state.alarm or taker.state.trouble)


async def _drain_one(sender: Sender | EvidenceSender, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await sender.run(until_empty=True)
