"""Which of the two scores of a journey or a problem stands first, that of people or that per visit, and what their units are called. Never added up."""

from typing import NamedTuple

from sojourn_collector.score.customer_impact import SAMPLED as SAMPLED
from sojourn_collector.web.format import number, score
from sojourn_collector.web.models import Impact


class Said(NamedTuple):
    """The score that leads, and the one that stands beside it; None where there is no other."""

    lead: Impact
    beside: Impact | None


def said(people: Impact, visits: Impact | None) -> Said:
    """People lead wherever they have a score, or where nothing has. Per visit leads where only that is measured, or only visits are known."""
    if visits is None:
        return Said(people, None)
    if people.state != "measured" and (visits.state == "measured" or (not people.of and not people.trying)):
        return Said(visits, people if people.of or people.trying else None)
    return Said(people, visits)


def per(impact: Impact) -> str:
    """What stands behind a score that is not of people, so that nobody takes it for one of people: empty, or that it is per visit."""
    return "" if impact.covers == "people" else ", per visit"


def bounds(impact: Impact) -> tuple[str, str] | None:
    """What the score comes to if all who still try get through, and if none does; None where nobody still tries. Alike, they are told with a decimal."""
    if impact.if_all_pass is None or impact.if_all_fail is None:
        return None
    low, high = score(impact.if_all_pass), score(impact.if_all_fail)
    return (low, high) if low != high else (number(impact.if_all_pass, 1), number(impact.if_all_fail, 1))


UNITS = {
    "people": ("person", "people"),
    "anonymous visits": ("visit without a name", "visits without a name"),
    "all visits": ("visit", "visits"),
}
"""What a score's units are called, one and many."""

DAYS = {**UNITS, "people": ("day of a person", "days of people")}
"""The same where people count once a day."""
