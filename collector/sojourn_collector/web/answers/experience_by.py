"""How customers fared in a journey, or at one of its steps, by one fact about them; ordered so that small groups do not lead."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.impact_config import Fact
from sojourn_collector.score.customer_impact import EMPTY, NOBODY, Body, Moments, scores_of
from sojourn_collector.score.drivers import HIDDEN_BELOW, THIN_BELOW, Group, prior, shrunk
from sojourn_collector.score.intervals import wilson
from sojourn_collector.score.severities import Severities
from sojourn_collector.web.answers.breakdown import OF_VISITS, WHATS, Choice, Of, choices, fact_asked
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.problem import impact_model
from sojourn_collector.web.answers.sums import moments_in, trying_in
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_experience import Drawn, ExperienceBy, FaredGroup

Failed = Literal["step", "failure_kind"]
"""Where a walk first failed, and how: told of walks that met a failure, so no impact stands beside it."""
FAILED: tuple[Failed, ...] = get_args(Failed)

By = Literal[Fact, Failed]
"""What walks are told apart by."""

UNMET = "met no failure"
"""What walks are that no step or kind of failure belongs to."""

OF_PEOPLE = frozenset({"plan", "segment", "lifecycle", "owner", "role", *OF_VISITS})
"""Facts that accounts and people are asked for; of where a visit came from they tell what it does not."""

LOOKED_AT = 2000
"""Groups that are looked at, the largest; all the same `whole` is of everybody."""
LOOKED_UNITS = 50_000
"""Groups of which units are read: the largest, each with a row of people and one of visits without identity."""
MOST = 50
APDEX_T = 2.5

Row = Mapping[str, Any]


def fared_choices(impact: ImpactConfig) -> list[Choice]:
    """What a page offers to tell walks apart by: `segments` of impact.yaml in its order, then how and where walks failed."""
    offered = choices(impact)
    return [*offered[len(WHATS) :], *(one for one in reversed(offered[: len(WHATS)]) if one.name in FAILED)]


COUNTS = ("tried", "finished", "gave_up", "stopped", "hit", "slow", "timed", "satisfied", "tolerating")


class Units(NamedTuple):
    """What is scored of a group: days of people, visits without identity, and where people were sampled every visit."""

    people: Body = EMPTY
    anonymous: Body = EMPTY
    every: Body | None = None

    @property
    def leads(self) -> Moments:
        """The units that groups are compared by; those of people wherever they have a score."""
        if self.every is not None:
            return self.every.now
        return self.people.now if self.people.now.units else self.anonymous.now


NO_UNITS = Units()


async def experience_by(context: Context, journey: str, window: Window, by: By = "device", attr: str = "", of: Of = "", step: str = "") -> ExperienceBy:
    """The body of `GET /api/v1/journeys/{id}/experience`.

    :param attr: name of an attribute to tell apart by, instead of `by`. Of visits there are those that `segments` of impact.yaml names.
    :param of: whose attribute.
    :param step: only who came to this step, and how they fared there.
    :raises KeyError: for a journey that is not in the folder.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    failed = not attr and by in FAILED
    own = context.impact.journeys.get(journey)
    t = own.apdex if own is not None and own.apdex is not None else APDEX_T
    asked: dict[str, Any] = {
        **({"by": by, "attr": "", "of": "", "fact": "", "wider": ""} if failed else fact_asked(by, attr, of)),
        "journey": journey,
        "step": step,
        "since": window.since,
        "until": window.until,
        "zone": context.impact.timezone,
        "of_people": bool(attr) or by in OF_PEOPLE,
    }
    walks, units = await asyncio.gather(
        context.store.query("experience_walks", deadline=PATIENCE, **asked, apdex_ms=1000 * t, most=LOOKED_AT + 2),
        _units(context, {**asked, "by": ""} if failed else asked),
    )
    say = _Say(context, journey, step, by="" if attr else by, apdex_t=t if step else None)
    everybody = next((row for row in walks if row["whole"]), dict.fromkeys((*COUNTS, "groups", "who"), 0))
    rows = [row for row in walks if not row["whole"]]
    unknown = next((row for row in rows if not row["value"] and not failed), None)
    known = [row for row in rows if row is not unknown]
    hidden = [row for row in known if row["who"] < HIDDEN_BELOW]
    # What has walks and nothing to score differs from what was not looked at.
    unscored = None if failed or len(units) > LOOKED_UNITS else NO_UNITS
    ordered = _ordered([row for row in known if row["who"] >= HIDDEN_BELOW], {} if failed else units)
    shown = ordered[:MOST]
    others = {key: everybody[key] - sum(row[key] for row in (*(row for row, _ in shown), *([unknown] if unknown else ()))) for key in COUNTS}
    groups = everybody["groups"] + (1 if failed and any(not row["value"] for row in rows) else 0)
    answer = ExperienceBy(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey,
        name=journey_title(context, journey).name,
        step=step,
        steps=[step_title(context, journey, one.id) for one in context.journeys.all()[journey].steps if one.customers],
        by=attr or by,
        whole=say.group("", everybody, units.get(None, NO_UNITS)),
        groups=[say.group(row["value"], row, unscored if failed else units.get(row["value"], unscored), drawn) for row, drawn in shown],
        unknown=say.group("", unknown, units.get("", unscored)) if unknown else None,
        others=say.group("", others, None) if others["tried"] else None,
        hidden=len(hidden),
        cut=groups - len(shown) - len(hidden),
        reason=_reason(everybody["tried"], unknown["tried"] if unknown else 0, step, attr or by),
    )
    return await versioned(context, answer, "breakdown", window.since, window.until, journey=journey)


