"""What the people of problems ordered and answered: read once for all problems that are worked out together, each then takes what is its people's."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH

Rows = list[dict[str, Any]]

MOST_ORDERS, MOST_ANSWERS = 500_000, 200_000
"""Rows one look brings. Where there are more, each problem looks for itself, so that none loses rows to another."""


TOO_MUCH = f"of the orders and answers of its people only {MOST_ORDERS:,} and {MOST_ANSWERS:,} are counted: there are more"
"""Said of a problem whose own rows are too many."""


class Theirs:
    """Orders and feedback of the people of some problems; the tables are looked through once, when the first of them asks.

    :param history: how long before a problem its people's orders are looked for.
    """

    def __init__(self, context: Context, problems: Sequence[Found], now: datetime, history: timedelta) -> None:
        self._context = context
        self._problems = problems
        self._now = now
        self._history = history
        self._reading = asyncio.Lock()
        self._rows: tuple[_ByWhom, _ByWhom, bool] | None = None
        self._too_many = False

    async def of(self, found: Found, guests: Iterable[Guest]) -> tuple[Rows, Rows, bool]:
        """Orders by id and feedback, newest first, of these people, and whether that is all.

        Orders since `history` before the problem, answers since it began.
        """
        async with self._reading:
            if self._rows is None and not self._too_many:
                read = await self._read(self._problems)
                self._too_many = not read[2] and len(self._problems) > 1
                self._rows = None if self._too_many else read
        orders_of, feedback_of, whole = self._rows if self._rows is not None else await self._read([found])
        people = list(guests)
        since = found.incident.window_from
        first = to_ms(since - self._history)
        orders = [row for row in orders_of.of(people) if row["ms"] >= first]
        answers = [row for row in feedback_of.of(people) if row["ts"] >= since]
        return sorted(orders, key=lambda row: str(row["id"])), sorted(answers, key=lambda row: row["ts"], reverse=True), whole

    async def _read(self, problems: Sequence[Found]) -> tuple["_ByWhom", "_ByWhom", bool]:
        """Orders, feedback, and whether that is all of them."""
        incidents = [found.incident for found in problems]
        since, until = [one.window_from for one in incidents], [one.window_to for one in incidents]
        here: dict[str, Any] = {
            "journeys": [found.journey for found in problems],
            "steps": [found.step for found in problems],
            "since": since,
            "until": until,
            "run_since": min(since) - RUN_LENGTH,
            "run_until": max(until),
        }
        orders, feedback = await asyncio.gather(
            self._context.store.query(
                "problem_orders",
                deadline=PATIENCE,
                **here,
                orders_since=min(since) - self._history,
                orders_until=self._now,
                currency=self._context.impact.currency,
                most=MOST_ORDERS,
            ),
            self._context.store.query("problem_feedback", deadline=PATIENCE, **here, answers_since=min(since), answers_until=self._now, most=MOST_ANSWERS),
        )
        return _ByWhom(orders), _ByWhom(feedback), len(orders) < MOST_ORDERS and len(feedback) < MOST_ANSWERS


class _ByWhom:
    """Rows by person and by session."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(rows):
            for name in {row["person_id"], row["session_id"]}:
                if name:
                    self._places[name].append(place)

    def of(self, guests: Sequence[Guest]) -> Rows:
        places = {place for guest in guests for name in (guest.id, *guest.sessions) for place in self._places.get(name, ())}
        return [self._rows[place] for place in places]
