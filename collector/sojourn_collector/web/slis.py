"""What `/metrics` says of journeys that no count can: customers of the last hour, impact,
the age of what we know. Worked out now and then, never by a scrape."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.exposition import Sample
from sojourn_collector.impact_version import config_version
from sojourn_collector.join.run_counts import MOST, RunCounts
from sojourn_collector.score.customer_impact import Body, scores_of
from sojourn_collector.store.client import StoreError
from sojourn_collector.web.answers.alarms import alarms_shared
from sojourn_collector.web.answers.fared import fared, visits_fared
from sojourn_collector.web.answers.impact import freshness_seen
from sojourn_collector.web.answers.probes import patience
from sojourn_collector.web.answers.problems import sources_seen
from sojourn_collector.web.answers.window import window_of
from sojourn_probes import semconv
from sojourn_probes.semconv import Traffic

log = logging.getLogger("sojourn.slis")

EVERY: Final = 15.0
"""Seconds between refreshes of customers, runs and agents; impact and sources are worked out at every `SLOW`th."""
SLOW: Final = 4
CUSTOMERS: Final = timedelta(hours=1)
FIRST_LOOK: Final = timedelta(days=7)
KEPT: Final = timedelta(minutes=5)
"""Age from which on what was worked out is no longer shown: no data is its own state."""


class Slis:
    """Refreshes for ever. Everything of it is used on the event loop only."""

    def __init__(self, context: Context, counts: RunCounts, counters: Counters) -> None:
        self._context = context
        self._counts = counts
        self._counters = counters
        self._since: datetime | None = None
        self._turn = 0
        self._agents: dict[str, float] = {}
        self._quick: list[Sample] = []
        self._slow: list[Sample] = []
        self._refreshed: datetime | None = None

    async def run(self) -> None:
        """Refresh until cancelled; an engine that does not answer is waited for."""
        while True:
            try:
                await self.refresh()
            except StoreError as error:
                self._counters.add("sojourn_slis_refresh_errors")
                log.info("the figures of /metrics were not refreshed: %s", error)
            await asyncio.sleep(EVERY)

    async def refresh(self) -> None:
        """Work everything out that is due. Raises what the store raises."""
        now = self._context.clock()
        self._expect()
        query = self._context.store.query
        since = self._since or now - FIRST_LOOK
        newest, customers, agents = await asyncio.gather(
            query("sli_newest", since=since, until=now),
            query("sli_customers", since=now - CUSTOMERS, until=now),
            query("sli_agents", name=semconv.AGENT_RSS, since=since),
        )
        self._counts.seen(newest)
        for row in agents:
            self._agents[row["location"]] = max(self._agents.get(row["location"], 0.0), row["newest"].timestamp())
        known = {row["journey"]: row for row in customers}
        idle = {"people": 0, "people_hit": 0, "visits": 0, "visits_hit": 0}
        self._quick = [
            Sample(f"sojourn_journey_{name}", {"journey": journey}, known.get(journey, idle)[column])
            for journey in sorted({*known, *self._with_customers()})[:MOST]
            for name, column in (
                ("customers_reached", "people"),
                ("customers_hit", "people_hit"),
                ("visits_reached", "visits"),
                ("visits_hit", "visits_hit"),
            )
        ]
        if self._turn % SLOW == 0:
            self._slow = await self._worked_out(now)
        # What is missed by a late run is seen by the join, which counts in this process; an overlap costs nothing.
        self._since, self._turn, self._refreshed = now - CUSTOMERS, self._turn + 1, now

    async def _worked_out(self, now: datetime) -> list[Sample]:
        window = window_of(now, ZoneInfo(self._context.impact.timezone))
        now_fared, seen, alarmed = await asyncio.gather(
            fared(self._context, window.since, window.until), sources_seen(self._context, window), alarms_shared(self._context)
        )
        journeys = sorted(now_fared.funnels)[:MOST]
        sampled = [journey for journey in journeys if now_fared.people[journey].sums.sampled]
        visits = await visits_fared(self._context, window.since, window.until, sampled) if sampled else {}
        samples = []
        for journey in journeys:
            every = Body(visits[journey].sums) if journey in visits else None
            both = scores_of(Body(now_fared.people[journey].sums), Body(now_fared.anonymous[journey].sums), every)
            for what, score in zip(("impact", "visit_impact"), both, strict=True):
                if score is None or score.score is None or score.low is None or score.high is None:
                    continue
                for name, value in (("score", score.score), ("low", score.low), ("high", score.high)):
                    samples.append(Sample(f"sojourn_journey_{what}_{name}", {"journey": journey}, value))
        if alarmed is None:
            # Absent rather than 0: the rule of a tenth holds meanwhile.
            self._counters.add("sojourn_slis_refresh_errors")
        else:
            waking = {one.journey.id: one.hit for one in alarmed.alarms if one.wakes}
            samples += [Sample("sojourn_journey_alarm_people", {"journey": journey}, waking.get(journey, 0)) for journey in alarmed.journeys[:MOST]]
        for source in freshness_seen(seen, now):
            if source.last is not None:
                samples.append(Sample("sojourn_source_last_seen_timestamp_seconds", {"source": source.source}, source.last.timestamp()))
        return samples

    def _with_customers(self) -> list[str]:
        return [ident for ident, journey in self._context.journeys.all().items() if any(step.customers for step in journey.steps)]

    def _expect(self) -> None:
        journeys = self._context.journeys.all()
        self._counts.expect((ident, Traffic.SYNTHETIC, place) for ident, journey in journeys.items() if journey.has_probes for place in journey.locations)
        self._counts.expect((ident, Traffic.REAL, "") for ident in self._with_customers())

    def samples(self) -> Iterator[Sample]:
        """Everything about journeys: the join's counts, and what was worked out last while it is not too old."""
        now = self._context.clock()
        yield from self._counts.samples()
        for journey, location in self._counts.probed():
            yield Sample("sojourn_journey_patience_seconds", {"journey": journey, "location": location}, patience(self._context, journey, location, now))
        for location, moment in self._agents.items():
            yield Sample("sojourn_agent_last_seen_timestamp_seconds", {"location": location}, moment)
        if self._refreshed is not None:
            yield Sample("sojourn_slis_refreshed_timestamp_seconds", {}, self._refreshed.timestamp())
            yield Sample("sojourn_impact_config_info", {"version": config_version(self._context.impact)}, 1)
            if now - self._refreshed <= KEPT:
                yield from self._quick
                yield from self._slow
