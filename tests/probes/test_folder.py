"""Several journeys: what they share in defaults.yaml, what differs by location, what must hold between them."""

import shutil
from pathlib import Path

import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import load_file, load_folder, load_text, missing_names
from sojourn_probes.secrets import SecretStore
from tests.probes.site import answer, site
from tests.probes.test_load import STEP, problems
from tests.probes.walking import walk

JOURNEY = "id: {id}\nsteps:\n  - {{id: s, http: {{url: /}}}}\n"
SHARED = """
known_locations: [eu, us]
base_url: http://shop.example
interval: 5m
retries: 1
locations: [eu]
tags: [shop]
vars: {lang: en, theme: dark}
labels: {tier: gold}
defaults: {http: {headers: {x-a: "1", x-b: "2"}, follow_redirects: 2}}
maintenance: [{daily: {from: 03:00, to: 03:30}}]
"""


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def refused(path: Path) -> list[str]:
    with pytest.raises(JourneyFileError) as caught:
        load_folder(path)
    return [line.replace(f"{path}/", "") for line in str(caught.value).splitlines()]


def test_what_is_shared_is_said_once(tmp_path):
    """Keys a journey lacks are taken; vars, labels and defaults are joined; tags and maintenance are added."""
    own = JOURNEY.format(id="a") + "interval: 1m\ntimeout: 20s\nvars: {lang: de}\ntags: [pay]\ndefaults: {http: {headers: {x-b: mine}}}\n"
    journey = load_folder(folder(tmp_path, defaults=SHARED, a=own))[0]
    assert (journey.base_url, journey.interval, journey.retries.max, journey.locations) == ("http://shop.example", 60, 1, ("eu",))
    assert (journey.vars, journey.labels, journey.tags) == ({"lang": "de", "theme": "dark"}, {"tier": "gold"}, ("pay", "shop"))
    assert journey.defaults.model_dump()["http"]["headers"] == {"x-a": "1", "x-b": "mine"}
    assert journey.defaults.model_dump()["http"]["follow_redirects"] == 2
    assert len(journey.maintenance) == 1
    assert load_file(tmp_path / "a.yaml").version == journey.version


def test_what_is_shared_is_part_of_the_version(tmp_path):
    """Another base_url in defaults.yaml is another definition of each journey."""
    before = load_folder(folder(tmp_path, defaults=SHARED, a=JOURNEY.format(id="a")))[0]
    after = load_folder(folder(tmp_path, defaults=SHARED.replace("shop.example", "www.example"), a=JOURNEY.format(id="a")))[0]
    assert before.version != after.version


def test_a_schedule_of_ones_own_replaces_the_shared_interval(tmp_path):
    """They would say the same thing twice."""
    journey = load_folder(folder(tmp_path, defaults=SHARED, a="schedule: '0 8 * * *'\n" + JOURNEY.format(id="a")))[0]
    assert (journey.schedule, "interval" in journey.model_fields_set) == ("0 8 * * *", False)


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        ("intervall: 5m\n", ["defaults.yaml:1:1: intervall: is not known here; did you mean interval?"]),
        ("interval: 5\n", ["defaults.yaml:1:11: interval: 5 has no unit; write 5s or 5ms"]),
        ("steps: []\n", None),
        ("- a\n", ["defaults.yaml:1:1: is no map; it holds keys that journeys have too, such as base_url: and timeout:"]),
        ("a: b: c\n", None),
        (
            "vars: {a: '${vars.b}'}\n",
            ["defaults.yaml:1:11: vars.a: ${vars.b} is not known here; only env, secrets, totp, run, random, now, date are"],
        ),
        (
            "interval: 50s\ntimeout: 30s\nretries: 1\n",
            ["defaults.yaml:1:11: interval: 2 attempts take up to 60s, which does not fit the interval of 50s; lower timeout or retries, or raise interval"],
        ),
    ],
)
def test_a_bad_defaults_file_is_told_at_its_own_place(tmp_path, shared, said):
    """Once, however many journeys stand beside it."""
    text = "base_url: http://x\n" + JOURNEY
    found = refused(folder(tmp_path, defaults=shared, a=text.format(id="a"), b=text.format(id="b")))
    assert len(found) == 1
    assert said is None or found == said


def test_a_missing_secret_is_told_where_it_stands(tmp_path):
    """In defaults.yaml, when that names it."""
    folder(tmp_path, defaults='base_url: "${env.SHOP}"\n', a=JOURNEY.format(id="a"))
    found = missing_names(load_file(tmp_path / "a.yaml"), {}, SecretStore({}))
    assert [(Path(one.file).name, one.line, one.key) for one in found] == [("defaults.yaml", 1, "${env.SHOP}")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("locations: [eu, uss]\n", "a.yaml:1:17: locations[1]: there is no location uss; did you mean us?"),
        (
            "locations: [eu, us]\noverrides: {asia: {timeout: 9s}}\n",
            "a.yaml:2:19: overrides.asia: is not among locations: (eu, us); add it there or remove it here",
        ),
        ("overrides: {mars: {timeout: 9s}}\nlocations: []\n", "a.yaml:1:19: overrides.mars: there is no location mars; there are eu, us"),
        ("depends_on: [b, c]\n", "a.yaml:1:17: depends_on[1]: there is no journey c; there are a, b"),
        ("depends_on: [a]\n", "a.yaml:1:14: depends_on[0]: is this journey itself; remove it"),
    ],
)
def test_what_is_not_there_is_found(tmp_path, lines, said):
    """Unknown locations and journeys, with what was perhaps meant."""
    found = refused(folder(tmp_path, defaults=SHARED, a=lines + JOURNEY.format(id="a"), b=JOURNEY.format(id="b")))
    assert found == [said]


