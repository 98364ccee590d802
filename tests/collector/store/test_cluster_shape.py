"""The same named queries and loads over Distributed tables as over plain ones.

One local shard in the embedded engine: what is shown is that tables, settings and statements of a cluster fit together, not what several hosts do.
"""

import dataclasses
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.keep_config import Keep
from sojourn_collector.store.catalogue import FOLDER, Catalogue, NamedQuery
from sojourn_collector.store.client import StatementFailed, Store
from sojourn_collector.store.endpoint import Endpoint
from sojourn_collector.store.keep import apply_keep
from sojourn_collector.store.layout import EMBEDDED
from sojourn_collector.store.load_sql import Load
from tests.collector.store.shapes import CLUSTER, engine_with_cluster, make_tables, spread
from tests.collector.store.test_load import body, record
from tests.collector.web.stage import NOW, Rows, broken_shop

TENANT = "of-two-shapes"
DENIED = 288
"""ClickHouse's code: a subquery over all shards inside a query over all shards."""
LATER, EARLIER = NOW + timedelta(days=1), NOW - timedelta(days=30)


@pytest.fixture(scope="module")
def cluster_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An engine that knows a cluster of one shard, itself."""
    with engine_with_cluster(tmp_path_factory.mktemp("cluster")) as endpoint:
        yield endpoint


@pytest.fixture
async def cluster(cluster_engine: Endpoint) -> AsyncIterator[Store]:
    """A store that takes the engine for a cluster, its tables made."""
    plain = Store(lambda: cluster_engine)
    assert await make_tables(plain) > 20
    await plain.close()
    layered = dataclasses.replace(cluster_engine, layout=CLUSTER)
    store = Store(lambda: layered, tenant=TENANT)
    yield store
    await store.close()


def value_for(name: str, kind: str, shop: Rows) -> Any:
    """Something that finds rows of the shop, by a parameter's name, else by its type."""
    traces = sorted({trace for row in shop.sessions for trace in row.get("trace_ids", [])})
    run = shop.runs[-1]
    known: dict[str, Any] = {
        "journey": "checkout",
        "step": "pay",
        "traffic": "real",
        "run": run["run_id"],
        "started": run["started"],
        "session": shop.sessions[0]["session_id"],
        "sessions": [row["session_id"] for row in shop.sessions],
        "runs": [row["run_id"] for row in shop.runs],
        "person": shop.sessions[0].get("person_id", ""),
        "persons": [row.get("person_id", "") for row in shop.sessions],
        "traces": traces,
        "trace": (traces or ["00" * 16])[0],
        "orders": [row["id"] for row in shop.orders],
        "ids": [f"u{number}" for number in range(200)] + [f"a{number}" for number in range(9)],
        "zone": "Europe/Berlin",
        "every": "day",
        "currency": "EUR",
        "location": "local",
        "hours": list(range(168)),
        "stretch_ms": 60_000,
        "one_in": 1,
        "journeys": ["checkout"],
        "steps": ["pay"],
        "untouched": ["newsletter"],
        "sinces": [0],
        "untils": [2**42],
        "begins": [0],
        "ends": [2**42],
        "told": [0],
        "starts": [int(EARLIER.timestamp() * 1000)],
        "outcome_ms": 86_400_000,
        "since": [EARLIER] if kind.startswith("Array") else EARLIER,
        "until": LATER if kind.startswith("DateTime") else [LATER] if kind.startswith("Array") else 2**40,
    }
    if name in known:
        return known[name]
    if kind.startswith("DateTime"):
        return LATER if "until" in name or "before" in name else EARLIER
    by_type = {
        "Array(String)": [],
        "Array(Float64)": [],
        "Array(UInt8)": [],
        "Array(UInt64)": [],
        "UInt64": 0,
        "UInt32": 50,
        "UInt16": 28,
        "UInt8": 1,
        "Float64": 1.0,
        "Bool": False,
    }
    by_type |= {"Float32": 0.0, "Int8": -1, "Int64": 2**62}
    return by_type.get(kind, "")


def same_order(value: Any) -> Any:
    """Rows and arrays without the order that a query leaves open."""
    if isinstance(value, dict):
        return {key: same_order(item) for key, item in value.items()}
    return sorted((same_order(item) for item in value), key=repr) if isinstance(value, (list, tuple)) else value


