"""The score per visit stands beside the one of people and is never added to it; it leads where only visits are known, and where sessions were sampled."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.score.customer_impact import SAMPLED
from sojourn_collector.web.answers.breakdown import breakdown
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.window import window_of
from sojourn_collector.web.models import Impact, ImpactReport
from sojourn_collector.web.report_csv import as_csv
from sojourn_collector.web.report_markdown import as_markdown
from sojourn_collector.web.slis import Slis
from tests.collector.web.stage import NOW, Rows, minute

UTC = ZoneInfo("UTC")


def sampled(rows: Rows, rate: float, *names: str) -> None:
    """The visits of these people, or of everybody, were kept with this probability."""
    kept = {row["session_id"] for row in rows.sessions if not names or row["person_id"].removeprefix("user:") in names}
    for table in (rows.runs, rows.steps, rows.sessions):
        for row in table:
            if row.get("session_id") in kept:
                row["sample_rate"] = rate


def crowd(rows: Rows, many: int, hit: int, *, anonymous: bool, since: timedelta = timedelta(minutes=7), name: str = "") -> None:
    """So many come, the first of them are stopped."""
    for number in range(many):
        rows.customer(
            f"{name}{'v' if anonymous else 'u'}{number}", NOW - since + timedelta(seconds=number), fails=number < hit, stopped=number < hit, anonymous=anonymous
        )


async def journey_of(context: Context) -> tuple[ImpactReport, Impact, Impact | None]:
    """The report, and both scores of the checkout."""
    report = await impact(context)
    (own,) = [one for one in report.journeys if one.id == "checkout"]
    return report, own.impact, own.impact_of_visits


async def test_a_shop_without_names_has_a_score_per_visit_that_leads(context: Context) -> None:
    """All of a hundred anonymous visits are stopped: 100 of 100 per visit, on the problem and the journey, in sentences, CSV, Markdown and by cause."""
    rows = Rows()
    crowd(rows, 100, 100, anonymous=True)
    crowd(rows, 40, 0, anonymous=True, since=timedelta(days=2), name="old")
    await rows.store(context.store)
    report, people, visits = await journey_of(context)
    (problem,) = report.problems
    assert (people.state, people.of) == ("not measured", 0)
    for one in (problem.impact_of_visits, visits):
        assert one is not None
        assert (one.covers, one.state, one.score, one.of, one.usual, one.excess) == ("anonymous visits", "measured", 100.0, 100, 0.0, 100.0)
        assert one.low == pytest.approx(96.3, abs=0.1)
    told = " ".join(problem.headline[1].split())
    assert told == "customers 100 of 100 anonymous visits hit, 100 could not pay impact 100 of 100 [96–100], per visit"
    assert "| 100 of 100 visits without a name hit, 100 stopped | 100 [96–100] of 100, per visit, usual 0, excess 100 |" in as_markdown(report, UTC)
    row = as_csv(report).splitlines()[1].split(",")
    assert "100.0" in row
    assert "anonymous visits" in row
    broken = await breakdown(context, "checkout", window_of(NOW, UTC))
    assert (broken.covers, broken.units, broken.score) == ("anonymous visits", 100, 100.0)
    assert [(one.cause, one.people, one.points) for one in broken.groups] == [("502 from POST /payments", 100, 100.0)]


async def test_people_and_visits_are_scored_apart(context: Context) -> None:
    """Forty people of whom four are stopped, fifty visits of which all are: 10 and 100, neither has a unit of the other."""
    rows = Rows()
    crowd(rows, 40, 4, anonymous=False)
    crowd(rows, 50, 50, anonymous=True)
    await rows.store(context.store)
    report, people, visits = await journey_of(context)
    (problem,) = report.problems
    for own, apart in ((people, visits), (problem.impact, problem.impact_of_visits)):
        assert apart is not None
        assert (own.score, own.of, own.covers) == (10.0, 40, "people")
        assert (apart.score, apart.of, apart.covers) == (100.0, 50, "anonymous visits")
    assert problem.headline[1].endswith("; anonymous visits 100 of 100 [93–100], per visit")


async def test_sampled_sessions_have_a_weighted_score_per_visit_and_none_of_people(context: Context) -> None:
    """Thirty people were hit and all kept, of others one in ten was: the score is of all 731 visits, usual too; of people there is none, and why."""
    rows = Rows()
    crowd(rows, 100, 30, anonymous=False)
    crowd(rows, 60, 6, anonymous=False, since=timedelta(days=2), name="old")
    sampled(rows, 0.1, *(f"u{number}" for number in range(30, 100)))
    # Somebody hit came a second time and was not hit then: another visit, which is no worse for the first.
    rows.customer("u0", NOW - minute(3), done=True)
    await rows.store(context.store)
    report, people, visits = await journey_of(context)
    (problem,) = report.problems
    for own, apart in ((people, visits), (problem.impact, problem.impact_of_visits)):
        assert apart is not None
        assert (own.state, own.score, own.reason) == ("not measured", None, SAMPLED)
        assert (apart.covers, apart.of) == ("all visits", 101)
        assert apart.usual == pytest.approx(10.0)
        assert apart.score == pytest.approx(100 * 30 / 731)
        assert apart.n_eff == pytest.approx(731**2 / 7031)
    alone = await problem_alone(context, problem.id)
    assert alone is not None
    assert (alone.value.state, alone.value.reason) == ("not measured", SAMPLED)
    broken = await breakdown(context, "checkout", window_of(NOW, UTC), "device")
    assert (broken.covers, broken.units) == ("all visits", 101)
    assert broken.score == pytest.approx(100 * 30 / 731)


@pytest.mark.parametrize(("rate", "people", "visits"), [(1.0, 10.0, 100.0), (0.5, None, 60.0)])
async def test_metrics_have_both_and_of_sampled_people_none(context: Context, rate: float, people: float | None, visits: float) -> None:
    """Forty people with four stopped beside fifty visits that all were: 10 and 100; where sessions are sampled 54 of all 90 visits and nothing of people."""
    rows = Rows()
    crowd(rows, 40, 4, anonymous=False)
    crowd(rows, 50, 50, anonymous=True)
    sampled(rows, rate)
    await rows.store(context.store)
    slis = Slis(context, RunCounts(), Counters())
    await slis.refresh()
    told = {sample.name: sample.value for sample in slis.samples() if "impact_" in sample.name and sample.labels.get("journey") == "checkout"}
    assert told.get("sojourn_journey_impact_score") == people
    assert told["sojourn_journey_visit_impact_score"] == pytest.approx(visits)
    assert {f"sojourn_journey_visit_impact_{end}" for end in ("low", "high")} <= told.keys()


@pytest.mark.parametrize("rate", [1.0, 0.5])
async def test_sums_of_days_know_visits(context: Context, rate: float) -> None:
    """A day's score per visit is the same from its sums as from its runs, of anonymous visits and of all."""
    rows = Rows()
    crowd(rows, 35, 7, anonymous=True, since=timedelta(days=1))
    crowd(rows, 40, 4, anonymous=False, since=timedelta(days=1))
    rows.customer("u0", NOW - timedelta(days=1, minutes=20))
    sampled(rows, rate)
    await rows.store(context.store)
    plain = await history(context, "checkout")
    await Rollups(context.store, context.control, UTC, 400, lambda: 1, context.clock).catch_up()
    summed = await history(context, "checkout")
    assert plain is not None
    assert summed is not None
    (day,), (counted,) = plain.periods, summed.periods
    assert day.customers is not None
    assert counted.customers is not None
    assert counted.customers == day.customers
    apart = counted.customers.impact_of_visits
    assert apart is not None
    if rate == 1:
        assert (apart.covers, apart.of) == ("anonymous visits", 35)
    else:
        assert (apart.covers, apart.of) == ("all visits", 76)
    assert apart.score == pytest.approx(20 if rate == 1 else 100 * 11 / 76)


