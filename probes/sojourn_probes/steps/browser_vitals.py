"""Web vitals of one step, measured in our own pages by a script that is there before theirs.

A step owns what happens in it: LCP, FCP and TTFB of a page that was opened in it, LCP and FCP of a soft navigation (an address
changed by the page itself after a click or a key), and INP and CLS of its own interactions and shifts, on whichever pages they were.
"""

import json
from typing import Any, Final

from sojourn_probes.steps.browser_aside import Aside

BINDING: Final = "__sojournLeaving"
"""What a page calls with its INP and CLS when it is left in the middle of a step."""

NAMES: Final = ("lcp", "fcp", "ttfb", "inp", "cls")
"""The vitals there are."""

MAX_TEXT: Final = 200_000
"""Characters of the page's text that expectations see."""

SCRIPT: Final = """
(() => {
  const KEPT = 2000;
  const shifts = [], inputs = new Map(), lcps = [], softs = [], inner = [], slow = [], told = new Set();
  const watch = (type, take, more) => {
    // Chromium warns in the console about a type it does not know; the console is the site's.
    if (!PerformanceObserver.supportedEntryTypes.includes(type)) return () => {};
    try {
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(take));
      observer.observe({type, buffered: true, ...more});
      return () => observer.takeRecords().forEach(take);
    } catch { return () => {}; }
  };
  const keep = (list, item) => { if (list.length < KEPT) list.push(item); else list[KEPT - 1] = item; };
  const late = [
    watch('largest-contentful-paint', (entry) => keep(lcps, entry.startTime)),
    watch('layout-shift', (entry) => { if (!entry.hadRecentInput) keep(shifts, {at: entry.startTime, value: entry.value}); }),
    watch('event', (entry) => {
      if (told.size < KEPT) told.add(Math.round(entry.startTime));
      if (!entry.interactionId) return;
      const known = inputs.get(entry.interactionId);
      if (known) known.took = Math.max(known.took, entry.duration);
      else if (inputs.size < KEPT) inputs.set(entry.interactionId, {at: entry.startTime, took: entry.duration});
    }, {durationThreshold: 16}),
    watch('soft-navigation', (entry) => keep(softs, {id: entry.navigationId, at: entry.startTime, painted: entry.presentationTime || entry.paintTime || 0})),
    watch('interaction-contentful-paint', (entry) => {
      const paint = entry.largestContentfulPaint;
      keep(inner, {id: entry.navigationId, at: paint ? paint.startTime : entry.startTime + entry.duration});
    }),
  ];
  // A browser under load tells of an event some frames late. That one is to come is known from how long it took until the next frame.
  for (const type of ['pointerdown', 'pointerup', 'click', 'keydown', 'keyup']) {
    addEventListener(type, (event) => {
      if (event.isTrusted) requestAnimationFrame(() => { if (performance.now() - event.timeStamp > 32) keep(slow, event.timeStamp); });
    }, {capture: true, passive: true});
  }
  let since = 0;
  const address = () => location.origin + location.pathname + location.search;
  let counted = 0, here = address();
  const start = () => since - performance.timeOrigin;
  // Definitions as in web-vitals: a session window of shifts has gaps under 1 s and lasts 5 s at most; the worst counts.
  const cls = (from) => {
    let worst = 0, window = null;
    for (const {at, value} of shifts) {
      if (at < from) continue;
      if (window && at - window.end < 1000 && at - window.start < 5000) { window.value += value; window.end = at; }
      else window = {start: at, end: at, value};
      worst = Math.max(worst, window.value);
    }
    return worst;
  };
  // Of many interactions one in fifty may be bad luck. Those too quick to be told (under 16 ms) count as half of that.
  const inp = (from) => {
    const took = [...inputs.values()].filter((input) => input.at >= from).map((input) => input.took).sort((a, b) => b - a);
    const quick = (performance.interactionCount || 0) > counted ? 8 : undefined;
    return took.length ? took[Math.min(took.length - 1, Math.floor(took.length / 50))] : quick;
  };
  const step = () => {
    late.forEach((look) => look());
    const from = start(), vitals = {cls: cls(from)}, interaction = inp(from);
    if (interaction !== undefined) vitals.inp = interaction;
    return {from, vitals};
  };
  globalThis.sojournVitals = () => {
    const {from, vitals} = step();
    if (from <= 5) {
      const [navigation] = performance.getEntriesByType('navigation');
      const [paint] = performance.getEntriesByName('first-contentful-paint');
      if (navigation && navigation.responseStart > 0) vitals.ttfb = navigation.responseStart;
      if (paint) vitals.fcp = paint.startTime;
      if (lcps.length) vitals.lcp = lcps[lcps.length - 1];
    }
    const soft = softs.filter((one) => one.at >= from).pop();
    if (soft) {
      delete vitals.ttfb;
      if (soft.painted) vitals.fcp = soft.painted - soft.at;
      const paints = inner.filter((one) => one.id === soft.id && one.at >= soft.at);
      if (paints.length) vitals.lcp = paints[paints.length - 1].at - soft.at;
      else if (soft.painted) vitals.lcp = soft.painted - soft.at;
    }
    return vitals;
  };
  globalThis.sojournBegin = (at) => {
    since = at;
    late.forEach((look) => look());
    counted = performance.interactionCount || 0;
    here = address();
    told.clear();
    slow.length = 0;
  };
  // A soft navigation is told after its first paint, so one that can be seen from the address is waited for.
  const pending = () => address() !== here && (performance.interactionCount || 0) > counted && !softs.some((one) => one.at >= start());
  const untold = () => slow.some((at) => at >= start() && ![-1, 0, 1].some((off) => told.has(Math.round(at) + off)));
  globalThis.sojournPending = () => { late.forEach((look) => look()); return pending() || untold(); };
  globalThis.sojournSettled = () => {
    late.forEach((look) => look());
    const [navigation] = performance.getEntriesByType('navigation');
    const loaded = navigation && navigation.loadEventEnd > 0 && performance.now() - navigation.loadEventEnd > 20;
    const from = start(), told = [...inputs.values()].filter((input) => input.at >= from).length;
    return Boolean(loaded && lcps.length && !pending() && (performance.interactionCount || 0) - counted <= told);
  };
  // By the time of `pagehide` DevTools listens to the next page already.
  addEventListener('beforeunload', () => { if (globalThis.BINDING) globalThis.BINDING(JSON.stringify(step().vitals)); }, true);
})();
""".replace("BINDING", BINDING)
"""Collects what is needed; `sojournBegin(at)` begins a step on a page that is open, `sojournVitals()` gives its vitals."""

