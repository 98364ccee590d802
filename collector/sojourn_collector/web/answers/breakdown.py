"""What explains a journey's score: by what happened, or by one fact about its customers, ranked so that small groups do not lead."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import parse_qsl, urlencode

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.impact_config import Fact
from sojourn_collector.join.visit_facts import attribute_fact
from sojourn_collector.score.customer_impact import Covers, Moments
from sojourn_collector.score.drivers import Driver, Group, drivers, hidden
from sojourn_collector.score.intervals import wilson
from sojourn_collector.score.severities import Severities
from sojourn_collector.score.value_impact import Weighed
from sojourn_collector.web.answers.breakdown_worth import by_worth, nothing
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.owners import UNKNOWN, owners_of
from sojourn_collector.web.answers.titles import step_title
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_measures import Breakdown, DriverLine, ProbesAt

What = Literal["cause", "step", "failure_kind"]
WHATS: tuple[What, ...] = get_args(What)
"""What happened: step and cause, step, or failure kind. A person's day belongs to the earliest step that failed in it."""

By = Literal[What, Fact]
"""What a score is broken down by: what happened, or one of our facts; `attr` beside it names any attribute."""

View = Literal["people", "value"]
"""Whether everybody counts the same, or by their worth."""

Of = Literal["", "person", "account", "visit"]
"""Whose attribute; empty: the person's, else their account's, else the visit's."""

OF_VISITS: Mapping[str, tuple[str, str]] = {
    "country": ("country", ""),
    "region": ("region", ""),
    "location": ("city", "region"),
    "channel": ("channel", ""),
    "network": ("network", ""),
}
"""Facts that a visit's spans and events tell, else an attribute of that name: which of a visit's it is, and which stands in."""

MOST = 50
LOOKED_AT = 2000
"""Groups that are looked at, those hurt most; the score is of everybody all the same."""


Rows = list[dict[str, Any]]


class Choice(NamedTuple):
    """One thing to break down by: the query that asks for it, its name, and its label where it is an attribute."""

    query: str
    name: str
    label: str

    @property
    def asked(self) -> dict[str, str]:
        """The query by parameter."""
        return dict(parse_qsl(self.query))


