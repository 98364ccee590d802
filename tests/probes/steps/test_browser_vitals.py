"""Web vitals of a step: each measured where it belongs, in a real Chromium with real clicks."""

import pytest

from tests.probes.site import Answer, Asked
from tests.probes.steps.browser_site import page
from tests.probes.steps.browsing import Warm, journey
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

APP = """<h1>Home</h1><button id=busy>Work</button><button id=go>Go</button><button id=shift>Shift</button><a href=/next id=leave>Leave</a>
<div id=gap></div><div id=main style="min-height:300px;background:#def">content that moves</div>
<script>
const block = (ms) => { const t = performance.now(); while (performance.now() - t < ms); };
busy.onclick = () => { block(150); busy.textContent = 'Worked'; };
leave.onclick = () => block(150);
shift.onclick = () => setTimeout(() => { gap.style.height = '200px'; main.textContent = 'moved'; }, 700);
go.onclick = async () => {
  await new Promise((done) => setTimeout(done, 200));
  history.pushState({}, '', '/two');
  main.innerHTML = '<h2>Second page</h2><p>' + 'words '.repeat(400);
};
</script>"""


PAINT = "evaluate: new Promise((done) => setTimeout(done, 400))"


SOFT = "evaluate: {js: PerformanceObserver.supportedEntryTypes.includes('soft-navigation'), equals: true}"


async def app(asked: Asked) -> Answer:
    return page("Next", "<h1>Next</h1>") if asked.target == "/next" else page("App", APP)


def steps(url: str, *more: list[str]) -> str:
    text = journey(url, "goto: /", "expect: Home")
    for number, actions in enumerate(more):
        text += f"  - id: s{number}\n    browser:" + "".join(f"\n      - {action}" for action in actions) + "\n"
    return text


async def test_a_page_that_is_opened_has_paints_and_a_first_byte(warm: Warm):
    """LCP, FCP, TTFB and CLS belong to the step that opened the page; without a click there is no INP."""
    async with warm(app) as (served, tools):
        (attempt,) = (await walk(steps(served.url), tools=tools)).attempts
    assert set(attempt.steps[0].vitals) == {"lcp", "fcp", "ttfb", "cls"}


async def test_inp_and_cls_belong_to_the_step_in_which_they_happened(warm: Warm):
    """A slow click is the INP of its step alone, a shift the CLS of its step alone; paints stay with the step that opened the page."""
    async with warm(app) as (served, tools):
        text = steps(served.url, ["click: Work", "expect: Worked"], ["click: Shift", "expect: moved"], ["hover: Home"])
        (attempt,) = (await walk(text, tools=tools)).attempts
    opened, worked, shifted, still = (step.vitals for step in attempt.steps)
    assert attempt.failure is None
    assert worked["inp"] >= 100
    assert set(worked) == {"inp", "cls"}
    assert (worked["cls"], still["cls"]) == (0, 0)
    assert shifted["cls"] > 0.01
    assert shifted["inp"] < worked["inp"]
    assert set(still) == {"cls"}
    assert "lcp" in opened


async def test_a_soft_navigation_has_its_own_paints(warm: Warm):
    """When a click makes the page change its address and its content, LCP and FCP count from the click; a browser too old to tell gives none."""
    async with warm(app) as (served, tools):
        text = steps(served.url, ["click: Go", "expect: Second page", "expect: {url: /two}"], [SOFT])
        (attempt,) = (await walk(text, tools=tools)).attempts
    vitals = attempt.steps[1].vitals
    assert "ttfb" not in vitals
    if attempt.steps[2].failure is None:
        assert vitals["lcp"] >= vitals["fcp"] >= 200
    else:
        assert not {"lcp", "fcp"} & set(vitals)


async def test_a_page_left_within_a_step_still_gives_its_inp(warm: Warm):
    """The click that leads away counts, although its page is gone; paints are those of the page arrived at."""
    async with warm(app) as (served, tools):
        (attempt,) = (await walk(steps(served.url, ["click: Work", "expect: Worked", PAINT, "goto: /next", "expect: Next"]), tools=tools)).attempts
    vitals = attempt.steps[1].vitals
    assert vitals["inp"] >= 100
    assert {"lcp", "fcp", "ttfb"} <= set(vitals)
