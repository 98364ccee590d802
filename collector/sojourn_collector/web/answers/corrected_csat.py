"""CSAT of a journey corrected for who answers: everyone a survey reached is looked at, those who kept silent too."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.corrected_csat import Invited, corrected_csat
from sojourn_collector.score.satisfaction import Scale, is_satisfied
from sojourn_collector.score.severities import RECOVERED
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_measures import CorrectedCsatAnswer

FACTS: Mapping[str, str] = {
    "exposure": "what they met in this journey",
    "outcome": "how their last walk ended",
    "of_device": "their device",
    "tenure": "how long they are known",
}
"""Columns of `invited_people` that say who answers, and what they are called."""

MOST = 100_000
Row = Mapping[str, Any]


async def corrected(context: Context, journey: str, window: Window) -> CorrectedCsatAnswer:
    """The body of `GET /api/v1/journeys/{id}/corrected-csat`: of the survey that most were asked. Raises EngineUnavailable."""
    asked: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until}
    rows, (hit,) = await asyncio.gather(
        context.store.query("invited_people", **asked, most=MOST), context.store.query("journey_hit_people", **asked, severity=RECOVERED)
    )
    scale, people = _survey(rows)
    told = corrected_csat(people, hit=hit["people"], never=hit["never_asked"])
    answer = CorrectedCsatAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey,
        scale=str(scale) if scale else "",
        invited=told.invited,
        answered=told.answered,
        raw=told.raw,
        share=told.share,
        low=told.low,
        high=told.high,
        n_eff=told.n_eff,
        if_satisfied_answer_more=told.if_satisfied_answer_more,
        if_satisfied_answer_less=told.if_satisfied_answer_less,
        facts=list(FACTS.values()),
        reason=told.reason if people else "no survey about this journey tells whom it asked: send invitations (docs/sources.md)",
        never_asked=told.never_asked,
    )
    return await versioned(context, answer, "satisfaction", window.since, window.until, journey=journey)


def _survey(rows: Sequence[Row]) -> tuple[Scale | None, list[Invited]]:
    """The people of the survey that reached most, with their answers on its most used scale; answers on another one are left out with their people."""
    surveys = Counter((row["of_source"], row["survey"]) for row in rows)
    if not surveys:
        return None, []
    chosen = max(surveys, key=lambda one: (surveys[one], one))
    mine = [row for row in rows if (row["of_source"], row["survey"]) == chosen]
    scales = Counter(_scale(row) for row in mine if row["has_answered"])
    scale = max(scales, key=lambda one: (scales[one], one.high)) if scales else None
    kept = [row for row in mine if not row["has_answered"] or _scale(row) == scale]
    return scale, [Invited({name: row[name] for name in FACTS}, _satisfied(row, scale)) for row in kept]


def _scale(row: Row) -> Scale:
    return Scale(row["scale_min"], row["scale_max"], bool(row["higher"]))


def _satisfied(row: Row, scale: Scale | None) -> bool | None:
    if not row["has_answered"] or scale is None:
        return None
    return bool(row["satisfied"]) if row["satisfied"] is not None else is_satisfied(row["value"], scale)
