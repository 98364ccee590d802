"""Where figures over time are not of one configuration, or not of as much of what happened, and what that means for each: said beside them, never taken
for a change in customers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.impact_version import IN_SUMS, STORED, Change, changes, config_version, spoken
from sojourn_collector.store.control.impact_versions import ImpactVersion
from sojourn_collector.web.answers.coverage import coverage_breaks
from sojourn_collector.web.models import Break, ChangedKey, Versioned
from sojourn_collector.web.models_versions import VersionLine, VersionList

Measure = Literal["report", "journey", "problem", "history", "breakdown", "silent", "satisfaction", "fix", "forecast", "tickets", "speed"]
MOST = 20
"""Breaks that are told, the newest."""

_READ: Final = ("windows.abandon",)
_LINKED: Final = ("windows.abandon", "windows.identity")
_HURT: Final = (*_READ, "severities.", "timezone")
_MONEY: Final = ("windows.", "currency", "fx", "cart_bands", "holidays", "min_hit", "journeys.", "severities.", "timezone")
USES: Final[Mapping[Measure, tuple[str, ...]]] = {
    "report": _MONEY,
    "journey": _MONEY,
    "problem": (*_MONEY, "weights."),
    "history": _HURT,
    "breakdown": _HURT,
    "silent": (*_LINKED, "silent.", "weights.", "currency", "fx"),
    "satisfaction": _LINKED,
    "fix": (*_LINKED, "timezone"),
    "forecast": (*_READ, "severities.", "windows.incident_gap"),
    "tickets": ("windows.identity", "windows.unresolved"),
    "speed": _LINKED,
}
"""What of impact.yaml each is worked out by: a change of anything else is no break of it."""
_NOT: Final = ("windows.unresolved",)
"""Of `windows.`, what only tickets use."""

LINE: Final = "so changes across that line are not changes in customers"
WHOLE: Final = "all of this is worked out by the present one, so nothing here changed by it; reports kept and figures sent elsewhere before are by the former"
KEPT: Final = "what differs between this and newer reports need be no change in customers"

COVERED: Final[frozenset[Measure]] = frozenset({"report", "journey", "problem", "history", "fix"})
"""Measures that compare stretches of time, which tells of customers only where the browsers tell as much of both."""

T = TypeVar("T", bound=Versioned)


async def versioned(
    context: Context, answer: T, measure: Measure, since: datetime, until: datetime, *, journey: str = "", sums_before: datetime | None = None
) -> T:
    """The answer with the version it is by, and the breaks of what it compares.

    :param since: begin of everything it compares, the time before included that says what is usual; `until` its end.
    :param journey: the one it is about, where it is about one.
    :param sums_before: before this it is told from sums whose runs are no longer kept.
    """
    known = await context.control.impact_versions.list(tenant=context.store.tenant)
    breaks = breaks_of(known, measure, since, until, ZoneInfo(context.impact.timezone), journey=journey, sums_before=sums_before)
    if measure in COVERED:
        breaks = sorted([*breaks, *await coverage_breaks(context, since, until)], key=lambda one: one.at)[-MOST:]
    return answer.model_copy(update={"config_version": config_version(context.impact), "breaks": breaks})


def breaks_of(
    known: Sequence[ImpactVersion],
    measure: Measure,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    *,
    journey: str = "",
    sums_before: datetime | None = None,
) -> list[Break]:
    """Of the versions known, oldest first: every change within (since, until] of something the measure is worked out by, oldest first."""
    told = []
    for old, new in pairwise(known):
        if not since < new.since <= until:
            continue
        mine = [one for one in changes(old.content, new.content) if _used(one.key, measure, journey)]
        in_sums = IN_SUMS if sums_before is not None and since < sums_before else ()
        stored = [one for one in mine if one.key in STORED or one.key in in_sums]
        at_once = [one for one in mine if one not in stored]
        at = _at(new.since, until, zone)
        if stored:
            told.append(_break("stored", old, new, stored, f"Since {at} {_said(stored)}: {_why(stored)}, {LINE}."))
        if at_once:
            told.append(_break("recomputed", old, new, at_once, f"On {at} the configuration changed ({_said(at_once)}): {WHOLE}."))
    return told[-MOST:]


async def since_frozen(context: Context, frozen_at: datetime, version: str) -> list[Break]:
    """What has changed since a report was kept: newer reports are by another configuration than it is.

    :param version: the one the report names; where it is the present one again, nothing is told.
    """
    if version == config_version(context.impact):
        return []
    zone, now, told = ZoneInfo(context.impact.timezone), context.clock(), []
    for old, new in pairwise(await context.control.impact_versions.list(tenant=context.store.tenant)):
        mine = changes(old.content, new.content)
        if new.since > frozen_at and mine:
            told.append(_break("frozen", old, new, mine, f"Since {_at(new.since, now, zone)} the configuration is another ({_said(mine)}): {KEPT}."))
    return told[-MOST:]


async def versions(context: Context) -> VersionList:
    """The body of `GET /api/v1/impact/versions`."""
    known = await context.control.impact_versions.list(tenant=context.store.tenant)
    lines = [
        VersionLine(
            version=one.version,
            since=one.since,
            until=known[number + 1].since if number + 1 < len(known) else None,
            changes=[_changed(change) for change in changes(known[number - 1].content, one.content)] if number else [],
        )
        for number, one in enumerate(known)
    ]
    return VersionList(as_of=context.clock(), present=config_version(context.impact), versions=lines[::-1])


def _used(key: str, measure: Measure, journey: str) -> bool:
    if journey and key.startswith("journeys.") and not key.startswith(f"journeys.{journey}."):
        return False
    return key.startswith(USES[measure]) and (measure == "tickets" or key not in _NOT)


def _break(kind: Literal["stored", "recomputed", "frozen"], old: ImpactVersion, new: ImpactVersion, mine: Iterable[Change], sentence: str) -> Break:
    return Break(at=new.since, kind=kind, before=old.version, version=new.version, changes=[_changed(one) for one in mine], sentence=sentence)


def _changed(one: Change) -> ChangedKey:
    return ChangedKey(key=one.key, old=spoken(one.key, one.old), new=spoken(one.key, one.new))


def _said(mine: Sequence[Change]) -> str:
    shown = ", ".join(one.said() for one in mine[:4])
    return shown if len(mine) <= 4 else f"{shown} and {len(mine) - 4} more"


def _why(mine: Iterable[Change]) -> str:
    return " and ".join(dict.fromkeys(STORED.get(one.key, "of days whose runs are no longer kept only sums are left") for one in mine))


def _at(moment: datetime, seen: datetime, zone: ZoneInfo) -> str:
    """Day and minute, the year where it is another one than that it is seen in."""
    local = moment.astimezone(zone)
    year = "" if local.year == seen.astimezone(zone).year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"
