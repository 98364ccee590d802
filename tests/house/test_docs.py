"""Every kind and every name is documented, and the generated pages are fresh."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

from sojourn_collector.feeds_config import FEEDS
from sojourn_collector.sources import SOURCES
from sojourn_collector.sources_config import VENDORS
from sojourn_probes.cli import app
from sojourn_probes.expectation import COMPARISONS
from sojourn_probes.expectation import SOURCES as EXPECTATION_SOURCES
from sojourn_probes.steps import KINDS

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_fresh():
    """docs/telemetry.md, docs/configuration.md and the pages under docs/reference/ say what the code says."""
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_step_kind_is_documented():
    """docs/steps.md has a section for each step kind."""
    page = (ROOT / "docs/steps.md").read_text()
    assert [kind for kind in KINDS if f"## `{kind}` steps" not in page] == []


def test_the_reference_names_everything():
    """docs/reference/journey.md has each step kind, expectation source and comparison, and its links lead to one place each."""
    page = (ROOT / "docs/reference/journey.md").read_text()
    assert [kind for kind in KINDS if f"## `{kind}` steps" not in page] == []
    assert [name for name in EXPECTATION_SOURCES if f"| `{name}" not in page] == []
    assert [word for word in COMPARISONS if f"`{word}`" not in page] == []
    anchors = re.findall(r'<a id="([^"]+)">', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(anchors)


def test_the_reference_names_every_command():
    """docs/reference/command.md has each command of `sojourn` with its options and an example."""
    page = (ROOT / "docs/reference/command.md").read_text()
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"## `sojourn {name}`" in page
        assert f"Example: `sojourn {name}" in page
        assert [option for param in command.params for option in param.opts if option.startswith("--") and f"`{option}`" not in page] == []


def test_every_source_is_documented():
    """docs/sources.md has a section for each source."""
    headings = "\n".join(line for line in (ROOT / "docs/sources.md").read_text().splitlines() if line.startswith("###"))
    assert [source for source in SOURCES if source not in headings] == []


def test_every_vendor_is_documented():
    """docs/sources.md has a section for each vendor and a row in its table."""
    page = (ROOT / "docs/sources.md").read_text()
    assert [vendor for vendor in VENDORS if f"### `{vendor}`" not in page or f"| `{vendor}` |" not in page] == []


def test_every_kind_of_feed_is_documented():
    """docs/sources.md has a section for each kind of feed and a row in its table."""
    page = (ROOT / "docs/sources.md").read_text()
    assert [kind for kind in FEEDS if f"### `{kind}`" not in page or f"| `{kind}` |" not in page] == []


def test_links_between_pages_lead_somewhere():
    """A relative link in README, CONTRIBUTING or docs points at a file that exists, and at a heading or anchor that is in it."""
    broken = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for part in page.read_text().split("](")[1:]:
            target, _, place = part.split(")")[0].partition("#")
            file = page.parent / target if target else page
            if "://" in target or target.startswith("mailto:"):
                continue
            if not file.exists() or (place and file.suffix == ".md" and place not in _places(file)):
                broken.append(f"{page.relative_to(ROOT)}: {target}#{place}")
    assert broken == []


def _places(page: Path) -> set[str]:
    """What a link may name in a page: its headings as a forge writes them, and anchors of its own."""
    text = page.read_text()
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_nobody_is_told_to_call_what_the_snippet_does_not_know():
    """Each `sojourn('…')` that docs, pages and sentences name is a row of the table in docs/beacons.md."""
    known = set(re.findall(r"^\| `sojourn\('(\w+)'", (ROOT / "docs/beacons.md").read_text(), re.MULTILINE))
    assert {"identify", "convert", "session"} <= known
    places = [
        *ROOT.glob("docs/**/*.md"),
        ROOT / "README.md",
        *ROOT.glob("collector/sojourn_collector/**/*.py"),
        *ROOT.glob("collector/sojourn_collector/**/*.html"),
    ]
    named = {(path.name, name) for path in places for name in re.findall(r"sojourn\('(\w+)'", path.read_text(encoding="utf-8"))}
    assert {(place, name) for place, name in named if name not in known} == set()
