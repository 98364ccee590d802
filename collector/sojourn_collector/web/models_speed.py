"""Speed and what goes with it: the odds of finishing and of satisfaction per doubling of the first wait at a step."""

from datetime import datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Named, Versioned


class Odds(Answer):
    """Times the odds for each doubling of the wait, with its 95 % interval, between `shortest` and `longest` times the usual wait.

    `of` = walks compared, `good` = of them with the good outcome, `left` = of them gone before anything was painted; `reason` says why it is silent.
    `goes` = the good outcome comes less or more often with a longer wait, by an interval that holds however often one looks; else `unknown`.
    """

    state: Literal["measured", "not measured"]
    of: int
    good: int
    left: int
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    shortest: float | None = None
    longest: float | None = None
    sentence: str = ""
    goes: Literal["less", "more", "unknown"] = "unknown"
    reason: str = ""


class StepSpeed(Answer):
    """One step: waits in seconds of those whose wait is known; who met a failure there is left out of the odds and counted as `hit`.

    `unknown` = walks whose wait is not known and who are not held to have left before the paint.
    """

    step: Named
    walks: int
    hit: int
    unknown: int
    p10: float | None = None
    p50: float | None = None
    p90: float | None = None
    finished: Odds
    satisfied: Odds


class SpeedAnswer(Versioned):
    """Body of `GET /api/v1/journeys/{id}/elasticity`. Of the walks `one_in` so many was read; answers are those on `scale`."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    journey: Named
    walks: int
    one_in: int
    scale: str = ""
    truncated: bool
    steps: list[StepSpeed]
    reason: str = ""
