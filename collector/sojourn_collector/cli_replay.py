"""`sojourn-collector replay`: what a source sent is read once more, as after an update or a change of `sources:`."""

import argparse
import asyncio
import json
import os
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sojourn_collector.cli_running import CommandError, answer_of, asking, running
from sojourn_collector.config import CollectorConfig
from sojourn_collector.context import now
from sojourn_collector.folder_lock import StartError, folder_lock
from sojourn_collector.sources.configured import configured
from sojourn_collector.sources.records import EventReading
from sojourn_collector.sources.replaying import Replayed
from sojourn_collector.sources.replaying import replay as read_again
from sojourn_collector.store.control import Control


def add_arguments(one: argparse.ArgumentParser) -> None:
    """The command's options."""
    one.add_argument("--source", required=True, help="name of a vendor's source, of a feed, or of a kind such as orders")
    one.add_argument("--since", metavar="TIME", help="only what came since then, such as 2026-03-01T00:00:00Z")
    one.add_argument("--json", action="store_true", help='one JSON object: {"rows", "waiting"}')


def replay(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Raises CommandError."""
    since = _moment(given.since)
    found = running(config.data)
    done = _by_running(found, config, given.source, since) if found else _alone(config, given.source, since)
    if given.json:
        print(json.dumps({"rows": done.rows, "waiting": done.waiting}))
    else:
        waiting = f"; {done.waiting} of them wait for an answer of the vendor's first" if done.waiting else ""
        later = "" if found else "; they follow when the collector runs"
        print(f"{done.rows} rows of {given.source} are read once more{waiting}{later}.")
    return 0


def _by_running(found: dict[str, Any], config: CollectorConfig, source: str, since: datetime | None) -> Replayed:
    with asking(found, config) as http:
        answer = http.post(f"/api/v1/admin/sources/{quote(source, safe='')}/replay", params={} if since is None else {"since": since.isoformat()})
        said = answer_of(answer)
        return Replayed(int(said["rows"]), int(said["waiting"]))


def _alone(config: CollectorConfig, source: str, since: datetime | None) -> Replayed:
    async def work(control: Control) -> Replayed:
        reading = EventReading(configured(config.sources, os.environ))
        done = await read_again(control, reading, source, since, now())
        await control.audit.add(now(), "cli", "source.replay", source, f"{done.rows} rows")
        return done

    try:
        with folder_lock(config.data):
            control = Control.open(config.control.where(config.data, os.environ))
            try:
                return asyncio.run(work(control))
            finally:
                control.close()
    except StartError as error:
        raise CommandError(str(error)) from error


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(f"--since: {text!r} is no time with a zone; write one such as 2026-03-01T00:00:00Z")
    return moment
