"""The report: problems, people, money, satisfaction, states."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.store.engine_process import Endpoint
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.problems import sources_seen
from sojourn_collector.web.answers.window import window_of
from sojourn_collector.web.models import ImpactReport
from tests.collector.web.stage import BROKE, CHECKOUT, NOW, Folder, Rows, broken_shop, context_of, minute


@dataclass(frozen=True)
class Told:
    """What is answered about the broken shop: now, asked again, as of before the trouble, and to another tenant."""

    report: ImpactReport
    again: ImpactReport
    earlier: ImpactReport
    stranger: ImpactReport


async def _ask(engine: Endpoint, folder: Path) -> Told:
    store, other = Store(lambda: engine, tenant="broken-shop"), Store(lambda: engine, tenant="somebody-else")
    context = context_of(store, folder)
    try:
        await _fill(context)
        before = window_of(NOW, ZoneInfo("UTC"), NOW - minute(90), BROKE - minute(5))
        return Told(await impact(context), await impact(context), await impact(context, before), await impact(replace(context, store=other)))
    finally:
        context.control.close()
        await store.close()
        await other.close()


@pytest.fixture(scope="module")
def told(engine: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Asked once for all tests that only read."""
    return asyncio.run(_ask(engine, tmp_path_factory.mktemp("broken")))


async def _fill(context: Context) -> None:
    """The broken shop with backend spans, feedback, accounts and a watermark."""
    rows = broken_shop()
    for number in range(41):
        trace = f"{number + 1:032x}"
        at = BROKE + timedelta(seconds=2 * number)
        rows.span(at, "fetch POST /payments", trace, "aa" * 8, service="shop", span_type="fetch", traffic="real", status=2)
        rows.span(at, "POST /payments", trace, "bb" * 8, parent="aa" * 8, service="shop", kind=2, status=2)
        rows.span(at, "charge", trace, "cc" * 8, parent="bb" * 8, service="payments", kind=2, status=2)
    for number in range(15):
        session = f"s-u{number}-{int((BROKE + timedelta(seconds=2 * number)).timestamp())}"
        comment = f"no luck {number}" if number < 6 else ""
        rows.answer(f"f{number}", NOW - minute(1), 5 if number >= 9 else 1, person=f"user:u{number}", session=session, comment=comment)
    for number in range(60, 130):
        rows.answer(f"f{number}", NOW - minute(1), 5 if number < 118 else 2, person=f"user:u{number}", session=f"x{number}")
    rows.answer("lost", NOW - minute(1), 1, comment="who am I", join="unlinked")
    rows.accounts.append({"source": "api", "id": "a0", "version": 1, "name": "Acme", "plan": "gold"})
    rows.people.append({"source": "api", "id": "u0", "version": 1, "name": "Ana", "account_id": "a0"})
    await rows.store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)


def test_a_broken_step_is_one_problem_with_exact_people(told: Told) -> None:
    """People reached and hit are counted exactly, from the last good probe run on, and apart from anonymous visits."""
    report = told.report
    assert [(problem.journey.id, problem.step.name, problem.state) for problem in report.problems] == [("checkout", "Pay", "failing")]
    people = report.problems[0].people
    assert (people.reached, people.hit, people.stopped, people.recovered) == (180, 41, 29, 12)
    assert (people.visits_reached, people.visits_hit, people.visits_stopped) == (8, 1, 1)
    assert people.usual_hit == pytest.approx(1.8)


def test_the_headline_says_it_in_four_lines(told: Told) -> None:
    """What, who, money and satisfaction, in words, local time and whole numbers."""
    lines = told.report.problems[0].headline
    assert lines[0] == "checkout › Pay   failing since 14:02: 502 from POST /payments (service payments)"
    assert lines[1].startswith("customers        41 of 180 hit, 29 could not pay (usual: 2); 1 of 8 anonymous visits hit")
    assert lines[1].endswith("impact 19 of 100 [14–26]")
    assert re.fullmatch(r"money            about [\d,]+ EUR missing so far \[−?[\d,]+–[\d,]+\], final at 14:18", lines[2])
    assert lines[3] == "satisfied        6 of 15 of those hit who answered, 58 of 70 of the others; 6 comments, each linked to the visit"


