"""`sojourn-collector`: run · check · migrate · report · erase · export · replay · backup · restore · key · mark · dead-letters · forward."""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector import cli_backup, cli_check, cli_erase, cli_export, cli_import, cli_mark, cli_replay, cli_report
from sojourn_collector.cli_running import CommandError, running, trusted
from sojourn_collector.config import (
    CollectorConfig,
    ConfigError,
    check_keep,
    duration,
    load_collector_config,
    load_impact_config,
)
from sojourn_collector.listeners import ListenError
from sojourn_collector.store.client import EngineUnavailable, Store, StoreError
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.control.keys import NewKey, Scope
from sojourn_collector.store.endpoint import EngineStartError
from sojourn_collector.store.letter_error import LetterError
from sojourn_collector.store.migrations import MigrationError, migrate
from sojourn_probes.cli_streams import while_read
from sojourn_probes.errors import JourneyFileError

OK, FAILED, BAD = 0, 1, 2
DEFAULT = Path("configs/collector.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. Exit 0 done, 1 something is wrong, 2 bad configuration or a taken port, 141 nobody reads any more."""
    return while_read(lambda: _code(arguments))


def _code(arguments: Sequence[str] | None) -> int:
    """Run the command; its exit code."""
    given = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, CollectorConfig], int] = given.command
    try:
        return command(given, load_collector_config(given.config))
    except (ConfigError, JourneyFileError, ListenError, EngineStartError, MigrationError, CommandError, LetterError, ControlError) as error:
        print(f"sojourn-collector: {error}", file=sys.stderr)
        return BAD
    except ControlUnavailableError as error:
        print(f"sojourn-collector: {str(error)[0].lower()}{str(error)[1:]}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return OK


def parser() -> argparse.ArgumentParser:
    """The commands and their help."""
    top = argparse.ArgumentParser(
        prog="sojourn-collector",
        description="Takes telemetry, feedback and orders; keeps them; serves the report.",
        epilog="Example: sojourn-collector run --config configs/collector.yaml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, text: str, example: str, command: Callable[..., int], into: Any = None, config: Any = DEFAULT) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = (into or commands).add_parser(name, help=text, description=text, epilog=f"Example: sojourn-collector {example}")
        one.add_argument("--config", type=Path, default=config, metavar="FILE", help=f"the collector's configuration (default: {DEFAULT})")
        one.set_defaults(command=command)
        return one

    add("run", "Run the collector until SIGTERM.", "run --config configs/collector.yaml", _run)
    add(
        "check",
        "Say in a line each: configuration, journeys, data folder, control database, ports, engine, a bucket of evidence.",
        "check --config configs/collector.yaml",
        cli_check.check,
    )
    add("migrate", "Bring the tables to this version and end; `run` does it by itself.", "migrate --config configs/collector.yaml", _migrate)
    example = "report --journey checkout --last 7d --format md"
    cli_report.add_arguments(add("report", "Print what the running collector reports: problems, people, money.", example, cli_report.report), add)
    letters = add("dead-letters", "List, show, replay or discard what was accepted and could not be loaded.", "dead-letters show 3", _dead_letters)
    letters.add_argument("action", nargs="?", default="list", choices=["list", "show", "replay", "discard"], help="what to do (default: list)")
    letters.add_argument("id", nargs="?", type=int, help="id of the letter, as the list shows it")
    letters.add_argument("--json", action="store_true", help="one JSON object a line")
    forward = add("forward", "List destinations: what waits for each, and what it refused for good.", "forward --json", _forward)
    forward.add_argument("--json", action="store_true", help="one JSON object a line")

    cli_erase.add_arguments(add("erase", "Forget a person, a session or an account.", "erase --person u12 --dry-run", cli_erase.erase))
    example = "export --person u12 --out u12.zip"
    cli_export.add_arguments(add("export", "Write everything about a person, or a table, to files of other tools.", example, cli_export.export))
    example = "import orders.csv --source orders --set currency=EUR --dry-run"
    cli_import.add_arguments(add("import", "Take in rows of a CSV, JSON or NDJSON file, or take an import back.", example, cli_import.import_file))
    example = "replay --source helpdesk --since 2026-03-01T00:00:00Z"
    cli_replay.add_arguments(add("replay", "Read what a source sent once more, from what was kept of it.", example, cli_replay.replay))
    cli_backup.add_backup_arguments(
        add("backup", "Keep all there is in a new folder, also while the collector runs.", "backup /backups/monday", cli_backup.backup)
    )
    example = "restore /backups/monday --to data"
    cli_backup.add_restore_arguments(add("restore", "Make a new data folder of a backup.", example, cli_backup.restore))

    key = commands.add_parser(
        "key",
        help="Make, list and revoke keys.",
        description="Make, list and revoke keys.",
        epilog="Example: sojourn-collector key create --name shop --scope sources",
    )
    keys = key.add_subparsers(metavar="COMMAND", required=True)
    create = add("create", "Make a key and print the line to paste; it is shown this once.", "key create --name shop --scope sources", _key_create, keys)
    create.add_argument("--name", required=True, help="who uses it")
    create.add_argument("--scope", required=True, action="append", choices=[str(scope) for scope in Scope], help="what it may do; may be given more than once")
    create.add_argument("--json", action="store_true", help='one JSON object: {"id", "key"}')
    add("list", "List keys, without their secrets.", "key list", _key_list, keys)
    rotate = add("rotate", "Make the key that follows one; the old one is good for a while yet.", "key rotate 4f1c0a9b2d3e --overlap 7d", _key_rotate, keys)
    rotate.add_argument("id", help="id of the key, as `key list` shows it")
    rotate.add_argument("--overlap", default="7d", help="how long the old one is good yet (default: 7d)")
    rotate.add_argument("--json", action="store_true", help='one JSON object: {"id", "key"}')
    add("revoke", "Make a key worthless from now on.", "key revoke 4f1c0a9b2d3e", _key_revoke, keys).add_argument(
        "id", help="id of the key, as `key list` shows it"
    )
    mark = commands.add_parser(
        "mark",
        help="Tell of releases and fixes, list and remove them.",
        description="Tell of releases and fixes, list and remove them.",
        epilog="Example: sojourn-collector mark release 2.4.1",
    )
    marks = mark.add_subparsers(metavar="COMMAND", required=True)
    cli_mark.add_commands(add, marks)
    return top


def _run(given: argparse.Namespace, config: CollectorConfig) -> int:
    import uvloop

    from sojourn_collector.app import serve
    from sojourn_collector.folder_lock import StartError

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("alembic", "httpx2", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    impact = load_impact_config(config.impact)
    check_keep(config.keep, impact.windows)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(config, impact, os.environ))
    except StartError as error:
        raise CommandError(str(error)) from error
    return OK


def _forward(given: argparse.Namespace, config: CollectorConfig) -> int:
    from sojourn_collector import cli_forward

    return cli_forward.show(config, as_json=given.json)


def _migrate(given: argparse.Namespace, config: CollectorConfig) -> int:
    if found := running(config.data):
        print(f"The collector runs at {found['web']}; it brought its tables up to date when it started.")
        return OK
    from sojourn_collector.engines import engine_of
    from sojourn_collector.folder_lock import StartError, folder_lock

    async def work() -> int:
        engine = engine_of(config, os.environ)
        await engine.start()
        store = Store(engine.endpoint)
        try:
            if engine.endpoint() is None:
                raise EngineUnavailable(engine.reason)
            return await migrate(store)
        finally:
            await store.close()
            await engine.stop()

    try:
        with folder_lock(config.data):
            _control(config).close()
            ran = asyncio.run(work())
    except (StartError, StoreError) as error:
        raise CommandError(str(error)) from error
    print(f"{ran} statements ran; the tables are up to date.")
    return OK


def _control(config: CollectorConfig) -> Control:
    return Control.open(config.control.where(config.data, os.environ))


def _dead_letters(given: argparse.Namespace, config: CollectorConfig) -> int:
    from sojourn_collector.cli_dead_letters import discard_letter, list_letters, replay_letter, show_letter

    if (given.id is None) != (given.action == "list"):
        raise CommandError(
            f"dead-letters {given.action} takes {'no id' if given.action == 'list' else 'the id of a letter'}; see: sojourn-collector dead-letters"
        )
    if given.action == "replay":
        found = running(config.data)
        if found is None:
            raise CommandError(f"no collector runs on {config.data}; start it with: sojourn-collector run --config {given.config}")
        return replay_letter(found, given.id, trusted(config))
    control = _control(config)
    try:
        if given.action == "list":
            return list_letters(control, config.data, as_json=given.json)
        work = show_letter if given.action == "show" else discard_letter
        return work(control, config.data, given.id, as_json=given.json)
    finally:
        control.close()


def _key_create(given: argparse.Namespace, config: CollectorConfig) -> int:
    control = _control(config)
    try:
        made = asyncio.run(control.keys.create(given.name, [Scope(scope) for scope in given.scope]))
    except ValueError as error:
        raise CommandError(str(error)) from error
    finally:
        control.close()
    return _print_key(made, as_json=given.json)


def _print_key(made: NewKey, *, as_json: bool, more: str = "") -> int:
    if as_json:
        print(json.dumps({"id": made.key.id, "key": made.text}))
    else:
        if more:
            print(f"# {more}")
        print(f"# Key {made.key.id} for {made.key.name} ({', '.join(sorted(made.key.scopes))}). It is shown this once.")
        print("# Requests carry it as: Authorization: Bearer $SOJOURN_KEY")
        print(f"export SOJOURN_KEY={made.text}")
    return OK


def _key_list(given: argparse.Namespace, config: CollectorConfig) -> int:
    control = _control(config)
    try:
        found = asyncio.run(control.keys.list())
    finally:
        control.close()
    for key in found:
        state = "valid"
        if key.revoked_at is not None:
            word = "revoked" if key.revoked_at <= datetime.now(UTC) else "good until"
            state = f"{word} {key.revoked_at:%Y-%m-%d %H:%M}Z"
        print(f"{key.id}  {key.name}  {','.join(sorted(key.scopes))}  made {key.created_at:%Y-%m-%d %H:%M}Z  {state}")
    if not found:
        print("There are no keys. Make one: sojourn-collector key create --name shop --scope sources")
    return OK


def _key_rotate(given: argparse.Namespace, config: CollectorConfig) -> int:
    try:
        overlap = timedelta(seconds=duration(given.overlap))
    except ValueError as error:
        raise CommandError(f"--overlap: {error}") from error
    control = _control(config)
    try:
        made = asyncio.run(control.keys.rotate(given.id, overlap))
    finally:
        control.close()
    if made is None:
        raise CommandError(f"there is no key {given.id} to rotate; see: sojourn-collector key list")
    return _print_key(made, as_json=given.json, more=f"Key {given.id} is good for {given.overlap} more.")


def _key_revoke(given: argparse.Namespace, config: CollectorConfig) -> int:
    control = _control(config)
    try:
        done = asyncio.run(control.keys.revoke(given.id))
    finally:
        control.close()
    if not done:
        raise CommandError(f"there is no valid key {given.id}; see: sojourn-collector key list")
    print(f"Key {given.id} is revoked.")
    return OK


if __name__ == "__main__":
    sys.exit(main())
