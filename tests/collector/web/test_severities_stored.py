"""Other severities over the same rows: every score is by them at once, from runs and from sums alike, and sums of before say that they are not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.score.ranking import weight
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.breakdown import breakdown
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.fared import fared, fared_long
from sojourn_collector.web.answers.forecast import problem_forecast
from sojourn_collector.web.answers.found import find
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.orders_known import OrdersKnown
from sojourn_collector.web.answers.problem import problem_of
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.theirs import Theirs
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.slis import Slis
from tests.collector.web.stage import NOW, Rows, broken_shop, context_of, minute

UTC_ZONE = ZoneInfo("UTC")
HARSH = {"slow": 0.1, "recovered": 0.2, "left": 0.9, "blocked": 1.0}
DAY = timedelta(days=1)


def people(at: str = "severity") -> Rows:
    """Forty people two days ago, ten of each: unhurt, hit and through, hit and left, stopped; each with one run of a minute."""
    rows = Rows()
    begin = NOW - 2 * DAY
    for number in range(40):
        kind = number // 10
        rows.customer(f"u{number}", begin - minute(number), fails=kind > 0, stopped=kind == 3, done=kind < 2)
        if kind == 2:
            for row in (rows.runs[-1], *[step for step in rows.steps if step["run_id"] == rows.runs[-1]["run_id"] and step[at]]):
                row["severity"] = 0.8
    return rows


def weighed(context: Context, **severities: float) -> Context:
    """The same rows under other numbers."""
    return replace(context, impact=context.impact.model_copy(update={"severities": ImpactConfig.model_validate({"severities": severities}).severities}))


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    one = context_of(store, tmp_path, impact=ImpactConfig())
    await people().store(store)
    yield one
    one.control.close()


def counting(context: Context) -> Rollups:
    return Rollups(context.store, context.control, UTC_ZONE, 400, lambda: 1, context.clock)


async def test_other_severities_hold_for_all_history_at_once(context: Context) -> None:
    """Of 40, ten each unhurt, through, left, stopped: (.5 + .8 + 1) / 4, and (.2 + .9 + 1) / 4 under others; from runs, from sums, by day and broken down."""
    window = Window(NOW - 3 * DAY, NOW, NOW)
    harsh = weighed(context, **HARSH)
    for one, score in ((context, 57.5), (harsh, 52.5)):
        assert (await experiences(one, window, ["checkout"]))["checkout"][1].score == pytest.approx(score)
        told = await breakdown(one, "checkout", window)
        assert told.score == pytest.approx(score)
        assert sum(group.points for group in told.groups) == pytest.approx(score)
    await counting(context).catch_up()
    for one, score in ((context, 57.5), (harsh, 52.5)):
        by_day = await history(one, "checkout", steps=True)
        assert by_day is not None
        (day,) = by_day.periods
        assert day.customers is not None
        assert day.customers.impact is not None
        assert day.customers.impact.score == pytest.approx(score)
        assert by_day.usual_severities_until is None
        (pay,) = [step for step in day.steps if step.traffic == "real"]
        assert pay.severity == pytest.approx(score / 100)
        long = await fared_long(one, window.since - 5 * DAY, NOW)
        assert long.people["checkout"].sums.severity == pytest.approx(40 * score / 100)
        assert long.people["checkout"].sums.severity == pytest.approx((await fared(one, window.since - 5 * DAY, NOW)).people["checkout"].sums.severity)


async def test_sums_of_before_stay_by_the_usual_severities_and_say_so(context: Context) -> None:
    """Days whose runs are gone and whose sums know no classes are told as they were, with the end of that time, unless it makes no difference."""
    await counting(context).catch_up()
    for table in ("runs", "steps"):
        await context.store.statement(f"ALTER TABLE {table} DELETE WHERE tenant = '{context.store.tenant}' SETTINGS mutations_sync = 1")
    classes = ", ".join(f"w_{name} = 0" for name in HARSH)
    await context.store.statement(f"ALTER TABLE run_sums UPDATE {classes} WHERE tenant = '{context.store.tenant}' SETTINGS mutations_sync = 1")
    usual, harsh = await history(context, "checkout"), await history(weighed(context, **HARSH), "checkout")
    assert usual is not None
    assert harsh is not None
    assert usual.periods == harsh.periods
    assert usual.usual_severities_until is None
    assert harsh.usual_severities_until == (NOW - DAY).replace(hour=0, minute=0)


async def test_a_problem_and_what_is_usual_are_by_the_same_severities(store: Store, tmp_path: Path) -> None:
    """Under lighter severities the problem's score, its usual value and its excess are lighter alike; who was hit stays who was hit."""
    context = context_of(store, tmp_path)
    rows = broken_shop()
    for number in range(60):
        rows.customer(f"before{number}", NOW - 3 * DAY - minute(number), fails=number < 12, stopped=number < 12, done=number >= 12)
    await rows.store(store)
    half = weighed(context, slow=0.1, recovered=0.25, left=0.4, blocked=0.5)
    (full,), (light,) = (await impact(context)).problems, (await impact(half)).problems
    assert full.people == light.people
    assert full.impact.score is not None
    assert full.impact.usual is not None
    assert full.impact.usual > 0
    assert light.impact.score == pytest.approx(full.impact.score / 2)
    assert light.impact.usual == pytest.approx(full.impact.usual / 2)
    assert light.impact.excess == pytest.approx((full.impact.excess or 0) / 2)
    context.control.close()


