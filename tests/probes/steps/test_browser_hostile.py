"""Pages that go on elsewhere, lie about themselves, or open what nobody asked for: what a step says of them is still so."""

import math
import os
import signal
from pathlib import Path

import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Answer, Asked, answer
from tests.probes.steps.browser_site import page, started_by_us
from tests.probes.steps.browsing import Warm, journey, only_failure
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SECRET = "hunter-and-gatherer"
PAGES = {
    "/": "<h1>Home</h1>",
    "/restless": "<h1>Home</h1><script>setTimeout(() => location.reload(), 150 * Math.random())</script>",
    "/gone": "<h1>Home</h1><button onclick=\"location = 'http://127.0.0.1:1/thanks'\">Go</button>",
    "/forger": """<h1>Home</h1><script>
      const lie = () => ({lcp: NaN, fcp: -5, evil: 1e300, cls: true});
      for (const name of ['__sojourn_vitals', 'sojournVitals']) Object.defineProperty(window, name, {value: lie});
      if (window.__sojournLeaving) window.__sojournLeaving('{"inp": 1e6, "cls": 9}');
      window.Promise = function () { return 5; };
      window.PerformanceObserver = performance.getEntriesByType = Array.prototype.filter = JSON.stringify = () => 7;
      Object.prototype.vitals = Object.prototype.value = 3;
    </script>""",
    "/clobbered": "<h1>Home</h1><form name=title></form><form name=body></form>",
    "/take": "<h1>Home</h1><a href=/endless download>Take</a>",
    "/many": "<h1>Home</h1><button onclick=\"for (let i = 0; i < 60; i++) window.open('/')\">Go</button>",
    "/chatty": f"<h1>Home</h1><script>console.error('x'.repeat(490) + '{SECRET}')</script>",
    "/shadow": "<h1>Home</h1><div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = '<p>WORD</p>'</script>",
    "/body": "<h1>Home</h1>WORD",
    "/long": "<h1>Home</h1><p style='font: 3px sans-serif'>" + "lorem ipsum " * 400 + "WORD</p>",
    "/late": "<h1>Home</h1>" + "<i hidden></i>" * 21_000 + "<p>WORD</p>",
    "/anew": "<h1>Home</h1><p id=word></p><script>setInterval(() => { const p = document.createElement('p'); p.id = 'word'; p.textContent = 'WORD';"
    " word.replaceWith(p); }, 1)</script>",
}


async def hostile(asked: Asked) -> Answer:
    if asked.target == "/nothing":
        return answer(204)
    if asked.target == "/endless":
        head = b"HTTP/1.1 200 Ok\r\ncontent-type: application/octet-stream\r\ncontent-disposition: attachment; filename=a.bin\r\n\r\n"
        flood: list[bytes | float] = [b"x" * 200_000, 0.05]
        return [head, *flood * 400]
    if asked.target == "/file":
        return answer(200, "x" * 100, content_type="application/octet-stream", content_disposition="attachment; filename=a.bin")
    path, _, word = asked.target.partition("?")
    return page("T", PAGES[path].replace("WORD", word)) if path in PAGES else answer(404)


async def test_a_page_that_goes_on_while_a_step_ends_or_begins_is_measured_where_it_arrives(warm: Warm):
    """A page that loads itself anew at any moment costs no step its facts, and never counts as a browser that was lost."""
    more = "".join(f"  - id: s{number}\n    browser: [{{wait_for: Home}}]\n    expect: [title == T]\n" for number in range(12))
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: {url: /restless, wait: commit}", more=more, timeout="110s"), tools=tools)
    assert result.failure is None
    assert all("cls" in step.vitals for step in result.attempts[0].steps)


@pytest.mark.parametrize(
    ("actions", "kind", "says"),
    [
        (["goto: /gone", "click: Go", "wait_for: {url: /thanks}"], FailureKind.CONNECT, "action 3 of 3, wait_for: ERR_UNSAFE_PORT"),
        (
            ["goto: /gone", "click: Go", "expect: {text: thanks, timeout: 1s}"],
            FailureKind.CONNECT,
            "the step ended on an error page of the browser: http://127.0.0.1:1/thanks",
        ),
        (["goto: /", "goto: /nothing"], FailureKind.CONTENT, "goto URL/nothing: answered 204 with nothing to show"),
        (["goto: /", "goto: /file"], FailureKind.CONTENT, "goto URL/file: answered 200 with nothing to show"),
    ],
)
async def test_where_a_page_leads_nowhere_the_site_has_failed_and_not_the_browser(warm, actions, kind, says):
    """Links to servers that are not there and answers that are no page fail the run, by what became of them."""
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, *actions, timeout="100s"), tools=tools)
    found, message = only_failure(result)
    assert (result.outcome, found) == (Outcome.FAILED, kind)
    assert says.replace("URL", served.url) in message


