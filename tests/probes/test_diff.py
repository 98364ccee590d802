"""`sojourn diff`: what changes for a running agent, in words."""

import json
import textwrap
from pathlib import Path

import pytest

from sojourn_probes.diff import Fate, differences
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.units import parse_duration, write_duration
from tests.probes.commanding import program

BEFORE = """
    id: checkout
    base_url: https://shop.example
    vars: {size: 1}
    steps:
      - id: home
        http: {url: /, headers: {x-tenant: planted-literal}}
        expect: [status == 200, body contains x]
      - id: login
        http: {url: /login, json: {user: demo, rows: [1, 2]}, max_body: 2 MB}
        timeout: 5s
      - id: pay
        browser: [{goto: /cart}, {fill: {label: Card, value: planted-literal}}, {click: Pay}]
      - id: out
        http: {url: /out}
"""


def read(text: str, name: str = "a.yaml") -> Journey:
    return load_text(textwrap.dedent(text), Path(name))


def changed(*edits: tuple[str, str]) -> list[str]:
    """The words for what these edits of BEFORE change."""
    after = BEFORE
    for old, new in edits:
        assert old in after
        after = after.replace(old, new)
    (found,) = differences([read(BEFORE)], [read(after)])
    return [str(change) for change in found.changes]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("vars:", "interval: 30s\n    vars:", ["interval: 60s → 30s"]),
        ("vars:", "timeout: 9s\n    retries: 1\n    vars:", ["timeout: 30s → 9s", "retries.max: 0 → 1"]),
        ("vars:", "locations: [eu, us]\n    vars:", ["locations: [eu, us] added"]),
        ("vars:", "goal: {event: ordered, worth: 62 EUR}\n    vars:", ["goal: {event: ordered, worth: 62 EUR} added"]),
        ("{size: 1}", "{size: 2}", ["vars.size: 1 → 2"]),
        ("url: /login", "url: /sign-in", ["step login: http.url: /login → /sign-in"]),
        ("2 MB", "512 KB", ["step login: http.max_body: 2.0 MB → 512.0 KB"]),
        ("[1, 2]", "[1, 3, 4]", ["step login: http.json.rows: 2 removed", "step login: http.json.rows: 3 added", "step login: http.json.rows: 4 added"]),
        ("timeout: 5s", "timeout: 500ms", ["step login: timeout: 5s → 500ms"]),
        ("body contains x]", "body contains x, total < 2s]", ["step home: expect: total < 2s added"]),
        ("status == 200, ", "", ["step home: expect: status == 200 removed"]),
        ("planted-literal}}\n        expect", "other}}\n        expect", ["step home: http.headers.x-tenant changed (not shown)"]),
        ("planted-literal}}\n        expect", '"${env.T}"}}\n        expect', ["step home: http.headers.x-tenant: [not shown] → ${env.T}"]),
        ("value: planted-literal", "value: other", ["step pay: browser.fill.value changed (not shown)"]),
        ("- id: out", "- {id: new, name: More, http: {url: /n}}\n      - id: out", ["step new: More added"]),
        ("      - id: out\n        http: {url: /out}\n", "", ["step out removed"]),
    ],
)  # fmt: skip
def test_changes_are_said_in_words(old, new, words):
    """Each change is one line: where, what it was, what it is, as one would write it."""
    assert changed((old, new)) == words


def test_setup_and_cleanup_are_told_apart():
    """Steps of setup and cleanup are compared by their ids too, and called what they are."""
    one = read(BEFORE + "    cleanup:\n      - id: tidy\n        http: {url: /tidy}\n")
    other = read(BEFORE + "    setup: [{id: make, http: {url: /make}}]\n    cleanup:\n      - id: tidy\n        http: {url: /sweep}\n")
    (found,) = differences([one], [other])
    assert [str(change) for change in found.changes] == ["setup step make added", "cleanup step tidy: http.url: /tidy → /sweep"]


def test_a_renamed_step_is_called_out():
    """A step whose id alone changed loses its history, and says so; what else changed in it is said too."""
    assert changed(("id: login", "id: sign-in"), ("timeout: 5s", "timeout: 6s")) == [
        "step login is now sign-in: the history of login ends, sign-in begins without one",
        "step sign-in: timeout: 5s → 6s",
    ]


