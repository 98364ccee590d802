"""The command `sojourn`, for those who write journeys."""

import asyncio
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sojourn_probes import cli_discover, cli_import, cli_record
from sojourn_probes.cli_streams import hand_over, prepare, say, while_read
from sojourn_probes.cli_walk import Wish, read_all, read_to_walk, require_display, secret_store, tools_for, walk_all
from sojourn_probes.diff import Fate, differences
from sojourn_probes.errors import JourneyFileError, SojournError
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text, missing_names
from sojourn_probes.naming import ID_PATTERN
from sojourn_probes.output import FORMS
from sojourn_probes.output.walked import Walked, exit_code
from sojourn_probes.schema import journey_schema_text
from sojourn_probes.secrets import SecretStore
from sojourn_probes.starter import starter

BAD_FILE = 2
"""Exit code for a file, an argument or a setting that must be put right before anything can run."""

FINDINGS_FORMS = [name for name, form in FORMS.items() if form.findings is not None]


DIFFERENCE_FORMS = [name for name, form in FORMS.items() if form.differences is not None]

CHANGED = 1
"""Exit code of diff when something changes."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as of a program ended by SIGINT."""


def _form_of(names: Sequence[str]) -> Callable[[str], str]:
    """A parser for --output that knows the forms of the one list."""

    def parse(word: str) -> str:
        if word not in names:
            raise typer.BadParameter(f"{word!r} is not one of {', '.join(names)}")
        return word

    return parse


def _beginning(names: Sequence[str]) -> Callable[[str], list[str]]:
    """Completes the words of `names`; typer knows the argument by its name."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def _location(word: str) -> str:
    if not re.match(ID_PATTERN, word):
        raise typer.BadParameter(f"{word!r} will not do; small letters, digits, - and _ are taken, up to 64, the first a letter or digit")
    return word


app = typer.Typer(
    name="sojourn",
    help="Write and walk customer journeys. Results stay on this machine.\n\nExample: sojourn init https://shop.example && sojourn run shop-example.yaml",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[list[Path], typer.Argument(metavar="FILES", help="Journey files, or folders of them.", show_default=False)]

SecretsFile = Annotated[
    Path | None, typer.Option("--secrets", metavar="FILE", help="File of NAME=value lines, asked last; only you may read it (chmod 600).", show_default=False)
]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command; one clear sentence instead of a traceback for what a person can put right."""
    prepare()
    sys.exit(while_read(lambda: _code(arguments)))


def _code(arguments: Sequence[str] | None) -> int:
    """Run the command; its exit code."""
    try:
        code: int | None = app(None if arguments is None else list(arguments), prog_name="sojourn", standalone_mode=False)
    except typer.TyperException as error:
        code = _wrong_use(error)
    except SojournError as error:
        sys.stderr.write(f"{error}\n")
        code = BAD_FILE
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    return code or 0


def _wrong_use(error: typer.TyperException) -> int:
    """One sentence about an argument or option that will not do."""
    context = getattr(error, "ctx", None)
    said = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    if said:  # `sojourn` alone has shown its help
        command = "sojourn" if context is None else context.command_path
        joint = " " if said.endswith("?") else "; "
        sys.stderr.write(f"{said[:1].lower()}{said[1:]}{joint}`{command} --help` shows what there is\n")
    return BAD_FILE


@app.command()
def init(
    url: Annotated[str | None, typer.Argument(metavar="URL", help="Where the journey begins; asked once to choose what to expect.", show_default=False)] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="File to write; default <id>.yaml here.", show_default=False)] = None,
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
    say(f"wrote {path}; next: sojourn run {path}\n")


@app.command()
def validate(
    paths: Paths,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            parser=_form_of(FINDINGS_FORMS),
            autocompletion=_beginning(FINDINGS_FORMS),
            metavar="|".join(FINDINGS_FORMS),
            help="How to say it.",
        ),
    ] = "human",
    strict: Annotated[bool, typer.Option("--strict", metavar="", help="Fail also when a variable or secret is not set here.")] = False,
    no_env: Annotated[bool, typer.Option("--no-env", metavar="", help="Say nothing about variables and secrets: another machine walks the journeys.")] = False,
    secrets: SecretsFile = None,
) -> None:
    """Say what is wrong with journey files: file, line, column, cause and cure. Exit 0 when all are good, else 2.

    Example: sojourn validate journeys/ --output github
    """
    if strict and no_env:
        raise SojournError("--strict and --no-env contradict each other; leave one out")
    journeys, problems = read_all(paths)
    store = secret_store(secrets)
    missing = [] if no_env else [problem for journey in journeys for problem in missing_names(journey, os.environ, store)]
    form = FORMS[output]
    assert form.findings is not None
    form.write(form.findings(journeys, problems, missing))
    if problems or (strict and missing):
        raise typer.Exit(BAD_FILE)


