"""The warm browser: replaced in time, and nothing of it is left behind."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn_agent.tools import close_tools, make_tools
from sojourn_probes.chromium import Choice
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps.browser_pool import BrowserPool
from sojourn_probes.steps.browser_process import PREFIX, sweep
from tests.probes.site import site
from tests.probes.steps.browser_site import shop, started_by_us
from tests.probes.steps.browsing import alone, journey, only_failure
from tests.probes.walking import walk

pytestmark = pytest.mark.browser


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of this test's own: in the machine's one, browsers of tests that run beside it come and go."""
    with tempfile.TemporaryDirectory(prefix="left-") as folder:  # short, for a socket of the browser's may stand in it
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def _runs(count: int, scratch: Path) -> None:
    """Walk `count` short runs, some of which fail, and hold what there was before against what is there after."""
    files = open_files()
    pool = BrowserPool(recycle_after=50)
    async with site(shop) as served:
        tools = {"browser": pool}
        good = journey(served.url, "goto: /cart", "expect: Your cart")
        bad = journey(served.url, "goto: /nowhere")
        late = journey(served.url, "goto: /slow", timeout="1s")
        for number in range(count):
            result = await walk(late if number % 50 == 7 else bad if number % 5 == 3 else good, tools=tools)
            assert (result.failure is None) == (number % 50 != 7 and number % 5 != 3), result.failure
            assert all(not running.browser.contexts for running in pool._warm.values())
        assert len(pool._warm) == 1
        await pool.aclose()
    assert started_by_us() == {}
    assert list(scratch.iterdir()) == []
    assert open_files() <= files + 5


async def test_nothing_is_left_after_ten_runs(scratch: Path):
    """Ten runs, good, failing and late, leave no context, process, file or descriptor."""
    await _runs(10, scratch)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_nothing_is_left_after_two_hundred_runs(scratch: Path):
    """Two hundred runs, over several browsers, leave no context, process, file or descriptor."""
    await _runs(200, scratch)


async def test_a_browser_that_grew_too_large_is_replaced():
    """Beyond `recycle_memory` bytes of all its processes a fresh browser serves, and the old one goes with all it had."""
    async with alone(recycle_memory=1 << 20) as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        first = set(started_by_us())
        await walk(journey(served.url, "goto: /"), tools=tools)
        async with asyncio.timeout(30):
            while first & set(started_by_us()):
                await asyncio.sleep(0.05)


async def test_a_stopped_browser_is_killed_and_replaced():
    """A browser that no longer answers (SIGSTOP) costs its attempt; it is killed with its group and the next run has a new one."""
    async with alone() as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        stopped = {pid for pid, command in started_by_us().items() if "chrom" in command and "node" not in command}
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        result = await walk(journey(served.url, "goto: /", timeout="3s"), tools=tools)
        assert result.outcome is not Outcome.PASSED
        assert (await walk(journey(served.url, "goto: /"), tools=tools)).failure is None
        assert not stopped & set(started_by_us())


async def test_a_killed_browser_is_replaced():
    """A browser that died between runs is replaced without anyone noticing."""
    async with alone() as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        os.kill(
            min(
                pid for pid, command in started_by_us().items() if "--type=" not in command and "--sojourn-browser" in Path(f"/proc/{pid}/cmdline").read_text()
            ),
            signal.SIGKILL,
        )
        async with asyncio.timeout(20):
            while (pool := tools["browser"])._warm[""].browser.is_connected():
                await asyncio.sleep(0.02)
        assert (await walk(journey(served.url, "goto: /"), tools=tools)).failure is None
        assert pool is tools["browser"]


async def test_a_browser_is_replaced_after_its_share_of_runs():
    """After `recycle_after` contexts a fresh browser serves, and the old one goes."""
    async with alone(recycle_after=1) as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        first = set(started_by_us())
        await walk(journey(served.url, "goto: /"), tools=tools)
        async with asyncio.timeout(20):
            while first & set(started_by_us()):
                await asyncio.sleep(0.02)


async def test_no_browser_is_one_sentence():
    """Without a browser, or with one that does not start, the failure is of kind browser and says the cure."""
    async with alone(choices=lambda: iter(())) as (served, tools):
        result = await walk(journey(served.url, "goto: /"), tools=tools)
        assert result.outcome is Outcome.INCONCLUSIVE
        assert only_failure(result) == (FailureKind.BROWSER, "no Chromium or Chrome found; python -m sojourn_probes.chromium --ensure fetches one")
    async with alone(choices=lambda: iter([Choice("/bin/false", "test", ())])) as (served, tools):
        result = await walk(journey(served.url, "goto: /"), tools=tools)
        assert only_failure(result) == (FailureKind.BROWSER, "/bin/false did not start; python -m sojourn_probes.chromium --ensure says why and finds another")


async def test_a_run_without_tools_ends_its_own_browser():
    """`run` called alone starts a browser and leaves none behind."""
    async with site(shop) as served:
        assert (await walk(journey(served.url, "goto: /"))).failure is None
    assert started_by_us() == {}


async def test_the_agent_says_when_a_browser_is_replaced():
    """What the agent's configuration says under `browser` reaches the browser that its first run starts."""
    async with site(shop) as served:
        tools = make_tools({"recycle_after": 7, "recycle_memory": 300 << 20})
        assert (await walk(journey(served.url, "goto: /"), tools=tools)).failure is None
        await close_tools(tools)
    assert (tools["browser"]._recycle_after, tools["browser"]._recycle_memory) == (7, 300 << 20)
    assert started_by_us() == {}


async def test_the_memory_of_a_browser_is_that_of_all_its_processes():
    """What is measured is more than the browser's main process and less than the sum of what each process maps."""
    async with alone() as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        running = tools["browser"]._warm[""]
        group = [pid for pid in started_by_us() if os.getpgid(pid) == running.group]
        page = os.sysconf("SC_PAGE_SIZE")
        resident = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page for pid in group]
        assert len(group) > 2
        assert max(resident) < running.memory() < sum(resident)


def test_folders_of_processes_that_are_gone_are_swept(tmp_path):
    """A private folder whose process was killed goes at the next start; one of a living process stays."""
    gone, mine = tmp_path / f"{PREFIX}999999999-x", tmp_path / f"{PREFIX}{os.getpid()}-y"
    for folder in (gone, mine):
        (folder / "profile").mkdir(parents=True)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
