"""Who a collector is: its name in the data folder, its number in the control database."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn_collector.config import CollectorConfig
from sojourn_collector.counters import Counters
from sojourn_collector.several import Several, take_part
from sojourn_collector.store.client import Store
from sojourn_collector.store.control import Control
from sojourn_collector.store.control.errors import ControlError
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from sojourn_collector.store.node import number_of, register
from sojourn_collector.store.numbering import first_of
from sojourn_collector.store.record import Record


@pytest.fixture
def control(postgres_database: PostgresAddress) -> Iterator[Control]:
    """An open control database."""
    one = Control.open(postgres_database)
    yield one
    one.close()


async def test_a_folder_keeps_its_number(control: Control, tmp_path: Path) -> None:
    """Across restarts, also when it was registered before its number was noted; another folder gets another."""
    first = await register(control.nodes, tmp_path / "a", 60.0)
    other = await register(control.nodes, tmp_path / "b", 60.0)
    assert [first.number, other.number, number_of(tmp_path / "b"), number_of(tmp_path / "never")] == [0, 1, 1, 0]
    found = json.loads((tmp_path / "b/node.json").read_text())
    (tmp_path / "b/node.json").write_text(json.dumps({**found, "number": None}))
    again = await register(control.nodes, tmp_path / "b", 60.0)
    assert (again.number, again.epoch, number_of(tmp_path / "b")) == (1, 2, 1)


async def test_a_lone_collectors_folder(control: Control, tmp_path: Path) -> None:
    """It becomes node 0 and its journal counts on; where node 0 is another, it is refused with the cure."""
    for name in "ab":
        journal = Journal(tmp_path / name / "journal")
        await journal.open()
        await journal.append("traces", Record("default", "b1", 1, "local", bytes(32), 1, b""))
        await journal.close()
    node = await register(control.nodes, tmp_path / "a", 60.0)
    journal = Journal(tmp_path / "a/journal")
    await journal.open(node.last_seq)
    assert (node.number, journal.last_seq) == (0, 1)
    await journal.close()
    with pytest.raises(ControlError, match="has the numbers of node 0, which is another collector's"):
        await register(control.nodes, tmp_path / "b", 60.0)


async def test_what_does_not_fit(control: Control, tmp_path: Path) -> None:
    """A damaged name and a journal file of another node are one sentence each."""
    await register(control.nodes, tmp_path, 60.0)
    (tmp_path / "journal").mkdir()
    strange = tmp_path / "journal" / f"{first_of(5) + 1:016}.traces.pb"
    strange.write_bytes(b"")
    with pytest.raises(ControlError) as caught:
        await register(control.nodes, tmp_path, 60.0)
    assert str(caught.value) == f"the journal file {strange} has a number of node 5, and this collector is node 0; move it away"
    (tmp_path / "node.json").write_text("{")
    with pytest.raises(ControlError) as caught:
        await register(control.nodes, tmp_path, 60.0)
    assert str(caught.value) == f"{tmp_path / 'node.json'} is damaged; bring it back from a backup, or remove it once the folder journal is empty"


async def test_engines_that_know_nothing_of_each_other(control: Control, tmp_path: Path) -> None:
    """A second collector with an embedded engine is refused while the first lives; on a server, or after the first's end, it is not."""
    first, second = [await take_part(control, CollectorConfig(data=tmp_path / name)) for name in "ab"]
    assert isinstance(first, Several)
    assert isinstance(second, Several)
    await second.shares_engine(embedded=False)
    with pytest.raises(ControlError) as caught:
        await second.shares_engine(embedded=True)
    assert str(caught.value) == (
        f"the collector on {first.node.host} (node 0) uses this control database too, and the engine here is embedded, so neither would see the other's "
        "tables; give both the same ClickHouse server by engine: in collector.yaml, or each a control database of its own"
    )
    await control.nodes.beat(first.node, 0.0, 0, 0)
    await second.shares_engine(embedded=True)


async def test_a_copied_data_folder(control: Control, tmp_path: Path) -> None:
    """The older of two collectors of one name ends with a sentence at its next heartbeat."""
    config = CollectorConfig(data=tmp_path)
    older, newer = await take_part(control, config), await take_part(control, config)
    assert isinstance(older, Several)
    assert isinstance(newer, Several)
    journal = Journal(tmp_path / "journal")
    await journal.open(older.node.last_seq)
    loader = Loader(journal, Store(lambda: None), control.ledger, control.dead_letters, tmp_path, Counters())
    async with asyncio.timeout(20):
        with pytest.raises(ControlError) as caught:
            await older.beat(journal, loader)
    assert str(caught.value) == "another collector was started as node 0; its data folder is a copy of this one's, which must not be: end one of them"
    await journal.close()


async def test_one_at_a_time(control: Control, tmp_path: Path) -> None:
    """What is to be done by one collector alone is done by the second after the first."""
    parts = [await take_part(control, CollectorConfig(data=tmp_path / name)) for name in "ab"]
    doing: list[int] = []

    async def work(number: int) -> None:
        assert doing == []
        doing.append(number)
        await asyncio.sleep(0.2)
        doing.remove(number)

    await asyncio.gather(*(part.alone("schema", lambda number=number: work(number)) for number, part in enumerate(parts) if part))  # type: ignore[misc]
    assert await control.leases.holder("schema") is None
