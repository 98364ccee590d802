"""Walks the journeys that the command was given, and shows each as it goes."""

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from sojourn_probes import cli_streams
from sojourn_probes.across import across
from sojourn_probes.cli_live import live_tree
from sojourn_probes.errors import JourneyFileError, Problem, SojournError
from sojourn_probes.events import Event
from sojourn_probes.ids import new_run_id
from sojourn_probes.journey import Journey
from sojourn_probes.load import files_in, load_file, missing_names
from sojourn_probes.marks import make_mark
from sojourn_probes.names import Names
from sojourn_probes.output.as_human import ending, heading, lines_of, summary_lines
from sojourn_probes.output.walked import Walked
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run as walk
from sojourn_probes.secrets import SecretStore
from sojourn_probes.semconv import Outcome

PROBE_KEY: Final = "SOJOURN_PROBE_KEY"
"""Environment variable with the key that marks what probes do, for journeys that make real orders."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to walk: `repeat` times each, only those with one of `tags`, `shown` while it goes when people watch."""

    location: str = "local"
    evidence: Path | None = None
    headed: bool = False
    repeat: int = 1
    tags: tuple[str, ...] = ()
    secrets: Path | None = None
    shown: bool = True


def read_all(paths: Sequence[Path]) -> tuple[list[Journey], list[Problem]]:
    """The good journeys of files and folders, and the problems of the others."""
    journeys: list[Journey] = []
    problems: list[Problem] = []
    for path in _files(paths, problems):
        try:
            journeys.append(load_file(path))
        except JourneyFileError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    problems += across(journeys, complete=not problems and any(path.is_dir() for path in paths))
    return journeys, problems


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    """Each file once, though it may be named itself and by its folder."""
    seen: set[Path] = set()
    for path in paths:
        found = files_in(path) if path.is_dir() else [path]
        if not found:
            problems.append(Problem(str(path), 1, 1, "", "holds no journey file (*.yaml); `sojourn init` writes one"))
        for file in found:
            if (same := file.resolve()) not in seen:
                seen.add(same)
                yield file


def secret_store(file: Path | None = None) -> SecretStore:
    """The secrets of this machine, those in `file` asked last. Raises `SojournError` when it is not there."""
    if file is not None and not file.is_file():
        raise SojournError(f"--secrets: {file} is not there; name a file of NAME=value lines that only you may read (chmod 600)")
    return SecretStore(os.environ, os.environ.get("CREDENTIALS_DIRECTORY") or None, env_file=file)


def probe_mark(environ: Mapping[str, str]) -> Callable[[str], str] | None:
    """What makes the probe mark of a run, from `SOJOURN_PROBE_KEY=<id>:<key>`; None without it. Raises `SojournError`."""
    given = environ.get(PROBE_KEY, "")
    if not given:
        return None
    key_id, _, key = given.partition(":")
    try:
        make_mark(new_run_id(time.time()), key_id, key.encode(), time.time())
    except ValueError as fault:
        raise SojournError(f"${PROBE_KEY} is no probe key ({fault}); write <id>:<key>, the same as under probe_keys: of the agent") from None
    return lambda run_id: make_mark(run_id, key_id, key.encode(), time.time())


def read_to_walk(paths: Sequence[Path], store: SecretStore, tags: Sequence[str] = ()) -> list[Journey]:
    """The journeys of `paths`, those with one of `tags` if any are given, all fit to be walked here.

    Raises `JourneyFileError` with everything that must be put right first, `SojournError` when no journey has such a tag.
    """
    journeys, problems = read_all(paths)
    if tags and not problems:
        known = sorted({tag for journey in journeys for tag in journey.tags})
        journeys = [journey for journey in journeys if set(journey.tags) & set(tags)]
        if not journeys:
            there = f"tags there are: {', '.join(known)}" if known else "no journey has tags"
            raise SojournError(f"no journey has the tag {' or '.join(tags)}; {there}")
    problems += [problem for journey in journeys for problem in missing_names(journey, os.environ, store)]
    problems += [_nothing_to_walk(journey) for journey in journeys if not journey.has_probes]
    if problems:
        raise JourneyFileError(problems)
    return journeys


def _nothing_to_walk(journey: Journey) -> Problem:
    return Problem(
        str(journey.source), *journey.place_of(("steps",)), "steps", "has nothing to walk, only customers to recognise; add http: or browser: to a step"
    )


@asynccontextmanager
async def tools_for(wish: Wish) -> AsyncIterator[dict[str, Any]]:
    """What outlives runs, such as the warm browser; ended at the end."""
    async with AsyncExitStack() as stack:
        tools: dict[str, Any] = {"stack": stack}
        if wish.headed:
            require_display()
            from sojourn_probes.steps.browser_pool import BrowserPool

            pool = tools["browser"] = BrowserPool(headed=True)
            stack.push_async_callback(pool.aclose)
        yield tools


def require_display() -> None:
    """Raises `SojournError` where no window can be opened."""
    if os.name == "posix" and os.uname().sysname == "Linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SojournError(
            "--headed opens a window and there is no display ($DISPLAY and $WAYLAND_DISPLAY are not set); "
            "run it in a desktop session, or as: xvfb-run sojourn run …"
        )


async def walk_all(journeys: Sequence[Journey], store: SecretStore, wish: Wish, tools: dict[str, Any]) -> list[Walked]:
    """Walk each journey as often as wished, one run after the other."""
    redact, mark = Redactor(store), probe_mark(os.environ)
    live = wish.shown and cli_streams.on_terminal(os.environ)
    walked: list[Walked] = []
    for journey in journeys:
        for number in range(1, wish.repeat + 1):
            names = Names(journey.at(wish.location).vars, os.environ, store, new_run_id(time.time()), location=wish.location, timezone=journey.timezone)
            with _shown(journey, f"  {number} of {wish.repeat}" if wish.repeat > 1 else "", live=live) as hear:
                result = await walk(
                    journey, location=wish.location, names=names, redact=redact, mark=mark, tools=tools, evidence_folder=wish.evidence, on_event=hear
                )
            walked.append(Walked(journey, result))
            if wish.shown and not live:
                cli_streams.say("".join(f"{line}\n" for line in _plain(walked[-1], number, wish.repeat)))
    if wish.shown:
        cli_streams.say("".join(f"{line}\n" for line in summary_lines(walked)))
    return walked


def _plain(walked: Walked, number: int, of: int) -> list[str]:
    """A run in lines; one of many that simply passed is one line."""
    if of == 1:
        return lines_of(walked)
    dull = walked.result.outcome is Outcome.PASSED and not walked.result.flaky
    return [f"{number} of {of}: {heading(walked.journey)}: {ending(walked.result)}", *([] if dull else lines_of(walked)[1:-1])]


@contextmanager
def _shown(journey: Journey, which: str, *, live: bool) -> Iterator[Callable[[Event], None] | None]:
    """The live tree where there is a terminal to show it on."""
    if not live:
        yield None
        return
    with live_tree(journey, Console(), which) as hear:
        yield hear