async def test_who_still_tries_bounds_the_score(context: Context) -> None:
    """Forty are settled, ten of them stopped; ten more still try, five of them hit: at best those count as hit and through, at worst all ten are stopped."""
    rows = Rows()
    crowd(rows, 40, 10, anonymous=False)
    for number in range(10):
        rows.customer(f"w{number}", NOW - minute(1), fails=number < 5, stopped=number < 5, settled=False)
    await rows.store(context.store)
    report, people, visits = await journey_of(context)
    assert visits is None
    for one in (people, report.problems[0].impact):
        assert (one.score, one.of, one.trying) == (25.0, 40, 10)
        assert [one.if_all_pass, one.if_all_fail] == pytest.approx([100 * 12.5 / 50, 100 * 20 / 50])
    assert report.problems[0].headline[1].endswith("impact 25 of 100 [14–40], 25 to 40 with the 10 still trying")


async def test_who_is_in_the_score_and_tries_again_counts_once_in_its_bounds(context: Context) -> None:
    """One of thirty, stopped before, has another walk open: its bounds are of thirty, and what was settled does not get better by it."""
    rows = Rows()
    crowd(rows, 30, 3, anonymous=False)
    rows.customer("u29", NOW - minute(1), settled=False)
    rows.customer("u0", NOW - minute(1), settled=False)
    await rows.store(context.store)
    _, people, _ = await journey_of(context)
    assert (people.of, people.trying) == (30, 2)
    assert [people.if_all_pass, people.if_all_fail] == pytest.approx([10.0, 100 * 4 / 30])
