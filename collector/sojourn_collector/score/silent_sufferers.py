"""Silent sufferers: valuable customers who were badly hit and said nothing. Definition: docs/methods.md."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.severities import RECOVERED

TOP, WAIT = 80.0, 72 * 3600.0
"""Where impact.yaml says nothing else: the percentile of worth from which on somebody is in the list, and the seconds they have said nothing."""

LEAST_IN_SEGMENT = 5
"""People of a segment with a known worth, below which its 80th percentile says nothing and all segments stand in."""


@dataclass(frozen=True, slots=True)
class Hurt:
    """One person hit: mark of the worst they met, worth before it (None = unknown), when first hit, and when they last spoke anywhere."""

    person: str
    severity: float
    worth: float | None
    hit_at: float
    segment: str = ""
    spoke_at: float | None = None
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """Who is worth a call, most valuable first, and the sentences that bound the list."""

    people: tuple[Hurt, ...]
    notes: tuple[str, ...]


def silent_sufferers(
    hurt: Iterable[Hurt],
    worths: Iterable[tuple[str, float]],
    now: float,
    *,
    unlinked: int = 0,
    least: float = RECOVERED,
    top: float = TOP,
    wait: float = WAIT,
) -> Silent:
    """Find them.

    :param worths: segment and worth of every active customer, hit or not: what is a high worth is relative to them.
    :param now: epoch seconds.
    :param unlinked: feedback, tickets and mentions since then that are linked to nobody: each may be one of theirs.
    :param least: mark of what somebody met at least.
    :param top: percentile of their segment's worth from which on somebody is in the list.
    :param wait: seconds; who was hit less than that ago may still speak.
    """
    listed = [one for one in hurt if one.severity >= least]
    bars = _bars(worths, top)
    waiting = sum(now - one.hit_at < wait for one in listed)
    refused = [one for one in listed if _suffers(one, bars, now - wait) and not one.consent]
    found = sorted((one for one in listed if _suffers(one, bars, now - wait) and one.consent), key=lambda one: (-(one.worth or 0.0), one.person))
    unknown = sum(one.worth is None for one in listed)
    notes = []
    if not bars:
        notes.append("nobody's worth is known: send orders or accounts with their mrr")
    if waiting:
        notes.append(f"{waiting} were hit less than {_said(wait)} ago and may still speak")
    if refused:
        notes.append(f"{len(refused)} more gave no consent and are not named")
    if unknown:
        notes.append(f"{unknown} badly hit have no known worth")
    if unlinked:
        notes.append(f"{unlinked} answers and tickets are linked to nobody; up to {min(unlinked, len(found))} of these people may have spoken in them")
    return Silent(tuple(found), tuple(notes))


def _said(seconds: float) -> str:
    return f"{seconds / 3600:g} hours" if seconds >= 3600 else f"{seconds:g} seconds"


def _bars(worths: Iterable[tuple[str, float]], top: float) -> dict[str, float]:
    by_segment: dict[str, list[float]] = defaultdict(list)
    for segment, worth in worths:
        by_segment[segment].append(worth)
    everyone = [worth for values in by_segment.values() for worth in values]
    if not everyone:
        return {}
    bars = {segment: float(np.percentile(values, top)) for segment, values in by_segment.items() if len(values) >= LEAST_IN_SEGMENT}
    return defaultdict(lambda: float(np.percentile(everyone, top)), bars)


def _suffers(one: Hurt, bars: dict[str, float], until: float) -> bool:
    spoke = one.spoke_at is not None and one.spoke_at > one.hit_at
    return one.hit_at <= until and not spoke and bool(bars) and one.worth is not None and one.worth > 0 and one.worth >= bars[one.segment]
