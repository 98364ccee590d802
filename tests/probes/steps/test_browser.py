"""Browser steps in a real Chromium against a real little shop."""

import asyncio

import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Answer, Asked, answer, site
from tests.probes.steps.browser_site import page, shop, started_by_us
from tests.probes.steps.browsing import Warm, journey, only_failure
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


PAYING = ('fill: {label: Card number, value: "${secrets.card}"}', "select: {label: Country, option: France}", "check: I agree", "click: Pay")
SECRET = {"SOJOURN_SECRET_CARD": "4111-hidden"}


async def test_a_step_does_its_actions_and_gives_facts_exchanges_and_vitals(warm: Warm):
    """Actions reach the page; url, title, text and vitals can be expected; requests are recorded with their phases."""
    async with warm() as (served, tools):
        expect = "    expect: [title == 'Cart', text contains 'Thank you', url contains '/cart', lcp < 20s, cls < 0.5]\n"
        result = await walk(journey(served.url, "goto: /cart", *PAYING, "expect: Thank you", more=expect), environ=SECRET, tools=tools)
    assert (result.outcome, result.failure) == (Outcome.PASSED, None)
    (step,) = result.attempts[0].steps
    assert [(exchange.method, exchange.url, exchange.status) for exchange in step.exchanges] == [
        ("GET", f"{served.url}/cart", 200),
        ("POST", f"{served.url}/payments", 201),
    ]
    assert {"send", "wait", "receive"} <= set(step.exchanges[0].phases)
    assert {"lcp", "fcp", "cls", "ttfb"} <= set(step.vitals)
    assert step.vitals["lcp"] >= step.vitals["fcp"] > 1  # milliseconds
    assert next(asked.body for asked in served.asked if asked.target == "/payments") == b"frtrue"
    assert step.console == ("error: paid with [redacted]",)
    assert step.evidence == {}


@pytest.mark.parametrize(("silence", "whole"), [(0.2, True), (20.0, False)])
async def test_an_answer_whose_end_comes_late_belongs_to_the_step_all_the_same(warm: Warm, silence: float, whole: bool):
    """The page thanks at the answer's head: the step waits a little for the end, and records an endless answer as far as it came."""

    async def slow_end(asked: Asked) -> Answer:
        if asked.target == "/payments":
            return [b"HTTP/1.1 201 Said\r\ncontent-length: 4\r\n\r\nab", silence, b"cd"]
        return await shop(asked)

    async with warm(slow_end) as (served, tools):
        result = await walk(journey(served.url, "goto: /cart", *PAYING, "expect: Thank you"), environ=SECRET, tools=tools)
    assert result.outcome == Outcome.PASSED
    paid = result.attempts[0].steps[0].exchanges[-1]
    assert (paid.method, paid.status, paid.body_size is not None) == ("POST", 201, whole)


async def test_headers_go_to_own_origins_only_redirects_included(warm: Warm):
    """Own origins get our trace and the mark; a stranger gets neither, not even when one of our pages redirects to it."""

    async def stranger(asked: Asked) -> Answer:
        return answer(200, "ok", content_type="text/html", access_control_allow_origin="*")

    async with site(stranger) as other:

        async def own(asked: Asked) -> Answer:
            if asked.target == "/away":
                return answer(302, location=f"{other.url}/landed")
            return page("Home", f"<img src={other.url}/picture><script>fetch('{other.url}/api').then(() => document.body.append('all done'))</script>")

        async with warm(own) as (served, tools):
            steps = journey(served.url, "goto: /", "expect: all done", "goto: /away", "expect: ok")
            result = await walk(steps, tools=tools, mark=lambda run: "the.mark")
    assert result.failure is None
    spans = {exchange.url: exchange.span_id for exchange in result.attempts[0].steps[0].exchanges}
    first = served.asked[0]
    assert first.headers["traceparent"] == f"00-{result.trace_id}-{spans[f'{served.url}/']}-01"
    assert {asked.headers.get("x-sojourn-probe") for asked in served.asked} == {"the.mark"}
    assert {"/picture", "/api", "/landed"} <= {asked.target for asked in other.asked}
    assert not [asked.target for asked in other.asked if {"x-sojourn-probe", "traceparent"} & set(asked.headers)]


async def test_the_page_knows_the_probe_and_keeps_its_own_traceparent(warm: Warm):
    """`window.__sojourn` has mark and traceparent of the step before any script runs; a traceparent of the page's own is left alone."""
    mine = f"00-{'d' * 32}-{'e' * 16}-01"
    body = f"<p id=said></p><script>said.textContent = JSON.stringify(__sojourn); fetch('/payments', {{headers: {{traceparent: '{mine}'}}}})</script>"

    async def own(asked: Asked) -> Answer:
        return page("Home", body)

    async with warm(own) as (served, tools):
        steps = journey(served.url, "goto: /", 'wait_for: {css: "#said"}', more=["    expect: [text exists]\n", ": {said: {json: $.x}}\n"][0])
        result = await walk(steps, tools=tools, mark=lambda run: "the.mark", evidence_folder=None)
        step = result.attempts[0].steps[0]
        said = await walk(journey(served.url, "goto: /", 'expect: "00-"'), tools=tools)
    assert (result.failure, said.failure) == (None, None)
    assert step.span_id not in {exchange.span_id for exchange in step.exchanges}
    assert {asked.headers["traceparent"] for asked in served.asked if asked.target == "/payments"} == {mine}


