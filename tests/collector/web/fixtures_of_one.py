"""Answers on one run, visit, person or trace to show: of the shop whose payment fails, and with strangers' texts."""

from sojourn_collector.web import models as m
from sojourn_collector.web import models_details as details
from sojourn_collector.web.models_usage import PersonUsage, UsedEvent
from tests.collector.web.fixtures import COMMENTS, GOOD_RUN, GOOD_TRACE, PROBE_RUN, REAL_RUN, STEPS, TRACE, ago, comments, visits
from tests.collector.web.fixtures_of_records import subscription


def evidence() -> list[details.EvidencePiece]:
    """What the failed step left: a picture, files, and one the agent has not sent."""

    def piece(kind: str, ending: str, size: int | None, **more: object) -> details.EvidencePiece:
        link = "" if size is None else f"/evidence/{kind}?exp=1&sig=2"
        known = {"kind": kind, "name": f"{PROBE_RUN}-1-pay-{kind}.{ending}", "state": "kept", "host": "probe-eu-1.example", "bytes": size, "link": link}
        return details.EvidencePiece.model_validate({**known, **more})

    return [
        piece("screenshot", "png", 84_210, media_type="image/png"),
        piece("answer", "txt", 812, media_type="text/plain"),
        piece("console", "txt", 2_140, media_type="text/plain"),
        piece("har", "har", 412_300, media_type="application/json"),
        piece("dom", "html", 61_022, media_type="text/html"),
        piece("trace", "zip", None, state="not_sent"),
    ]


def probe_steps(*, failed: bool) -> list[details.RunStep]:
    """The four steps as a probe walked them."""
    found = []
    for index, (ident, name, *_) in enumerate(STEPS):
        broken = failed and ident == "pay"
        found.append(
            details.RunStep(
                id=ident,
                name=name,
                attempt=1,
                outcome="failed" if broken else "passed",
                started=ago(10 - index),
                duration=0.21 + index * 0.08 + (0.6 if broken else 0),
                failure_kind="status" if broken else "",
                failure="expected status == 200, got 502" if broken else "",
                expectations=[
                    {"text": "status == 200", "kind": "expect", "met": not broken, "expected": "200", "actual": "502" if broken else "200"},
                    {"text": "total > 800ms", "kind": "degraded_if", "met": True, "expected": "> 800 ms", "actual": "310 ms"},
                ],
                exchanges=[
                    {
                        "method": "POST" if ident == "pay" else "GET",
                        "url": f"http://127.0.0.1:8080/{'payments' if ident == 'pay' else ident}",
                        "status": 502 if broken else 200,
                        "phases": {"resolve": 0.012, "connect": 0.021, "tls": 0.043, "send": 0.002, "wait": 0.61 if broken else 0.12, "receive": 0.018},
                    }
                ],
                vitals={"lcp": 1.24, "cls": 0.02} if ident == "home" else {},
                evidence=evidence() if broken else [],
                trace_id=TRACE if failed else GOOD_TRACE,
            )
        )
    return found


def probe_run(*, failed: bool = True) -> details.RunAnswer:
    """A run of our probe; the failed one brings the last good one."""
    return details.RunAnswer(
        run_id=PROBE_RUN if failed else GOOD_RUN,
        traffic="synthetic",
        journey=m.Named(id="checkout", name="Buy one item"),
        journey_version="9f2c61aa03b1",
        outcome="failed" if failed else "passed",
        started=ago(10 if failed else 290),
        ended=ago(8.4 if failed else 288.9),
        location="eu",
        failure_kind="status" if failed else "",
        failure_step="pay" if failed else "",
        failure="expected status == 200, got 502" if failed else "",
        trace_ids=[TRACE],
        steps=probe_steps(failed=failed),
        last_good=probe_run(failed=False) if failed else None,
    )


def real_run() -> details.RunAnswer:
    """A customer who was stopped at Pay."""
    steps = [
        details.RunStep(
            id=ident,
            name=name,
            outcome="failed" if ident == "pay" else "passed",
            started=ago(300 - index * 20),
            duration=18.0,
            failure="502 from POST /payments" if ident == "pay" else "",
            failure_kind="status" if ident == "pay" else "",
            reached=True,
            hit=ident == "pay",
            done=ident != "pay",
            severity=1.0 if ident == "pay" else 0.0,
            trace_id=TRACE if ident == "pay" else "",
        )
        for index, (ident, name, *_) in enumerate(STEPS)
    ]
    return details.RunAnswer(
        run_id=REAL_RUN,
        traffic="real",
        journey=m.Named(id="checkout", name="Buy one item"),
        outcome="failed",
        end="stopped",
        started=ago(300),
        ended=ago(190),
        severity=1.0,
        session_id="s-12",
        person_id="user:u12",
        trace_ids=[TRACE],
        steps=steps,
        feedback=comments()[:1],
    )


