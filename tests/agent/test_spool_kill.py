"""kill -9 of a process that writes to the spool, again and again: nothing acknowledged is lost, nothing is there twice, no id changes."""

import gzip
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sojourn_agent.spool import Spool

WRITER = """
import asyncio, sys
from pathlib import Path
from sojourn_agent.spool import Spool

async def main():
    async with Spool(Path(sys.argv[1]), ["a"], segment_bytes=20_000) as spool:
        number = 0
        async def one(n):
            body = f"{sys.argv[2]}.{n}.".encode() + b"x" * (n * 37 % 3000)
            batch = await spool.append("traces", body)
            print(batch, f"{sys.argv[2]}.{n}", flush=True)
        while True:
            await asyncio.gather(*(one(number + i) for i in range(8)))
            number += 8

asyncio.run(main())
"""


def test_nothing_acknowledged_is_lost_over_many_kills(tmp_path):
    """Six writers are killed at random moments; every id they were given is in the spool, once, with its body."""
    dice = random.Random(7)
    acknowledged: dict[str, str] = {}
    for turn in range(6):
        acknowledged |= write_and_kill(tmp_path / "spool", turn, dice)
    found = read_all(tmp_path / "spool")
    assert len(acknowledged) > 50
    assert {batch: found.get(batch) for batch in acknowledged} == acknowledged
    assert len(set(found.values())) == len(found), "a body is there under two ids"


def write_and_kill(folder: Path, turn: int, dice: random.Random) -> dict[str, str]:
    """Ids acknowledged to one writer before it was killed, with what they stand for."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(turn)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline()]  # it writes
    time.sleep(dice.uniform(0, 0.1))  # the random moment this test is about
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.read().splitlines()
    process.stdout.close()
    process.wait()
    return dict(line.split() for line in lines if len(line.split()) == 2 and line.split()[1].count(".") == 1)


def read_all(folder: Path) -> dict[str, str]:
    """Everything in the spool: id → what it stands for."""
    import asyncio

    async def read() -> dict[str, str]:
        found: dict[str, str] = {}
        async with Spool(folder, ["a"]) as spool:
            reader = spool.reader("a")
            while (record := await reader.next_now()) is not None:
                turn, number, _ = gzip.decompress(record.body).decode().split(".")
                assert str(record.batch) not in found
                found[str(record.batch)] = f"{turn}.{number}"
                reader.finish(record)
            assert spool.counts.damaged == 0
        return found

    return asyncio.run(read())
