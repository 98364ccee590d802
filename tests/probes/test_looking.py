"""Looking into bodies: JSONPath, XPath, CSS, JSON Schema, patterns; hostile bodies included."""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_agent import telemetry
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.expect import Judgement, judge, takes_time
from sojourn_probes.expectation import COMPARISONS, ExpectationError
from sojourn_probes.expectation_parse import parse
from sojourn_probes.in_time import in_time
from sojourn_probes.json_schema import BadSchema, read_schema
from sojourn_probes.names import Names
from sojourn_probes.output import as_human, as_junit
from sojourn_probes.output.walked import Walked
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import SecretStore
from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Asked, answer, site
from tests.probes.walking import journey, walk

PAGE = """<!doctype html><html><head><title>Shop – cart</title></head><body>
<form><input type=hidden name=csrf value=" a1b2 "></form>
<ul class=results><li>Cup <b>blue</b></li><li>Plate</li><li class="sold out">Bowl</li></ul>
<p class=price>12.50</p><p id=total>3</p><script>var price = "<p class=price>9</p>"</script></body></html>"""

FEED = '<?xml version="1.0" encoding="iso-8859-1"?><feed><entry n="1">Grüße</entry><entry n="2">b</entry></feed>'

STORE = SecretStore({})


def judged(text: str, body: str = PAGE, kind: str = "text/html", folder: Path = Path(), **more: Any) -> Judgement:
    facts = {"body": body, "headers": {"content-type": kind}, "cookies": {"sid": "abc"}, "status": 200, **more}
    return judge(parse(text), facts, Names({"n": 3, "file": "item.json"}, {}, STORE, "r"), Redactor(STORE), folder)


@pytest.mark.parametrize(
    "text",
    [
        "xpath //title == 'Shop – cart'",
        "xpath //ul/li[1] == 'Cup blue'",
        "xpath //li == Plate",
        "xpath //li contains owl",
        "xpath //li matches '^Pl.te$'",
        "xpath //li in [Bowl, Pan]",
        "xpath //li != Pan",
        "xpath //li/@class == 'sold out'",
        "xpath '//input/@value' == ' a1b2 '",
        "xpath count(//li) == 3",
        "xpath 'boolean(//form)' == true",
        "xpath string(//h1) == ''",
        "xpath //h1 not exists",
        "xpath //h1 != anything",
        "xpath //li count == 3",
        "xpath //h1 count == 0",
        "css .results>li count between 2 and 3",
        "css .price > 12",
        "css .price == 12.5",
        "css .price == '12.50'",
        "css .price < 12.6",
        "css '#total' == ${vars.n}",
        "css 'input[name=csrf]::attr(value)' contains a1b2",
        "css 'li.sold, p' contains 12.5",
        "css '.gone' not exists",
        "not css .price between 13 and 20",
        "cookie sid exists",
        "cookie sid == abc",
        "cookie SID not exists",
        "cookie other != x",
    ],
)
def test_what_is_found_in_html(text):
    """Matches count by their text on one line, attributes as they stand; of several one is enough; the negation says the opposite."""
    assert judged(text).holds is True
    assert judged(text.removeprefix("not ") if text.startswith("not ") else f"not {text}").holds is False


def test_xml_is_read_as_xml():
    """By its content type; what is broken has nothing in it, and one with entities of its own is left alone."""
    assert judged("xpath /feed/entry[@n=2] == b", FEED, "application/atom+xml").holds
    assert judged("xpath //entry contains Grüße", FEED, "text/xml; charset=iso-8859-1").holds
    assert judged("xpath //entry exists", "<feed><entry></feed>", "application/xml").holds is False
    bomb = '<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY f SYSTEM "file:///etc/passwd">]><a>&b;&f;</a>'
    assert judged("xpath //a == ''", bomb, "application/xml").holds is None


def test_what_is_seen_is_said():
    """The text found, the list of several, the count, and where nothing is."""
    assert [
        judged(text).actual for text in ("css .price > 20", "css li == x", "css li count > 5", "css h1 == x", "xpath count(//li) > 9", "cookie sid == x")
    ] == [
        "'12.50'",
        '["Cup blue", "Plate", "Bowl"]',
        "3",
        "nothing there",
        "3",
        "[redacted]",
    ]
    assert len(judged("css body == x", "<p>" + "word " * 5000).actual) == 200


