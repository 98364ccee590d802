"""The state of a journey: green only where somebody looks, grey where nobody does."""

from dataclasses import replace

from sojourn_collector.context import Context
from sojourn_collector.web.answers.impact import impact
from sojourn_probes.journey import Journey
from tests.collector.web.stage import CHECKOUT, NOW, Folder, Rows, minute


async def test_journeys_are_never_green_without_data(context: Context) -> None:
    """No run, an old run and an inconclusive run are grey with a hint; a fresh pass is green."""
    state = {journey.id: journey for journey in (await impact(context)).journeys}
    assert (state["checkout"].state, state["newsletter"].state) == ("unknown", "unknown")
    assert state["checkout"].probes.hint == "no probe has walked this journey yet: is an agent running with it in its journeys folder?"
    rows = Rows()
    rows.probe(NOW - minute(2))
    await rows.store(context.store)
    checkout = next(journey for journey in (await impact(context)).journeys if journey.id == "checkout")
    assert (checkout.state, checkout.probes.state) == ("unknown", "unknown")
    assert checkout.probes.hint == "the newest run is 120 s old, more than 90 s: is the agent running, and does it reach the collector?"
    fresh = Rows()
    fresh.probe(NOW - minute(1))
    await fresh.store(context.store)
    checkout = next(journey for journey in (await impact(context)).journeys if journey.id == "checkout")
    assert (checkout.state, checkout.probes.state, checkout.probes.passed, checkout.probes.total) == ("healthy", "passing", 2, 2)
    starved = Rows()
    starved.probe(NOW - minute(0.5), "inconclusive", step_outcome="failed")
    await starved.store(context.store)
    report = await impact(context)
    assert report.problems == []
    assert next(journey for journey in report.journeys if journey.id == "checkout").probes.total == 2


async def test_a_silent_location_keeps_a_journey_from_being_green(context: Context) -> None:
    """One place that passed does not speak for another whose agent is gone; a fresh failure anywhere still shows."""
    rows = Rows()
    rows.probe(NOW - minute(600), location="us")
    rows.probe(NOW - minute(0.5), location="eu")
    await rows.store(context.store)
    checkout = next(journey for journey in (await impact(context)).journeys if journey.id == "checkout")
    assert (checkout.state, checkout.probes.state) == ("unknown", "unknown")
    assert checkout.probes.hint == "nothing new from us: is the agent there running? name the journey's locations: to leave one out"
    back = Rows()
    back.probe(NOW - minute(0.4), location="us")
    await back.store(context.store)
    checkout = next(journey for journey in (await impact(context)).journeys if journey.id == "checkout")
    assert (checkout.state, checkout.probes.hint) == ("healthy", "")


async def test_a_location_that_the_journey_names_and_nobody_heard_of_is_grey(context: Context) -> None:
    """A named place without any run keeps the journey grey; a place it does not name does not; a fresh failure shows all the same."""
    rows = Rows()
    rows.probe(NOW - minute(600), location="asia")
    rows.probe(NOW - minute(0.5), location="eu")
    await rows.store(context.store)
    named = replace(context, journeys=Folder(CHECKOUT.model_copy(update={"locations": ("eu", "us")})))
    checkout = next(journey for journey in (await impact(named)).journeys if journey.id == "checkout")
    assert (checkout.state, checkout.probes.hint.partition(":")[0]) == ("unknown", "nothing new from us")
    failed = Rows()
    failed.probe(NOW - minute(0.4), "failed", location="eu", message="502 from POST /payments")
    await failed.store(context.store)
    checkout = next(journey for journey in (await impact(named)).journeys if journey.id == "checkout")
    assert (checkout.state, checkout.probes.state) == ("failing", "failing")


async def test_a_location_that_fell_silent_failing_does_not_fail_for_ever(context: Context) -> None:
    """Its failure is over as far as anybody knows; the journey is not known to be well either."""
    rows = Rows()
    rows.probe(NOW - minute(1200), "failed", location="us", message="502 from POST /payments")
    for number in range(30):
        rows.probe(NOW - minute(0.5 + number), location="eu")
    await rows.store(context.store)
    report = await impact(context)
    assert [problem.state for problem in report.problems if problem.state == "failing"] == []
    assert next(journey for journey in report.journeys if journey.id == "checkout").state == "unknown"


async def test_customers_of_yesterday_do_not_make_a_journey_green(context: Context) -> None:
    """Without probes a journey is healthy only while beacons come and a customer walked it in the last hour."""
    rows = Rows()
    rows.customer("u1", NOW - minute(1000), done=True)
    await rows.store(context.store)
    only_customers = replace(
        context, journeys=Folder(Journey.model_validate({"id": "checkout", "steps": [{"id": "pay", "customers": {"reached": {"page": "/"}}}]}))
    )
    state = {journey.id: journey.state for journey in (await impact(only_customers)).journeys}
    assert state["checkout"] == "unknown"
    fresh = Rows()
    fresh.span(NOW - minute(1), "page_view /", "ac" * 16, "ac" * 8, service="shop", traffic="real", span_type="page_view")
    await fresh.store(context.store)
    state = {journey.id: journey.state for journey in (await impact(only_customers)).journeys}
    assert state["checkout"] == "unknown", "beacons come, of another journey"
    walked = Rows()
    walked.customer("u2", NOW - minute(50), done=False)
    await walked.store(context.store)
    state = {journey.id: journey.state for journey in (await impact(only_customers)).journeys}
    assert state["checkout"] == "healthy"
