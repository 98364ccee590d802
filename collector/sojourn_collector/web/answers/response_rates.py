"""How many of those a survey reached answered it, by one fact: known where invitations tell of it, or where it is told of who was invited."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sojourn_collector.score.drivers import HIDDEN_BELOW
from sojourn_collector.web.models_feedback import ResponseRate

MOST_NOBODY: Final = 0.05
"""The share of a survey's invitations, or of its answers, that may be of nobody known: with more, a rate by what is told of people would be of other people
than the survey reached."""

Row = Mapping[str, Any]


def rates_of(rows: Sequence[Row], *, told: bool) -> list[ResponseRate]:
    """The rates by survey and fact, most invited first; of fewer than five invited there is none, nor of a survey that tells of no invitation.

    :param rows: of `invited_groups`.
    :param told: whether the fact is one that is told of people, which of nobody known is not.
    """
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        for name in ("invited", "invited_nobody", "answered", "answered_nobody"):
            sums[row["survey"]][name] += row[name]
    blurred = {survey for survey, of in sums.items() if told and any(of[f"{what}_nobody"] > MOST_NOBODY * of[what] for what in ("invited", "answered"))}
    found = [
        ResponseRate(
            value=row["fact"],
            survey=row["survey"],
            invited=row["invited"],
            answered=row["answered"],
            partial=row["partial"],
            rate=_rate(row) if row["survey"] not in blurred else None,
        )
        for row in rows
        if row["fact"]
    ]
    return sorted(found, key=lambda one: (one.survey, -one.invited, one.value))


def _rate(row: Row) -> float | None:
    return row["answered"] / row["invited"] if row["invited"] >= max(HIDDEN_BELOW, row["answered"]) else None
