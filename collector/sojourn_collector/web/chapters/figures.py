"""From what answers carry to figures: a score, a share, a waiting time, each with what it stands on."""

from sojourn_collector.web.chapters.told import Figure
from sojourn_collector.web.format import part
from sojourn_collector.web.models import Effort, Impact, Promoters, Satisfaction, Share
from sojourn_collector.web.models_fixes import Counted
from sojourn_collector.web.models_tickets import Part, WaitingTime

NOBODY_ANSWERED = "nobody answered"


def of_impact(impact: Impact | None) -> Figure:
    """Customer impact 0–100 of so many people or visits."""
    return Figure(None, "score") if impact is None else Figure(impact.score, "score", impact.low, impact.high, impact.of, why=impact.reason)


def of_share(share: Share | None, why: str = NOBODY_ANSWERED) -> Figure:
    """Satisfied of answered."""
    if share is None:
        return Figure(None, "share", why=why)
    return Figure(part(share.satisfied, share.answered), "share", share.low, share.high, share.answered, why="" if share.answered else why)


def of_promoters(nps: Promoters | None, why: str = NOBODY_ANSWERED) -> Figure:
    """NPS, −100 to 100."""
    return Figure(None, "points", why=why) if nps is None else Figure(nps.score, "points", nps.low, nps.high, nps.answered)


def of_effort(ces: Effort | None, why: str = NOBODY_ANSWERED) -> Figure:
    """Found it easy, of answered."""
    return Figure(None, "share", why=why) if ces is None else Figure(part(ces.easy, ces.answered), "share", ces.low, ces.high, ces.answered)


def of_part(counted: Part) -> Figure:
    """A share with Wilson's interval; of nobody it is not known."""
    return Figure(part(counted.count, counted.of), "share", counted.low, counted.high, counted.of, why="" if counted.of else "none to count")


def of_waiting(time: WaitingTime | None, untold: str = "no desk told of it") -> Figure:
    """Half, or so many, waited no longer than this; open ones count as waiting."""
    if time is None:
        return Figure(None, "seconds", why=untold)
    return Figure(time.value, "seconds", time.low, time.high, time.finished + time.waiting, why="" if time.value is not None else "longer than seen so far")


def of_counted(counted: Counted) -> Figure:
    """So many of so many, as a share without an interval."""
    return Figure(part(counted.good, counted.of), "share", of=counted.of, why="" if counted.of else "nobody")


def of_answers(said: Satisfaction) -> list[tuple[str, Figure]]:
    """Everything one was asked about satisfaction: those hit beside the others where they are told apart, each kind of question by itself."""
    on = f" on {said.scale}" if said.scale else ""
    rows = []
    for whose, share, nps, ces in (
        ("of those hit", said.hit, said.nps_hit, said.ces_hit),
        ("of the others" if said.hit or said.nps_hit or said.ces_hit else "", said.others, said.nps_others, said.ces_others),
    ):
        for name, figure, known in (
            (f"satisfied{on}", of_share(share), share),
            ("would recommend (NPS)", of_promoters(nps), nps),
            (f"found it easy (CES{f' on {ces.scale}' if ces else ''})", of_effort(ces), ces),
        ):
            if known is not None:
                rows.append((f"{name} {whose}".strip(), figure))
        if share is not None:
            unknown = "how many were asked is not known"
            rate = Figure(share.response_rate, "share", why="" if share.response_rate is not None else unknown)
            rows.append((f"response rate {whose}".strip(), rate))
    return rows or [("satisfied", Figure(None, "share", why=NOBODY_ANSWERED))]
