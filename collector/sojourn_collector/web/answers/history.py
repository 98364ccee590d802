"""How a journey fared by day or hour, for years back: from the sums that outlive the runs, and from the runs for what is not summed up yet."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Every, hour_of, label, midnight, rolled_until
from sojourn_collector.score.coverage import Orders
from sojourn_collector.score.customer_impact import Body, scores_of
from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.score.severities import Severities, not_by_class
from sojourn_collector.store.buckets import merged, quantile
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.coverage import coverage_of, covered_days
from sojourn_collector.web.answers.problem import impact_model
from sojourn_collector.web.answers.sums import moments_in
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.answers.window import BadWindow
from sojourn_collector.web.models_history import HistoryCustomers, HistoryPeriod, HistoryProbes, HistoryStep, JourneyHistory
from sojourn_probes.naming import ID_PATTERN

USUAL = {"day": timedelta(days=90), "hour": timedelta(days=7)}
LONGEST = {"day": timedelta(days=3660), "hour": timedelta(days=92)}
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
MOST_LIVE = timedelta(days=2)
"""How far back runs are counted while somebody waits; what is older waits for its sums."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_NOT_SUMMED = {"journey", "traffic", "location", "t", "step", "number", "name"}


async def history(
    context: Context, ident: str, every: Every = "day", since: datetime | None = None, until: datetime | None = None, *, steps: bool = False
) -> JourneyHistory | None:
    """The body; None for a journey that is neither in the folder nor in the sums asked for. Hours and days are told whole.

    :raises BadWindow: when `since` lies after `until`, in the future or before `EARLIEST`, or the window is longer than `LONGEST`.
    """
    if not re.fullmatch(ID_PATTERN, ident):
        return None
    now, zone = context.clock(), ZoneInfo(context.impact.timezone)
    since, until = _window(now, every, since, until)
    first, last = _start(since, every, zone), _end(until, every, zone)
    rolled = await rolled_until(context.control, zone)
    live = max(_start(rolled, every, zone), _start(now - MOST_LIVE, every, zone))
    runs, of_steps, orders = await asyncio.gather(
        _rows(context, "runs", ident, every, zone, (first, last, live)),
        _rows(context, "steps", ident, every, zone, (first, last, live)) if steps else _none(),
        covered_days(context, first, last),
    )
    if not runs and ident not in context.journeys.all():
        return None
    by_time, steps_by_time = _by_time(runs), _by_time(of_steps)
    runs_kept = now - timedelta(days=context.config.keep.runs)
    answer = JourneyHistory(
        as_of=now,
        window_from=first,
        window_to=last,
        id=ident,
        name=journey_title(context, ident).name,
        every=every,
        timezone=context.impact.timezone,
        kept_days=context.config.keep.runs if every == "hour" else context.config.keep.rollups,
        counted_until=live if first < live else None,
        usual_severities_until=_usual_until(context, every, zone, by_time),
        periods=[
            _period(context, ident, every, zone, t, by_time[t], steps_by_time.get(t, []), live, None if every == "hour" else orders.get(t.date()))
            for t in sorted(by_time)
        ],
    )
    return await versioned(context, answer, "history", first, last, journey=ident, sums_before=runs_kept)


def _usual_until(context: Context, every: Every, zone: ZoneInfo, by_time: Mapping[datetime, Sequence[Mapping[str, Any]]]) -> datetime | None:
    """The end of the newest hour or day whose sums do not tell apart what people met, where that makes a difference."""
    if context.impact.severities.numbers == Severities():
        return None
    newest = max((t for t, rows in by_time.items() if any(row["traffic"] == "real" and _by_marks(row) for row in rows)), default=None)
    if newest is None:
        return None
    return newest + _HOUR if every == "hour" else midnight(newest.date() + _DAY, zone)


def _by_marks(row: Mapping[str, Any]) -> bool:
    return not_by_class(row) or not_by_class(row, "anonymous_w_severity", "anonymous_w_")


