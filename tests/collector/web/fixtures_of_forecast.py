"""Answers to show of tickets to expect: a forecast, and why there is none."""

from datetime import timedelta

from sojourn_collector.web import models_forecast as forecast
from sojourn_collector.web.models import Named
from tests.collector.web.fixtures import NOW

DAY = timedelta(days=1)


def answer(problem: str, name: str, *, spoke: bool = True) -> forecast.ForecastAnswer:
    """Of one problem."""
    figures = {"expected": 57.2, "low": 38, "high": 84, "excess_rate": 1.52} if spoke else {"reason": "2 past incidents to learn from, forecast from 5 on"}
    return forecast.ForecastAnswer.model_validate(
        {
            "as_of": NOW,
            "until": NOW + DAY,
            "problem": problem,
            "journey": Named(id="checkout", name=name),
            "step": Named(id="pay", name="Pay"),
            "state": "measured" if spoke else "not measured",
            "base": 11.4,
            "people": 41,
            "exposure": 29.5,
            "scored": 4 if spoke else 0,
            "incidents": [
                forecast.ForecastFrom(since=NOW - 9 * number * DAY, people=8 * number, exposure=6.5 * number, tickets=10 + 9 * number, base=10.5)
                for number in range(9 if spoke else 2, 0, -1)
            ],
            **figures,
        }
    )
