"""`sojourn-collector erase`: forget a person, a session or an account; `erase --list` shows what was."""

import argparse
import asyncio
import json
import sys
import time
from typing import Any

from sojourn_collector.cli_running import CommandError, answer_of, asking, running
from sojourn_collector.config import CollectorConfig
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.control.erasures import DONE
from sojourn_collector.store.erasure.subject import KINDS, ORDERS, Subject, SubjectError, shown

OK = 0
_ASK_EVERY = 0.5
BACKUPS = "Backups made before now still hold this subject: give `restore` the control database of today, and it is erased from them again."


def add_arguments(one: argparse.ArgumentParser) -> None:
    """The command's options."""
    who = one.add_mutually_exclusive_group(required=True)
    who.add_argument("--person", metavar="ID", help="a user id or visitor id; user:ID, visitor:ID and visit:ID say which; author:PLATFORM/NAME wrote mentions")
    who.add_argument("--session", metavar="ID", help="one visit, and nothing else of its person")
    who.add_argument("--account", metavar="ID", help="an account, with everybody who belongs to it")
    who.add_argument("--list", action="store_true", help="show erasures and how far they are")
    one.add_argument("--dry-run", action="store_true", help="only say under which names they are known and what would go")
    one.add_argument("--orders", choices=ORDERS, default="strip", help="orders lose their person and stay (default), or go whole")
    one.add_argument("--json", action="store_true", help="one JSON object; with --list one a line")


def erase(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Through the running collector, else on the data folder itself. Raises CommandError."""
    from sojourn_collector.folder_lock import StartError

    try:
        if found := running(config.data):
            return _by_running(given, config, found)
        return asyncio.run(_alone(given, config))
    except (SubjectError, StartError, StoreError) as error:
        raise CommandError(str(error)) from error


def _subject(given: argparse.Namespace) -> Subject:
    kind = next(kind for kind in KINDS if getattr(given, kind) is not None)
    return Subject(kind, getattr(given, kind))


def _by_running(given: argparse.Namespace, config: CollectorConfig, found: dict[str, Any]) -> int:
    with asking(found, config, seconds=600) as http:
        if given.list:
            return _print_list(answer_of(http.get("/api/v1/admin/erasures")), as_json=given.json)
        subject = _subject(given)
        asked = {subject.kind: subject.name, "orders": given.orders, "dry_run": given.dry_run}
        answer = answer_of(http.post("/api/v1/admin/erasures", json=asked), 200, 202)
        if given.dry_run:
            return _print_look(answer, as_json=given.json)
        progress = _Progress(quiet=given.json)
        while True:
            row = answer_of(http.get(f"/api/v1/admin/erasures/{answer['id']}"))
            progress.show(row)
            if row["state"] == DONE:
                return _print_done(row, as_json=given.json)
            time.sleep(_ASK_EVERY)


async def _alone(given: argparse.Namespace, config: CollectorConfig) -> int:
    from sojourn_collector.offline import offline

    async with offline(config) as parts:
        if given.list:
            return _print_list([row.shown() for row in await parts.control.erasures.list()], as_json=given.json)
        subject = _subject(given)
        if given.dry_run:
            look = await parts.eraser.look(subject)
            return _print_look({"names": look.names.as_dict(), "counts": look.counts, "common": look.names.common()}, as_json=given.json)
        ident = await parts.eraser.ask(subject, "cli", given.orders)
        progress = _Progress(quiet=given.json)
        working = asyncio.create_task(parts.eraser.work())
        try:
            while not working.done():
                row = await parts.control.erasures.get(ident)
                assert row is not None
                progress.show(row.shown())
                await asyncio.wait([working], timeout=_ASK_EVERY)
            await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        row = await parts.control.erasures.get(ident)
        assert row is not None
        return _print_done(row.shown(), as_json=given.json)


class _Progress:
    """Says each new state once, on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said = ""

    def show(self, row: dict[str, Any]) -> None:
        """A line when something changed."""
        said = row["state"] + (f" ({row['note']})" if row["note"] else "")
        if said != self._said and not self._quiet and row["state"] != DONE:
            print(f"erasure {row['id']}: {said}", file=sys.stderr, flush=True)
        self._said = said


def _print_done(row: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(row))
        return OK
    counts = ", ".join(f"{number} of {what}" for what, number in row["counts"].items() if number)
    print(f"Erasure {row['id']} is done: {counts or 'nothing was kept'}.")
    print(BACKUPS)
    return OK


def _print_look(look: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(look))
        return OK
    print("Known as:")
    for what, names in look["names"].items():
        listed = [shown(one if isinstance(one, str) else "/".join(one)) for one in names]
        if listed:
            more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
            print(f"  {what:9} {', '.join(listed[:10])}{more}")
    print("Would go:" if any(look["counts"].values()) else "Would go: nothing.")
    for what, number in look["counts"].items():
        if number:
            print(f"  {number:>9} of {what}")
    if look["names"]["shared"]:
        print("Shared with others, of which only what names the subject goes: " + ", ".join(map(shown, look["names"]["shared"][:10])))
    if look["common"]:
        print("Too common to be looked for in free text: " + ", ".join(map(shown, look["common"][:10])))
    return OK


def _print_list(rows: list[dict[str, Any]], *, as_json: bool) -> int:
    for row in rows:
        if as_json:
            print(json.dumps(row))
        else:
            note = f" · {row['note']}" if row["note"] else ""
            print(f"{row['id']:>5}  {row['erased_at'][:19]}Z  {row['kind']:8}{row['subject'][:16]}…  {row['state']}{note}")
    if not rows and not as_json:
        print("Nobody was erased.")
    return OK
