"""Impact over all journeys together: each person's day once at its worst, from sums where days are over, nobody anonymous among them."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.score.customer_impact import SAMPLED
from sojourn_collector.score.intervals import wilson
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.company import company
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.report_csv import as_csv
from sojourn_collector.web.report_lines import in_one_line
from tests.collector.web.stage import NOW, Rows, context_of

DAY = timedelta(days=1)
WEEK = Window(NOW - 7 * DAY, NOW, NOW)


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    one = context_of(store, tmp_path, impact=ImpactConfig())
    yield one
    one.control.close()


def walked(rows: Rows, name: str, days_ago: float, mark: float, journey: str, *, rate: float = 1.0, anonymous: bool = False) -> None:
    """Somebody's walk through a journey with the mark of the worst they met."""
    rows.customer(f"{name}", NOW - days_ago * DAY, anonymous=anonymous)
    rows.runs[-1] |= {"journey": journey, "severity": mark, "sample_rate": rate, "run_id": f"{journey}-{name}-{days_ago}"}
    rows.steps.clear()


def fortnight() -> Rows:
    """Forty people on each of two days: twenty found the newsletter slow and were blocked in the checkout, the others walked well; ten anonymous visits."""
    rows = Rows()
    for number in range(40):
        for days_ago in (2, 4):
            walked(rows, f"u{number}", days_ago, 0.25 if number < 20 else 0.0, "newsletter")
            walked(rows, f"u{number}", days_ago - 0.01, 1.0 if number < 20 else 0.0, "checkout")
    for number in range(10):
        walked(rows, f"a{number}", 2, 1.0, "checkout", anonymous=True)
    return rows


async def test_who_walked_two_journeys_counts_once_at_their_worst(context: Context) -> None:
    """80 days of people, 40 of them blocked: 50, and not the 31.25 of walks; the anonymous visits stand apart. The report has it, one of a journey does not."""
    await fortnight().store(context.store)
    told = await company(context, WEEK)
    low, high = wilson(0.5, 80)
    assert (told.state, told.score, told.of, told.hit, told.weight, told.visits) == ("measured", 50.0, 80, 40.0, 80.0, 10)
    assert told.low == pytest.approx(100 * low)
    assert told.high == pytest.approx(100 * high)
    report = await impact(context, WEEK)
    assert report.company == told
    assert (await impact(context, WEEK, "checkout")).company is None
    assert (await company(context, Window(NOW - DAY, NOW, NOW))).reason == "0 settled, measured from 30 on"


async def test_a_kept_visit_stands_for_those_that_were_not(context: Context) -> None:
    """Thirty unhurt people kept by a tenth and thirty blocked kept whole: 30 of 330 visits, no surer than the weights allow; of people there is no score."""
    rows = Rows()
    for number in range(60):
        walked(rows, f"u{number}", 2, float(number >= 30), "checkout", rate=0.1 if number < 30 else 1.0)
    await rows.store(context.store)
    told = await company(context, WEEK)
    assert (told.state, told.score, told.reason) == ("not measured", None, SAMPLED)
    assert (told.hit, told.weight, told.of) == (30.0, 330.0, 60)
    assert told.of_visits is not None
    assert (told.of_visits.covers, told.of_visits.of) == ("all visits", 60)
    assert told.of_visits.score == pytest.approx(100 * 30 / 330)
    assert told.of_visits.n_eff == pytest.approx(330**2 / (30 * 100 + 30))


async def test_visits_are_scored_apart_and_told_in_every_form(context: Context) -> None:
    """Eighty days of people of which forty are blocked, forty anonymous visits that all are: 50 and 100, in the sentence of a report and in its CSV."""
    rows = fortnight()
    for number in range(10, 40):
        walked(rows, f"a{number}", 4, 1.0, "checkout", anonymous=True)
    await rows.store(context.store)
    report = await impact(context, WEEK)
    told = report.company
    assert told is not None
    assert told.of_visits is not None
    assert (told.score, told.of, told.by_visit) == (50.0, 80, 40 / 120)
    assert (told.of_visits.covers, told.of_visits.score, told.of_visits.of) == ("anonymous visits", 100.0, 40)
    assert in_one_line(told).endswith("40 of 80 days of people hit; apart 40 anonymous visits, impact 100 [91–100], per visit")
    (line,) = [row for row in csv.DictReader(io.StringIO(as_csv(report))) if row["kind"] == "company"]
    assert (line["impact"], line["visits_impact"], line["visits_impact_covers"]) == ("50.0", "100.0", "anonymous visits")


@pytest.mark.parametrize("rate", [1.0, 0.5])
async def test_sums_of_days_know_the_visits_of_all_journeys(context: Context, rate: float) -> None:
    """Whole days say the same from their sums as from their runs, of anonymous visits and, where sessions are sampled, of all."""
    rows = fortnight()
    for number in range(10, 40):
        walked(rows, f"a{number}", 4, 0.5, "checkout", anonymous=True)
    for run in rows.runs:
        run["sample_rate"] = rate
    await rows.store(context.store)
    before = await company(context, WEEK)
    assert before.of_visits is not None
    assert before.of_visits.covers == ("anonymous visits" if rate == 1 else "all visits")
    assert before.of_visits.state == "measured"
    await Rollups(context.store, context.control, ZoneInfo("UTC"), 400, lambda: 1, context.clock).catch_up()
    tenant = context.store.tenant
    await context.store.statement(f"ALTER TABLE runs DELETE WHERE tenant = '{tenant}' AND traffic = 'real' SETTINGS mutations_sync = 2")
    assert await company(context, WEEK) == before


async def test_days_that_are_over_are_read_from_their_sums(context: Context) -> None:
    """Sums and runs say the same, also when the runs of those days are gone; what the join writes later is in them after the next pass.

    No journey is named by them.
    """
    rows = fortnight()
    await rows.store(context.store)
    written = 1
    rollups = Rollups(context.store, context.control, ZoneInfo("UTC"), 400, lambda: written, context.clock)
    before = await company(context, WEEK)
    await rollups.catch_up()
    assert await company(context, WEEK) == before
    late = Rows()
    for number in range(20, 40):
        walked(late, f"u{number}", 4.02, 0.5, "newsletter")
        late.runs[-1]["version"] = 2
    await late.store(context.store)
    assert await company(context, WEEK) == before
    written = 2
    await rollups.catch_up()
    after = await company(context, WEEK)
    assert (after.of, after.hit, after.score) == (80, 60.0, 62.5)
    assert set(await experiences(context, WEEK)) == {"checkout", "newsletter"}
    assert await history(context, "") is None
    tenant = context.store.tenant
    await context.store.statement(f"ALTER TABLE runs DELETE WHERE tenant = '{tenant}' AND traffic = 'real' SETTINGS mutations_sync = 2")
    assert await company(context, WEEK) == after
