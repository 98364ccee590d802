"""What explains a journey's score: by step and cause, or by one fact about its customers, ranked so that small groups do not lead."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from sojourn_collector.context import Context
from sojourn_collector.score.drivers import HIDDEN_BELOW, Driver, Group, drivers
from sojourn_collector.web.answers.titles import step_title
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_measures import Breakdown, DriverLine

By = Literal["cause", "device", "browser", "release", "app", "plan", "segment", "lifecycle", "owner", "role", "known", "day", "hour"]
FACTS: tuple[str, ...] = get_args(By)
"""What a score is broken down by; `attr` beside it names any attribute of people or accounts."""

MOST = 50


async def breakdown(context: Context, journey: str, window: Window, by: By = "cause", attr: str = "") -> Breakdown:
    """The body of `GET /api/v1/journeys/{id}/breakdown`.

    :param attr: name of an attribute of people or accounts to break down by, instead of `by`.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    asked: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until, "zone": context.impact.timezone}
    rows = await context.store.query("breakdown_units", by="" if attr or by == "cause" else by, attr=attr, **asked)
    units, weight, hurt = sum(row["people"] for row in rows), sum(row["weight"] for row in rows), sum(row["hurt"] for row in rows)
    if by == "cause" and not attr:
        groups, unknown = _causes(await context.store.query("breakdown_causes", **asked)), 0
    else:
        groups = [Group(row["value"], "", row["weight"], min(row["hurt"], row["weight"])) for row in rows if row["value"]]
        unknown = sum(row["people"] for row in rows if not row["value"])
    shown = drivers(groups, weight) if weight > 0 else []
    return Breakdown(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey,
        by=attr or by,
        units=units,
        score=100 * hurt / weight if weight > 0 else None,
        unknown=unknown,
        hidden=sum(0 < group.people < HIDDEN_BELOW and group.hurt > 0 for group in groups),
        groups=[_line(context, journey, one, by="" if attr else by) for one in shown[:MOST]],
        reason=_reason(units, unknown, attr or by),
    )


def _causes(rows: Sequence[dict[str, Any]]) -> list[Group]:
    """Each cause at a step, of all who came to that step."""
    reached = {row["value"]: float(row["people"]) for row in rows if not row["cause"]}
    return [
        Group(row["value"], row["cause"], reached[row["value"]], min(row["hurt"], reached[row["value"]]))
        for row in rows
        if row["cause"] and row["value"] in reached
    ]


def _reason(units: int, unknown: int, by: str) -> str:
    if not units:
        return "nobody's walk through this journey was over in this time"
    if unknown == units:
        return f"of nobody is known: {by}"
    return ""


def _line(context: Context, journey: str, one: Driver, *, by: str) -> DriverLine:
    return DriverLine(
        value=one.step,
        name=step_title(context, journey, one.step).name if by == "cause" else one.step,
        cause=one.cause,
        people=round(one.people),
        hurt=one.hurt,
        raw=one.hurt / one.people,
        share=one.share,
        low=one.low,
        high=one.high,
        points=one.points,
        thin=one.thin,
    )
