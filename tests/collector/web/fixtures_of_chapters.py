"""An answer for each chapter of the report, as the pages' fixtures have them; `text` stands wherever a stranger's does."""

from collections.abc import Mapping
from datetime import date

from sojourn_collector.web import models_history as past
from sojourn_collector.web.models import Answer, Coverage, Impact, ImpactReport, JourneyAnswer
from sojourn_collector.web.models_measures import Breakdown, ProblemAnswer, SilentAnswer
from sojourn_collector.web.models_tickets import StarterSet, TicketsAnswer
from sojourn_collector.web.models_whole import JourneyBeside, ProblemBeside, WholeReport
from tests.collector.web import fixtures, fixtures_of_fixes, told

NAME = "Buy one item"


def history(text: str) -> past.JourneyHistory:
    """Two days: one whole, one of probes alone that is not over."""
    impact = Impact(state="measured", score=12.5, low=9.25, high=16.5, of=201)
    customers = past.HistoryCustomers(
        tried=204,
        finished=150,
        gave_up=30,
        stopped=21,
        trying=3,
        people=190,
        anonymous=14,
        finished_low=0.68,
        finished_high=0.8,
        took_p50=62.0,
        impact=impact,
        impact_of_visits=Impact(state="not measured", covers="anonymous visits", of=14, reason="14 settled, measured from 30 on"),
    )
    probes = past.HistoryProbes(
        runs=96,
        passed=90,
        degraded=2,
        failed=4,
        inconclusive=0,
        skipped=0,
        flaky=1,
        passed_share=0.9375,
        passed_low=0.87,
        passed_high=0.97,
        locations=["eu"],
    )
    step = past.HistoryStep(
        id="pay",
        name=text,
        traffic="real",
        attempts=80,
        reached=78,
        done=60,
        hit=12,
        slow=3,
        recovered=4,
        abandoned=2,
        stopped=6,
        failed=0,
        people=70,
        people_hit=11,
    )
    whole = past.HistoryPeriod(
        since=fixtures.ago(86400),
        until=fixtures.NOW,
        day=date(2026, 11, 21),
        coverage=Coverage(orders=120, with_visit=102, low=0.77, high=0.9),
        customers=customers,
        probes=probes,
        steps=[step],
    )
    return past.JourneyHistory(
        as_of=fixtures.NOW,
        window_from=fixtures.ago(2 * 86400),
        window_to=fixtures.NOW,
        id="checkout",
        name=text,
        every="day",
        timezone="UTC",
        kept_days=1100,
        periods=[whole, whole.model_copy(update={"day": date(2026, 11, 22), "open": True, "customers": None, "coverage": None, "steps": []})],
    )


async def answers(text: str = NAME) -> Mapping[str, Answer]:
    """By the chapter's name."""
    shop = told.Shop(comment=text, label=text[:200], journey_name=text)
    found = {
        "problem": await shop.problem(fixtures.PROBLEM),
        "journey": await shop.journey("checkout"),
        "drivers": await shop.breakdown("checkout"),
        "experience": await shop.experience("checkout"),
        "money": await shop.cost("checkout"),
        "ended": await shop.ended(),
        "history": history(text),
        "satisfaction": await shop.satisfaction("plan", over="week"),
        "corrected-csat": await shop.corrected("checkout"),
        "elasticity": await shop.speed("checkout"),
        "forecast": await shop.forecast(fixtures.PROBLEM),
        "fix": await shop.verification(fixtures_of_fixes.HELPED),
        "fixes": await shop.marks(),
        "tickets": await shop.tickets(),
        "starter": await shop.starter(),
        "silent": await shop.silent(),
        "surveys": await shop.surveys(),
        "unlinked": await shop.unlinked(),
        "alarms": await shop.alarms(),
        "versions": await shop.versions(),
    }
    return {name: answer for name, answer in found.items() if answer is not None}


async def nothing() -> Mapping[str, Answer]:
    """Of an installation that has seen nothing, where that is another answer than none."""
    none = told.Nothing()
    return {
        "corrected-csat": await none.corrected("checkout"),
        "fixes": await none.marks(),
        "tickets": await none.tickets(),
        "starter": await none.starter(),
        "silent": await none.silent(),
        "surveys": await none.surveys(),
        "satisfaction": await none.satisfaction(),
        "unlinked": await none.unlinked(),
        "alarms": await none.alarms(),
        "versions": await none.versions(),
    }


async def whole(text: str = NAME) -> WholeReport:
    """The shop's report with what is measured beside it, as it is told of one journey."""
    told_of, report = await answers(text), fixtures.report(comment=text, journey_name=text)
    alone, journey, support, quiet = told_of["problem"], told_of["journey"], told_of["tickets"], told_of["silent"]
    assert isinstance(alone, ProblemAnswer)
    assert isinstance(journey, JourneyAnswer)
    assert isinstance(support, TicketsAnswer)
    assert isinstance(quiet, SilentAnswer)
    (problem,) = report.problems
    value = alone.value.model_copy(update={"largest": []})
    said = JourneyBeside(
        journey=problem.journey,
        satisfaction=journey.satisfaction.model_copy(update={"comments": []}),
        drivers=Breakdown.model_validate(told_of["drivers"].model_dump()),
        history=history(text),
    )
    return WholeReport(
        **{name: getattr(report, name) for name in ImpactReport.model_fields},
        starter=StarterSet.model_validate(told_of["starter"].model_dump()),
        tickets=support.model_copy(update={"longest_waiting": []}),
        silent=quiet.model_copy(update={"people": []}),
        problems_beside=[ProblemBeside(problem=problem.id, journey=problem.journey, step=problem.step, value=value, exposed=alone.exposed)],
        journeys_beside=[said],
        beside_notes=["what explains the score is told of the 5 journeys hurt most, of 31"],
    )