async def test_cookies_live_as_long_as_the_attempt(warm: Warm):
    """A later step of the attempt has the page and cookies of the earlier one; the next attempt starts clean."""
    steps = "{}  - id: next\n    browser:\n      - expect: Your cart\n      - goto: /nowhere\n"
    async with warm() as (served, tools):
        result = await walk(steps.format(journey(served.url, "goto: /cart", more="").replace("timeout: 30s", "timeout: 30s\nretries: 1")), tools=tools)
    assert len(result.attempts) == 2
    assert only_failure(result) == (FailureKind.STATUS, f"action 2 of 2, goto {served.url}/nowhere: answered 404")
    carts = [(asked.target, asked.headers.get("cookie")) for asked in served.asked if asked.target != "/favicon.ico"]
    assert carts == [("/cart", None), ("/nowhere", "basket=full")] * 2


async def test_a_failure_names_what_the_page_ran_into_and_leaves_evidence_without_secrets(warm, tmp_path):
    """`expect` unmet is kind expectation, with the failing request; screenshot and console are written, the secret in neither."""
    async with warm() as (served, tools):
        steps = journey(served.url, "goto: /broken", *PAYING, "expect: {text: Thank you, timeout: 1s}")
        result = await walk(steps, environ=SECRET, tools=tools, evidence_folder=tmp_path)
    assert only_failure(result) == (
        FailureKind.EXPECTATION,
        "action 6 of 6, expect text 'Thank you': not there after 1.00 s; POST /payments-broken answered 502",
    )
    evidence = result.attempts[0].steps[0].evidence
    assert evidence == {
        "screenshot": f"{result.run_id}-1-buy-screenshot.png",
        "console": f"{result.run_id}-1-buy-console.txt",
        "har": f"{result.run_id}-1-buy-har.har",
        "dom": f"{result.run_id}-1-buy-dom.html",
    }
    assert (tmp_path / evidence["screenshot"]).read_bytes().startswith(b"\x89PNG")
    assert "error: paid with [redacted]\n" in (tmp_path / evidence["console"]).read_text()
    assert not [path for path in tmp_path.iterdir() if b"4111-hidden" in path.read_bytes()]


async def test_secrets_are_black_in_screenshots(warm, tmp_path):
    """The picture of a page is the same whatever the secret in its field and in its text is."""
    pictures = []
    async with warm() as (served, tools):
        for number, secret in enumerate(("aaaaaaaa", "zzzzzzzz")):
            folder = tmp_path / str(number)
            folder.mkdir()
            steps = journey(served.url, "goto: /broken", *PAYING, "expect: Sorry", "click: {css: h1}", "expect: {text: never, timeout: 200ms}")
            result = await walk(steps, environ={"SOJOURN_SECRET_CARD": secret}, tools=tools, evidence_folder=folder)
            pictures.append((folder / result.attempts[0].steps[0].evidence["screenshot"]).read_bytes())
    assert pictures[0] == pictures[1]


FAILURES = [
    (["goto: http://nowhere.invalid/"], FailureKind.DNS, "goto http://nowhere.invalid/: ERR_NAME_NOT_RESOLVED"),
    (["goto: http://127.0.0.1:9/"], FailureKind.CONNECT, "goto http://127.0.0.1:9/: ERR_UNSAFE_PORT"),
    (["goto: URL/nowhere"], FailureKind.STATUS, "goto URL/nowhere: answered 404"),
    (["goto: {url: /nowhere, any_status: true}", "expect: nothing"], FailureKind.EXPECTATION, "expect text 'nothing': not there after 5.00 s"),
    (
        ["goto: /cart", "expect: {text: Your cart, state: hidden, timeout: 300ms}"],
        FailureKind.EXPECTATION,
        "expect text 'Your cart': still there after 300 ms",
    ),
    (["goto: /cart", "wait_for: {url: /done/*, timeout: 300ms}"], FailureKind.TIMEOUT, "wait_for url /done/*: still at URL/cart after 300 ms"),
    (["goto: /cart", "click: {css: p}"], FailureKind.SCRIPT, "click css 'p': there are 2 of it; say which with nth, or name it more exactly"),
    (
        ["goto: /cart", "fill: {label: Card number, value: a}", "expect: {label: Card number, value: b}"],
        FailureKind.EXPECTATION,
        "expect label 'Card number': holds 'a', not 'b'",
    ),
    (["goto: /cart", "press: Nonsense"], FailureKind.SCRIPT, 'press Nonsense: Keyboard.press: Unknown key: "Nonsense"'),
    (["script: missing.py"], FailureKind.CONFIG, "script missing.py: there is no such file in FOLDER"),
]


