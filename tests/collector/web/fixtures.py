"""Answers to show: a shop whose payment fails, an installation that has seen nothing, and strangers' texts that try to do harm."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from sojourn_collector.config import CollectorConfig, ImpactConfig, Windows
from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.web import models as m

NOW = datetime(2026, 11, 22, 14, 6, 30, tzinfo=UTC)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD_TRACE = "0af7651916cd43dd8448eb211c80319c"
PROBE_RUN = "0199f3a0-1111-7000-8000-000000000001"
GOOD_RUN = "0199f3a0-0000-7000-8000-000000000001"
REAL_RUN = "6f6c9f1e-0000-5000-8000-000000000001"
PROBLEM = "checkout.pay.20261122T140200"
RTL = "\u202e"
HOSTILE = (
    f"<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> \"'`> {RTL}evil {{{{7*7}}}} </blockquote> "
    "<a href=\"javascript:document.title='owned'\">free money</a> " + "A" * 5000
)


def ago(seconds: float) -> datetime:
    """So many seconds before NOW."""
    return NOW - timedelta(seconds=seconds)


@dataclass
class Clock:
    """What pages need of the collector's context."""

    impact: ImpactConfig = field(default_factory=ImpactConfig)
    config: CollectorConfig = field(default_factory=CollectorConfig)

    def clock(self) -> datetime:
        """Always NOW."""
        return NOW


SIMULATED = ImpactConfig(simulated=True, windows=Windows(outcome=40.0, abandon=12.0, incident_gap=20.0))


NAMES = [
    "Ada Berger",
    "Tomás Ruiz",
    "Ingrid Solberg",
    "Mehmet Aydın",
    "Chloé Laurent",
    "Piotr Zieliński",
    "Sofia Rossi",
    "Jonas Weber",
    "Aiko Tanaka",
    "Liam Byrne",
]
ACCOUNTS = [("Nordlicht GmbH", "Business"), ("Casa Verde", "Team"), ("", ""), ("Fjord & Sons", "Business"), ("", ""), ("Atelier Laurent", "Team")]
COMMENTS = [
    "I tried three times to pay and every time it just said something went wrong. I ordered elsewhere in the end.",
    "",
    "Payment page broken??",
    "",
    "Worked the second time, but I was worried that I had been charged twice.",
    "",
]


def sufferers(count: int = 12) -> list[m.Sufferer]:
    """People hit, worst first."""
    dice = Random(7)
    moments = sorted(ago(260 - dice.random() * 240) for _ in range(count))
    found = []
    for index, at in enumerate(moments):
        account, plan = ACCOUNTS[index % len(ACCOUNTS)]
        kind = "visit" if index == 10 else "visitor" if index % 5 == 4 else "user"
        stopped = index < 8
        found.append(
            m.Sufferer(
                person_id=f"{kind}:u{index + 12}",
                kind=kind,
                label=NAMES[index % len(NAMES)] if kind == "user" else "",
                account_id=f"a{index % 6}" if account else "",
                account=account,
                plan=plan,
                severity=1.0 if stopped else 0.5,
                stopped=stopped,
                at=at,
                value=142.0 - index * 10,
                session_id=f"s-{index + 12}",
                run_id=REAL_RUN,
                trace_id=TRACE,
                comment=COMMENTS[index % len(COMMENTS)],
            )
        )
    return found


def comments(first_text: str = COMMENTS[0]) -> list[m.Comment]:
    """What people said, with and without a link to a visit."""

    def one(index: int, value: float, text: str, hit: bool | None, join: str) -> m.Comment:
        linked = join != "unlinked"
        return m.Comment(
            id=f"f{index}",
            at=ago(200 - index * 20),
            kind="csat",
            value=value,
            scale_min=1,
            scale_max=5,
            satisfied=value >= 4,
            text=text,
            person_id=f"user:u{12 + index}" if linked else "",
            session_id=f"s-{12 + index}" if linked else "",
            hit=hit,
            join=join,
        )

    return [
        one(0, 1, first_text, True, "explicit"),
        one(1, 2, "Payment page broken??", True, "explicit"),
        one(2, 4, "Worked the second time, but I was worried that I had been charged twice.", True, "inferred"),
        one(3, 5, "Quick as always.", False, "explicit"),
        one(4, 3, "", None, "unlinked"),
    ]


