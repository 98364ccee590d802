"""What a person does in a browser is recorded and becomes a journey that walks."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sojourn_probes.cli_import import told
from sojourn_probes.errors import SojournError
from sojourn_probes.importers.draft import Work
from sojourn_probes.recording import drafted, record
from sojourn_probes.semconv import Outcome
from sojourn_probes.steps.browser_pool import BrowserPool
from sojourn_probes.yaml_core import read
from tests.probes.commanding import PROGRAM, program
from tests.probes.site import Asked, answer, site
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

LOGIN = """<!doctype html><title>Shop</title><div style="height: 200px"></div><form action="/in" method="get">
<label>User <input name="user"></label><label>Word <input name="word" type="password"></label>
<label for="size">Size</label><select id="size" name="size"><option value="s">Small</option><option value="m">Medium</option></select>
<label><input type="checkbox" name="terms"> Terms</label><button>Sign in</button></form>"""
INSIDE = '<!doctype html><title>In</title><div style="height: 200px"></div><h1>Welcome</h1><a href="/out">Leave</a>'


async def shop(asked: Asked) -> bytes:
    if asked.target.startswith("/in?user=ana&word=a-canary-hunter22&size=m&terms=on"):
        return answer(body=INSIDE, content_type="text/html")
    return answer(body=LOGIN if asked.target == "/login" else "Bye", content_type="text/html")


async def person(page, said):
    """Signs in and leaves, as somebody at the keyboard would, and looks at the last page for a moment."""
    await page.get_by_label("User").press_sequentially("ana")
    await page.get_by_label("Word").press_sequentially("a-canary-hunter22")
    await page.get_by_label("Size").select_option("m")
    await page.get_by_label("Terms").click()
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Leave").click()
    await page.get_by_text("Bye").wait_for()
    while "click Leave" not in said:
        await asyncio.sleep(0.05)


async def test_what_was_done_becomes_a_journey_that_walks():
    """Actions get targets by role and label; the password is a reference and stands nowhere; the journey passes against the same site."""
    said: list[str] = []
    async with site(shop) as served:
        seen = await record(f"{served.url}/login", headless=True, say=said.append, drive=lambda page: person(page, said))
        work = Work("record", "shop.yaml")
        drafted(seen, f"{served.url}/login", work)
        (made,) = work.finished()
        assert "canary" not in made.text + "".join(said) + "".join(told(work))
        data = read(made.text).data
        assert [action for step in data["steps"] for action in step["browser"]] == [
            {"goto": "/login"},
            {"fill": {"role": "textbox", "name": "User", "value": "ana"}},
            {"fill": {"role": "textbox", "name": "Word", "value": "${secrets.word}"}},
            {"select": {"label": "Size", "value": "m"}},
            {"check": {"role": "checkbox", "name": "Terms"}},
            {"click": "Sign in"},
            {"click": {"role": "link", "name": "Leave"}},
        ]
        assert [step["id"] for step in data["steps"]] == ["open-login", "on-in"]
        pool = BrowserPool()
        try:
            run = await walk(made.text, environ={"SOJOURN_SECRET_WORD": "a-canary-hunter22"}, tools={"browser": pool})
        finally:
            await pool.aclose()
    assert run.outcome is Outcome.PASSED, run.failure


async def test_a_second_tab_is_followed():
    """A link that opens a tab becomes the action that does so; what is done there is done there."""
    said: list[str] = []
    pages = {
        "/": '<div style="height: 200px"></div><a href="/terms" target="_blank">Terms</a>',
        "/terms": '<div style="height: 200px"></div><button>Agree</button>',
    }

    async def terms(asked: Asked) -> bytes:
        return answer(body=f"<!doctype html><title>T</title>{pages.get(asked.target, '')}", content_type="text/html")

    async def reader(page):
        async with page.expect_popup() as opening:
            await page.get_by_role("link", name="Terms").click()
        other = await opening.value
        await other.get_by_role("button", name="Agree").click()
        while "click Agree" not in said:
            await asyncio.sleep(0.05)
        await other.close()

    async with site(terms) as served:
        work = Work("record", "terms.yaml")
        drafted(await record(served.url, headless=True, say=said.append, drive=reader), served.url, work)
    (made,) = work.finished()
    assert [action for step in read(made.text).data["steps"] for action in step["browser"]] == [
        {"goto": "/"},
        {"new_tab": {"click": {"role": "link", "name": "Terms"}}},
        {"click": "Agree"},
    ]


async def test_a_site_that_is_not_there_is_one_sentence():
    """The browser's own words, without a traceback."""
    with pytest.raises(SojournError, match=r"^http://127\.0\.0\.1:9/ cannot be recorded: net::ERR_(CONNECTION_REFUSED|UNSAFE_PORT) at http://127\.0\.0\.1:9/$"):
        await record("http://127.0.0.1:9/", headless=True)


async def test_without_a_display_the_cure_is_said(tmp_path):
    """Nothing is opened and nothing written."""
    done = await program("record", "http://127.0.0.1:9/", "--file", tmp_path / "a.yaml", DISPLAY="", WAYLAND_DISPLAY="")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        "recording opens a window and there is no display ($DISPLAY and $WAYLAND_DISPLAY are not set); "
        "record on a machine with a desktop and copy the file, or run it as: xvfb-run sojourn record …\n",
    )


async def test_a_file_that_is_there_stays(tmp_path):
    """The file is looked for before a browser opens."""
    file = tmp_path / "a.yaml"
    file.write_text("mine")
    done = await program("record", "http://127.0.0.1:9/", "--file", file)
    assert (done.code, done.err) == (2, f"{file} is there already and stays as it is; name another with --file\n")


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
async def test_with_a_window_until_ctrl_c(tmp_path):
    """The command opens a window on the display and writes what was seen when Ctrl-C is pressed."""
    file = tmp_path / "a.yaml"
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told_by:
            display = f":{told_by.readline().strip()}"
        async with site(shop) as served:
            await _recorded(served.url, file, display)
            assert read(file.read_text()).data["steps"][0]["browser"] == [{"goto": "/login"}]
    finally:
        screen.terminate()
        screen.wait()


async def _recorded(url: str, file: Path, display: str) -> None:
    assert sys.executable == PROGRAM[0]
    process = await asyncio.create_subprocess_exec(*PROGRAM, "record", f"{url}/login", "--file", str(file), stderr=-1, env={**os.environ, "DISPLAY": display})
    assert process.stderr is not None
    shown = b""
    while b"recording;" not in shown or b"goto" not in shown:
        line = await process.stderr.readline()
        assert line, shown
        shown += line
    process.send_signal(signal.SIGINT)
    rest = await process.stderr.read()
    assert await process.wait() == 0, shown + rest
