"""Evidence of trouble over a stretch of time: what probes and customers met at every step. Of whole days that are over it is remembered, until one changes."""

import asyncio
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.join.worker import VERSION
from sojourn_collector.score.incidents import Hit, ProbeAtStep
from sojourn_collector.web.answers.probe_evidence import EDGES, Place, probe_evidence
from sojourn_collector.web.answers.times import EPOCH, from_ms
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH, Window

STRETCHES = 20
"""Parts of the gap between incidents in each of which a few failures stand for all: fine enough to part what the gap parts."""

DAY = timedelta(days=1)
MOST_DAYS = 130
"""Days that are remembered; the longest window and what is looked back before it fit in."""

AT_ONCE = 2
"""Days read side by side: more would only wait for one another."""


@dataclass(frozen=True)
class Looked:
    """Evidence by journey and step."""

    runs: Mapping[Place, Sequence[ProbeAtStep]] = field(default_factory=dict)
    hits: Mapping[Place, Sequence[Hit]] = field(default_factory=dict)


@dataclass
class _Day:
    looked: Looked
    written: int


class EvidenceDays:
    """Evidence of whole days of UTC, by the stretch it was thinned with. A day is read again when the join wrote a step of it, or somebody was erased."""

    def __init__(self) -> None:
        self._days: dict[tuple[int, datetime], _Day] = {}
        self._erasures: int | None = None
        self._reading = asyncio.Lock()

    async def of(self, context: Context, days: Sequence[datetime], stretch: int) -> list[Looked]:
        """Of these days, each by its first moment. Raises what the store raises."""
        async with self._reading:
            # Read before the rows are: what is written in between is then found changed once more.
            written, erasures = await asyncio.gather(context.control.progress.get(VERSION), context.control.erasures.stamp())
            if erasures is None or erasures != self._erasures:
                self._days.clear()
                self._erasures = erasures
            await self._forget_changed(context, written)
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(day: datetime) -> Looked:
                known = self._days.get((stretch, day))
                if known is not None:
                    return known.looked
                async with gate:
                    looked = await _read(context, day, day + DAY, stretch, met_since=day, edges=EDGES)
                if erasures is not None:
                    self._days[stretch, day] = _Day(looked, written)
                return looked

            found = list(await asyncio.gather(*(one(day) for day in days)))
            for key in sorted(self._days)[: max(0, len(self._days) - MOST_DAYS)]:
                del self._days[key]
            return found

    async def _forget_changed(self, context: Context, written: int) -> None:
        after = min((day.written for day in self._days.values()), default=written)
        if after >= written:
            return
        first = min(day for _, day in self._days) - RUN_LENGTH
        rows = await context.store.query("changed_steps", after=after, since=first)
        # A run that began on one day may meet a failure on the next.
        changed = {
            start + more for row in rows for minute in row["minutes"] for start in [_midnight(EPOCH + timedelta(minutes=minute))] for more in (timedelta(), DAY)
        }
        self._days = {key: _Day(day.looked, written) for key, day in self._days.items() if key[1] not in changed}


async def look(context: Context, since: datetime, window: Window, journeys: Sequence[str], gap: timedelta) -> tuple[datetime, Looked]:
    """The evidence from `since` to the end of the window or of a little more, and from when on it is: enough for `find_incidents` to answer as from all.

    :param journeys: of these only, when any are given.
    """
    stretch = max(1, math.floor(gap / timedelta(milliseconds=1)) // STRETCHES)
    memory = None if context.problems is None else context.problems.days
    until = window.until
    first, today = _midnight(since), _midnight(until)
    if memory is None or until != window.now or today - first < DAY:
        return since, await _read(context, since, until, stretch, journeys, to_the_end=True)
    days = [first + DAY * number for number in range((today - first) // DAY)]
    past = _together(await memory.of(context, days, stretch), set(journeys))
    latest = await _read(context, today, until, stretch, journeys, met_since=today, besides=_open(past), to_the_end=True)
    return first, _together([past, latest], set(journeys))


def _open(looked: Looked) -> set[str]:
    """Journeys with evidence that no pass follows yet: it is looked for later."""
    passed: dict[Place, datetime] = {place: max((run.ended for run in runs if run.passed), default=EPOCH) for place, runs in looked.runs.items()}
    last = [(place, max(run.ended for run in runs)) for place, runs in looked.runs.items() if not all(run.passed for run in runs)]
    last += [(place, max(hit.at for hit in hits)) for place, hits in looked.hits.items() if hits]
    return {place[0] for place, at in last if at >= passed.get(place, EPOCH) - RUN_LENGTH}


async def _read(
    context: Context,
    since: datetime,
    until: datetime,
    stretch: int,
    journeys: Sequence[str] = (),
    *,
    met_since: datetime = EPOCH,
    edges: int = 0,
    besides: Iterable[str] = (),
    to_the_end: bool = False,
) -> Looked:
    """What is stored of [since, until): probes' runs that began then, failures of customers whose runs did.

    :param met_since: failures before it are left out: they are of another stretch of time.
    :param edges: how many passes at either end are wanted, of journeys that are not in trouble too.
    :param besides: journeys whose probes are wanted whatever they met.
    :param to_the_end: what is of `until` itself too.
    """
    asked: dict[str, Any] = {"journeys": sorted(journeys)}
    last = until if to_the_end else until - timedelta(milliseconds=1)
    met, failing = await asyncio.gather(
        context.store.query(
            "report_hits", deadline=PATIENCE, since=since - RUN_LENGTH, until=last, met_since=met_since, met_until=last, stretch_ms=stretch, **asked
        ),
        context.store.query("report_failing", deadline=PATIENCE, since=since, until=last, **asked),
    )
    # Where nothing failed every pass of a probe is one more of the same: only those beside other days' evidence are wanted.
    troubled = sorted({*besides, *(row["journey"] for row in (*failing, *met))})
    parts = []
    if troubled:
        parts.append(context.store.query("report_probe_steps", deadline=PATIENCE, since=since, until=last, journeys=troubled))
    if edges:
        parts.append(context.store.query("report_probe_edges", deadline=PATIENCE, since=since, until=last, without=troubled, **asked))
    probes = list(itertools.chain.from_iterable(await asyncio.gather(*parts)))
    runs = probe_evidence(probes, {_place(row): itertools.chain.from_iterable(row["times"]) for row in met}, stretch=stretch, edges=edges)
    return Looked(runs, {_place(row): _hits(row) for row in met})


def _together(parts: Iterable[Looked], journeys: set[str]) -> Looked:
    runs: dict[Place, list[ProbeAtStep]] = defaultdict(list)
    hits: dict[Place, list[Hit]] = defaultdict(list)
    for part in parts:
        for place, mine in part.runs.items():
            if not journeys or place[0] in journeys:
                runs[place] += mine
        for place, met in part.hits.items():
            if not journeys or place[0] in journeys:
                hits[place] += met
    return Looked(runs, hits)


def _place(row: Mapping[str, Any]) -> Place:
    return row["journey"], row["step"]


def _hits(row: Mapping[str, Any]) -> list[Hit]:
    return [Hit(from_ms(ms), person) for person, times in zip(row["persons"], row["times"], strict=True) for ms in times]


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