def test_names_may_stand_in_paths():
    """They are filled before the path is looked for; what comes of them and is no path is said."""
    assert judged("json $.items[?(@.n == ${vars.n})].name == b", json.dumps({"items": [{"n": 1, "name": "a"}, {"n": 3, "name": "b"}]})).holds
    assert judged("css 'li:nth-child(${vars.n})' contains Bowl").holds
    assert judged("xpath //li[${vars.n}] == Bowl").holds
    with pytest.raises(ExpectationError, match=r"'//item.json\[' is not an XPath: invalid expression"):
        judged("xpath '//${vars.file}[' exists")


def test_json_lists_and_objects_are_compared_whole():
    """A list or an object may be the target; several matches are a list, and can be counted."""
    body = json.dumps({"tags": ["a", "b"], "items": [{"n": 1}, {"n": 2}], "none": None})
    assert judged('json $.tags == ["a", "b"]', body).holds
    assert judged('json $.items contains {"n": 2}', body).holds
    assert judged("json $.items[*] count == 2", body).holds
    assert judged("json $.items[?(@.n > 1)] count == 1", body).holds
    assert judged("json $.items[*].n count > 5", body).actual == "2"
    assert judged("json $.x count == 0", body).holds
    assert judged("json $.x count == 0", "<html>").holds is False


SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["price"],
    "properties": {"price": {"$ref": "#/$defs/price"}, "code": {"pattern": r"^\p{Lu}+$"}},
    "patternProperties": {"^x-": {"type": "string"}},
    "additionalProperties": False,
    "$defs": {"price": {"type": "number"}},
}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"price": 3, "code": "ÄB", "x-a": ""}, None),
        ({"price": "3"}, "at $.price: '3' is not of type 'number'"),
        ({}, "at $: 'price' is a required property"),
        ({"price": 1, "code": "ab"}, r"at $.code: 'ab' does not match '^\\p{Lu}+$'"),
        ({"price": 1, "x-a": 1}, "at $['x-a']: 1 is not of type 'string'"),
        ({"price": 1, "more": 1}, "at $: 'more' is not among the properties it may have"),
    ],
)
def test_json_fits_a_schema(tmp_path, value, why):
    """Inline or from a file beside the journey; what does not fit is named by its path in the document."""
    (tmp_path / "item.json").write_text(json.dumps(SCHEMA))
    body = json.dumps({"item": value})
    for text in ("json $.item fits item.json", "json $.item fits '${vars.file}'", f"json $.item fits {json.dumps(SCHEMA)}"):
        seen = judged(text, body, folder=tmp_path)
        assert seen.holds is (why is None)
        if why is not None:
            assert seen.actual == why
    assert judged("json $.item not fits item.json", body, folder=tmp_path).holds is (why is not None)


def test_a_changed_schema_file_counts_at_once(tmp_path):
    """It is read again when it changes, not once for ever."""
    file = tmp_path / "item.json"
    file.write_text('{"type": "number"}')
    assert judged("json $ fits item.json", "3", folder=tmp_path).holds
    file.write_text('{"type": "string"}')
    assert not judged("json $ fits item.json", "3", folder=tmp_path).holds


BY_FILE = "id: a\nsteps:\n  - id: s\n    http: {url: http://x/}\n    expect: [json $.a fits item.json]\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "item.json cannot be read: No such file or directory"),
        ("{", "item.json is no JSON"),
        ('{"type": "thing"}', "item.json is no JSON Schema: at $.type 'thing' is not valid under any of the given schemas"),
        ('{"$ref": "other.json"}', "item.json refers to 'other.json', which is not in it; put it under $defs, nothing is fetched"),
        ('{"$ref": "#/$defs/gone"}', "item.json refers to '#/$defs/gone', which is not in it; put it under $defs, nothing is fetched"),
        ("[" * 100_000, "item.json is no JSON"),
        (" " * 1_000_001, "item.json is larger than 1000000 bytes"),
    ],
)
def test_a_bad_schema_file_is_found_before_anything_runs(tmp_path, content, message):
    """At its line and column in the journey."""
    if content is not None:
        (tmp_path / "item.json").write_text(content)
    with pytest.raises(JourneyFileError) as caught:
        journey(BY_FILE, tmp_path / "a.yaml")
    assert str(caught.value) == f"{tmp_path}/a.yaml:5:28: steps[0].expect[0]: {message}"