async def test_a_frame_that_never_comes_fails_the_run_when_the_step_is_over(warm: Warm):
    """The site has failed, not the browser, by a timeout that names what was to be done in the frame."""
    frame = "  - id: frame\n    timeout: 2s\n    browser: [{frame: {css: iframe, actions: [{scroll: bottom}]}}]\n"
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: /", more=frame, timeout="100s"), tools=tools)
    kind, message = only_failure(result)
    assert (result.outcome, kind) == (Outcome.FAILED, FailureKind.TIMEOUT)
    assert "scroll: not possible in the time the step has" in message


async def test_a_page_cannot_forge_its_vitals(warm: Warm):
    """What a page puts in place of the browser's own functions, or of ours, changes no vital and adds none."""
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: /forger", "goto: /forger"), tools=tools)
    (step,) = result.attempts[0].steps
    assert result.failure is None
    assert {"ttfb", "cls"} <= set(step.vitals) <= {"lcp", "fcp", "ttfb", "cls"}
    assert all(math.isfinite(value) and 0 <= value < 30_000 for value in step.vitals.values())
    assert step.vitals["cls"] < 1


async def test_a_form_called_title_is_not_the_title(warm: Warm):
    """Forms whose names are those of the document's own properties do not stand in for them."""
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: /clobbered", more="    expect: [title == T]\n"), tools=tools)
    assert result.failure is None


async def test_a_page_that_opens_tabs_without_end_is_held_to_twenty(warm, tmp_path):
    """Tabs beyond the twentieth are closed again, but for a few that are just opening, and the step goes on."""
    (tmp_path / "count.py").write_text(
        "import asyncio\nasync def run(page, names):\n    await asyncio.sleep(4)\n    assert len(page.context.pages) < 40, len(page.context.pages)\n"
    )
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: /many", "click: Go", "script: count.py"), tools=tools, path=tmp_path / "journey.yaml")
    assert result.failure is None


async def test_a_secret_at_the_end_of_a_line_is_not_cut_in_half(warm: Warm):
    """A console line is shortened after its secrets are taken out, so that no part of one is left."""
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: '/chatty?${secrets.word}'"), tools=tools, environ={"SOJOURN_SECRET_WORD": SECRET})
    (step,) = result.attempts[0].steps
    assert any("xxx" in line for line in step.console)
    assert "hunter" not in str(step.console)


async def test_a_script_that_exits_fails_its_step_and_nothing_else(warm, tmp_path):
    """`sys.exit()` in an author's script is a failure of the step, not the end of the agent."""
    (tmp_path / "leave.py").write_text("import sys\nasync def run(page, names):\n    sys.exit(3)\n")
    async with warm(hostile) as (served, tools):
        result = await walk(journey(served.url, "goto: /", "script: leave.py"), tools=tools, path=tmp_path / "journey.yaml")
    assert only_failure(result) == (FailureKind.SCRIPT, "action 2 of 2, script leave.py: SystemExit: 3")


@pytest.mark.parametrize("path", ["/shadow", "/body", "/long", "/late", "/anew"])
async def test_no_picture_shows_a_secret_wherever_the_page_puts_it(warm, path, tmp_path):
    """In a shadow root, in the body itself, at the end of a long text, behind many elements, or put there anew: painted over, or no picture at all."""
    pictures = []
    async with warm(hostile) as (served, tools):
        for number, secret in enumerate(("aaaaaaaa", "zzzzzzzz")):
            folder = tmp_path / str(number)
            folder.mkdir()
            text = journey(served.url, f"goto: '{path}?${{secrets.word}}'", "expect: {text: never, timeout: 200ms}")
            await walk(text, environ={"SOJOURN_SECRET_WORD": secret}, tools=tools, evidence_folder=folder)
            pictures.append([found.read_bytes() for found in folder.glob("*.png")])
    assert pictures[0] == pictures[1]
    assert path == "/anew" or pictures[0]


async def test_a_file_that_grows_too_large_is_not_waited_for(warm: Warm):
    """A download without end fails once it is larger than it may be, long before the deadline."""
    async with warm(hostile) as (served, tools):
        taking = "download: {click: {role: link, name: Take}, max_size: 1MB}"
        result = await walk(journey(served.url, "goto: /take", taking, timeout="20s"), tools=tools)
    kind, message = only_failure(result)
    assert kind is FailureKind.EXPECTATION
    assert message.endswith("more than 1.0 MB and not yet all of it")
    assert result.ended_ns - result.started_ns < 15e9


async def test_a_page_that_crashes_is_a_browser_that_was_lost(warm: Warm):
    """When the page's own process ends, the run is inconclusive, and the next one passes in the same browser."""

    async def crashing(asked: Asked) -> Answer:
        if asked.target == "/now":
            for pid in started_by_us():
                if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
        return await hostile(asked)

    async with warm(crashing) as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        waiting = "evaluate: fetch('/now').then(() => new Promise(() => {}))"
        result = await walk(journey(served.url, "goto: /", waiting, timeout="60s"), tools=tools)
        after = await walk(journey(served.url, "goto: /"), tools=tools)
    assert (result.outcome, only_failure(result)[0]) == (Outcome.INCONCLUSIVE, FailureKind.BROWSER)
    assert after.failure is None
