"""A disk that is full, for a collector with all of its data on it: nothing acknowledged is lost, nothing is damaged, and it goes on by itself."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.collector.oracle import Verdict
from tests.collector.process import CollectorProcess
from tests.collector.test_faults import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SIZE = 192 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, in memory."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a disk of its own cannot be mounted here, which takes root: {mounted.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


def fill(path: Path, leave: int) -> None:
    """Take all but `leave` bytes."""
    with path.open("wb", buffering=0) as out:
        for piece in (1 << 20, 4096):
            with suppress(OSError):
                while out.write(bytes(piece)) == piece:
                    pass
        out.truncate(out.tell() - leave)


@pytest.mark.parametrize("leave", [0, 64 << 10, 1 << 20])
async def test_a_full_disk(disk: Path, leave: int) -> None:
    """During ingest the disk fills up, to the last byte or nearly, and the collector is killed on the full disk too: 0 lost, 0 doubled."""
    collector = CollectorProcess(disk, grpc=True)
    stage = Stage(collector)
    ballast = disk / "ballast"
    try:
        async with stage.running():
            for kill in (False, True):
                await stage.more(20)
                await collector.ready()
                await asyncio.to_thread(fill, ballast, leave)

                async def refuses() -> bool:
                    answer = await collector.get("/metrics")
                    return 'sojourn_requests_total{path="/v1/traces",status="503"}' in answer.text

                await collector.until_true(refuses, "a sender to hear 503")
                assert (await collector.get("/healthz")).status_code == 200
                if kill:
                    collector.kill()
                    starting = asyncio.create_task(collector.start())
                    await asyncio.sleep(1)
                    ballast.unlink()
                    await starting
                else:
                    ballast.unlink()
                await stage.more(20)
                await collector.ready()
        assert await stage.verdict() == Verdict()
        assert list((disk / "data").glob("damaged/*")) == []
    finally:
        if collector._process is not None:
            collector.stop()
