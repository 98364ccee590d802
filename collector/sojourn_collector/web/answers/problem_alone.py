"""What is measured of one problem alone, beside what the report says of it: the value view of its impact and the recurring revenue exposed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import SAMPLED
from sojourn_collector.score.severities import Severities
from sojourn_collector.score.value_impact import ValueUnit, value_impact
from sojourn_collector.web.answers.at_step import MOST_WALKS, stretch, walks_at
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.found import Found, find, find_one
from sojourn_collector.web.answers.guests import Guest, guests_of
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.problems import one_problem
from sojourn_collector.web.answers.sufferers import label_of, names_of
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.answers.worths import known_worth, told_of
from sojourn_collector.web.models_measures import Exposed, Largest, ProblemAnswer, ValueView

RENEWS_SOON = timedelta(days=30)
MOST_NAMED = 10

Row = Mapping[str, Any]


async def problem_alone(context: Context, ident: str, window: Window | None = None, *, shared: float = 0.0) -> ProblemAnswer | None:
    """The body of `GET /api/v1/problems/{id}`; None when there is no problem of this id. Raises EngineUnavailable.

    :param window: of this time only; by default it is looked for where its id says.
    :param shared: seconds for which those who ask share what is measured of it alone; the problem itself is of now.
    """
    if window is None:
        placed = await find_one(context, ident, context.clock())
        if placed is None:
            return None
        found, window = placed
    else:
        named = next((one for one in await find(context, window, [ident.rsplit(".", 2)[0]]) if one.id == ident), None)
        if named is None:
            return None
        found = named
    problem, (value, exposed) = await asyncio.gather(one_problem(context, found, window), _shared(context, found, shared))
    # What is usual is of the time before, and so is what people were worth.
    before = timedelta(seconds=max(context.impact.windows.usual, context.impact.weights.paid))
    answer = ProblemAnswer(as_of=window.now, problem=problem, value=value, exposed=exposed)
    return await versioned(context, answer, "problem", found.incident.window_from - before, window.until, journey=found.journey)


async def _shared(context: Context, found: Found, seconds: float) -> tuple[ValueView, Exposed]:
    erasures = await context.control.erasures.stamp()
    # It names customers: nothing of it is told again once somebody was erased.
    if not seconds or context.problems is None or erasures is None:
        return await _measured(context, found)
    return await context.problems.once(("problem_alone", found.id, erasures), seconds, lambda: _measured(context, found))


async def _measured(context: Context, found: Found) -> tuple[ValueView, Exposed]:
    incident, query, here = found.incident, context.store.query, stretch(found)
    (people, _), worths, subscribed = await asyncio.gather(
        walks_at(context, found),
        query(
            "worth_at_step",
            **here,
            paid_since=incident.window_from - timedelta(seconds=context.impact.weights.paid),
            paid_until=incident.window_from,
            currency=context.impact.currency,
            most=MOST_WALKS,
        ),
        query("subscribed_hit", **here),
    )
    guests = guests_of(people, to_ms(incident.window_from), to_ms(incident.window_to))
    known = {row["person"]: row for row in converted(context, worths, "mrr", "mrr_currency", incident.window_from)}
    subscribed = converted(context, subscribed, "monthly", "currency", incident.window_from)
    return await _value(context, guests, known, incident.window_from), exposed_of(
        _hit(guests, known), known, subscribed, context.impact.currency, incident.window_from
    )


async def _value(context: Context, guests: Sequence[Guest], worths: Mapping[str, Row], before: datetime) -> ValueView:
    told = told_of(worths, context.impact.currency)
    weights, severities = context.impact.weights, context.impact.severities.numbers
    settled = [guest for guest in guests if guest.settled and not guest.anonymous]
    if any(guest.sample_rate < 1 for guest in settled):
        return ValueView(state="not measured", of=len(settled), currency=context.impact.currency, largest=[], reason=SAMPLED)
    units = [_unit(guest, told.get(guest.id), context.impact.currency, before, severities, weights.days) for guest in settled]
    score = value_impact(units, days=weights.days, cap=weights.cap)
    names = await names_of(context, (person for person, _ in score.largest[:MOST_NAMED]))
    return ValueView(
        state="measured" if score.score is not None else "not measured",
        score=score.score,
        low=score.low,
        high=score.high,
        of=score.of,
        n_eff=score.n_eff,
        coverage=score.coverage,
        hurt=score.hurt,
        currency=context.impact.currency,
        largest=[
            Largest(person_id=person, label=label_of(person, names.get(person, {}).get("name", "")), worth=worth)
            for person, worth in score.largest[:MOST_NAMED]
        ],
        reason=score.reason,
    )


def _unit(guest: Guest, worth: Row | None, currency: str, before: datetime, severities: Severities, days: float) -> ValueUnit:
    """A unit of the people view with what its person was worth: orders, else what the account pays a month."""
    known = known_worth(worth, currency, before, days)
    return ValueUnit(guest.id, severities.of(guest.severity), known.revenue, known.days, known.segment, known.account, guest.sample_rate)


def _hit(guests: Sequence[Guest], worths: Mapping[str, Row]) -> dict[str, str]:
    """Who was hit, and the account each belongs to."""
    return {guest.id: worths[guest.id]["account"] if guest.id in worths else guest.row["account_id"] for guest in guests if guest.hit and not guest.anonymous}


def exposed_of(accounts: Mapping[str, str], worths: Mapping[str, Row], subscribed: Sequence[Row], currency: str, at: datetime) -> Exposed:
    """Each account and each subscription once: what an account is said to pay goes before the sum of its and its people's subscriptions.

    :param accounts: of everybody hit the account they belong to, empty where none is known.
    :param at: the moment from which on renewals are soon.
    """
    priced: dict[str, Row] = {}
    for person in accounts:
        row = worths.get(person)
        if row is not None and row["account"] and row["mrr"] is not None:
            priced[row["account"]] = row
    told = set(priced)
    own = [row for row in subscribed if row["whose"] not in told and accounts.get(row["whose"]) not in told]
    sums: Counter[str] = Counter()
    by_rate: Counter[str] = Counter()
    for row, amount, unit in (*((row, "mrr", "mrr_currency") for row in priced.values()), *((row, "monthly", "currency") for row in own)):
        sums[row[unit]] += row[amount]
        if "told_unit" in row:
            by_rate[row["told_unit"]] += row["told_amount"]
    known = told | {row["whose"] for row in own}
    renewals = {row["account"]: row["renewal"] for row in worths.values() if row["renewal"] is not None}
    soon = (at + RENEWS_SOON).date()
    return Exposed(
        monthly=sums.get(currency) if currency in sums or not sums else 0.0,
        currency=currency,
        accounts=len({account for account in accounts.values() if account in known}),
        subscriptions=sum(row["subscriptions"] for row in own),
        people=len(accounts),
        unknown=sum(person not in known and account not in known for person, account in accounts.items()),
        renewing=sum(at.date() <= renewals[account] <= soon for account in set(accounts.values()) if account in renewals),
        converted=dict(by_rate),
        other_currencies={unit: amount for unit, amount in sums.items() if unit != currency},
    )