async def test_failures_have_kind_and_sentence(warm, tmp_path):
    """Each way to fail has its kind, decided by the error's type or code, and one sentence."""
    async with warm() as (served, tools):
        for actions, kind, message in FAILURES:
            steps = journey(served.url, *(action.replace("URL", served.url) for action in actions))
            result = await walk(steps, tools=tools, path=tmp_path / "journey.yaml")
            where = f"action {len(actions)} of {len(actions)}, "
            assert only_failure(result) == (kind, where + message.replace("URL", served.url).replace("FOLDER", str(tmp_path)))


async def test_a_script_is_the_way_out(warm, tmp_path):
    """`script` runs the file's `run` with Playwright's page and the names; its assertion is an expectation, its error kind script."""
    (tmp_path / "good.py").write_text(
        "async def run(page, names):\n    await page.goto(names.fill('${vars.where}'))\n    assert await page.title() == 'Cart'\n"
    )
    (tmp_path / "wrong.py").write_text("async def run(page, names):\n    assert await page.title() == 'Other', 'not the other'\n")
    (tmp_path / "broken.py").write_text("async def run(page, names):\n    return {}['x']\n")
    (tmp_path / "empty.py").write_text("")
    failures = []
    async with warm() as (served, tools):
        for name in ("good", "wrong", "broken", "empty"):
            steps = f"vars: {{where: {served.url}/cart}}\n{journey(served.url, f'script: {name}.py')}"
            result = await walk(steps, tools=tools, path=tmp_path / "journey.yaml")
            failures.append(result.failure and (result.failure.kind, result.failure.message))
    assert failures == [
        None,
        (FailureKind.EXPECTATION, "action 1 of 1, script wrong.py: not the other"),
        (FailureKind.SCRIPT, "action 1 of 1, script broken.py: KeyError: 'x'"),
        (FailureKind.CONFIG, "action 1 of 1, script empty.py: has no async def run(page, names)"),
    ]


async def test_a_deadline_cancels_and_leaves_the_browser_usable(warm: Warm):
    """A page that never comes is a timeout; the same browser then walks on."""
    async with warm() as (served, tools):
        assert (await walk(journey(served.url, "goto: /"), tools=tools)).failure is None
        before = set(started_by_us())
        result = await walk(journey(served.url, "goto: /slow", timeout="2s"), tools=tools)
        assert only_failure(result)[0] is FailureKind.TIMEOUT
        assert (await walk(journey(served.url, "goto: /"), tools=tools)).failure is None
        assert before & set(started_by_us())


async def test_a_page_that_hangs_in_its_script_is_survived(warm: Warm):
    """A page in an endless loop ends its attempt in time and the next attempt gets a page that works."""

    async def own(asked: Asked) -> Answer:
        return page("Home", "Hello" if asked.target == "/" else "<script>setTimeout(() => { for (;;); }, 50)</script><button>Pay</button>")

    async with warm(own) as (served, tools):
        result = await walk(journey(served.url, "goto: /hang", "wait_for: {text: never}", timeout="4s"), tools=tools)
        assert only_failure(result)[0] is FailureKind.TIMEOUT
        assert (await walk(journey(served.url, "goto: /", "expect: Hello"), tools=tools)).failure is None


async def test_runs_side_by_side_do_not_see_each_other(warm: Warm):
    """Two runs at once share the browser and nothing else."""
    async with warm() as (served, tools):
        steps = journey(served.url, "goto: /cart", "goto: /")
        results = await asyncio.gather(*(walk(steps, tools=tools) for _ in range(3)))
    assert [result.failure for result in results] == [None] * 3
    assert [asked.headers.get("cookie") for asked in served.asked if asked.target == "/cart"] == [None] * 3


async def test_a_challenge_is_known_for_what_it_is(warm: Warm):
    """A bot challenge in the browser is `blocked_by_waf` with its provider, whatever the action that ran into it said."""

    async def guarded(asked: Asked) -> Answer:
        return answer(403, "<title>Just a moment...</title>Checking", content_type="text/html", server="cloudflare", cf_mitigated="challenge", cf_ray="8f-FRA")

    async with warm(guarded) as (served, tools):
        result = await walk(journey(served.url, "goto: /"), tools=tools)
        later = await walk(journey(served.url, "goto: {url: /, any_status: true}", "expect: {text: Welcome, timeout: 1s}"), tools=tools)
    for kind, message in (only_failure(result), only_failure(later)):
        assert kind is FailureKind.BLOCKED_BY_WAF
        assert "Cloudflare" in message
