"""Earlier complaint forecasts as they would have been made, each of what was known then, beside what came. Definition: docs/methods.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn_collector.score.complaint_forecast import LEAST_INCIDENTS, PastForecast, PastIncident, forecast


@dataclass(frozen=True, slots=True)
class TimedIncident:
    """A past incident, when a forecast would have been made in it, and when it was known what had come (seconds)."""

    asked: float
    known: float
    incident: PastIncident


def earlier_forecasts(incidents: Sequence[TimedIncident]) -> list[PastForecast]:
    """One for each incident that enough others were known before, oldest first."""
    told = []
    for one in sorted(incidents, key=lambda each: each.asked):
        before = [other.incident for other in incidents if other.known <= one.asked and other.incident.exposure > 0]
        if len(before) < LEAST_INCIDENTS or one.incident.exposure <= 0:
            continue
        made = forecast(one.incident.exposure, one.incident.base, before)
        if made.expected is not None and made.dispersion is not None:
            told.append(PastForecast(one.incident.tickets, made.expected, one.incident.base, made.dispersion))
    return told