@pytest.mark.parametrize("name", ["../item.json", "/etc/item.json"])
def test_a_schema_file_elsewhere_is_not_read(tmp_path, name):
    """Said with the file of the journey, and of a name known only in the run too."""
    why = f"'{name}' leaves the journey's folder; put the file beside the journey and name it from there"
    with pytest.raises(JourneyFileError) as caught:
        journey(BY_FILE.replace("item.json", name), tmp_path / "a.yaml")
    assert str(caught.value) == f"{tmp_path}/a.yaml:5:28: steps[0].expect[0]: {why}"
    with pytest.raises(BadSchema) as refused:
        read_schema(tmp_path, name)
    assert str(refused.value) == why


def test_a_schema_file_is_looked_for_wherever_it_is_named(tmp_path):
    """In set-up, clean-up and the condition of a repeat too."""
    step = "http: {url: http://x/}, "
    text = (
        f"id: a\nsetup: [{{id: u, {step}expect: [json $ fits a.json]}}]\nsteps: [{{id: s, {step}repeat: {{until: [json $ fits b.json]}}}}]\n"
        f"cleanup: [{{id: c, {step}degraded_if: [json $ fits c.json]}}]\n"
    )
    with pytest.raises(JourneyFileError) as caught:
        journey(text, tmp_path / "a.yaml")
    assert [(problem.key, problem.message.split(" ")[0]) for problem in caught.value.problems] == [
        ("setup[0].expect[0]", "a.json"),
        ("steps[0].repeat.until[0]", "b.json"),
        ("cleanup[0].degraded_if[0]", "c.json"),
    ]


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("body matches '(x+x+)+y'", "x" * 5000),
        ("body not matches '(a|aa)+$'", "a" * 5000 + "!"),
        ("css p matches '(x+x+)+y'", f"<p>{'x' * 5000}"),
        ("json $.a matches '(x+x+)+y'", json.dumps({"a": "x" * 5000})),
        ("json $[?search(@, '(x+x+)+y')] exists", json.dumps(["x" * 5000])),
        ("json $[?@ =~ /(a|aa)+/] exists", json.dumps(["a" * 5000 + "!"])),
        ('json $ fits {"pattern": "(x+x+)+y"}', json.dumps("x" * 5000)),
        ('json $ not fits {"patternProperties": {"(x+x+)+y": true}}', json.dumps({"x" * 5000: 1})),
        ('json $ fits {"patternProperties": {"(x+x+)+y": true}, "additionalProperties": false}', json.dumps({"x" * 5000: 1})),
    ],
)
def test_a_pattern_that_never_ends_is_given_up(text, body):
    """Whatever the body, a search ends, and what it would have found is not known: neither it nor its negation holds."""
    seen = judged(text, body)
    assert seen.holds is None
    assert seen.actual.startswith("not measured: looking for '")


@pytest.mark.parametrize(
    ("text", "body", "actual"),
    [
        ("css a exists", "<a>" * 200_001, "not measured: the body has more than 200000 tags"),
        ("css a exists", "x" * 5_000_001, "not measured: the body is longer than the 5000000 characters that are taken apart"),
        ("json $ exists", f"[{'[],' * 400_000}1]", "not measured: the body has more than 400000 lists and objects"),
        ("css div exists", "<div>" * 200 + "x" * 100_000, "not measured: what is found has more than 10000000 characters together"),
    ],
)
def test_a_body_that_costs_too_much_is_not_taken_apart(text, body, actual):
    """Tags, length and the text of nested matches are bounded."""
    seen = judged(text, body)
    assert (seen.holds, seen.actual) == (None, actual)


BODIES = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [PAGE, FEED, "", "\0", "<", "<!--", "<![CDATA[", "<a" * 50, "&#x0;", "[[[[", '{"a": 1e999}', "<?xml", "\ud800".encode("utf-8", "replace").decode()]
    ),
    st.text(alphabet="<>/ab&;'\"= \0![]-", max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner)
    ).map(json.dumps),
)
TARGETS = {"exists": "", "between": "1 and 5", "in": "[1, a]", "matches": "'a+'", "fits": "'{}'"}


