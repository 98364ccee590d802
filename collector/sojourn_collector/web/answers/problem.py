"""One incident with everything known of it, as the answer `Problem`."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import ImpactScore, Moments, scores_of
from sojourn_collector.score.ranking import NOT_HURT
from sojourn_collector.web.answers.at_step import walks_at
from sojourn_collector.web.answers.cause import cause_of
from sojourn_collector.web.answers.found import Found, shown_until
from sojourn_collector.web.answers.guests import Guest, body_of, by_visit, guests_of, people_of
from sojourn_collector.web.answers.headline import headline
from sojourn_collector.web.answers.list_order import hurt_of
from sojourn_collector.web.answers.order_values import order_values
from sojourn_collector.web.answers.orders_known import OrdersKnown
from sojourn_collector.web.answers.remembered import Worked
from sojourn_collector.web.answers.satisfaction import satisfaction_of
from sojourn_collector.web.answers.shortfall import estimate, healthy_of
from sojourn_collector.web.answers.sufferers import sufferers_of
from sojourn_collector.web.answers.theirs import TOO_MUCH, Theirs
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.answers.usual import read_usual, usual_of
from sojourn_collector.web.models import Clock, Impact, Problem

LAST_GOOD = timedelta(days=31)
"""How far back the last good run is looked for."""


async def problem_of(context: Context, found: Found, orders_known: OrdersKnown, now: datetime, theirs: Theirs) -> Worked:
    """Work the problem out; `theirs` knows what its people ordered and answered."""
    incident, impact = found.incident, context.impact
    (rows, notes), usual, before_orders, probe = await _read(context, found, orders_known)
    guests = guests_of(rows, to_ms(incident.window_from), to_ms(incident.window_to))
    orders, feedback, whole = await theirs.of(found, guests)
    healthy = await healthy_of(context, found, usual, before_orders)
    satisfaction = satisfaction_of(feedback, {guest.id: guest.hit for guest in guests})
    cause, money, who = await asyncio.gather(
        cause_of(context, incident, guests, probe.traces, probe.message),
        estimate(
            found,
            guests,
            orders,
            context,
            now=now,
            known_until=orders_known.until,
            slowest=orders_known.slowest,
            healthy=healthy,
            order_values=before_orders.own_values,
        ),
        sufferers_of(context, guests, satisfaction.comments, impact.currency),
    )
    # Person-days, as the incident counts: who comes daily would else be usually hit because of one bad day in the month.
    before = usual_of(usual, incident.window_from, impact.severities.numbers)
    people = body_of(guests, before.moments, impact.severities.numbers)
    anonymous = body_of(guests, before.visits, impact.severities.numbers, anonymous=True)
    each = await _every_visit(context, found, rows) if people.now.sampled else None
    every = None if each is None else body_of(each.guests, each.usual, impact.severities.numbers, anonymous=True)
    of_people, of_visits = scores_of(people, anonymous, every)
    problem = Problem(
        id=found.id,
        as_of=now,
        journey=journey_title(context, found.journey),
        step=step_title(context, found.journey, found.step),
        state=incident.state,
        clock=_clock(found),
        cause=cause,
        people=people_of(guests, probes_failed=bool(incident.failed_runs), usual=before),
        impact=impact_model(of_people, anonymous.now.units),
        impact_of_visits=impact_model(of_visits) if of_visits else None,
        money=money,
        satisfaction=satisfaction,
        who=who,
        who_total=sum(guest.hit for guest in guests),
        probe_run_id=probe.run_id,
        last_good_run_id=probe.last_good,
        shown_until=shown_until(incident, timedelta(seconds=impact.windows.outcome)),
        notes=[*notes, *([] if whole else [TOO_MUCH])],
    )
    return Worked(
        problem.model_copy(update={"headline": headline(problem, ZoneInfo(impact.timezone))}),
        NOT_HURT if each is not None else hurt_of(guests, before.moments.mean, impact.severities.numbers, anonymous=False),
        hurt_of(guests if each is None else each.guests, before.visits.mean if each is None else each.usual.mean, impact.severities.numbers, anonymous=True),
        {guest.id: guest.anonymous for guest in guests if guest.hit},
        frozenset(_names(guests, orders, feedback)),
    )


class _EveryVisit(NamedTuple):
    """Every visit by itself, whosever it is, and what is usual of such."""

    guests: list[Guest]
    usual: Moments


async def _every_visit(context: Context, found: Found, rows: Sequence[dict[str, Any]]) -> _EveryVisit:
    """What is scored where sessions were sampled."""
    incident = found.incident
    usual = usual_of(await read_usual(context, found, by_visit=True), incident.window_from, context.impact.severities.numbers)
    return _EveryVisit(by_visit(rows, to_ms(incident.window_from), to_ms(incident.window_to)), usual.visits)


def _names(guests: Sequence[Guest], orders: Sequence[dict[str, Any]], feedback: Sequence[dict[str, Any]]) -> Iterator[str]:
    for guest in guests:
        yield guest.id
        yield from guest.sessions
    yield from (f"orders/{row['order_key']}" for row in orders)
    yield from (f"feedback/{row['id']}" for row in feedback)


async def _read(context: Context, found: Found, orders_known: OrdersKnown) -> tuple[Any, ...]:
    """Every query of a problem at once; none depends on another."""
    answers: tuple[Any, ...] = await asyncio.gather(
        walks_at(context, found),
        read_usual(context, found),
        order_values(context, found.journey, found.incident.window_from, orders_known.count),
        _probe(context, found),
    )
    return answers


class _Probe:
    """What our probes have to show: the newest failed run and the last good one before the first failure."""

    def __init__(self, run_id: str = "", last_good: str = "", traces: tuple[str, ...] = (), message: str = "") -> None:
        self.run_id = run_id
        self.last_good = last_good
        self.traces = traces
        self.message = message


async def _probe(context: Context, found: Found) -> _Probe:
    failed = found.incident.failed_runs
    if not failed:
        return _Probe()
    newest, first = failed[-1], failed[0]
    runs, good = await asyncio.gather(
        context.store.query("run_by_id", run=newest.run_id),
        context.store.query("run_last_good", journey=found.journey, location=first.location, before=first.started, since=first.started - LAST_GOOD),
    )
    run = runs[0] if runs else {}
    return _Probe(newest.run_id, good[0]["run_id"] if good else "", tuple(run.get("trace_ids", ())), run.get("failure_message", ""))


def _clock(found: Found) -> Clock:
    incident = found.incident
    return Clock(
        since=incident.since,
        last_evidence=incident.last_evidence,
        until=incident.until,
        last_probe_pass=incident.last_probe_pass,
        first_probe_failure=incident.first_probe_failure,
        first_customer_hit=incident.first_customer_hit,
        window_from=incident.window_from,
        window_to=incident.window_to,
    )


def impact_model(score: ImpactScore, visits: int = 0) -> Impact:
    """The pure score as the answer's shape; `visits` = those whose walk is over and of whom only the visit is known, beside a score of people."""
    return Impact(
        state="measured" if score.measured else "not measured",
        score=score.score,
        low=score.low,
        high=score.high,
        of=score.of,
        n_eff=score.n_eff,
        covers=score.covers,
        usual=score.usual,
        excess=score.excess,
        by_visit=visits / (score.of + visits) if score.covers == "people" and score.of + visits else None,
        reason=score.reason,
        trying=score.trying,
        if_all_pass=score.if_all_pass,
        if_all_fail=score.if_all_fail,
    )
