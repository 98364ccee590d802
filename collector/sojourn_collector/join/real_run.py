"""What recognition yields: real runs and their steps, with marks of what was met as `score/severities.py` has them."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from sojourn_collector.join.signals import Signal
from sojourn_collector.join.walk import ArrivalAtStep, StepVisit, Walk
from sojourn_collector.score.severities import BLOCKED, LEFT, RECOVERED, SLOW


@dataclass(frozen=True, slots=True)
class RealStep:
    """One step of a real run, reached at least once. Times are milliseconds since the epoch; `done_at` None = not done."""

    id: str
    name: str
    number: int
    arrivals: tuple[int, ...]
    failures: tuple[int, ...]
    done_at: int | None
    last_seen: int
    hit: bool
    slow: bool
    recovered: bool
    stopped: bool
    severity: float
    outcome: str
    failure: Signal | None
    lcp_ms: float
    load_ms: float
    cart_value: float
    cart_currency: str


@dataclass(frozen=True, slots=True)
class RealRun:
    """One stretch of one session. `end` is finished, gave_up, stopped or, while unsettled, trying."""

    run_id: str
    journey: str
    journey_version: str
    started: int
    ended: int
    settled: bool
    end: str
    outcome: str
    severity: float
    failure_step: str
    failure: Signal | None
    steps: tuple[RealStep, ...]
    trace_ids: tuple[str, ...]


def real_run(session_id: str, walk: Walk, *, settled: bool) -> RealRun:
    """Read a walk out. `settled`: it finished, or nothing more is to be expected of it."""
    finished = walk.finished_at is not None or (settled and walk.ends_on_arrival())
    visits = [walk.visits[index] for index in sorted(walk.visits)]
    steps = tuple(_step(visit, last=visit.plan is walk.plan.steps[-1], finished=finished, settled=settled) for visit in visits)
    failed_first = min((step for step in steps if step.failures), key=lambda step: (step.failures[0], step.number), default=None)
    return RealRun(
        run_id=str(uuid5(NAMESPACE_URL, f"{session_id}/{walk.plan.id}/{walk.started}")),
        journey=walk.plan.id,
        journey_version=walk.plan.version,
        started=walk.started,
        ended=walk.finished_at if walk.finished_at is not None else walk.last_seen,
        settled=settled,
        end=_end(steps, finished=finished, settled=settled),
        outcome=_outcome(any(s.stopped for s in steps), any(s.hit or s.slow for s in steps)),
        severity=max(step.severity for step in steps),
        failure_step=failed_first.id if failed_first else "",
        failure=failed_first.failure if failed_first else None,
        steps=steps,
        trace_ids=tuple(walk.trace_ids),
    )


def _step(visit: StepVisit, *, last: bool, finished: bool, settled: bool) -> RealStep:
    failing = [arrival for arrival in visit.arrivals if arrival.failure is not None]
    first = failing[0].failure if failing else None
    dones = list(visit.dones)
    if last and finished and not dones:
        dones.append(visit.arrivals[-1].at)
    hit = first is not None
    passed = bool(dones) or finished
    stopped = hit and settled and not passed and visit.arrivals[-1].failing
    slow = any(_slow(arrival, visit) for arrival in visit.arrivals)
    return RealStep(
        id=visit.plan.id,
        name=visit.plan.name,
        number=visit.plan.number,
        arrivals=tuple(arrival.at for arrival in visit.arrivals),
        failures=_failure_times(visit.arrivals),
        done_at=dones[0] if dones else None,
        last_seen=visit.last_seen,
        hit=hit,
        slow=slow,
        recovered=first is not None and (finished or any(done >= first.at for done in dones)),
        stopped=stopped,
        severity=_severity(hit=hit, slow=slow, stopped=stopped, left=settled and not finished),
        outcome=_outcome(stopped, hit or slow),
        failure=first,
        lcp_ms=next((arrival.lcp for arrival in visit.arrivals if arrival.lcp), 0.0),
        load_ms=next((arrival.load for arrival in visit.arrivals if arrival.load), 0.0),
        cart_value=max(0.0, visit.cart_value),
        cart_currency=visit.cart_currency,
    )


def _severity(*, hit: bool, slow: bool, stopped: bool, left: bool) -> float:
    """The mark of the worst technical experience, never a sum. Of an unsettled run the least it can still come to."""
    if stopped:
        return BLOCKED
    if hit:
        return LEFT if left else RECOVERED
    return SLOW if slow else 0.0


def _slow(arrival: ArrivalAtStep, visit: StepVisit) -> bool:
    lcp, load = visit.plan.lcp_limit, visit.plan.load_limit
    return (lcp is not None and arrival.lcp > lcp) or (load is not None and arrival.load > load)


def _failure_times(arrivals: list[ArrivalAtStep]) -> tuple[int, ...]:
    """When each failing arrival's failure was felt: at the end of the request, but before the next arrival; in another tab also after it."""
    times = []
    for index, arrival in enumerate(arrivals):
        if arrival.failure is not None:
            ended = arrival.failure.ended
            if index + 1 < len(arrivals) and arrival.failure.at < arrivals[index + 1].at:
                ended = min(ended, arrivals[index + 1].at - 1)
            times.append(max(arrival.at, ended))
    return tuple(sorted(times))


def _end(steps: tuple[RealStep, ...], *, finished: bool, settled: bool) -> str:
    if finished:
        return "finished"
    if not settled:
        return "trying"
    return "stopped" if any(step.stopped for step in steps) else "gave_up"


def _outcome(stopped: bool, troubled: bool) -> str:
    if stopped:
        return "failed"
    return "degraded" if troubled else "passed"