@given(
    BODIES,
    st.sampled_from(
        [
            "body",
            "json $",
            "json $..a",
            "json $.a[*]",
            "xpath //a",
            "xpath string(//a)",
            "xpath count(//*)",
            "css a",
            "css '*'",
            "css *::attr(b)",
            "header x",
            "cookie x",
        ]
    ),
    st.sampled_from(COMPARISONS),
    st.sampled_from(["text/html", "application/xml", "application/json", ""]),
    st.booleans(),
)
def test_any_body_is_judged_and_a_negation_is_the_opposite(body, source, comparison, kind, counted):
    """No body makes judging fail; `not` turns true and false round and leaves unknown as it is."""
    counted = counted and source.startswith(("json", "xpath //", "css"))
    target = '{"type": "object"}' if comparison == "fits" else TARGETS.get(comparison, "3")
    try:
        line = parse(f"{source} {'count ' if counted else ''}{comparison} {target}")
    except ValueError:
        return  # not every source has every comparison
    plain, negated = (judged(text, body, kind).holds for text in (line.text, f"not {line.text}"))
    assert negated is (None if plain is None else not plain)


FORM = """
    id: j
    base_url: {url}
    vars: {{tag: title}}
    steps:
      - id: form
        http: {{url: /form}}
        expect: ["css 'form input' count == 1", "xpath //title contains Shop", http_version == 1.1]
        extract:
          csrf: {{css: "input[name=csrf]::attr(value)", secret: true}}
          title: {{xpath: "//${{vars.tag}}"}}
      - id: post
        http: {{url: /post, form: {{csrf: "${{steps.form.csrf}}", title: "${{steps.form.title}}"}}}}
        expect: [body == ok]
"""


async def test_a_token_in_a_form_goes_along():
    """A hidden field is lifted from the page by CSS or XPath and sent back, and stays secret when it is to."""

    async def respond(asked: Asked) -> bytes:
        if asked.target == "/form":
            return answer(body=PAGE.replace(" a1b2 ", "tok3n-canary"), content_type="text/html")
        return answer(body="ok" if b"csrf=tok3n-canary&title=Shop" in asked.body else f"not {asked.body!r}")

    async with site(respond) as shop:
        run = await walk(FORM.format(url=shop.url))
    assert run.outcome is Outcome.PASSED, run.failure
    assert "tok3n-canary" not in repr(run)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("http: {url: http://x/}\n    extract: {a: {xpath: '//['}}", "a.yaml:5:26: steps[0].extract.a.xpath: '//[' is not an XPath: invalid expression"),
        (
            "http: {url: http://x/}\n    extract: {a: {css: '>'}}",
            "a.yaml:5:24: steps[0].extract.a.css: '>' is not a CSS selector: expected selector, got <DELIM '>' at 0>",
        ),
        (
            "http: {url: http://x/}\n    extract: {a: {regex: '('}}",
            "a.yaml:5:26: steps[0].extract.a.regex: '(' is not a regular expression: missing ) at position 1",
        ),
        ("tcp: {host: x, port: 1}\n    extract: {a: {css: b}}", "a.yaml:5:24: steps[0].extract.a.css: is seen by http steps only, not by tcp; remove it"),
        (
            "customers: {reached: {page: /}}\n    extract: {a: {header: b}}",
            "a.yaml:5:27: steps[0].extract.a.header: is seen by http and websocket steps only; remove it",
        ),
    ],
)
def test_a_bad_extract_is_refused(step, message):
    """Syntax and the step's kind are looked at when the file is read."""
    with pytest.raises(JourneyFileError) as caught:
        journey(f"id: a\nsteps:\n  - id: s\n    {step}\n", Path("a.yaml"))
    assert str(caught.value).splitlines()[0] == message


async def test_a_tcp_answer_gives_values_by_pattern():
    """What a server said on a bare connection can be taken along too."""

    tasks: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        writer.write(b"220 session 4711 ready\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        run = await walk(
            f"id: j\nsteps:\n  - id: s\n    tcp: {{host: 127.0.0.1, port: {port}, dialog: [{{expect: ready}}]}}\n"
            f"    extract: {{n: {{regex: 'session (\\d+)'}}}}\n"
            f"  - id: t\n    tcp: {{host: 127.0.0.1, port: {port}, dialog: [{{expect: 'session ${{steps.s.n}}'}}]}}\n"
        )
    await asyncio.gather(*tasks)
    assert run.outcome is Outcome.PASSED, run.failure


