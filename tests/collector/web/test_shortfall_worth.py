"""What a journey is worth where too few orders tell it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.order_values import OrderValues
from sojourn_collector.web.answers.shortfall import healthy, worth_of
from tests.collector.web.stage import NOW, Rows, context_of, minute

PAYING = {"units": 100, "ordered": 2, "finished": 40}
FEW, MANY = OrderValues(3, 11.0), OrderValues(200, 71.5)
OWN = OrderValues(200, 71.5, 40, 19.0)


def test_orders_of_the_journey_win_then_its_worth_then_all_orders():
    """The journey's own orders tell the value, with few of them its worth does, then all orders; without any there is nothing to compare with.

    Conversion is the share that ordered, not the share that got the step or the journey done; only of what is worth something by itself it is the latter.
    """
    values = [healthy(PAYING, OWN, 62.0), healthy(PAYING, MANY, 62.0), healthy(PAYING, MANY, None), healthy(PAYING, FEW, 62.0)]
    assert [(value.order_value, value.conversion) for value in values if value is not None] == [(19.0, 0.02), (62.0, 0.4), (71.5, 0.02), (62.0, 0.4)]
    assert healthy(PAYING, FEW, None) is None
    assert healthy({"units": 3, "ordered": 1, "finished": 1}, MANY, 62.0) is None
    assert healthy({"units": 100, "ordered": 0, "finished": 9}, OWN, 62.0) is None


@pytest.mark.parametrize(
    ("impact", "worth"),
    [({}, 62.0), ({"journeys": {"checkout": {"worth": "80 EUR"}}}, 80.0), ({"journeys": {"checkout": {"worth": "80 USD"}}}, None)],
)
async def test_impact_yaml_goes_before_the_journey_file(store: Store, tmp_path: Path, impact, worth):
    """And a worth in another currency than the report's says nothing."""
    context = context_of(store, tmp_path)
    try:
        assert worth_of(replace(context, impact=ImpactConfig.model_validate({"currency": "EUR", **impact})), "checkout") == worth
        assert worth_of(context, "newsletter") is None
    finally:
        context.control.close()


async def test_the_upper_bound_is_of_those_who_order_and_not_of_those_who_get_the_step_done(context: Context) -> None:
    """A thousand got through the step in the days before, of whom twenty bought for 60 within H: ten hit without a cart are 12 at most, and not 600."""
    rows = Rows()
    for number in range(1000):
        rows.customer(f"u{number}", NOW - timedelta(days=2) + timedelta(seconds=10 * number), done=True, pays=60.0 if number % 50 == 0 else None, cart=0.0)
    for number in range(10):
        rows.customer(f"h{number}", NOW - minute(5) + timedelta(seconds=number), fails=True, stopped=True, cart=0.0)
    await rows.store(context.store)
    # Of a journey with a worth of its own and no orders of its own it would be those who finish it.
    worthless = ImpactConfig.model_validate({"journeys": {"checkout": {"worth": "80 USD"}}}).journeys
    (problem,) = (await impact(replace(context, impact=context.impact.model_copy(update={"journeys": worthless})))).problems
    assert (problem.money.level, problem.money.hit) == (0, 10)
    assert problem.money.upper_bound == pytest.approx(12.0)
