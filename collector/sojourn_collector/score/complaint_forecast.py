"""Complaint forecast: how many tickets the people hit now will bring, beyond what comes anyway. Definition: docs/methods.md.

Negative binomial: base rate of the hours + Σ severity of those exposed × excess tickets per unit of severity, learnt from past incidents.
It is shown only while its log score over past forecasts beats that of the base alone. Tickets count by when they were received: by when
they say they happened they would leak what is not known yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_INCIDENTS = 5
DRAWS = 4000
ROLLING = 20
"""Past forecasts over which it is scored."""


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One incident that is over: Σ severity of those exposed, tickets received in its window, and what the hours would have brought anyway."""

    exposure: float
    tickets: int
    base: float


@dataclass(frozen=True, slots=True)
class PastForecast:
    """What was forecast and what came: tickets, the forecast's mean and dispersion (variance = mean + mean² · dispersion), and the base."""

    tickets: int
    mean: float
    base: float
    dispersion: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Expected tickets with a 95 % prediction interval; None with the reason why not."""

    expected: float | None = None
    low: int | None = None
    high: int | None = None
    excess_rate: float | None = None
    dispersion: float | None = None
    reason: str = ""


def forecast(exposure: float, base: float, incidents: Sequence[PastIncident], scored: Sequence[PastForecast] = (), *, seed: int = 0) -> Forecast:
    """Forecast the tickets of an incident.

    :param exposure: Σ severity of those exposed so far.
    :param base: tickets that hours like these bring anyway.
    :param scored: earlier forecasts, oldest first.
    :raises ValueError: for a negative exposure or base.
    """
    if exposure < 0 or base < 0:
        raise ValueError("neither exposure nor base can be negative")
    usable = [one for one in incidents if one.exposure > 0]
    if len(usable) < LEAST_INCIDENTS:
        return Forecast(reason=f"{len(usable)} past incidents to learn from, forecast from {LEAST_INCIDENTS} on")
    if scored and not beats_base(scored):
        return Forecast(reason=f"over the last {min(len(scored), ROLLING)} forecasts it did no better than the usual number for the hour")
    rate, dispersion = _rate(usable), _dispersion(usable)
    rng = np.random.default_rng(seed)
    # The incidents are few: which of them were seen is part of what is not known.
    rates = np.array([_rate([usable[number] for number in rng.integers(len(usable), size=len(usable))]) for _ in range(200)])
    means = np.maximum(base + exposure * rng.choice(rates, DRAWS), 1e-9)
    size = 1 / max(dispersion, 1e-6)
    drawn = rng.negative_binomial(size, size / (size + means))
    low, high = np.percentile(drawn, [2.5, 97.5], method="nearest")
    return Forecast(base + exposure * rate, int(low), int(high), rate, dispersion)


def beats_base(scored: Sequence[PastForecast]) -> bool:
    """Whether the mean log score of the newest forecasts is above that of the base alone."""
    newest = scored[-ROLLING:]
    own, usual = (float(np.mean([_log_score(one.tickets, getattr(one, what), one.dispersion) for one in newest])) for what in ("mean", "base"))
    return own > usual


def _log_score(tickets: int, mean: float, dispersion: float) -> float:
    # Loading it takes a good part of a second, which every command would wait for.
    from scipy import stats

    size = 1 / max(dispersion, 1e-6)
    return float(stats.nbinom.logpmf(tickets, size, size / (size + max(mean, 1e-9))))


def _rate(incidents: Sequence[PastIncident]) -> float:
    """Excess tickets per unit of severity, never negative: hurt people do not write fewer."""
    return max(0.0, sum(one.tickets - one.base for one in incidents) / sum(one.exposure for one in incidents))


def _dispersion(incidents: Sequence[PastIncident]) -> float:
    """By moments, of the incidents around their own means."""
    rate = _rate(incidents)
    means = [max(one.base + one.exposure * rate, 1e-9) for one in incidents]
    extra = sum((one.tickets - mean) ** 2 - mean for one, mean in zip(incidents, means, strict=True))
    return max(0.0, extra / sum(mean**2 for mean in means))
