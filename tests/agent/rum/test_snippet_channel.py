"""How visitors came and from which country, by the real snippet in a real Chromium: one word leaves the browser, and the query never does."""

import json
from pathlib import Path
from typing import Any

from sojourn_agent.rum.countries import Countries
from sojourn_probes.chromium import find
from tests.agent.rum.taking import Taking
from tests.agent.rum.test_snippet_browser import SCRIPT, in_chromium, named, until, visited

CASES = json.loads(Path(__file__).with_name("channel_cases.json").read_text())
HTML = """<!doctype html><title>Shop</title><link rel=icon href=data:,>
<script>Object.defineProperty(document, 'referrer', {value: REFERRER})</script><script src="/rum.js" data-app="shop"></script>"""


def stored(taking: Taking) -> bytes:
    """Every byte that reached the spool."""
    return b"".join(body for signal in ("traces", "logs") for body in taking.spool.of(signal))


@in_chromium
async def test_the_snippet_follows_the_table() -> None:
    """Every case of the table that holds the Python rules gets the same answer from the built snippet, and no body has a query or referrer in it."""
    from playwright.async_api import Route, async_playwright

    bodies: list[str] = []
    case: dict[str, Any] = {}

    async def answer(route: Route) -> None:
        if route.request.method == "POST":
            bodies.append(route.request.post_data or "")
            await route.fulfill(status=204)
        elif route.request.url.endswith("/rum.js"):
            await route.fulfill(body=SCRIPT.read_text(), content_type="text/javascript")
        else:
            await route.fulfill(body=HTML.replace("REFERRER", json.dumps(case["referrer"])), content_type="text/html")

    wrong = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find().path, args=list(find().args))
        page = await browser.new_page()
        await page.route("**/*", answer)
        for case in CASES:
            bodies.clear()
            await page.goto(f"http://{case['host']}/boots{case['query']}")
            await page.evaluate("new Promise(done => setTimeout(() => { sojourn('flush'); done() }))")
            views = [item for body in await until(lambda: bodies) for item in json.loads(body)["items"] if item["type"] == "page_view"]
            if [view.get("channel") for view in views] != [case["channel"]] or "utm_" in "".join(bodies) or "clid" in "".join(bodies):
                wrong.append((case, bodies[:]))
        await browser.close()
    assert wrong == []


@in_chromium
async def test_only_the_landing_page_tells_the_channel() -> None:
    """With consent a visit keeps the channel it began with: later pages tell none, whatever they were opened with; the device stores nothing of it."""
    async with visited("granted") as (page, shop, taking):
        await page.goto(f"{shop.url}/pay?utm_medium=email&utm_source=spring-sale-4711#top")
        await page.evaluate("history.pushState({}, '', '/pay/soft?utm_medium=sms')")
        await page.goto(f"{shop.url}/pay/next?utm_medium=cpc&gclid=4711")
        kept = json.loads(await page.evaluate("localStorage.sojourn"))
        await page.goto("about:blank")
        views = await until(lambda: len(found := named(taking.spans(), "page_view")) == 3 and found)
        assert {view.has["url.path"]: view.has.get("sojourn.channel") for view in views} == {"/pay": "email", "/pay/soft": None, "/pay/next": None}
        assert set(kept) == {"id", "start", "last", "visitor"}
        assert not any(word in stored(taking) for word in (b"utm_", b"gclid", b"4711"))


@in_chromium
async def test_without_consent_a_page_of_the_same_site_tells_none() -> None:
    """Where each page is a visit of its own, one arrived at from elsewhere tells the channel, one that a link of the site led to none; nothing is stored."""
    async with visited("denied") as (page, shop, taking):
        await page.goto(f"{shop.url}/pay", referer="https://www.google.com/")
        await page.evaluate("location.href = '/pay/next'")
        await page.wait_for_url("**/pay/next")
        assert await page.evaluate("[document.referrer, localStorage.length, sessionStorage.length]") == [f"{shop.url}/pay", 0, 0]
        await page.goto("about:blank")
        views = await until(lambda: len(found := named(taking.spans(), "page_view")) == 2 and found)
        assert {view.has["url.path"]: view.has.get("sojourn.channel") for view in views} == {"/pay": "search", "/pay/next": None}
        assert b"google" not in stored(taking)


@in_chromium
async def test_an_address_that_the_page_tidied_is_read_as_it_was_opened() -> None:
    """A page whose own scripts take the campaign out of the address before the snippet runs is arrived at by it all the same."""
    async with visited("unknown", init="history.replaceState({}, '', location.pathname)") as (page, shop, taking):
        await page.goto(f"{shop.url}/pay?utm_medium=email")
        assert await page.evaluate("location.search") == ""
        (view,) = await until(lambda: named(taking.spans(), "page_view"))
        assert view.has["sojourn.channel"] == "email"


@in_chromium
async def test_a_session_that_follows_another_is_arrived_at_anew() -> None:
    """After 30 minutes of nothing, the page that begins the next session tells how that one came."""
    async with visited("granted") as (page, shop, taking):
        await page.goto(f"{shop.url}/pay?utm_medium=email")
        await page.goto(f"{shop.url}/elsewhere")
        await page.evaluate("const s = JSON.parse(localStorage.sojourn); s.last -= 31 * 60000; s.start -= 31 * 60000; localStorage.sojourn = JSON.stringify(s)")
        await page.goto(f"{shop.url}/pay/later?utm_medium=sms")
        await page.goto("about:blank")
        views = await until(lambda: len(found := named(taking.spans(), "page_view")) == 2 and found)
        assert [view.has["sojourn.channel"] for view in views] == ["email", "messaging"]
        assert views[1].has["session.previous_id"] == views[0].has["session.id"]


@in_chromium
async def test_withdrawn_consent_tells_no_channel_of_the_session_that_follows() -> None:
    """What begins after consent is withdrawn is not tied to how the visit before came."""
    init = "document.addEventListener('DOMContentLoaded', () => sojourn('consent', 'denied'))"
    async with visited("granted", init=init) as (page, shop, taking):
        await page.goto(f"{shop.url}/pay?utm_medium=email")
        (view,) = await until(lambda: named(taking.spans(), "page_view"))
        assert (view.has["sojourn.consent"], view.has.get("sojourn.channel")) == ("denied", None)


@in_chromium
async def test_the_country_is_that_of_the_browsers_time_zone() -> None:
    """The zone, by whatever old name the browser calls it, becomes a country on everything of the visit and is itself not kept."""
    async with visited("unknown", timezone_id="Asia/Kolkata") as (page, shop, taking):
        await page.goto(f"{shop.url}/pay")
        spans = await until(lambda: taking.spans())
        assert await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") in ("Asia/Kolkata", "Asia/Calcutta")
        assert {span.has["geo.country.iso_code"] for span in spans} == {"IN"}
        assert b"Asia/" not in stored(taking)


@in_chromium
async def test_every_zone_that_chromium_knows_is_in_a_country() -> None:
    """No place that a browser can be set to is unknown for want of a name; UTC is no place."""
    async with visited() as (page, _, _):
        zones = await page.evaluate("Intl.supportedValuesOf('timeZone')")
    countries = Countries.read()
    assert len(zones) > 400
    assert [zone for zone in zones if zone != "UTC" and not countries.of_zone(zone)] == []
