"""What browser steps leave behind: complete, bounded, and without a secret anywhere."""

import base64
import json
import zipfile

import pytest

from sojourn_probes.steps.browser_network import MAX_EXCHANGES
from tests.probes.site import Answer, Asked, answer
from tests.probes.steps.browser_site import page
from tests.probes.steps.browsing import Warm, journey
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CANARY = 'c4nary-"pass' + "'word/+ü"
SESSION = "session-cookie-77aa"
BODY = """<h1>Sign in</h1><form><label>User <input id=user></label><label>Password <input type=password id=pw></label></form><p id=said></p>
<input type=password value=prefilled-literal>
<script>
user.oninput = () => { user.setAttribute('value', user.value); said.textContent = 'typed ' + user.value; console.error('typed ' + user.value); };
fetch('/api?t=' + encodeURIComponent(document.cookie),
  {headers: {authorization: 'Basic ' + ['abc', 'own', 'token'].join('-'), 'x-csrf-token': ['csrf', 9911].join('-')}});
</script>"""
STEPS = ('fill: {label: User, value: "${secrets.pw}"}', 'fill: {label: Password, value: "${secrets.pw}"}', "fill: {css: '#pw', value: typed-literal}")


async def careless(asked: Asked) -> Answer:
    if asked.target.startswith("/api"):
        return answer(500, asked.headers.get("cookie", ""), set_cookie=f"again={SESSION}")
    return answer(
        200, f"<!doctype html><title>x</title><link rel=icon href=data:,><body>{BODY}", content_type="text/html", set_cookie=f"sid={SESSION}; HttpOnly"
    )


