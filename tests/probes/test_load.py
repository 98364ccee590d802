"""Journey files: what they say, and every mistake with its place, cause and cure."""

import json
import os
import textwrap
from pathlib import Path

import pytest

from sojourn_probes.beside import files_made_of, files_named_in
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import load_file, load_folder, load_text, missing_names
from sojourn_probes.secrets import SecretStore

GOOD = Path(__file__).parent / "data" / "good.yaml"
HEAD = "id: a\nbase_url: http://shop.example\nsteps:\n"
STEP = HEAD + "  - id: s\n    http: {url: /}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(JourneyFileError) as caught:
        load_text(textwrap.dedent(text), Path("a.yaml"))
    return str(caught.value).splitlines()


def test_a_whole_journey_is_read():
    """Every key of the language comes out as what it means."""
    journey = load_file(GOOD)
    assert (journey.id, journey.title, journey.interval, journey.timeout, journey.locations) == ("checkout", "Buy one item", 60.0, 20.0, ("eu", "us"))
    assert (journey.retries.max, journey.retries.only_on, journey.retries.backoff.seconds(1, 0.5)) == (1, ("connect", "timeout"), 2.0)
    assert journey.goal is not None
    assert str(journey.goal.worth) == "62 EUR"
    assert [step.kind for step in journey.steps] == ["http", "http", "browser", None, "http"]
    assert journey.steps[2].customers is not None
    assert journey.steps[2].customers.reached is not None
    assert journey.steps[2].customers.reached.matches_path("/checkout/pay")
    assert (journey.steps[3].degraded_if[0].source, journey.steps[3].degraded_if[0].target) == ("lcp", 2.5)
    assert journey.steps[4].always_run
    assert journey.folder == GOOD.parent


