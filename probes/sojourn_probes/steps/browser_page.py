"""One attempt's browser: its context and tabs, which live from the first browser step of the attempt to the attempt's end."""

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_aside import Aside, again
from sojourn_probes.steps.browser_cookies import Cookies
from sojourn_probes.steps.browser_gate import Gate, Rules
from sojourn_probes.steps.browser_network import Network
from sojourn_probes.steps.browser_options import options_for, pool_of
from sojourn_probes.steps.browser_settings import BrowserDefaults
from sojourn_probes.steps.browser_sign_in import signer, token_header
from sojourn_probes.steps.browser_vitals import BINDING, SCRIPT, Vitals
from sojourn_probes.steps.http_request import user_agent

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Download, Locator, Page

MAX_CONSOLE: Final = 50
_LINE: Final = 10_000
MAX_TABS: Final = 20
"""Tabs open at once; a page that opens more of them has them closed again."""


@dataclass(slots=True)
class Walk:
    """The browser of one attempt. `page` is the tab on show."""

    context: "BrowserContext"
    page: "Page"
    network: Network
    settings: BrowserDefaults
    cookies: Cookies
    private: str
    vitals: Vitals = field(default_factory=Vitals)
    console: list[str] = field(default_factory=list)
    secret_fields: list["Locator"] = field(default_factory=list)
    tracing: bool = False
    taking: bool = False
    received: float = 0.0
    crashed: set["Page"] = field(default_factory=set)
    _opened_from: dict["Page", "Page"] = field(default_factory=dict)
    _asides: dict["Page", Aside] = field(default_factory=dict)
    _equipping: dict["Page", "asyncio.Task[None]"] = field(default_factory=dict)

    async def begin(self, step: StepContext, console: list[str], exchanges: list[Any]) -> None:
        """From now on what happens belongs to `step`."""
        self.console = console
        self.network.begin(step, exchanges)
        self.vitals.begin()
        known = {"traceparent": f"00-{step.trace_id}-{step.span_id}-01"} | ({"probe": step.mark} if step.mark is not None else {})
        now = step.clock.now_ns() / 1e6
        # Only our own pages get to know: a mark is proof of being a probe.
        own = f"if ({json.dumps(list(step.own_origins))}.includes(location.origin))"
        tell = f"{own} {{ window.__sojourn = {json.dumps(known)}; }}"
        later = self.context.add_init_script(tell)
        # An empty tab is nobody's page, and asking it anything costs its first script context.
        await (later if self.page.url == "about:blank" else asyncio.gather(later, self._begin_here(f"() => {{ {tell} }}", now)))
        if self.settings.evidence.trace != "never":
            if self.tracing:
                await self.context.tracing.stop_chunk()
            await self.context.tracing.start_chunk()
            self.tracing = True
        await self.cookies.give(self.context)

    async def _begin_here(self, tell: str, now: float) -> None:
        page = self.page
        await asyncio.gather(
            again(page, lambda: page.evaluate(tell)),
            *([aside.ask(f"globalThis.sojournBegin && sojournBegin({now})")] if (aside := self.aside(page)) else []),
        )

    def aside(self, page: "Page") -> Aside | None:
        """Our world beside `page`; None while it is not watched."""
        return self._asides.get(page)

    def show(self, page: "Page", opened_from: "Page | None" = None) -> None:
        """Go on in the tab `page`."""
        self.page = page
        if opened_from is not None:
            self._opened_from[page] = opened_from

    async def close_tab(self) -> None:
        """End the tab on show and go on where it was opened, or in the last one left."""
        closing = self.page
        left = [page for page in self.context.pages if page is not closing]
        before = self._opened_from.get(closing)
        self.page = before if before in left else left[-1] if left else closing
        await closing.close()

    def alive(self) -> bool:
        """Whether the browser is still there."""
        browser = self.context.browser
        return browser is not None and browser.is_connected()

    def attend(self, page: "Page") -> None:
        """A tab has opened: watch it, or close it where there are too many.

        Its very first request may be under way already and then goes without our headers.
        """
        if len(self.context.pages) > MAX_TABS:
            self.network.spawn(_close(page))
            return
        page.on("console", lambda message: self.heard(message))
        page.on("crash", lambda page: self.crashed.add(page))
        page.on("download", lambda download: None if self.taking else self.network.spawn(_cancel(download)))
        page.on("pageerror", lambda fault: self.thrown(fault))
        if self.settings.dialogs == "accept":
            page.on("dialog", lambda dialog: self.network.spawn(_accept(dialog)))
        self._equipping[page] = asyncio.get_running_loop().create_task(self._equip(page))
        page.once("close", lambda page: self._forget(page))

    def _forget(self, page: "Page") -> None:
        self._equipping.pop(page, None)
        self._asides.pop(page, None)
        self.crashed.discard(page)

    async def equipped(self, page: "Page") -> None:
        """Wait until `page` is watched."""
        if (task := self._equipping.get(page)) is not None:
            await asyncio.shield(task)

    async def _equip(self, page: "Page") -> None:
        from playwright.async_api import Error

        # A tab may close again at once, which is nobody's fault.
        with suppress(Error):
            cdp = await self.context.new_cdp_session(page)
            cdp.on("Runtime.bindingCalled", lambda event: self.vitals.leaving(event))
            cdp.on("Page.downloadProgress", lambda event: self.receiving(event))
            aside = self._asides[page] = Aside(page, cdp)
            own = f"if (window === top && {json.dumps(list(self.network.context.own_origins))}.includes(location.origin)) {{ {SCRIPT} }}"
            wanted: list[Any] = [self.network.attach(cdp), aside.keep(own, BINDING)]
            if (line := self.settings.network) is not None:
                wanted.append(cdp.send("Network.emulateNetworkConditions", _conditions(line)))
            if self.settings.cpu is not None:
                wanted.append(cdp.send("Emulation.setCPUThrottlingRate", {"rate": self.settings.cpu}))
            await asyncio.gather(*wanted)

    def receiving(self, event: dict[str, Any]) -> None:
        """Some more of a file has come."""
        self.received = max(self.received, float(event.get("receivedBytes", 0)))

    def heard(self, message: "ConsoleMessage") -> None:
        """Keep a line of the console that complains."""
        if message.type in ("error", "warning") and len(self.console) < MAX_CONSOLE:
            self.console.append(f"{message.type}: {self._cut(message.text)}")

    def thrown(self, fault: Any) -> None:
        """Keep an error of the page's own script."""
        if len(self.console) < MAX_CONSOLE:
            self.console.append(f"uncaught: {self._cut(str(fault))}")

    def _cut(self, text: str) -> str:
        # Secrets go first: half of one would not be known for one. No line is looked through without end.
        return self.network.context.redact.text(text[:_LINE])[:500]

    async def settle(self) -> None:
        """Let what is under way finish; for the end."""
        await self.network.settle()
        if self._equipping:
            await asyncio.wait(self._equipping.values(), timeout=1)


