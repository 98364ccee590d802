"""What a cluster gets to see of each migration: exact text, valid ClickHouse SQL, and a clear word where there is no form."""

import re
from pathlib import Path

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.ddl import DEDUPLICATED_SECONDS, SHARD_BY, DdlError, parts, render
from sojourn_collector.store.layout import EMBEDDED, Layout
from sojourn_collector.store.load_sql import quoted
from sojourn_collector.store.migrations import PROGRESS, read

CLUSTER = Layout("sojourn", "main")
GOLDEN = Path(__file__).parent / "cluster_ddl.sql"
STATEMENTS = [PROGRESS, *(sql for migration in read() for sql in migration.statements)]


def test_the_first_migrations_as_a_cluster_sees_them():
    """Exact text of the released migrations 1 and 2. A change here does not reach clusters that exist; write a new migration instead."""
    released = [PROGRESS, *(sql for migration in read() if migration.number <= 2 for sql in migration.statements)]
    assert "\n--------\n".join(one for sql in released for one in render(sql, CLUSTER)) + "\n" == GOLDEN.read_text()


def test_embedded_and_one_server_get_the_files_text():
    """There the statement is what the file says; the connection names the database."""
    for sql in STATEMENTS:
        assert render(sql, EMBEDDED) == render(sql, Layout("sojourn")) == (sql,)


async def test_every_statement_is_valid_for_clickhouse(store: Store):
    """Every migration has a form for a cluster, and ClickHouse's own parser takes it."""
    for one in (one for sql in STATEMENTS for one in render(sql, CLUSTER)):
        await store.statement(f"SELECT formatQuery({quoted(one)})")


def test_every_table_is_replicated_distributed_and_remembers_its_inserts():
    """No statement makes a table on one host only, and repeated inserts are known for longer than the ledger's 30 days."""
    made = [one for sql in STATEMENTS for one in render(sql, CLUSTER) if one.startswith("CREATE TABLE")]
    assert all(" ON CLUSTER 'main' " in one for one in made)
    assert {re.search(r"ENGINE = (Replicated|Distributed)", one) is not None for one in made} == {True}
    local = [one for one in made if "_local ON" in one and "ENGINE = Replicated" in one]
    assert all(f"replicated_deduplication_window_seconds = {DEDUPLICATED_SECONDS}" in one for one in local)
    assert DEDUPLICATED_SECONDS > 30 * 86_400
    assert len(local) == sum("ENGINE = Distributed" in one for one in made) >= 11


@pytest.mark.parametrize("table", [name for name in SHARD_BY if name not in ("spans", "events", "metrics")])
def test_all_versions_of_a_row_go_to_one_shard(table: str):
    """Tables whose rows replace each other are sharded by columns of their sorting key: else FINAL would find one version on each shard."""
    (sql,) = [sql for sql in STATEMENTS if sql.startswith(f"CREATE TABLE IF NOT EXISTS {table} ")]
    assert "ReplacingMergeTree" in sql
    key = re.search(r"ORDER BY \(([^)]*)\)", sql)
    assert key
    columns = re.findall(r"\w+", SHARD_BY[table].removeprefix("cityHash64"))
    assert set(columns) <= set(re.findall(r"\w+", key[1]))