@app.command()
def run(
    paths: Paths,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            parser=_form_of(list(FORMS)),
            autocompletion=_beginning(list(FORMS)),
            metavar="|".join(FORMS),
            help="How to give the result; on a terminal, human is a live tree.",
        ),
    ] = "human",
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Only journeys with this tag; given several times, with one of them.", show_default=False)
    ] = None,
    location: Annotated[str, typer.Option("--location", parser=_location, metavar="NAME", help="Walk as the agent of this location.")] = "local",
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="FOLDER", help="Folder for screenshots and the like of failed steps.", show_default=False)
    ] = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, max=10_000, metavar="N", help="Walk each journey N times, then say p50 and p95 of each step, and what failed.")
    ] = 1,
    watch: Annotated[bool, typer.Option("--watch", metavar="", help="Walk again whenever a file is saved, until Ctrl-C.")] = False,
    headed: Annotated[bool, typer.Option("--headed", metavar="", help="Browser steps in a visible window.")] = False,
    secrets: SecretsFile = None,
) -> None:
    """Walk journeys once. Results stay on this machine. Journeys that make real orders need a probe key: SOJOURN_PROBE_KEY=<id>:<key>.

    Exit 0 when all passed (slow ones included), 1 when one failed, 2 for a bad file or a missing secret, 3 when one could not be measured.

    Example: sojourn run journeys/checkout.yaml --output junit > sojourn.xml
    """
    if watch and output != "human":
        raise SojournError("--watch shows its runs to people; leave --output out, or walk once without --watch")
    wish = Wish(location, _folder(evidence), headed, repeat, tuple(tags or ()), secrets, shown=output == "human")
    if headed:
        require_display()
    if watch:
        raise typer.Exit(_watched(paths, wish))
    store = secret_store(secrets)
    walked = asyncio.run(_walked(read_to_walk(paths, store, wish.tags), store, wish))
    if output != "human":
        FORMS[output].write(FORMS[output].runs(walked))
    raise typer.Exit(exit_code(walked))


async def _walked(journeys: Sequence[Journey], store: SecretStore, wish: Wish) -> list[Walked]:
    async with tools_for(wish) as tools:
        return await walk_all(journeys, store, wish, tools)


def _watched(paths: Sequence[Path], wish: Wish) -> int:
    """Walk at every save until Ctrl-C; the exit code of the last walk."""
    from sojourn_probes.cli_watch import Watch

    watching = Watch(paths, wish)
    with suppress(KeyboardInterrupt):
        asyncio.run(watching.forever())
    return watching.code


def _folder(path: Path | None) -> Path | None:
    """The folder for evidence, made if need be."""
    if path is not None:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise SojournError(f"--evidence: {path} cannot be made a folder: {fault.strerror}") from None
    return path


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="Journey file, or a folder of them, as it is now.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The file or folder to take its place.", show_default=False)],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            parser=_form_of(DIFFERENCE_FORMS),
            autocompletion=_beginning(DIFFERENCE_FORMS),
            metavar="|".join(DIFFERENCE_FORMS),
            help="How to say it.",
        ),
    ] = "human",
) -> None:
    """Say what changes for a running agent when AFTER takes the place of BEFORE, and where history breaks.

    As diff does: exit 0 when nothing changes, 1 when something does, 2 when a file is bad. Comments and layout are no change.

    Example: sojourn diff journeys/ new/journeys/
    """
    sides = [read_all([path]) for path in (before, after)]
    if problems := [problem for _, found in sides for problem in found]:
        raise JourneyFileError(problems)
    found = differences(sides[0][0], sides[1][0], pair=before.is_file() and after.is_file())
    form = FORMS[output]
    assert form.differences is not None
    form.write(form.differences(found))
    if any(one.fate is not Fate.SAME for one in found):
        raise typer.Exit(CHANGED)


@app.command()
def schema() -> None:
    """Print the JSON Schema of journey files, for completion and marks in editors.

    Example: sojourn schema > journey.schema.json
    """
    hand_over(journey_schema_text())


cli_import.register(app)
cli_record.register(app)
cli_discover.register(app)


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def demo(context: typer.Context) -> None:
    """Start the demo: a small shop, its shoppers, a fault, and the report. Options are passed on to it.

    Example: sojourn demo --once --json
    """
    if importlib.util.find_spec("sojourn_demo") is None:
        raise SojournError("the demo is not installed; install sojourn[all]")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "sojourn_demo", *context.args])  # noqa: S606 - our own module, no shell


if __name__ == "__main__":
    main()
