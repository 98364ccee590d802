"""`sojourn discover`: journeys out of the paths that real people walk and no journey covers yet."""

import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sojourn_probes.cli_streams import hand_over, say
from sojourn_probes.discovered import Found, journeys_of
from sojourn_probes.errors import SojournError

SECONDS: Final = 60.0
KEY: Final = "SOJOURN_KEY"
"""Environment variable with a key of scope read, for collectors that ask for one."""

_SPANS: Final = {"h": 3600, "d": 86_400, "w": 604_800}


def _span(word: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,4})([hdw])", word)
    if found is None or not int(found[1]):
        raise typer.BadParameter(f"{word!r} is no span of time; write one such as 7d, 12h or 4w")
    return timedelta(seconds=int(found[1]) * _SPANS[found[2]])


def discover(
    collector: Annotated[str, typer.Option("--collector", metavar="URL", help="Where the collector's report is.")] = "http://127.0.0.1:8400",
    out: Annotated[
        Path | None, typer.Option("--out", "-O", help="Folder to write a file for each journey into; default all of them to stdout.", show_default=False)
    ] = None,
    last: Annotated[str, typer.Option("--last", metavar="SPAN", help="How far to look back, such as 7d.")] = "7d",
    app: Annotated[str, typer.Option("--app", help="Only visits of this app.", show_default=False)] = "",
    people: Annotated[int, typer.Option("--people", min=5, help="People below which a path is not told.")] = 5,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What the collector found, as JSON on stdout.")] = False,
) -> None:
    """Write journeys of the paths that real people walk and that no journey covers. Ids in addresses become *, nobody is named.

    A collector that asks for a key gets the one in SOJOURN_KEY.

    Example: sojourn discover --last 7d --out journeys/
    """
    answer = _asked(collector, _span(last), app, people)
    found = journeys_of(answer)
    if as_json:
        hand_over(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
        return
    if not found:
        sys.stderr.write(f"{answer.get('reason') or 'nothing was found'}\n")
        return
    if out is None:
        hand_over("---\n".join(one.text for one in found))
        return
    paths = _write(found, out, force=force)
    say("".join(f"wrote {path}\n" for path in paths) + f"next: sojourn validate {out}\n")


def _asked(collector: str, last: timedelta, app: str, people: int) -> dict[str, Any]:
    """The collector's answer. Raises SojournError with its own sentence, or one that says what helps."""
    import httpx2

    from sojourn_probes.addresses import origin_of

    if origin_of(collector) is None or "@" in collector:
        raise SojournError(f"--collector {collector.rpartition('@')[2]!r} is no address; write it with http:// or https://, without user and password")
    asked = {"from": (datetime.now(UTC) - last).isoformat(), "people": str(people), **({"app": app} if app else {})}
    key = os.environ.get(KEY, "")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx2.get(f"{collector.rstrip('/')}/api/v1/discover", params=asked, headers=headers, timeout=SECONDS, follow_redirects=False)
    except httpx2.HTTPError as fault:
        raise SojournError(f"no collector answers at {collector} ({str(fault) or type(fault).__name__}); give its report's address with --collector") from None
    if answer.status_code == 401:
        raise SojournError(f"the collector at {collector} wants a key with the scope read; put it into {KEY}")
    try:
        told = answer.json()
    except ValueError:
        told = None
    if answer.status_code != 200 or not isinstance(told, dict):
        said = told.get("error") if isinstance(told, dict) else None
        raise SojournError(f"the collector at {collector} answered {answer.status_code}: {said or 'not what discover asks for; is it an older one?'}")
    return told


def _write(found: list[Found], out: Path, *, force: bool) -> list[Path]:
    """Each journey into its file; none when one of them is there and may not be overwritten."""
    paths = [out / f"{one.id}.yaml" for one in found]
    there = [path for path in paths if os.path.lexists(path)]
    if there and not force:
        raise SojournError(f"{there[0]} is there already; nothing was written, say --force to overwrite")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for one, path in zip(found, paths, strict=True):
            path.write_text(one.text, encoding="utf-8")
    except OSError as fault:
        raise SojournError(f"{fault.filename or out} cannot be written: {fault.strerror}") from None
    return paths


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("discover")(discover)
