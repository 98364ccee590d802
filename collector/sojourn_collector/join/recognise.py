"""Recognising real runs: which journeys a session walked, how far it came and what failed on the way. Pure.

The same signals give the same runs, whatever their order and however often each is given; time only settles what is unsettled.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sojourn_collector.join.plan import JourneyPlan, Pattern
from sojourn_collector.join.real_run import RealRun, real_run
from sojourn_collector.join.signals import SHOWS_A_STEP, Signal, SignalKind
from sojourn_collector.join.walk import Walk
from sojourn_probes.addresses import is_listed

_DOINGS = (SignalKind.FETCH, SignalKind.ACTION, SignalKind.EXCEPTION)
"""What shows that somebody is at the page: it asks for something, or breaks while used. Vitals are reported by a page nobody looks at."""


def recognise(session_id: str, app: str, signals: Iterable[Signal], plans: Sequence[JourneyPlan], *, abandon: int, now: int) -> list[RealRun]:
    """The real runs of one whole session, by journey and start.

    `abandon` is the idle time in milliseconds after which a walk is given up; `now`, in milliseconds since the epoch,
    decides whether the last walk of a journey may still go on.
    """
    ordered = sorted(set(signals))
    runs = []
    for plan in plans:
        if plan.app and plan.app != app:
            continue
        for walk in _walks(plan, _as_seen_by(plan, ordered), abandon):
            settled = walk.finished_at is not None or walk.closed or now - walk.last_seen >= abandon
            runs.append(real_run(session_id, walk, settled=settled))
    return sorted(runs, key=lambda run: (run.journey, run.started))


def _as_seen_by(plan: JourneyPlan, signals: list[Signal]) -> list[Signal]:
    """The signals, those asked of the journey's own origins no longer foreign."""
    if not plan.origins:
        return signals
    return [replace(signal, foreign=False) if signal.foreign and is_listed(signal.origin, plan.origins) else signal for signal in signals]


def _walks(plan: JourneyPlan, signals: Sequence[Signal], abandon: int) -> Iterator[Walk]:
    """Cut a session into walks: one ends when it is finished, or when nothing of it happened for longer than `abandon`."""
    walk: Walk | None = None
    tail = _Tail(plan)
    finished: Walk | None = None
    cart = (-1.0, "")
    for signal in signals:
        if signal.cart_value >= 0:
            cart = (signal.cart_value, signal.cart_currency)
        if walk is not None and (signal.at - walk.last_seen > abandon or _starts_over(walk, signal)):
            away = not _starts_over(walk, signal)
            walk.closed = True
            yield walk
            walk = None
            if away and signal.kind in _DOINGS and not _opens(plan, signal):
                back = Walk(plan, started=signal.at, last_seen=signal.ended)
                walk = back if back.resume(signal, cart) else None
                if walk is not None:
                    continue
        if walk is None:
            if finished is not None and signal.kind is SignalKind.VITAL:
                finished.late_vital(signal)
            if tail.covers(signal) or not _opens(plan, signal):
                continue
            walk = Walk(plan, started=signal.at, last_seen=signal.ended)
        walk.take(signal, cart)
        if walk.finished_at is not None:
            # Handed out at the end of the session: a late vital may still come.
            if finished is not None:
                yield finished
            finished, walk = walk, None
            tail.begin(signal.page)
    if finished is not None:
        yield finished
    if walk is not None:
        yield walk


def _opens(plan: JourneyPlan, signal: Signal) -> bool:
    """Whether a walk begins here: any step may be the first one seen. `done` alone begins one only where nothing else can."""
    if signal.kind not in SHOWS_A_STEP:
        return False
    for step in plan.steps:
        pattern = step.reached or step.done
        if pattern is not None and pattern.matches(signal):
            return True
    return False


def _starts_over(walk: Walk, signal: Signal) -> bool:
    """Whether a walk whose last step is done by being reached begins anew: its customer is back at an earlier step."""
    if signal.kind not in SHOWS_A_STEP or not walk.ends_on_arrival():
        return False
    return any(step.reached is not None and step.reached.matches(signal) for step in walk.plan.steps[:-1])


class _Tail:
    """What follows a finish on the last step's own pages, such as the thank-you page under `/checkout/*`: it begins no new walk."""

    def __init__(self, plan: JourneyPlan) -> None:
        self._pattern: Pattern | None = plan.steps[-1].reached
        self._inside = False

    def begin(self, page: str) -> None:
        """The walk finished on `page`."""
        self._inside = self._pattern is not None and self._pattern.covers(page)

    def covers(self, signal: Signal) -> bool:
        """Whether `signal` is still part of the finish. The first page view elsewhere ends the tail."""
        if self._inside and signal.kind is SignalKind.PAGE_VIEW and self._pattern is not None and not self._pattern.covers(signal.page):
            self._inside = False
        return self._inside and signal.kind is SignalKind.PAGE_VIEW
