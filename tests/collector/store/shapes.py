"""An engine in which a cluster of one shard can be played: Distributed tables over local ones, without replicas, Keeper and ON CLUSTER."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sojourn_collector.store.client import Store
from sojourn_collector.store.ddl import render
from sojourn_collector.store.endpoint import Endpoint
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.layout import Layout
from sojourn_collector.store.migrations import PROGRESS, read

CLUSTER = Layout("default", "alone")
CONFIG = """<clickhouse><tcp_port>9000</tcp_port><macros><shard>1</shard><replica>a</replica></macros>
<remote_servers><alone><shard><internal_replication>true</internal_replication><replica><host>localhost</host><port>9000</port></replica></shard></alone>
<pair><shard><replica><host>localhost</host><port>9000</port></replica></shard><shard><replica><host>localhost</host><port>9000</port></replica></shard></pair>
</remote_servers></clickhouse>"""
"""Shards that are this very engine: nothing goes over a network. Both shards of `pair` hold the same rows."""
REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?")
WINDOWS = re.compile(r"replicated_deduplication_window = \d+, replicated_deduplication_window_seconds = \d+")


@dataclass(frozen=True, slots=True)
class WithCluster(EngineSettings):
    """Settings of an engine that knows a cluster."""

    config: str = ""

    def options(self) -> str:
        """Start arguments, the cluster's file with them."""
        return f"config-file={self.config}"


@contextmanager
def engine_with_cluster(folder: Path) -> Iterator[Endpoint]:
    """Where it answers."""
    (folder / "cluster.xml").write_text(CONFIG)
    process = EngineProcess(folder / "engine", WithCluster(config=str(folder / "cluster.xml")))
    try:
        yield process.start()
    finally:
        process.kill()


def without_replicas(statement: str) -> str:
    """A statement of the cluster's as an engine without Keeper can run it."""
    plain = WINDOWS.sub("non_replicated_deduplication_window = 10000", REPLICATED.sub(r"\1(", statement))
    return plain.replace(CLUSTER.on_cluster, "")


async def make_tables(store: Store) -> int:
    """Every migration in the cluster's form; how many statements that were."""
    statements = [PROGRESS, *(sql for migration in read() for sql in migration.statements)]
    rendered = [without_replicas(one) for sql in statements for one in render(sql, CLUSTER)]
    for one in rendered:
        await store.statement(one)
    return len(rendered)


async def spread(store: Store, over: str) -> None:
    """Put other tables over all shards in the place of those there are: `alone` or `pair`."""
    statements = [one for migration in read() for sql in migration.statements for one in render(sql, CLUSTER)]
    for one in statements:
        if made := re.match(r"CREATE TABLE IF NOT EXISTS (\S+) ON CLUSTER .* ENGINE = Distributed\(", " ".join(one.split())):
            await store.statement(f"DROP TABLE IF EXISTS {made[1]} SYNC")
            await store.statement(without_replicas(one).replace("Distributed('alone'", f"Distributed('{over}'"))
