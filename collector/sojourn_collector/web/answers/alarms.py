"""Which steps hit more customers just now than is usual at that hour, by a sum that holds its budget of false alarms however often one looks."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.alarms import Block, Budget, Met, Minute, Share, Watched, block_of, usual_shares, usually, watch
from sojourn_collector.score.sequential import worth_waking
from sojourn_collector.store.client import EngineUnavailable, StoreError
from sojourn_collector.web.answers.list_order import MOST_WORTHS
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.times import from_ms
from sojourn_collector.web.answers.titles import journey_title, step_place, step_title
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH
from sojourn_collector.web.answers.worths import MONTH
from sojourn_collector.web.models_alarms import Alarm, AlarmsAnswer
from sojourn_collector.web.rows_at import rows_at

log = logging.getLogger("sojourn.alarms")

LOOKED_AT = timedelta(days=1)
"""How far back the sum is begun."""

MOST_MINUTES = 500_000
MOST_HOURS = 200_000

SHARED = 55.0
"""Seconds for which the first page and `/metrics` share an answer; `/metrics` renews its figures each minute, so that who opens the page seldom waits."""

Step = tuple[str, str]
Row = Mapping[str, Any]


async def alarms(context: Context) -> AlarmsAnswer:
    """The body of `GET /api/v1/alarms`, as of now.

    :raises EngineUnavailable: while the engine cannot answer.
    """
    now, zone, own = context.clock(), ZoneInfo(context.impact.timezone), context.impact.alarms
    budget = Budget(own.false_per_week, own.factor)
    begin = now - LOOKED_AT
    past = timedelta(seconds=context.impact.windows.usual)
    minutes, hours = await asyncio.gather(
        context.store.query("alarm_minutes", deadline=PATIENCE, since=begin, run_since=begin - RUN_LENGTH, until=now, most=MOST_MINUTES),
        context.store.query("alarm_usual", deadline=PATIENCE, since=begin - past, until=_hour(begin), zone=zone.key, most=MOST_HOURS),
    )
    usual = {step: shares for step, those in _by_step(hours).items() if (shares := usual_shares(_blocks(those)))}
    came = _by_step(minutes)
    weekly = _weekly(hours, usual, begin)
    streams = len(usual)
    severities = context.impact.severities.numbers

    def block(at: float) -> Block:
        moment = datetime.fromtimestamp(at, zone)
        return block_of(moment.hour, moment.weekday() > 4)

    told: dict[Step, Watched] = {}
    for step, rows in came.items():
        if step in usual:
            seen = [Minute(row["at"], row["people"], row["hit"], row["persons"], severities.summed(row)) for row in rows]
            told[step] = watch(seen, usual[step], block, streams=streams, weekly=weekly / streams, budget=budget)
    worths = {} if own.worth is None else await _worths(context, told, begin, now)
    return AlarmsAnswer(
        as_of=now,
        watched=len(told),
        unwatched=len(came) - len(told),
        journeys=sorted({journey for journey, _ in usual}),
        false_per_week=own.false_per_week,
        factor=own.factor,
        people_per_week=round(weekly),
        impact_from=own.impact,
        worth_from=own.worth,
        currency=context.impact.currency,
        alarms=_one_a_journey(context, told, worths),
        rising=[_line(context, step, one, one.met, None) for step, one in sorted(told.items()) if one.met is not None and not one.alarmed],
        truncated=len(minutes) >= MOST_MINUTES or len(hours) >= MOST_HOURS,
    )


async def alarms_shared(context: Context) -> AlarmsAnswer | None:
    """The same, not older than `SHARED`, and told as it was for as long again while it is worked out anew.

    None where it could not be worked out, which takes nothing else of the first page or of `/metrics` with it.

    :raises EngineUnavailable: while the engine cannot answer anything.
    """
    return await (_if_known(context) if context.problems is None else context.problems.once(("alarms",), SHARED, lambda: _if_known(context), beside=SHARED))


async def _if_known(context: Context) -> AlarmsAnswer | None:
    try:
        return await alarms(context)
    except EngineUnavailable:
        raise
    except StoreError as error:
        log.warning("whether more customers than usual are newly hit could not be worked out: %s", error)
        return None


async def _worths(context: Context, told: Mapping[Step, Watched], begin: datetime, now: datetime) -> dict[Step, float]:
    """What those newly hit at the steps that alarm were worth before it began, an account that pays by the month once. Who is not known adds nothing."""
    own, currency = context.impact.weights, context.impact.currency

    async def ask(step: Step, since: datetime) -> float:
        rows = await context.store.query(
            "worth_of_newly_hit",
            deadline=PATIENCE,
            journey=step[0],
            step=step[1],
            begin=begin,
            since=since,
            until=now,
            run_since=begin - RUN_LENGTH,
            paid_since=since - timedelta(seconds=own.paid),
            paid_until=since,
            currency=currency,
            most=MOST_WORTHS,
        )
        paid = sum(row["paid"] for row in rows if row["paid"])
        monthly = {
            row["account"]: row["mrr"] for row in converted(context, rows, "mrr", "mrr_currency", since) if not row["paid"] and row["mrr_currency"] == currency
        }
        return float(paid + own.days / MONTH * sum(monthly.values()))

    alarmed = {step: from_ms(round(1000 * one.met.since)) for step, one in told.items() if one.alarmed and one.met is not None}
    return dict(zip(alarmed, await asyncio.gather(*(ask(step, since) for step, since in alarmed.items())), strict=True))


def _one_a_journey(context: Context, told: Mapping[Step, Watched], worths: Mapping[Step, float]) -> list[Alarm]:
    """Steps of one journey that alarm at once have one cause as far as one can tell: where it began first, of two at once the earlier step."""
    by_journey: dict[str, list[tuple[Step, Watched, Met]]] = defaultdict(list)
    for step, one in told.items():
        if one.alarmed and one.met is not None:
            by_journey[step[0]].append((step, one, one.met))
    found = []
    for listed in by_journey.values():
        listed.sort(key=lambda each: (each[2].since, step_place(context, *each[0])))
        lines = [_line(context, *each, worths.get(each[0])) for each in listed]
        also = [one.step for one in lines[1:]]
        found.append(lines[0].model_copy(update={"also": also, "wakes": any(one.wakes for one in lines)}))
    return sorted(found, key=lambda one: (not one.wakes, -one.hit, one.journey.id))


def _line(context: Context, step: Step, one: Watched, met: Met, worth: float | None) -> Alarm:
    share, high = usually(one.usual)
    own = context.impact.alarms
    return Alarm(
        journey=journey_title(context, step[0]),
        step=step_title(context, *step),
        state="alarm" if one.alarmed else "rising",
        since=from_ms(round(1000 * met.since)),
        raised=None if met.raised is None else from_ms(round(1000 * met.raised)),
        people=met.people,
        hit=met.hit,
        hit_people=met.persons,
        hit_visits=met.hit - met.persons,
        usual=share,
        usual_high=high,
        sum=one.total,
        threshold=one.threshold,
        impact=met.impact,
        low=met.low,
        high=met.high,
        worth=worth,
        wakes=one.alarmed and worth_waking(met.hit, met.low, own.impact, worth, own.worth),
        rows=rows_at("/api/v1/alarms/people", from_ms(round(1000 * met.since)), context.clock(), journey=step[0], step=step[1]),
    )


def _by_step(rows: Sequence[Row]) -> dict[Step, list[Row]]:
    by: dict[Step, list[Row]] = defaultdict(list)
    for row in rows:
        by[row["journey"], row["step"]].append(row)
    return by


def _blocks(rows: Sequence[Row]) -> dict[Block, list[Share]]:
    blocks: dict[Block, list[Share]] = defaultdict(list)
    for row in rows:
        blocks[block_of(row["hour"], bool(row["weekend"]))] += [Share(hit, people) for people, hit in row["hours"]]
    return blocks


def _weekly(hours: Sequence[Row], usual: Container[Step], until: datetime) -> float:
    """People who come to all steps that are watched in a week."""
    watched = [row for row in hours if (row["journey"], row["step"]) in usual]
    if not watched:
        return 1.0
    seen: timedelta = max(timedelta(days=1), until - min(row["oldest"].replace(tzinfo=UTC) for row in watched))
    came: int = sum(people for row in watched for people, _ in row["hours"])
    return max(1.0, came / (seen / timedelta(weeks=1)))


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
