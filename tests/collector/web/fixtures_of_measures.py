"""Answers to show of what is measured beside the report: tickets, worth, breakdown, those who said nothing, corrected CSAT."""

from datetime import timedelta

from sojourn_collector.score.tickets import DAY
from sojourn_collector.web import models as m
from sojourn_collector.web import models_measures as measures
from sojourn_collector.web import models_tickets as desk
from tests.collector.web.fixtures import COMMENTS, NAMES, NOW, ago, problem

WEEKS = 28 * DAY


def figures(opened: int, topic: str = "") -> desk.TicketFigures:
    """Figures of so many tickets."""
    if not opened:
        none = desk.Part(count=0, of=0)
        return desk.TicketFigures(
            opened=0,
            open=0,
            solved=none,
            reopened=none,
            repeat=none,
            stale=none,
            after_failure=none,
            stale_days=3.0,
            per_day=desk.PerDay(days=[0] * 28, mean=0.0),
        )
    half = opened // 2
    return desk.TicketFigures(
        opened=opened,
        open=opened - half,
        first_reply=desk.WaitingTime(value=2820.0, low=2100.0, high=4020.0, finished=opened - 3, waiting=3),
        resolution=desk.WaitingTime(value=None if topic == "delivery" else 93_600.0, low=61_200.0, high=None, finished=half, waiting=opened - half),
        resolution_p90=desk.WaitingTime(value=None, low=None, high=None, finished=half, waiting=opened - half),
        solved=desk.Part(count=half, of=opened, low=0.4, high=0.61),
        reopened=desk.Part(count=2, of=half, low=0.01, high=0.13),
        repeat=desk.Part(count=4, of=opened - 5, low=0.02, high=0.14),
        stale=desk.Part(count=11, of=opened - 9, low=0.08, high=0.24),
        after_failure=desk.Part(count=17, of=31, low=0.38, high=0.71) if topic != "delivery" else desk.Part(count=0, of=0),
        stale_days=3.0,
        per_day=desk.PerDay(days=[2] * 21 + [5] * 7, mean=2.75, direction="rising", slope=0.11, low=0.03, high=0.19),
    )


def tickets(topic: str = COMMENTS[2]) -> desk.TicketsAnswer:
    """Tickets of the shop; `topic` is what a stranger wrote."""
    lines = [
        desk.TicketLine(
            id=f"{4100 + number}",
            source="helpdesk",
            opened=ago(DAY * (9 - number)),
            status="open" if number % 2 else "on_hold",
            priority="high" if number == 0 else "",
            topic=topic if number == 0 else "",
            replied=number > 1,
            person_id=f"user:u{number}" if number < 3 else "",
            account_id="",
            session_id=f"s-{number}" if number < 2 else "",
            journey="checkout",
            step="pay",
            severity=1.0 if number < 2 else None,
        )
        for number in range(4)
    ]
    return desk.TicketsAnswer(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        figures=figures(77),
        journeys=[desk.TicketGroup(id="checkout", name="Buy one item", figures=figures(41)), desk.TicketGroup(id="", name="", figures=figures(36, "delivery"))],
        topics=[desk.TicketGroup(id=topic, name=topic, figures=figures(40)), desk.TicketGroup(id="delivery", name="delivery", figures=figures(24, "delivery"))],
        priorities=[],
        longest_waiting=lines,
        linked=31,
        state="measured",
    )


def no_tickets() -> desk.TicketsAnswer:
    """Of an installation without a help desk."""
    return desk.TicketsAnswer(as_of=NOW, window_from=ago(WEEKS), window_to=NOW, figures=figures(0), journeys=[], topics=[], priorities=[], longest_waiting=[])


def starter() -> desk.StarterSet:
    """The four figures."""
    return desk.StarterSet(days=28, scale="1–5", satisfied=m.Share(satisfied=412, answered=530, low=0.74, high=0.81), other_scales=1, tickets=figures(77))