def _conditions(line: Any) -> dict[str, Any]:
    """What DevTools takes; -1 is no limit."""
    return {"offline": False, "latency": line.latency * 1000, "downloadThroughput": line.down or -1, "uploadThroughput": line.up or -1}


async def _accept(dialog: "Dialog") -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await dialog.accept()


async def _cancel(download: "Download") -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await download.cancel()


async def _close(page: "Page") -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await page.close()


async def walk_of(step: StepContext, settings: BrowserDefaults) -> Walk:
    """The attempt's browser, opened when its first browser step comes.

    Raises `BrowserMissing`, `Unusable`, `NameMissing` and Playwright's `Error`.
    """
    kept = step.kept.get("browser")
    if isinstance(kept, Walk) and kept.alive():
        if kept.page.is_closed() and kept.context.pages:
            kept.show(kept.context.pages[-1])
        if not kept.page.is_closed():
            return kept
    options, device, trust = options_for(settings, step)
    rules = Rules.of(settings, step.names.fill_text, signer(settings, step))
    if (token := await token_header(settings, step)) is not None:
        rules.headers["authorization"] = token
    async with AsyncExitStack() as opening:
        lent = await opening.enter_async_context(pool_of(step).context(product=user_agent(), device=device, trust=trust, **options))
        context = lent.context
        if settings.permissions:
            for origin in step.own_origins:
                await context.grant_permissions(list(settings.permissions), origin=origin)
        page = await context.new_page()
        walk = Walk(context, page, Network(step, Gate(step, rules)), settings, Cookies(step), lent.private)
        walk.attend(page)
        await walk.equipped(page)
        context.on("page", lambda page: walk.attend(page))
        if settings.evidence.trace != "never":
            await context.tracing.start(snapshots=True)
            walk.tracing = True
        step.kept["browser"] = walk
        step.stack.push_async_callback(opening.pop_all().aclose)
        step.stack.push_async_callback(walk.settle)
    return walk
