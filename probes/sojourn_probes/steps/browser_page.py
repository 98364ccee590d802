"""One attempt's browser: its context and page, which live from the first browser step of the attempt to the attempt's end."""

import json
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_network import Network
from sojourn_probes.steps.browser_pool import BrowserPool
from sojourn_probes.steps.http_run import user_agent

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page

MAX_CONSOLE: Final = 50
_VIEWPORT: Final = {"width": 1280, "height": 800}

_VITALS: Final = """
(() => {
  const seen = {lcp: 0, cls: 0, inp: 0};
  const shifts = [];
  const watch = (type, take, more) => {
    try {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
      observer.observe({type, buffered: true, ...more});
      return () => observer.takeRecords().forEach(take);
    } catch { return () => {}; }
  };
  // Definitions as in web-vitals: a session window of shifts has gaps under 1 s and lasts 5 s at most; the worst counts.
  const late = [
    watch('largest-contentful-paint', (entry) => { seen.lcp = entry.startTime; }),
    watch('layout-shift', (entry) => {
      if (entry.hadRecentInput) return;
      const last = shifts[shifts.length - 1];
      if (last && entry.startTime - last.end < 1000 && entry.startTime - last.start < 5000) { last.value += entry.value; last.end = entry.startTime; }
      else shifts.push({start: entry.startTime, end: entry.startTime, value: entry.value});
    }),
    watch('event', (entry) => { if (entry.interactionId) seen.inp = Math.max(seen.inp, entry.duration); }, {durationThreshold: 16}),
  ];
  Object.defineProperty(window, '__sojourn_vitals', {value: () => {
    late.forEach((look) => look());
    const [navigation] = performance.getEntriesByType('navigation');
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    const vitals = {cls: Math.max(0, ...shifts.map((shift) => shift.value))};
    if (navigation && navigation.responseStart > 0) vitals.ttfb = navigation.responseStart;
    if (paint) vitals.fcp = paint.startTime;
    if (seen.lcp) vitals.lcp = seen.lcp;
    if (seen.inp) vitals.inp = seen.inp;
    return {origin: performance.timeOrigin, vitals};
  }});
})();
"""
"""Collects web vitals in our own pages; read once at the end of a step."""

_PAINTED: Final = """() => new Promise((done) => {
  const give = () => done(window.__sojourn_vitals ? window.__sojourn_vitals() : null);
  setTimeout(give, 300);
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(give)));
})"""


@dataclass(slots=True)
class Walk:
    """The browser of one attempt."""

    context: "BrowserContext"
    page: "Page"
    network: Network
    console: list[str] = field(default_factory=list)
    secret_fields: list["Locator"] = field(default_factory=list)

    async def begin(self, step: StepContext, console: list[str], exchanges: list[Any]) -> None:
        """From now on what happens belongs to `step`."""
        self.console = console
        self.network.begin(step, exchanges)
        known = {"traceparent": f"00-{step.trace_id}-{step.span_id}-01"} | ({"probe": step.mark} if step.mark is not None else {})
        # Only our own pages get to know: a mark is proof of being a probe.
        own = f"if ({json.dumps(list(step.own_origins))}.includes(location.origin))"
        await self.context.add_init_script(f"{own} window.__sojourn = {json.dumps(known)};")
        await self.page.evaluate(f"() => {{ {own} window.__sojourn = {json.dumps(known)}; }}")

    async def vitals(self, since_ns: int) -> dict[str, float]:
        """Vitals of the page on show, in milliseconds (cls a bare number), if it was opened after `since_ns`; else none."""
        read = await self.page.evaluate(_PAINTED)
        if not read or read["origin"] * 1e6 < since_ns - 5e6:
            return {}
        return {name: float(value) for name, value in read["vitals"].items()}

    def heard(self, message: "ConsoleMessage") -> None:
        """Keep a line of the console that complains."""
        if message.type in ("error", "warning") and len(self.console) < MAX_CONSOLE:
            self.console.append(f"{message.type}: {message.text[:500]}")

    def thrown(self, fault: Any) -> None:
        """Keep an error of the page's own script."""
        if len(self.console) < MAX_CONSOLE:
            self.console.append(f"uncaught: {str(fault)[:500]}")


async def walk_of(step: StepContext) -> Walk:
    """The attempt's browser, opened when its first browser step comes. Raises `BrowserMissing` and Playwright's `Error`."""
    kept = step.kept.get("browser")
    if isinstance(kept, Walk) and not kept.page.is_closed():
        return kept
    pool = _pool_of(step)
    async with AsyncExitStack() as opening:
        context = await opening.enter_async_context(pool.context(viewport=_VIEWPORT, service_workers="block", product=user_agent()))
        walk = Walk(context, await context.new_page(), Network(step))
        await context.add_init_script(f"if ({json.dumps(list(step.own_origins))}.includes(location.origin)) {{ {_VITALS} }}")
        await walk.network.attach(await context.new_cdp_session(walk.page))
        context.on("page", lambda page: walk.network.spawn(_watch(walk, page)))
        walk.page.on("console", lambda message: walk.heard(message))
        walk.page.on("pageerror", lambda fault: walk.thrown(fault))
        step.kept["browser"] = walk
        step.stack.push_async_callback(opening.pop_all().aclose)
        step.stack.push_async_callback(walk.network.settle)
    return walk


def _pool_of(step: StepContext) -> BrowserPool:
    pool = step.tools.get("browser")
    if not isinstance(pool, BrowserPool):
        pool = step.tools["browser"] = BrowserPool()
        # The command line closes its tools by this stack, the agent closes each tool itself.
        if isinstance(stack := step.tools.get("stack"), AsyncExitStack):
            stack.push_async_callback(pool.aclose)
    return pool


async def _watch(walk: Walk, page: "Page") -> None:
    """A window the page opened. Its very first request may be under way already and then goes without our headers."""
    from playwright.async_api import Error

    with suppress(Error):
        await walk.network.attach(await walk.context.new_cdp_session(page))
