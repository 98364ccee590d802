"""The starter set: satisfaction, tickets and how long they wait, over the last weeks."""

from sojourn_collector.web.chapters import tickets
from sojourn_collector.web.chapters.figures import of_share
from sojourn_collector.web.chapters.told import Figure, Told, facts
from sojourn_collector.web.format import count
from sojourn_collector.web.models_tickets import StarterSet

ANSWER = StarterSet


def tell(answer: StarterSet) -> Told:
    """Of the days before now."""
    on = f" on {answer.scale}" if answer.scale else ""
    support = [("tickets", Figure(None, why=tickets.NONE))] if answer.tickets is None else tickets.first_rows(answer.tickets)
    return Told(
        "starter",
        f"Satisfaction and support, the last {answer.days} days",
        answer.as_of,
        tables=[facts("starter", "", [(f"satisfied (CSAT){on}", of_share(answer.satisfied)), *support])],
        notes=[f"{count(answer.other_scales, 'other scale is', 'other scales are')} not mixed in"] if answer.other_scales else [],
    )