def money(state: str = "so_far") -> m.Money:
    """Money in each of its states."""
    shared = {"currency": "EUR", "as_of": ago(2), "hit": 41, "mature": 12, "controls": 147, "upper_bound": 2310.0}
    if state in {"so_far", "final"}:
        return m.Money(
            state=state,
            level=1,
            amount=1238.4,
            low=684.0,
            high=1806.0,
            final_at=NOW + timedelta(seconds=45),
            overlap=0.97,
            e_value=3.1,
            notes=["One person had no others like them; their upper bound of 62 EUR stands beside the figure, not in it."],
            **shared,
        )
    if state == "upper_bound":
        return m.Money(state="upper_bound", level=0, reasons=["18 people hit, 30 are needed to compare them with others."], **shared)
    return m.Money(state="not_estimable", reasons=["No orders were received, so nobody knows who paid."])


def problem(*, comment: str = COMMENTS[0], money_state: str = "so_far", journey_name: str = "Buy one item", state: str = "failing") -> m.Problem:
    """The payment step of the shop fails."""
    return m.Problem(
        id=PROBLEM,
        as_of=NOW,
        journey=m.Named(id="checkout", name=journey_name),
        step=m.Named(id="pay", name="Pay"),
        state=state,
        clock=m.Clock(
            since=ago(268),
            until=ago(20) if state == "over" else None,
            last_probe_pass=ago(290),
            first_probe_failure=ago(240),
            first_customer_hit=ago(268),
            window_from=ago(268),
            window_to=ago(20) if state == "over" else NOW,
        ),
        cause=m.Cause(
            summary="502 from POST /payments (service payments)",
            kind="status",
            status=502,
            method="POST",
            path="/payments",
            service="payments",
            trace_id=TRACE,
            seen=52,
            of=54,
        ),
        people=m.People(reached=188, hit=41, stopped=29, recovered=12, slow=3, trying=2, usual_hit=1.0, visits_reached=12, visits_hit=3, visits_stopped=2),
        impact=m.Impact(
            state="measured", score=17.4, low=12.2, high=23.1, of=186, n_eff=186, usual=0.4, excess=17.0, trying=2, if_all_pass=17.7, if_all_fail=18.3
        ),
        impact_of_visits=m.Impact(state="not measured", covers="anonymous visits", of=12, n_eff=12, reason="12 settled, measured from 30 on"),
        money=money(money_state),
        satisfaction=m.Satisfaction(
            scale="CSAT 1–5",
            state="measured",
            hit=m.Share(satisfied=6, answered=15, low=0.198, high=0.643),
            others=m.Share(satisfied=58, answered=70, low=0.724, high=0.899),
            nps_hit=m.Promoters(score=-33.3, low=-71.0, high=16.0, answered=9),
            nps_others=m.Promoters(score=41.2, low=18.4, high=58.9, answered=51),
            ces_others=m.Effort(scale="1–7", easy=22, answered=31, low=0.534, high=0.841, mean=5.3),
            comments=comments(comment),
            unlinked=1,
        ),
        who=sufferers(),
        who_total=41,
        probe_run_id=PROBE_RUN,
        last_good_run_id=GOOD_RUN,
        headline=["checkout › Pay   failing since 14:02: 502 from POST /payments (service payments)"],
    )


