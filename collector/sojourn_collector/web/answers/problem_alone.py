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
from sojourn_collector.web.answers.exposed import Exposure, Price, accounts_hit, exposed_of, exposure_of
from sojourn_collector.web.answers.found import Found, find, find_one
from sojourn_collector.web.answers.guests import Guest, guests_of
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.problems import one_problem
from sojourn_collector.web.answers.sufferers import accounts_of, label_of, names_of
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.answers.worths import known_worth, told_of
from sojourn_collector.web.asked_records import ExposedAsked
from sojourn_collector.web.cursor import Cursor, decoded, encoded
from sojourn_collector.web.models_measures import Exposed, ExposedItem, ExposedList, Largest, ProblemAnswer, ValueView

MOST_NAMED = 10

Row = Mapping[str, Any]


async def problem_alone(context: Context, ident: str, window: Window | None = None, *, shared: float = 0.0) -> ProblemAnswer | None:
    """The body of `GET /api/v1/problems/{id}`; None when there is no problem of this id. Raises EngineUnavailable.

    :param window: of this time only; by default it is looked for where its id says.
    :param shared: seconds for which those who ask share what is measured of it alone; the problem itself is of now.
    """
    placed = await _placed(context, ident, window)
    if placed is None:
        return None
    found, window = placed
    problem, (value, exposed) = await asyncio.gather(one_problem(context, found, window), _shared(context, found, shared))
    # What is usual is of the time before, and so is what people were worth.
    before = timedelta(seconds=max(context.impact.windows.usual, context.impact.weights.paid))
    answer = ProblemAnswer(as_of=window.now, problem=problem, value=value, exposed=exposed)
    return await versioned(context, answer, "problem", found.incident.window_from - before, window.until, journey=found.journey)


async def exposed_list(context: Context, ident: str, asked: ExposedAsked) -> ExposedList | None:
    """The body of `GET /api/v1/problems/{id}/exposed`: what its recurring revenue is the sum of; None when there is no problem of this id. Raises BadCursor."""
    question = asked.question(f"exposed {ident}")
    cursor = decoded(asked.cursor, question) if asked.cursor else None
    placed = await _placed(context, ident, None)
    if placed is None:
        return None
    found, window = placed
    exposure, _, _ = await _exposure(context, found)
    people = Counter(exposure.accounts.values())
    prices = sorted(exposure.prices, key=_key)
    left = [price for price in prices if cursor is None or _key(price) > cursor.after]
    page = left[: asked.limit]
    names, accounts = await asyncio.gather(names_of(context, [one.whose for one in page]), accounts_of(context, [one.whose for one in page]))
    currency = context.impact.currency
    return ExposedList(
        as_of=window.now,
        currency=currency,
        next=encoded(Cursor(window.since, window.until, 0, _key(page[-1])), question) if len(left) > len(page) else None,
        items=[
            ExposedItem(
                whose=price.whose,
                kind="person" if price.whose.startswith("user:") else "account",
                label=_label(price.whose, names, accounts),
                monthly=price.amount,
                currency=price.unit,
                counted=price.unit == currency,
                told_monthly=price.told[0] if price.told else None,
                told_currency=price.told[1] if price.told else "",
                subscriptions=price.subscriptions,
                people_hit=1 if price.whose.startswith("user:") else people[price.whose],
                renewal=exposure.renewals.get(price.whose),
            )
            for price in page
        ],
    )


def _label(whose: str, names: Mapping[str, Row], accounts: Mapping[str, Row]) -> str:
    if whose.startswith("user:"):
        return label_of(whose, names.get(whose, {}).get("name", ""))
    return accounts.get(whose, {}).get("name", "") or whose


def _key(price: Price) -> str:
    return f"{price.whose}\n{price.unit}"


async def _placed(context: Context, ident: str, window: Window | None) -> tuple[Found, Window] | None:
    """The problem of this id and the window it was found in."""
    if window is None:
        return await find_one(context, ident, context.clock())
    named = next((one for one in await find(context, window, [ident.rsplit(".", 2)[0]]) if one.id == ident), None)
    return None if named is None else (named, window)


async def _shared(context: Context, found: Found, seconds: float) -> tuple[ValueView, Exposed]:
    erasures = await context.control.erasures.stamp()
    # It names customers: nothing of it is told again once somebody was erased.
    if not seconds or context.problems is None or erasures is None:
        return await _measured(context, found)
    return await context.problems.once(("problem_alone", found.id, erasures), seconds, lambda: _measured(context, found))


async def _measured(context: Context, found: Found) -> tuple[ValueView, Exposed]:
    exposure, guests, known = await _exposure(context, found)
    began = found.incident.window_from
    return await _value(context, guests, known, began), exposed_of(exposure, context.impact.currency, began)


async def _exposure(context: Context, found: Found) -> tuple[Exposure, Sequence[Guest], Mapping[str, Row]]:
    """What those hit pay, everybody at the step, and what is known of their worth."""
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
    return exposure_of(accounts_hit(guests, known), known, subscribed), guests, known


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