def timeline(text: str = COMMENTS[0]) -> list[details.TimelineItem]:
    """What happened in the visit."""

    def item(at: float, kind: str, title: str, **more: object) -> details.TimelineItem:
        return details.TimelineItem.model_validate({"at": ago(at), "kind": kind, "title": title, **more})

    return [
        item(300, "page_view", "/", duration=0.9, trace_id=GOOD_TRACE, span_id="00f067aa0ba902b7"),
        item(299.2, "web_vital", "LCP 1.2 s", tone="good", facts={"rating": "good", "element": "h1"}),
        item(281, "page_view", "/products/7", duration=0.7),
        item(262, "action", "Add to cart", duration=0.1),
        item(261.9, "fetch", "POST /cart → 200", duration=0.14),
        item(244, "page_view", "/checkout/pay", duration=0.8),
        item(230, "action", "Pay", duration=1.3, tone="bad"),
        item(
            229.9,
            "fetch",
            "POST /payments → 502",
            duration=1.2,
            tone="bad",
            trace_id=TRACE,
            span_id="a1b2c3d4e5f60718",
            facts={"http.response.status_code": "502"},
        ),
        item(
            229.8,
            "backend",
            "payments: POST /charge",
            detail="upstream bank refused the connection",
            duration=1.05,
            tone="bad",
            trace_id=TRACE,
            span_id="b1b2c3d4e5f60718",
        ),
        item(228, "error", "PaymentError", detail="Payment failed with status 502\n    at pay (checkout.js:88)", tone="bad"),
        item(222, "frustration", "Clicked “Pay” 5 times in 2 s", tone="slow"),
        item(205, "feedback", "CSAT 1 of 5", detail=text, tone="bad"),
        item(204, "order", "None followed", detail=""),
        item(95, "ticket", "opened", detail=text, tone="bad", facts={"ticket": "4711", "source": "desk", "status": "solved", "priority": "high"}),
        item(35, "ticket", "first answered", detail=text, facts={"ticket": "4711", "source": "desk", "status": "solved", "priority": "high"}),
        item(-86_400, "ticket", "solved", detail=text, tone="good", facts={"ticket": "4711", "source": "desk", "status": "solved"}),
    ]


def visit(*, comment: str = COMMENTS[0]) -> details.VisitAnswer:
    """The visit of the customer who was stopped."""
    return details.VisitAnswer(
        session_id="s-12",
        person_id="user:u12",
        person_kind="user",
        account_id="a0",
        app="shop",
        device="desktop",
        browser="Chrome 156",
        consent="granted",
        started=ago(300),
        ended=ago(190),
        runs=[real_run()],
        timeline=timeline(comment),
        feedback=comments(comment)[:1],
    )


def person(*, comment: str = COMMENTS[0], label: str = "Ada Berger") -> details.PersonAnswer:
    """The customer who was stopped."""
    return details.PersonAnswer(
        person_id="user:u12",
        kind="user",
        label=label,
        account_id="a0",
        account="Nordlicht GmbH",
        plan="Business",
        since=ago(86400 * 40),
        orders_net=1240.0,
        currency="EUR",
        usage=PersonUsage(
            last=ago(7200),
            days=9,
            times=31,
            times_before=44,
            events=[UsedEvent(event=label, times=20, last=ago(7200)), UsedEvent(event="export made", times=11, last=ago(86400))],
            others=3,
        ),
        subscriptions=[subscription(comment)],
        visits=visits(),
        timeline=timeline(comment),
        feedback=comments(comment)[:1],
    )


def trace(*, value: str = "POST") -> details.TraceAnswer:
    """The failing payment, from the browser's click to the bank."""
    rows = [
        ("0718a1b2c3d4e5f6", "", 0, "action Pay", "shop-web", "client", 0.0, 1.3, "ok", ""),
        ("a1b2c3d4e5f60718", "0718a1b2c3d4e5f6", 1, "fetch POST /payments", "shop-web", "client", 0.02, 1.21, "error", "502"),
        ("c1b2c3d4e5f60718", "a1b2c3d4e5f60718", 2, "POST /payments", "shop", "server", 0.06, 1.12, "error", ""),
        ("d1b2c3d4e5f60718", "c1b2c3d4e5f60718", 3, "SELECT cart", "shop", "client", 0.08, 0.011, "ok", ""),
        ("e1b2c3d4e5f60718", "c1b2c3d4e5f60718", 3, "POST /charge", "shop", "client", 0.11, 1.06, "error", "502"),
        ("b1b2c3d4e5f60718", "e1b2c3d4e5f60718", 4, "POST /charge", "payments", "server", 0.13, 1.03, "error", "upstream bank refused the connection"),
    ]
    return details.TraceAnswer(
        trace_id=TRACE,
        started=ago(230),
        duration=1.3,
        session_id="s-12",
        journey="checkout",
        spans=[
            details.TraceSpan(
                span_id=span_id,
                parent_id=parent,
                depth=depth,
                name=name,
                service=service,
                kind=kind,
                started=ago(230 - offset),
                offset=offset,
                duration=duration,
                status=status,
                message=message,
                traffic="real",
                attributes={"http.request.method": value, "http.response.status_code": "502" if status == "error" else "200", "url.path": "/payments"},
                events=[{"name": "exception", "attributes": {"exception.type": "ConnectionRefused"}}] if service == "payments" else [],
            )
            for span_id, parent, depth, name, service, kind, offset, duration, status, message in rows
        ],
    )
