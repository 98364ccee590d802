"""Runs as `/metrics` counts them: each once, when it is over. Fed by the join as it writes rows; what a run becomes later changes no count.

Names come from telemetry, so there may be any number of them: beyond a bound all further ones are counted under `other`. No person's id is kept.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sojourn_collector.exposition import Exemplar, Histogram, Sample
from sojourn_collector.metric_names import OUTCOMES
from sojourn_probes import semconv
from sojourn_probes.semconv import Outcome, SpanType, Traffic

MOST: Final = 1000
"""Label sets of journey, traffic and location, and of journey, traffic and step."""
OTHER: Final = "other"
REMEMBERED: Final = 20_000
"""Scripted runs remembered as counted. Their spans come together, so the same one is joined again soon or never."""
_GOOD: Final = frozenset({Outcome.PASSED, Outcome.DEGRADED})
_SPEAKING: Final = _GOOD | {Outcome.FAILED}
_ENDS: Final = ("finished", "gave_up", "stopped")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}

Place = tuple[str, str, str]
"""Journey, traffic, and location or step."""


class RunCounts:
    """Counts runs and steps. Used on the event loop only."""

    def __init__(self) -> None:
        self._places: dict[Place, Counter[str]] = {}
        self._steps: dict[Place, Counter[str]] = {}
        self._runs_took: dict[Place, Histogram] = {}
        self._steps_took: dict[Place, Histogram] = {}
        self._ends: dict[str, Counter[str]] = {}
        self._newest: dict[tuple[Place, bool], float] = {}
        self._failures: dict[tuple[Place, str], Exemplar] = {}
        self._certificates: dict[tuple[str, str], float] = {}
        self._counted: OrderedDict[str, None] = OrderedDict()

    # --- What the join says ------------------------------------------------------------------------------------------

    def scripted(self, runs: Sequence[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]]) -> None:
        """Rows of synthetic runs as they are written, perhaps not for the first time."""
        new = {run["run_id"] for run in runs if run["run_id"] not in self._counted}
        self._counted.update(dict.fromkeys(new))
        while len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)
        self._count([run for run in runs if run["run_id"] in new], [step for step in steps if step["run_id"] in new])

    def real(self, runs: Sequence[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]], over: Collection[str]) -> None:
        """Rows of customers' runs as they are written; `over` are the runs that were over, and counted, before."""
        new = {run["run_id"] for run in runs if run["settled"] and run["run_id"] not in over}
        self._count([run for run in runs if run["run_id"] in new], [step for step in steps if step["run_id"] in new])

    def certificates(self, spans: Iterable[Mapping[str, Any]]) -> None:
        """Spans of scripted runs: expectations of `tls.expires_in` say when a certificate runs out."""
        for span in spans:
            if span["span_type"] != SpanType.STEP:
                continue
            for name, attrs in zip(span["events_name"], span["events_attrs"], strict=True):
                if name == semconv.EVENT_EXPECTATION and attrs.get(semconv.EXPECTATION_TEXT, "").startswith("tls.expires_in"):
                    left = _seconds(attrs.get(semconv.EXPECTATION_ACTUAL, ""))
                    place = (span["journey"], span["step"])
                    if left is not None and (place in self._certificates or len(self._certificates) < MOST):
                        self._certificates[place] = _unix(span["ts"]) + left

    def seen(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """The newest runs the tables know, so that a restart forgets neither them nor which series there are."""
        for row in rows:
            place = self._place(row["journey"], row["traffic"], row["location"])
            for good, moment in ((False, row["newest"]), (True, row["newest_good"])):
                if moment is not None and _unix(moment) > 0:
                    self._newest[place, good] = max(self._newest.get((place, good), 0.0), _unix(moment))

    def expect(self, journeys: Iterable[tuple[str, str, str]]) -> None:
        """Journeys in force as (journey, traffic, location): they have series before their first run."""
        for journey, traffic, location in journeys:
            self._place(journey, traffic, location)

    # --- Counting ----------------------------------------------------------------------------------------------------

    def _count(self, runs: Sequence[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]]) -> None:
        traces = {run["run_id"]: run["trace_ids"][0] for run in runs if run["trace_ids"]}
        for run in runs:
            self._count_run(run)
        for step in steps:
            self._count_step(step, step.get("hit_trace_id") or traces.get(step["run_id"], ""))

    def _count_run(self, run: Mapping[str, Any]) -> None:
        place = self._place(run["journey"], run["traffic"], run.get("location", ""))
        outcome = str(run["outcome"]) if run["outcome"] in OUTCOMES else str(Outcome.INCONCLUSIVE)
        began, took = _unix(run["started"]), max(0.0, _unix(run["ended"]) - _unix(run["started"]))
        shown = _exemplar(run["trace_ids"][0] if run["trace_ids"] else "", took, began)
        self._places[place][outcome] += 1
        if outcome == Outcome.FAILED and shown is not None:
            self._failures[place, outcome] = Exemplar(shown.labels, 1, shown.at)
        if outcome in _GOOD:
            self._runs_took[place].observe(took, shown)
        if outcome in _SPEAKING:
            for good in (False, True) if outcome in _GOOD else (False,):
                self._newest[place, good] = max(self._newest.get((place, good), 0.0), began)
        if run["traffic"] == Traffic.REAL and run.get("end") in _ENDS:
            ends = self._ends.setdefault(place[0], Counter(dict.fromkeys(_ENDS, 0)))
            ends[run["end"]] += 1

    def _count_step(self, step: Mapping[str, Any], trace_id: str) -> None:
        place = self._step(step["journey"], step["traffic"], step["step"])
        outcome = str(step["outcome"]) if step["outcome"] in OUTCOMES else str(Outcome.INCONCLUSIVE)
        self._steps[place][outcome] += 1
        shown = _exemplar(trace_id, 1, _unix(step["started"]))
        if outcome == Outcome.FAILED and shown is not None:
            self._failures[(place[0], place[1], f"step:{place[2]}"), outcome] = shown
        took = (step.get("lcp_ms") or step.get("load_ms") or 0.0) if step["traffic"] == Traffic.REAL else step["duration_ms"]
        if outcome in _GOOD and (took > 0 or step["traffic"] == Traffic.SYNTHETIC):
            self._steps_took[place].observe(took / 1000, _exemplar(trace_id, took / 1000, _unix(step["started"])))

    def _place(self, journey: str, traffic: str, location: str) -> Place:
        return _bounded((journey, str(traffic), location), self._places, self._runs_took)

    def _step(self, journey: str, traffic: str, step: str) -> Place:
        return _bounded((journey, str(traffic), step), self._steps, self._steps_took)

    # --- Showing -----------------------------------------------------------------------------------------------------

    def probed(self) -> list[tuple[str, str]]:
        """Journeys and locations that probes have walked or are to walk."""
        return [(journey, location) for journey, traffic, location in self._places if traffic == Traffic.SYNTHETIC]

    def samples(self) -> Iterator[Sample]:
        """Every count and time."""
        for place, outcomes in self._places.items():
            where = {"journey": place[0], "traffic": place[1], "location": place[2]}
            for outcome, count in outcomes.items():
                yield Sample("sojourn_journey_runs", {**where, "outcome": outcome}, count, self._failures.get((place, outcome)))
            yield Sample("sojourn_journey_run_duration_seconds", where, self._runs_took[place])
            for good, name in ((False, "sojourn_journey_last_run_timestamp_seconds"), (True, "sojourn_journey_last_good_timestamp_seconds")):
                if (place, good) in self._newest:
                    yield Sample(name, where, self._newest[place, good])
        for place, outcomes in self._steps.items():
            where = {"journey": place[0], "traffic": place[1], "step": place[2]}
            for outcome, count in outcomes.items():
                exemplar = self._failures.get(((place[0], place[1], f"step:{place[2]}"), outcome))
                yield Sample("sojourn_journey_steps", {**where, "outcome": outcome}, count, exemplar)
            yield Sample("sojourn_journey_step_duration_seconds", where, self._steps_took[place])
        for journey, ends in self._ends.items():
            for end, count in ends.items():
                yield Sample("sojourn_journey_ends", {"journey": journey, "end": end}, count)
        for (journey, step), moment in self._certificates.items():
            yield Sample("sojourn_journey_certificate_expiry_timestamp_seconds", {"journey": journey, "step": step}, moment)


def _bounded(place: Place, counts: dict[Place, Counter[str]], took: dict[Place, Histogram]) -> Place:
    """The place, or `other` of the same traffic once there are too many."""
    if place not in counts:
        traffic = place[1] if place[1] in frozenset(Traffic) else OTHER
        place = (place[0], traffic, place[2]) if len(counts) < MOST else (OTHER, traffic, OTHER)
        counts.setdefault(place, Counter(dict.fromkeys(OUTCOMES, 0)))
        took.setdefault(place, Histogram())
    return place


def _unix(moment: Any) -> float:
    """Seconds since 1970 of a time or of a count of milliseconds."""
    return moment.timestamp() if isinstance(moment, datetime) else float(moment) / 1000


def _exemplar(trace_id: str, value: float, at: float) -> Exemplar | None:
    return Exemplar({"trace_id": trace_id}, value, at) if re.fullmatch(r"[0-9a-f]{32}", trace_id) else None


def _seconds(text: str) -> float | None:
    """Seconds of a duration as an expectation shows it: `13.5 d`."""
    match = re.fullmatch(r"(-?\d{1,9}(?:\.\d+)?) (ms|s|m|h|d)", text)
    return float(match[1]) * _UNITS[match[2]] if match else None
