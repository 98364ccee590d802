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
from sojourn_collector.web.answers.window import RUN_LENGTH

Rows = list[dict[str, Any]]


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
        self._orders: _ByWhom | None = None
        self._feedback: _ByWhom | None = None

    async def of(self, found: Found, guests: Iterable[Guest]) -> tuple[Rows, Rows]:
        """Orders by id and feedback, newest first, of these people: orders since `history` before the problem, answers since it began."""
        async with self._reading:
            if self._orders is None or self._feedback is None:
                self._orders, self._feedback = await self._read()
        people = list(guests)
        since = found.incident.window_from
        first = to_ms(since - self._history)
        orders = [row for row in self._orders.of(people) if row["ms"] >= first]
        answers = [row for row in self._feedback.of(people) if row["ts"] >= since]
        return sorted(orders, key=lambda row: str(row["id"])), sorted(answers, key=lambda row: row["ts"], reverse=True)

    async def _read(self) -> tuple["_ByWhom", "_ByWhom"]:
        incidents = [found.incident for found in self._problems]
        since, until = [one.window_from for one in incidents], [one.window_to for one in incidents]
        here: dict[str, Any] = {
            "journeys": [found.journey for found in self._problems],
            "steps": [found.step for found in self._problems],
            "since": since,
            "until": until,
            "run_since": min(since) - RUN_LENGTH,
            "run_until": max(until),
        }
        orders, feedback = await asyncio.gather(
            self._context.store.query("problem_orders", **here, orders_since=min(since) - self._history, orders_until=self._now),
            self._context.store.query("problem_feedback", **here, answers_since=min(since), answers_until=self._now),
        )
        return _ByWhom(orders), _ByWhom(feedback)


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
