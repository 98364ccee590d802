"""A journal that was damaged on disk: what is whole goes on, what is lost is said, nothing comes twice."""

import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.store import record as records
from sojourn_collector.store.catalogue import FOLDER, Catalogue
from sojourn_collector.store.client import Store
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.record import Record
from tests.collector.store.test_load import Bench, body
from tests.collector.store.test_load import record as record_of


def record(number: int, data: bytes = b"body of a request") -> Record:
    """A record that differs from others."""
    return Record("default", f"b{number}", 1_700_000_000_000_000_000 + number, "local", bytes([number % 256]) * 32, 1, data)


@pytest.fixture
async def bench(tmp_path: Path, engine) -> AsyncIterator[Bench]:
    """Journal, loader and engine."""
    queries = tmp_path / "queries"
    queries.mkdir()
    for own in FOLDER.glob("loaded_*.sql"):
        (queries / own.name).write_text(own.read_text())
    (queries / "of_batch.sql").write_text("SELECT count() AS n FROM spans WHERE attrs['batch'] = {batch:String}")
    store = Store(lambda: engine, catalogue=Catalogue(queries))
    async with Bench(tmp_path, store, int.from_bytes(os.urandom(5))) as one:
        yield one
    await store.close()


async def written(folder: Path, count: int) -> Path:
    """A journal file of so many records, as a crash leaves it."""
    journal = Journal(folder)
    await journal.open()
    for number in range(count):
        await journal.append("traces", record(number))
    await journal.close()
    return folder / f"{1:016}.traces.pb"


async def opened(folder: Path) -> tuple[list[str], list[str]]:
    """Batches that go on after a start, and what is said."""
    journal = Journal(folder)
    files = await journal.open()
    await journal.close()
    return [one.batch for file in files for one in file.records], list(Damaged(folder.parent / "damaged").sentences())


@settings(max_examples=300)
@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(1, 40))
def test_of_a_damaged_file_all_other_records_are_found(position: int, flip: int, width: int) -> None:
    """Bytes changed within one record of five, its length too: the other four are read, and one stretch is damaged."""
    pieces = [record(number, bytes([number]) * 50).encode() for number in range(5)]
    data = bytearray(b"".join(pieces))
    begin = len(pieces[0]) + len(pieces[1])
    at = begin + position % len(pieces[2])
    for place in range(at, min(at + width, begin + len(pieces[2]))):
        data[place] ^= flip
    found = list(records.survey(bytes(data)))
    assert [one.batch for _, _, one in found if one is not None] == ["b0", "b1", "b3", "b4"]
    assert [(start, end) for start, end, one in found if one is None] == [(begin, begin + len(pieces[2]))]


async def test_a_damaged_record_is_lost_and_said(tmp_path: Path) -> None:
    """The others go on; the file as it was lies aside; the next start says no more than the first."""
    path = await written(tmp_path / "journal", 4)
    data = bytearray(path.read_bytes())
    at = len(record(0).encode()) + 20
    data[at] ^= 255
    path.write_bytes(data)
    said = [f"Journal file {path.name} was damaged: 1 of its records could not be read; 3 were kept."]
    for _ in range(2):
        assert await opened(tmp_path / "journal") == (["b0", "b2", "b3"], said)
    (aside,) = [one for one in (tmp_path / "damaged").iterdir() if one.suffix == ".pb"]
    assert aside.read_bytes() == bytes(data)


@pytest.mark.parametrize("end", [b"", b"\0" * 300], ids=["cut", "zeros"])
async def test_a_torn_end_is_no_damage(tmp_path: Path, end: bytes) -> None:
    """A write that a crash or a power cut ended was never acknowledged: it is cut off without a word."""
    path = await written(tmp_path / "journal", 3)
    path.write_bytes(path.read_bytes() + record(9).encode()[:40] + end if not end else path.read_bytes() + end)
    assert await opened(tmp_path / "journal") == (["b0", "b1", "b2"], [])


async def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    """One that was not loaded and is not there: its number is said; those that were loaded are not missed."""
    folder = tmp_path / "journal"
    journal = Journal(folder, linger=0)
    await journal.open()
    for number in range(4):
        await journal.append("traces", record(number))
        file = await journal.next_file()
        if number == 0:
            await journal.resolve(file)
        else:
            journal._closed.remove(file)
    await journal.append("traces", record(4))
    file = await journal.next_file()
    await journal.resolve(file)
    await journal.close()
    (folder / f"{3:016}.traces.pb").unlink()
    batches, said = await opened(folder)
    assert batches == ["b1", "b3"]
    assert said == ["Journal file 3 was not loaded and is gone; what it held is lost unless its senders still have it."]


