"""The four lines that say a problem: what, who, what it costs, how they feel, and what is left out. Local time, whole people, money with its range."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sojourn_collector.web.models import Impact, Money, People, Problem, Satisfaction
from sojourn_collector.web.scores_said import bounds, per, said

VERBS = frozenset(
    {
        "add",
        "ask",
        "book",
        "buy",
        "call",
        "cancel",
        "change",
        "choose",
        "confirm",
        "download",
        "enter",
        "find",
        "join",
        "log",
        "login",
        "make",
        "open",
        "order",
        "pay",
        "pick",
        "print",
        "put",
        "read",
        "register",
        "renew",
        "reserve",
        "save",
        "search",
        "see",
        "select",
        "send",
        "sign",
        "start",
        "submit",
        "subscribe",
        "upgrade",
        "upload",
        "use",
        "view",
        "watch",
    }
)
"""First words with which a step's name is something one does, so that one can fail to do it."""

WIDTH = 17
"""Columns of the first word of a line."""


def headline(problem: Problem, zone: ZoneInfo) -> list[str]:
    """The lines of a problem."""
    stops = "could not " + problem.step.name[0].lower() + problem.step.name[1:] if problem.step.name.split(" ")[0].lower() in VERBS else "were stopped"
    lines = [
        _what(problem, zone),
        _line("customers", f"{_who(problem.people, stops):<53}   {_impact(problem)}"),
        _line("money", _money(problem.money, problem.people, zone)),
        _line("satisfied", _satisfied(problem.satisfaction)),
    ]
    return lines + [_line("not counted", note) for note in problem.notes]


def _line(word: str, text: str) -> str:
    return f"{word:<{WIDTH}}{text}".rstrip()


def _what(problem: Problem, zone: ZoneInfo) -> str:
    name = f"{problem.journey.name} › {problem.step.name}"
    since = _at(problem.clock.since, zone, problem.clock.window_to, problem.as_of)
    ended = problem.clock.until
    if problem.state == "unknown":
        last = problem.clock.last_evidence or problem.clock.window_to
        span = f"failed from {since}, last seen {_at(last, zone, problem.clock.since)}, not heard of since"
    elif problem.state == "failing" or ended is None:
        span = f"failing since {since}"
    else:
        span = f"over, failed from {since} to {_at(ended, zone, problem.clock.since)}"
    cause = f": {problem.cause.summary}" if problem.cause else ""
    return f"{name:<{WIDTH - 1}} {span}{cause}"


def _at(at: datetime, zone: ZoneInfo, beside: datetime, seen: datetime | None = None) -> str:
    """Hour and minute; the day too when it is another one than that it stands beside or is `seen` on. Seconds where the minute would say nothing."""
    local, others = at.astimezone(zone), {one.astimezone(zone).date() for one in (beside, seen or beside)}
    clock = f"{local:%H:%M:%S}" if abs((at - beside).total_seconds()) < 120 else f"{local:%H:%M}"
    return clock if others == {local.date()} else f"{local:%Y-%m-%d} {clock}"


def _who(people: People, stops: str) -> str:
    if not people.reached and people.visits_reached:
        return f"{people.visits_hit} of {people.visits_reached} anonymous visits hit, {people.visits_stopped} {stops}"
    usual = "" if people.usual_hit is None else f" (usual: {people.usual_hit:.0f})"
    text = f"{people.hit} of {people.reached} hit, {people.stopped} {stops}{usual}"
    if people.trying:
        text += f", {people.trying} still trying"
    if people.visits_reached:
        text += f"; {people.visits_hit} of {people.visits_reached} anonymous visits hit"
    return text


def _impact(problem: Problem) -> str:
    lead, beside = said(problem.impact, problem.impact_of_visits)
    text = f"impact {_score(lead)}"
    if beside is not None and beside.score is not None:
        text += f"; {'people' if beside.covers == 'people' else beside.covers} {_score(beside)}"
    return text


def _score(impact: Impact) -> str:
    if impact.score is None or impact.low is None or impact.high is None:
        return f"not measured ({impact.reason})" if impact.reason else "not measured"
    text = f"{impact.score:.0f} of 100 [{impact.low:.0f}–{impact.high:.0f}]{per(impact)}"
    ends = bounds(impact)
    return f"{text}, {' to '.join(ends)} with the {impact.trying} still trying" if ends else text


def _money(money: Money, people: People, zone: ZoneInfo) -> str:
    if not people.hit and not people.visits_hit:
        return "nobody was seen hit"
    if money.amount is not None and money.low is not None and money.high is not None:
        # A whole amount keeps its sign: fewer orders missing than expected is an answer too.
        so_far = " so far" if money.state == "so_far" else ""
        when = f", final at {_at(money.final_at, zone, money.as_of or money.final_at)}" if money.final_at and so_far else ", final"
        return f"about {_amount(money.amount)} {money.currency} missing{so_far} [{_amount(money.low)}–{_amount(money.high)}]{when}"
    why = "; ".join(money.reasons)
    if money.state == "upper_bound" and money.upper_bound is not None:
        return f"at most about {_amount(money.upper_bound)} {money.currency}, an upper bound ({why})"
    return f"not estimable: {why}"


def _amount(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def _satisfied(satisfaction: Satisfaction) -> str:
    parts = []
    if satisfaction.hit:
        parts.append(f"{satisfaction.hit.satisfied} of {satisfaction.hit.answered} of those hit who answered")
    if satisfaction.others:
        whose = "of the others" if satisfaction.hit else "of those not hit who answered"
        parts.append(f"{satisfaction.others.satisfied} of {satisfaction.others.answered} {whose}")
    text = ", ".join(parts) or "not measured: nobody who came here has answered"
    count = len(satisfaction.comments)
    if not count:
        return text
    linked = sum(comment.session_id != "" for comment in satisfaction.comments)
    how = "each linked to the visit" if linked == count else f"{linked} linked to the visit"
    return f"{text}; {count} comment{'' if count == 1 else 's'}, {'linked to the visit' if count == linked == 1 else how}"
