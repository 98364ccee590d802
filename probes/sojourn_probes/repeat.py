"""What several runs of the same journey have in common: times, and how often what happened."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sojourn_probes.result import RunResult, StepResult
from sojourn_probes.semconv import Outcome


@dataclass(frozen=True, slots=True)
class Times:
    """Durations in seconds. Percentiles are by nearest rank: a time that was really measured, never one between two."""

    count: int
    p50: float
    p95: float
    shortest: float
    longest: float


@dataclass(frozen=True, slots=True)
class StepSummary:
    """One step over all attempts of all runs. `times` is None when it was always skipped."""

    id: str
    name: str
    times: Times | None
    outcomes: dict[str, int]
    failures: dict[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one journey. `failures` counts runs by the kind of failure they ended with, `retried` the attempts that were tried again."""

    journey_id: str
    journey_name: str
    runs: int
    outcomes: dict[str, int]
    flaky: int
    times: Times
    failures: dict[str, int]
    retried: dict[str, int]
    steps: tuple[StepSummary, ...]


def summaries(results: Sequence[RunResult]) -> list[Summary]:
    """A summary for each journey, in the order of their first runs."""
    by_journey: dict[str, list[RunResult]] = {}
    for result in results:
        by_journey.setdefault(result.journey_id, []).append(result)
    return [_summary(runs) for runs in by_journey.values()]


def _summary(runs: Sequence[RunResult]) -> Summary:
    by_step: dict[str, list[StepResult]] = {}
    for run in runs:
        for attempt in run.attempts:
            for step in attempt.steps:
                by_step.setdefault(step.id, []).append(step)
    return Summary(
        journey_id=runs[0].journey_id,
        journey_name=runs[0].journey_name,
        runs=len(runs),
        outcomes=_counted(run.outcome for run in runs),
        flaky=sum(run.flaky for run in runs),
        times=_times([_seconds(run) for run in runs]),
        failures=_counted(run.failure.kind for run in runs if run.failure is not None),
        retried=_counted(attempt.failure.kind for run in runs for attempt in run.attempts[:-1] if attempt.failure is not None),
        steps=tuple(_step(steps) for steps in by_step.values()),
    )


def _step(steps: Sequence[StepResult]) -> StepSummary:
    walked = [_seconds(step) for step in steps if step.outcome is not Outcome.SKIPPED]
    return StepSummary(
        id=steps[0].id,
        name=steps[0].name,
        times=_times(walked) if walked else None,
        outcomes=_counted(step.outcome for step in steps),
        failures=_counted(step.failure.kind for step in steps if step.failure is not None),
    )


def _times(seconds: Sequence[float]) -> Times:
    ranked = sorted(seconds)
    return Times(len(ranked), _percentile(ranked, 50), _percentile(ranked, 95), ranked[0], ranked[-1])


def _percentile(ranked: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` of all do not exceed."""
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def _counted(words: Iterable[str]) -> dict[str, int]:
    """How often each word comes, the most frequent first."""
    return {str(word): count for word, count in Counter(words).most_common()}


def _seconds(timed: RunResult | StepResult) -> float:
    return (timed.ended_ns - timed.started_ns) / 1e9
