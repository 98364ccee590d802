"""Metric names are an API: what the processes show, the lists, the alert rules, the dashboard and the docs agree."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from sojourn_agent import metric_names as agent
from sojourn_collector import metric_names as collector

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RULES = [rule for group in yaml.safe_load((PROMETHEUS / "sojourn.rules.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((ROOT / "deploy/grafana/sojourn.json").read_text())
TARGETS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
SCRAPED = frozenset({"job", "instance"})
"""Labels that a scrape adds."""


def known() -> dict[str, frozenset[str]]:
    """Every series' labels, by its name."""
    found = {name: frozenset(one.labels) for name, one in agent.ALL.items()}
    for family in collector.ALL:
        for series in family.series:
            found[series] = frozenset(family.labels) | ({"le"} if series.endswith("_bucket") else frozenset())
    return found | {"up": frozenset()}


def selectors(expression: str) -> list[Any]:
    """The vector selectors of an expression, which must parse."""
    plain = expression.replace("$__rate_interval", "5m")
    found: list[Any] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(node.vector_selector)
        return True

    promql_parser.walk(promql_parser.parse(plain), visit)
    return found


@pytest.mark.parametrize(("where", "expression"), [(rule["alert"], rule["expr"]) for rule in RULES] + TARGETS)
def test_every_expression_asks_for_what_there_is(where: str, expression: str):
    """It parses, and each name and label it selects, groups by or matches on exists."""
    asked = selectors(expression)
    assert asked, where
    labels: set[str] = set()
    for selector in asked:
        assert selector.name in known(), where
        labels |= known()[selector.name]
        assert {matcher.name for matcher in selector.matchers.matchers} <= known()[selector.name] | SCRAPED, where
    for group in re.findall(r"\b(?:by|on|ignoring|group_left|group_right|without) \(([^)]*)\)", expression):
        assert {label.strip() for label in group.split(",") if label.strip()} <= labels | SCRAPED, where


def test_every_alert_says_what_to_do():
    """An alert has a severity, a summary, and a runbook: a heading of docs/outward.md with a text under it."""
    page = (ROOT / "docs/outward.md").read_text()
    parts = {heading.lower(): text for heading, text in re.findall(r"^#+ (\w+)\n+(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)}
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (file, anchor) == ("docs/outward.md", rule["alert"].lower())
        assert len(parts[anchor].strip()) > 40, anchor
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_the_examples_name_alerts_that_exist():
    """Alertmanager's example routes and inhibits only by alerts of the rules; receivers it names are there."""
    text = (PROMETHEUS / "alertmanager.yml").read_text()
    assert set(re.findall(r"Sojourn\w+", text)) <= {rule["alert"] for rule in RULES}
    config = yaml.safe_load(text)
    named = {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])}
    assert named == {receiver["name"] for receiver in config["receivers"]}
    jobs = {job["job_name"] for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]}
    assert jobs == {"sojourn-collector", "sojourn-agent"}


def test_the_dashboard_is_one_grafana_takes():
    """Panels have ids of their own, lie on the grid without overlap, and use only variables it defines."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    assert {"journey", "location", "traffic"} <= variables
    assert set(re.findall(r"\$\{?(\w+)\}?", json.dumps([panels, DASHBOARD["links"]]))) <= variables | {"__rate_interval"}
    assert any(target.get("exemplar") for panel in panels for target in panel.get("targets", []))


def test_the_agent_shows_what_its_list_says():
    """Every name its report writes is in the list, and every name of the list is written."""
    text = (ROOT / "agent/sojourn_agent/report.py").read_text()
    plain = set(re.findall(r'"(sojourn_agent_\w+)"', text))
    made = {name for name in agent.ALL if re.fullmatch(r"sojourn_agent_(spool|beacons)_\w+_total", name)}
    assert len(re.findall(r'f"sojourn_agent_(?:spool|beacons)_\{name\}_total"', text)) == 2
    assert plain | made == set(agent.ALL)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian's package prometheus has it)")
def test_promtool_takes_rules_and_their_tests():
    """The rules alert when they should and not when they should not."""
    for command in (["check", "rules", "sojourn.rules.yml"], ["test", "rules", "sojourn.rules.test.yml"], ["check", "config", "prometheus.yml"]):
        done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
