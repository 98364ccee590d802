"""Answers on one run, visit, person, trace and journey."""

from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.context import Context
from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.person import person
from sojourn_collector.web.answers.run import run
from sojourn_collector.web.answers.trace import in_order, trace
from sojourn_collector.web.answers.visit import visit
from tests.collector.web.stage import NOW, Rows, broken_shop, minute

TRACE = "ab" * 16


async def test_a_failed_probe_run_brings_phases_expectations_and_the_last_good_one(context: Context) -> None:
    """Exchanges with their phases, expectations with expected and actual, and the newest passed run of the same location before it."""
    rows = Rows()
    good = rows.probe(NOW - minute(5))
    rows.probe(NOW - minute(4), location="elsewhere")
    failed = rows.probe(NOW - minute(3), "failed", message="502 from POST /payments", trace=TRACE)
    rows.probe(NOW - minute(2))
    common = {"service": "sojourn-agent", "traffic": "synthetic", "journey": "checkout", "step": "pay", "run_id": failed}
    attrs = {"sojourn.attempt": "1"}
    expectation = {
        "sojourn.expectation.text": "status == 201",
        "sojourn.expectation.kind": "expect",
        "sojourn.expectation.met": "false",
        "sojourn.expectation.expected": "== 201",
        "sojourn.expectation.actual": "502",
    }
    at = NOW - minute(3) + timedelta(seconds=1)
    vitals = [{"browser.web_vital.name": name, "browser.web_vital.value": value} for name, value in (("lcp", "1200.0"), ("cls", "0.1"), ("odd", "1"))]
    rows.span(
        at,
        "step pay",
        TRACE,
        "01" * 8,
        span_type="step",
        status=2,
        attrs=attrs,
        events_ts=[at] * 4,
        events_name=["sojourn.expectation", *["browser.web_vital"] * 3],
        events_attrs=[expectation, *vitals],
        **common,
    )
    request = {**attrs, "http.request.method": "POST", "url.full": "http://shop/payments", "http.response.status_code": "502"}
    phases = {"sojourn.http.phase.connect": "0.002", "sojourn.http.phase.wait": "0.5", "sojourn.http.phase.tls": "nonsense"}
    rows.span(at, "POST", TRACE, "02" * 8, parent="01" * 8, span_type="exchange", status=2, attrs={**request, **phases}, **common)
    mail = {**attrs, "network.protocol.name": "smtp", "server.address": "mail.example", "server.port": "587", "sojourn.http.phase.connect": "0.002"}
    rows.span(at + timedelta(milliseconds=1), "SMTP", TRACE, "03" * 8, parent="01" * 8, span_type="exchange", attrs=mail, **common)
    await rows.store(context.store)
    answer = await run(context, failed)
    assert answer is not None
    assert (answer.traffic, answer.outcome, answer.failure, [step.outcome for step in answer.steps]) == (
        "synthetic",
        "failed",
        "502 from POST /payments",
        ["passed", "failed"],
    )
    pay = answer.steps[1]
    assert pay.expectations == [{"text": "status == 201", "kind": "expect", "met": False, "expected": "== 201", "actual": "502"}]
    assert pay.vitals == {"lcp": 1.2, "cls": 0.1}
    assert [(one["method"], one["url"], one["status"], one["phases"]) for one in pay.exchanges] == [
        ("POST", "http://shop/payments", 502, {"connect": 0.002, "wait": 0.5}),
        ("SMTP", "mail.example:587", None, {"connect": 0.002}),
    ]
    assert answer.last_good is not None
    assert answer.last_good.run_id == good
    assert (await run(context, good)).last_good is None  # type: ignore[union-attr]


