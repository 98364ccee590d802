"""`sojourn-collector mark`: tell of releases and fixes, so that the report can say whether they helped, and of campaigns and changed prices.

The latter make a day unlike those before it, which nothing is then compared with.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sojourn_collector.cli_running import CommandError, answer_of, asking, running
from sojourn_collector.config import CollectorConfig
from sojourn_collector.context import now
from sojourn_collector.folder_lock import StartError, folder_lock
from sojourn_collector.store.control import Control

Add = Callable[..., argparse.ArgumentParser]


def add_commands(add: Add, into: Any) -> None:
    """The commands under `mark`."""
    release = add("release", "Mark a release.", "mark release 2.4.1 --at 2026-03-01T08:00:00Z", mark, into)
    release.add_argument("name", metavar="VERSION", help="the version")
    fix = add("fix", "Mark a fix of a journey.", 'mark fix "payment answers in time" --journey checkout --step pay', mark, into)
    fix.add_argument("name", metavar="WHAT", help="what was fixed, in a few words")
    campaign = add("campaign", "Mark the beginning of a campaign.", 'mark campaign "spring sale" --at 2026-03-01T08:00:00Z', mark, into)
    campaign.add_argument("name", metavar="WHAT", help="what it is called")
    price = add("price", "Mark changed prices.", 'mark price "tariffs of 2027"', mark, into)
    price.add_argument("name", metavar="WHAT", help="what changed, in a few words")
    for kind, one in (("release", release), ("fix", fix), ("campaign", campaign), ("price", price)):
        one.set_defaults(kind=kind)
        one.add_argument("--journey", required=kind == "fix", default="", metavar="ID", help="the journey it treats")
        one.add_argument("--step", default="", metavar="ID", help="the step of it")
        one.add_argument("--at", metavar="TIME", help="when, such as 2026-03-01T08:00:00Z (default: now)")
        one.add_argument("--trouble-from", metavar="TIME", help="when the trouble began that it ends (default: as the failures of the days before say)")
        one.add_argument("--note", default="", help="whatever else is worth knowing")
        one.add_argument("--json", action="store_true", help="the mark as one JSON object")
    add("list", "List marks, and releases seen in telemetry.", "mark list", listed, into).add_argument(
        "--json", action="store_true", help="one JSON object a line"
    )
    add("remove", "Remove a mark.", "mark remove 4f1c0a9b2d3e", remove, into).add_argument("id", help="id of the mark, as `mark list` shows it")


def mark(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Through the running collector, which knows the journeys. Raises CommandError."""
    asked = {"kind": given.kind, "name": given.name, "journey": given.journey, "step": given.step, "note": given.note}
    times = {"at": _moment("--at", given.at), "trouble_from": _moment("--trouble-from", given.trouble_from)}
    asked |= {name: moment.isoformat() for name, moment in times.items() if moment is not None}
    with asking(_found(config), config) as http:
        made = answer_of(http.post("/api/v1/marks", json=asked), 201)
    if given.json:
        print(json.dumps(made))
    else:
        print(f"Mark {made['id']} is made: {_line(made)}")
        print(f"Whether it helped: /fixes/{made['id']} in the report, from 7 days on." if made["journey"] else "It names no journey, so it is not judged.")
    return 0


def listed(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Through the running collector. Raises CommandError."""
    with asking(_found(config), config) as http:
        rows = answer_of(http.get("/api/v1/marks"))["marks"]
    for row in rows:
        print(json.dumps(row) if given.json else f"{row['id']:18}{_line(row)}")
    if not rows and not given.json:
        print("There are no marks. Make one: sojourn-collector mark release 2.4.1")
    return 0


def remove(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Through the running collector, else in the control database itself. Raises CommandError."""
    if found := running(config.data):
        with asking(found, config) as http:
            if (answer := http.delete(f"/api/v1/marks/{quote(given.id, safe='')}")).status_code != 204:
                answer_of(answer)
    elif not _alone(config, given.id):
        raise CommandError(f"there is no mark {given.id}; `sojourn-collector mark list` shows which there are")
    print(f"Mark {given.id} is removed.")
    return 0


def _alone(config: CollectorConfig, ident: str) -> bool:
    try:
        with folder_lock(config.data):
            control = Control.open(config.control.where(config.data, os.environ))
            try:
                return asyncio.run(control.marks.remove(ident, "cli", now()))
            finally:
                control.close()
    except StartError as error:
        raise CommandError(str(error)) from error


def _found(config: CollectorConfig) -> dict[str, Any]:
    found = running(config.data)
    if found is None:
        raise CommandError(f"no collector runs on {config.data}; start it with `sojourn-collector run`, then mark")
    return found


def _line(row: dict[str, Any]) -> str:
    place = "" if row["journey"] is None else f"  {row['journey']['id']}" + ("" if row["step"] is None else f" › {row['step']['id']}")
    seen = f"  seen on {row['visits']} visits" if row["origin"] == "seen" else ""
    return f"{row['at'][:16]}Z  {row['kind']:8}{row['name']}{place}{seen}"


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(f"{option}: {text!r} is no time with a zone; write one such as 2026-03-01T00:00:00Z")
    return moment