def settled_problem(number: int = 0) -> m.Problem:
    """One of the day before yesterday, whose money has become final."""
    one, moved = problem(money_state="final", state="over"), timedelta(hours=40 + 9 * number)
    clock = one.clock.model_copy(update={key: at - moved for key, at in dict(one.clock).items() if at is not None})
    money = one.money.model_copy(update={"mature": 41, "final_at": clock.window_to + timedelta(days=1), "notes": []})
    return one.model_copy(
        update={"id": f"{PROBLEM}-{number}", "clock": clock, "money": money, "earlier": True, "shown_until": clock.window_to + timedelta(days=2), "who": []}
    )


STEPS = [("home", "Home page", 312, 290, 0), ("product", "Product", 290, 236, 1), ("cart", "Cart", 236, 188, 0), ("pay", "Pay", 188, 141, 41)]


def experience() -> m.Experience:
    """How customers fared in the shop."""
    return m.Experience(
        tried=312,
        finished=141,
        gave_up=140,
        stopped=29,
        trying=2,
        finished_low=0.4,
        finished_high=0.51,
        usual_finished=0.58,
        steps=[
            m.StepFunnel(
                id=ident,
                name=name,
                reached=reached,
                done=done,
                hit=hit,
                slow=3 if hit > 5 else 0,
                lcp_p75=1.24 if ident != "pay" else None,
                apdex=0.94,
                apdex_low=0.91,
                apdex_high=0.96,
                apdex_of=reached,
                apdex_t=2.5,
                **dict(zip(("done_low", "done_high"), wilson_counts(done, reached), strict=True)),
                **dict(zip(("hit_low", "hit_high"), wilson_counts(hit, reached), strict=True)),
            )
            for ident, name, reached, done, hit in STEPS
        ],
    )


def probes() -> m.ProbeState:
    """Twenty runs of our probes, the newest failing."""
    dice = Random(3)
    runs = [
        m.ProbeRun(
            run_id=PROBE_RUN if index == 0 else f"{GOOD_RUN}-{index}" if index != 5 else GOOD_RUN,
            at=ago(10 + index * 55),
            location="eu" if index % 2 else "us",
            outcome="failed" if index < 5 else "degraded" if index == 9 else "passed",
            flaky=index == 12,
            duration=0.4 + dice.random() * 0.5 + (2.2 if index == 9 else 0),
            failure="expected status == 200, got 502" if index < 5 else "",
            step="pay" if index < 5 else "",
        )
        for index in range(20)
    ]
    return m.ProbeState(state="failing", last=ago(10), passed=15, total=20, p50=0.62, p95=1.1, runs=runs)


WINDOWS = m.Windows(outcome=86400, abandon=1800, incident_gap=1800, usual=2419200)


