"""Finds the incidents of the window, at every step of every journey, or one by its id."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sojourn_collector.context import Context
from sojourn_collector.score.incidents import Incident, ProbeAtStep, find_incidents
from sojourn_collector.web.answers.looked import Looked, look
from sojourn_collector.web.answers.probes import patience
from sojourn_collector.web.answers.window import EARLIEST, LONGEST, Window

LOOK_BACK = timedelta(days=1)
"""How long before the window evidence is read at first, so that an incident that began before it is seen whole."""

FARTHEST = timedelta(days=31)
"""How long before the window evidence is read at most, for an incident that goes on and on."""

SHOWN_FINAL = timedelta(days=1)
"""How long a problem stays once its money is final."""

_BEGAN = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Found:
    """An incident and where it is."""

    journey: str
    step: str
    incident: Incident

    @property
    def id(self) -> str:
        """Stable while the incident's first evidence is: journey, step and the second it began, in UTC."""
        return f"{self.journey}.{self.step}.{self.incident.since:{_BEGAN}}"

    @property
    def seed(self) -> int:
        """Seed of the incident's draws."""
        return int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:8], "big")


def shown_until(incident: Incident, outcome: timedelta) -> datetime | None:
    """Until when a report of no window in particular tells it: a day after everyone hit has had their time to come back and pay; None while it goes on."""
    if incident.state == "failing":
        return None
    paid_by = incident.hits[-1].at + outcome if incident.hits else incident.window_to
    return max(incident.window_to, paid_by) + SHOWN_FINAL


async def find_one(context: Context, ident: str, now: datetime) -> tuple[Found, Window] | None:
    """The incident of this id and the time it was looked for in, however long ago it was; None when there is none.

    Late data and erasures may move an incident's beginning, and with it the id: an id leads to the incident that goes on where it began.
    """
    # The id is journey, step and time, of which neither of the last two holds a dot.
    journey, _, rest = ident.rpartition(".")[0].rpartition(".")
    try:
        began = datetime.strptime(ident.rpartition(".")[2], _BEGAN).replace(tzinfo=UTC)
    except ValueError:
        return None
    if not journey or not EARLIEST <= began <= now:
        return None
    window, gap = Window(began, min(now, began + LONGEST), now), timedelta(seconds=context.impact.windows.incident_gap)
    here = [one for one in await find(context, window, [journey]) if one.step == rest]
    same = [one for one in here if one.id == ident] or [one for one in here if one.incident.since - gap < began <= one.incident.window_to]
    return (same[-1], window) if same else None


async def find(context: Context, window: Window, journeys: Sequence[str] = (), late: timedelta = timedelta()) -> list[Found]:
    """Incidents that reach into the window, oldest first; of these journeys only, when any are given. Where it `stays`, those still to be shown too.

    :param late: how much later than they happen orders are known.
    """
    gap = timedelta(seconds=context.impact.windows.incident_gap)
    outcome = timedelta(seconds=context.impact.windows.outcome)
    earliest = min(window.since, window.until - SHOWN_FINAL - outcome - late) if window.stays else window.since
    found: list[Found] = []
    wanted, back = set(journeys), LOOK_BACK
    while True:
        since, looked = await look(context, earliest - back, window, sorted(wanted), gap)
        read = _incidents(context, looked, window, gap, late)
        found = sorted([*(one for one in found if one.journey not in wanted), *read], key=lambda one: one.incident.since)
        # Its beginning, and so its id, must not follow the clock: what may have begun before is read again from further back.
        wanted = {one.journey for one in read if one.incident.since < since + gap or _from_the_first_look(one, looked.first)}
        if back >= FARTHEST or not wanted:
            return found
        back = min(back * 2, FARTHEST)


def _from_the_first_look(found: Found, first: Mapping[tuple[str, str], Mapping[str, ProbeAtStep]]) -> bool:
    """Whether the first run read of a location is a failure of the incident: runs may be further apart than the gap."""
    seen = first.get((found.journey, found.step), {})
    return any(seen[run.location] is run for run in found.incident.failed_runs)


def _incidents(context: Context, looked: Looked, window: Window, gap: timedelta, late: timedelta) -> list[Found]:
    outcome = timedelta(seconds=context.impact.windows.outcome)

    def wanted(incident: Incident) -> bool:
        until = shown_until(incident, outcome) if window.stays else None
        return incident.window_to >= window.since or (until is not None and until + late >= window.until)

    failing = {place for place, runs in looked.runs.items() if not all(run.passed for run in runs)}
    return [
        Found(*place, incident)
        for place in sorted(failing | looked.hits.keys() | looked.settled.keys())
        for incident in (
            *looked.settled.get(place, ()),
            *find_incidents(
                looked.runs.get(place, ()), looked.hits.get(place, ()), gap=gap, now=window.until, silent_for=_patience(context, place[0], window.until, gap)
            ),
        )
        if wanted(incident)
    ]


def _patience(context: Context, journey: str, now: datetime, gap: timedelta) -> Callable[[str], timedelta]:
    """How long the newest failure of a location speaks for the present: within the gap, and while no newer run was due."""
    return lambda location: max(gap, timedelta(seconds=patience(context, journey, location, now)))
