"""Shoppers in a real Chromium with the real snippet: they click, the snippet reports. Their fate is drawn like everybody's."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from playwright.async_api import Browser, Page, Request, async_playwright
from playwright.async_api import Error as BrowserError

from sojourn_demo.shoppers.shopper import Answer, Fate, Shopper
from sojourn_demo.shoppers.walk import Tally
from sojourn_probes.chromium import Choice

PATIENCE_MS = 60_000
LOOKING_MS = 1_500
SENDING_SECONDS = 20.0
AT_ONCE = 2


@dataclass(slots=True)
class BrowserWalkers:
    """Walks shoppers in one Chromium, each in a fresh context, two at a time."""

    choice: Choice
    origin: str
    tally: Tally

    async def walk_all(self, shoppers: Sequence[tuple[Shopper, Fate]]) -> None:
        """Walk all `shoppers`; a browser that fails is a surprise in the tally, never the end of the demo."""
        if not shoppers:
            return
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=self.choice.path,
                    args=[*self.choice.args],
                    chromium_sandbox=False if "--no-sandbox" in self.choice.args else None,
                    handle_sigint=False,
                    handle_sigterm=False,
                )
                try:
                    turns = asyncio.Semaphore(AT_ONCE)
                    async with asyncio.TaskGroup() as group:
                        for shopper, fate in shoppers:
                            group.create_task(self._walk(browser, turns, shopper, fate))
                finally:
                    await browser.close()
        except BrowserError as error:
            self.tally.surprises.append(f"the browser of the shoppers failed: {error.message.splitlines()[0]}")

    async def _walk(self, browser: Browser, turns: asyncio.Semaphore, shopper: Shopper, fate: Fate) -> None:
        async with turns:
            context = await browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
            try:
                cookies = {"shopper": shopper.id, "user": shopper.user, "consent": shopper.consent}
                await context.add_cookies([{"name": name, "value": value, "url": self.origin} for name, value in cookies.items() if value])
                page = await context.new_page()
                page.set_default_timeout(PATIENCE_MS)
                errand = _Clicks(page, self.origin, shopper)
                await errand.run()
                if not await errand.leave():
                    self.tally.lost.append(f"{shopper.id}: its last beacon was not answered within {SENDING_SECONDS:.0f} s")
                if tuple(errand.tries) != fate.tries or errand.bought != (fate.y1 > 0):
                    self.tally.surprises.append(f"{shopper.id}: foreseen {fate.tries} and {fate.y1}, seen {tuple(errand.tries)} and bought={errand.bought}")
                self.tally.hit += any(errand.tries)
                self.tally.orders += errand.bought
            except BrowserError as error:
                self.tally.surprises.append(f"{shopper.id}: {error.message.splitlines()[0]}")
            finally:
                self.tally.gone += 1
                await context.close()


class _Clicks:
    """One shopper's clicks. `tries` holds True for each failed try to pay."""

    def __init__(self, page: Page, origin: str, shopper: Shopper) -> None:
        self.page, self.origin, self.shopper = page, origin, shopper
        self.tries: list[bool] = []
        self.bought = False
        self._sending: set[Request] = set()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        page.on("request", self._began)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    async def run(self) -> None:
        """Walk from the first page to the last."""
        shopper, page = self.shopper, self.page
        await page.goto(f"{self.origin}/")
        await page.locator(f'[data-product="{shopper.product}"]').click()
        await page.get_by_label("Quantity").fill(str(shopper.quantity))
        await page.get_by_role("button", name="Add to cart").click()
        through = await self._arrive_by("Go to checkout")
        if through and shopper.second_thoughts:
            await page.goto(f"{self.origin}/cart")
            through = await self._arrive_by("Go to checkout")
        for _ in range(shopper.reloads):
            if through:
                break
            through = await self._arrive_by("Try again")
        if not through and shopper.returns_after is not None:
            await asyncio.sleep(shopper.returns_after)
            await page.goto(f"{self.origin}/cart")
            through = await self._arrive_by("Go to checkout")
        if through and shopper.converts and not (any(self.tries) and shopper.put_off):
            await page.get_by_role("button", name="Pay now").click()
            await page.get_by_role("heading", name="Thank you").wait_for()
            self.bought = True
            await self._answer(shopper.answer_if_hit if any(self.tries) else shopper.answer_if_not)

    async def leave(self) -> bool:
        """Look at the last page until the snippet has sent what it holds and that is answered, then go. False when it was not answered in time."""
        # What a page sends while it is unloaded nobody can wait for, and a context that is closed takes it along. In the page's own
        # time, so that the snippet's timer, which was set before, has run however slow the machine is.
        await self.page.evaluate(f"new Promise((done) => setTimeout(done, {LOOKING_MS}))")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_sent.wait(), SENDING_SECONDS)
        answered = self._all_sent.is_set()
        await self.page.goto("about:blank")
        return answered

    async def _arrive_by(self, link: str) -> bool:
        async with self.page.expect_response(lambda answer: answer.url.endswith("/payments")) as answer:
            await self.page.get_by_role("link", name=link).click()
        status = (await answer.value).status
        self.tries.append(status >= 500)
        if status == 201:
            await self.page.get_by_role("button", name="Pay now").wait_for()
        else:
            await self.page.get_by_role("link", name="Try again").wait_for()
        return status == 201

    async def _answer(self, answer: Answer | None) -> None:
        if answer is None:
            return
        await self.page.locator(f'.scale input[value="{answer.value}"]').check(force=True)
        await self.page.get_by_label("Would you like to say why?").fill(answer.comment)
        await self.page.get_by_role("button", name="Send").click()
        await self.page.get_by_text("Thank you, that helps.").wait_for()

    def _began(self, request: Request) -> None:
        if request.url.endswith("/v1/beacons"):
            self._sending.add(request)
            self._all_sent.clear()

    def _ended(self, request: Request) -> None:
        self._sending.discard(request)
        if not self._sending:
            self._all_sent.set()
