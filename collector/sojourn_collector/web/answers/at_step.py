"""Who came to the step of a problem, as it is read for everything that is worked out of it."""

from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.others import hit_in
from sojourn_collector.web.answers.window import RUN_LENGTH
from sojourn_collector.web.format import count, number

MOST_WALKS = 200_000
"""Walks through the step that a problem is worked out of: the first ones, both those hit and those beside them."""


def stretch(found: Found) -> dict[str, Any]:
    """Parameters of the queries about everyone who came there."""
    incident = found.incident
    return {
        "journey": found.journey,
        "step": found.step,
        "since": incident.window_from,
        "until": incident.window_to,
        "run_since": incident.window_from - RUN_LENGTH,
    }


async def walks_at(context: Context, found: Found) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of their walks, and where there are too many the sentence that says so."""
    rows = await context.store.query("problem_people", **stretch(found), most=MOST_WALKS + 1)
    if len(rows) <= MOST_WALKS:
        return rows, []
    rows = rows[:MOST_WALKS]
    hit, until = await hit_in(context, found), rows[-1]["run_started"].astimezone(ZoneInfo(context.impact.timezone))
    apart = f" and {count(hit.visits, 'anonymous visit')}" if hit.visits else ""
    note = f"all figures are of the first {number(MOST_WALKS)} walks through this step, those that began until {until:%Y-%m-%d %H:%M:%S}"
    return rows, [f"{note}; {count(hit.people, 'person', 'people')}{apart} were hit in all"]
