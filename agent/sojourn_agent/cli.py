"""`sojourn-agent run | check | drain | dead-letters`. Standard library only, so that the daemon stays small.

Exit codes: 0 done, 1 something is not as it should be, 2 a bad configuration or journey file, 141 nobody reads what it says any more.
"""

import argparse
import asyncio
import dataclasses
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

DEFAULT_CONFIG = "configs/agent.yaml"


class _Layout(argparse.RawDescriptionHelpFormatter):
    """Room for `dead-letters` beside its help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=120)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The program `sojourn-agent`."""
    from sojourn_probes.cli_streams import while_read

    sys.exit(while_read(lambda: _code(arguments)))


def _code(arguments: Sequence[str] | None) -> int:
    """Run the command; its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    for chatty in ("httpx2", "httpcore2", "uvicorn", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    from sojourn_probes.errors import SojournError

    try:
        code: int = options.command(options)
    except SojournError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sojourn-agent",
        description="Walks the journeys, takes in beacons from real browsers, and sends both on as OpenTelemetry.",
        epilog="example: sojourn-agent check && sojourn-agent run",
        formatter_class=_Layout,
    )
    commands = parser.add_subparsers(required=True, title="commands", metavar="<command>")
    for name, (command, what, example) in {
        "run": (_run, "run until SIGTERM", "sojourn-agent run --config /etc/sojourn/agent.yaml"),
        "check": (_check, "say in a line each: config, journeys, secrets, browser, collector", "sojourn-agent check --config configs/agent.yaml"),
        "drain": (_drain, "send what waits in the spool, then exit", "sojourn-agent drain --timeout 300"),
        "dead-letters": (_dead_letters, "list the batches a destination refused for good", "sojourn-agent dead-letters --json"),
    }.items():
        sub = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.", epilog=f"example: {example}", formatter_class=_Layout)
        sub.add_argument("--config", type=Path, default=Path(DEFAULT_CONFIG), metavar="FILE", help=f"the agent's configuration (default {DEFAULT_CONFIG})")
        sub.set_defaults(command=command)
        if name == "drain":
            sub.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="give up after this long (default 60)")
        if name == "dead-letters":
            sub.add_argument("--json", action="store_true", help="one JSON object per line")
    return parser


def _run(options: argparse.Namespace) -> int:
    from sojourn_agent.memory import few_arenas, give_back

    few_arenas()
    from sojourn_agent.app import prepare, run_agent
    from sojourn_agent.config import load_agent_config
    from sojourn_agent.loop import run_in_loop

    give_back()
    plan = prepare(load_agent_config(options.config), os.environ)
    give_back()

    async def until_told() -> None:
        stop, reload = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, reload.set)
        await run_agent(plan, stop, reload)

    run_in_loop(until_told(), fast=plan.rum is not None)
    return 0


def _check(options: argparse.Namespace) -> int:
    from sojourn_agent.check import check

    fine = True
    for line in check(options.config, os.environ):
        print(f"{line.what:<10} {'ok    ' if line.fine else 'NOT OK'}  {line.text}")
        fine = fine and line.fine
    return 0 if fine else 1


def _drain(options: argparse.Namespace) -> int:
    from sojourn_agent.config import load_agent_config
    from sojourn_agent.drain import drain
    from sojourn_agent.loop import run_in_loop

    outcomes = run_in_loop(drain(load_agent_config(options.config), os.environ, options.timeout))
    for outcome in outcomes:
        left = [f"{outcome.waiting}"] if outcome.waiting else []
        left += [f"{outcome.evidence_waiting} pieces of evidence"] if outcome.evidence_waiting else []
        rest = f"; {' and '.join(left)} still wait: {outcome.why}" if left else ""
        evidence = f" and {outcome.evidence} pieces of evidence" if outcome.evidence else ""
        print(f"{outcome.name}: sent {outcome.delivered} batches{evidence}" + (f", {outcome.dead} to the dead letters" if outcome.dead else "") + rest)
    return 1 if any(outcome.waiting or outcome.evidence_waiting for outcome in outcomes) else 0


def _dead_letters(options: argparse.Namespace) -> int:
    from sojourn_agent.app import dead_letters
    from sojourn_agent.config import load_agent_config

    letters = dead_letters(load_agent_config(options.config))
    found = 0
    for letter in letters.all():
        found += 1
        if options.json:
            print(json.dumps(dataclasses.asdict(letter)))
        else:
            print(f"{letter.at}  {letter.batch}  {letter.signal:<7}  {letter.destination} answered {letter.status}: {letter.reason}")
    if not found and not options.json:
        print("no dead letters")
    elif not options.json:
        print(f"{found} dead letters in {letters.folder}")
    return 0


if __name__ == "__main__":
    main()