async def test_a_visit_joins_everything_on_one_axis(context: Context) -> None:
    """Beacons, backend spans by trace id, events, feedback and orders in the order of time; a request to somebody else's host names it."""
    rows = Rows()
    session = rows.customer("u1", NOW - minute(5), fails=True, done=True, pays=62.0, trace=TRACE)
    at = NOW - minute(5)
    page: dict[str, Any] = {"service": "shop", "traffic": "real", "session_id": session, "span_type": "page_view", "attrs": {"url.path": "/checkout/pay"}}
    rows.span(at, "page_view /checkout/pay", TRACE, "01" * 8, **page)
    fetch = {"http.request.method": "POST", "url.path": "/payments", "http.response.status_code": "502"}
    rows.span(at + timedelta(seconds=1), "fetch", TRACE, "02" * 8, service="shop", traffic="real", session_id=session, span_type="fetch", status=2, attrs=fetch)
    rows.span(at + timedelta(seconds=1.1), "POST /payments", TRACE, "03" * 8, parent="02" * 8, service="payments", kind=2, status=2)
    tracker = {"http.request.method": "POST", "url.path": "/g/collect", "url.full": "https://tracker.example/g/collect", "error.type": "network"}
    page |= {"span_type": "fetch", "status": 2, "attrs": tracker | {"sojourn.request.own": "false"}}
    rows.span(at + timedelta(seconds=3), "fetch", TRACE, "05" * 8, **page)
    rows.span(at + timedelta(seconds=1.2), "think", TRACE, "04" * 8, parent="03" * 8, service="payments", kind=1)
    event = {"session_id": session, "accepted": at, "service": "shop", "traffic": "real"}
    rows.events.append({**event, "ts": at + timedelta(seconds=2), "name": "exception", "attrs": {"exception.type": "TypeError", "exception.message": "x"}})
    rows.events.append({**event, "ts": at + timedelta(seconds=20), "name": "sojourn.conversion", "attrs": {"sojourn.conversion.name": "order_completed"}})
    rows.answer("f1", at + timedelta(seconds=60), 2, person="user:u1", session=session, comment="<script>alert(1)</script>")
    await rows.store(context.store)
    answer = await visit(context, session)
    assert answer is not None
    assert (answer.person_id, answer.person_kind, answer.device) == ("user:u1", "user", "desktop")
    shown = [(item.kind, item.title, item.tone) for item in answer.timeline]
    assert shown == [
        ("run", "checkout", "good"),
        ("page_view", "/checkout/pay", "neutral"),
        ("fetch", "POST /payments", "bad"),
        ("backend", "payments: POST /payments", "bad"),
        ("error", "TypeError", "bad"),
        ("fetch", "POST tracker.example/g/collect", "bad"),
        ("conversion", "order_completed", "good"),
        ("order", "order 62.00 EUR", "good"),
        ("feedback", "csat 2 of 1–5", "bad"),
    ]
    assert answer.feedback[0].text == "<script>alert(1)</script>"
    assert [step.id for step in answer.runs[0].steps] == ["pay"]


@pytest.mark.parametrize("code", ["\u00b2", "9" * 5000, "-502", "5e2", "0502"])
async def test_a_status_or_address_that_is_none_breaks_no_answer(context: Context, code: str) -> None:
    """Attributes hold whatever a sender says: what is no status is unknown, and report, run and visit are told all the same."""
    rows = Rows()
    failed = rows.probe(NOW - minute(3), "failed", message="it does not work", trace=TRACE)
    session = rows.customer("u1", NOW - minute(5), fails=True, trace="cd" * 16)
    rows.steps[-1] |= {"hit_status": 0, "hit_method": "", "hit_path": ""}
    said = {"http.request.method": "POST", "url.full": "http://[", "http.response.status_code": code, "sojourn.attempt": code}
    at = NOW - minute(3) + timedelta(seconds=1)
    own = {"service": "sojourn-agent", "traffic": "synthetic", "journey": "checkout", "step": "pay", "run_id": failed}
    rows.span(at, "POST", TRACE, "01" * 8, span_type="exchange", status=2, attrs=said, **own)
    rows.span(NOW - minute(5), "fetch", "cd" * 16, "02" * 8, service="shop", traffic="real", session_id=session, span_type="fetch", attrs=said)
    await rows.store(context.store)
    cause = (await impact(context)).problems[0].cause
    assert cause is not None
    assert (cause.status, cause.path) == (None, "")
    shown = await run(context, failed)
    assert shown is not None
    assert [one["status"] for one in shown.steps[1].exchanges] == [None]
    seen = await visit(context, session)
    assert seen is not None
    assert [item.tone for item in seen.timeline if item.kind == "fetch"] == ["neutral"]


async def test_a_person_is_all_their_visits_and_money(context: Context) -> None:
    """Visits newest first, net orders without a probe's and cancelled ones, name and plan from the sources."""
    rows = Rows()
    rows.customer("u1", NOW - minute(500), done=True, pays=40.0, account="a1")
    rows.customer("u1", NOW - minute(5), fails=True, stopped=True, account="a1")
    rows.order("refunded", NOW - minute(100), 50.0, person="user:u1", refunded=20.0)
    rows.order("gone", NOW - minute(90), 50.0, person="user:u1", status="cancelled")
    rows.people.append({"source": "api", "id": "u1", "version": 1, "name": "Ana", "account_id": "a1"})
    rows.accounts.append({"source": "api", "id": "a1", "version": 1, "name": "Acme", "plan": "gold"})
    await rows.store(context.store)
    answer = await person(context, "user:u1")
    assert answer is not None
    assert (answer.label, answer.account, answer.plan, answer.orders_net) == ("Ana", "Acme", "gold", 70.0)
    assert [line.worst for line in answer.visits] == [1.0, 0.0]
    assert [item.kind for item in answer.timeline] == ["run", "order", "order", "order", "run"]
    assert await person(context, "user:nobody") is None
    assert await person(context, "nonsense") is None


