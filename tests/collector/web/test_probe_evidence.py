"""A handful of passes says as much as all of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.incidents import Hit, Incident, ProbeAtStep, find_incidents
from sojourn_collector.web.answers.probe_evidence import beside, probe_evidence
from sojourn_collector.web.answers.times import from_ms
from tests.collector.web.folding import folded

PLACE = ("checkout", "pay")
RUNS = st.lists(st.tuples(st.sampled_from(["eu", "us"]), st.integers(0, 12), st.integers(0, 8), st.booleans()), min_size=4, max_size=12)
"""Location, begin and length in seconds, and whether it passed: runs may overlap, begin or end together."""
HITS = st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abcd")), max_size=4)


def rows(runs: list[tuple[str, int, int, bool]], stretch: int = 0) -> list[dict[str, Any]]:
    """Rows as the query gives them, which folds failures that end in the same stretch of milliseconds; without a stretch all of them."""
    found = []
    for location in sorted({run[0] for run in runs}):
        own = [(1000 * began, 1000 * (began + took), passed, f"r{number}") for number, (at, began, took, passed) in enumerate(runs) if at == location]
        bad = [(run, began, ended) for began, ended, passed, run in own if not passed]
        passes = sorted((ended, began) for began, ended, passed, _ in own if passed)
        found.append(
            {
                "journey": PLACE[0],
                "step": PLACE[1],
                "location": location,
                "failures": folded(bad, stretch) if stretch else [(*one, 1) for one in bad],
                "pass_ends": [ended for ended, _ in passes],
                "pass_begins": [began for _, began in passes],
            }
        )
    return found


def everything(given_rows: list[dict[str, Any]]) -> list[ProbeAtStep]:
    """Every run of the rows."""
    found = []
    for row in given_rows:
        found += [ProbeAtStep(run, row["location"], from_ms(began), from_ms(ended), False) for run, began, ended, _ in row["failures"]]
        found += [ProbeAtStep("", row["location"], from_ms(b), from_ms(e), True) for e, b in zip(row["pass_ends"], row["pass_begins"], strict=True)]
    return found


def told(incidents: list[Incident]) -> list[tuple[Incident, int]]:
    """Incidents without their failed runs, and how many those were."""
    return [(replace(one, failed_runs=()), sum(run.runs for run in one.failed_runs)) for one in incidents]


@settings(max_examples=400)
@given(RUNS, HITS, st.integers(2, 6), st.integers(15, 25), st.integers(1, 9), st.integers(1, 1999))
def test_incidents_are_the_same_as_from_every_run(runs: Any, hits: Any, gap: int, now: int, silent: int, stretch: int):
    """Whatever the runs of two locations and the hits of customers: begin, end, state, last pass, window and number of failures of each incident are equal."""
    given_rows = rows(runs, stretch)
    met = [Hit(from_ms(1000 * at), person) for at, person in hits]
    few = probe_evidence(given_rows, {PLACE: [1000 * at for at, _ in hits]})[PLACE]
    limits: dict[str, Any] = {"gap": timedelta(seconds=gap), "now": from_ms(1000 * now), "silent_for": lambda _: timedelta(seconds=silent)}
    assert told(find_incidents(few, met, **limits)) == told(find_incidents(everything(rows(runs)), met, **limits))


@given(RUNS, HITS)
def test_the_first_run_of_a_location_stays_a_pass(runs: Any, hits: Any):
    """Where a pass ended before every failure, one is kept: else it would look as if the trouble had begun before what was read."""
    given_rows = rows(runs)
    few = probe_evidence(given_rows, {PLACE: [1000 * at for at, _ in hits]})[PLACE]
    for row in given_rows:
        first_failure = min((ended for _, _, ended, _ in row["failures"]), default=None)
        if first_failure is not None and any(ended < first_failure for ended in row["pass_ends"]):
            assert min((run for run in few if run.location == row["location"]), key=lambda run: (run.ended, run.run_id)).passed


def test_far_from_trouble_nothing_is_kept():
    """Of passes without evidence near none is kept, beside a moment at most three."""
    ends, begins = list(range(10, 10_000, 10)), list(range(5, 9_995, 10))
    assert beside(ends, begins, []) == []
    assert [(begins[index], ends[index]) for index in beside(ends, begins, [5_012])] == [(5_005, 5_010), (5_015, 5_020)]
    assert [(begins[index], ends[index]) for index in beside(ends, begins, [5_007])] == [(4_995, 5_000), (5_005, 5_010), (5_015, 5_020)]
