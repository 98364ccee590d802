"""Finds the incidents of the window, at every step of every journey."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn_collector.context import Context
from sojourn_collector.score.incidents import Incident, ProbeAtStep, find_incidents
from sojourn_collector.web.answers.looked import Looked, look
from sojourn_collector.web.answers.probes import patience
from sojourn_collector.web.answers.window import Window

LOOK_BACK = timedelta(days=1)
"""How long before the window evidence is read at first, so that an incident that began before it is seen whole."""

FARTHEST = timedelta(days=31)
"""How long before the window evidence is read at most, for an incident that goes on and on."""


@dataclass(frozen=True, slots=True)
class Found:
    """An incident and where it is."""

    journey: str
    step: str
    incident: Incident

    @property
    def id(self) -> str:
        """Stable while the incident's first evidence is: journey, step and the second it began, in UTC."""
        return f"{self.journey}.{self.step}.{self.incident.since:%Y%m%dT%H%M%SZ}"

    @property
    def seed(self) -> int:
        """Seed of the incident's draws."""
        return int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8], "big")


async def find(context: Context, window: Window, journeys: Sequence[str] = ()) -> list[Found]:
    """Incidents that reach into the window, oldest first; of these journeys only, when any are given."""
    gap = timedelta(seconds=context.impact.windows.incident_gap)
    found: list[Found] = []
    wanted, back = set(journeys), LOOK_BACK
    while True:
        since, looked = await look(context, window.since - back, window, sorted(wanted), gap)
        read = _incidents(context, looked, window, gap)
        found = sorted([*(one for one in found if one.journey not in wanted), *read], key=lambda one: one.incident.since)
        # Its beginning, and so its id, must not follow the clock: what may have begun before is read again from further back.
        first = {place: _first_by_location(at_step) for place, at_step in looked.runs.items()}
        wanted = {one.journey for one in read if one.incident.since < since + gap or _from_the_first_look(one, first)}
        if back >= FARTHEST or not wanted:
            return found
        back = min(back * 2, FARTHEST)


def _first_by_location(runs: Sequence[ProbeAtStep]) -> dict[str, ProbeAtStep]:
    """The first run read of each location."""
    first: dict[str, ProbeAtStep] = {}
    for run in runs:
        known = first.get(run.location)
        if known is None or (run.ended, run.run_id) < (known.ended, known.run_id):
            first[run.location] = run
    return first


def _from_the_first_look(found: Found, first: Mapping[tuple[str, str], Mapping[str, ProbeAtStep]]) -> bool:
    """Whether the first run read of a location is a failure of the incident: runs may be further apart than the gap."""
    seen = first.get((found.journey, found.step), {})
    return any(seen[run.location] is run for run in found.incident.failed_runs)


def _incidents(context: Context, looked: Looked, window: Window, gap: timedelta) -> list[Found]:
    failing = {place for place, runs in looked.runs.items() if not all(run.passed for run in runs)}
    return [
        Found(*place, incident)
        for place in sorted(failing | looked.hits.keys())
        for incident in find_incidents(
            looked.runs.get(place, ()), looked.hits.get(place, ()), gap=gap, now=window.until, silent_for=_patience(context, place[0], window.until, gap)
        )
        if incident.window_to >= window.since
    ]


def _patience(context: Context, journey: str, now: datetime, gap: timedelta) -> Callable[[str], timedelta]:
    """How long the newest failure of a location speaks for the present: within the gap, and while no newer run was due."""
    return lambda location: max(gap, timedelta(seconds=patience(context, journey, location, now)))
