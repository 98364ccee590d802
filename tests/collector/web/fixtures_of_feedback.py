"""Answers to show of feedback: satisfaction by a fact, words, what is not linked, one answer with what happened before it."""

from sojourn_collector.web import models as m
from sojourn_collector.web import models_feedback as f
from sojourn_collector.web import models_surveys as surveys
from sojourn_collector.web import models_tickets as desk
from sojourn_collector.web.answers.unlinked import CAUSES
from tests.collector.web.fixtures import COMMENTS, NOW, REAL_RUN, TRACE, ago, visits

WEEKS = 28 * 86400.0


def item(number: int, text: str, *, link: str = "explicit") -> f.FeedbackItem:
    """One answer."""
    return f.FeedbackItem(
        id=f"f{number}",
        source="api",
        at=ago(3600.0 * number),
        kind="csat",
        value=1.0 if number % 2 == 0 else 5.0,
        scale_min=1.0,
        scale_max=5.0,
        higher_is_better=True,
        satisfied=number % 2 == 1,
        text=text,
        language="en",
        survey="after-checkout",
        question_id="q1",
        question="How easy was it to pay?",
        channel="web",
        journey="checkout",
        step="pay",
        account_id="",
        person_id="user:u12" if link == "explicit" else "",
        session_id="s-12" if link == "explicit" else "",
        link=link,
        confidence=1.0 if link == "explicit" else 0.0,
    )


def words(first: str = COMMENTS[0]) -> f.FeedbackList:
    """Three answers with words."""
    texts = [first, "Quick as always.", "I was worried that I had been charged twice."]
    items = [item(number, text, link="unlinked" if number == 2 else "explicit") for number, text in enumerate(texts)]
    return f.FeedbackList(window_from=ago(WEEKS), window_to=NOW, next=None, items=items)


def weeks(score: str, *, skip: int = 3) -> list[f.SatisfactionPeriod]:
    """Four weeks of a group, one of which has too few answers; the first is cut by the window."""

    def one(number: int) -> f.SatisfactionPeriod:
        good = 40 - 6 * number
        csat = m.Share(satisfied=good, answered=60, low=good / 60 - 0.12, high=good / 60 + 0.12) if score == "csat" else None
        nps = m.Promoters(score=good - 30.0, low=good - 50.0, high=good - 10.0, answered=60) if score == "nps" else None
        return f.SatisfactionPeriod(period=WEEKS_TOLD[number], whole=number > 0, answered=60, mean=3.9, thin=False, csat=csat, nps=nps)

    return [one(number) for number in range(len(WEEKS_TOLD)) if number != skip]


WEEKS_TOLD = ["2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16"]


def satisfaction(by: str = "plan", text: str = "Business", over: str = "") -> f.SatisfactionBy:
    """Two plans, asked twice on different scales."""

    def group(value: str, satisfied: int, answered: int, **more: object) -> f.SatisfactionGroup:
        return f.SatisfactionGroup.model_validate(
            {
                "value": value,
                "survey": "after-checkout",
                "question": "How easy was it to pay?",
                "kind": "csat",
                "scale": "1–5",
                "answered": answered,
                "mean": 3.9,
                "csat": m.Share(satisfied=satisfied, answered=answered, low=0.6, high=0.8),
                "shrunk": 0.72,
                "shrunk_low": 0.66,
                "shrunk_high": 0.77,
                "thin": answered < 30,
                **more,
            }
        )

    nps, by_week = m.Promoters(score=12.0, low=-9.0, high=33.0, answered=90), weeks("nps") if over else None
    return f.SatisfactionBy(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        by=by,
        groups=[
            group(text, 212, 300, response_rate=0.31, periods=weeks("csat") if over else None),
            group("Team", 14, 22),
            group(
                text,
                0,
                90,
                kind="nps",
                scale="0–10",
                question="",
                survey="june",
                csat=None,
                nps=nps,
                shrunk=None,
                shrunk_low=None,
                shrunk_high=None,
                periods=by_week,
            ),
        ],
        hidden=1,
        unknown=41,
        rates=[f.ResponseRate(value="Trial", survey="june", invited=140, answered=0, partial=3, rate=0.0)],
        over=over,
        periods=WEEKS_TOLD if over else [],
        without_periods=1 if over else 0,
    )