async def test_worth_is_of_as_many_days_as_impact_yaml_says(store: Store, tmp_path: Path) -> None:
    """An order of forty days ago makes somebody worth something over 90 days, and nothing over 30."""
    context = context_of(store, tmp_path)
    rows = broken_shop()
    for number in range(180):
        rows.order(f"before-{number}", NOW - 40 * DAY, 300.0 if number < 41 else 100.0, person=f"user:u{number}")
    await rows.store(store)
    (problem,) = (await impact(context)).problems
    long = await problem_alone(context, problem.id)
    month = replace(context, impact=context.impact.model_copy(update={"weights": ImpactConfig.model_validate({"weights": {"paid": "30d"}}).weights}))
    short = await problem_alone(month, problem.id)
    context.control.close()
    assert long is not None
    assert short is not None
    assert long.value.state == "measured"
    assert (short.value.state, short.value.score) == ("not measured", None)


async def test_metrics_and_expected_tickets_are_by_them_too(store: Store, tmp_path: Path) -> None:
    """Half the severities are half the impact in /metrics and half the exposure that tickets are expected of; the people exposed are the same."""
    context = context_of(store, tmp_path)
    await broken_shop().store(store)
    half = weighed(context, slow=0.1, recovered=0.25, left=0.4, blocked=0.5)
    shown, exposed, ordered = [], [], []
    for one in (context, half):
        slis = Slis(one, RunCounts(), Counters())
        await slis.refresh()
        shown.append(next(sample.value for sample in slis.samples() if sample.name == "sojourn_journey_impact_score"))
        (problem,) = (await impact(one)).problems
        told = await problem_forecast(one, problem.id)
        assert told is not None
        exposed.append((told.people, told.exposure))
        (found,) = await find(one, Window(NOW - DAY, NOW, NOW))
        worked = await problem_of(one, found, OrdersKnown(0, None), NOW, Theirs(one, [found], NOW, DAY))
        ordered.append(weight(worked.people, worked.visits, {})[0])
    context.control.close()
    assert isinstance(shown[0], float)
    assert shown[0] > 0
    assert shown[1] == pytest.approx(shown[0] / 2)
    assert exposed[0][1] > 0
    assert exposed[1][0] == exposed[0][0]
    assert exposed[1][1] == pytest.approx(exposed[0][1] / 2)
    assert ordered[0] > 0
    assert ordered[1] == pytest.approx(ordered[0] / 2)
