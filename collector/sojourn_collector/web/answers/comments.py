"""Feedback rows as comments, and the satisfaction of those hit beside the others."""

from collections.abc import Mapping, Sequence
from typing import Any

from sojourn_collector.score.satisfaction import Answer, CsatScore, Scale, csat
from sojourn_collector.web.models import Comment, Satisfaction, Share

MOST_COMMENTS = 100
"""Comments one answer carries."""

RATED = ("csat", "rating")
"""Kinds of feedback whose answers are satisfied or not."""


def comment_of(row: Mapping[str, Any], hit: bool | None = None) -> Comment:
    """One row of `feedback`; `hit` = whether its person was, where that is known."""
    satisfied = row["satisfied"]
    return Comment(
        id=row["id"],
        at=row["ts"],
        kind=row["kind"],
        value=row["value"],
        scale_min=row["scale_min"],
        scale_max=row["scale_max"],
        satisfied=None if satisfied is None else bool(satisfied),
        text=row["comment"],
        person_id=row["person_id"],
        session_id=row["session_id"],
        hit=hit,
        join=row["join"] if row["join"] in ("explicit", "inferred") else "unlinked",
    )


def answer_of(row: Mapping[str, Any]) -> Answer | None:
    """A rated answer with its scale; None for what has no value, no scale or another kind."""
    if row["kind"] not in RATED or row["value"] is None or row["scale_min"] is None or row["scale_max"] is None:
        return None
    scale = Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"]))
    return Answer(row["value"], scale, None if row["satisfied"] is None else bool(row["satisfied"]))


def satisfaction_of(rows: Sequence[Mapping[str, Any]], hit_of: Mapping[str, bool], unlinked: int = 0) -> Satisfaction:
    """CSAT of those hit and of the others on the scale with most answers; each person's newest answer counts.

    :param rows: feedback rows, newest first.
    :param hit_of: person → whether they were hit; feedback of others is left out.
    """
    newest: dict[tuple[str, Scale], Answer] = {}
    for row in rows:
        answer = answer_of(row)
        if answer is not None and row["person_id"] in hit_of:
            newest.setdefault((row["person_id"], answer.scale), answer)
    comments = [comment_of(row, hit_of[row["person_id"]]) for row in rows if row["comment"] and row["person_id"] in hit_of]
    comments.sort(key=lambda comment: (not comment.hit, -comment.at.timestamp()))
    every = csat(newest.values())
    if not every:
        return Satisfaction(comments=comments[:MOST_COMMENTS], unlinked=unlinked)
    scale = every[0].scale
    arms = {arm: csat(answer for (person, on), answer in newest.items() if on == scale and hit_of[person] is arm) for arm in (True, False)}
    return Satisfaction(
        scale=str(scale),
        hit=_share(arms[True]),
        others=_share(arms[False]),
        comments=comments[:MOST_COMMENTS],
        unlinked=unlinked,
        state="measured",
    )


def _share(scores: Sequence[CsatScore]) -> Share | None:
    if not scores:
        return None
    return Share(satisfied=scores[0].satisfied, answered=scores[0].answered, low=scores[0].low, high=scores[0].high)