def unlinked() -> f.UnlinkedAnswer:
    """One line of each cause."""
    return f.UnlinkedAnswer(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        unlinked=[
            f.UnlinkedLine(
                what="feedback", source="delighted", survey="june", records=40 - number, newest=ago(4000), cause=cause, sentence=why.sentence, cure=why.cure
            )
            for number, (cause, why) in enumerate(CAUSES.items())
        ],
        linked=[f.LinkedLine(what="feedback", source="api", survey="after-checkout", records=530, explicit=400, inferred=60)],
        elsewhere=[
            f.ElsewhereLine(origin=where, failed=52, visits=31, newest=ago(600)) for where in ("https://api.shop.example", "https://metrics.example:8443")
        ],
    )


def nothing_said() -> tuple[f.SatisfactionBy, f.FeedbackList, f.UnlinkedAnswer]:
    """Of an installation without feedback."""
    span = {"window_from": ago(WEEKS), "window_to": NOW}
    return (
        f.SatisfactionBy(as_of=NOW, by="survey", groups=[], hidden=0, unknown=0, **span),
        f.FeedbackList(next=None, items=[], **span),
        f.UnlinkedAnswer(as_of=NOW, unlinked=[], linked=[], **span),
    )


def one(text: str = COMMENTS[0], label: str = "Ada Berger", *, linked: bool = True) -> f.FeedbackAnswer:
    """One answer, linked to a visit whose payment failed, or to nothing."""
    span = f.FailedSpan(trace_id=TRACE, span_id="00f067aa0ba902b7", service="payments", name="charge", message="connection refused", status=502)
    walk = f.WalkBefore(
        run_id=REAL_RUN,
        journey=m.Named(id="checkout", name="Buy one item"),
        started=ago(300),
        end="stopped",
        severity=1.0,
        release="2.4.1",
        failed_step=m.Named(id="pay", name="Pay"),
        failure_kind="status",
        failure="502 from POST /payments",
        trace_id=TRACE,
        span=span,
    )
    why = CAUSES["no_key"]
    return f.FeedbackAnswer(
        feedback=item(0 if linked else 2, text, link="explicit" if linked else "unlinked"),
        person=label if linked else "",
        account="Nordlicht GmbH" if linked else "",
        visit=visits()[0] if linked else None,
        release="2.4.1" if linked else "",
        runs=[walk] if linked else [],
        order_id="",
        ticket_id="",
        why_unlinked="" if linked else why.sentence,
        cure="" if linked else why.cure,
    )


def asked(name: str = "Nordlicht GmbH") -> surveys.AskedAnswer:
    """Nine people were asked too soon."""
    return surveys.AskedAnswer(
        as_of=NOW,
        window_from=ago(3 * WEEKS),
        window_to=NOW,
        rest_days=7.0,
        too_often=desk.Part(count=9, of=412, low=0.01, high=0.04),
        most=6,
        people=[
            surveys.AskedTooOften(
                person_id=f"user:u{number}",
                label=name if number else "u0",
                account="" if number else "Able",
                times=6 - number,
                too_soon=4 - number,
                closest_days=1.0 + number,
                last=ago(86400.0),
                surveys=["after-checkout", "june"][: 2 - number],
            )
            for number in range(3)
        ],
        weeks=[surveys.AskedWeek(week="2026-11-16", invited=40, answered=11, rate=0.275)],
        rate_direction="falling",
        risk="tired",
        rarely_days=180.0,
        accounts_unasked=31,
        accounts=120,
        unasked=[surveys.UnaskedAccount(account_id="a1", name=name, plan="Business", owner="kim", monthly=900.0, currency="EUR", answered=None)],
    )


def nobody_asked() -> surveys.AskedAnswer:
    """Of an installation without surveys."""
    none = desk.Part(count=0, of=0)
    return surveys.AskedAnswer.model_validate(
        {**asked().model_dump(), "too_often": none, "most": 0, "weeks": [], "rate_direction": "unknown", "risk": "unknown", "accounts": 0, "unasked": []}
    )
