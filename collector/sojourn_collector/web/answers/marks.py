"""Marks that people told of, and releases that customers' visits were seen on."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import midnight
from sojourn_collector.score.fix_verification import LOOKS
from sojourn_collector.store.control.marks import MarkRow
from sojourn_collector.web.answers.times import from_ms
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.models_fixes import Mark, MarksAnswer

MOST_TOLD = 500
MOST_SEEN = 100
DEADLINE = 20.0
SEEN = "seen-"


async def marks(context: Context) -> MarksAnswer:
    """The body of `GET /api/v1/marks`. Raises EngineUnavailable, QueryTimeout."""
    told = [told_mark(context, row) for row in await context.control.marks.list(MOST_TOLD)]
    both = told + await seen_releases(context)
    return MarksAnswer(as_of=context.clock(), marks=sorted(both, key=lambda mark: (-mark.at.timestamp(), mark.id)))


async def mark_of(context: Context, ident: str) -> Mark | None:
    """One mark of either origin."""
    if ident.startswith(SEEN):
        return next((mark for mark in await seen_releases(context) if mark.id == ident), None)
    row = await context.control.marks.get(ident)
    return None if row is None else told_mark(context, row)


def marks_shown(found: MarksAnswer, zone: ZoneInfo) -> dict[str, Any]:
    """What the page of marks shows: those told, those seen, and when those that are too young are first looked at."""
    first = {mark.id: first_look(mark.at, zone) for mark in found.marks if mark.journey}
    return {
        "told": [mark for mark in found.marks if mark.origin == "told"],
        "seen": [mark for mark in found.marks if mark.origin == "seen"],
        "next_looks": {ident: at for ident, at in first.items() if at > found.as_of},
    }


def first_look(at: datetime, zone: ZoneInfo) -> datetime:
    """When a fix is first judged: after whole days that follow its own."""
    return midnight(at.astimezone(zone).date() + timedelta(days=1 + LOOKS[0]), zone)


def told_mark(context: Context, row: MarkRow) -> Mark:
    """A mark somebody made, as it is shown."""
    return Mark(
        id=row.id,
        kind=row.kind.value,
        origin="told",
        at=row.at,
        name=row.name,
        journey=journey_title(context, row.journey) if row.journey else None,
        step=step_title(context, row.journey, row.step) if row.step else None,
        trouble_from=row.trouble_from,
        note=row.note,
        actor=row.actor,
        made_at=row.made_at,
    )


async def seen_releases(context: Context) -> list[Mark]:
    """The newest releases on which customers' visits were seen, each since its first one that is kept."""
    rows = await context.store.query("releases_seen", most=MOST_SEEN, deadline=DEADLINE)
    return [_seen(row) for row in rows]


def _seen(row: Mapping[str, Any]) -> Mark:
    ident = SEEN + hashlib.sha256(f"{row['app']}\0{row['release']}".encode()).hexdigest()[:12]
    return Mark(id=ident, kind="release", origin="seen", at=from_ms(row["first_ms"]), name=row["release"], app=row["app"], visits=row["visits"])
