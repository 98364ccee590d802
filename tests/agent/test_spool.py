"""The spool: what was acknowledged is there, once, in order, bounded, with everything given up counted."""

import asyncio
import gzip
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest

from sojourn_agent.spool import MAX_BODY, Spool, SpoolInUse, SpoolReader, SpoolUnavailable


async def drain(reader: SpoolReader, *, finish: bool = True) -> list[tuple[str, bytes]]:
    """Everything there is to read, as (batch id, body)."""
    found = []
    while (record := await reader.next_now()) is not None:
        found.append((str(record.batch), gzip.decompress(record.body)))
        if finish:
            reader.finish(record)
    return found


async def fill(spool: Spool, bodies: Sequence[bytes]) -> list[tuple[str, bytes]]:
    """Append `bodies` one after the other, as (batch id, body)."""
    return [(await spool.append("logs", body), body) for body in bodies]


async def test_what_is_appended_is_read_in_order_by_each_destination(tmp_path):
    """Two destinations read the same batches under the same ids."""
    async with Spool(tmp_path, ["a", "b"]) as spool:
        kept = await fill(spool, [b"one", b"two", b"three"])
        assert await drain(spool.reader("a")) == kept
        assert await drain(spool.reader("b")) == kept


async def test_batch_ids_are_uuid7(tmp_path):
    """A batch id is a UUIDv7: it sorts by the time of the append."""
    async with Spool(tmp_path, ["a"]) as spool:
        ids = [uuid.UUID(await spool.append("logs", b"x")) for _ in range(3)]
    assert {(batch.version, batch.variant) for batch in ids} == {(7, uuid.RFC_4122)}
    assert [batch.int >> 80 for batch in ids] == sorted(batch.int >> 80 for batch in ids)


async def test_what_was_not_finished_is_there_after_a_restart(tmp_path):
    """A destination goes on where it was, batch ids unchanged; the other has lost nothing either."""
    async with Spool(tmp_path, ["a", "b"]) as spool:
        kept = await fill(spool, [b"%d" % n for n in range(10)])
        reader = spool.reader("a")
        for _ in range(4):
            record = await reader.next_now()
            assert record is not None
            reader.finish(record)
    async with Spool(tmp_path, ["a", "b"]) as spool:
        assert (spool.waiting("a"), spool.waiting("b")) == (6, 10)
        assert await drain(spool.reader("a")) == kept[4:]
        assert await drain(spool.reader("b")) == kept


async def test_appends_that_come_together_share_a_file(tmp_path):
    """A thousand concurrent appends all get their own id and all are kept."""
    async with Spool(tmp_path, ["a"]) as spool:
        ids = await asyncio.gather(*(spool.append("traces", b"%d" % n) for n in range(1000)))
        found = await drain(spool.reader("a"))
    assert found == [(batch, b"%d" % n) for n, batch in enumerate(ids)]
    assert len(set(ids)) == 1000


async def test_a_reader_waits_for_the_next_batch(tmp_path):
    """`next` returns as soon as something is appended."""
    async with Spool(tmp_path, ["a"]) as spool, asyncio.timeout(10):
        waiting = asyncio.create_task(spool.reader("a").next())
        await asyncio.sleep(0)
        batch = await spool.append("logs", b"x")
        assert str((await waiting).batch) == batch


async def test_segments_every_destination_has_are_removed(tmp_path):
    """Delivered batches take no disk once their segment has ended."""
    async with Spool(tmp_path, ["a", "b"], segment_bytes=2000) as spool:
        await fill(spool, [os.urandom(500) for _ in range(20)])
        await drain(spool.reader("a"))
        await spool.tidy()
        assert len(list((tmp_path / "segments").iterdir())) == 5
        await drain(spool.reader("b"))
        await spool.tidy()
        assert len(list((tmp_path / "segments").iterdir())) == 1
        assert spool.size == 0


async def test_the_oldest_goes_when_the_spool_is_full_and_is_counted(tmp_path):
    """Beyond max_bytes whole segments go, oldest first; the count is exact for each destination; the newest are all there."""
    async with Spool(tmp_path, ["a", "b"], max_bytes=10_000, segment_bytes=2000) as spool:
        first = await fill(spool, [os.urandom(400) for _ in range(4)])
        reader = spool.reader("b")
        assert await drain(reader) == first
        rest = await fill(spool, [os.urandom(400) for _ in range(36)])
        left = await drain(spool.reader("a"))
        assert left == (first + rest)[-len(left) :]
        assert len(left) >= 15
        lost_of_a, lost_of_b = 40 - len(left), 36 - len(await drain(reader))
        assert spool.counts.dropped_for_room == lost_of_a + lost_of_b
        assert sum(path.stat().st_size for path in (tmp_path / "segments").iterdir()) <= 10_000