def test_loading_needs_no_environment(monkeypatch):
    """The collector loads the same files without any variable or secret set."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    assert load_file(GOOD).base_url == "${env.SHOP_URL}"


def test_origins_of_customers_are_in_one_form():
    """Whatever way an origin is written, it is kept as browsers write it: small letters, no default port, no slash."""
    said = "['HTTPS://API.Shop.example/', 'https://*.shop.example:443', 'http://[::1]:8080']"
    customers = load_text(f"customers: {{origins: {said}}}\n{STEP}", Path("a.yaml")).customers
    assert customers is not None
    assert customers.origins == ("https://api.shop.example", "https://*.shop.example", "http://[::1]:8080")


def test_the_version_is_that_of_the_content(tmp_path):
    """Comments, order of keys and layout keep the version; a changed value changes it."""
    one = load_text("id: a\nsteps:\n  - id: s\n    http: {url: http://x/}\n", tmp_path / "a")
    same = load_text("# said\nsteps: [{http: {url: 'http://x/'}, id: s}]\nid: a\n", tmp_path / "b")
    other = load_text("id: a\nsteps:\n  - id: s\n    http: {url: http://y/}\n", tmp_path / "a")
    assert one.version == same.version != other.version
    assert len(one.version) == 12


def test_the_version_covers_files_of_the_journey_s_own_folder(tmp_path):
    """What a text happens to name elsewhere on this machine is none of it, so that the version is the same on every machine; no text is too long to be none."""
    texts = [str(tmp_path / "outside.txt"), "../outside.txt", "in/../../outside.txt", "inside.txt", "é" * 200, "\0", "~"]
    (tmp_path / "outside.txt").write_text("1")
    (tmp_path / "j").mkdir()
    (tmp_path / "j/inside.txt").write_text("1")
    path = tmp_path / "j/a.yaml"
    path.write_text("id: a\nsteps:\n  - {id: s, http: {url: 'https://shop.example/', json: " + json.dumps(texts) + "}}\n")
    journey = load_file(path)
    assert files_made_of(journey) == files_named_in(journey) == [tmp_path / "j/inside.txt"]
    (tmp_path / "outside.txt").write_text("2")
    assert load_file(path).version == journey.version
    (tmp_path / "j/inside.txt").write_text("2")
    assert load_file(path).version != journey.version


def test_what_cannot_be_filled_is_found_beforehand():
    """missing_names lists each variable and secret once, at its place."""
    found = missing_names(load_file(GOOD), {}, SecretStore({"SOJOURN_SECRET_CARD": "4111"}))
    assert [(problem.line, problem.key, problem.message.split(";")[0]) for problem in found] == [
        (8, "${env.SHOP_URL}", "environment variable SHOP_URL is not set"),
        (29, "${secrets.shop_password}", "secret 'shop_password' was not found"),
    ]
    assert missing_names(load_file(GOOD), {"SHOP_URL": "x"}, SecretStore({"SOJOURN_SECRET_CARD": "4111", "SOJOURN_SECRET_SHOP_PASSWORD": "xyz"})) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nam: x\n" + STEP, "a.yaml:1:1: nam: is not known here; did you mean name?"),
        ("alerts: x\n" + STEP, "a.yaml:1:1: alerts: is not built yet and would be ignored; remove it"),
        (STEP + "    group: x\n", "a.yaml:6:5: steps[0].group: is not built yet and would be ignored; remove it"),
        (STEP.replace("{url", "{ur"), "a.yaml:5:5: steps[0].http.url: is missing; add it"),
        (STEP.replace("{url: /}", "{url: /, method: get}"), "a.yaml:5:28: steps[0].http.method: 'get' is not known; did you mean GET?"),
        (
            STEP.replace("id: a", "id: A b"),
            "a.yaml:1:5: id: 'A b' will not do; small letters, digits, - and _ are taken, up to 64, the first a letter or digit",
        ),
        (STEP.replace("id: s", "id: 5"), 'a.yaml:4:9: steps[0].id: wants text, and 5 is not; put it in quotes: "5"'),
        ("name: true\n" + STEP, 'a.yaml:1:7: name: wants text, and true is not; put it in quotes: "true"'),
        ("interval: 60\n" + STEP, "a.yaml:1:11: interval: 60 has no unit; write 60s or 60ms"),
        ("interval: 1 week\n" + STEP, "a.yaml:1:11: interval: '1 week' is not a duration; write a number with ms, s, m, h or d, such as 800ms or 60s"),
        ("interval: 10ms\n" + STEP, "a.yaml:1:11: interval: must be at least 1"),
        ("retries: 9\n" + STEP, "a.yaml:1:10: retries: must be at most 5"),
        ("retries: {max: 1, only_on: [conect]}\n" + STEP, "a.yaml:1:29: retries.only_on[0]: 'conect' is not known; did you mean connect?"),
        ("goal: {event: x, worth: 62}\n" + STEP, "a.yaml:1:25: goal.worth: a sum of money is wanted here, with its currency, such as 62 EUR"),
        (STEP + "    expect: status == 200\n", "a.yaml:6:13: steps[0].expect: wants a list (lines beginning with -), not 'status == 200'"),
        (STEP + "    expect:\n      - staus == 200\n", "a.yaml:7:9: steps[0].expect[0]: 'staus' is nothing that can be looked at; did you mean status?"),
        (STEP + "    expect:\n      - total > 800\n", "a.yaml:7:17: steps[0].expect[0]: 800 has no unit; write 800s or 800ms"),
        (STEP + '    expect:\n      - "total > 800"\n', "a.yaml:7:18: steps[0].expect[0]: 800 has no unit; write 800s or 800ms"),
        (
            STEP + '    expect:\n      - body contains "a: b"\n',
            "a.yaml:7:9: steps[0].expect[0]: YAML reads this as a map because of the ': ' in it; put the whole line in single quotes: 'body contains \"a: b\"'",
        ),
        (STEP + "    expect: [{source: status, comparison: is, target: 1}]\n", None),
        (STEP + "    expect: [lcp > 1s]\n", "a.yaml:6:14: steps[0].expect[0]: lcp is seen by browser steps only, not by http; remove it"),
        (STEP + "  - id: s\n    http: {url: /}\n", "a.yaml:6:9: steps[1].id: another step has the id s too; ids of steps must differ"),
        (HEAD + "  - id: s\n", "a.yaml:4:5: steps[0]: says neither how to probe it (such as http:) nor how it shows in customers (customers:); add one"),
        (HEAD + "  - id: s\n    http:\n", "a.yaml:5:10: steps[0].http: has no value; give it one or remove the key"),
        (
            "id: a\nsteps:\n  - id: s\n    http: {url: /}\n",
            "a.yaml:4:17: steps[0].http.url: '/' is relative and the journey has no base_url; add base_url: or write the whole address",
        ),
        (STEP.replace("/}", "ftp://x/}"), "a.yaml:5:17: steps[0].http.url: 'ftp://x/' is neither http nor https; write it with http:// or https://"),
        (STEP.replace("/}", "http://u:p@x/}"), "a.yaml:5:17: steps[0].http.url: has a user or password in it; use auth: with ${secrets.…} instead"),
        (STEP.replace("http://shop.example", "shop.example"), "a.yaml:2:11: base_url: 'shop.example' is no address; write it with http:// or https://"),
        (
            STEP.replace("{url: /}", "{url: /, headers: {Authorization: Bearer abc}}"),
            'a.yaml:5:29: steps[0].http.headers: Authorization is a secret and must not stand in the file; write "${secrets.name}" and set SOJOURN_SECRET_NAME',
        ),
        (
            STEP.replace("{url: /}", "{url: /, auth: {user: u, password: abc}}"),
            'a.yaml:5:46: steps[0].http.auth.password: is a secret and must not stand in the file; write "${secrets.name}" and set SOJOURN_SECRET_NAME',
        ),
        (STEP.replace("{url: /}", "{url: /, headers: {traceparent: x}}"), "a.yaml:5:29: steps[0].http.headers: traceparent is set by the runner; remove it"),
        (STEP.replace("{url: /}", "{url: /, json: {}, form: {}}"), "a.yaml:5:11: steps[0].http: json and form are two bodies; keep one"),
        (STEP.replace("{url: /}", "{url: /, method: GET, json: {}}"), "a.yaml:5:11: steps[0].http: a GET has no body; remove json: or say method: POST"),
        (STEP.replace("{url: /}", '{url: "/${vars.x}"}'), "a.yaml:5:19: steps[0].http.url: ${vars.x} is not set; add x under vars:"),
        (STEP.replace("{url: /}", '{url: "/${foo.x}"}'), None),
        (STEP.replace("{url: /}", '{url: "/${steps.z.t}"}'), "a.yaml:5:19: steps[0].http.url: ${steps.z.t}: there is no earlier step z"),
        ("vars: {a: '${vars.b}', b: 1}\n" + STEP, "a.yaml:1:11: vars.a: ${vars.b} is not known here; only env, secrets, totp, run, random, now, date are"),
        (STEP + "    timeout: 1m\n", "a.yaml:6:14: steps[0].timeout: 60s is longer than the attempt may take (30s); raise the journey's timeout or lower this"),
        (
            STEP + "    extract: {t: {json: $.a, header: b}}\n",
            "a.yaml:6:18: steps[0].extract.t: say exactly one of json, xpath, css, header, regex, cookie, or of a page text, value, attribute, url, evaluate",
        ),
        (STEP + "    extract: {t: {regex: (}}\n", None),
        (STEP + "    customers: {}\n", "a.yaml:6:16: steps[0].customers: say reached: or done:, or both"),
        (
            STEP + "    customers: {reached: {page: x}}\n",
            "a.yaml:6:33: steps[0].customers.reached.page: 'x' will not do; a path is wanted, such as /checkout/*, without query",
        ),
        ("customers: {}\n" + STEP, "a.yaml:1:12: customers: say app: or origins:, or both"),
        (
            "customers: {origins: [api.shop.example]}\n" + STEP,
            "a.yaml:1:23: customers.origins[0]: 'api.shop.example' is no origin; write scheme and host alone, such as https://api.shop.example",
        ),
        (
            "customers: {origins: ['https://api.shop.example/v1']}\n" + STEP,
            "a.yaml:1:23: customers.origins[0]: 'https://api.shop.example/v1' is no origin; write scheme and host alone, such as https://api.shop.example",
        ),
        (
            "customers: {origins: ['https://*']}\n" + STEP,
            "a.yaml:1:23: customers.origins[0]: 'https://*' is no origin; write scheme and host alone, such as https://api.shop.example",
        ),
        ("id: b\n" + STEP, "a.yaml:2:1: id: is there twice, first on line 1; keep one"),
        ("- a\n", "a.yaml:1:1: is no journey; it begins with id: and steps:, and `sojourn init` writes one to begin with"),
        ("id: a\nsteps: []\n", "a.yaml:2:8: steps: is empty; give it something"),
        ("steps:\n  - id: s\n    http: {url: http://x/}\n", "a.yaml:1:1: id: is missing; add it"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(text, message):
    """Place, key, cause and cure, exactly."""
    found = problems(text)
    if message is not None:
        assert found[0] == message
    assert all(line.startswith("a.yaml:") for line in found)


def test_all_mistakes_are_told_at_once():
    """A file with three mistakes is three lines, in the order of the file."""
    assert problems("id: A\ninterval: 5\nsteps:\n  - id: s\n    http: {ur: /}\n") == [
        "a.yaml:1:5: id: 'A' will not do; small letters, digits, - and _ are taken, up to 64, the first a letter or digit",
        "a.yaml:2:11: interval: 5 has no unit; write 5s or 5ms",
        "a.yaml:5:5: steps[0].http.url: is missing; add it",
        "a.yaml:5:12: steps[0].http.ur: is not known here; did you mean url?",
    ]


def test_files_that_cannot_be_read(tmp_path):
    """Missing, a folder, too large, not UTF-8: one sentence each."""
    (tmp_path / "big.yaml").write_bytes(b"#" * 300_000)
    (tmp_path / "latin.yaml").write_bytes(b"id: a\nname: caf\xe9\n")
    for name, message in {
        "none.yaml": "1:1: is not there; `sojourn init` writes one to begin with",
        ".": "1:1: is a folder; name a file in it",
        "big.yaml": "1:1: is larger than 256 KiB; a journey should be a page or two",
        "latin.yaml": "2:1: is not UTF-8; save it as UTF-8",
    }.items():
        with pytest.raises(JourneyFileError) as caught:
            load_file(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}:{message}"


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    """Editors on Windows write one."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + STEP.encode())
    assert load_file(tmp_path / "a.yaml").id == "a"