async def test_the_loop_goes_on_while_a_body_is_judged():
    """Judging is done beside the event loop, so that another journey is not held up by this one's body."""
    beats: list[int] = []

    async def beat() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0.001)

    async def respond(asked: Asked) -> bytes:
        beats.clear()
        return answer(body="x" * 5000)

    task = asyncio.create_task(beat())
    async with site(respond) as shop:
        run = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: s\n    http: {{url: /}}\n    expect: [\"body matches '(x+x+)+y'\"]\n")
    task.cancel()
    assert (run.failure.kind, run.failure.message[:60]) == (FailureKind.EXPECTATION, "expected body matches '(x+x+)+y', got not measured: looking ")
    assert len(beats) > 20


@pytest.mark.parametrize(
    ("text", "body", "slow"),
    [
        ("status == 200", "x" * 5000, False),
        ("body contains x", "x" * 5000, False),
        ("json $.a == 1", '{"a": 1}', False),
        ("css p exists", "<p>", False),
        ("css p exists", "<p>" * 2000, True),
        ("json $..a exists", "{}", False),
        ("json $..a..b exists", "{}", True),
        ("json $[?search(@, 'a')] exists", "[]", True),
        ("body matches a", "", True),
        ("header x matches a", "", True),
        ("json $ fits {}", "{}", True),
    ],
)
def test_only_what_is_cheap_is_judged_in_the_event_loop(text, body, slow):
    """Short bodies without patterns are; what a body can make slow is done beside it."""
    assert takes_time(parse(text), {"body": body}) is slow


async def test_work_whose_time_is_over_is_stopped():
    """It ends at once, with the time or with a cancellation, and its thread is gone soon after."""
    began = threading.Event()

    def forever() -> None:
        began.set()
        while True:
            sum(range(1000))

    with pytest.raises(TimeoutError):
        await in_time(0.05, forever)
    task = asyncio.create_task(in_time(60, forever))
    began.clear()
    while not began.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(1000):
        if not [thread for thread in threading.enumerate() if thread.name == "sojourn-judging"]:
            break
        await asyncio.sleep(0.01)
    assert not [thread for thread in threading.enumerate() if thread.name == "sojourn-judging"]


async def test_work_gives_back_what_it_made_or_raised():
    """Values and exceptions come through as they are."""
    assert await in_time(60, lambda: 3) == 3
    with pytest.raises(KeyError):
        await in_time(60, lambda: {"b": 1}["a"])


def test_what_looks_into_bodies_is_loaded_only_when_used():
    """A journey that looks at no body costs the agent none of the libraries that do."""
    code = """
import sys
from pathlib import Path
import sojourn_probes.run
from sojourn_probes.load import load_text
load_text("id: a\\nsteps:\\n  - id: s\\n    http: {url: http://x/}\\n    expect: [status == 200, total < 1s, body contains x]\\n", Path("a.yaml"))
print(sorted({"regex", "lxml", "cssselect", "jsonschema", "jsonpath", "ctypes"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


SHOWN = """
    id: j
    base_url: {url}
    steps:
      - id: s
        http: {{url: /, headers: {{authorization: "Bearer ${{secrets.token}}"}}}}
        expect:
          - css li count >= 5
          - css .who == nobody
          - xpath //title contains Kitchen
          - {{source: json, property: $, comparison: fits, target: {{description: {long}, type: object}}}}
"""


async def test_what_was_seen_is_shown_bounded_and_without_secrets():
    """The lines for people, JUnit and the agent's span events show what was wanted and seen, at most a line of each, secrets taken out."""
    page = f"<title>Shop</title><ul><li>a<li>b</ul><p class=who>user hunter2-canary {'x' * 5000}</p>"

    async def respond(asked: Asked) -> bytes:
        return answer(body=page, content_type="text/html")

    async with site(respond) as shop:
        text = SHOWN.format(url=shop.url, long="y" * 5000)
        run = await walk(text, environ={"SOJOURN_SECRET_TOKEN": "hunter2-canary"})
    walked = [Walked(journey(text), run)]
    people, junit, spans = as_human.runs(walked), as_junit.runs(walked), repr(telemetry.encode_run(run, telemetry.resource("eu", "0"), "0"))
    for shown in (people, junit):
        assert "expected css li count &gt;= 5, got 2" in shown or "expected css li count >= 5, got 2" in shown
        assert "xpath //title contains Kitchen" in shown
        assert "'Shop'" in shown
        assert "user [redacted] xxx" in shown
    for shown in (people, junit, spans):
        assert "hunter2" not in shown
        assert len(shown) < 12_000
    assert "css li count >= 5" in spans
