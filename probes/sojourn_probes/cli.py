"""The command `sojourn`, for those who write journeys."""

import asyncio
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from sojourn_probes.cli_live import live_tree
from sojourn_probes.errors import JourneyFileError, Problem, SojournError
from sojourn_probes.ids import new_run_id
from sojourn_probes.journey import Journey
from sojourn_probes.load import duplicates, files_in, load_file, load_text, missing_names
from sojourn_probes.names import Names
from sojourn_probes.output import FORMS
from sojourn_probes.output.as_human import lines_of
from sojourn_probes.output.walked import Walked
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run as walk
from sojourn_probes.schema import journey_schema_text
from sojourn_probes.secrets import SecretStore
from sojourn_probes.starter import starter

BAD_FILE = 2
"""Exit code for a file, an argument or a setting that must be put right before anything can run."""

FINDINGS_FORMS = [name for name, form in FORMS.items() if form.findings is not None]


def _form_of(names: Sequence[str]) -> Callable[[str], str]:
    """A parser for --output that knows the forms of the one list."""

    def parse(word: str) -> str:
        if word not in names:
            raise typer.BadParameter(f"{word!r} is not one of {', '.join(names)}")
        return word

    return parse


app = typer.Typer(
    name="sojourn",
    help="Write and walk customer journeys. Results stay on this machine.\n\nExample: sojourn init https://shop.example && sojourn run shop-example.yaml",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[list[Path], typer.Argument(help="Journey files, or folders of them.", show_default=False)]


def main() -> None:
    """Run the command; one clear sentence instead of a traceback for what a person can put right."""
    try:
        app()
    except SojournError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_FILE)
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def init(
    url: Annotated[str | None, typer.Argument(help="Where the journey begins; asked once to choose what to expect.", show_default=False)] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="File to write; default <id>.yaml here.", show_default=False)] = None,
) -> None:
    """Write a first journey, one that passes as it is. Never overwrites a file.

    Example: sojourn init https://shop.example --file journeys/shop.yaml
    """
    journey_id, text = asyncio.run(starter(url))
    path = file or Path(f"{journey_id}.yaml")
    load_text(text, path)
    try:
        with path.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        raise SojournError(f"{path} is there already and stays as it is; name another with --file") from None
    except OSError as fault:
        raise SojournError(f"{path} cannot be written: {fault.strerror}") from None
    sys.stdout.write(f"wrote {path}; next: sojourn run {path}\n")


@app.command()
def validate(
    paths: Paths,
    output: Annotated[str, typer.Option("--output", "-o", parser=_form_of(FINDINGS_FORMS), metavar="|".join(FINDINGS_FORMS), help="How to say it.")] = "human",
    strict: Annotated[bool, typer.Option("--strict", help="Fail also when a variable or secret is not set here.")] = False,
) -> None:
    """Say what is wrong with journey files: file, line, column, cause and cure. Exit 0 when all are good, else 2.

    Example: sojourn validate journeys/ --output github
    """
    journeys, problems = _read(paths)
    store = _store()
    missing = [problem for journey in journeys for problem in missing_names(journey, os.environ, store)]
    findings = FORMS[output].findings
    assert findings is not None
    sys.stdout.write(findings(journeys, problems, missing))
    if problems or (strict and missing):
        raise typer.Exit(BAD_FILE)


@app.command()
def run(
    paths: Paths,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", parser=_form_of(list(FORMS)), metavar="|".join(FORMS), help="How to give the result; on a terminal, human is a live tree."
        ),
    ] = "human",
    location: Annotated[str, typer.Option("--location", help="Name of this place in the result.")] = "local",
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Folder for screenshots and the like of failed steps.", show_default=False)] = None,
) -> None:
    """Walk journeys once. Exit 0 when all passed, 1 when one did not, 2 when a file, variable or secret is missing or wrong.

    Example: sojourn run journeys/checkout.yaml --output junit > sojourn.xml
    """
    journeys, problems = _read(paths)
    store = _store()
    problems += [problem for journey in journeys for problem in missing_names(journey, os.environ, store)]
    problems += [_nothing_to_walk(journey) for journey in journeys if not journey.has_probes]
    if problems:
        raise JourneyFileError(problems)
    if evidence is not None:
        evidence.mkdir(parents=True, exist_ok=True)
    walked = asyncio.run(_walk_all(journeys, store, location, evidence, human=output == "human"))
    if output != "human":
        sys.stdout.write(FORMS[output].runs(walked))
    if not all(one.passed for one in walked):
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of journey files, for completion and marks in editors.

    Example: sojourn schema > journey.schema.json
    """
    sys.stdout.write(journey_schema_text())


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def demo(context: typer.Context) -> None:
    """Start the demo: a small shop, its shoppers, a fault, and the report. Options are passed on to it.

    Example: sojourn demo --once --json
    """
    if importlib.util.find_spec("sojourn_demo") is None:
        raise SojournError("the demo is not installed; install sojourn[all]")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "sojourn_demo", *context.args])  # noqa: S606 - our own module, no shell


def _read(paths: Sequence[Path]) -> tuple[list[Journey], list[Problem]]:
    """The good journeys of `paths`, and the problems of the others."""
    journeys: list[Journey] = []
    problems: list[Problem] = []
    for path in _files(paths, problems):
        try:
            journeys.append(load_file(path))
        except JourneyFileError as error:
            problems += error.problems
    problems += duplicates(journeys)
    return journeys, problems


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Path]:
    for path in dict.fromkeys(paths):
        if not path.is_dir():
            yield path
            continue
        found = files_in(path)
        if not found:
            problems.append(Problem(str(path), 1, 1, "", "holds no journey file (*.yaml); `sojourn init` writes one"))
        yield from found


def _store() -> SecretStore:
    return SecretStore(os.environ, os.environ.get("CREDENTIALS_DIRECTORY") or None)


def _nothing_to_walk(journey: Journey) -> Problem:
    return Problem(
        str(journey.source), *journey.place_of(("steps",)), "steps", "has nothing to walk, only customers to recognise; add http: or browser: to a step"
    )


async def _walk_all(journeys: Sequence[Journey], store: SecretStore, location: str, evidence: Path | None, *, human: bool) -> list[Walked]:
    walked: list[Walked] = []
    redact = Redactor(store)
    tools: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        tools["stack"] = stack
        for journey in journeys:
            names = Names(journey.vars, os.environ, store, new_run_id(time.time()))
            with _shown(journey, human=human) as hear:
                result = await walk(journey, location=location, names=names, redact=redact, tools=tools, evidence_folder=evidence, on_event=hear)
            walked.append(Walked(journey, result))
            if human and not sys.stdout.isatty():
                sys.stdout.write("".join(f"{line}\n" for line in lines_of(walked[-1])))
                sys.stdout.flush()
    return walked


@contextmanager
def _shown(journey: Journey, *, human: bool) -> Iterator[Any]:
    """The live tree where there is a terminal to show it on."""
    if not human or not sys.stdout.isatty():
        yield None
        return
    with live_tree(journey, Console()) as hear:
        yield hear


if __name__ == "__main__":
    main()
