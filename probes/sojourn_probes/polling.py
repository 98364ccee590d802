"""`repeat`: a step tried again until something holds, or its time is over."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from sojourn_probes.result import Exchange, ExpectationResult, Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.step import Repeat
from sojourn_probes.steps.base import Observation
from sojourn_probes.units import show_duration

MOST_KEPT: Final = 40
"""Exchanges kept of all tries: the first and the newest."""

POINTLESS: Final = frozenset({FailureKind.SECRET, FailureKind.CONFIG, FailureKind.AGENT, FailureKind.BROWSER})
"""Failures that another try would only meet again."""

Try = Callable[[float, str], Awaitable[Observation]]
"""Walks the step once in so many seconds; the text says whose deadline that is."""


async def until_holds(
    repeat: Repeat, budget: float, whose: str, walk: Try, look: Callable[[Observation], Awaitable[tuple[ExpectationResult, ...]]]
) -> Observation:
    """Walk until every `until` holds; the last observation, begun with the first try. When time is over it says what did not hold.

    :param budget: seconds the step may take at all; `repeat.within` ends it earlier.
    :param look: holds the `until` against an observation.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + min(budget, repeat.within)
    limit = "the repeat" if repeat.within < budget else whose
    first: Observation | None = None
    exchanges: list[Exchange] = []
    tries = 0
    while True:
        tries += 1
        observation = await walk(max(end - loop.time(), 0.0), limit)
        first = first or observation
        exchanges.extend(observation.exchanges)
        results = () if observation.failure is not None else await look(observation)
        wrong = next((one for one in results if not one.met), None)
        done = observation.failure is None and wrong is None
        if not done and not _ends(observation, repeat, tries, end - loop.time()):
            await asyncio.sleep(repeat.every)
            continue
        observation.started_ns = first.started_ns
        observation.facts.pop("total", None)
        observation.exchanges = exchanges if len(exchanges) <= MOST_KEPT else [exchanges[0], *exchanges[1 - MOST_KEPT :]]
        took = show_duration((observation.ended_ns - observation.started_ns) / 1e9)
        if done:
            observation.note = f"held at try {tries}, after {took}" if tries > 1 else observation.note
        else:
            observation.failure = _given_up(observation.failure, wrong, tries, took)
        return observation


def _ends(observation: Observation, repeat: Repeat, tries: int, left: float) -> bool:
    pointless = observation.failure is not None and observation.failure.kind in POINTLESS
    return pointless or left <= repeat.every or (repeat.at_most is not None and tries >= repeat.at_most)


def _what(failure: Failure | None, wrong: ExpectationResult | None) -> str:
    if failure is not None:
        return failure.message
    assert wrong is not None
    return f"expected {wrong.text}, got {wrong.actual}"


def _given_up(failure: Failure | None, wrong: ExpectationResult | None, tries: int, took: str) -> Failure:
    """Why the last try was the last, and how many there were."""
    many = f"{tries} tries in {took}" if tries > 1 else f"one try in {took}"
    if failure is not None:
        return replace(failure, message=f"{failure.message} ({many})") if tries > 1 else failure
    return Failure(FailureKind.EXPECTATION, f"{_what(failure, wrong)} ({many})")
