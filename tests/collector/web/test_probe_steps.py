"""The query that reads what probes met at a step: a few failures stand for all, the last attempt counts, a starved host says nothing."""

import random
from datetime import timedelta
from typing import Any

from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.times import to_ms
from tests.collector.web.folding import folded
from tests.collector.web.stage import NOW, Rows, minute

ASKED: dict[str, Any] = {"since": NOW - minute(60), "until": NOW, "journeys": ["checkout"]}


async def asked(store: Store, stretch: int) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows by step and location."""
    rows = await store.query("report_probe_steps", **ASKED, stretch_ms=stretch)
    return {(row["step"], row["location"]): row for row in rows}


async def test_a_few_failures_stand_for_all(store: Store) -> None:
    """At most three of each minute and location, none is lost from the count, whatever the runs; passes are all told, in the order of their ends."""
    dice, rows = random.Random(7), Rows()
    for _ in range(300):
        rows.probe(NOW - timedelta(milliseconds=dice.randrange(1, 3_500_000)), dice.choice(["failed", "failed", "passed"]), location=dice.choice(["eu", "us"]))
    for one in rows.steps:
        # Some take long: who begins first does not end first.
        one["last_seen"] = one["last_seen"] + timedelta(milliseconds=dice.randrange(90_000))
    await rows.store(store)
    for stretch in (1, 60_000, 600_000):
        for (step, location), row in (await asked(store, stretch)).items():
            mine = [one for one in rows.steps if (one["step"], one["location"]) == (step, location)]
            bad = [(one["run_id"], to_ms(one["started"]), to_ms(one["last_seen"])) for one in mine if one["outcome"] == "failed"]
            good = sorted((to_ms(one["last_seen"]), to_ms(one["started"])) for one in mine if one["outcome"] != "failed")
            assert sorted(row["failures"]) == sorted(folded(bad, stretch))
            assert list(zip(row["pass_ends"], row["pass_begins"], strict=True)) == good
            assert sum(runs for *_, runs in row["failures"]) == len(bad)


async def test_the_last_attempt_counts(store: Store) -> None:
    """A failure that was tried again and passed is a pass; one that failed three times is one failure; one whose last attempt says nothing is not told."""
    rows = Rows()
    runs = [rows.probe(NOW - minute(count), "failed") for count in (30, 20, 10)]
    for run, outcomes in zip(runs, (["passed"], ["failed", "failed"], ["inconclusive"]), strict=True):
        (first,) = (one for one in rows.steps if one["run_id"] == run and one["step"] == "pay")
        for number, outcome in enumerate(outcomes, 2):
            later = timedelta(seconds=10 * number)
            rows.steps.append({**first, "attempt": number, "outcome": outcome, "started": first["started"] + later, "last_seen": first["last_seen"] + later})
    await rows.store(store)
    row = (await asked(store, 1))["pay", "local"]
    last = max(to_ms(one["last_seen"]) for one in rows.steps if one["run_id"] == runs[1])
    assert [(run, ended, count) for run, _, ended, count in row["failures"]] == [(runs[1], last, 1)]
    assert row["pass_ends"] == [max(to_ms(one["last_seen"]) for one in rows.steps if one["run_id"] == runs[0] and one["step"] == "pay")]


async def test_a_starved_host_says_nothing(store: Store) -> None:
    """Neither what failed nor what passed in a run that is inconclusive is told."""
    rows = Rows()
    rows.probe(NOW - minute(10), "inconclusive", step_outcome="failed")
    kept = rows.probe(NOW - minute(5), "failed")
    await rows.store(store)
    assert {run for row in (await asked(store, 1)).values() for run, *_ in row["failures"]} == {kept}
