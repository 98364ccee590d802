"""A second look at a server whose certificate was refused: what it shows is worth a sentence, and Python shows only what it trusts."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import httpcore2

from sojourn_probes.clock import Clock
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import ResolvingBackend
from sojourn_probes.steps.talk import LOST, Broken
from sojourn_probes.steps.tls_facts import chain_of, tls_facts
from sojourn_probes.steps.tls_trust import trusting_all

LOOK_SECONDS: Final = 5.0
"""How long the second look may take."""

Prepare = Callable[[httpcore2.AsyncNetworkStream], Awaitable[None]]
"""Brings a new connection to where TLS begins."""


async def second_look(
    peer: tuple[str, int], name: str, seconds: float, clock: Clock, prepare: Prepare | None = None
) -> tuple[Sequence[Mapping[str, Any]], dict[str, Any]]:
    """The certificates the server at `peer` shows for `name`, and the facts of the handshake; nothing when it does not answer in `seconds`.

    One more handshake is made, one that takes any certificate, and nothing is sent through it.
    """
    phases = Phases(clock)
    stream: httpcore2.AsyncNetworkStream | None = None
    try:
        async with asyncio.timeout(seconds):
            stream = await ResolvingBackend(lambda: phases).connect_tcp(*peer)
            if prepare is not None:
                await prepare(stream)
            stream = await stream.start_tls(trusting_all(), name)
            connection = stream.get_extra_info("ssl_object")
            return chain_of(connection), tls_facts(connection, clock.now_ns() / 1e9)
    except (Broken, TimeoutError, *LOST):
        return (), {}
    finally:
        if stream is not None:
            with contextlib.suppress(*LOST):
                await stream.aclose()


def spare(most: float, context: StepContext, seen: Observation) -> float:
    """Seconds for what is only good to know: the deadline must not come and make a time-out of what is already certain."""
    left = context.timeout - (context.clock.now_ns() - seen.started_ns) / 1e9
    return max(0.0, min(most, left / 2))