async def breakdown(context: Context, journey: str, window: Window, by: By = "cause", attr: str = "", of: Of = "", view: View = "people") -> Breakdown:
    """The body of `GET /api/v1/journeys/{id}/breakdown`.

    :param attr: name of an attribute to break down by, instead of `by`. Of visits there are those that `segments` of impact.yaml names.
    :param of: whose attribute.
    :param view: whether everybody counts the same, or each by what they were worth before the window.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    asked: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until}
    local: dict[str, Any] = {**asked, "zone": context.impact.timezone}
    what = by if by in WHATS and not attr else ""
    facts, causes = {**local, **fact_asked("" if what else by, attr, of)}, {**local, "by": what}
    found, probes = await asyncio.gather(
        _by_worth(context, journey, window, facts, causes, attr or by) if view == "value" else _by_heads(context, facts, causes, what, attr or by),
        context.store.query("breakdown_probes", **asked) if by == "location" and not attr else nothing(),
    )
    shown = drivers(found.groups, found.weight, found.seen) if found.weight > 0 and found.whole["score"] is not None else []
    answer = Breakdown(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey,
        by=attr or by,
        view=view,
        **found.whole,
        hidden=sum(hidden(group) and group.hurt > 0 for group in found.groups),
        groups=[_line(context, journey, one, found.of.get((one.step, one.cause)), by="" if attr else by) for one in shown[:MOST]],
        probes=[ProbesAt(**row) for row in probes],
    )
    if by == "owner" and not attr:
        owners = await owners_of(context, [one.value for one in answer.groups])
        named = [one.model_copy(update={"name": owners.get(one.value, UNKNOWN).name or one.name}) for one in answer.groups]
        answer = answer.model_copy(update={"groups": named})
    begin = window.since - timedelta(seconds=context.impact.weights.paid) if view == "value" else window.since
    return await versioned(context, answer, "breakdown", begin, window.until, journey=journey)


class _Parts(NamedTuple):
    """The groups, Σ of the weights of everybody and how many equal ones that is, what the answer says of everybody, and of whom a group is where it is by
    worth."""

    groups: list[Group]
    weight: float
    seen: float
    whole: dict[str, Any]
    of: Mapping[tuple[str, str], Weighed] = {}


async def _by_heads(context: Context, facts: Mapping[str, Any], causes: Mapping[str, Any], what: str, name: str) -> _Parts:
    told, happened, covers = await _told(context, facts, causes)
    everybody = next((row for row in told if row["whole"]), NOBODY)
    if what:
        groups, unknown = _happened(happened, everybody, what), 0
        cut = next((row["groups"] for row in happened if not row["came"]), 0) - len(groups)
    else:
        groups = [_group(row, row) for row in told if row["value"]]
        unknown, cut = everybody["unknown"], everybody["groups"] - len(groups)
    weight, seen = everybody["w_sum"], _seen(everybody)
    mean = min(1.0, everybody["hurt"] / weight) if weight > 0 else None
    low, high = (None, None) if mean is None else (100 * end for end in wilson(mean, seen))
    whole = {
        "units": everybody["people"],
        "score": None if mean is None else 100 * mean,
        "low": low,
        "high": high,
        "n_eff": seen if mean is not None else None,
        "covers": covers,
        "unknown": unknown,
        "cut": cut,
        "reason": _reason(everybody["people"], unknown, name),
    }
    return _Parts(groups, weight, seen, whole)


async def _by_worth(context: Context, journey: str, window: Window, facts: Mapping[str, Any], causes: Mapping[str, Any], name: str) -> _Parts:
    found = await by_worth(context, journey, window, facts, causes)
    score = found.score
    whole = {
        "units": score.of,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "n_eff": score.n_eff,
        "coverage": score.coverage,
        "currency": context.impact.currency,
        "one_in": found.one_in,
        "unknown": found.unknown,
        "reason": score.reason or _reason(score.of, found.unknown if not causes["by"] else 0, name),
    }
    return _Parts(found.groups, found.weight, found.seen, whole, found.of)


async def _told(context: Context, facts: Mapping[str, Any], causes: Mapping[str, Any]) -> tuple[Rows, Rows, Covers]:
    """By fact and by what happened: days of people; visits where nobody is known, or where people were sampled by session and so have no score."""
    people = await _asked(context, facts, causes, by_visit=False)
    everybody = next((row for row in people[0] if row["whole"]), NOBODY)
    known = everybody["people"]
    if known and not Moments(known, everybody["w_sum"], 0.0, 0.0).sampled:
        return *people, "people"
    visits = await _asked(context, facts, causes, by_visit=True)
    if not next((row for row in visits[0] if row["whole"]), NOBODY)["people"]:
        return *people, "people"
    return *visits, "all visits" if known else "anonymous visits"


async def _asked(context: Context, facts: Mapping[str, Any], causes: Mapping[str, Any], *, by_visit: bool) -> tuple[Rows, Rows]:
    severities = context.impact.severities.numbers
    heads: dict[str, Any] = {"by_visit": by_visit, "by_person": False, "one_in": 1}
    units, happened = await asyncio.gather(
        # The row of everybody comes before those of the groups, of which one may be of whom nothing is known.
        context.store.query("breakdown_units", deadline=PATIENCE, **facts, **heads, most=LOOKED_AT + 2),
        context.store.query("breakdown_causes", deadline=PATIENCE, **causes, **heads, most=LOOKED_AT) if causes["by"] else nothing(),
    )
    return _hurt(units, severities), _hurt(happened, severities)


def choices(impact: ImpactConfig) -> list[Choice]:
    """What a page offers to break down by: what happened, then `segments` of impact.yaml in its order."""
    told = [Choice(urlencode({"by": what}), what, "") for what in WHATS]
    for one in impact.segments:
        if isinstance(one, str):
            told.append(Choice(urlencode({"by": one}), one, ""))
        else:
            told.append(Choice(urlencode({"attr": one.attribute, **({"of": one.of} if one.of else {})}), one.attribute, one.label or one.attribute))
    return told


NOBODY: Mapping[str, Any] = {"people": 0, "unknown": 0, "groups": 0, "hurt": 0.0, "w_sum": 0.0, "w_squares": 0.0}


def fact_asked(by: str, attr: str, of: Of) -> dict[str, Any]:
    """What queries by one fact are asked of it."""
    if attr:
        return {"by": "", "attr": attr, "of": of, "fact": attribute_fact(attr), "wider": ""}
    fact, wider = OF_VISITS.get(by, ("", ""))
    return {"by": by, "attr": by if fact else "", "of": "", "fact": fact, "wider": wider}


def _hurt(rows: Iterable[Mapping[str, Any]], severities: Severities) -> list[dict[str, Any]]:
    return [{**row, "hurt": severities.summed(row)} for row in rows]


def _happened(rows: Sequence[Mapping[str, Any]], everybody: Mapping[str, Any], what: str) -> list[Group]:
    """Each cause at a step, of all who came to that step; a failure kind, of everybody."""
    reached = {row["value"]: row for row in rows if row["came"]}
    return [_group(row, everybody if what == "failure_kind" else reached[row["value"]]) for row in rows if not row["came"]]


def _group(row: Mapping[str, Any], of: Mapping[str, Any]) -> Group:
    # Sums of the same weights in another order may differ in their last digits.
    return Group(row["value"], row.get("cause", ""), of["w_sum"], min(row["hurt"], of["w_sum"]), _seen(of))


def _seen(row: Mapping[str, Any]) -> float:
    return row["w_sum"] ** 2 / row["w_squares"] if row["w_squares"] > 0 else 0.0


def _reason(units: int, unknown: int, by: str) -> str:
    if not units:
        return "nobody's walk through this journey was over in this time"
    if unknown == units:
        return f"of nobody is known: {by}"
    return ""


def _line(context: Context, journey: str, one: Driver, of: Weighed | None, *, by: str) -> DriverLine:
    return DriverLine(
        value=one.step,
        name=_name(context, journey, one.step, by),
        cause=one.cause,
        people=round(one.people if of is None else of.known),
        worth=None if of is None else of.once,
        hurt=one.hurt,
        raw=one.hurt / one.people,
        share=one.share,
        low=one.low,
        high=one.high,
        points=one.points,
        thin=one.thin,
    )


def _name(context: Context, journey: str, value: str, by: str) -> str:
    if by in ("cause", "step"):
        return step_title(context, journey, value).name
    return value.replace("_", " ") if by in ("channel", "failure_kind") else value
