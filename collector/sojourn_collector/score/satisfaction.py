"""Satisfaction: CSAT, NPS and CES, each by its own scale and never mixed.

Conventions: reference "Methods" of docs/scores.md. CSAT = top boxes by scale length, NPS = promoters − detractors of those who
answered with an adjusted-Wald interval (Rocks 2016), CES = share of 5–7 on 1–7.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

from sojourn_collector.score.intervals import Z95, wilson_counts

SATISFIED_BOXES: Mapping[int, int] = {2: 1, 3: 1, 4: 2, 5: 2, 7: 2, 10: 2}
"""How many of the best answers count as satisfied, by the number of answers on the scale."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The answers that were possible. Two scales that differ in anything are never averaged."""

    low: float
    high: float
    higher_is_better: bool = True

    @property
    def length(self) -> int:
        """How many answers the scale has; 1–5 has five."""
        return int(self.high - self.low) + 1

    def __str__(self) -> str:
        return f"{self.low:g}–{self.high:g}" + ("" if self.higher_is_better else " (low is good)")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as given, on its scale. `satisfied` overrides the boxes when the source itself says it."""

    value: float
    scale: Scale
    satisfied: bool | None = None


@dataclass(frozen=True, slots=True)
class CsatScore:
    """Satisfied of answered on one scale, with Wilson's 95 % interval of the share and the plain mean of the answers."""

    scale: Scale
    satisfied: int
    answered: int
    low: float
    high: float
    mean: float


@dataclass(frozen=True, slots=True)
class NpsScore:
    """Net promoter score, −100 to 100, with its adjusted-Wald 95 % interval."""

    score: float
    low: float
    high: float
    answered: int


@dataclass(frozen=True, slots=True)
class CesScore:
    """Share who found it easy (the best three of seven) with Wilson's 95 % interval, and the mean."""

    easy: int
    answered: int
    low: float
    high: float
    mean: float


def is_satisfied(value: float, scale: Scale) -> bool | None:
    """Whether an answer is in the satisfied boxes of its scale; None when the scale has no agreed boxes or the value is off it."""
    boxes = SATISFIED_BOXES.get(scale.length)
    if boxes is None or not scale.low <= value <= scale.high:
        return None
    return value > scale.high - boxes if scale.higher_is_better else value < scale.low + boxes


def csat(answers: Iterable[Answer]) -> list[CsatScore]:
    """CSAT for each scale apart, the scale with most answers first. Answers that cannot be judged are left out of both numbers."""
    return csat_of_counts((answer, 1) for answer in answers)


def csat_of_counts(counts: Iterable[tuple[Answer, int]]) -> list[CsatScore]:
    """CSAT of answers that were each given so many times; as `csat`."""
    groups: dict[Scale, list[tuple[float, bool, int]]] = {}
    for answer, times in counts:
        verdict = answer.satisfied if answer.satisfied is not None else is_satisfied(answer.value, answer.scale)
        if verdict is not None and times > 0:
            groups.setdefault(answer.scale, []).append((answer.value, verdict, times))
    scores = [_csat_of(scale, rows) for scale, rows in groups.items()]
    return sorted(scores, key=lambda score: (-score.answered, score.scale.low, score.scale.high))


def _csat_of(scale: Scale, rows: list[tuple[float, bool, int]]) -> CsatScore:
    answered = sum(times for *_, times in rows)
    satisfied = sum(times for _, verdict, times in rows if verdict)
    low, high = wilson_counts(satisfied, answered)
    return CsatScore(scale, satisfied, answered, low, high, sum(value * times for value, _, times in rows) / answered)


def nps(values: Iterable[float]) -> NpsScore | None:
    """Net promoter score of answers 0–10; None when nobody answered.

    Interval: n' = n + 3, p = (P + ¾)/n', d = (D + ¾)/n', p − d ± 1.96 · √((p + d − (p − d)²)/n'), bounded by ±100.

    :raises ValueError: for an answer that is not on 0–10.
    """
    return nps_of_counts((value, 1) for value in values)


def nps_of_counts(counts: Iterable[tuple[float, int]]) -> NpsScore | None:
    """Net promoter score of answers that were each given so many times; as `nps`."""
    given = [(value, times) for value, times in counts if times > 0]
    if any(not 0 <= value <= 10 for value, _ in given):
        raise ValueError("an NPS answer lies between 0 and 10")
    answered = sum(times for _, times in given)
    if not answered:
        return None
    promoters, detractors = sum(times for value, times in given if value >= 9), sum(times for value, times in given if value <= 6)
    n = answered + 3
    p, d = (promoters + 0.75) / n, (detractors + 0.75) / n
    half = Z95 * sqrt(max(0.0, p + d - (p - d) ** 2) / n)
    low, high = 100 * max(-1.0, p - d - half), 100 * min(1.0, p - d + half)
    return NpsScore(100 * (promoters - detractors) / answered, low, high, answered)


def ces(answers: Iterable[Answer]) -> CesScore | None:
    """Customer effort of answers on 1–7: the share of the three easy boxes. None when nobody answered.

    :raises ValueError: when an answer is on another scale or two directions are mixed.
    """
    return ces_of_counts((answer, 1) for answer in answers)


def ces_of_counts(counts: Iterable[tuple[Answer, int]]) -> CesScore | None:
    """Customer effort of answers that were each given so many times; as `ces`."""
    given = [(answer, times) for answer, times in counts if times > 0]
    if not given:
        return None
    scales = {answer.scale for answer, _ in given}
    scale = given[0][0].scale
    if len(scales) > 1 or scale.length != 7:
        raise ValueError("customer effort is computed on one scale of seven answers; other scales stay apart")
    answered = sum(times for _, times in given)
    easy = sum(times for answer, times in given if (answer.value >= scale.high - 2 if scale.higher_is_better else answer.value <= scale.low + 2))
    low, high = wilson_counts(easy, answered)
    return CesScore(easy, answered, low, high, sum(answer.value * times for answer, times in given) / answered)
