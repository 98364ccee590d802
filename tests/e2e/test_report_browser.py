"""The report in a real browser: accessible in both schemes, deaf to hostile texts, silent towards other hosts, walkable by keyboard."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

from sojourn_collector.store.client import EngineUnavailable
from sojourn_probes import chromium
from tests.collector.web import fixtures, told
from tests.collector.web.preview import build_app
from tests.serving import served

pytestmark = pytest.mark.browser


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of this machine."""
    async with async_playwright() as playwright:
        choice = chromium.find()
        launched = await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        yield launched
        await launched.close()


async def visit_all(page: Page, origin: str) -> AsyncIterator[str]:
    """Open every page, one after the other."""
    for name, path in told.PAGES.items():
        await page.goto(origin + path, wait_until="networkidle")
        yield name


@pytest.mark.parametrize(("scheme", "width"), [pytest.param("light", 1280, marks=pytest.mark.slow), ("dark", 390)])
async def test_no_page_keeps_anybody_out(browser, scheme, width):
    """axe-core finds nothing serious on any page, light on a laptop or dark on a phone; nothing is wider than the screen; the console is quiet."""
    context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 860}, reduced_motion="reduce")
    page = await context.new_page()
    complaints: list[str] = []
    # Not a fault: the page that is meant to be absent, and a renewal under way when the next page is opened.
    expected = ("status of 404", "Failed to fetch")
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type == "error" and not any(one in message.text for one in expected) else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    async with served(build_app(told.Shop(), simulated=True)) as shop, served(build_app(told.Nothing())) as nothing:
        for name, address in [(name, shop + path) for name, path in told.PAGES.items()] + [("empty", nothing + "/")]:
            await page.goto(address)
            await page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
            found = await Axe().run(page)
            bad = [
                (one["id"], [node["target"] for node in one["nodes"]][:5], one["nodes"][0].get("failureSummary"))
                for one in found.response["violations"]
                if one["impact"] in {"serious", "critical"}
            ]
            assert bad == [], name
            assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    assert complaints == []
    await context.close()


async def test_a_hostile_comment_runs_nothing_and_no_request_leaves(browser):
    """Script, markup, a javascript link and an RTL override in names and comments are shown as text; every request goes to the report's own origin."""
    context = await browser.new_context()
    page = await context.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add("{0.scheme}://{0.netloc}".format(urlsplit(request.url))))
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    hostile = told.Shop(comment=fixtures.HOSTILE, label=fixtures.HOSTILE[:150], journey_name=fixtures.HOSTILE)
    async with served(build_app(hostile)) as origin:
        async for name in visit_all(page, origin):
            assert "owned" not in (await page.title()).split("<")[0], name
            assert await page.locator("img:not([src^='/evidence/']), a[href^='javascript']").count() == 0, name
            assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        await page.goto(f"{origin}/problems/{fixtures.PROBLEM}#comments")
        shown = page.locator("blockquote").first
        assert (await shown.inner_text()).startswith("<script>document.title='owned'</script><img src=x")
        box = await shown.bounding_box()
        assert box is not None
        assert box["height"] < 900
        assert asked == {origin}
    assert dialogs == []
    await context.close()


async def go(page: Page, name: str, within: str = "main") -> None:
    """Press Tab until the link that begins with `name` has the focus, then Enter."""
    await page.locator(within).first.focus()
    for _ in range(200):
        await page.keyboard.press("Tab")
        focused: dict[str, Any] = await page.evaluate("({text: document.activeElement.innerText ?? '', tag: document.activeElement.tagName})")
        if focused["tag"] in {"A", "SUMMARY"} and focused["text"].strip().startswith(name):
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{name} shows no focus"
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab does not reach {name!r} on {page.url}")


