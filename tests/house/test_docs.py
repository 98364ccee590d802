"""Every kind and every name is documented, and the generated pages are fresh."""

import subprocess
import sys
from pathlib import Path

from sojourn_collector.sources import SOURCES
from sojourn_probes.steps import KINDS

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_fresh():
    """docs/telemetry.md and docs/configuration.md say what the code says."""
    done = subprocess.run([sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_step_kind_is_documented():
    """docs/journeys.md has a section for each step kind."""
    page = (ROOT / "docs/journeys.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []


def test_every_source_is_documented():
    """docs/sources.md has a section for each source."""
    headings = "\n".join(line for line in (ROOT / "docs/sources.md").read_text().splitlines() if line.startswith("###"))
    assert [source for source in SOURCES if source not in headings] == []


def test_links_between_pages_lead_somewhere():
    """A relative link in README, CONTRIBUTING or docs points at a file that exists."""
    broken = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for part in page.read_text().split("](")[1:]:
            target = part.split(")")[0].split("#")[0]
            if target and "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
