"""What explains a journey's score: by step and cause, or by one fact about its customers, ranked so that small groups do not lead."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.impact_config import Fact
from sojourn_collector.join.visit_facts import attribute_fact
from sojourn_collector.score.customer_impact import Covers, Moments
from sojourn_collector.score.drivers import HIDDEN_BELOW, Driver, Group, drivers
from sojourn_collector.score.severities import Severities
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.titles import step_title
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_measures import Breakdown, DriverLine

By = Literal["cause", Fact]
"""What a score is broken down by: step and cause, or one of our facts; `attr` beside it names any attribute."""

Of = Literal["", "person", "account", "visit"]
"""Whose attribute; empty: the person's, else their account's, else the visit's."""

OF_VISITS = ("country", "region", "channel")
"""Facts that a visit's spans and events tell, else an attribute of that name."""

MOST = 50


class Choice(NamedTuple):
    """One thing to break down by: the query that asks for it, its name, and its label where it is an attribute."""

    query: str
    name: str
    label: str


async def breakdown(context: Context, journey: str, window: Window, by: By = "cause", attr: str = "", of: Of = "") -> Breakdown:
    """The body of `GET /api/v1/journeys/{id}/breakdown`.

    :param attr: name of an attribute to break down by, instead of `by`. Of visits there are those that `segments` of impact.yaml names.
    :param of: whose attribute.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    asked: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until, "zone": context.impact.timezone}
    severities = context.impact.severities.numbers
    rows, covers = await _units(context, {**asked, **_fact(by, attr, of)})
    asked["by_visit"] = covers != "people"
    units, weight, hurt = sum(row["people"] for row in rows), sum(row["weight"] for row in rows), sum(row["hurt"] for row in rows)
    if by == "cause" and not attr:
        groups, unknown = _causes(_hurt(await context.store.query("breakdown_causes", **asked), severities)), 0
    else:
        groups = [Group(row["value"], "", row["weight"], min(row["hurt"], row["weight"])) for row in rows if row["value"]]
        unknown = sum(row["people"] for row in rows if not row["value"])
    shown = drivers(groups, weight) if weight > 0 else []
    answer = Breakdown(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey,
        by=attr or by,
        units=units,
        score=100 * hurt / weight if weight > 0 else None,
        covers=covers,
        unknown=unknown,
        hidden=sum(0 < group.people < HIDDEN_BELOW and group.hurt > 0 for group in groups),
        groups=[_line(context, journey, one, by="" if attr else by) for one in shown[:MOST]],
        reason=_reason(units, unknown, attr or by),
    )
    return await versioned(context, answer, "breakdown", window.since, window.until, journey=journey)


async def _units(context: Context, asked: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Covers]:
    """Days of people by the fact; visits where nobody is known, or where people were sampled by session and so have no score."""
    severities = context.impact.severities.numbers
    rows = _hurt(await context.store.query("breakdown_units", **asked, by_visit=False), severities)
    people, weight = sum(row["people"] for row in rows), sum(row["weight"] for row in rows)
    if people and not Moments(people, weight, 0.0, 0.0).sampled:
        return rows, "people"
    visits = _hurt(await context.store.query("breakdown_units", **asked, by_visit=True), severities)
    return (visits, "all visits" if people else "anonymous visits") if visits else (rows, "people")


def choices(impact: ImpactConfig) -> list[Choice]:
    """What a page offers to break down by: step and cause, then `segments` of impact.yaml in its order."""
    told = [Choice("by=cause", "cause", "")]
    for one in impact.segments:
        if isinstance(one, str):
            told.append(Choice(urlencode({"by": one}), one, ""))
        else:
            told.append(Choice(urlencode({"attr": one.attribute, **({"of": one.of} if one.of else {})}), one.attribute, one.label or one.attribute))
    return told


def _fact(by: By, attr: str, of: Of) -> dict[str, Any]:
    if attr:
        return {"by": "", "attr": attr, "of": of, "fact": attribute_fact(attr)}
    mine = by if by in OF_VISITS else ""
    return {"by": "" if by == "cause" else by, "attr": mine, "of": "", "fact": mine}


def _hurt(rows: Iterable[Mapping[str, Any]], severities: Severities) -> list[dict[str, Any]]:
    return [{**row, "hurt": severities.summed(row)} for row in rows]


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
        name=_name(context, journey, one.step, by),
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


def _name(context: Context, journey: str, value: str, by: str) -> str:
    if by == "cause":
        return step_title(context, journey, value).name
    return value.replace("_", " ") if by == "channel" else value
