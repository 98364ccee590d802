"""Walks a journey once: attempts until one passes or retries are used up. A failing journey is a result, never an exception."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sojourn_probes.attempt import NOT_OURS, Attempt, Surroundings, load_runners
from sojourn_probes.clock import Clock
from sojourn_probes.events import AttemptEnded, AttemptStarted, Event, RunEnded
from sojourn_probes.ids import RandomBytes, new_span_id, new_trace_id
from sojourn_probes.journey import Journey
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.result import AttemptResult, Failure, RunResult
from sojourn_probes.retries import Retries
from sojourn_probes.semconv import FailureKind, Outcome


async def run(
    journey: Journey,
    *,
    location: str = "local",
    names: Names,
    redact: Redactor,
    mark: Callable[[str], str] | None = None,
    tools: dict[str, Any] | None = None,
    evidence_folder: Path | None = None,
    on_event: Callable[[Event], None] | None = None,
    clock: Clock | None = None,
    random: RandomBytes = os.urandom,
) -> RunResult:
    """One walk through `journey`, with every attempt kept.

    `names` carries the run id and fills `${…}`; `redact` knows the same secrets. `mark` makes the probe mark from the run id.
    `tools` outlive runs (the warm browser, shared TLS contexts); without them the run has its own and closes them.
    `evidence_folder` takes screenshots and the like; without it none are kept. `on_event` hears what happens as it happens.
    `clock` and `random` are for tests. Only cancellation is raised.
    """
    clock = clock or Clock()
    tell = on_event or _nobody
    journey = journey.at(location)
    trace_id = new_trace_id(random)
    around = Surroundings(
        journey=journey,
        names=names,
        redact=redact,
        mark=None if mark is None else mark(names.run_id),
        tools={} if tools is None else tools,
        evidence_folder=evidence_folder,
        trace_id=trace_id,
        clock=clock,
        random=random,
        tell=tell,
    )
    load_runners(journey)
    started = clock.now_ns()
    try:
        attempts = await _attempts(journey, around)
    finally:
        if tools is None:
            await _close(around.tools)
    last = attempts[-1]
    result = RunResult(
        run_id=names.run_id,
        journey_id=journey.id,
        journey_name=journey.title,
        journey_version=journey.version,
        location=location,
        trace_id=trace_id,
        root_span_id=new_span_id(random),
        outcome=last.outcome,
        flaky=len(attempts) > 1 and last.outcome in (Outcome.PASSED, Outcome.DEGRADED),
        started_ns=started,
        ended_ns=clock.now_ns(),
        attempts=tuple(attempts),
        failure=last.failure,
        labels=dict(journey.labels),
    )
    tell(RunEnded(result))
    return result


def skipped(journey: Journey, because: str, *, location: str, run_id: str, clock: Clock | None = None, random: RandomBytes = os.urandom) -> RunResult:
    """The result of a run that was not walked, such as in maintenance; `because` is one sentence."""
    now = (clock or Clock()).now_ns()
    return RunResult(
        run_id=run_id,
        journey_id=journey.id,
        journey_name=journey.title,
        journey_version=journey.version,
        location=location,
        trace_id=new_trace_id(random),
        root_span_id=new_span_id(random),
        outcome=Outcome.SKIPPED,
        flaky=False,
        started_ns=now,
        ended_ns=now,
        attempts=(),
        note=because,
        labels=dict(journey.labels),
    )


async def _attempts(journey: Journey, around: Surroundings) -> list[AttemptResult]:
    if not journey.has_probes:
        now = around.clock.now_ns()
        nothing = Failure(FailureKind.CONFIG, f"{journey.id} has no step to probe, only customers to recognise")
        return [AttemptResult(1, Outcome.SKIPPED, now, now, (), nothing)]
    if journey.side_effects is not None and around.mark is None:
        now = around.clock.now_ns()
        unmarked = Failure(
            FailureKind.CONFIG, f"{journey.id} makes real orders and would make them unmarked; give a probe key, so that they never count as business"
        )
        return [AttemptResult(1, Outcome.INCONCLUSIVE, now, now, (), unmarked)]
    attempts: list[AttemptResult] = []
    while True:
        number = len(attempts) + 1
        around.tell(AttemptStarted(number))
        result = await Attempt(number, around).walk()
        attempts.append(result)
        again = _again(result.failure, number, journey.retries)
        around.tell(AttemptEnded(result, again))
        if not again:
            return attempts
        await asyncio.sleep(journey.retries.backoff.seconds(number, int.from_bytes(around.random(2)) / 65535))


async def _close(tools: dict[str, Any]) -> None:
    """End what the runners made for this run alone."""
    for tool in tools.values():
        if (close := getattr(tool, "aclose", None)) is not None:
            await close()


def _again(failure: Failure | None, number: int, retries: Retries) -> bool:
    if failure is None or number > retries.max:
        return False
    return failure.kind in retries.only_on if retries.only_on else failure.kind not in NOT_OURS


def _nobody(event: Event) -> None:
    """Takes events when nobody listens."""
