"""Joining synthetic runs: each touched one is read whole and its rows written."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.links import by
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.join.synthetic import rows_of_run
from sojourn_collector.join.versions import Versions
from sojourn_collector.join.writing import write
from sojourn_collector.store.client import Store

_LONGEST_RUN = timedelta(hours=2)


class RunJoin:
    """Writes the rows of synthetic runs."""

    def __init__(self, store: Store, journeys: JourneyFolder, versions: Versions, counts: RunCounts) -> None:
        self._store = store
        self._journeys = journeys
        self._versions = versions
        self._counts = counts

    async def join(self, touched: Mapping[str, datetime]) -> None:
        """Write these runs, given with the earliest time touched in each. Raises what the store raises."""
        since = min(touched.values()) - _LONGEST_RUN
        spans = by(await self._store.query("join_run_spans", runs=list(touched), since=since, deadline=60.0), "run_id")
        version = self._versions.next()
        runs, steps = [], []
        for group in spans.values():
            run, of_run = rows_of_run(group, self._places(group[0]["journey"]), version)
            if run is not None:
                runs.append(run)
                steps.extend(of_run)
        await write(self._store, "steps", steps)
        await write(self._store, "runs", runs)
        self._counts.scripted(runs, steps)
        for group in spans.values():
            self._counts.certificates(group)

    def _places(self, journey_id: str) -> dict[str, int]:
        journey = self._journeys.all().get(journey_id)
        if journey is None:
            return {}
        # The journey's own steps keep their places whatever stands around them, for real runs have the same.
        return {step.id: 0 for step in journey.setup} | {step.id: number for number, step in enumerate((*journey.steps, *journey.cleanup), start=1)}
