"""What is known of those who came to a step from before it failed: who is compared with whom, and whom a failure follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sojourn_collector.context import Context
from sojourn_collector.join.visit_facts import CHANNEL, COUNTRY, REGION, attribute_fact
from sojourn_collector.score.segments import Crowd, Segment, guilty_segment
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH

ALWAYS = ("device", "browser", "release", "app", REGION, COUNTRY, CHANNEL)
"""Facts a failure may follow; attributes that impact.yaml names, such as a payment method, beside them. Of two that say the same the first is told."""


@dataclass(frozen=True, slots=True)
class GuestFacts:
    """Facts of one person's visit by name, their account ("" = none), and how many visits they made in the weeks before."""

    facts: Mapping[str, str]
    account: str
    visits: int


async def guest_facts(context: Context, found: Found, guests: Sequence[Guest], history: float) -> dict[str, GuestFacts]:
    """By person. Nothing is asked of the engine where too few were hit for an estimate, or nobody is left beside them.

    :param history: seconds before the incident whose visits count.
    """
    hit = sum(guest.hit for guest in guests)
    if hit < context.impact.min_hit or hit == len(guests):
        return {}
    incident = found.incident
    rows = await context.store.query(
        "problem_facts",
        deadline=PATIENCE,
        journey=found.journey,
        step=found.step,
        since=incident.window_from,
        until=incident.window_to,
        run_since=incident.window_from - RUN_LENGTH,
        history=incident.window_from - timedelta(seconds=history),
    )
    return {
        row["person"]: GuestFacts({**row["facts"], "browser": row["browser"], "release": row["release"], "app": row["app"]}, row["account"], row["visits"])
        for row in rows
    }


def segment_hit(guests: Sequence[Guest], known: Mapping[str, GuestFacts], attributes: Sequence[str]) -> Segment | None:
    """The segment the failure follows, None where it follows none or nothing is known.

    :param attributes: names of attributes that visits are broken down by.
    """
    crowds = (Crowd({**told.facts, "device": guest.row["device"]}, 1, int(guest.hit)) for guest in guests if (told := known.get(guest.id)) is not None)
    return guilty_segment(crowds, (*ALWAYS, *map(attribute_fact, attributes)))