def texts(folder) -> dict[str, str]:
    """Every file of the folder as text, those of zip files too."""
    found: dict[str, str] = {}
    for path in folder.iterdir():
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found |= {f"{path.name}:{name}": archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
        else:
            found[path.name] = path.read_bytes().decode("utf-8", "replace")
    return found


async def test_no_evidence_holds_a_secret(warm, tmp_path):
    """Screenshot, HAR, HTML, console and trace of a careless page: no secret in any spelling, no cookie, no authorization, no password."""
    async with warm(careless) as (served, tools):
        text = "defaults: {browser: {evidence: {trace: on_failure}}}\n" + journey(served.url, "goto: /", *STEPS, "expect: {text: never, timeout: 500ms}")
        result = await walk(text, environ={"SOJOURN_SECRET_PW": CANARY}, tools=tools, evidence_folder=tmp_path, mark=lambda run: "mark-4477")
    step = result.attempts[0].steps[0]
    assert set(step.evidence) == {"screenshot", "har", "dom", "console", "trace"}
    assert set(step.evidence.values()) == {path.name for path in tmp_path.iterdir()}
    spellings = [CANARY, json.dumps(CANARY)[1:-1], base64.b64encode(CANARY.encode()).decode(), "c4nary", SESSION, "abc-own-token", "csrf-9911", "mark-4477"]
    found = texts(tmp_path)
    assert [(name, word) for name, text in found.items() for word in spellings if word in text] == []
    assert "Sign in" in found[step.evidence["dom"]]
    assert "prefilled-literal" not in found[step.evidence["dom"]]
    assert any("trace.trace" in name for name in found)


async def test_the_har_is_one(warm, tmp_path):
    """The HAR has version, entries with times and statuses, and every needed key of the format."""
    async with warm(careless) as (served, tools):
        result = await walk(journey(served.url, "goto: /", "click: {css: .none}", timeout="6s"), tools=tools, evidence_folder=tmp_path)
    log = json.loads((tmp_path / result.attempts[0].steps[0].evidence["har"]).read_text())["log"]
    assert log["version"] == "1.2"
    assert [(entry["request"]["method"], entry["response"]["status"]) for entry in log["entries"]] == [("GET", 200), ("GET", 500)]
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= set(entry["request"])
        assert {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"} <= set(entry["response"])


async def test_a_step_that_fails_by_what_is_expected_of_it_leaves_evidence_too(warm, tmp_path):
    """Not only an action: an `expect:` of the step that does not hold has the page as it was."""
    async with warm() as (served, tools):
        result = await walk(journey(served.url, "goto: /", more="    expect: [title == Nothing]\n"), tools=tools, evidence_folder=tmp_path)
    assert result.failure is not None
    assert set(result.attempts[0].steps[0].evidence) == {"screenshot", "har", "dom"}


@pytest.mark.parametrize(
    ("wanted", "passing", "failing"),
    [
        ("{screenshot: always}", {"screenshot"}, {"screenshot", "har", "dom"}),
        ("{screenshot: never, har: never, dom: never}", set(), set()),
        ("{trace: always, har: always}", {"trace", "har"}, {"screenshot", "har", "dom", "trace"}),
    ],
)
async def test_the_journey_says_when_evidence_is_kept(warm, wanted, passing, failing, tmp_path):
    """`evidence` chooses what is kept and when; a step after a traced one has a trace of its own."""
    async with warm() as (served, tools):
        text = f"defaults: {{browser: {{evidence: {wanted}}}}}\n" + journey(served.url, "goto: /") + "  - id: next\n    browser: [{goto: /nowhere}]\n"
        result = await walk(text, tools=tools, evidence_folder=tmp_path)
    assert [set(step.evidence) - {"console"} for step in result.attempts[0].steps] == [passing, failing]


async def test_many_requests_are_kept_within_bounds_the_failed_and_the_slow_first(warm: Warm):
    """Of more requests than are kept, every failed one and the slowest stay, and how many are missing is said."""

    async def busy(asked: Asked) -> Answer:
        if asked.target.startswith("/n/"):
            number = int(asked.target.rpartition("/")[2])
            return answer(200) if number % 10 else answer(503)
        calls = "Promise.all([...Array(100).keys()].map((n) => fetch('/n/' + n))).then(() => document.body.append('all done'))"
        return page("Busy", f"<img src=/n/1><script>{calls}</script>")

    async with warm(busy) as (served, tools):
        result = await walk(journey(served.url, "goto: /", "expect: {text: all done, timeout: 20s}", more="    expect: [requests == 102]\n"), tools=tools)
    assert result.failure is None
    step = result.attempts[0].steps[0]
    assert len(step.exchanges) == MAX_EXCHANGES
    assert sum(exchange.status == 503 for exchange in step.exchanges) == 10
    assert step.note == f"{101 - MAX_EXCHANGES} of 102 requests are not kept: the step made more than {MAX_EXCHANGES} that matter"


async def test_a_folder_that_is_not_there_is_made(warm, tmp_path):
    """The first failed step of a new host leaves its evidence as every later one does."""
    async with warm(careless) as (served, tools):
        text = journey(served.url, "goto: /", "expect: {text: never, timeout: 300ms}")
        result = await walk(text, tools=tools, evidence_folder=tmp_path / "not/there")
    step = result.attempts[0].steps[0]
    assert set(step.evidence) >= {"screenshot", "har", "dom"}
    assert set(step.evidence.values()) == {path.name for path in (tmp_path / "not/there").iterdir()}


async def test_a_folder_that_cannot_be_written_changes_no_verdict(warm, tmp_path, caplog):
    """The step fails for its own reason, without evidence; that it could not be kept is said."""
    (tmp_path / "file").write_text("no folder")
    async with warm(careless) as (served, tools):
        text = journey(served.url, "goto: /", "expect: {text: never, timeout: 300ms}")
        result = await walk(text, tools=tools, evidence_folder=tmp_path / "file")
    step = result.attempts[0].steps[0]
    assert step.failure is not None
    assert (str(step.failure.kind), step.evidence) == ("expectation", {})
    assert f"the screenshot of a failed step could not be kept in {tmp_path}/file: File exists" in caplog.text
