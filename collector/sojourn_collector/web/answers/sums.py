"""Sums of the score as queries give them, as what the score is made of."""

from collections.abc import Mapping
from typing import Any

from sojourn_collector.score.customer_impact import Moments, Trying
from sojourn_collector.score.severities import MARKS, Severities


def moments_in(row: Mapping[str, Any], severities: Severities, prefix: str = "") -> Moments:
    """The sums in `{prefix}units`, `{prefix}w_sum`, `{prefix}w_squares`, `{prefix}w_severity` and by class."""
    return Moments(
        int(row[f"{prefix}units"]),
        float(row[f"{prefix}w_sum"]),
        float(row[f"{prefix}w_squares"]),
        severities.summed(row, f"{prefix}w_severity", f"{prefix}w_"),
    )


def trying_in(row: Mapping[str, Any], severities: Severities) -> Trying:
    """Who still tries: `trying_units`, and Σ w by class (0 = nothing met) of their worst if all goes well (`trying_best`) and of what the score has of them."""
    best, counted = row["trying_best"], row["trying_counted"]
    weights = float(sum(best.values()))
    return Trying(
        units=int(row["trying_units"]),
        weights=weights,
        at_best=_summed(best, severities),
        at_worst=weights * severities.blocked,
        counted_weights=float(sum(counted.values())),
        counted=_summed(counted, severities),
    )


def _summed(by_class: Mapping[Any, float], severities: Severities) -> float:
    numbers = (0.0, *(float(getattr(severities, name)) for name in MARKS))
    return sum(numbers[int(number)] * float(weight) for number, weight in by_class.items())
