"""Finding a browser: which is chosen, that it is tried, and what is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sojourn_probes.chromium import BrowserMissing, Choice, candidates, ensure, find, launch_args, try_launch

CURE = "install Chromium (Debian: apt-get install chromium; anywhere: playwright install chromium) or name one with SOJOURN_CHROMIUM=/path/to/chromium"


def program(folder: Path, name: str, script: str = "exit 3") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_named_one_comes_before_all(tmp_path):
    """SOJOURN_CHROMIUM is the only candidate; one that is no file is refused with the cure."""
    path = program(tmp_path, "mine")
    assert [choice.path for choice in candidates({"SOJOURN_CHROMIUM": str(path), "PATH": os.environ["PATH"]})] == [str(path)]
    with pytest.raises(BrowserMissing) as caught:
        find({"SOJOURN_CHROMIUM": "/no/such/browser"})
    assert str(caught.value) == "SOJOURN_CHROMIUM names /no/such/browser, which is not a file; correct or unset it"


def test_installed_ones_come_before_playwrights_and_once_each(tmp_path):
    """The PATH is searched first, links to the same file count once, then Playwright's downloads, the newest build first."""
    real = program(tmp_path / "bin", "google-chrome")
    (tmp_path / "bin" / "chromium").symlink_to(real)
    downloads = [program(tmp_path / "pw" / f"chromium-{build}" / "chrome-linux", "chrome") for build in (999, 1187)]
    found = list(candidates({"PATH": str(tmp_path / "bin"), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "pw")}))
    assert [choice.path for choice in found] == [str(tmp_path / "bin" / "chromium"), str(downloads[1]), str(downloads[0])]
    assert [choice.source for choice in found] == ["installed", "Playwright", "Playwright"]


def test_none_is_one_sentence(tmp_path):
    """Where there is no browser the error says how to get one."""
    with pytest.raises(BrowserMissing) as caught:
        find({"PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)})
    assert str(caught.value) == f"no Chromium or Chrome found; {CURE}"


def test_the_sandbox_is_off_for_root_only():
    """--no-sandbox is given to root, whose Chromium does not start otherwise, and to nobody else."""
    assert ("--no-sandbox" in launch_args(0), "--no-sandbox" in launch_args(1000)) == (True, False)


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("echo 'cannot open display' >&2; exit 3", "ended with 3: cannot open display"),
        ("exit 0", "ended with 0: no output"),
        ("sleep 60", "showed no page within 0.5 s"),
    ],
)
def test_a_choice_counts_only_when_it_shows_a_page(tmp_path, script, fault):
    """A program that ends, lies or hangs is no browser, and nothing of it is left."""
    path = program(tmp_path, "fake", script)
    assert try_launch(Choice(str(path), "test", ()), timeout=0.5 if "sleep" in script else 20) == fault


def test_a_named_one_that_does_not_start_is_refused(tmp_path):
    """`ensure` does not quietly take another browser than the one that was named."""
    path = program(tmp_path, "fake")
    said: list[str] = []
    with pytest.raises(BrowserMissing) as caught:
        ensure({"SOJOURN_CHROMIUM": str(path)}, said.append)
    assert str(caught.value) == f"SOJOURN_CHROMIUM names {path}, which does not start; correct or unset it"
    assert said == [f"{path} (SOJOURN_CHROMIUM): ended with 3: no output"]


@pytest.mark.browser
def test_the_command_finds_one_and_says_so():
    """`python -m sojourn_probes.chromium --ensure` tries on standard error and prints the path alone on standard output."""
    done = subprocess.run([sys.executable, "-m", "sojourn_probes.chromium", "--ensure"], capture_output=True, text=True, check=False)
    assert (done.returncode, Path(done.stdout.strip()).is_file()) == (0, True)
    assert done.stderr.strip().endswith(": works")
