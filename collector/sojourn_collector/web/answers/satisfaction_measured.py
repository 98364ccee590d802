"""What the answers to one question on one scale come to: CSAT, NPS or CES with its interval, and the mean."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sojourn_collector.score.drivers import THIN_BELOW
from sojourn_collector.score.satisfaction import Answer, Scale, ces_of_counts, csat_of_counts, nps_of_counts
from sojourn_collector.web.answers.satisfaction import EFFORT_LENGTH
from sojourn_collector.web.models import Effort, Promoters, Share

Row = Mapping[str, Any]


class Question(NamedTuple):
    """One question on one scale."""

    survey: str
    question: str
    kind: str
    scale: Scale


def question_of(row: Row) -> Question:
    """The question that a row of `feedback_groups` is of."""
    return Question(row["survey"], row["question"] or row["question_id"], row["kind"], Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"])))


def measured(asked: Question, rows: Sequence[Row]) -> dict[str, Any]:
    """How many answered, the mean, whether they are few, and the score of that kind; none where a scale has no agreed reading."""
    counts = [(Answer(row["value"], asked.scale, None if row["satisfied"] is None else bool(row["satisfied"])), row["n"]) for row in rows]
    answered = sum(times for _, times in counts)
    told: dict[str, Any] = {
        "answered": answered,
        "mean": sum(answer.value * times for answer, times in counts) / answered,
        "thin": answered < THIN_BELOW,
    }
    if asked.kind in ("csat", "mention"):
        scores = csat_of_counts(counts)
        told["csat"] = Share(satisfied=scores[0].satisfied, answered=scores[0].answered, low=scores[0].low, high=scores[0].high) if scores else None
    elif asked.kind == "nps" and (asked.scale.low, asked.scale.high) == (0, 10):
        nps = nps_of_counts((answer.value, times) for answer, times in counts)
        told["nps"] = Promoters(score=nps.score, low=nps.low, high=nps.high, answered=nps.answered) if nps else None
    elif asked.kind == "ces" and asked.scale.length == EFFORT_LENGTH:
        ces = ces_of_counts(counts)
        told["ces"] = Effort(scale=str(asked.scale), easy=ces.easy, answered=ces.answered, low=ces.low, high=ces.high, mean=ces.mean) if ces else None
    return told
