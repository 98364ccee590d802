"""Boundaries hold, and the daemons stay light."""

import subprocess
import sys
import tomllib
from pathlib import Path

from sojourn_probes.steps import KINDS

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold():
    """Every contract of pyproject.toml is kept."""
    done = subprocess.run([str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_collector_may_import_no_runner():
    """The contract names the runner of every step kind, so that a new kind cannot slip in."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (forbidden,) = (one["forbidden_modules"] for one in contracts if one["name"].startswith("the collector takes the journey language"))
    assert {f"sojourn_probes.steps.{kind}_run" for kind in KINDS} - set(forbidden) == set()


def loaded_by(module: str) -> set[str]:
    """The top-level packages in memory after importing `module` in a fresh interpreter."""
    code = f"import sys, {module}; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_agent_daemon_loads_nothing_heavy():
    """Importing the agent's app loads no command-line toolkit, no browser driver and nothing of the collector."""
    assert loaded_by("sojourn_agent.app") & {"typer", "rich", "playwright", "fastapi", "sqlalchemy", "chdb", "numpy", "sojourn_collector"} == set()


def test_the_collector_daemon_never_imports_the_engine():
    """Importing the collector's app leaves chdb to the child."""
    assert loaded_by("sojourn_collector.app") & {"chdb", "typer", "rich", "playwright"} == set()


def test_the_packages_are_empty_at_the_top():
    """Importing a package by its name costs nothing."""
    for package in ("probes/sojourn_probes", "agent/sojourn_agent", "collector/sojourn_collector", "demo/sojourn_demo"):
        assert (ROOT / package / "__init__.py").read_text().strip() in ("", '"""Sojourn."""')
