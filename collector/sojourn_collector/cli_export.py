"""`sojourn-collector export`: everything about one person as a ZIP, or a table as Parquet."""

import argparse
import asyncio
import json
import os
import sys
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector.cli_running import CommandError, asking, bytes_of, event_of, running
from sojourn_collector.config import CollectorConfig, load_impact_config
from sojourn_collector.impact_version import config_version
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.erasure.subject import KINDS, Subject, SubjectError
from sojourn_collector.store.export_table import FORMATS, TABLES, ExportError, check

OK = 0


def add_arguments(one: argparse.ArgumentParser) -> None:
    """The command's options."""
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument("--person", metavar="ID", help="everything about a person, by user id or visitor id")
    what.add_argument("--session", metavar="ID", help="everything about one visit")
    what.add_argument("--account", metavar="ID", help="everything about an account and everybody who belongs to it")
    what.add_argument("--table", choices=list(TABLES), help="the rows of a table, a file a day")
    one.add_argument("--from", dest="begin", metavar="TIME", help="first moment of the rows, such as 2026-01-31 or 2026-01-31T14:00:00Z (default: 30 days ago)")
    one.add_argument("--to", dest="end", metavar="TIME", help="the rows end before this moment (default: now)")
    one.add_argument("--format", choices=FORMATS, default="parquet", help="of a table (default: parquet)")
    one.add_argument("--out", type=Path, required=True, metavar="PATH", help="a folder, or, of a person, a file that ends in .zip")
    one.add_argument("--json", action="store_true", help="one JSON object a line: what was written")


def export(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Through the running collector, else on the data folder itself. Raises CommandError."""
    from sojourn_collector.folder_lock import StartError

    try:
        return _table(given, config) if given.table else _subject(given, config)
    except (ExportError, SubjectError, StartError, StoreError, OSError) as error:
        raise CommandError(str(error)) from error


def _subject(given: argparse.Namespace, config: CollectorConfig) -> int:
    kind = next(kind for kind in KINDS if getattr(given, kind) is not None)
    subject = Subject(kind, getattr(given, kind))
    out: Path = given.out.absolute()
    whole = out.suffix == ".zip"
    if out.exists() and (whole or any(out.iterdir())):
        raise ExportError(f"{out} is there already; give a new {'file' if whole else 'folder'}")
    part = out.with_name(out.name + ".part")
    try:
        with open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            if found := running(config.data):
                with asking(found, config, seconds=3600) as http, http.stream("POST", "/api/v1/admin/exports", json={kind: subject.name}) as answer:
                    for piece in bytes_of(answer):
                        file.write(piece)
            else:
                asyncio.run(_alone(subject, config, file))
        if not zipfile.is_zipfile(part):
            raise CommandError("the collector broke off; nothing whole was written")
        if whole:
            part.replace(out)
        else:
            out.mkdir(parents=True, exist_ok=True)
            out.chmod(0o700)
            with zipfile.ZipFile(part) as packed:
                packed.extractall(out)
    finally:
        part.unlink(missing_ok=True)
    print(json.dumps({"file": str(out)}) if given.json else f"{out} holds everything kept about this {kind}; its README says what is what.")
    return OK


async def _alone(subject: Subject, config: CollectorConfig, file: Any) -> None:
    from sojourn_collector.context import now
    from sojourn_collector.offline import offline
    from sojourn_collector.store.erasure.authors import by_digest
    from sojourn_collector.store.erasure.find import find
    from sojourn_collector.store.export_person import copy_for

    async with offline(config) as parts:
        subject = await by_digest(parts.control, subject, now())
        digest = await parts.control.erasures.digest(subject.kind, subject.name)
        await parts.control.audit.add(now(), "cli", "export.subject", digest, f"everything about a {subject.kind}")
        async for piece in copy_for(await find(parts.store, subject), parts.eraser.places):
            await asyncio.to_thread(file.write, piece)


def _table(given: argparse.Namespace, config: CollectorConfig) -> int:
    end = _time(given.end, "--to") if given.end else datetime.now(UTC)
    begin = _time(given.begin, "--from") if given.begin else end - timedelta(days=30)
    folder: Path = given.out.absolute()
    check(given.table, begin, end, folder)
    files, version = 0, config_version(load_impact_config(config.impact))

    def say(event: dict[str, Any]) -> None:
        nonlocal files
        files += 1
        if given.json:
            print(json.dumps({**event, "config_version": version}))
        else:
            print(f"{event['number']} of {event['of']}: {event['file']} ({event['bytes']} bytes)", file=sys.stderr, flush=True)

    if found := running(config.data):
        asked = {"table": given.table, "begin": begin.isoformat(), "end": end.isoformat(), "folder": str(folder), "format": given.format}
        with asking(found, config, seconds=3600) as http, http.stream("POST", "/api/v1/admin/tables", json=asked) as answer:
            for event in event_of(answer):
                say(event)
    else:
        asyncio.run(_table_alone(given, config, begin, end, folder, say))
    if not given.json:
        print(f"{folder} holds {files} files of {given.table} from {begin:%Y-%m-%d %H:%M}Z to {end:%Y-%m-%d %H:%M}Z, read by configuration {version}.")
    return OK


async def _table_alone(given: argparse.Namespace, config: CollectorConfig, begin: datetime, end: datetime, folder: Path, say: Any) -> None:
    from sojourn_collector.offline import offline
    from sojourn_collector.store.export_table import export_table

    async with offline(config) as parts:
        events: AsyncIterator[dict[str, Any]] = export_table(parts.store, given.table, begin, end, folder, given.format)
        async for event in events:
            say(event)


def _time(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ExportError(f"{option}: {text[:60]!r} is no time; write one such as 2026-01-31 or 2026-01-31T14:00:00Z") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