def alone(**how: str) -> measures.ProblemAnswer:
    """The shop's problem with its worth."""
    return measures.ProblemAnswer(
        as_of=NOW,
        config_version="7c1f0a9e",
        problem=problem(**how),
        value=measures.ValueView(
            state="measured",
            score=31.4,
            low=24.1,
            high=39.6,
            of=168,
            n_eff=92.4,
            coverage=0.93,
            hurt=18_420.0,
            currency="EUR",
            largest=[measures.Largest(person_id="user:u3", label=NAMES[3], worth=9_840.0)],
        ),
        exposed=measures.Exposed(
            monthly=4_280.0, currency="EUR", accounts=11, subscriptions=3, people=41, unknown=22, renewing=2, other_currencies={"USD": 310.0}
        ),
    )


def breakdown(cause: str = "502 from POST /payments", by: str = "cause", view: str = "people") -> measures.Breakdown:
    """What explains the shop's score."""
    worth = 96.4 if view == "value" else None
    lines = [("pay", "Pay", cause, 168, 27.5, 8.1), ("pay", "Pay", "slow", 168, 4.0, 1.2), ("cart", "Cart", "script error in cart.js", 24, 2.5, 0.7)]
    return measures.Breakdown(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        journey="checkout",
        by=by,
        view=view,
        units=340,
        score=10.0,
        low=7.4,
        high=13.6,
        n_eff=210.5 if worth else 340,
        coverage=0.92 if worth else None,
        currency="EUR" if worth else "",
        one_in=3 if worth else 1,
        unknown=12,
        hidden=1,
        cut=3 if by == "device" else 0,
        probes=[measures.ProbesAt(location=where, runs=960, passed=950, degraded=4, failed=6, not_counted=0) for where in ("eu", cause)]
        if by == "location"
        else [],
        groups=[
            measures.DriverLine(
                value=step,
                name=name,
                cause=why,
                people=people,
                worth=worth and worth * people,
                hurt=hurt * (worth or 1),
                raw=hurt / people,
                share=hurt / people * 0.95,
                low=hurt / people * 0.8,
                high=hurt / people * 1.1,
                points=points,
                thin=people < 30,
            )
            for step, name, why, people, hurt, points in lines
        ],
    )


def silent(label: str = NAMES[0]) -> measures.SilentAnswer:
    """Three people who said nothing."""
    return measures.SilentAnswer(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        currency="EUR",
        hurt=64,
        found=3,
        worth=5_730.0,
        people=[
            measures.SilentPerson(
                person_id=f"user:u{number}",
                label=label if number == 0 else NAMES[number],
                account_id=f"a{number}",
                account="Nordlicht GmbH" if number == 1 else "",
                segment="Business" if number < 2 else "",
                severity=1.0 if number < 2 else 0.5,
                hit_at=NOW - timedelta(days=4 + number),
                journey="checkout",
                step="pay",
                worth=2_410.0 - 500 * number,
                session_id=f"s-{number}",
            )
            for number in range(3)
        ],
        notes=["5 were hit less than 72 hours ago and may still speak", "2 more gave no consent and are not named"],
    )


def nobody_silent() -> measures.SilentAnswer:
    """Of an installation that has seen nothing."""
    return measures.SilentAnswer(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        currency="EUR",
        hurt=0,
        people=[],
        notes=["nobody's worth is known: send orders or accounts with their mrr"],
    )


def corrected(*, measured: bool = True) -> measures.CorrectedCsatAnswer:
    """The shop's CSAT, corrected, or the reason why not."""
    told = {"share": 0.61, "low": 0.52, "high": 0.69, "n_eff": 148.0, "if_satisfied_answer_more": 0.44, "if_satisfied_answer_less": 0.76} if measured else {}
    return measures.CorrectedCsatAnswer(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        journey="checkout",
        scale="1–5",
        invited=940 if measured else 40,
        answered=204 if measured else 12,
        raw=0.74,
        facts=["what they met in this journey", "how their last walk ended", "their device", "how long they are known"],
        reason="" if measured else "12 answers, corrected from 30 on",
        never_asked="29 of 41 hit were never asked",
        **told,
    )
