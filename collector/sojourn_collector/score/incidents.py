"""Incidents: from what our probes and our customers met at one step to stretches of time with something wrong.

Evidence at a step is a probe run that failed there on its last attempt, or a customer who was hit there. Two pieces of evidence less
than `gap` apart belong together. Such a group is an incident when at least `MIN_HIT` persons or visits were hit in it, or a customer
was hit and a probe failed, or our probes failed there and either failed again, still do or were not heard of since. One failed probe run between two passes
with no customer hit is a blip.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

MIN_HIT = 3
"""Persons or visits hit that make an incident without any probe."""


@dataclass(frozen=True, slots=True)
class ProbeAtStep:
    """What one probe run met at the step: passed or failed on its last attempt. Runs that say nothing of the step are not given.

    `runs` = how many failures it stands for, where some close by are left out.
    """

    run_id: str
    location: str
    started: datetime
    ended: datetime
    passed: bool
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Hit:
    """One technical failure one customer met at the step. `person` is a person or, without identity, a visit."""

    at: datetime
    person: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One stretch of trouble at a step. What is not known of its ends is None; [window_from, window_to] says whom to count.

    `unknown`: the probes that saw it last fell silent, so nobody can say whether it goes on; `last_evidence` is when it was last seen.
    """

    state: Literal["failing", "over", "unknown"]
    since: datetime
    last_evidence: datetime
    until: datetime | None
    last_probe_pass: datetime | None
    first_probe_failure: datetime | None
    first_customer_hit: datetime | None
    window_from: datetime
    window_to: datetime
    failed_runs: tuple[ProbeAtStep, ...]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """Incidents at one step that nothing still to come changes, and the evidence that is needed beside what comes to find the others."""

    incidents: tuple[Incident, ...] = ()
    probes: tuple[ProbeAtStep, ...] = ()
    hits: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Evidence that hangs together: probe failures of one location until its next pass, or a single hit. No pass came: open, or silent by now."""

    start: datetime
    end: datetime
    failures: tuple[ProbeAtStep, ...] = ()
    open: bool = False
    silent: bool = False
    hits: tuple[Hit, ...] = ()


def find_incidents(
    probes: Iterable[ProbeAtStep], hits: Iterable[Hit], *, gap: timedelta, now: datetime, silent_for: Callable[[str], timedelta] | None = None
) -> list[Incident]:
    """The incidents at one step, oldest first.

    :param probes: every probe run that says something of the step, in any order, all locations.
    :param hits: every technical failure of customers there, in any order.
    :param gap: evidence closer than this belongs together; positive.
    :param now: what is asked as of; evidence after it is left out.
    :param silent_for: how long a location may be silent before a failure there is no longer known to go on; default for ever.
    :raises ValueError: when gap is not positive.
    """
    if gap <= timedelta(0):
        raise ValueError("the gap between incidents must be positive")
    runs = sorted((run for run in probes if run.ended <= now), key=lambda run: (run.ended, run.run_id))
    stretches = _probe_stretches(runs, now, silent_for) + [_Stretch(hit.at, hit.at, hits=(hit,)) for hit in hits if hit.at <= now]
    groups = _group(sorted(stretches, key=lambda stretch: stretch.start), gap)
    passes = [run for run in runs if run.passed]
    return [_incident(group, passes, gap, now) for group in groups if _counts(group)]


def settle(probes: Iterable[ProbeAtStep], hits: Iterable[Hit], *, gap: timedelta, before: datetime) -> Settled:
    """What is over and done with: its incidents and those that `find_incidents` finds in the rest with what comes are those of everything.

    :param probes: probe runs that began before that moment, all of them, as for `find_incidents`.
    :param hits: failures of customers before it, all of them.
    :param before: whatever is still to come began then or later, and is looked at as of then or later.
        Where there is no probe run at all, nothing may come but hits.
    """
    runs, met = sorted(probes, key=lambda run: (run.ended, run.run_id)), list(hits)
    early = [run for run in runs if run.ended < before]
    passes = [run for run in early if run.passed]
    stretches = _probe_stretches(early, before, None) + [_Stretch(hit.at, hit.at, hits=(hit,)) for hit in met]
    done: list[list[_Stretch]] = []
    cut: datetime | None = None
    for group in _group(sorted(stretches, key=lambda stretch: stretch.start), gap):
        end = max(stretch.end for stretch in group)
        if any(stretch.open for stretch in group) or end + gap > before or (runs and _pass_after(passes, end) is None):
            break
        done.append(group)
        cut = end
    if cut is None:
        return Settled((), tuple(runs), tuple(met))
    # The last pass before what is left says since when it may have been wrong.
    beside = bisect_left(passes, cut, key=lambda run: run.ended)
    rest = [*passes[max(0, beside - 1) : beside], *(run for run in runs if run.ended > cut or (run.passed and run.ended == cut))]
    incidents = tuple(_incident(group, passes, gap, before) for group in done if _counts(group))
    return Settled(incidents, tuple(rest), tuple(hit for hit in met if hit.at > cut))


def _probe_stretches(runs: Sequence[ProbeAtStep], now: datetime, silent_for: Callable[[str], timedelta] | None) -> list[_Stretch]:
    """Runs of failures per location; one is open while no pass of that location followed and its agent is still heard of."""
    stretches = []
    for location in sorted({run.location for run in runs}):
        failing: list[ProbeAtStep] = []
        for run in [run for run in runs if run.location == location]:
            if not run.passed:
                failing.append(run)
            elif failing:
                stretches.append(_Stretch(failing[0].started, failing[-1].ended, tuple(failing)))
                failing = []
        if failing:
            heard = silent_for is None or now - failing[-1].ended <= silent_for(location)
            stretches.append(_Stretch(failing[0].started, failing[-1].ended, tuple(failing), open=heard, silent=not heard))
    return stretches


def _group(stretches: Sequence[_Stretch], gap: timedelta) -> list[list[_Stretch]]:
    """Put stretches together that overlap or follow each other within the gap. An open stretch goes on to the end of time."""
    groups: list[list[_Stretch]] = []
    reach: datetime | None = None
    for stretch in stretches:
        if groups and (reach is None or stretch.start < reach + gap):
            groups[-1].append(stretch)
        else:
            groups.append([stretch])
            reach = stretch.end
        reach = None if stretch.open or reach is None else max(reach, stretch.end)
    return groups


def _counts(group: Sequence[_Stretch]) -> bool:
    failures = sum(run.runs for stretch in group for run in stretch.failures)
    persons = {hit.person for stretch in group for hit in stretch.hits}
    if failures and persons:
        return True
    return failures >= 2 or any(stretch.open or stretch.silent for stretch in group) or len(persons) >= MIN_HIT


def _incident(group: Sequence[_Stretch], passes: Sequence[ProbeAtStep], gap: timedelta, now: datetime) -> Incident:
    """`passes` in the order of their ends."""
    failures = sorted((run for stretch in group for run in stretch.failures), key=lambda run: (run.started, run.run_id))
    hits = sorted((hit for stretch in group for hit in stretch.hits), key=lambda hit: (hit.at, hit.person))
    first_hit = hits[0].at if hits else None
    first_failure = failures[0] if failures else None
    since = min(at for at in (first_hit, first_failure.started if first_failure else None) if at is not None)
    last = max([run.ended for run in failures] + [hit.at for hit in hits])
    before = bisect_right(passes, first_failure.started if first_failure else since, key=lambda run: run.ended)
    last_pass = passes[before - 1].ended if before else None
    after = _pass_after(passes, last)
    # Where an agent fell silent no pass of another place says that it is well again: what it saw last speaks for one gap.
    unheard = max((stretch.end + gap for stretch in group if stretch.silent), default=last)
    over = min(unheard, now) if unheard > last else after or last
    failing = any(stretch.open for stretch in group) or (bool(hits) and now - hits[-1].at < gap)
    return Incident(
        state="failing" if failing else "unknown" if unheard > last else "over",
        since=since,
        last_evidence=last,
        until=None if failing or unheard > last else over,
        last_probe_pass=last_pass,
        first_probe_failure=first_failure.started if first_failure else None,
        first_customer_hit=first_hit,
        # Who came between the last good look and the first bad one may have met it: reached, though not known to be hit.
        window_from=min(since, last_pass) if first_failure and last_pass else since,
        window_to=now if failing else over,
        failed_runs=tuple(failures),
        hits=tuple(hits),
    )


def _pass_after(passes: Sequence[ProbeAtStep], at: datetime) -> datetime | None:
    """When the first pass ended that began since then; `passes` in the order of their ends."""
    return next((passes[place].ended for place in range(bisect_left(passes, at, key=lambda run: run.ended), len(passes)) if passes[place].started >= at), None)