async def test_the_keyboard_walks_from_the_number_to_the_comment(browser):
    """Number → person → visit → failing step → its run → trace → backend span → what they said, with Tab and Enter alone."""
    context = await browser.new_context()
    page = await context.new_page()
    async with served(build_app(told.Shop())) as origin:
        await page.goto(origin + "/")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.innerText") == "Skip to the content"
        await page.keyboard.press("Enter")
        await go(page, "41")
        await page.wait_for_url(f"{origin}/problems/{fixtures.PROBLEM}#who")
        await go(page, "Ada Berger", "#who")
        await page.wait_for_url(f"{origin}/people/user%3Au12")
        await go(page, "14:01")
        await page.wait_for_url(f"{origin}/visits/s-12")
        await go(page, "Pay")
        await page.wait_for_url(f"{origin}/runs/{fixtures.REAL_RUN}#step-pay")
        assert await page.locator("#step-pay").is_visible()
        await page.go_back()
        await go(page, "Backend span")
        await page.wait_for_url(f"{origin}/traces/{fixtures.TRACE}#span-b1b2c3d4e5f60718")
        await go(page, "failed:", "#span-b1b2c3d4e5f60718")
        await page.get_by_text("upstream bank refused the connection").wait_for()
        await go(page, "what they said")
        await page.wait_for_url(f"{origin}/visits/s-12#feedback")
        assert await page.get_by_text("I tried three times to pay").first.is_visible()
    await context.close()


async def test_a_page_renews_itself_and_can_be_paused(browser):
    """New figures appear without a reload, an open box and the focus stay, and Pause stops it."""

    class Growing(told.Shop):
        asked = 0

        async def problem(self, ident):
            self.asked += 1
            alone = await super().problem(ident)
            assert alone is not None
            people = alone.problem.people.model_copy(update={"hit": 41 + self.asked})
            return alone.model_copy(update={"problem": alone.problem.model_copy(update={"people": people})})

    answers = Growing()
    context = await browser.new_context()
    page = await context.new_page()
    await page.clock.install()
    async with served(build_app(answers)) as origin:
        await page.goto(f"{origin}/problems/{fixtures.PROBLEM}")
        assert await page.locator(".figure a").first.inner_text() == "42"
        await page.get_by_text("Technical facts").click()
        await page.get_by_role("link", name="Ada Berger", exact=True).focus()
        chart = await page.locator("#chart-people canvas").element_handle()
        await page.clock.run_for(6000)
        await page.locator(".figure a").first.get_by_text("43").wait_for()
        assert await page.locator("details.technical").evaluate("box => box.open")
        assert await page.evaluate("document.activeElement.innerText") == "Ada Berger"
        assert chart is not None
        assert await chart.evaluate("canvas => canvas.isConnected")
        await page.get_by_role("button", name="Pause updates").click()
        before = answers.asked
        await page.clock.run_for(30000)
        await page.get_by_role("button", name="Go on updating").wait_for()
        assert answers.asked == before
    await context.close()


async def test_a_renewal_that_fails_keeps_the_figures_and_says_so(browser):
    """When the engine goes down while the page is open, the last figures stay and their age is told."""

    class Failing(told.Shop):
        down = False

        async def impact(self):
            if self.down:
                raise EngineUnavailable("stopped")
            return await super().impact()

    answers = Failing()
    context = await browser.new_context()
    page = await context.new_page()
    await page.clock.install()
    async with served(build_app(answers)) as origin:
        await page.goto(origin + "/")
        answers.down = True
        await page.clock.run_for(6000)
        await page.get_by_text("Could not update since 14:06:30").wait_for()
        assert await page.locator(".figure a").first.inner_text() == "41"
        answers.down = False
        await page.clock.run_for(6000)
        await page.get_by_text("Updates by itself").wait_for()
    await context.close()


async def test_charts_are_drawn_and_follow_the_scheme(browser):
    """Every chart has ink on its canvas, and other ink after the reader's scheme changes."""
    context = await browser.new_context(color_scheme="light", reduced_motion="reduce")
    page = await context.new_page()
    async with served(build_app(told.Shop())) as origin:
        await page.goto(origin + "/journeys/checkout", wait_until="networkidle")
        pictures = [await page.locator(f"#chart-{name} canvas").evaluate("canvas => canvas.toDataURL()") for name in ("funnel", "durations")]
        assert all(len(picture) > 2000 for picture in pictures)
        await page.emulate_media(color_scheme="dark")
        async with asyncio.timeout(10):
            while await page.locator("#chart-funnel canvas").evaluate("canvas => canvas.toDataURL()") == pictures[0]:
                await asyncio.sleep(0.05)
    await context.close()
