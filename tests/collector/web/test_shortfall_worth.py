"""What a journey is worth where too few orders tell it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.order_values import OrderValues
from sojourn_collector.web.answers.shortfall import healthy_of, worth_of
from tests.collector.web.stage import context_of

USUAL = {"unhurt": 100, "unhurt_done": 40}
FEW, MANY = OrderValues(3, 11.0), OrderValues(200, 71.5)
OWN = OrderValues(200, 71.5, 40, 19.0)


def test_orders_of_the_journey_win_then_its_worth_then_all_orders():
    """The journey's own orders tell the value; with few of them its worth does; then all orders; without any there is nothing to compare with."""
    values = [healthy_of(USUAL, OWN, 62.0), healthy_of(USUAL, MANY, 62.0), healthy_of(USUAL, MANY), healthy_of(USUAL, FEW, 62.0)]
    assert [value.order_value for value in values if value is not None] == [19.0, 62.0, 71.5, 62.0]
    assert healthy_of(USUAL, FEW) is None
    assert healthy_of({"unhurt": 3, "unhurt_done": 1}, MANY, 62.0) is None


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
