"""Files stay small and speak of the project alone."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.conftest import LONG

ROOT = Path(__file__).parents[2]
BUILT = ("vendor/", "rum.js", "uv.lock", "package-lock.json", "LICENSE", "journey.schema.json")


def tracked() -> list[Path]:
    """What git tracks, or without git every file outside hidden folders."""
    if shutil.which("git") and (ROOT / ".git").exists():
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    else:
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        names = [str(path) for path in found if not any(part.startswith(".") or part in {"node_modules", "__pycache__"} for part in path.parts)]
    return [ROOT / name for name in names if name and (ROOT / name).is_file() and not any(mark in name for mark in BUILT)]


def test_no_python_file_is_longer_than_600_lines():
    """A file of more than 600 lines is two files."""
    long = {str(path.relative_to(ROOT)): n for path in tracked() if path.suffix == ".py" and (n := len(path.read_text().splitlines())) > 600}
    assert long == {}


def test_no_catch_all_module():
    """There is no module for what has no name."""
    assert [str(path) for path in tracked() if path.stem in {"utils", "util", "common", "helpers", "misc", "shared"}] == []


def test_no_registry_host_and_no_foreign_path():
    """No file names a package registry's host or a folder of somebody's machine."""
    hosts = "|".join(("files.python" + "hosted", "registry.npm" + "js", "pypi" + r"\.org/simple", "deb" + r"\.debian", "/ro" + "ot/", "/wo" + "rk/"))
    found = []
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".ts", ".json", ".html", ".css", ".sql", ""}:
            text = path.read_text(errors="replace")
            found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in re.finditer(hosts, text)]
    assert found == []


def test_every_test_states_its_fact():
    """Each test function has a docstring."""
    missing = []
    for path in tracked():
        if path.suffix == ".py" and path.name.startswith("test_"):
            lines = path.read_text().splitlines()
            for number, line in enumerate(lines):
                if re.match(r"\s*(async )?def test_", line):
                    end = next((i for i in range(number, min(number + 15, len(lines))) if lines[i].rstrip().endswith(":")), number)
                    if '"""' not in "".join(lines[end + 1 : end + 2]):
                        missing.append(f"{path.relative_to(ROOT)}:{number + 1}")
    assert missing == []


def test_files_that_begin_first_are_there():
    """Each file that tests/conftest.py puts first exists."""
    assert [name for name in LONG if not (ROOT / "tests" / name).is_file()] == []
