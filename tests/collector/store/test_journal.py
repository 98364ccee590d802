"""The journal on disk."""

import asyncio
import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.store import record as records
from sojourn_collector.store.journal import Journal, JournalUnavailableError, write_durably
from sojourn_collector.store.record import Record


def record(body: bytes = b"body", batch: str = "b", items: int = 1) -> Record:
    """A record of a default sender."""
    return Record("default", batch, 1_700_000_000_000_000_000, "local", b"d" * 32, items, body)


@given(st.binary(max_size=300), st.text(max_size=40), st.integers(0, 2**40), st.binary(max_size=40))
def test_a_record_reads_back_as_written(body, batch, items, tail):
    """Whatever a record holds is read back; what is no whole record after it is left."""
    one = Record("t", batch, 2**63, "k", b"\x00" * 32, items, body)
    data = one.encode()
    found = list(records.read(data + data + tail))
    assert [entry[2] for entry in found[:2]] == [one, one]
    assert found[1][1] == 2 * len(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_record_is_not_read(position, flip):
    """One flipped byte anywhere in the body, or a cut anywhere, ends the reading before the record."""
    data = bytearray(record(b"x" * 200).encode())
    cut = bytes(data)[: position % len(data)]
    assert list(records.read(cut)) == []
    data[len(data) - 1 - position % 200] ^= flip
    assert list(records.read(bytes(data))) == []


async def test_waiting_requests_share_one_fsync(tmp_path: Path):
    """A hundred requests at once are answered after a few fsyncs, not a hundred."""
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        os.fdatasync(descriptor)
        synced.append(descriptor)

    journal = Journal(tmp_path, sync=sync)
    await journal.open()
    assert set(await asyncio.gather(*(journal.append("traces", record(batch=str(n))) for n in range(100)))) == {1}
    assert len(synced) <= 3
    await journal.close()


async def test_files_wait_longer_after_a_load_that_took_long(tmp_path: Path):
    """After a cheap load a file is handed out 0.2 s old, after one of 0.15 s when it is 0.6 s old, after one of a minute when it is 1 s old."""
    hands = [0.0]
    journal = Journal(tmp_path, clock=lambda: hands[0])
    await journal.open()
    for took, old in ((0.0, 0.2), (0.15, 0.6), (60.0, 1.0), (0.01, 0.2)):
        hands[0] += took  # the loader is done with the file before
        asking = asyncio.ensure_future(journal.next_file())
        await asyncio.sleep(0)
        await journal.append("traces", record())
        hands[0] += old - 0.01
        await asyncio.wait({asking}, timeout=old + 0.05)
        assert not asking.done()
        hands[0] += 0.02
        async with asyncio.timeout(60):
            await journal.resolve(await asking)
    await journal.close()


async def test_numbers_rise_without_gaps_over_signals_and_starts(tmp_path: Path):
    """Each file has the next number, whichever signal, also after a restart and after everything was loaded."""
    journal = Journal(tmp_path, linger=0)
    await journal.open()
    assert [await journal.append(signal, record()) for signal in ("traces", "logs", "traces", "metrics")] == [1, 2, 1, 3]
    for expected in (1, 2, 3):
        file = await journal.next_file()
        assert file.seq == expected
        await journal.resolve(file)
        assert journal.loaded_seq == expected
    await journal.close()
    again = Journal(tmp_path, linger=0)
    assert await again.open() == []
    assert (again.id, again.loaded_seq) == (journal.id, 3)
    assert await again.append("traces", record()) == 4
    await again.close()


async def test_loaded_seq_waits_for_the_oldest_file(tmp_path: Path):
    """A newer file that is done does not move `loaded_seq` past an older one that is not, across a restart."""
    journal = Journal(tmp_path, linger=0)
    await journal.open()
    await journal.append("traces", record())
    await journal.append("logs", record())
    await journal.next_file()
    second = journal._closed[1]
    await journal.resolve(second)
    assert journal.loaded_seq == 0
    await journal.close()
    again = Journal(tmp_path, linger=0)
    (left,) = await again.open()
    assert (left.seq, left.leftover, again.loaded_seq) == (1, True, 0)
    await again.resolve(await again.next_file())
    assert again.loaded_seq == 2
    await again.close()


async def test_a_torn_tail_is_cut(tmp_path: Path):
    """What was written and never acknowledged goes; whole records before it stay; a file of nothing but a torn record is removed."""
    journal = Journal(tmp_path)
    await journal.open()
    await journal.append("traces", record(b"one", "a"))
    await journal.append("logs", record(b"two"))
    await journal.close()
    traces, logs = tmp_path / f"{1:016}.traces.pb", tmp_path / f"{2:016}.logs.pb"
    whole = traces.read_bytes()
    traces.write_bytes(whole + record(b"torn").encode()[:-1])
    logs.write_bytes(logs.read_bytes()[:5])
    again = Journal(tmp_path)
    (file,) = await again.open()
    assert (file.path, file.items, [one.batch for one in file.records]) == (traces, 1, ["a"])
    assert traces.read_bytes() == whole
    assert not logs.exists()
    assert again.last_seq == 2
    await again.close()


async def test_a_file_is_closed_when_it_is_large(tmp_path: Path):
    """No file grows beyond its limits, except by one request that is larger than them."""
    journal = Journal(tmp_path, file_bytes=1000)
    await journal.open()
    seqs = await asyncio.gather(*(journal.append("traces", record(bytes(400), str(n))) for n in range(5)), journal.append("traces", record(bytes(5000), "big")))
    assert seqs == [1, 1, 2, 2, 3, 4]
    await journal.close()


async def test_a_full_disk_refuses_and_leaves_no_trace(tmp_path: Path):
    """While the disk takes nothing the sender hears so; afterwards the same file goes on, with whole records only."""
    full = False

    def sync(descriptor: int) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")

    journal = Journal(tmp_path, sync=sync)
    await journal.open()
    await journal.append("traces", record(b"before", "1"))
    full = True
    with pytest.raises(JournalUnavailableError, match=r"^the disk does not take it \(No space left on device\)$"):
        await journal.append("traces", record(b"lost", "2"))
    full = False
    await journal.append("traces", record(b"after", "3"))
    await journal.close()
    again = Journal(tmp_path)
    (file,) = await again.open()
    assert [one.batch for one in file.records] == ["1", "3"]
    await again.close()


async def test_a_group_that_cannot_be_taken_off_the_disk_spoils_only_its_file(tmp_path: Path, monkeypatch):
    """A disk that refuses fsync and then truncation: nothing more joins that file, and what was refused is cut before it is loaded."""
    broken = False

    def failing(descriptor: int, *_: int) -> None:
        if broken:
            raise OSError(errno.EIO, "Input/output error")

    journal = Journal(tmp_path, sync=failing, linger=0)
    await journal.open()
    assert await journal.append("traces", record(b"before", "1")) == 1
    broken = True
    monkeypatch.setattr("sojourn_collector.store.journal.os.ftruncate", failing)
    with pytest.raises(JournalUnavailableError, match=r"^the disk does not take it \(Input/output error\)$"):
        await journal.append("traces", record(b"refused", "2"))
    with pytest.raises(JournalUnavailableError, match=r"^the disk does not take it"):
        await journal.append("logs", record(b"refused", "3"))
    broken = False
    assert await journal.append("traces", record(b"after", "4")) == 3
    stored = []
    for _ in range(3):
        file = await journal.next_file()
        await journal.cut(file)
        stored += [one.batch for _, _, one in records.read(file.path.read_bytes())]
        await journal.resolve(file)
    assert stored == ["1", "4"]
    assert (journal.loaded_seq, journal.waiting_bytes) == (3, 0)
    await journal.close()


async def test_a_full_disk_leaves_no_loaded_file_behind(tmp_path: Path, monkeypatch):
    """Retiring a loaded file on a full disk changes nothing, and is done when there is room again."""
    journal = Journal(tmp_path, linger=0)
    await journal.open()
    await journal.append("traces", record(b"one", "1"))
    file = await journal.next_file()

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sojourn_collector.store.journal_start.write_durably", full)
    with pytest.raises(OSError, match="No space left on device"):
        await journal.resolve(file)
    assert await journal.next_file() is file
    assert (journal.loaded_seq, file.path.exists()) == (0, True)
    monkeypatch.setattr("sojourn_collector.store.journal_start.write_durably", write_durably)
    await journal.resolve(file)
    assert (journal.loaded_seq, journal.waiting_bytes, file.path.exists()) == (1, 0, False)
    await journal.close()
    again = Journal(tmp_path)
    assert await again.open() == []
    await again.close()


async def test_open_files_grow_while_closed_ones_wait(tmp_path: Path):
    """A loader that is behind gets few large files, not many small ones: while one waits, newer open ones are not closed."""
    journal = Journal(tmp_path, linger=0)
    await journal.open()
    await journal.append("traces", record())
    first = await journal.next_file()
    assert [await journal.append(signal, record()) for signal in ("traces", "logs", "traces")] == [2, 3, 2]
    assert await journal.next_file() is first
    assert await journal.append("traces", record()) == 2
    await journal.resolve(first)
    second = await journal.next_file()
    assert (second.seq, len(second.records)) == (2, 3)
    await journal.close()


async def test_a_full_journal_refuses(tmp_path: Path):
    """When more waits for the engine than allowed, new requests are refused; they go on once it is loaded."""
    journal = Journal(tmp_path, limit=100, linger=0)
    await journal.open()
    await journal.append("traces", record(bytes(200)))
    with pytest.raises(JournalUnavailableError, match=r"^the journal is full because the engine is behind$"):
        await journal.append("traces", record())
    await journal.resolve(await journal.next_file())
    await journal.append("traces", record())
    await journal.close()
