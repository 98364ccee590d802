"""Scores and notes of the report in one line each, as every written form says them."""

from sojourn_collector.web.format import number, percent, score, span_of
from sojourn_collector.web.models import CompanyImpact, Impact
from sojourn_collector.web.scores_said import bounds, per, said


def in_one_line(whole: CompanyImpact) -> str:
    """Impact over all journeys together, as a report says it."""
    lead, beside = said(whole, whole.of_visits)
    apart = f"; apart {number(whole.visits)} anonymous visits" if whole.visits else ""
    if beside is not None and beside.score is not None:
        apart += f"{', ' if apart else '; apart '}impact {_range(beside)}"
    usual = "" if lead.usual is None else f", usual {score(lead.usual)}"
    return f"All journeys together: impact {_range(lead)}{usual}, {number(round(whole.hit))} of {number(round(whole.weight))} days of people hit{apart}"


def impact_line(people: Impact, visits: Impact | None) -> str:
    """The score that leads, of how many, with its interval, usual value and excess; the other one apart."""
    lead, beside = said(people, visits)
    if beside is None or beside.score is None:
        return _score(lead)
    return f"{_score(lead)}; apart {'people ' if beside.covers == 'people' else ''}{_score(beside)}"


def _score(impact: Impact) -> str:
    if impact.score is None or impact.low is None or impact.high is None:
        return _range(impact)
    usual = "" if impact.usual is None or impact.excess is None else f", usual {score(impact.usual)}, excess {score(impact.excess)}"
    apart = f", {percent(impact.by_visit)} known only by visit, apart" if impact.by_visit else ""
    ends = bounds(impact)
    open_ = f", {' to '.join(ends)} with the {number(impact.trying)} still trying" if ends else ""
    return f"{score(impact.score)} [{span_of(impact.low, impact.high)}] of {number(impact.of)}{per(impact)}{usual}{apart}{open_}"


def _range(impact: Impact) -> str:
    """The score and its interval alone, or why there is none."""
    if impact.score is None or impact.low is None or impact.high is None:
        return f"not measured ({impact.reason})" if impact.reason else "not measured"
    return f"{score(impact.score)} [{span_of(impact.low, impact.high)}]{per(impact)}"


def sentence(note: str) -> str:
    """A note as a sentence of its own."""
    return f"{note[:1].upper()}{note[1:]}."
