"""Tables of an older version, with data in them, become those of this one; history that was rewritten is refused."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.migrations import FOLDER, MigrationError, migrate, read

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def versions(folder: Path, until: int) -> Path:
    """The migrations up to a number, as an older version had them."""
    folder.mkdir()
    for path in sorted(FOLDER.glob("*.sql"))[:until]:
        shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize("version", range(1, len(read())))
async def test_data_of_every_version_goes_forward(tmp_path: Path, version: int):
    """What was stored before is there afterwards, new columns hold their nothing, and a second start changes nothing."""
    process = EngineProcess(tmp_path / "engine", EngineSettings(memory=1 << 30))
    endpoint = process.start()
    store = Store(lambda: endpoint)
    try:
        await migrate(store, versions(tmp_path / "old", version))
        await store.statement("INSERT INTO metrics (tenant, seq, ts, name, type, value) VALUES ('default', 1, now64(9), 'kept', 'gauge', 2.5)")
        assert await migrate(store) > 0
        assert await migrate(store) == 0
        (row,) = await store.query("loaded_metrics", seq=1)
        assert row["n"] == 1
        changed = versions(tmp_path / "changed", len(read()))
        first = next(iter(sorted(changed.glob("*.sql"))))
        first.write_text(first.read_text().replace("CREATE TABLE IF NOT EXISTS spans", "CREATE TABLE IF NOT EXISTS spans /* x */", 1))
        with pytest.raises(MigrationError, match=r"^0001_first\.sql, statement 1, was changed after it had run here; put changes into a new migration\.$"):
            await migrate(store, changed)
    finally:
        await store.close()
        process.kill()


def test_two_migrations_of_one_number_are_refused(tmp_path: Path):
    """Whoever writes the second one takes the next number."""
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match=r"^0001_b\.sql: there is already a migration 0001; give this one the next number\.$"):
        read(tmp_path)
