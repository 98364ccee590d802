"""Satisfaction, recommendation and effort as customers answered them: those hit beside the others, each kind by its own scale."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sojourn_collector.score.satisfaction import Answer, Scale, ces, csat, nps
from sojourn_collector.web.answers.comments import MOST_COMMENTS, comment_of
from sojourn_collector.web.models import Effort, Promoters, Satisfaction, Share

RATED = ("csat", "rating")
"""Kinds of feedback whose answers are satisfied or not."""

EFFORT_LENGTH = 7
"""Effort is computed on scales of seven answers; others stay apart."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Given:
    """One answer of one person; `hit` is False for everyone where nobody asks who was hit."""

    person: str
    hit: bool
    kind: str
    answer: Answer


def satisfaction_of(rows: Sequence[Row], hit_of: Mapping[str, bool], unlinked: int = 0) -> Satisfaction:
    """What those hit and the others at a step answered; each person's newest answer of a kind and scale counts.

    :param rows: feedback rows, newest first.
    :param hit_of: person → whether they were hit; feedback of others is left out.
    """
    known = [row for row in rows if row["person_id"] in hit_of]
    said = sorted((row for row in known if row["comment"]), key=lambda row: (not hit_of[row["person_id"]], -row["ts"].timestamp()))
    comments = [comment_of(row, hit_of[row["person_id"]]) for row in said[:MOST_COMMENTS]]
    given = _newest(known, who=lambda row: row["person_id"], hit=lambda row: hit_of[row["person_id"]])
    return _told(given).model_copy(update={"comments": comments, "unlinked": unlinked})


def satisfaction_of_all(rows: Sequence[Row], invited: Sequence[Row] = ()) -> Satisfaction:
    """What everyone answered, as `others`: who was hit is told per problem. Answers of unknown persons count one each.

    :param rows: feedback rows, newest first.
    :param invited: how many were `invited`, by `source` and `survey_id`.
    """
    given = _newest(rows, who=lambda row: row["person_id"] or f"{row['source']}/{row['id']}", hit=lambda row: False)
    comments = [comment_of(row) for row in islice((row for row in rows if row["comment"]), MOST_COMMENTS)]
    told = _told(given)
    if told.others is not None:
        rate = response_rate(rows, {(row["source"], row["survey_id"]): row["invited"] for row in invited})
        partial = sum(bool(row.get("partial")) and row["kind"] in RATED and row["value"] is not None for row in rows)
        told = told.model_copy(update={"others": told.others.model_copy(update={"response_rate": rate, "partial": partial})})
    return told.model_copy(update={"comments": comments, "unlinked": sum(row["join"] == "unlinked" and row["kind"] != "mention" for row in rows)})


def response_rate(rows: Sequence[Row], invited: Mapping[tuple[str, str], int]) -> float | None:
    """Rated answers per invitation that reached somebody, 0 to 1, without those of who did not finish. None where it is not known: a survey that answers came
    from told of none, or of too few.
    """
    begun = [row for row in rows if row["kind"] in RATED and row["value"] is not None]
    rated = {(row["source"], row["survey_id"], row["id"]) for row in begun if not row.get("partial")}
    surveys = {(row["source"], row["survey_id"]) for row in begun}
    asked = sum(invited.get(one, 0) for one in surveys)
    known = bool(surveys) and all(invited.get(one, 0) for one in surveys)
    return len(rated) / asked if known and len(rated) <= asked else None


def _newest(rows: Iterable[Row], who: Callable[[Row], str], hit: Callable[[Row], bool]) -> list[_Given]:
    """Each person's newest answer of a kind on a scale; rows without a value or scale, as comments have none, are left out."""
    newest: dict[tuple[str, str, Scale], _Given] = {}
    for row in rows:
        if row["value"] is None or row["scale_min"] is None or row["scale_max"] is None:
            continue
        kind = "csat" if row["kind"] in RATED else row["kind"]
        scale = Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"]))
        answer = Answer(row["value"], scale, None if row["satisfied"] is None else bool(row["satisfied"]))
        newest.setdefault((who(row), kind, scale), _Given(who(row), hit(row), kind, answer))
    return list(newest.values())


def _told(given: Sequence[_Given]) -> Satisfaction:
    rated = _arms(given, "csat")
    scores = csat(rated[True] + rated[False])
    scale = scores[0].scale if scores else None
    efforts = _arms(given, "ces")
    effort_scale = _most_used(answer.scale for answer in efforts[True] + efforts[False] if answer.scale.length == EFFORT_LENGTH)
    recommended = _arms(given, "nps")
    told = Satisfaction(
        scale=str(scale) if scale else "",
        hit=_share(rated[True], scale),
        others=_share(rated[False], scale),
        nps_hit=_promoters(recommended[True]),
        nps_others=_promoters(recommended[False]),
        ces_hit=_effort(efforts[True], effort_scale),
        ces_others=_effort(efforts[False], effort_scale),
    )
    asked = (told.hit, told.others, told.nps_hit, told.nps_others, told.ces_hit, told.ces_others)
    return told.model_copy(update={"state": "measured" if any(score is not None for score in asked) else "not measured"})


def _arms(given: Sequence[_Given], kind: str) -> dict[bool, list[Answer]]:
    return {arm: [one.answer for one in given if one.kind == kind and one.hit is arm] for arm in (True, False)}


def _most_used(scales: Iterable[Scale]) -> Scale | None:
    counts: dict[Scale, int] = {}
    for scale in scales:
        counts[scale] = counts.get(scale, 0) + 1
    return max(counts, key=lambda scale: (counts[scale], scale.higher_is_better, -scale.low)) if counts else None


def _share(answers: Sequence[Answer], scale: Scale | None) -> Share | None:
    """Satisfied of answered on that scale."""
    scores = csat(answer for answer in answers if answer.scale == scale)
    return Share(satisfied=scores[0].satisfied, answered=scores[0].answered, low=scores[0].low, high=scores[0].high) if scores else None


def _promoters(answers: Sequence[Answer]) -> Promoters | None:
    score = nps(answer.value for answer in answers if (answer.scale.low, answer.scale.high) == (0, 10))
    return Promoters(score=score.score, low=score.low, high=score.high, answered=score.answered) if score else None


def _effort(answers: Sequence[Answer], scale: Scale | None) -> Effort | None:
    score = ces(answer for answer in answers if answer.scale == scale)
    return Effort(scale=str(scale), easy=score.easy, answered=score.answered, low=score.low, high=score.high, mean=score.mean) if score else None
