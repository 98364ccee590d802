"""The demo's command: sets the stage, plays, prints the answer, keeps serving until told to stop."""

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import httpx2

from sojourn_demo.shoppers.wire import Wire
from sojourn_demo.shoppers.world import World, draw_world
from sojourn_demo.stage.parts import PartDiedError, Parts
from sojourn_demo.stage.play import Play, PlayError
from sojourn_demo.stage.ports import Ports, PortTakenError, fixed_ports, free_ports
from sojourn_demo.stage.progress import Teller
from sojourn_demo.stage.report import differences, money_line, worst_problem
from sojourn_demo.stage.setting import Setting, write_setting
from sojourn_probes.chromium import BrowserMissing, Choice, find

SEED = 1
SHOPPERS = 660
IN_BROWSER = 6
FEWEST, MOST = 20, 5000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo. Exit 0: the report says the truth; 1: it does not, or a part failed; 2: it could not begin; 130: interrupted."""
    options = _parser().parse_args(arguments)
    if not FEWEST <= options.shoppers <= MOST:
        return _refuse(f"--shoppers must be from {FEWEST} to {MOST}.")
    try:
        ports = free_ports() if options.once else fixed_ports()
    except PortTakenError as error:
        return _refuse(str(error))
    try:
        return asyncio.run(_run(options, ports))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sojourn_demo",
        description="A shop, its simulated shoppers, a fault at the payment, and the report that says whom it hit and what it costs.",
    )
    parser.add_argument("--once", action="store_true", help="play once on free ports, print the answer and stop; exit 0 only if the report says the truth")
    parser.add_argument("--json", action="store_true", help="print nothing but one JSON object, {truth, report}, on standard output")
    parser.add_argument("--seed", type=int, default=SEED, help=f"the seed of the simulated world (default {SEED}: the same world every time)")
    parser.add_argument("--shoppers", type=int, default=SHOPPERS, help=f"how many simulated shoppers come (default {SHOPPERS})")
    parser.add_argument("--keep", action="store_true", help="keep the folder with configuration, data and logs")
    return parser


def _refuse(text: str) -> int:
    Teller().say(text)
    return 2


async def _run(options: argparse.Namespace, ports: Ports) -> int:
    """Play in a folder of its own, stop every part whatever happens, and clear away."""
    teller = Teller()
    folder = Path(tempfile.mkdtemp(prefix="sojourn-demo-"))
    stop = asyncio.current_task()
    assert stop is not None
    for number in (signal.SIGTERM, signal.SIGINT):  # said outright: a shell's background job begins with SIGINT ignored
        asyncio.get_running_loop().add_signal_handler(number, stop.cancel)
    parts, code = Parts(folder), 1
    try:
        code = await _play(options, Setting(folder, ports), parts, teller)
    except* (PartDiedError, PlayError, ValueError, OSError) as errors:
        for error in _leaves(errors):
            teller.say(str(error))
    except* asyncio.CancelledError:
        code = 130
    finally:
        teller.say("Stopping")
        await parts.stop()
        if options.keep or code == 1:
            teller.say(f"Configuration, data and logs are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


async def _play(options: argparse.Namespace, setting: Setting, parts: Parts, teller: Teller) -> int:
    browser = _browser(teller)
    world = _world(options, browser)
    write_setting(setting, world, browser=browser is not None)
    teller.say(f"Seed {world.seed}, {len(world.healthy) + len(world.incident)} simulated shoppers; logs in {setting.folder}")
    async with httpx2.AsyncClient(trust_env=False, timeout=15) as client, aclosing(Wire()) as wire:
        play = Play(setting, world, parts, teller, client, wire, browser)
        async with asyncio.TaskGroup() as group:
            await play.start_parts(group)
            truth, report = await play.perform()
            code = _answer(options, teller, truth, report)
            if not options.once:
                await _stay(play, teller)
            parts.unwatch()
    return code


def _browser(teller: Teller) -> Choice | None:
    driver = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, text=True, check=False)
    if driver.returncode:
        teller.say(f"No shoppers in a real browser this time: the browser driver does not start: {driver.stderr.strip()[-200:]}")
        return None
    try:
        return find()
    except BrowserMissing as error:
        teller.say(f"No shoppers in a real browser this time: {error}")
        return None


def _world(options: argparse.Namespace, browser: Choice | None) -> World:
    return draw_world(options.seed, options.shoppers, IN_BROWSER if browser else 0)


def _answer(options: argparse.Namespace, teller: Teller, truth: dict[str, Any], report: dict[str, Any] | None) -> int:
    """Print the answer on standard output, what stands behind it on standard error."""
    problem = worst_problem(report)
    if options.json:
        print(json.dumps({"truth": truth, "report": report}, ensure_ascii=False), flush=True)
    elif problem:
        print("\n".join(problem["headline"]), flush=True)
    wrong = differences(truth, report)
    for line in wrong:
        teller.say(f"Not the truth: {line}")
    if wrong and problem:
        teller.say(f"The report's problem was worked out at {problem['as_of']}")
    if report is not None:
        teller.say(money_line(truth, report)[0].upper() + money_line(truth, report)[1:])
    if not wrong:
        teller.say(f"The report counts exactly the people reached ({truth['people_reached']}) and hit ({truth['people_hit']}), and names the cause")
    return 1 if wrong else 0


async def _stay(play: Play, teller: Teller) -> None:
    """Keep everything running, with a passer-by now and then, until interrupted."""
    ports, url = play.setting.ports, play.setting.url
    teller.say(f"The report: {url(ports.web)}/   the shop: {url(ports.shop)}/   its switchboard, to repair or break it: {url(ports.switchboard)}/")
    teller.say("Ctrl-C stops everything.")
    with suppress(asyncio.CancelledError):
        await play.trickle()