def test_steps_in_another_order():
    """Steps that only change places are said to."""
    out = "      - id: out\n        http: {url: /out}\n"
    assert changed((out, ""), ("    steps:\n", f"    steps:\n{out}")) == ["order of the steps: home, login, pay, out → out, home, login, pay"]


def test_history_goes_on_breaks_begins_or_ends():
    """The same id goes on; another id in the same file, or the same content elsewhere, breaks; the rest begins and ends."""
    small = "id: {}\nsteps: [{{id: s, http: {{url: https://{}.example/}}}}]\n"
    before = [read(small.format(name, name), f"{name}.yaml") for name in ("stays", "file", "moved", "gone")]
    after = [
        read(small.format("stays", "other"), "stays.yaml"),
        read("id: infile\nsteps: [{id: t, tcp: {host: h, port: 1}}]\n", "file.yaml"),
        read(small.format("elsewhere", "moved"), "new.yaml"),
        read("id: fresh\nsteps: [{id: t, icmp: {host: a-host-like-no-other.example, count: 7, gap: 2s}}]\n", "fresh.yaml"),
    ]
    found = {one.id: (one.fate, one.history, one.id_before) for one in differences(before, after)}
    assert found == {
        "stays": (Fate.CHANGED, "goes on", "stays"),
        "infile": (Fate.RENAMED, "breaks", "file"),
        "elsewhere": (Fate.RENAMED, "breaks", "moved"),
        "fresh": (Fate.ADDED, "begins", ""),
        "gone": (Fate.REMOVED, "ends", "gone"),
    }


def test_comments_are_no_change_and_a_default_written_out_only_a_version():
    """Comments and layout leave everything as it is; a default that is written out changes the version and nothing else."""
    (comment,) = differences([read(BEFORE)], [read(BEFORE.replace("vars:", "# why\n    vars:   "))])
    assert (comment.fate, comment.version) == (Fate.SAME, comment.version_before)
    (default,) = differences([read(BEFORE)], [read(BEFORE.replace("vars:", "interval: 1m\n    vars:"))])
    assert (default.fate, default.changes) == (Fate.REVISED, ())
    assert default.version != default.version_before


def test_files_beside_a_journey_count(tmp_path):
    """A script with other contents is a change, and another version."""
    journeys = []
    for folder, text in (("a", "one"), ("b", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pay.py").write_text(text)
        journeys.append(read("id: j\nsteps: [{id: s, browser: [{script: pay.py}]}]\n", str(tmp_path / folder / "j.yaml")))
    (found,) = differences(journeys[:1], journeys[1:])
    assert (found.fate, [str(change) for change in found.changes]) == (Fate.CHANGED, ["file pay.py changed"])
    assert found.version != found.version_before


@pytest.mark.parametrize("text", ["1ms", "200ms", "1s", "1.5s", "60s", "90s", "2m", "1h", "36h", "14d", "0s"])
def test_durations_are_written_as_people_write_them(text):
    """What stands in a file comes out as it went in."""
    assert write_duration(parse_duration(text)) == text


async def test_the_command(tmp_path):
    """Exit 0 when nothing changes, 1 when something does, 2 when a file is bad; folders or files; literals in headers in no form."""
    for name, text in (("a", BEFORE), ("b", BEFORE.replace("id: checkout", "id: buy").replace("tenant: planted", "tenant: planted-too"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.yaml").write_text(textwrap.dedent(text))
    same = await program("diff", tmp_path / "a", tmp_path / "a")
    assert (same.code, same.out) == (0, "1 journey unchanged\n")
    forms = {form: await program("diff", tmp_path / "a/a.yaml", tmp_path / "b/b.yaml", "-o", form) for form in ("human", "json", "github")}
    assert {done.code for done in forms.values()} == {1}
    assert [form for form, done in forms.items() if "planted" in done.out] == []
    assert forms["human"].out.startswith("checkout is now buy: history breaks, buy begins without one; version ")
    assert json.loads(forms["json"].out)["journeys"][0]["history"] == "breaks"
    assert f"::warning file={tmp_path}/b/b.yaml,line=2,col=1,title=buy::checkout is now buy: history breaks" in forms["github"].out
    (tmp_path / "b/bad.yaml").write_text("id: [\n")
    bad = await program("diff", tmp_path / "a", tmp_path / "b")
    assert (bad.code, bad.out, bad.err) == (2, "", f"{tmp_path}/b/bad.yaml:2:1: a {{ or [ is not closed, or a comma is missing\n")