def report(**how: str) -> m.ImpactReport:
    """The front page while the payment fails."""
    healthy = m.JourneyState(
        id="browse",
        name="Look around",
        state="healthy",
        experience=m.Experience(tried=840, finished=799, gave_up=41, stopped=0, trying=0),
        probes=m.ProbeState(state="passing", last=ago(22), passed=96, total=96, p50=0.3, p95=0.5),
        impact=m.Impact(state="measured", score=0.2, low=0.0, high=0.7, of=840),
        impact_of_visits=m.Impact(state="measured", covers="anonymous visits", score=1.4, low=0.7, high=2.8, of=512, n_eff=512),
    )
    unknown = m.JourneyState(
        id="renew",
        name="Renew the plan",
        state="unknown",
        experience=m.Experience(tried=0, finished=0, gave_up=0, stopped=0, trying=0),
        probes=m.ProbeState(state="unknown", last=ago(7200), passed=0, total=0, hint="No run for 2 h; is sojourn-agent running?"),
        impact=m.Impact(state="not measured", reason="Nobody tried."),
    )
    failing = m.JourneyState(
        id="checkout",
        name=how.get("journey_name", "Buy one item"),
        state="failing",
        experience=experience(),
        probes=probes(),
        impact=m.Impact(state="measured", score=10.6, low=7.4, high=14.1, of=310, usual=0.9, excess=9.7, by_visit=0.06),
    )
    return m.ImpactReport(
        as_of=NOW,
        window_from=ago(86400),
        window_to=NOW,
        currency="EUR",
        config_version="7c1f0a9e",
        windows=WINDOWS,
        basis=m.Basis(slow=0.25, recovered=0.5, left=0.8, blocked=1.0, min_hit=30),
        freshness=[
            m.Freshness(source="beacons", last=ago(1), state="fresh"),
            m.Freshness(source="probes", last=ago(10), state="fresh"),
            m.Freshness(source="backend", last=ago(1), state="fresh"),
            m.Freshness(source="feedback", last=ago(100), state="fresh"),
            m.Freshness(source="orders", last=ago(4000), state="stale", hint="The newest order is over an hour old; money waits for it."),
            m.Freshness(source="accounts", last=ago(500), state="fresh"),
            m.Freshness(source="people", last=None, state="never", hint="Post people to /api/v1/in/people with a key to see names."),
        ],
        problems=[problem(**how)],
        company=m.CompanyImpact(state="measured", score=4.2, low=3.1, high=5.6, of=1210, n_eff=1210, usual=0.8, excess=3.4, hit=61, weight=1210, visits=12),
        journeys=[failing, healthy, unknown],
        contact_first=sufferers()[:5],
        people_hit=41,
        visits_hit=3,
        problems_found=1,
        unlinked_feedback=1,
        unlinked_orders=4,
        coverage=m.Coverage(orders=212, with_visit=191, low=0.853, high=0.935),
    )


def empty_report() -> m.ImpactReport:
    """An installation that has seen nothing."""
    sources = ["beacons", "probes", "backend", "feedback", "orders", "accounts", "people"]
    return m.ImpactReport(
        as_of=NOW,
        window_from=ago(86400),
        window_to=NOW,
        currency="EUR",
        config_version="7c1f0a9e",
        windows=WINDOWS,
        freshness=[m.Freshness(source=source, last=None, state="never") for source in sources],
        problems=[],
        journeys=[],
        contact_first=[],
    )


def visits() -> list[m.VisitLine]:
    """Three visits."""
    return [
        m.VisitLine(session_id="s-12", started=ago(300), ended=ago(190), app="shop", device="desktop", browser="Chrome 156", pages=5, errors=2, worst=1.0),
        m.VisitLine(session_id="s-12-b", started=ago(90000), ended=ago(89400), app="shop", device="mobile", browser="Safari 26", pages=8, errors=0, worst=0.25),
        m.VisitLine(
            session_id="s/../odd ?#%", started=ago(190000), ended=ago(189000), app="shop", device="mobile", browser="Safari 26", pages=3, errors=0, worst=0.0
        ),
    ]


def journey(*, comment: str = COMMENTS[0], runbook: str = "https://wiki.example/checkout", **how: str) -> m.JourneyAnswer:
    """The failing journey."""
    one = problem(comment=comment, **how)
    return m.JourneyAnswer(
        as_of=NOW,
        window_from=ago(86400),
        window_to=NOW,
        id="checkout",
        name=one.journey.name,
        description="What a shopper does to buy one item",
        owner="team-checkout",
        runbook=runbook,
        lifecycle="adoption",
        state="failing",
        experience=experience(),
        probes=probes(),
        impact=m.Impact(state="measured", score=10.6, low=7.4, high=14.1, of=310),
        satisfaction=one.satisfaction,
        problems=[one],
        visits=visits(),
    )


def empty_journey() -> m.JourneyAnswer:
    """A journey nobody walked."""
    return m.JourneyAnswer(
        as_of=NOW,
        window_from=ago(86400),
        window_to=NOW,
        id="checkout",
        name="Buy one item",
        state="unknown",
        experience=m.Experience(tried=0, finished=0, gave_up=0, stopped=0, trying=0),
        probes=m.ProbeState(state="unknown"),
        impact=m.Impact(state="not measured"),
        satisfaction=m.Satisfaction(),
        problems=[],
    )
