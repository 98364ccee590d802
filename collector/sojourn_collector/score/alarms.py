"""When newly hit customers are an alarm: a CUSUM over those who came to a step, against the upper end of what is usual at that hour, then a gate.

Definition and sources: docs/methods.md. The budget is of the whole installation: how many false alarms a week all steps together may raise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log1p
from typing import NamedTuple

from sojourn_collector.score.intervals import wilson, wilson_counts
from sojourn_collector.score.sequential import Cusum, cusum

ENOUGH_USUAL = 100
"""People of whom a share of usual is read off; with fewer in the hours of the same block all hours are taken, with fewer in all the step is not watched."""

LEFT_OUT = 0.1
"""Share of the hours, the worst, that are not usual: last week's outage would else hide the next one."""

BLOCK = 4
"""Hours of the day that are one block."""

OUTAGE = 0.3
"""Share hit that the second sum is quickest at: by the first alone an outage where next to nobody is usually hit would take ten people."""

SURELY_WELL = 3.0
"""An alarm is over when so many came well since the last who was hit that there was a chance of 1 in 20 (e to the minus 3) of it; or by its sums."""

FALSE_PER_WEEK, IMPACT, FACTOR = 1.0, 5.0, 3.0
"""Where impact.yaml says nothing else: false alarms a week, impact that wakes, and how many times its usual share the first sum is quickest at."""

Block = tuple[int, bool]


class Minute(NamedTuple):
    """Who came within a minute: how many, of them newly hit, of those known as persons, and Σ severity. `at` in seconds since 1970."""

    at: float
    people: int
    hit: int
    persons: int
    severity: float


class Share(NamedTuple):
    """Hit of how many."""

    hit: int
    people: int


@dataclass(frozen=True, slots=True)
class Budget:
    """False alarms that all steps together may raise in a week, and what the first sum is quickest at. Who is woken: `sequential.worth_waking`."""

    false_per_week: float = FALSE_PER_WEEK
    factor: float = FACTOR


@dataclass(frozen=True, slots=True)
class Met:
    """Those who came since the sum last left 0, at `since`; `raised` = when it alarmed. Impact is 0–100."""

    since: float
    raised: float | None
    people: int
    hit: int
    persons: int
    impact: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Watched:
    """How a step stands now: the sum and the threshold it alarms at, what is usual at this hour, and who was met; None while nothing is beyond the usual."""

    total: float
    threshold: float
    usual: Share
    met: Met | None = None
    alarmed: bool = False


def block_of(hour: int, weekend: bool) -> Block:
    """Which hours are alike: four of the day, of working days or of weekends."""
    return hour // BLOCK, weekend


def usual_shares(hours: Mapping[Block, Sequence[Share]]) -> dict[Block | None, Share]:
    """What is usual by block, and under None of all hours; empty where too few came.

    :param hours: each past hour of each block.
    """
    told: dict[Block | None, Share] = {block: _pooled(those) for block, those in hours.items()}
    told[None] = _pooled([one for those in hours.values() for one in those])
    return {block: share for block, share in told.items() if share.people >= ENOUGH_USUAL} if told[None].people >= ENOUGH_USUAL else {}


def _pooled(hours: Sequence[Share]) -> Share:
    kept = sorted((one for one in hours if one.people), key=lambda one: one.hit / one.people)[: max(1, round((1 - LEFT_OUT) * len(hours)))]
    return Share(sum(one.hit for one in kept), sum(one.people for one in kept))


@dataclass(slots=True)
class _Stretch:
    """Since the sum last left 0: when, when it alarmed, who came, and how many of them well after the last who was hit."""

    since: float | None = None
    raised: float | None = None
    people: int = 0
    hit: int = 0
    persons: int = 0
    severity: float = 0.0
    well: int = 0

    def add(self, minute: Minute) -> None:
        self.since = minute.at if self.since is None else self.since
        self.people, self.hit, self.persons = self.people + minute.people, self.hit + minute.hit, self.persons + minute.persons
        self.severity += minute.severity
        self.well = 0 if minute.hit else self.well + minute.people

    def surely_well(self, least: float) -> bool:
        """Whether so many came well since that it would be strange if still the smallest share were hit that those before them allow, or `least`."""
        met = self.people - self.well
        share = max(least, wilson_counts(self.hit, met)[0] if met else 0.0)
        return -self.well * log1p(-share) >= SURELY_WELL


def watch(
    minutes: Iterable[Minute],
    usual: Mapping[Block | None, Share],
    block: Callable[[float], Block],
    *,
    streams: int,
    weekly: float,
    budget: Budget,
) -> Watched:
    """Run the sum over a step's minutes.

    :param minutes: in the order of time.
    :param usual: as of `usual_shares`, not empty.
    :param block: the block of a moment.
    :param streams: steps watched at once.
    :param weekly: people who come to one of them in a week, on average.
    """
    sums = {key: _both(share, streams, max(1.0, weekly / budget.false_per_week), budget.factor) for key, share in usual.items()}
    now, key, met = sums[None], None, _Stretch()
    for minute in minutes:
        here = block(minute.at)
        key = here if here in sums else None
        now = tuple(replace(one, p0=to.p0, p1=to.p1).counted(minute.hit, minute.people) for one, to in zip(now, sums[key], strict=True))
        met.add(minute)
        alarmed = any(one.alarmed for one in now)
        over = met.raised is not None and (not alarmed or met.surely_well(now[0].p1))
        if over or not any(one.total for one in now):
            now, met = tuple(replace(one, total=0.0, alarmed=False) for one in now), _Stretch()
        elif alarmed and met.raised is None:
            met.raised = minute.at
    nearest = max(now, key=lambda one: one.total)
    alarmed = any(one.alarmed for one in now)
    if met.since is None:
        return Watched(0.0, nearest.threshold, usual[key])
    mean = min(1.0, met.severity / met.people)
    low, high = (100 * end for end in wilson(mean, met.people))
    told = Met(met.since, met.raised, met.people, met.hit, met.persons, 100 * mean, low, high)
    return Watched(nearest.total, nearest.threshold, usual[key], told, alarmed)


def _both(share: Share, streams: int, people: float, factor: float) -> tuple[Cusum, ...]:
    """One sum for a share that is `factor` times the usual one, one for an outage, each with half of the budget."""
    mild = cusum(*share, streams=2 * streams, people_per_false_alarm=people, factor=factor)
    return mild, replace(mild, p1=max(mild.p1, OUTAGE))


def usually(share: Share) -> tuple[float, float]:
    """The usual share hit, and the upper end of its 95 % interval, which the sum goes by."""
    return share.hit / share.people, wilson_counts(share.hit, share.people)[1]