LATER = {
    "columns and an index": (
        "ALTER TABLE runs ADD COLUMN IF NOT EXISTS note LowCardinality(String) DEFAULT 'a, (b' CODEC(Delta(8), ZSTD(1)) "
        "AFTER journey, ADD INDEX i note TYPE set(9)",
        [
            "ALTER TABLE d.runs_local ON CLUSTER 'c'\n  ADD COLUMN IF NOT EXISTS note LowCardinality(String) DEFAULT 'a, (b' CODEC(Delta(8), ZSTD(1)) "
            "AFTER journey, ADD INDEX i note TYPE set(9)",
            "ALTER TABLE d.runs ON CLUSTER 'c'\n  ADD COLUMN IF NOT EXISTS note LowCardinality(String) DEFAULT 'a, (b' AFTER journey",
        ],
    ),
    "how long rows are kept": (
        "ALTER TABLE spans MODIFY TTL toDateTime(ts) + INTERVAL 7 DAY",
        ["ALTER TABLE d.spans_local ON CLUSTER 'c'\n  MODIFY TTL toDateTime(ts) + INTERVAL 7 DAY"],
    ),
    "times of expiry anew": (
        "ALTER TABLE spans MATERIALIZE TTL SETTINGS mutations_sync = 0",
        ["ALTER TABLE d.spans_local ON CLUSTER 'c'\n  MATERIALIZE TTL SETTINGS mutations_sync = 0"],
    ),
    "rows for ever": (
        "ALTER TABLE feedback REMOVE TTL SETTINGS materialize_ttl_after_modify = 0",
        ["ALTER TABLE d.feedback_local ON CLUSTER 'c'\n  REMOVE TTL SETTINGS materialize_ttl_after_modify = 0"],
    ),
    "an erasure": (
        "ALTER TABLE runs DELETE WHERE run_id IN (SELECT id FROM erasing) SETTINGS mutations_sync = 2",
        ["ALTER TABLE d.runs_local ON CLUSTER 'c'\n  DELETE WHERE run_id IN (SELECT id FROM erasing) SETTINGS mutations_sync = 2"],
    ),
    "a table every host has": ("ALTER TABLE erasing DELETE WHERE 1", ["ALTER TABLE d.erasing ON CLUSTER 'c'\n  DELETE WHERE 1"]),
    "a table in memory": (
        "CREATE TABLE IF NOT EXISTS erasing (id String) ENGINE = Memory",
        [
            "CREATE TABLE IF NOT EXISTS d.erasing ON CLUSTER 'c' (id String)\n"
            "ENGINE = ReplicatedMergeTree('/clickhouse/tables/d/all/erasing', '{shard}-{replica}') ORDER BY tuple()"
        ],
    ),
    "a table without a word of its own": (
        "CREATE TABLE IF NOT EXISTS x (a String, b Date) ENGINE = MergeTree ORDER BY (a, toYear(b)) SETTINGS non_replicated_deduplication_window = 5",
        [
            "CREATE TABLE IF NOT EXISTS d.x_local ON CLUSTER 'c' (a String, b Date)\n"
            "ENGINE = ReplicatedMergeTree('/clickhouse/tables/d/{shard}/x', '{replica}') ORDER BY (a, toYear(b)) "
            "SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400",
            "CREATE TABLE IF NOT EXISTS d.x ON CLUSTER 'c' AS d.x_local\nENGINE = Distributed('c', 'd', 'x_local', cityHash64(a, toYear(b)))",
        ],
    ),
    "a view": (
        "CREATE OR REPLACE VIEW v AS SELECT a FROM runs WHERE a IN (SELECT b FROM steps)",
        ["CREATE OR REPLACE VIEW d.v ON CLUSTER 'c' AS\nSELECT a FROM d.runs WHERE a IN (SELECT b FROM d.steps)"],
    ),
    "a view goes": ("DROP VIEW IF EXISTS spans_1m_view", ["DROP VIEW IF EXISTS d.spans_1m_view ON CLUSTER 'c' SYNC"]),
    "a table goes": ("DROP TABLE IF EXISTS x", ["DROP TABLE IF EXISTS d.x ON CLUSTER 'c' SYNC", "DROP TABLE IF EXISTS d.x_local ON CLUSTER 'c' SYNC"]),
    "rows": ("INSERT INTO x SELECT a FROM y", ["INSERT INTO x SELECT a FROM y"]),
}


@pytest.mark.parametrize("what", LATER)
async def test_forms_of_later_statements(what: str, store: Store):
    """Each kind of statement a migration may hold, exactly, and valid for ClickHouse."""
    sql, wanted = LATER[what]
    assert list(render(sql, Layout("d", "c"))) == wanted
    for one in wanted:
        await store.statement(f"SELECT formatQuery({quoted(one)})")


NO_FORM = {
    "RENAME TABLE a TO b": "this statement has no form for a cluster: RENAME TABLE a TO b …; see store/ddl.py",
    "CREATE TABLE IF NOT EXISTS x (a Int8) ENGINE = Memory": "table x is in memory, of one host only; see EVERYWHERE in store/ddl.py",
    "CREATE TABLE IF NOT EXISTS x (a Int8) ENGINE = MergeTree ORDER BY a": (
        "table x says nothing of non_replicated_deduplication_window; on a cluster a repeated insert would be stored twice"
    ),
}


@pytest.mark.parametrize("sql", NO_FORM)
def test_what_has_no_form_is_said(sql: str):
    """A statement that would be wrong on a cluster is refused by an exact sentence."""
    with pytest.raises(DdlError) as refused:
        render(sql, CLUSTER)
    assert str(refused.value) == NO_FORM[sql]


def test_lists_are_cut_at_their_outer_commas():
    """Brackets and strings, escaped quotes in them too, keep their commas."""
    assert parts(r"a(1, 2), b 'x, \', y', c [3, (4, 5)]") == ["a(1, 2)", r"b 'x, \', y'", "c [3, (4, 5)]"]