async def test_every_named_query_says_the_same(cluster: Store, engine: Endpoint):
    """Each query of the catalogue gives over Distributed tables what it gives over plain ones; nearly all of them find something."""
    shop = broken_shop()
    plain = Store(lambda: engine, tenant=TENANT)
    catalogue, found = Catalogue(), 0
    try:
        for store in (plain, cluster):
            await shop.store(store)
        for path in sorted(FOLDER.glob("*.sql")):
            query: NamedQuery = catalogue.get(path.stem)
            given = given_to(query, shop)
            here, there = [await store.query(path.stem, deadline=60, **given) for store in (plain, cluster)]
            if path.stem != "migrations_done" and "tenant" in query.types:
                assert same_order(there) == same_order(here), path.stem
                found += bool(here)
    finally:
        await plain.close()
    assert found > 30


def given_to(query: NamedQuery, shop: Rows) -> dict[str, Any]:
    """Parameters for a query."""
    return {name: value_for(name, kind, shop) for name, kind in query.types.items() if name != "tenant"}


async def is_denied(store: Store, name: str, given: dict[str, Any]) -> bool:
    """Whether ClickHouse refuses a query for the tables in it. Any other refusal is raised."""
    try:
        await store.query(name, deadline=60, **given)
    except StatementFailed as error:
        if error.code != DENIED:
            raise
        return True
    return False


async def test_every_named_query_can_be_asked_over_several_shards(cluster: Store):
    """No query is refused because a subquery reads a table over all shards too; without the layout's settings some are."""
    shop, plain = broken_shop(), Store(lambda: dataclasses.replace(cluster._endpoint(), layout=EMBEDDED))  # type: ignore[type-var]
    await shop.store(cluster)
    await spread(plain, "pair")
    refused = 0
    try:
        for path in sorted(FOLDER.glob("*.sql")):
            query = Catalogue().get(path.stem)
            given = given_to(query, shop)
            await cluster.query(path.stem, deadline=60, **given)
            if "IN (" not in query.sql:
                continue
            refused += await is_denied(plain, path.stem, given)
    finally:
        await spread(plain, "alone")
        await plain.close()
    assert refused >= 5


async def test_a_load_by_body_is_stored_once_through_the_table_over_all_shards(cluster: Store, tmp_path: Path):
    """The journal file goes as the body of INSERT … SELECT … FROM input(); again under its token it stores nothing, in the rollup neither."""
    seq, batch = int.from_bytes(os.urandom(5)), os.urandom(8).hex()
    path = tmp_path / "file.pb"
    path.write_bytes(b"".join(record(body(batch, 3, service=batch), batch, 3).encode() for _ in range(4)))
    (tmp_path / "minutes.sql").write_text("SELECT sum(n) AS n FROM spans_1m WHERE service = {service:String}")
    for _ in range(2):
        await cluster.load(Load("traces", path, seq, f"token-{seq}"))
    assert await cluster.query("loaded_spans", seq=seq) == [{"n": 12}]
    asking = Store(cluster._endpoint, tenant=TENANT, catalogue=Catalogue(tmp_path))
    assert await asking.query("minutes", service=batch) == [{"n": 12}]
    await asking.close()


async def test_the_newest_version_of_a_row_is_the_one(cluster: Store):
    """A run written again, with another token or none, is one run: FINAL holds through the table over all shards, and the same token stores once."""
    at = datetime.now(UTC)
    row = {"run_id": "twice", "traffic": "real", "journey": "versions", "started": at, "ended": at, "outcome": "passed", "session_id": "s"}
    for version, token in ((1, "a"), (1, "a"), (2, "b"), (3, None)):
        await cluster.insert("runs", [{**row, "version": version, "attempts": version}], token)
    (found,) = await cluster.query("run_by_id", run="twice")
    assert found["attempts"] == 3


async def test_how_long_tables_keep_their_rows_is_read_from_the_shards(cluster: Store):
    """The defaults are what the shards' tables were made with: a first start changes nothing, and nothing is looked for at the tables over them."""
    assert await apply_keep(cluster, Keep()) == []


async def test_columns_are_those_of_the_table_over_all_shards(cluster: Store):
    """An unknown column is named, also one that a later migration brought is known."""
    with pytest.raises(KeyError, match="table metrics has no column nope"):
        await cluster.insert("metrics", [{"nope": 1}])
    await cluster.insert("metrics", [{"name": "m", "ts": datetime.fromtimestamp(time.time(), UTC), "quantiles": [0.5], "seq": 77}], "m")
    assert await cluster.query("loaded_metrics", seq=77) == [{"n": 1}]
