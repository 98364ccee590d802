"""A journey as recognition needs it: its steps that customers can be seen in, and what counts as slow there."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sojourn_collector.join.signals import Signal, SignalKind
from sojourn_probes.addresses import origin_of

_MOST_PAGES = 256
"""Pages a pattern remembers its verdict on: those of a visit or two, so that each is held against it once and not at every signal."""


class PagePattern(Protocol):
    """A page pattern of the journey file: `*` within a path segment, `**` across, the query ignored."""

    def matches_path(self, path: str) -> bool:
        """Whether `path` fits."""
        ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for in the signals: a page that is viewed, or an event or conversion by name."""

    page: PagePattern | None = None
    event: str = ""
    _verdicts: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def matches(self, signal: Signal) -> bool:
        """Whether `signal` is what we look for."""
        if signal.kind is SignalKind.PAGE_VIEW:
            return self.covers(signal.page)
        return signal.kind in (SignalKind.EVENT, SignalKind.CONVERSION) and self.event != "" and signal.name == self.event

    def covers(self, path: str) -> bool:
        """Whether `path` is a page we look for."""
        if self.page is None or path == "":
            return False
        verdict = self._verdicts.get(path)
        if verdict is None:
            if len(self._verdicts) >= _MOST_PAGES:
                self._verdicts.clear()
            verdict = self._verdicts[path] = self.page.matches_path(path)
        return verdict


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step customers can be seen in. `number` counts all steps of the journey from 1; limits are milliseconds, None = none."""

    id: str
    name: str
    number: int
    reached: Pattern | None
    done: Pattern | None
    lcp_limit: float | None = None
    load_limit: float | None = None


@dataclass(frozen=True, slots=True)
class JourneyPlan:
    """A journey with at least one such step. `app` "" means any app; failures of `origins` stop its customers, whatever pages they came from."""

    id: str
    version: str
    app: str
    steps: tuple[StepPlan, ...]
    origins: tuple[str, ...] = ()


def plan_of(journey: Any) -> JourneyPlan | None:
    """The plan of a `sojourn_probes.journey.Journey`; None when none of its steps has a `customers` part.

    The last step without `done` of its own is done by the journey's goal event.
    """
    steps = [_step(number, step) for number, step in enumerate(journey.steps, start=1) if step.customers is not None]
    if not steps:
        return None
    last = steps[-1]
    if last.done is None and journey.goal is not None and journey.goal.event:
        goal = Pattern(event=journey.goal.event)
        steps[-1] = StepPlan(last.id, last.name, last.number, last.reached, goal, last.lcp_limit, last.load_limit)
    app = getattr(journey.customers, "app", None) if journey.customers is not None else None
    return JourneyPlan(journey.id, journey.version, app or "", tuple(steps), _origins(journey))


def plans_of(journeys: Iterable[Any]) -> tuple[JourneyPlan, ...]:
    """The plans of all journeys that customers can be seen in, by journey id."""
    plans = (plan_of(journey) for journey in journeys)
    return tuple(sorted((plan for plan in plans if plan is not None), key=lambda plan: plan.id))


def _origins(journey: Any) -> tuple[str, ...]:
    """Where its probes go, and what it lists. An address that holds a name, such as `${env.SHOP_URL}`, is known to agents only."""
    urls = [journey.base_url, *(override.base_url for override in journey.overrides.values())]
    urls += [first() for step in journey.steps if (first := getattr(step.part, "first_url", None)) is not None]
    own = (origin_of(url) for url in urls if url and "${" not in url)
    listed = journey.customers.origins if journey.customers is not None else ()
    return tuple(dict.fromkeys((*(origin for origin in own if origin), *listed)))


def _step(number: int, step: Any) -> StepPlan:
    customers = step.customers
    return StepPlan(
        id=step.id,
        name=step.name or step.id,
        number=number,
        reached=_pattern(customers.reached),
        done=_pattern(customers.done),
        lcp_limit=_limit(step.degraded_if, "lcp"),
        load_limit=_limit(step.degraded_if, "total"),
    )


def _pattern(match: Any) -> Pattern | None:
    if match is None:
        return None
    return Pattern(page=match if match.page else None, event=match.event or "")


def _limit(expectations: Iterable[Any], source: str) -> float | None:
    """The smallest `source > limit` in milliseconds. Other comparisons say nothing about slowness."""
    limits = [_milliseconds(e.target) for e in expectations if e.source == source and e.comparison in (">", ">=") and not e.negated]
    return min((limit for limit in limits if limit is not None), default=None)


def _milliseconds(target: Any) -> float | None:
    """Durations of the journey language are seconds."""
    return float(target) * 1000 if isinstance(target, (int, float)) and not isinstance(target, bool) else None
