"""Tables of an older version, with data in them, become those of this one; history that was rewritten is refused."""

import shutil
from pathlib import Path

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.migrations import FOLDER, MigrationError, migrate, read
from tests.collector.store.released import VERSIONS, counts, engine, fill, schema


def of_version(number: int) -> object:
    """The first version and the one before this are always tried, those between by `make test-all`."""
    return pytest.param(number, marks=() if number in (VERSIONS[0], VERSIONS[-2]) else pytest.mark.slow)


@pytest.mark.parametrize("version", [of_version(number) for number in VERSIONS[:-1]])
async def test_data_of_every_version_goes_forward(tmp_path: Path, version: int):
    """What was stored before is there afterwards, in every table; a second start changes nothing, and a changed past is refused."""
    async with engine(tmp_path / "engine") as store:
        await migrate(store, schema(tmp_path / "old", version))
        await fill(store)
        before = await counts(store)
        assert set(before.values()) == {1}
        assert await migrate(store) > 0
        assert await migrate(store) == 0
        assert await counts(store, list(before)) == before
        changed = schema(tmp_path / "changed", VERSIONS[-1])
        first = next(iter(sorted(changed.glob("*.sql"))))
        first.write_text(first.read_text().replace("CREATE TABLE IF NOT EXISTS spans", "CREATE TABLE IF NOT EXISTS spans /* x */", 1))
        with pytest.raises(MigrationError, match=r"^0001_first\.sql, statement 1, was changed after it had run here; put changes into a new migration\.$"):
            await migrate(store, changed)


async def test_every_statement_may_run_twice(own: Store):
    """A crash between a statement and its note runs it again at the next start: data and definitions stay as they were."""
    await fill(own)
    before = await counts(own)
    sql = "SELECT name, create_table_query AS made FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    made = await own._rows(sql, {}, 10)
    await own.statement("TRUNCATE TABLE migrations SYNC")
    assert await migrate(own) == sum(len(migration.statements) for migration in read())
    assert await own._rows(sql, {}, 10) == made
    await own.statement("OPTIMIZE TABLE trace_times FINAL DEDUPLICATE")  # the same rows twice say the same as once
    assert await counts(own) == before


def test_two_migrations_of_one_number_are_refused(tmp_path: Path):
    """Whoever writes the second one takes the next number."""
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match=r"^0001_b\.sql: there is already a migration 0001; give this one the next number\.$"):
        read(tmp_path)


def test_the_schema_is_shipped_whole(tmp_path: Path):
    """The migrations of today are those of the folder, in the order of their numbers."""
    shutil.copytree(FOLDER, tmp_path / "copy")
    assert [one.name for one in read(tmp_path / "copy")] == sorted(path.stem for path in FOLDER.glob("*.sql"))
