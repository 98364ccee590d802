"""What a journey is worth where too few orders tell it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.order_values import OrderValues
from sojourn_collector.web.answers.shortfall import healthy, worth_of
from tests.collector.web.stage import context_of

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