def test_circles_are_found_once(tmp_path):
    """Each, with the way round."""
    files = {name: f"depends_on: [{other}]\nbase_url: http://x\n" + JOURNEY.format(id=name) for name, other in {"a": "b", "b": "c", "c": "b", "d": "a"}.items()}
    assert refused(folder(tmp_path, **files)) == ["b.yaml:1:13: depends_on: goes in a circle: b → c → b; remove one of these dependencies"]


def test_anchors_and_merge_keys_may_be_used(tmp_path):
    """`x-…` keys hold what is meant to be merged; own keys win over merged ones."""
    text = """
x-common: &common {headers: {x-a: "1"}, follow_redirects: 0}
id: a
base_url: http://x
steps:
  - {id: one, http: {<<: *common, url: /one}}
  - {id: two, http: {<<: *common, url: /two, follow_redirects: 3}}
"""
    journey = load_text(text, tmp_path / "a.yaml")
    assert [(step.part.url, step.part.headers, step.part.follow_redirects) for step in journey.steps] == [("/one", {"x-a": "1"}, 0), ("/two", {"x-a": "1"}, 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "x-a: &a 5\nid: a\nsteps:\n  - {id: s, http: {<<: *a, url: http://x}}\n",
            "a.yaml:1:6: << takes an alias of a map, such as <<: *common, or a list of such",
        ),
        ("x-a: &a {url: 5}\nid: a\nsteps:\n  - {id: s, http: {<<: *a}}\n", None),
    ],
)
def test_what_cannot_be_merged_is_refused(text, said):
    """With its place."""
    found = problems(text)
    assert len(found) == 1
    assert said is None or found == [said]


OVERRIDES = """
locations: [eu, us]
retries: 1
timeout: 10s
vars: {host: eu.example}
overrides:
  us:
    base_url: http://us.example
    interval: 5m
    timeout: 25s
    vars: {host: us.example}
    steps: {s: {degraded_if: [total > 3s], expect: [status == 204], timeout: 20s}}
"""


def test_thresholds_may_differ_by_location():
    """Lists are replaced, vars are added; id, version and all else stay."""
    journey = load_text(STEP + "    degraded_if: [total > 1s]\n" + OVERRIDES, Path("a.yaml"))
    eu, us = journey.at("eu"), journey.at("us")
    assert eu is journey
    assert (us.base_url, us.interval, us.timeout, us.vars, us.version) == ("http://us.example", 300, 25, {"host": "us.example"}, journey.version)
    assert (us.steps[0].degraded_if[0].target, us.steps[0].expect[0].target, us.steps[0].timeout) == (3, 204, 20)
    assert eu.steps[0].degraded_if[0].target == 1
    assert us.at("us").steps == us.steps


async def test_a_run_is_judged_as_its_location_says():
    """The same answer passes in one place and fails in another."""
    overrides = "overrides: {{us: {{steps: {{s: {{expect: [status == 200]}}}}}}}}\n"
    text = "id: j\nbase_url: {url}\n" + overrides + "steps:\n  - {{id: s, http: {{url: /}}, expect: [status == 204]}}\n"

    async def respond(asked):
        return answer(204)

    async with site(respond) as shop:
        eu = await walk(text.format(url=shop.url), location="eu")
        us = await walk(text.format(url=shop.url), location="us")
    assert (eu.outcome, us.outcome) == ("passed", "failed")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("overrides: {us: {steps: {pay: {timeout: 3s}}}}\n", "a.yaml:6:31: overrides.us.steps.pay: is no step of this journey; there are s"),
        (
            "overrides: {us: {steps: {s: {degraded_if: [lcp > 1s]}}}}\n",
            "a.yaml:6:44: overrides.us.steps.s.degraded_if[0]: lcp is seen by browser steps only, not by http; remove it",
        ),
        ("overrides: {us: {vars: {x: 1}}}\n", "a.yaml:6:28: overrides.us.vars.x: is not set for the other locations; add x under the journey's vars: too"),
        ("overrides: {us: {tags: [x]}}\n", None),
        (
            "overrides: {us: {timeout: 40s, retries: 1}}\n",
            "a.yaml:6:17: overrides.us: 2 attempts take up to 80s, which does not fit the interval of 60s; lower timeout or retries, or raise interval",
        ),
        (
            "retries: {max: 2, backoff: {first: 10s, growth: exponential}}\ntimeout: 15s\ninterval: 60s\n",
            "a.yaml:8:11: interval: 3 attempts take up to 75s, which does not fit the interval of 60s; lower timeout or retries, or raise interval",
        ),
    ],
)
def test_overrides_and_room_are_looked_at(lines, said):
    """Before anything runs."""
    found = problems(STEP + lines)
    assert len(found) == 1, found
    assert said is None or found == [said]


def test_the_examples_take_defaults(tmp_path):
    """A folder of the examples with a defaults.yaml is read as one."""
    examples = Path(__file__).parents[2] / "configs/journeys/examples"
    for file in examples.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    (tmp_path / "defaults.yaml").write_text("tags: [shared]\n")
    journeys = load_folder(tmp_path)
    assert journeys
    assert all("shared" in journey.tags for journey in journeys)
