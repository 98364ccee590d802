"""`sojourn record`: a journey out of what a person does in a browser."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sojourn_probes.addresses import origin_of
from sojourn_probes.cli_import import told
from sojourn_probes.cli_streams import say
from sojourn_probes.errors import SojournError
from sojourn_probes.importers.draft import Work, shown_host, slug


def record(
    url: Annotated[str, typer.Argument(help="Where to begin.", show_default=False)],
    file: Annotated[Path | None, typer.Option("--file", "-f", help="File to write; default <host>.yaml here.", show_default=False)] = None,
    headless: Annotated[bool, typer.Option("--headless", hidden=True, help="Without a window, for tests.")] = False,
) -> None:
    """Open a browser, watch what you do, and write it as a journey. What is typed into password fields becomes a reference to a secret.

    Example: sojourn record https://shop.example --file journeys/buy.yaml
    """
    if "://" not in url:
        url = f"https://{url}"
    if origin_of(url) is None:
        raise SojournError(f"{url!r} is no address; write it with http:// or https://")
    path = file or Path(f"{slug(shown_host(url).removeprefix('www.'), 'recorded')}.yaml")
    if os.path.lexists(path):
        raise SojournError(f"{path} is there already and stays as it is; name another with --file")
    from sojourn_probes import recording

    seen = asyncio.run(recording.record(url, headless=headless, say=_tell))
    work = Work("record", path.name)
    recording.drafted(seen, url, work)
    made = work.finished()
    if not made:
        raise SojournError("nothing was done that a journey can say; nothing was written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as opened:
            opened.write(made[0].text)
    except FileExistsError:
        raise SojournError(f"{path} is there already and stays as it is; name another with --file") from None
    except OSError as fault:
        raise SojournError(f"{path} cannot be written: {fault.strerror}") from None
    say(f"wrote {path}; next: sojourn run {path}\n")
    sys.stderr.write("".join(f"{line}\n" for line in told(work)))


def _tell(line: str) -> None:
    sys.stderr.write(f"{' '.join(line.split())}\n")
    sys.stderr.flush()


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(record)