async def test_a_ticket_stands_where_it_was_opened_answered_and_solved(context: Context) -> None:
    """In its visit's and its person's order of time, told apart from other people's; who only wrote to support is somebody too."""
    rows = Rows()
    session = rows.customer("u1", NOW - minute(300), fails=True, stopped=True)
    at = NOW - minute(295)
    rows.ticket(
        "t1", at, person="user:u1", session=session, topic="Pay <b>fails</b>", priority="high", first_reply_at=at + minute(30), solved_at=at + minute(90)
    )
    rows.ticket("t2", NOW - minute(5), person="user:u2", topic="Invoice", reopens=2)
    await rows.store(context.store)
    of_visit, of_person, other = await visit(context, session), await person(context, "user:u1"), await person(context, "user:u2")
    assert of_visit is not None
    assert of_person is not None
    assert other is not None
    seen = [("opened", 5.0, "bad"), ("first answered", 35.0, "neutral"), ("solved", 95.0, "good")]
    for answer in (of_visit, of_person):
        tickets = [item for item in answer.timeline if item.kind == "ticket"]
        assert [(item.title, (item.at - (NOW - minute(300))) / minute(1), item.tone) for item in tickets] == seen
        assert {item.detail for item in tickets} == {"Pay <b>fails</b>"}
        assert tickets[0].facts == {"ticket": "t1", "source": "desk", "link": "explicit", "status": "solved", "priority": "high"}
        assert tickets[0].session_id == session
    (item,) = other.timeline
    assert (item.title, item.facts["reopened"], item.facts["link"]) == ("opened", "2 times", "unlinked")


async def test_a_trace_is_a_tree_and_bounded(context: Context) -> None:
    """Spans come parents first with their depth; beyond 2,000 it is cut and says so; an id that is none finds nothing."""
    rows = Rows()
    rows.span(NOW, "root", TRACE, "01" * 8, service="shop", kind=2)
    rows.span(NOW + timedelta(seconds=0.1), "child", TRACE, "02" * 8, parent="01" * 8, service="payments", kind=3, status=2, attrs={"k": "v"})
    rows.span(NOW + timedelta(seconds=0.2), "orphan", TRACE, "03" * 8, parent="99" * 8, service="payments")
    for number in range(2100):
        rows.span(NOW + timedelta(milliseconds=number), "many", "cd" * 16, f"{number + 1:016x}", service="shop")
    await rows.store(context.store)
    answer = await trace(context, TRACE.upper())
    assert answer is not None
    assert [(span.name, span.depth, span.status) for span in answer.spans] == [("root", 0, "unset"), ("child", 1, "error"), ("orphan", 0, "unset")]
    assert answer.spans[1].offset == pytest.approx(0.1)
    assert not answer.truncated
    long = await trace(context, "cd" * 16)
    assert long is not None
    assert (len(long.spans), long.truncated) == (2000, True)
    for hostile in ("", "zz" * 16, TRACE[:-1], "' OR 1=1 --", "\0" * 32):
        assert await trace(context, hostile) is None


def test_spans_in_a_circle_are_all_shown_once() -> None:
    """Spans that are each other's parents, their own parent or share an id do not loop and are not lost."""
    rows = [{"span": "a", "parent": "b"}, {"span": "b", "parent": "a"}, {"span": "c", "parent": "c"}, {"span": "d", "parent": ""}, {"span": "d", "parent": "d"}]
    assert len(in_order(rows)) == 5


async def test_a_journey_shows_customers_and_probes_side_by_side(context: Context) -> None:
    """Funnel, probe runs, satisfaction and newest visits of one journey; an unknown one is None."""
    rows = broken_shop(usual=False)
    session = f"s-u0-{int((NOW - minute(8)).timestamp())}"
    run_id = next(row["run_id"] for row in rows.runs if row.get("session_id") == session)
    rows.answer("f1", NOW - minute(1), 5, person="user:u0", session=session, comment="fine in the end")
    rows.feedback[0]["run_ids"] = [run_id]
    await rows.store(context.store)
    answer = await journey(context, "checkout")
    assert answer is not None
    assert (answer.state, answer.experience.tried, answer.probes.state, len(answer.problems), len(answer.visits)) == ("failing", 188, "failing", 1, 50)
    fared = answer.experience
    assert (fared.finished_low, fared.finished_high) == wilson_counts(fared.finished, fared.finished + fared.gave_up + fared.stopped)
    pay = fared.steps[-1]
    assert (pay.done_low, pay.done_high) == wilson_counts(pay.done, pay.reached)
    assert (pay.hit_low, pay.hit_high) == wilson_counts(pay.hit, pay.reached)
    assert answer.satisfaction.comments[0].text == "fine in the end"
    assert (answer.probes.passed, answer.probes.total) == (20, 28)
    assert await journey(context, "no-such-journey") is None
