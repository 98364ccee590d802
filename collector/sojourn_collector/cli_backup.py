"""`sojourn-collector backup` and `restore`."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sojourn_collector.cli_running import CommandError, asking, event_of, running
from sojourn_collector.config import CollectorConfig
from sojourn_collector.store.backup import Backup, BackupError
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.control.files import NoFileError
from sojourn_collector.store.engine_process import EngineSettings

OK = 0
ERASED = "It holds whoever is erased later too: restore it with --newer, the control database of then, and they are erased from it again."


def add_backup_arguments(one: argparse.ArgumentParser) -> None:
    """The options of `backup`."""
    one.add_argument("folder", type=Path, help="a new folder")
    one.add_argument("--json", action="store_true", help="one JSON object: what was kept")


def add_restore_arguments(one: argparse.ArgumentParser) -> None:
    """The options of `restore`."""
    one.add_argument("folder", type=Path, help="a backup")
    one.add_argument("--to", type=Path, required=True, metavar="DATA", help="the new data folder; it must not be there or be empty")
    one.add_argument("--newer", type=Path, metavar="FILE", help="control.sqlite of after the backup: whom it says was erased since is erased here too")
    one.add_argument("--json", action="store_true", help="one JSON object: what was restored")


def backup(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Through the running collector, else on the data folder itself. Raises CommandError."""
    from sojourn_collector.folder_lock import StartError

    folder = given.folder.absolute()
    try:
        done = (
            _by_running(folder, config, found, quiet=given.json) if (found := running(config.data)) else asyncio.run(_alone(folder, config, quiet=given.json))
        )
    except (BackupError, NoFileError, StartError, StoreError, OSError) as error:
        raise CommandError(str(error)) from error
    if given.json:
        print(json.dumps({"folder": str(folder), **done}))
        return OK
    rows = sum(done["done"]["rows"].values())
    print(f"{folder} holds {rows} rows of {len(done['done']['rows'])} tables up to journal file {done['done']['seq']}, in {done['files']} files.")
    print(ERASED)
    return OK


def _by_running(folder: Path, config: CollectorConfig, found: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    with asking(found, config, seconds=3600) as http, http.stream("POST", "/api/v1/admin/backups", json={"folder": str(folder)}) as answer:
        last: dict[str, Any] = {}
        for last in event_of(answer):
            _say(last, quiet=quiet)
    return _whole(last)


async def _alone(folder: Path, config: CollectorConfig, *, quiet: bool) -> dict[str, Any]:
    from sojourn_collector.context import now
    from sojourn_collector.offline import offline

    async with offline(config) as parts:
        one = Backup(config.data, parts.store, parts.control, parts.journal, parts.loader, parts.turns)
        events: AsyncIterator[dict[str, Any]] = one.into(folder, now())
        last: dict[str, Any] = {}
        async for last in events:
            _say(last, quiet=quiet)
        await parts.control.audit.add(now(), "cli", "backup", str(folder)[:250])
    return _whole(last)


def _whole(last: dict[str, Any]) -> dict[str, Any]:
    if "done" not in last:
        raise CommandError("the collector broke off; the backup is not whole")
    return last


class _Said:
    """The last state told, so that each is told once."""

    text = ""


def _say(event: dict[str, Any], *, quiet: bool) -> None:
    if quiet or "state" not in event:
        return
    text = str(event["state"]) + (f" {event['bytes'] * 100 // max(event['of'], 1)} %" if "of" in event else "")
    if text != _Said.text:
        print(f"backup: {text}", file=sys.stderr, flush=True)
    _Said.text = text


def restore(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Raises CommandError."""
    from sojourn_collector.sources.configured import configured
    from sojourn_collector.sources.records import EventReading
    from sojourn_collector.store.restore import restore as run

    def say(text: str) -> None:
        if not given.json:
            print(f"restore: {text}", file=sys.stderr, flush=True)

    try:
        reading = EventReading(configured(config.sources, os.environ), config.feeds)
        found = asyncio.run(run(given.folder, given.to.absolute(), EngineSettings(memory=config.limits.memory), given.newer, say, reading))
    except (BackupError, StoreError, OSError) as error:
        raise CommandError(str(error)) from error
    if given.json:
        print(json.dumps({"to": str(given.to), "seq": found["seq"], "at": found["at"], "rows": found["rows"], "erased": found["erased"]}))
        return OK
    print(f"{given.to} holds {sum(found['rows'].values())} rows as of {found['at']}; point `data` of collector.yaml there.")
    if given.newer is None:
        print("Whoever was erased after this backup was made is in it again; restore with --newer to erase them.")
    return OK
