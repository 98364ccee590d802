"""Evidence of days that are over, remembered until one changes, with the incidents in it that nothing later changes."""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sojourn_collector.context import Context
from sojourn_collector.join.worker import VERSION
from sojourn_collector.score.incidents import Hit, Incident, ProbeAtStep, Settled, settle
from sojourn_collector.web.answers.looked import DAY, Looked, first_runs, midnight, read
from sojourn_collector.web.answers.probe_evidence import EDGES, Place
from sojourn_collector.web.answers.times import EPOCH
from sojourn_collector.web.answers.window import RUN_LENGTH

MOST_DAYS = 130
"""Days that are remembered; the longest window and what is looked back before it fit in."""

MOST_PASTS = 8
"""Spans of days of which it is remembered what is settled: those of today's report, of a month, and what they look back."""

AT_ONCE = 2
"""Days read side by side: more would only wait for one another."""


@dataclass(frozen=True)
class Past:
    """Evidence of days that follow each other up to a midnight. `open` = journeys with evidence that no pass follows yet: it is looked for later."""

    runs: Mapping[Place, Sequence[ProbeAtStep]]
    hits: Mapping[Place, Sequence[Hit]]
    settled: Mapping[Place, Settled]
    first: Mapping[Place, Mapping[str, ProbeAtStep]]
    open: frozenset[str]

    def with_latest(self, latest: Looked, journeys: set[str]) -> Looked:
        """With what came since that midnight; of these journeys only, when any are given."""
        runs: dict[Place, Sequence[ProbeAtStep]] = {}
        hits: dict[Place, Sequence[Hit]] = {}
        settled: dict[Place, Sequence[Incident]] = {}
        first: dict[Place, Mapping[str, ProbeAtStep]] = {}
        for place in {*self.settled, *latest.runs, *latest.hits}:
            if journeys and place[0] not in journeys:
                continue
            new, own = latest.runs.get(place, ()), self.settled.get(place, Settled())
            if new and not self.runs.get(place):
                # The first probes here: what was settled without any is not.
                own = Settled((), (), tuple(self.hits.get(place, ())))
            runs[place], hits[place] = [*own.probes, *new], [*own.hits, *latest.hits.get(place, ())]
            settled[place] = own.incidents
            first[place] = {**latest.first.get(place, {}), **self.first.get(place, {})}
        return Looked(runs, hits, settled, first)


@dataclass
class _Day:
    looked: Looked
    written: int


class EvidenceDays:
    """Evidence of whole days of UTC, by the stretch it was thinned with. A day is read again when the join wrote a step of it, or somebody was erased."""

    def __init__(self) -> None:
        self._days: dict[tuple[int, datetime], _Day] = {}
        self._pasts: OrderedDict[tuple[datetime, datetime, int, timedelta], tuple[tuple[Looked, ...], Past]] = OrderedDict()
        self._erasures: int | None = None
        self._reading = asyncio.Lock()

    async def past(self, context: Context, first: datetime, end: datetime, stretch: int, gap: timedelta) -> Past:
        """Of the days from one midnight to another. Raises what the store raises."""
        days = tuple(await self._of(context, [first + DAY * number for number in range((end - first) // DAY)], stretch))
        key = (first, end, stretch, gap)
        made_of, past = self._pasts.get(key, ((), None))
        if past is None or len(made_of) != len(days) or any(old is not new for old, new in zip(made_of, days, strict=True)):
            # Hundreds of thousands of pieces take a second, in which others are answered.
            past = await asyncio.to_thread(_past, days, gap, end)
            self._pasts[key] = (days, past)
        self._pasts.move_to_end(key)
        while len(self._pasts) > MOST_PASTS:
            self._pasts.popitem(last=False)
        return past

    async def _of(self, context: Context, days: Sequence[datetime], stretch: int) -> list[Looked]:
        async with self._reading:
            # Read before the rows are: what is written in between is then found changed once more.
            written, erasures = await asyncio.gather(context.control.progress.get(VERSION), context.control.erasures.stamp())
            if erasures is None or erasures != self._erasures:
                self._days.clear()
                self._pasts.clear()
                self._erasures = erasures
            await self._forget_changed(context, written)
            gate = asyncio.Semaphore(AT_ONCE)

            async def one(day: datetime) -> Looked:
                known = self._days.get((stretch, day))
                if known is not None:
                    return known.looked
                async with gate:
                    looked = await read(context, day, day + DAY, stretch, met_since=day, edges=EDGES)
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
            start + more for row in rows for minute in row["minutes"] for start in [midnight(EPOCH + timedelta(minutes=minute))] for more in (timedelta(), DAY)
        }
        self._days = {key: _Day(day.looked, written) for key, day in self._days.items() if key[1] not in changed}


def _past(days: Sequence[Looked], gap: timedelta, end: datetime) -> Past:
    runs: dict[Place, list[ProbeAtStep]] = defaultdict(list)
    hits: dict[Place, list[Hit]] = defaultdict(list)
    for day in days:
        for place, mine in day.runs.items():
            runs[place] += mine
        for place, met in day.hits.items():
            hits[place] += met
    settled = {place: settle(runs.get(place, ()), hits.get(place, ()), gap=gap, before=end) for place in {*runs, *hits}}
    return Past(runs, hits, settled, first_runs(runs), _open(runs, hits))


def _open(runs: Mapping[Place, Sequence[ProbeAtStep]], hits: Mapping[Place, Sequence[Hit]]) -> frozenset[str]:
    passed: dict[Place, datetime] = {place: max((run.ended for run in mine if run.passed), default=EPOCH) for place, mine in runs.items()}
    last = [(place, max(run.ended for run in mine)) for place, mine in runs.items() if not all(run.passed for run in mine)]
    last += [(place, max(hit.at for hit in met)) for place, met in hits.items() if met]
    return frozenset(place[0] for place, at in last if at >= passed.get(place, EPOCH) - RUN_LENGTH)
