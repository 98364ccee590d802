"""`sojourn import`: journeys out of what other tools wrote."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sojourn_probes.cli_streams import hand_over, say
from sojourn_probes.errors import SojournError
from sojourn_probes.importers import FORMATS, decoded, read_text, text_of_file
from sojourn_probes.importers.draft import Made, Work
from sojourn_probes.importers.source import MAX_BYTES, ImportFault

_FORMATS: Final = "|".join(FORMATS)


def _format(word: str) -> str:
    if word not in FORMATS:
        raise typer.BadParameter(f"{word!r} is not one of {', '.join(FORMATS)}")
    return word


def import_(
    format_: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            parser=_format,
            help=f"What the file is: {', '.join(FORMATS)}.",
            show_default=False,
        ),
    ],
    file: Annotated[Path, typer.Argument(help="The file to read; - for standard input.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-O", help="Folder to write a file for each journey into; default one journey to stdout.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON on stdout: journeys, secrets to set, what was not carried over.")] = False,
    target: Annotated[list[str] | None, typer.Option("--target", help="For blackbox: what to probe; may be given several times.", show_default=False)] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Address of the site, instead of the one in the file.", show_default=False)] = None,
) -> None:
    """Write journeys out of what another tool wrote. Secrets are lifted out to references; what could not be carried over is said on stderr.

    Example: sojourn import postman shop.postman_collection.json --out journeys/
    """
    work = Work(format_, "stdin" if str(file) == "-" else str(file), tuple(target or ()), _checked_base(base_url))
    read_text(_text(file), work)
    made = work.finished()
    if not made:
        raise ImportFault(f"{work.source}: holds nothing that a journey can say{_because(work)}")
    if len(made) > 1 and out is None and not as_json:
        raise SojournError(f"{work.source} makes {len(made)} journeys; name a folder for them with --out")
    written = _write(made, out, force=force) if out is not None else {}
    if as_json:
        hand_over(json.dumps(_report(work, made, written), indent=2, ensure_ascii=False) + "\n")
    elif out is None:
        hand_over(made[0].text)
    else:
        say("".join(f"wrote {path}\n" for path in written.values()) + f"next: sojourn validate {out}\n")
    sys.stderr.write("".join(f"{line}\n" for line in told(work)))


def told(work: Work) -> list[str]:
    """A line for everything that was not carried over, and one for the secrets to set."""
    lines = []
    for lost in work.lost:
        place = f"{work.source}:{lost.line}" if lost.line else work.source
        lines.append(work.vault.hidden(f"{place}: {lost.place}: {lost.message}"))
    if work.more_lost:
        lines.append(f"{work.source}: and {work.more_lost} more")
    lines += [f"set SOJOURN_SECRET_{name.upper()}, which stood in {work.vault.hidden(place)}" for name, place in work.vault.names.items()]
    return [" ".join(line.split()) for line in lines]


def _checked_base(base_url: str | None) -> str | None:
    from sojourn_probes.addresses import origin_of

    if base_url is not None and (origin_of(base_url) is None or "@" in base_url):
        raise SojournError(f"--base-url {base_url.rpartition('@')[2]!r} is no address; write it with http:// or https://, without user and password")
    return base_url


def _text(file: Path) -> str:
    if str(file) != "-":
        return text_of_file(file)
    return decoded(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin")


def _because(work: Work) -> str:
    return work.vault.hidden(f"; {work.lost[0].place}: {work.lost[0].message}") if work.lost else ""


def _write(made: list[Made], out: Path, *, force: bool) -> dict[str, Path]:
    """Each journey into its file. Nothing is written when one of them is there and may not be overwritten."""
    paths = {one.id: out / f"{one.id}.yaml" for one in made}
    there = [path for path in paths.values() if os.path.lexists(path)]
    if there and not force:
        more = f" and {len(there) - 1} more are" if len(there) > 1 else " is"
        raise SojournError(f"{there[0]}{more} there already; nothing was written, say --force to overwrite")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for one in made:
            with paths[one.id].open("w" if force else "x", encoding="utf-8") as file:
                file.write(one.text)
    except OSError as fault:
        raise SojournError(f"{fault.filename or out} cannot be written: {fault.strerror}") from None
    return paths


def _report(work: Work, made: list[Made], written: dict[str, Path]) -> dict[str, Any]:
    journeys = [
        {"id": one.id, "name": one.name, "steps": one.steps, **({"file": str(written[one.id])} if one.id in written else {"text": one.text})} for one in made
    ]
    return {
        "format": work.format,
        "source": work.source,
        "journeys": journeys,
        "secrets": [
            {"name": name, "variable": f"SOJOURN_SECRET_{name.upper()}", "place": work.vault.hidden(place)} for name, place in work.vault.names.items()
        ],
        "not_carried_over": [
            {"place": work.vault.hidden(lost.place), "line": lost.line or None, "message": work.vault.hidden(lost.message)} for lost in work.lost
        ],
        "more_not_carried_over": work.more_lost,
    }


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("import")(import_)
