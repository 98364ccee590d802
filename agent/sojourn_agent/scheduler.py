"""When journeys are walked: each at its interval, spread out, never twice at once, bounded in number, however late the host is.

The first run comes within 15 s of the start. After it a journey keeps to a grid: the same moments of each interval, shifted by a
phase that depends on journey and location only, so that agents and journeys spread and a restart does not move them.
A journey with a `schedule` is walked at its moments, each a few seconds late by the same phase.
"""

import asyncio
import hashlib
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from sojourn_probes import schedule
from sojourn_probes.clock import Clock
from sojourn_probes.journey import Journey

FIRST_WITHIN: Final = 15.0
SPREAD: Final = 5.0
"""Seconds over which journeys of the same schedule are spread."""

_MOST_COUNTED: Final = 1000

log = logging.getLogger(__name__)


class Timer(Protocol):
    """A clock one can wait on."""

    def now(self) -> float:
        """Seconds since the epoch, only ever forward."""
        ...

    async def wait(self, event: asyncio.Event, until: float) -> None:
        """Return when `event` is set or the clock shows `until`."""
        ...


class WallTimer:
    """The real one: the wall once at the start, monotonic after it, so that a stepped clock moves no run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds since the epoch, only ever forward."""
        return self._clock.now_ns() / 1e9

    async def wait(self, event: asyncio.Event, until: float) -> None:
        """Return when `event` is set or the clock shows `until`."""
        try:
            async with asyncio.timeout(max(0.0, until - self.now())):
                await event.wait()
        except TimeoutError:
            return


@dataclass(slots=True)
class _Entry:
    """A journey being kept. `changed` wakes it: another definition, or the end."""

    journey: Journey
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    running: bool = False


Walk = Callable[[Journey, float], Awaitable[None]]
"""Walks a journey once; the number is the seconds it started after its time."""


class Scheduler:
    """Calls `walk` for each journey it was given by `keep`. Use `run` as the task that lives as long as it does; `stop` ends it."""

    def __init__(self, walk: Walk, timer: Timer, *, location: str, at_once: int = 20) -> None:
        self._walk = walk
        self._timer = timer
        self._location = location
        self._slots = asyncio.Semaphore(at_once)
        self._entries: dict[str, _Entry] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.missed = 0
        self.crashed = 0
        self.lag = 0.0

    def keep(self, journeys: Iterable[Journey]) -> None:
        """Walk these journeys from now on. One that is new starts, one that is gone ends after the run it is in, a changed one changes with its next run."""
        wanted = {journey.id: journey for journey in journeys}
        for journey_id in [known for known in self._entries if known not in wanted]:
            entry = self._entries.pop(journey_id)
            entry.ended = True
            entry.changed.set()
        for journey in wanted.values():
            known = self._entries.get(journey.id)
            if known is None:
                self._start(journey)
            elif known.journey.version != journey.version:
                known.journey = journey
                known.changed.set()

    @property
    def running(self) -> int:
        """How many runs go on now."""
        return sum(entry.running for entry in self._entries.values())

    @property
    def journeys(self) -> list[Journey]:
        """What is walked."""
        return [entry.journey for entry in self._entries.values()]

    async def stop(self, grace: float) -> int:
        """Start nothing more; runs going on have `grace` seconds, then they are cancelled. Returns how many were."""
        self.keep(())
        if not self._tasks:
            return 0
        _, late = await asyncio.wait(self._tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    def _start(self, journey: Journey) -> None:
        entry = self._entries[journey.id] = _Entry(journey)
        task = asyncio.create_task(self._keep_one(entry), name=f"journey {journey.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_one(self, entry: _Entry) -> None:
        due = first_due(entry.journey, self._location, self._timer.now())
        while not entry.ended:
            await self._timer.wait(entry.changed, due)
            if entry.changed.is_set():
                entry.changed.clear()
                due = min(due, first_due(entry.journey, self._location, self._timer.now()))
                continue
            async with self._slots:
                if entry.ended:
                    return
                journey = entry.journey
                self.lag = max(0.0, self._timer.now() - due)
                entry.running = True
                try:
                    await self._walk(journey, self.lag)
                except Exception:
                    # A fault of ours in one run must not end this journey for good, nor the others.
                    self.crashed += 1
                    log.exception("a run of journey %s ended in a fault of the agent's own", journey.id)
                finally:
                    entry.running = False
            due = self._following(journey, due)

    def _following(self, journey: Journey, due: float) -> float:
        now = self._timer.now()
        following = next_due(journey, self._location, due)
        if following > now:
            return following
        late = next_due(journey, self._location, now)
        self.missed += missed_between(journey, following, late)
        return late


def phase(journey: Journey, location: str) -> float:
    """Where in its interval a journey is walked at a location, 0 ≤ phase < 1."""
    digest = hashlib.sha256(f"{journey.id}\0{location}".encode()).digest()
    return int.from_bytes(digest[:6]) / (1 << 48)


def first_due(journey: Journey, location: str, now: float) -> float:
    """When a journey taken up `now` (seconds) is walked first."""
    if journey.schedule is not None:
        return next_due(journey, location, now)
    return now + phase(journey, location) * min(journey.interval, FIRST_WITHIN)


def next_due(journey: Journey, location: str, after: float) -> float:
    """The first moment of the journey's grid at least half an interval after `after` (seconds since the epoch), or the next of its schedule."""
    if journey.schedule is not None:
        late = phase(journey, location) * SPREAD
        # Half a second on, so that no rounding gives the moment just taken again.
        return schedule.following(journey.schedule, journey.timezone, after - late + 0.5) + late
    shift = phase(journey, location) * journey.interval
    return math.ceil((after + journey.interval / 2 - shift) / journey.interval) * journey.interval + shift


def missed_between(journey: Journey, first: float, taken: float) -> int:
    """How many moments from `first` on went by before the one at `taken`."""
    if journey.schedule is None:
        return round((taken - first) / journey.interval)
    count = 0
    while first < taken - SPREAD and count < _MOST_COUNTED:
        first = schedule.following(journey.schedule, journey.timezone, first)
        count += 1
    return count