def test_the_cause_names_the_deepest_failing_service(told: Told) -> None:
    """The failed span without failed children decides the service; all those hit met the same."""
    cause = told.report.problems[0].cause
    assert cause is not None
    assert cause.summary == "502 from POST /payments (service payments)"
    assert (cause.status, cause.method, cause.path, cause.service, cause.seen, cause.of) == (502, "POST", "/payments", "payments", 42, 42)


def test_the_clock_shows_both_ends(told: Told) -> None:
    """Last pass, first probe failure and first customer hit are kept apart; the window begins at the last pass."""
    clock = told.report.problems[0].clock
    assert clock.last_probe_pass == BROKE - minute(1) + timedelta(seconds=2)
    assert clock.first_probe_failure == BROKE + minute(0.5) + timedelta(seconds=1)
    assert clock.first_customer_hit == BROKE + timedelta(seconds=2)
    assert (clock.window_from, clock.window_to, clock.until) == (clock.last_probe_pass, NOW, None)


def test_who_was_hit_comes_with_name_plan_and_words(told: Told) -> None:
    """The stopped with the fullest carts lead; names, accounts and comments come from the sources."""
    report = told.report
    who = report.problems[0].who
    assert (len(who), report.problems[0].who_total) == (42, 42)
    assert [sufferer.label for sufferer in who[:2]] == ["u28", "u27"]
    ana = next(sufferer for sufferer in who if sufferer.person_id == "user:u0")
    assert (ana.label, ana.account, ana.plan, ana.comment, ana.stopped) == ("Ana", "Acme", "gold", "no luck 0", True)
    assert report.contact_first[0].person_id == "user:u28"
    assert all(sufferer.kind != "visit" for sufferer in report.contact_first)


def test_money_speaks_before_the_window_is_over_and_says_so(told: Told) -> None:
    """So far, with level, controls and the time it becomes final; the same question gets the same numbers."""
    first, second = told.report.problems[0].money, told.again.problems[0].money
    assert first == second
    assert (first.state, first.level, first.hit, first.currency, first.as_of) == ("so_far", 1, 42, "EUR", NOW)
    assert first.low is not None
    assert first.amount is not None
    assert first.high is not None
    assert first.low < first.amount < first.high
    assert any(note.startswith("1 of those hit are known by their visit alone") for note in first.notes)


async def test_without_orders_there_is_no_money_and_the_cure_is_said(context: Context) -> None:
    """No order ever received: not estimable, with what to do; people are counted all the same."""
    rows = broken_shop(usual=False)
    rows.orders.clear()
    await rows.store(context.store)
    problem = (await impact(context)).problems[0]
    assert (problem.money.state, problem.money.reasons) == ("not_estimable", ["no orders have been received: send them to /api/v1/in/orders"])
    assert (problem.people.hit, problem.people.usual_hit) == (41, None)
    assert problem.headline[2] == "money            not estimable: no orders have been received: send them to /api/v1/in/orders"
    assert problem.headline[3] == "satisfied        not measured: nobody who came here has answered"


async def test_a_key_revoked_after_the_report_s_moment_is_good_in_it(context: Context) -> None:
    """Reports are worked out as of their own moment, whatever the clock on the wall says: the watermark still stands."""
    made = await context.control.keys.create("shop", [Scope.SOURCES], tenant=context.store.tenant, now=NOW - minute(60))
    await context.control.watermarks.advance("orders", NOW, sender=made.key.sender, tenant=context.store.tenant)
    await context.control.keys.revoke(made.key.id, now=NOW + minute(60))
    assert (await sources_seen(context, window_of(NOW, ZoneInfo("UTC")))).watermark == NOW


async def test_orders_of_probes_cancelled_or_doubled_are_out(context: Context) -> None:
    """A probe's order, a cancelled one and the same purchase told by a second source change no number."""
    rows = broken_shop(usual=False)
    await rows.store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    before = (await impact(context)).problems[0].money
    more = Rows()
    more.order("probe", NOW - minute(2), 9999.0, person="user:u1", probe=1)
    more.order("cancelled", NOW - minute(2), 9999.0, person="user:u1", status="cancelled")
    again = next(order for order in rows.orders if order["person_id"] == "user:u50")
    more.orders.append({**again, "source": "csv", "purchase": again["id"]})
    await more.store(context.store)
    assert (await impact(context)).problems[0].money == before


