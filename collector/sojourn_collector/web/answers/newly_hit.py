"""Who was newly hit at a step: the people and visits that an alarm counts."""

from sojourn_collector.context import Context
from sojourn_collector.web.answers.alarms import LOOKED_AT
from sojourn_collector.web.answers.page import place_of
from sojourn_collector.web.answers.sufferers import label_of, names_of
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.window import RUN_LENGTH
from sojourn_collector.web.asked_records import NewlyHitAsked
from sojourn_collector.web.models_records import NewlyHit, NewlyHitList


async def newly_hit(context: Context, asked: NewlyHitAsked) -> NewlyHitList:
    """The body of `GET /api/v1/alarms/people`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "newly hit")
    begin = place.window.until - LOOKED_AT
    rows = await context.store.query(
        "newly_hit",
        deadline=asked.deadline,
        journey=asked.journey,
        step=asked.step,
        begin=begin,
        run_since=begin - RUN_LENGTH,
        since=max(begin, place.window.since),
        until=place.window.until,
        at=place.at,
        after=place.after,
        most=asked.limit + 1,
    )
    more, rows = len(rows) > asked.limit, rows[: asked.limit]
    names = await names_of(context, [row["person"] for row in rows])
    return NewlyHitList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["at_first"]), rows[-1]["person"]) if more else None,
        items=[
            NewlyHit(
                person_id=row["person"],
                kind=row["kind"] or "visit",
                label=label_of(row["person"], names.get(row["person"], {}).get("name", "")),
                account_id=row["account"],
                at=row["at_first"],
                severity=round(float(row["worst"]), 4),
                session_id=row["session_id"],
                run_id=row["run_id"],
            )
            for row in rows
        ],
    )
