"""The warm browser: replaced in time, and nothing of it is left behind."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn_agent.tools import close_tools, make_tools
from sojourn_probes.steps.browser_pool import BrowserPool
from sojourn_probes.steps.browser_process import PREFIX, sweep
from tests.probes.site import site
from tests.probes.steps.browser_site import shop, started_by_us
from tests.probes.steps.browsing import journey, warm
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
    async with warm(recycle_memory=1 << 20) as (served, tools):
        await walk(journey(served.url, "goto: /"), tools=tools)
        first = set(started_by_us())
        await walk(journey(served.url, "goto: /"), tools=tools)
        async with asyncio.timeout(30):
            while first & set(started_by_us()):
                await asyncio.sleep(0.05)


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
    async with warm() as (served, tools):
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