async def test_a_probe_alone_makes_a_problem_without_customers(context: Context) -> None:
    """Our probe fails and nobody is there: a problem, nobody hit, impact not measured, no money."""
    rows = Rows()
    rows.probe(NOW - minute(3))
    failed = rows.probe(NOW - minute(2), "failed", message="502 from POST /payments")
    await rows.store(context.store)
    problem = (await impact(context)).problems[0]
    assert (problem.people.reached, problem.people.hit, problem.impact.state, problem.money.state) == (0, 0, "not measured", "not_estimable")
    assert problem.cause is not None
    assert problem.cause.summary == "502 from POST /payments"
    assert problem.probe_run_id == failed
    assert problem.last_good_run_id == rows.runs[0]["run_id"]
    assert problem.headline[2] == "money            nobody was seen hit"


async def test_two_people_with_trouble_are_no_problem(context: Context) -> None:
    """Below three hit and with passing probes nothing is reported; a script error for three is, with its words."""
    rows = Rows()
    rows.probe(NOW - minute(1))
    for number in range(2):
        rows.customer(f"u{number}", NOW - minute(5), fails=True, message="TypeError: x is undefined")
    await rows.store(context.store)
    assert (await impact(context)).problems == []
    third = Rows()
    third.customer("u9", NOW - minute(4), fails=True, message="TypeError: x is undefined")
    await third.store(context.store)
    problem = (await impact(context)).problems[0]
    assert problem.cause is not None
    assert problem.cause.summary == "TypeError: x is undefined"
    assert problem.clock.first_probe_failure is None


async def test_totals_count_persons_once_and_visits_apart(context: Context) -> None:
    """Over all problems each person counts once; anonymous visits are never added to them."""
    rows = broken_shop(usual=False)
    await rows.store(context.store)
    report = await impact(context)
    assert (report.people_hit, report.visits_hit) == (41, 1)


async def test_a_problem_of_days_keeps_its_beginning(context: Context) -> None:
    """Failing for two and a half days: the same id, the same since, however late one asks."""
    rows = Rows()
    began = NOW - timedelta(hours=61)
    for number in range(61 * 6):
        rows.probe(began + minute(10 * number), "failed", message="502 from POST /payments")
    await rows.store(context.store)
    found = []
    for asked in (NOW - timedelta(hours=1), NOW):
        later = replace(context, clock=lambda at=asked: at)  # type: ignore[misc]  # a default that binds the loop's value
        (problem,) = (await impact(later)).problems
        found.append((problem.id, problem.clock.since))
    first, second = found
    assert first == second
    assert first[1] == began + timedelta(seconds=1)


async def test_a_problem_seen_once_an_hour_keeps_its_beginning(context: Context) -> None:
    """Probes further apart than the gap: nothing stands at the edge of what is read, and still the beginning does not follow the clock."""
    rows = Rows()
    began = NOW - timedelta(hours=61.5)
    for number in range(62):
        rows.probe(began + timedelta(hours=number), "failed", location="us", message="502 from POST /payments")
        rows.probe(began + timedelta(hours=number) - minute(20), location="eu")
    await rows.store(context.store)
    hourly = replace(context, journeys=Folder(CHECKOUT.model_copy(update={"interval": 3600.0})))
    told = []
    for asked in (NOW - timedelta(hours=1), NOW):
        (problem,) = (await impact(replace(hourly, clock=lambda at=asked: at))).problems  # type: ignore[misc]  # a default that binds the loop's value
        told.append((problem.id, problem.state, problem.clock.since))
    assert told[0] == told[1]
    assert told[0][1:] == ("failing", began + timedelta(seconds=1))


async def test_usual_counts_days_of_people_and_not_people(context: Context) -> None:
    """Someone who comes every day and was hit once is usually hit on one day of many."""
    rows = Rows()
    for day in range(1, 21):
        rows.customer("daily", NOW - timedelta(days=day), fails=day == 5, done=True)
    for number in range(8):
        rows.customer(f"u{number}", BROKE + minute(0.2 * number), fails=number < 4, stopped=number < 4, done=number >= 4)
    rows.probe(NOW - minute(7), "failed", message="502 from POST /payments")
    rows.probe(NOW - minute(0.5), "failed", message="502 from POST /payments")
    await rows.store(context.store)
    (problem,) = (await impact(context)).problems
    assert problem.people.hit == 4
    assert problem.people.usual_hit is not None
    assert problem.people.usual_hit < 1