_PAINTED: Final = """(most) => new Promise((done) => {
  const text = () => (document.body ? document.body.innerText : '').slice(0, most);
  const give = () => done({vitals: globalThis.sojournVitals ? sojournVitals() : null, title: document.title, text: text()});
  // Nothing more is to come when nothing was touched and the last paint of loading is over.
  if (!globalThis.sojournVitals || sojournSettled()) { give(); return; }
  setTimeout(give, 1000);
  const look = () => (sojournPending() ? setTimeout(look, 20) : give());
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(look)));
})"""


class Vitals:
    """The vitals of one step: those of the page on show, and of pages left on the way the worst INP and CLS."""

    def __init__(self) -> None:
        self._left: dict[str, float] = {}

    def begin(self) -> None:
        """A new step begins; what was before is not its own."""
        self._left = {}

    def leaving(self, event: dict[str, Any]) -> None:
        """A page is being left (`Runtime.bindingCalled`). What it says is its own word: only two small numbers are taken from it."""
        if event.get("name") != BINDING or len(event.get("payload", "")) > 500:
            return
        try:
            said = json.loads(event["payload"])
        except ValueError:
            return
        for name in ("inp", "cls"):
            value = said.get(name) if isinstance(said, dict) else None
            if isinstance(value, int | float) and 0 <= value < 1e7:
                self._left[name] = max(float(value), self._left.get(name, 0.0))

    async def read(self, aside: Aside) -> tuple[dict[str, float], dict[str, str]]:
        """Vitals in milliseconds (cls a bare number), once the page has painted what it has; and its title and text, in the same question."""
        seen = await aside.ask(f"({_PAINTED})({MAX_TEXT})")
        here, facts = seen["vitals"], {name: str(seen[name]) for name in ("title", "text")}
        if not isinstance(here, dict):
            return dict(self._left), facts
        found = {name: float(here[name]) for name in NAMES if name in here}
        return found | {name: max(value, found.get(name, 0.0)) for name, value in self._left.items()}, facts
