"""Finding a Chromium that works: the one named, an installed one, Playwright's own download, the package manager's.

`python -m sojourn_probes.chromium --ensure` launches each choice once before it counts and says a line for each on standard error.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sojourn_probes.errors import SojournError

ENVIRONMENT_NAME: Final = "SOJOURN_CHROMIUM"
"""Environment variable that names the executable to use before all others."""

INSTALLED: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Programs looked for on the PATH, in this order."""

LAUNCH_SECONDS: Final = 45.0
"""How long a browser may take to show its first page; a cold start on a busy small machine takes up to fifteen."""

_PAGE = "data:text/html,<p>sojourn-alive</p>"
_CURE = f"install Chromium (Debian: apt-get install chromium; anywhere: playwright install chromium) or name one with {ENVIRONMENT_NAME}=/path/to/chromium"


class BrowserMissing(SojournError):  # noqa: N818 - says what is the matter
    """There is no browser that works; the text says what was tried and the cure."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A browser one could use: where it is, how it was found, and what it must be started with."""

    path: str
    source: str
    args: tuple[str, ...]


def candidates(environ: Mapping[str, str] | None = None) -> Iterator[Choice]:
    """Every browser that is there, best first, none of them tried. A browser named by the environment is the only one."""
    environ = os.environ if environ is None else environ
    if named := environ.get(ENVIRONMENT_NAME):
        yield Choice(named, ENVIRONMENT_NAME, launch_args())
        return
    seen: set[str] = set()
    for program in INSTALLED:
        path = shutil.which(program, path=environ.get("PATH"))
        if path and os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield Choice(path, "installed", launch_args())
    for path in _downloaded(environ):
        yield Choice(path, "Playwright", launch_args())


def find(environ: Mapping[str, str] | None = None) -> Choice:
    """The first browser that is there. Raises `BrowserMissing`."""
    for choice in candidates(environ):
        if Path(choice.path).is_file():
            return choice
        raise BrowserMissing(f"{choice.source} names {choice.path}, which is not a file; correct or unset it")
    raise BrowserMissing(f"no Chromium or Chrome found; {_CURE}")


def ensure(environ: Mapping[str, str] | None = None, say: Callable[[str], None] = lambda line: None) -> Choice:
    """A browser that has been launched once, fetched if need be: Playwright's download, then as root apt-get. `say` gets a line per try.

    Raises `BrowserMissing` when nothing works.
    """
    environ = os.environ if environ is None else environ
    for fetch in (None, _fetch_with_playwright, _fetch_with_apt):
        if fetch is not None and not fetch(say):
            continue
        for choice in candidates(environ):
            fault = try_launch(choice)
            say(f"{choice.path} ({choice.source}): {fault or 'works'}")
            if fault is None:
                return choice
        if environ.get(ENVIRONMENT_NAME):
            raise BrowserMissing(f"{ENVIRONMENT_NAME} names {environ[ENVIRONMENT_NAME]}, which does not start; correct or unset it")
    raise BrowserMissing(f"no Chromium or Chrome starts on this machine; {_CURE}")


def launch_args(uid: int | None = None) -> tuple[str, ...]:
    """What every Chromium of ours is started with. As root its sandbox cannot work, and only then it is off."""
    args = ("--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update")
    return (*args, "--no-sandbox") if (os.getuid() if uid is None else uid) == 0 else args


def try_launch(choice: Choice, timeout: float = LAUNCH_SECONDS) -> str | None:
    """Start the browser, load one page, end it. None when that worked, else why not in a few words. `timeout` is in seconds."""
    with tempfile.TemporaryDirectory(prefix="sojourn-chromium-", ignore_cleanup_errors=True) as profile:
        command = [choice.path, "--headless", "--disable-gpu", *choice.args, f"--user-data-dir={profile}", "--dump-dom", _PAGE]
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        except OSError as fault:
            return f"does not start: {fault.strerror}"
        try:
            page, complaint = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            return f"showed no page within {timeout:g} s"
        finally:
            _end_group(process)
    if b"sojourn-alive" in page:
        return None
    last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["no output"]
    return f"ended with {process.returncode}: {last[0][:200]}"


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _downloaded(environ: Mapping[str, str]) -> list[str]:
    """Chromium as `playwright install` puts it, the newest build first."""
    home = environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(Path(environ.get("HOME") or "~").expanduser() / ".cache" / "ms-playwright")
    found = [*Path(home).glob("chromium-*/chrome-linux*/chrome"), *Path(home).glob("chromium_headless_shell-*/chrome-*linux*/*headless*shell")]
    return [str(path) for path in sorted(found, key=lambda path: path.parts[-3].rpartition("-")[2].rjust(9, "0"), reverse=True)]


def _fetch_with_playwright(say: Callable[[str], None]) -> bool:
    return _fetch([sys.executable, "-m", "playwright", "install", "chromium"], "Playwright's download", say)


def _fetch_with_apt(say: Callable[[str], None]) -> bool:
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        return False
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    update = _fetch(["apt-get", "update", "-qq"], "apt-get update", say, environ)
    return update and _fetch(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], "apt-get install chromium", say, environ)


def _fetch(command: list[str], name: str, say: Callable[[str], None], environ: Mapping[str, str] | None = None) -> bool:
    say(f"{name} …")
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, env=environ, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        say(f"{name}: {type(fault).__name__}")
        return False
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        say(f"{name}: failed: {last[0][:200]}")
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """`--ensure` fetches what is missing; without it, only look and say. 0 when there is a browser, 1 when not, 2 for anything else."""
    if arguments not in ([], ["--ensure"]):
        print("usage: python -m sojourn_probes.chromium [--ensure]", file=sys.stderr)  # noqa: T201 - a command line
        return 2
    try:
        choice = ensure(say=lambda line: print(f"browser: {line}", file=sys.stderr)) if arguments else find()  # noqa: T201 - a command line
    except BrowserMissing as fault:
        print(f"browser: {fault}", file=sys.stderr)  # noqa: T201 - a command line
        return 1
    print(choice.path)  # noqa: T201 - a command line
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
