"""Evidence of trouble over a stretch of time: what probes and customers met at every step. Of whole days that are over it is remembered: past_evidence.py."""

import asyncio
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.incidents import Hit, Incident, ProbeAtStep
from sojourn_collector.web.answers.probe_evidence import EDGES, Place, probe_evidence
from sojourn_collector.web.answers.times import EPOCH, from_ms
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH, Window

STRETCHES = 20
"""Parts of the gap between incidents in each of which a few failures stand for all: fine enough to part what the gap parts."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Looked:
    """Evidence by journey and step. `settled` = incidents that are over and done with, whose evidence is left out; `first` = the first run of each location."""

    runs: Mapping[Place, Sequence[ProbeAtStep]] = field(default_factory=dict)
    hits: Mapping[Place, Sequence[Hit]] = field(default_factory=dict)
    settled: Mapping[Place, Sequence[Incident]] = field(default_factory=dict)
    first: Mapping[Place, Mapping[str, ProbeAtStep]] = field(default_factory=dict)


async def look(context: Context, since: datetime, window: Window, journeys: Sequence[str], gap: timedelta) -> tuple[datetime, Looked]:
    """The evidence from `since` to the end of the window or of a little more, and from when on it is: enough for `find_incidents` to answer as from all.

    :param journeys: of these only, when any are given.
    """
    stretch = max(1, math.floor(gap / timedelta(milliseconds=1)) // STRETCHES)
    memory = None if context.problems is None else context.problems.days
    until = window.until
    first, today = midnight(since), midnight(until)
    if memory is None or until != window.now or today - first < DAY:
        return since, await read(context, since, until, stretch, journeys, to_the_end=True)
    past = await memory.past(context, first, today, stretch, gap)
    latest = await read(context, today, until, stretch, journeys, met_since=today, edges=EDGES, besides=past.open, to_the_end=True)
    return first, past.with_latest(latest, set(journeys))


async def read(
    context: Context,
    since: datetime,
    until: datetime,
    stretch: int,
    journeys: Sequence[str] = (),
    *,
    met_since: datetime = EPOCH,
    edges: int = 0,
    besides: Iterable[str] | None = None,
    to_the_end: bool = False,
) -> Looked:
    """What is stored of [since, until): probes' runs that began then, failures of customers whose runs did.

    :param met_since: failures before it are left out: they are of another stretch of time.
    :param edges: how many passes at either end of each location are wanted: they are beside what is found in another stretch of time.
    :param besides: journeys in which something is found in another stretch: their passes are wanted whatever they met. None = any may be.
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
    troubled = sorted({*(besides or ()), *(row["journey"] for row in (*failing, *met))})
    parts = []
    if troubled:
        parts.append(context.store.query("report_probe_steps", deadline=PATIENCE, since=since, until=last, stretch_ms=stretch, journeys=troubled))
    if edges and besides is None:
        parts.append(context.store.query("report_probe_edges", deadline=PATIENCE, since=since, until=last, without=troubled, **asked))
    probes = list(itertools.chain.from_iterable(await asyncio.gather(*parts)))
    runs = probe_evidence(probes, {_place(row): itertools.chain.from_iterable(row["times"]) for row in met}, edges=edges)
    return Looked(runs, {_place(row): _hits(row) for row in met}, first=first_runs(runs))


def first_runs(runs: Mapping[Place, Iterable[ProbeAtStep]]) -> dict[Place, dict[str, ProbeAtStep]]:
    """The first run of each location, by where it is."""
    found: dict[Place, dict[str, ProbeAtStep]] = {}
    for place, mine in runs.items():
        first = found.setdefault(place, {})
        for run in mine:
            known = first.get(run.location)
            if known is None or (run.ended, run.run_id) < (known.ended, known.run_id):
                first[run.location] = run
    return found


def _place(row: Mapping[str, Any]) -> Place:
    return row["journey"], row["step"]


def _hits(row: Mapping[str, Any]) -> list[Hit]:
    return [Hit(from_ms(ms), person) for person, times in zip(row["persons"], row["times"], strict=True) for ms in times]


def midnight(at: datetime) -> datetime:
    """The beginning of its day, in UTC."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