async def test_freshness_names_what_was_never_heard_of(context: Context) -> None:
    """An empty store is never fresh, each source with its hint; what came is fresh with its time."""
    assert {one.state for one in (await impact(context)).freshness} == {"never"}
    rows = Rows()
    rows.span(NOW - minute(1), "GET /", "ab" * 16, "ab" * 8, service="shop", traffic="")
    rows.span(NOW - minute(30), "page_view /", "ac" * 16, "ac" * 8, service="shop", traffic="real", span_type="page_view")
    rows.order("o1", NOW - minute(1), 10.0)
    await rows.store(context.store)
    fresh = {one.source: one for one in (await impact(context)).freshness}
    assert (fresh["backend"].state, fresh["backend"].last) == ("fresh", NOW - minute(1))
    assert (fresh["beacons"].state, fresh["beacons"].hint) == ("stale", "nothing new for more than 15 min")
    assert fresh["orders"].state == "fresh"
    assert fresh["people"].hint.startswith("POST people to /api/v1/in/people")


async def test_a_problem_that_is_over_keeps_its_end(context: Context) -> None:
    """After a pass and the gap the problem is over; its end is the first pass after the last evidence."""
    rows = Rows()
    start = NOW - minute(60)
    rows.probe(start - minute(1))
    for number in range(4):
        rows.customer(f"u{number}", start + minute(number), fails=True, stopped=True)
    rows.probe(start + minute(2), "failed", message="502")
    rows.probe(start + minute(6))
    rows.customer("late", start + minute(30), done=True)
    await rows.store(context.store)
    problem = (await impact(context)).problems[0]
    assert problem.state == "over"
    assert problem.clock.until == start + minute(6) + timedelta(seconds=2)
    assert (problem.people.reached, problem.people.hit) == (4, 4)
    assert problem.headline[0].startswith("checkout › Pay   over, failed from 13:10 to 13:16: 502 from POST /payments")


def test_a_window_before_the_trouble_shows_none(told: Told) -> None:
    """A report as of earlier does not know what came later."""
    assert told.earlier.problems == []
    assert told.earlier.window_to == BROKE - minute(5)


def test_tenants_do_not_meet(told: Told) -> None:
    """Another tenant's report is empty."""
    assert told.stranger.problems == []
    assert all(journey.experience.tried == 0 for journey in told.stranger.journeys)
    assert {one.state for one in told.stranger.freshness} == {"never"}


def test_experience_counts_runs_by_their_end(told: Told) -> None:
    """Tried = finished + gave up + stopped + trying; the funnel shows those hit; Apdex counts failures as frustrated."""
    checkout = next(journey for journey in told.report.journeys if journey.id == "checkout")
    fared = checkout.experience
    assert (fared.tried, fared.finished, fared.stopped, fared.gave_up, fared.trying) == (188, 81, 30, 77, 0)
    pay = next(step for step in fared.steps if step.id == "pay")
    assert (pay.reached, pay.hit, pay.lcp_p75, pay.apdex_t) == (188, 42, 1.2, 2.5)
    assert pay.apdex == pytest.approx(146 / 188)
    assert checkout.impact.score == pytest.approx(100 * (29 + 12 * 0.5) / 180)
    assert checkout.impact.usual == pytest.approx(0.5)
    assert checkout.state == "failing"


@pytest.mark.parametrize("probed", [True, False])
async def test_who_was_there_while_our_probe_failed_was_possibly_hit(store: Store, tmp_path: Path, probed: bool) -> None:
    """Reached while our probe failed, nothing failed for them and nothing shows that they got through: possibly hit, in no figure of those hit.

    Who got through is not; without a probe that failed nobody is.
    """
    context, rows = context_of(store, tmp_path), Rows()
    if probed:
        for ago in (10, 6, 2):
            rows.probe(NOW - minute(ago), "failed")
    for number in range(5):
        rows.customer(f"hit{number}", NOW - minute(8 - number), fails=True, stopped=True)
    for number in range(3):
        rows.customer(f"left{number}", NOW - minute(7 - number))
    for number in range(2):
        rows.customer(f"paid{number}", NOW - minute(7 - number), done=True)
    await rows.store(store)
    (problem,) = (await impact(context)).problems
    people = problem.people
    assert (people.reached, people.hit, people.possibly) == (10, 5, 3 if probed else 0)
    context.control.close()
