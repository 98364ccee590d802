"""Where the tables live: in the embedded engine, in a database of one ClickHouse server, or over the shards of a cluster.

The named queries are the same everywhere; what differs is said here and in `ddl.py`. Reasons: docs/decisions/0012-clickhouse-server.md.
"""

from dataclasses import dataclass
from typing import Literal

Shape = Literal["embedded", "server", "cluster"]

LOCAL = "_local"
"""On a cluster `spans_local` holds a shard's rows and `spans` is the table over all shards."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of a store. `database` "" is the embedded engine; `cluster` is the name in the servers' `remote_servers`."""

    database: str = ""
    cluster: str = ""

    @property
    def shape(self) -> Shape:
        """Which of the three it is."""
        if not self.database:
            return "embedded"
        return "cluster" if self.cluster else "server"

    @property
    def on_cluster(self) -> str:
        """` ON CLUSTER 'name'`, empty where there is none."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def reads(self) -> dict[str, str]:
        """Settings of every query."""
        if self.shape != "cluster":
            return {}
        return {
            # `x IN (SELECT … FROM runs)`: the inner rows are gathered from every shard once and sent to all.
            "distributed_product_mode": "global",
            # The replica that was written to is the one that is read, as long as it lives.
            "load_balancing": "in_order",
            "prefer_localhost_replica": "1",
            # A shard that does not answer is an error, never a smaller number.
            "skip_unavailable_shards": "0",
        }

    def writes(self) -> dict[str, str]:
        """Settings of every insert. Asynchronous inserts (on by default since 26.2) would answer before or merge what has a token of its own."""
        if self.shape == "embedded":
            return {}
        settings = {"async_insert": "0"}
        if self.shape == "cluster":
            # The answer comes when every shard has its rows; a queue on the initiator could be lost with it.
            settings |= {"distributed_foreground_insert": "1", "parallel_distributed_insert_select": "0"}
            settings |= {"load_balancing": "in_order", "prefer_localhost_replica": "1"}
        return settings

    def statements(self) -> dict[str, str]:
        """Settings of DDL and mutations: done on every host, or an error. A mutation that looks names up finds the same in every replica's `erasing`."""
        if self.shape != "cluster":
            return {}
        return {"distributed_ddl_output_mode": "none", "alter_sync": "2", "allow_nondeterministic_mutations": "1"}


EMBEDDED = Layout()
