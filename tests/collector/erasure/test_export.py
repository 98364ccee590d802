"""Tables as files: which rows, in which form, and what is said of a wish that cannot be met."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from sojourn_collector.cli import main
from sojourn_collector.store.client import Store
from sojourn_collector.store.export_table import TABLES, ExportError, Format, export_table

DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)


async def written(store: Store, table: str, begin: datetime, end: datetime, folder: Path, form: Format = "parquet") -> list[dict[str, Any]]:
    """What is told of each file."""
    return [event async for event in export_table(store, table, begin, end, folder, form)]


async def spans(store: Store, *moments: datetime) -> None:
    """A span at each of these moments."""
    rows = [{"ts": one, "trace_id": bytes([255, *range(15)]), "span_id": bytes(8), "name": f"at {one:%d %H}"} for one in moments]
    await store.insert("spans", rows)


async def test_a_table_is_a_file_a_day_and_ends_before_its_end(store: Store, tmp_path: Path):
    """Rows of [begin, end) in the order of time; progress says which of how many; a day without rows has no file; another tenant's rows are not in it."""
    await spans(store, DAY - timedelta(microseconds=1), DAY, DAY + timedelta(hours=5), DAY + timedelta(days=2), DAY + timedelta(days=2, hours=1))
    told = await written(store, "spans", DAY, DAY + timedelta(days=2, hours=1), tmp_path / "out")
    names = [f"spans-{DAY:%Y-%m-%d}.parquet", f"spans-{DAY + timedelta(days=2):%Y-%m-%d}.parquet"]
    assert [(Path(one["file"]).name, one["number"], one["of"]) for one in told] == [(names[0], 1, 2), (names[1], 2, 2)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    first = pyarrow.parquet.read_table(tmp_path / "out" / names[0])
    assert first.column("name").to_pylist() == [f"at {DAY:%d} 00", f"at {DAY:%d} 05"]
    assert first.column("trace_id").to_pylist() == ["ff" + bytes(range(15)).hex()] * 2
    assert first.column("ts").to_pylist()[0].replace(tzinfo=UTC) == DAY


async def test_only_the_newest_version_of_a_row_is_written(store: Store, tmp_path: Path):
    """Tables whose rows replace one another are written as they are read; without a time of their own they are one file, here of JSON lines."""
    await store.insert("people", [{"source": "crm", "id": "ann", "version": number, "name": f"Ann {number}"} for number in (1, 3, 2)])
    (told,) = await written(store, "people", DAY, DAY + timedelta(days=1), tmp_path, "jsonl")
    (row,) = [json.loads(line) for line in Path(told["file"]).read_text().splitlines()]
    assert (told["bytes"], row["name"]) == (Path(told["file"]).stat().st_size, "Ann 3")


async def test_every_table_of_the_list_can_be_written(store: Store, tmp_path: Path):
    """Also one with states of sums, and one that is empty."""
    await spans(store, DAY)
    for table in TABLES:
        for told in await written(store, table, DAY - timedelta(days=1), DAY + timedelta(days=1), tmp_path):
            assert pyarrow.parquet.read_table(told["file"]).num_columns > 3
    assert pyarrow.parquet.read_table(next(tmp_path.glob("spans_1m-*"))).column("n").to_pylist() == [1]


async def test_an_export_again_replaces_its_files_and_a_failed_one_leaves_the_old(store: Store, tmp_path: Path):
    """A file is written beside and put in its place when it is whole."""
    await spans(store, DAY)
    (told,) = await written(store, "spans", DAY, DAY + timedelta(days=1), tmp_path)
    await spans(store, DAY + timedelta(hours=1))
    (again,) = await written(store, "spans", DAY, DAY + timedelta(days=1), tmp_path)
    assert again["file"] == told["file"]
    assert pyarrow.parquet.read_table(told["file"]).num_rows == 2
    assert [path.name for path in tmp_path.iterdir()] == [Path(told["file"]).name]


@pytest.mark.parametrize("name", ["out", "with 'quotes'", "a (b) %s\\"])
async def test_the_folder_may_be_called_anything(store: Store, tmp_path: Path, name: str):
    """The path is quoted."""
    await spans(store, DAY)
    (told,) = await written(store, "spans", DAY, DAY + timedelta(days=1), tmp_path / name)
    assert Path(told["file"]).parent == tmp_path / name


async def test_wishes_that_cannot_be_met(store: Store, tmp_path: Path):
    """One sentence each; nothing is written."""
    with pytest.raises(ExportError, match="there is no table 'migrations' to export; there are spans, events, metrics, sessions"):
        await written(store, "migrations", DAY, DAY + timedelta(days=1), tmp_path / "out")
    with pytest.raises(ExportError, match="the beginning must lie before the end"):
        await written(store, "spans", DAY, DAY, tmp_path / "out")
    with pytest.raises(ExportError, match=r"the engine takes \* \? { } in a path for patterns; give a folder without them"):
        await written(store, "spans", DAY, DAY + timedelta(days=1), tmp_path / "a{b}")
    with pytest.raises(ExportError, match="a time needs a zone, such as 2026-01-31T14:00:00Z"):
        await written(store, "spans", DAY.replace(tzinfo=None), datetime(2030, 1, 1), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--table", "spans", "--from", "yesterday"], "--from: 'yesterday' is no time; write one such as 2026-01-31 or 2026-01-31T14:00:00Z"),
        (["--table", "spans", "--from", "2026-02-01", "--to", "2026-01-01"], "the beginning must lie before the end"),
        (["--person", "  "], "the id of a person is a text of 1 to 16384 characters"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str):
    """Exit code 2 and one line, before an engine is started."""
    config = tmp_path / "collector.yaml"
    config.write_text("data: data\njourneys: journeys\n")
    assert main(["export", *arguments, "--out", str(tmp_path / "out"), "--config", str(config)]) == 2
    assert capsys.readouterr().err == f"sojourn-collector: {sentence}\n"
    assert not (tmp_path / "data").exists()


def test_what_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A copy for a person goes to a new file."""
    config = tmp_path / "collector.yaml"
    config.write_text("data: data\njourneys: journeys\n")
    (tmp_path / "ann.zip").write_text("mine")
    assert main(["export", "--person", "ann", "--out", str(tmp_path / "ann.zip"), "--config", str(config)]) == 2
    assert capsys.readouterr().err == f"sojourn-collector: {tmp_path}/ann.zip is there already; give a new file\n"
    assert (tmp_path / "ann.zip").read_text() == "mine"


def test_servers_are_told_apart(tmp_path: Path):
    """With the tables on ClickHouse servers nothing can be frozen or written from here; it is said before anything is made."""
    from sojourn_collector.store.backup import Backup, BackupError
    from sojourn_collector.store.endpoint import Endpoint
    from sojourn_collector.store.layout import Layout

    store = Store(lambda: Endpoint("ch.example", 8123, layout=Layout("sojourn")))
    backup = Backup(tmp_path, store, None, None, None, None)  # type: ignore[arg-type]

    async def ask() -> None:
        with pytest.raises(BackupError, match="the tables are on ClickHouse servers, where no files can be frozen from here; keep them with ClickHouse's own"):
            _ = [event async for event in backup.into(tmp_path / "backup", DAY)]
        with pytest.raises(ExportError, match="the tables are on ClickHouse servers, which would write to their own disks; use clickhouse-client"):
            await written(store, "spans", DAY, DAY + timedelta(days=1), tmp_path / "out")

    asyncio.run(ask())
    assert list(tmp_path.iterdir()) == []