async def test_a_file_that_was_copied_comes_once(tmp_path: Path) -> None:
    """The same records under another number, as a careless restore leaves them."""
    path = await written(tmp_path / "journal", 2)
    shutil.copy(path, path.with_name(f"{7:016}.traces.pb"))
    batches, said = await opened(tmp_path / "journal")
    assert batches == ["b0", "b1"]
    assert said == [f"Journal file {7:016}.traces.pb was damaged: 2 were there twice; 0 were kept."]


@pytest.mark.parametrize("note", ["", "{", '{"id": 1}', "[]", '{"id": "x", "last_seq": "many"}'])
async def test_a_journal_without_its_name_loads_nothing_twice(bench: Bench, note: str) -> None:
    """journal.json is damaged after a file was loaded and before it went: the file's token is another now, and its rows are there once all the same."""
    first, second = (os.urandom(8).hex() for _ in range(2))
    await bench.journal.append("traces", record_of(body(first, 3), first, 3))
    file = await bench.journal.next_file()
    await bench.loader._load(file)
    await bench.journal.append("traces", record_of(body(second, 2), second, 2))
    folder = bench.folder / "journal"
    await bench.journal.close()
    (folder / "journal.json").write_text(note)
    bench.control.close()
    async with Bench(bench.folder, bench.store, 0) as again:
        assert [one.doubtful for one in again.files] == [True, True]
        await again.load()
        assert [await again.count(first), await again.count(second)] == [3, 2]
    (sentence,) = Damaged(bench.folder / "damaged").sentences()
    assert sentence == "journal.json of the journal was damaged and was made anew; nothing is lost by it."
    assert json.loads((folder / "journal.json").read_text())["id"] != "x"


async def test_a_file_that_was_loaded_and_damaged_before_it_went(bench: Bench) -> None:
    """A record of it cannot be read any more; all of them are in the tables already, and none comes twice."""
    batches = [os.urandom(8).hex() for _ in range(3)]
    for batch in batches:
        await bench.journal.append("traces", record_of(body(batch, 2), batch, 2))
    file = await bench.journal.next_file()
    await bench.loader._load(file)
    await bench.journal.close()
    bench.control.close()
    data = bytearray(file.path.read_bytes())
    data[len(data) // 2] ^= 255
    file.path.write_bytes(data)
    async with Bench(bench.folder, bench.store, 0) as again:
        await again.load()
        assert [await again.count(batch) for batch in batches] == [2, 2, 2]
        assert again.counters.value("sojourn_load_mismatch") == 0
    assert Damaged(bench.folder / "damaged").sentences() == [f"Journal file {file.path.name} was damaged: 1 of its records could not be read; 2 were kept."]


async def test_of_a_file_in_part_in_the_tables_the_rest_is_put_aside(bench: Bench) -> None:
    """It was being split when the journal lost its name: nobody can say which of its records are stored. None comes twice, and the file lies aside."""
    batches = [os.urandom(8).hex() for _ in range(3)]
    for batch in batches:
        await bench.journal.append("traces", record_of(body(batch, 2), batch, 2))
    file = await bench.journal.next_file()
    whole = file.path.read_bytes()
    pieces = [whole[start:end] for start, end, _ in records.read(whole)]
    await bench.loader._load_part(file, pieces, 0, 1)
    await bench.journal.close()
    bench.control.close()
    (bench.folder / "journal/journal.json").unlink()
    async with Bench(bench.folder, bench.store, 0) as again:
        await again.load()
        assert [await again.count(batch) for batch in batches] == [2, 0, 0]
    damaged = Damaged(bench.folder / "damaged")
    assert damaged.sentences() == [f"Journal file {file.path.name} is in the tables in part (2 of 6 items); it was put aside."]
    (aside,) = damaged.files()
    assert aside.read_bytes() == whole


HARM: dict[str, Callable[[bytearray, int], None]] = {
    "flipped": lambda data, at: data.__setitem__(at, data[at] ^ 255),
    "zeroed": lambda data, at: data.__setitem__(slice(at, at + 8), bytes(len(data[at : at + 8]))),
    "cut out": lambda data, at: data.__delitem__(slice(at, at + 3)),
    "doubled": lambda data, at: data.__setitem__(slice(at, at), data[at : at + 5]),
}


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARM)
def test_every_byte_of_a_file(harm: str) -> None:
    """At each place of a file of three records: those that were not touched are read as they were, none is made up."""
    whole = [record(number) for number in range(3)]
    clean = b"".join(one.encode() for one in whole)
    ends = [(begin, end) for begin, end, _ in records.read(clean)]
    for at in range(len(clean)):
        data = bytearray(clean)
        HARM[harm](data, at)
        found = [one for _, _, one in records.survey(bytes(data)) if one is not None]
        untouched = [one for one, (begin, end) in zip(whole, ends, strict=True) if at + 8 <= begin or at >= end]
        assert all(one in found for one in untouched), at
        assert [one for one in whole if one in found] == found, at
