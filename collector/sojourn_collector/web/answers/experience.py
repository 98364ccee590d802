"""How customers fared in each journey: ends, funnel, Apdex, and the score of the journey as a whole."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import SPEAKS_FROM, Body, scores_of
from sojourn_collector.score.experience import Funnel
from sojourn_collector.score.intervals import wilson, wilson_counts
from sojourn_collector.web.answers.days import before
from sojourn_collector.web.answers.fared import Fared, Units, fared, fared_long, visits_fared
from sojourn_collector.web.answers.problem import impact_model
from sojourn_collector.web.answers.titles import step_title
from sojourn_collector.web.answers.weeks import LONG, PATIENCE, of_weeks
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import Experience, Impact, StepFunnel

EMPTY = Funnel(0, 0, 0, 0, 0)
NOTHING = Units()


async def experiences(context: Context, window: Window, journeys: Sequence[str] = ()) -> dict[str, tuple[Experience, Impact, Impact | None]]:
    """Experience, impact and impact per visit of every journey that customers or the folder know, by journey id."""
    thresholds = {journey: own.apdex for journey, own in context.impact.journeys.items() if own.apdex is not None}
    asked: dict[str, Any] = {
        "since": window.since,
        "until": window.until,
        "journeys": list(journeys),
        "apdex_journeys": list(thresholds) or [""],
        "apdex_seconds": list(thresholds.values()) or [2.5],
    }
    now, usual, steps = await asyncio.gather(
        _fared(context, window),
        of_weeks(context, window, ("usual_fared",), lambda: fared_long(context, *before(context, window.since), newest=False)),
        of_weeks(context, window, ("journey_steps", *journeys), lambda: context.store.query("journey_steps", deadline=PATIENCE, **asked)),
    )
    by_journey: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in steps:
        by_journey[row["journey"]].append(row)
    wanted = list(journeys) or sorted({*now.funnels, *context.journeys.all()})
    scores = await _scores(context, window, wanted, now, usual)
    return {
        journey: (
            _experience(context, journey, now.funnels.get(journey, EMPTY), usual.funnels.get(journey, EMPTY), by_journey[journey], now.newest.get(journey)),
            *scores[journey],
        )
        for journey in wanted
    }


async def _fared(context: Context, window: Window) -> Fared:
    if window.until - window.since <= LONG:
        return await fared(context, window.since, window.until)
    return await of_weeks(context, window, ("fared",), lambda: fared_long(context, window.since, window.until))


async def _scores(context: Context, window: Window, journeys: Sequence[str], now: Fared, usual: Fared) -> dict[str, tuple[Impact, Impact | None]]:
    """The score of people and the one per visit, by journey. Where sessions were sampled the visits are asked for one by one."""
    sampled = [journey for journey in journeys if now.people.get(journey, NOTHING).sums.sampled]
    visits, before_visits = await _each(context, window, sampled) if sampled else ({}, {})
    found = {}
    for journey in journeys:
        people = _body(now.people, usual.people, journey)
        every = _body(visits, before_visits, journey) if journey in sampled else None
        of_people, of_visits = scores_of(people, _body(now.anonymous, usual.anonymous, journey), every)
        found[journey] = (impact_model(of_people, now.anonymous.get(journey, NOTHING).sums.units), impact_model(of_visits) if of_visits else None)
    return found


async def _each(context: Context, window: Window, journeys: Sequence[str]) -> tuple[dict[str, Units], dict[str, Units]]:
    return await asyncio.gather(visits_fared(context, window.since, window.until, journeys), visits_fared(context, *before(context, window.since), journeys))


def _body(now: Mapping[str, Units], usual: Mapping[str, Units], journey: str) -> Body:
    own = now.get(journey, NOTHING)
    return Body(own.sums, usual.get(journey, NOTHING).sums, own.trying)


def _experience(context: Context, journey: str, now: Funnel, usual: Funnel, steps: Sequence[dict[str, Any]], newest: datetime | None) -> Experience:
    low, high = wilson_counts(now.finished, now.settled) if now.settled else (None, None)
    return Experience(
        tried=now.tried,
        finished=now.finished,
        gave_up=now.gave_up,
        stopped=now.stopped,
        trying=now.trying,
        newest=newest,
        finished_low=low,
        finished_high=high,
        usual_finished=usual.finished_share if usual.settled >= SPEAKS_FROM else None,
        steps=[_step(context, journey, row) for row in steps],
    )


def _step(context: Context, journey: str, row: dict[str, Any]) -> StepFunnel:
    reached, of = row["reached"], row["timed"] + row["were_hit"]
    done_low, done_high = _range(row["finished"], reached)
    hit_low, hit_high = _range(row["were_hit"], reached)
    # Apdex is a mean of values from 0 to 1; Wilson's interval for shares is at least as wide as theirs.
    satisfied = row["satisfied"] + row["tolerating"] / 2
    apdex_low, apdex_high = _range(satisfied, of)
    return StepFunnel(
        id=row["step"],
        name=row["title"] or step_title(context, journey, row["step"]).name,
        reached=reached,
        done=row["finished"],
        done_low=done_low,
        done_high=done_high,
        hit=row["were_hit"],
        hit_low=hit_low,
        hit_high=hit_high,
        slow=row["were_slow"],
        lcp_p75=row["lcp"] / 1000 if row["lcp_seen"] else None,
        apdex=satisfied / of if of else None,
        apdex_low=apdex_low,
        apdex_high=apdex_high,
        apdex_of=of,
        apdex_t=row["threshold"] / 1000,
    )


def _range(part: float, of: int) -> tuple[float | None, float | None]:
    return wilson(part / of, of) if of else (None, None)
