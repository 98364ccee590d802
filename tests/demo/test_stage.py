"""Ports, parts and files of the stage, and the comparison of report and truth."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from sojourn_demo import cli
from sojourn_demo.shop.settings import read_settings
from sojourn_demo.shoppers.world import draw_world
from sojourn_demo.stage.parts import PartDiedError, Parts
from sojourn_demo.stage.ports import Ports, PortTakenError, fixed_ports, free_ports
from sojourn_demo.stage.progress import Teller
from sojourn_demo.stage.report import differences, is_ripe, money_line
from sojourn_demo.stage.setting import Setting, keep_source_key, write_setting
from sojourn_probes.load import load_folder

LAUNCH = Path(cli.__file__).parent / "stage" / "launch.py"


def test_free_ports_differ() -> None:
    """Free ports are all different."""
    ports = asdict(free_ports())
    assert len(set(ports.values())) == len(ports)


def test_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken port ends the demo with one sentence that says the cure."""
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError) as caught:
            fixed_ports(Ports(**{**asdict(free_ports()), "web": port}))
    assert str(caught.value) == f"Port {port}, wanted for the report, is taken: stop what listens there, or give --once to take free ports."


@pytest.mark.parametrize("count", ["3", "100000"])
def test_wrong_number_of_shoppers(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number of shoppers that makes no sense is refused before anything starts."""
    assert cli.main(["--once", "--shoppers", count]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--shoppers must be from 20 to 5000." in err


def test_written_files_are_good(tmp_path: Path) -> None:
    """The journeys load, the shop reads its settings, and without a browser no journey needs one."""
    world = draw_world(1, 40, 3)
    for browser in (True, False):
        setting = Setting(tmp_path / str(browser), free_ports())
        write_setting(setting, world, browser=browser)
        journeys = load_folder(setting.folder / "journeys")
        assert [journey.id for journey in journeys] == (["browse", "checkout"] if browser else ["checkout"])
        settings = read_settings(setting.shop)
        assert settings.customers == world.customers
        assert settings.origin == setting.url(setting.ports.shop)
        assert (setting.folder / "probe.key").stat().st_mode & 0o777 == 0o600


def test_key_is_kept(tmp_path: Path) -> None:
    """The key of the feeds is taken from what the command prints, and its absence is said."""
    setting = Setting(tmp_path, free_ports())
    keep_source_key(setting, '{"id": "1", "key": "sj_1_abc"}')
    assert setting.source_key.read_text() == "sj_1_abc"
    assert setting.source_key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="printed no key"):
        keep_source_key(setting, "nothing")


def test_bad_settings_are_one_sentence(tmp_path: Path) -> None:
    """Settings the shop cannot read are refused with the file's name."""
    file = tmp_path / "shop.json"
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_settings(file)
    for text in ("[]", "{", '{"port": 1}', '{"port": 1, "payments_port": 2, "admin_port": 3, "colour": "red"}'):
        file.write_text(text)
        with pytest.raises(ValueError, match="not a settings file of the shop"):
            read_settings(file)


def _gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_parts_are_stopped_with_their_children(tmp_path: Path) -> None:
    """A part that ignores SIGTERM is killed after its time, and what it started in its group goes too."""
    script = tmp_path / "part.py"
    script.write_text(
        "import subprocess, sys, time\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)\ntime.sleep(60)\n"
    )
    parts = Parts(tmp_path)
    part = await parts.start("one", [str(script)])
    async with asyncio.timeout(20):
        while not part.log.read_text().strip():
            await asyncio.sleep(0.05)
    child = int(part.log.read_text())
    assert not _gone(child)
    await parts.stop()
    assert part.process.returncode is not None
    async with asyncio.timeout(20):
        while not _gone(child):
            await asyncio.sleep(0.05)


async def test_dead_part_is_named_with_its_last_words(tmp_path: Path) -> None:
    """When a part dies, the error names it, its exit code and the end of its log."""
    parts = Parts(tmp_path)

    async def go_on() -> None:
        async with asyncio.TaskGroup() as group:
            await parts.start("shop", ["-c", "print('no luck'); raise SystemExit(3)"], watch=group)
            await asyncio.sleep(30)

    with pytest.raises(ExceptionGroup) as caught:
        await go_on()
    (error,) = caught.value.exceptions
    assert isinstance(error, PartDiedError)
    assert str(error) == f"shop stopped by itself (exit 3); its last words, from {tmp_path / 'shop.log'}:\n    no luck"
    await parts.stop()


async def test_failed_command_is_said(tmp_path: Path) -> None:
    """A command that fails is an error with what it said."""
    with pytest.raises(PartDiedError) as caught:
        await Parts(tmp_path).run("key create", ["-c", "import sys; sys.exit('no room')"])
    assert str(caught.value) == "key create failed (exit 1): no room"


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")
def test_parts_die_with_a_killed_demo(tmp_path: Path) -> None:
    """kill -9 of the demo ends its parts."""
    script = tmp_path / "demo.py"
    script.write_text(
        "import os, subprocess, sys, time\n"
        "wait = 'import time; print(1, flush=True); time.sleep(60)'\n"
        f"program = [sys.executable, '-I', {str(LAUNCH)!r}, str(os.getpid()), sys.executable, '-c', wait]\n"
        "part = subprocess.Popen(program, start_new_session=True, stdout=subprocess.PIPE)\n"
        "part.stdout.readline()\nprint(part.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        part = int(demo.stdout.readline())
        assert not _gone(part)
        os.kill(demo.pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not _gone(part) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _gone(part)


def test_launch_refuses_a_gone_parent() -> None:
    """A part whose parent died before it could ask for its death does not start."""
    done = subprocess.run([sys.executable, "-I", str(LAUNCH), "1", sys.executable, "-c", "print('alive')"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "the demo is gone\n")


TRUTH = {
    "journey": "checkout",
    "step": "pay",
    "cause": "502 from POST /payments (service payments)",
    "people_reached": 10,
    "people_hit": 4,
    "shortfall": 100.0,
    "currency": "EUR",
    "seed": 1,
}


def _report(**changed: Any) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "journey": {"id": "checkout", "name": "checkout"},
        "step": {"id": "pay", "name": "Pay"},
        "cause": {"summary": TRUTH["cause"]},
        "people": {"reached": 10, "hit": 4, "trying": 0},
        "money": {"state": "so_far", "amount": 90.0, "low": 40.0, "high": 150.0, "reasons": []},
    }
    return {"problems": [problem | changed]}


def test_equal_report() -> None:
    """A report that says the truth has no differences and is ripe."""
    assert differences(TRUTH, json.loads(json.dumps(_report()))) == []
    assert is_ripe(_report())
    assert not is_ripe(_report(people={"reached": 10, "hit": 4, "trying": 2}))
    assert not is_ripe({"problems": []})


def test_differences_are_said() -> None:
    """Each thing the report says otherwise is one sentence."""
    assert differences(TRUTH, None) == ["the report could not be read"]
    assert differences(TRUTH, {"problems": []}) == ["the report names no problem"]
    assert differences(TRUTH, _report(people={"reached": 11, "hit": 4, "trying": 0}, cause=None)) == [
        "cause: true is '502 from POST /payments (service payments)', the report says None",
        "people_reached: true is 10, the report says 11",
    ]
    assert differences(TRUTH, _report(step={"id": "cart", "name": "Cart"})) == ["step: true is 'pay', the report says 'cart'"]


def test_money_line() -> None:
    """The interval is shown beside the true shortfall, and an absent one with its reasons."""
    assert money_line(TRUTH, _report()) == "money: true shortfall 100 EUR, inside the report's 40–150 (its estimate: 90, so far)"
    nothing = {"state": "not_estimable", "amount": None, "low": None, "high": None, "reasons": ["too few"]}
    assert money_line(TRUTH, _report(money=nothing)) == "money: true shortfall 100 EUR; the report gives no amount (too few)"


def test_wrong_report_says_of_when(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the report is not the truth, every difference is said and when its problem was worked out, and the exit code is 1."""
    report = _report(people={"reached": 9, "hit": 4, "trying": 0})
    report["problems"][0] |= {"as_of": "2026-01-01T10:00:00Z", "headline": []}
    assert cli._answer(argparse.Namespace(json=True), Teller(), TRUTH, report) == 1
    lines = [line.partition("] ")[2] for line in capsys.readouterr().err.splitlines()]
    assert lines[:2] == ["Not the truth: people_reached: true is 10, the report says 9", "The report's problem was worked out at 2026-01-01T10:00:00Z"]