async def _units(context: Context, asked: Mapping[str, Any]) -> dict[str | None, Units]:
    """By value of the fact what is scored; None: of everybody. Days of people are not scored where people were sampled by session: there every visit is."""
    rows = await context.store.query("experience_units", deadline=PATIENCE, **asked, by_visit=False, most=2 * LOOKED_UNITS)
    severities = context.impact.severities.numbers
    people, anonymous = (_bodies((row for row in rows if bool(row["anonymous"]) is apart), severities) for apart in (False, True))
    every: dict[str | None, Body] | None = None
    if people.get(None, EMPTY).now.sampled:
        every = _bodies(await context.store.query("experience_units", deadline=PATIENCE, **asked, by_visit=True, most=2 * LOOKED_UNITS), severities)
    return {
        value: Units(people.get(value, EMPTY), anonymous.get(value, EMPTY), None if every is None else every.get(value, EMPTY))
        for value in {*people, *anonymous, *(every or ())}
    }


def _bodies(rows: Iterable[Row], severities: Severities) -> dict[str | None, Body]:
    return {None if row["whole"] else row["value"]: Body(moments_in(row, severities), NOBODY, trying_in(row, severities)) for row in rows}


def _ordered(rows: Sequence[Row], units: Mapping[str | None, Units]) -> list[tuple[Row, Drawn | None]]:
    """Those with the most units hurt for whom there is good evidence first; of as many, or where nothing is scored, the larger."""
    of = {row["value"]: units[row["value"]].leads for row in rows if row["value"] in units}
    seen = {value: _group(value, one) for value, one in of.items() if one.weights > 0}
    whole = units.get(None, NO_UNITS).leads
    drawn: dict[str, Drawn] = {}
    if seen and whole.squares > 0:
        learnt, everybody = prior(list(seen.values())), whole.weights**2 / whole.squares
        for value, group in seen.items():
            people, hurt = group.evidence
            drawn[value] = Drawn(**shrunk(hurt, people, learnt, everybody - people)._asdict())

    def place(row: Row) -> tuple[float, int, str]:
        one = drawn.get(row["value"])
        hurt = one.low * of[row["value"]].weights if one is not None and of[row["value"]].severity > 0 else 0.0
        return (-hurt, -row["tried"], row["value"])

    return [(row, drawn.get(row["value"])) for row in sorted(rows, key=place)]


def _group(value: str, of: Moments) -> Group:
    # Sums of the same weights in another order may differ in their last digits.
    return Group(value, "", of.weights, min(of.severity, of.weights), of.weights**2 / of.squares)


class _Say(NamedTuple):
    """What rows are said with: names of steps, and T of Apdex where it is told."""

    context: Context
    journey: str
    step: str
    by: str
    apdex_t: float | None

    def group(self, value: str, row: Row, units: Units | None, drawn: Drawn | None = None) -> FaredGroup:
        tried, over = row["tried"], row["finished"] + row["gave_up"] + row["stopped"]
        people, visits = scores_of(*units) if units is not None else (None, None)
        return FaredGroup(
            value=value,
            name=self._name(value),
            **{key: row[key] for key in ("tried", "finished", "gave_up", "stopped", "hit", "slow")},
            trying=tried - over,
            **{f"{key}_{end}": at for key in ("finished", "gave_up", "stopped") for end, at in _ends(row[key], over)},
            **{f"{key}_{end}": at for key in ("hit", "slow") for end, at in _ends(row[key], tried)},
            **(self._apdex(row) if self.apdex_t is not None else {}),
            impact=None if units is None or people is None else impact_model(people, units.anonymous.now.units),
            impact_of_visits=None if visits is None else impact_model(visits),
            drawn=drawn,
            thin=units is not None and units.leads.units < THIN_BELOW,
        )

    def _apdex(self, row: Row) -> dict[str, Any]:
        # A mean of values from 0 to 1; Wilson's interval for shares is at least as wide as theirs.
        of, satisfied = row["timed"] + row["hit"], row["satisfied"] + row["tolerating"] / 2
        return {"apdex": satisfied / of if of else None, "apdex_of": of, "apdex_t": self.apdex_t, **{f"apdex_{end}": at for end, at in _ends(satisfied, of)}}

    def _name(self, value: str) -> str:
        if self.by in FAILED and not value:
            return UNMET
        if self.by == "step":
            return step_title(self.context, self.journey, value).name
        return value.replace("_", " ") if self.by in ("channel", "failure_kind") else value


def _ends(part: float, of: int) -> Iterable[tuple[str, float | None]]:
    return zip(("low", "high"), wilson(part / of, of) if of else (None, None), strict=True)


def _reason(tried: int, unknown: int, step: str, by: str) -> str:
    if not tried:
        return "no customer came to this step in this time" if step else "no customer was seen in this journey in this time"
    return f"of nobody is known: {by}" if unknown == tried else ""