def test_a_folder_is_read_whole_and_sorted(tmp_path):
    """*.yaml and *.yml, sorted by id; hidden files and others are left alone."""
    for name, journey_id in (("x.yaml", "b"), ("y.yml", "a"), (".z.yaml", "c"), ("notes.txt", "d")):
        (tmp_path / name).write_text(STEP.replace("id: a", f"id: {journey_id}"))
    assert [journey.id for journey in load_folder(tmp_path)] == ["a", "b"]


def test_a_folder_tells_the_mistakes_of_all_files_and_double_ids(tmp_path):
    """Two files with one id are refused, beside the problems of the others."""
    (tmp_path / "a.yaml").write_text(STEP)
    (tmp_path / "b.yaml").write_text(STEP)
    (tmp_path / "c.yaml").write_text("id: C\n")
    with pytest.raises(JourneyFileError) as caught:
        load_folder(tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[-1] == f"{tmp_path}/b.yaml:1:5: id: {tmp_path}/a.yaml has the id a too; ids of journeys must differ"
    assert lines[0].startswith(f"{tmp_path}/c.yaml:1:")


def test_a_folder_that_is_none(tmp_path):
    """One sentence."""
    with pytest.raises(JourneyFileError) as caught:
        load_folder(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path}/none:1:1: is no folder; name the one with your journey files"