async def test_what_is_too_old_goes_and_is_counted(tmp_path):
    """A segment whose newest batch is older than max_age is dropped."""
    now = [1_000_000.0]
    async with Spool(tmp_path, ["a"], max_age=3600, clock=lambda: now[0]) as spool:
        await fill(spool, [b"old", b"old too"])
        now[0] += 2000
        await spool.tidy()
        kept = await fill(spool, [b"young"])
        now[0] += 2000
        await spool.tidy()
        assert spool.counts.dropped_for_age == 2
        assert await drain(spool.reader("a")) == kept


async def test_a_batch_over_the_limit_is_refused(tmp_path):
    """More than 1 MiB is not one batch."""
    async with Spool(tmp_path, ["a"]) as spool:
        with pytest.raises(ValueError, match="a batch of 1048577 bytes is over the 1048576 a batch may have; make smaller ones"):
            await spool.append("logs", b"x" * (MAX_BODY + 1))


async def test_only_one_process_has_the_spool(tmp_path):
    """A second one is told who has it and what to do."""
    async with Spool(tmp_path, ["a"]):
        with pytest.raises(SpoolInUse) as refused:
            async with Spool(tmp_path, ["a"]):
                raise AssertionError("opened twice")
    assert str(refused.value) == f"the spool at {tmp_path} is in use by process {os.getpid()}; stop that agent first, one process at a time may have it open"


async def test_a_new_destination_gets_what_is_still_there(tmp_path):
    """Adding a destination loses nothing for the old and counts nothing as lost for the new."""
    async with Spool(tmp_path, ["a"]) as spool:
        kept = await fill(spool, [b"1", b"2"])
        await drain(spool.reader("a"))
    async with Spool(tmp_path, ["a", "new"]) as spool:
        assert await drain(spool.reader("new")) == kept
        assert await drain(spool.reader("a")) == []
        assert spool.counts.dropped_for_room == 0


async def test_numbers_go_on_when_every_segment_is_gone(tmp_path):
    """After everything was delivered and removed a new batch is not taken for an old one."""
    async with Spool(tmp_path, ["a"]) as spool:
        await fill(spool, [b"1", b"2"])
        await drain(spool.reader("a"))
    for path in (tmp_path / "segments").iterdir():
        path.unlink()
    async with Spool(tmp_path, ["a"]) as spool:
        kept = await fill(spool, [b"3"])
        assert await drain(spool.reader("a")) == kept


@pytest.mark.parametrize("damage", ["flip", "cut", "zero", "append"])
async def test_damage_in_a_segment_costs_what_it_hit(tmp_path, damage):
    """A flipped byte, a cut tail, zeroes, noise at the end: the spool opens, the rest is delivered, the loss is counted."""
    async with Spool(tmp_path, ["a"]) as spool:
        kept = await fill(spool, [os.urandom(100) for _ in range(9)])
    path: Path = next((tmp_path / "segments").iterdir())
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2
    if damage == "flip":
        raw[middle] ^= 0x55
    elif damage == "cut":
        del raw[-10:]
    elif damage == "zero":
        raw[middle : middle + 3] = b"\0\0\0"
    else:
        raw += os.urandom(77)
    path.write_bytes(raw)
    async with Spool(tmp_path, ["a"]) as spool:
        found = await drain(spool.reader("a"))
        more = await fill(spool, [b"fresh"])
        assert await drain(spool.reader("a")) == more
        lost = [batch for batch in kept if batch not in found]
        assert [batch for batch in kept if batch in found] == found
        assert len(lost) == {"flip": 1, "zero": 1, "cut": 1, "append": 0}[damage]
        assert spool.counts.damaged == {"flip": 1, "zero": 1, "cut": 0, "append": 0}[damage]
        assert spool.counts.cut_bytes > 0 if damage in ("cut", "append") else spool.counts.cut_bytes == 0


async def test_a_spool_that_cannot_be_written_says_so_and_recovers(tmp_path):
    """While the disk refuses, an append raises and nothing is half kept; when it takes again so does the spool."""
    async with Spool(tmp_path, ["a"]) as spool:
        kept = await fill(spool, [b"before"])
        segments = tmp_path / "segments"
        moved = segments.rename(tmp_path / "away")
        spool._segments.seal()  # the next append has to begin a file, which it cannot
        with pytest.raises(SpoolUnavailable) as refused:
            await spool.append("logs", b"lost")
        assert str(refused.value) == f"the spool at {tmp_path} cannot be written: No such file or directory"
        moved.rename(segments)
        kept += await fill(spool, [b"after"])
        assert await drain(spool.reader("a")) == kept
        assert spool.counts.refused == 1


async def test_a_closing_spool_takes_nothing_more(tmp_path):
    """What was appended before closing is kept; later appends are refused."""
    spool = Spool(tmp_path, ["a"])
    async with spool:
        appending = asyncio.create_task(spool.append("logs", b"in time"))
        await asyncio.sleep(0)
    await appending
    with pytest.raises(SpoolUnavailable, match="the spool is closing"):
        await spool.append("logs", b"late")