def _window(now: datetime, every: Every, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = min(until, now) if until else now
    begin = since or (end if end < EARLIEST else end - USUAL[every])
    if begin >= now:
        raise BadWindow("from lies in the future; give a time before now")
    if begin >= end:
        raise BadWindow("from must lie before to")
    if begin < EARLIEST:
        raise BadWindow(f"from lies before {EARLIEST.year}; nothing is as old")
    if end - begin > LONGEST[every]:
        raise BadWindow(f"the window is longer than {LONGEST[every].days} days; choose a shorter one{' or every=day' if every == 'hour' else ''}")
    return begin, end


def _start(at: datetime, every: Every, zone: ZoneInfo) -> datetime:
    """When the hour or day of a moment begins."""
    return hour_of(at) if every == "hour" else midnight(at.astimezone(zone).date(), zone)


def _end(at: datetime, every: Every, zone: ZoneInfo) -> datetime:
    """When the hour or day is over in which a moment lies, or which it ends."""
    begins = _start(at, every, zone)
    if begins == at:
        return begins
    return begins + _HOUR if every == "hour" else midnight(at.astimezone(zone).date() + _DAY, zone)


def _label(at: datetime, every: Every, zone: ZoneInfo) -> datetime:
    return at if every == "hour" else label(at.astimezone(zone).date())


async def _rows(context: Context, what: str, ident: str, every: Every, zone: ZoneInfo, bounds: tuple[datetime, datetime, datetime]) -> list[dict[str, Any]]:
    """Sums of [first, live), the runs themselves counted by the same rule from there on."""
    first, last, live = bounds
    asked = []
    if first < live:
        begin, end = _label(first, every, zone), _label(min(last, live), every, zone)
        asked.append(context.store.query(f"history_{what}", journey=ident, every=every, since=begin, until=end))
    if last > live:
        asked.append(context.store.query(f"roll_{what}", journeys=[ident], every=every, zone=zone.key, since=max(first, live), until=last))
    return [row for rows in await asyncio.gather(*asked) for row in rows]


def _by_time(rows: Sequence[dict[str, Any]]) -> dict[datetime, list[dict[str, Any]]]:
    found: dict[datetime, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["t"]].append(row)
    return found


async def _none() -> list[dict[str, Any]]:
    return []


def _period(
    context: Context,
    journey: str,
    every: Every,
    zone: ZoneInfo,
    t: datetime,
    runs: Sequence[dict[str, Any]],
    steps: Sequence[dict[str, Any]],
    live: datetime,
    orders: Orders | None,
) -> HistoryPeriod:
    day: date | None = t.date() if every == "day" else None
    begins = t if day is None else midnight(day, zone)
    by_traffic = {traffic: [row for row in runs if row["traffic"] == traffic] for traffic in ("real", "synthetic")}
    of_step: dict[tuple[int, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in steps:
        if row["traffic"] in by_traffic:
            of_step[row["number"], row["step"], row["traffic"]].append(row)
    return HistoryPeriod(
        since=begins,
        until=begins + _HOUR if day is None else midnight(day + _DAY, zone),
        day=day,
        open=begins >= live,
        coverage=coverage_of(orders),
        customers=_customers(added(by_traffic["real"]), every, context.impact.severities.numbers) if by_traffic["real"] else None,
        probes=_probes(added(by_traffic["synthetic"]), by_traffic["synthetic"]) if by_traffic["synthetic"] else None,
        steps=[_step(context, journey, step, traffic, rows) for (_, step, traffic), rows in sorted(of_step.items(), key=lambda item: item[0])],
    )


def added(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of several locations, or names of one step, as one: numbers and buckets added up."""
    out: dict[str, Any] = {}
    for key in rows[0].keys() - _NOT_SUMMED:
        values = [row[key] for row in rows]
        out[key] = merged(values) if isinstance(values[0], Mapping) else sum(values)
    return out


def _seconds(counts: Mapping[int, int], q: float) -> float | None:
    found = quantile(counts, q)
    return None if found is None else found / 1000


def _share(part: int, of: int) -> tuple[float | None, float | None]:
    return wilson_counts(part, of) if of else (None, None)


def _customers(sums: Mapping[str, Any], every: Every, severities: Severities) -> HistoryCustomers:
    low, high = _share(sums["finished"], sums["runs"] - sums["trying"])
    stopped_low, stopped_high = _share(sums["stopped"], sums["runs"] - sums["trying"])
    of_people, of_visits = scores_of(*(Body(moments_in(sums, severities, kind)) for kind in ("", "anonymous_", "visit_")))
    return HistoryCustomers(
        tried=sums["runs"],
        **{key: sums[key] for key in ("finished", "gave_up", "stopped", "trying", "people", "anonymous")},
        finished_low=low,
        finished_high=high,
        stopped_low=stopped_low,
        stopped_high=stopped_high,
        took_p50=_seconds(sums["took"], 0.5),
        took_p75=_seconds(sums["took"], 0.75),
        impact=impact_model(of_people) if every == "day" else None,
        impact_of_visits=impact_model(of_visits) if every == "day" and of_visits else None,
    )


def _probes(sums: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> HistoryProbes:
    passed, of = sums["passed"] + sums["degraded"], sums["passed"] + sums["degraded"] + sums["failed"]
    low, high = _share(passed, of)
    return HistoryProbes(
        **{key: sums[key] for key in ("runs", "passed", "degraded", "failed", "inconclusive", "skipped", "flaky")},
        passed_share=passed / of if of else None,
        passed_low=low,
        passed_high=high,
        took_p50=_seconds(sums["took"], 0.5),
        took_p95=_seconds(sums["took"], 0.95),
        locations=sorted({row["location"] for row in rows if row["location"]}),
    )


def _step(context: Context, journey: str, step: str, traffic: Any, rows: Sequence[Mapping[str, Any]]) -> HistoryStep:
    sums = added(rows)
    counts = ("attempts", "reached", "done", "hit", "slow", "recovered", "abandoned", "stopped", "failed", "people", "people_hit")
    return HistoryStep(
        id=step,
        name=next((row["name"] for row in rows if row["name"]), "") or step_title(context, journey, step).name,
        traffic=traffic,
        **{key: sums[key] for key in counts},
        severity=context.impact.severities.numbers.summed(sums, "severity_sum", "at_") / sums["attempts"] if traffic == "real" and sums["attempts"] else None,
        took_p50=_seconds(sums["took"], 0.5),
        took_p75=_seconds(sums["took"], 0.75),
        lcp_p75=_seconds(sums["lcp"], 0.75),
    )
