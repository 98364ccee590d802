"""The store's client against the real engine."""

import asyncio
from datetime import UTC, datetime

import pytest

from sojourn_collector.store.client import EngineUnavailable, QueryTimeout, StatementFailed, Store
from sojourn_collector.store.engine_process import Endpoint

SESSIONS = "SELECT session_id, started, pages, trace_ids FROM sessions FINAL WHERE tenant = {tenant:String} ORDER BY session_id"

BUSY = "SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64%'"


@pytest.fixture
def asked(tmp_path, engine):
    """A function that makes a store whose catalogue is the given queries."""
    from sojourn_collector.store.catalogue import Catalogue

    def make(**queries: str) -> Store:
        for name, sql in queries.items():
            (tmp_path / f"{name}.sql").write_text(sql)
        return Store(lambda: engine, tenant="client-test", catalogue=Catalogue(tmp_path))

    return make


async def test_rows_come_back_as_they_went_in(store: Store, asked):
    """Text keeps quotes, tabs and backslashes; times keep milliseconds and are aware; columns left out get defaults."""
    odd, at = "it's \\ a\ttab\nand › more", datetime(2026, 11, 2, 14, 3, 5, 123000, tzinfo=UTC)
    other = asked(mine=SESSIONS)
    await store.insert("sessions", [{"session_id": odd, "started": at, "trace_ids": ["a", odd]}, {"session_id": "z", "started": 1_793_628_185_123, "pages": 2}])
    rows = await other.query("mine", tenant=store.tenant)
    await other.close()
    assert rows[0] == {"session_id": odd, "started": at, "pages": 0, "trace_ids": ["a", odd]}
    assert rows[1]["started"] == datetime.fromtimestamp(1_793_628_185.123, UTC)


async def test_the_same_token_stores_once(store: Store, asked):
    """A retried insert with its token stores nothing; another token and no token do."""
    other = asked(count="SELECT count() AS n FROM metrics WHERE tenant = {tenant:String}")
    row = {"name": "m", "ts": datetime.now(UTC), "value": 1.0}
    for token in (f"{store.tenant}-a", f"{store.tenant}-a", f"{store.tenant}-b", None, None):
        await store.insert("metrics", [row], token=token)
    assert await other.query("count", tenant=store.tenant) == [{"n": 4}]
    await other.close()


async def test_parameters_of_any_length_and_content(asked):
    """A list of thousands of hostile strings arrives as it is, by form when a URL is too short for it."""
    wanted = [f"'{n}\\\t\n\"--" for n in range(5000)]
    other = asked(echo="SELECT {list:Array(String)} AS list, {text:String} AS text, {at:DateTime64(3)} AS at")
    at = datetime(2026, 3, 4, 5, 6, 7, 891000, tzinfo=UTC)
    rows = await other.query("echo", list=wanted, text="x'); DROP TABLE spans --", at=at)
    await other.close()
    assert rows == [{"list": wanted, "text": "x'); DROP TABLE spans --", "at": at}]


async def test_a_statement_that_fails_halfway_leaves_nothing_to_the_next(asked):
    """What was put out before the failure is in no later answer, on whichever connection it comes."""
    other = asked(
        fails="SELECT number AS n, throwIf(number = {at:UInt64}, 'halfway') AS thrown FROM numbers(5000) SETTINGS max_block_size = 1000, max_threads = 1",
        works="SELECT {n:UInt64} AS n, 0 AS thrown, sleep(0.05) AS slept",
    )
    failed = await asyncio.gather(*(other.query("fails", at=3000) for _ in range(24)), return_exceptions=True)
    assert [type(one) for one in failed] == [StatementFailed] * 24
    for _ in range(2):
        answers = await asyncio.gather(*(other.query("works", n=n) for n in range(24)))
        assert answers == [[{"n": n, "thrown": 0, "slept": 0}] for n in range(24)]
    await other.close()


async def test_a_slow_query_is_stopped(asked):
    """A query beyond its deadline raises, is gone from the engine, and the next query answers."""
    other = asked(
        slow="SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1",
        busy=BUSY,
    )
    with pytest.raises(QueryTimeout, match=r"^The query took longer than 0.3 s and was stopped.$"):
        await other.query("slow", deadline=0.3)
    for _ in range(100):
        if (await other.query("busy"))[0]["n"] <= 1:  # the asking query itself
            break
    else:
        pytest.fail("the query still runs")
    await other.close()


async def test_wrong_use_is_said(store: Store, asked):
    """Unknown query, unknown and missing parameters, unknown table and column are named."""
    other = asked(one="SELECT {x:UInt8} AS x")
    with pytest.raises(KeyError, match="there is no query named 'nope'"):
        await other.query("nope")
    with pytest.raises(TypeError, match=r"^query one: unknown y$"):
        await other.query("one", x=1, y=2)
    with pytest.raises(TypeError, match=r"^query one: missing x$"):
        await other.query("one")
    with pytest.raises(KeyError, match="there is no table nowhere"):
        await store.insert("nowhere", [{"a": 1}])
    with pytest.raises(KeyError, match="table metrics has no column b"):
        await store.insert("metrics", [{"b": 1}])
    await other.close()


async def test_a_wrong_token_is_refused(engine: Endpoint):
    """The engine answers its own collector only."""
    stranger = Store(lambda: Endpoint(engine.host, engine.port, "guess"))
    assert await stranger.ping() is False
    await stranger.close()


async def test_while_the_engine_is_down():
    """Without an endpoint a call says so at once."""
    store = Store(lambda: None)
    with pytest.raises(EngineUnavailable, match=r"^The engine is starting or was just restarted; try again in a moment\.$"):
        await store.query("migrations_done")
