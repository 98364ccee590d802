"""The real snippet in a real Chromium against the real intake: what a visit turns into."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from gzip import compress
from pathlib import Path
from typing import Any

import pytest

from sojourn_agent.rum import intake
from sojourn_probes.chromium import find
from sojourn_probes.ids import new_run_id
from sojourn_probes.marks import make_mark
from sojourn_probes.semconv import NETWORKS
from tests.agent.rum.taking import Taking, taking
from tests.probes.site import Answer, Asked, Site, answer, site
from tests.processes import free_port

SCRIPT = Path(intake.__file__).with_name("rum.js")
SOURCE = Path(__file__).parents[3] / "agent" / "snippet"

PAGE = """<!doctype html><title>Pay</title><link rel=icon href=data:,>
<script>window.sojourn = window.sojourn || function () { (sojourn.q = sojourn.q || []).push(arguments) };
sojourn('identify', {user: 'u1', account: 'a1'});</script>
<script src="RUM/rum.js" data-app="shop" data-consent="CONSENT" DATA></script>
<h1>Pay for it</h1><p>Some text that is painted.</p><button id=buy type=button>Buy</button>"""


def in_chromium(test: Any) -> Any:
    """Marks a test that needs the browser."""
    return pytest.mark.browser(test)


@asynccontextmanager
async def visited(
    consent: str = "granted", data: str = "", keys: dict[str, bytes] | None = None, init: str = "", **context_of: Any
) -> AsyncIterator[tuple[Any, Site, Taking]]:
    """(page, shop, intake): a Chromium page before a shop whose pages carry the snippet."""
    from playwright.async_api import async_playwright

    rum: list[str] = []

    async def shop(asked: Asked) -> Answer:
        path = asked.target.split("?")[0]
        if path == "/pay" or path.startswith("/pay/"):
            body = PAGE.replace("RUM", rum[0]).replace("CONSENT", consent).replace("DATA", data)
            return answer(200, body, content_type="text/html")
        return answer(502 if path == "/payments" else 200, "{}", content_type="application/json")

    async with site(shop) as shop_site, taking(origins=[shop_site.url], bots="keep", keys=keys) as intake_running:
        rum.append(intake_running.url)
        choice = find()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
            try:
                context = await browser.new_context(**context_of)
                if init:
                    await context.add_init_script(init)
                yield await context.new_page(), shop_site, intake_running
            finally:
                await browser.close()


async def until(found: Any, seconds: float = 20) -> Any:
    """The first true answer of `found`."""
    ends = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < ends, "it did not come"
        await asyncio.sleep(0.05)
    return seen


def named(things: list[Any], name: str) -> list[Any]:
    return [thing for thing in things if thing.name.startswith(name)]


@in_chromium
async def test_a_visit_becomes_spans_and_events():
    """Page view, fetch with the very trace the server was sent, error, conversion, cart, vitals and rage click of one visit reach the spool."""
    async with visited() as (page, shop, intake_running):
        await page.goto(f"{shop.url}/pay?card=4111#top")
        await page.evaluate("sojourn('cart', {value: 62, currency: 'EUR'})")
        await page.evaluate("fetch('/payments', {method: 'POST', body: '{}'})")
        await page.evaluate("new Promise(done => { const x = new XMLHttpRequest(); x.open('GET', '/stock?q=1'); x.onloadend = done; x.send() })")
        await page.evaluate("setTimeout(() => { throw new TypeError('no such thing for me@shop.example') })")
        await page.evaluate("void Promise.reject(new RangeError('too far'))")
        await page.evaluate("sojourn('convert', 'order_completed', {value: 62, currency: 'EUR', order: 'o-1'})")
        await page.evaluate("sojourn('event', 'coupon', {code: 'X1', off: 5, first: true})")
        await page.evaluate("sojourn('survey', {survey: 's1', kind: 'csat', value: 2, scale: [1, 5], comment: 'call me@shop.example'})")
        await page.evaluate("for (let n = 0; n < 4; n++) document.getElementById('buy').click()")
        await page.evaluate("history.pushState({}, '', '/pay/done')")
        session = await page.evaluate("sojourn('session')")
        await page.goto("about:blank")
        await until(lambda: {"lcp", "cls", "fcp", "ttfb"} <= {record.has.get("browser.web_vital.name") for record in intake_running.records()})
        spans, records = intake_running.spans(), intake_running.records()

    first, soft = named(spans, "page_view")
    assert (first.name, soft.name) == ("page_view /pay", "page_view /pay/done")
    assert first.has["url.full"] == f"{shop.url}/pay"
    assert (first.has["sojourn.navigation.type"], soft.has["sojourn.navigation.type"]) == ("navigate", "soft")
    assert {thing.has["session.id"] for thing in spans + records} == {session}
    assert {(thing.has["user.id"], thing.has["sojourn.account.id"], thing.has["sojourn.traffic"]) for thing in spans + records} == {("u1", "a1", "real")}
    assert all(thing.has["enduser.pseudo.id"] for thing in spans + records)
    assert {thing.has["sojourn.network"] for thing in spans + records} <= set(NETWORKS)

    (paid,) = named(spans, "fetch POST /payments")
    asked = next(asked for asked in shop.asked if asked.target == "/payments")
    assert asked.headers["traceparent"] == f"00-{paid.raw.trace_id.hex()}-{paid.raw.span_id.hex()}-01"
    assert (paid.raw.trace_id, paid.raw.parent_span_id) == (first.raw.trace_id, first.raw.span_id)
    assert (paid.has["http.response.status_code"], paid.has["error.type"], paid.has["sojourn.page.path"]) == (502, "502", "/pay")
    assert (paid.has["sojourn.cart.value"], paid.has["sojourn.cart.currency"]) == (62.0, "EUR")
    (stock,) = named(spans, "fetch GET /stock")
    assert next(asked for asked in shop.asked if asked.target == "/stock?q=1").headers["traceparent"].split("-")[2] == stock.raw.span_id.hex()
    assert stock.has["url.full"] == f"{shop.url}/stock"

    errors = {record.has["exception.type"]: record.has["exception.message"] for record in named(records, "exception")}
    assert errors["TypeError"] == "no such thing for [email]"
    assert errors["RangeError"] == "too far"
    (sold,) = named(records, "sojourn.conversion")
    assert (sold.has["sojourn.conversion.name"], sold.has["sojourn.conversion.value"], sold.has["sojourn.order.id"]) == ("order_completed", 62.0, "o-1")
    (said,) = named(records, "sojourn.survey")
    assert (said.has["sojourn.survey.value"], said.has["sojourn.survey.scale_max"], said.has["sojourn.survey.comment"]) == (2.0, 5.0, "call [email]")
    (rage,) = named(records, "sojourn.frustration")
    assert rage.has["sojourn.frustration.target"] == "button#buy"
    assert [record.has["sojourn.event.attribute.off"] for record in records if record.name == "sojourn.event"] == [5.0]


@in_chromium
async def test_without_consent_nothing_of_a_person_is_stored_or_sent():
    """With consent denied the page keeps nothing in any storage and no user, account or visitor id leaves it."""
    async with visited("denied") as (page, shop, intake_running):
        await page.goto(f"{shop.url}/pay")
        kept = await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
        await until(lambda: intake_running.spans())
        assert kept == [0, 0, ""]
        assert not {"user.id", "enduser.pseudo.id", "sojourn.account.id"} & set(intake_running.spans()[0].has)
        assert intake_running.counts.ids_withheld == 0
        assert intake_running.spans()[0].has["sojourn.consent"] == "denied"


@in_chromium
async def test_withdrawn_consent_forgets_at_once():
    """Consent granted keeps one session and visitor over pages; withdrawing empties the storage and begins another session."""
    async with visited("granted") as (page, shop, _):
        await page.goto(f"{shop.url}/pay")
        first = await page.evaluate("sojourn('session')")
        await page.goto(f"{shop.url}/pay/again")
        assert await page.evaluate("sojourn('session')") == first
        assert json.loads(await page.evaluate("localStorage.sojourn"))["visitor"]
        await page.evaluate("sojourn('consent', 'denied')")
        assert await page.evaluate("localStorage.length") == 0
        assert await page.evaluate("sojourn('session')") != first


@in_chromium
async def test_an_idle_session_is_followed_by_another_that_names_it():
    """After 30 minutes of nothing the next thing begins a session whose `previous` is the last."""
    async with visited("granted") as (page, shop, intake_running):
        await page.goto(f"{shop.url}/pay")
        first = await page.evaluate("sojourn('session')")
        await page.goto(f"{shop.url}/elsewhere")  # of the same origin, without the snippet
        await page.evaluate("const s = JSON.parse(localStorage.sojourn); s.last -= 31 * 60000; s.start -= 31 * 60000; localStorage.sojourn = JSON.stringify(s)")
        await page.goto(f"{shop.url}/pay/later")
        second = await page.evaluate("sojourn('session')")
        await until(lambda: [span for span in intake_running.spans() if span.has["session.id"] == second])
        assert second != first
        assert {span.has["session.previous_id"] for span in intake_running.spans() if span.has["session.id"] == second} == {first}


@in_chromium
async def test_a_probe_is_recognised_and_is_the_parent():
    """The mark a probe puts into the page makes its beacons synthetic, and its traceparent is the parent of the page view."""
    run = new_run_id(time.time())
    mark = make_mark(run, "k1", b"secret", time.time())
    init = f"window.__sojourn = {json.dumps({'probe': mark, 'traceparent': '00-' + '1' * 32 + '-' + '2' * 16 + '-01'})}"
    async with visited("unknown", keys={"k1": b"secret"}, init=init) as (page, shop, intake_running):
        await page.goto(f"{shop.url}/pay")
        (view,) = await until(lambda: intake_running.spans())
    assert (view.has["sojourn.traffic"], view.has["sojourn.run.id"], view.has["user_agent.synthetic.type"]) == ("synthetic", run, "test")
    assert (view.raw.trace_id.hex(), view.raw.parent_span_id.hex()) == ("1" * 32, "2" * 16)


@in_chromium
async def test_traceparent_stays_with_the_own_origin():
    """A fetch to another origin is recorded and works without CORS having to allow our header; a listed origin gets it."""

    async def other(asked: Asked) -> Answer:
        return answer(200, "{}", access_control_allow_origin="*", access_control_allow_headers="traceparent")

    async with site(other) as stranger, site(other) as friend, visited(data=f'data-trace-origins="{friend.url}"') as (page, shop, intake_running):
        await page.goto(f"{shop.url}/pay")
        await page.evaluate(f"Promise.all([fetch('{stranger.url}/x'), fetch('{friend.url}/y')])")
        await until(lambda: len(named(intake_running.spans(), "fetch")) == 2)
        assert ["traceparent" in asked.headers for asked in stranger.asked] == [False]
        assert [asked.method for asked in friend.asked if "traceparent" in asked.headers] == ["GET"]


@in_chromium
@pytest.mark.parametrize("trace", ["", ' data-trace="off"'])
async def test_requests_to_the_own_and_the_listed_origins_are_the_sites_own(trace):
    """A fetch that gets no answer is the site's own at the page's origin and a listed one, whether traces are sent or not; a stranger's is not."""
    friend, stranger = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    async with visited(data=f'data-trace-origins="{friend}"{trace}') as (page, shop, intake_running):
        await page.goto(f"{shop.url}/pay")
        await page.evaluate(f"for (const url of ['/payments', '{friend}/y', '{stranger}/g/collect']) fetch(url).catch(() => 0)")
        await until(lambda: len(named(intake_running.spans(), "fetch")) == 3)
        assert {span.has["url.path"]: span.has["sojourn.request.own"] for span in named(intake_running.spans(), "fetch")} == {
            "/payments": True,
            "/y": True,
            "/g/collect": False,
        }


@in_chromium
async def test_a_beacon_is_sent_again_until_it_is_taken():
    """While the spool refuses, the page tries again with the same beacon, which is stored once."""
    async with visited() as (page, shop, intake_running):
        intake_running.spool.unavailable = "no room"
        await page.goto(f"{shop.url}/pay")
        await until(lambda: intake_running.counts.refused_spool)
        intake_running.spool.unavailable = ""
        await until(lambda: intake_running.spans())
        await page.goto("about:blank")
        assert len(named(intake_running.spans(), "page_view")) == 1


def test_the_snippet_is_small():
    """rum.js is at most 8 KiB gzipped."""
    assert len(compress(SCRIPT.read_bytes(), 9)) <= 8192


@pytest.mark.skipif(shutil.which("node") is None or not (SOURCE / "node_modules").exists(), reason="needs node and `npm ci` in agent/snippet")
def test_the_built_snippet_is_fresh():
    """rum.js is what agent/snippet builds."""
    done = subprocess.run(["node", "build.mjs", "--check"], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
