"""How long tables keep their rows: by collector.yaml, at every start, without a row lost that should stay."""

import asyncio
from datetime import UTC, datetime, timedelta

from sojourn_collector.keep_config import Keep
from sojourn_collector.store.client import Store
from sojourn_collector.store.keep import BY_GRAIN, RULES, apply_keep, ttl_of, wanted

NOW = datetime.now(UTC)


async def expiries(store: Store, table: str) -> dict[str, tuple[int, int]]:
    """Rows of each partition, and in how many days the engine will drop the last of them."""
    sql = """SELECT partition, sum(rows) AS n, max(dateDiff('day', now(), delete_ttl_info_max)) AS days FROM system.parts
        WHERE database = currentDatabase() AND table = {table:String} AND active AND rows > 0 GROUP BY partition"""
    return {row["partition"]: (row["n"], row["days"]) for row in await store._rows(sql, {"table": table}, 10)}


async def until_expires(store: Store, table: str, days: set[int]) -> None:
    """Wait until the engine has written the times of expiry anew."""
    async with asyncio.timeout(60):
        while {left for _, left in (await expiries(store, table)).values()} != days:
            await asyncio.sleep(0.05)


async def test_the_defaults_are_what_the_tables_were_made_with(own: Store) -> None:
    """A first start changes nothing: what the schema says and what the defaults say is the same."""
    assert await apply_keep(own, Keep()) == []


async def test_every_table_with_rows_that_age_has_a_rule(own: Store) -> None:
    """A table whose definition has a TTL is in the list, and nothing in the list is no table."""
    rows = await own.query("table_engines")
    with_ttl = {row["name"] for row in rows if ttl_of(row["engine_full"])}
    assert with_ttl <= {*RULES, *BY_GRAIN}
    assert {*RULES, *BY_GRAIN} <= {row["name"] for row in rows}


async def test_keeping_longer_and_shorter_reaches_what_is_there(own: Store) -> None:
    """Rows that were stored under the old time live by the new one, and those that are too old for it go; the second start finds nothing to do."""
    rows = [{"ts": NOW - timedelta(days=age), "name": f"{age}"} for age in (1, 8)]
    await own.insert("metrics", rows)
    await until_expires(own, "metrics", {30, 23})
    longer = Keep(raw=60)
    assert [line.split(" ")[0] for line in await apply_keep(own, longer)] == ["spans", "events", "metrics", "trace_times", "failed_traces"]
    assert await apply_keep(own, longer) == []
    await until_expires(own, "metrics", {60, 53})
    shorter = Keep(raw=5, feedback=90)
    changed = await apply_keep(own, shorter)
    assert "feedback keeps its rows by toDateTime(ts) + toIntervalDay(90), before by no limit" in changed
    await until_expires(own, "metrics", {5})
    assert sum(n for n, _ in (await expiries(own, "metrics")).values()) == 1
    assert len(await apply_keep(own, Keep())) == 8
    assert await apply_keep(own, Keep()) == []


async def test_hours_and_days_of_sums_are_kept_apart(own: Store) -> None:
    """The sums of an hour go with the runs, those of a day stay for years."""
    old = datetime(NOW.year - 2, 6, 1, tzinfo=UTC)
    for every in ("hour", "day"):
        await own.insert("run_sums", [{"journey": "checkout", "every": every, "t": old, "version": 1, "runs": 1}])
    async with asyncio.timeout(60):
        while len(await expiries(own, "run_sums")) != 1:
            await asyncio.sleep(0.05)
    ((partition, (rows, days)),) = (await expiries(own, "run_sums")).items()
    assert partition.startswith("('day'")
    assert rows == 1
    assert days > 700


def test_raw_data_outlive_their_time_by_a_day():
    """What is moved to the edge of 30 days at the load must not be gone at once."""
    assert wanted(Keep())["spans"] == "toDateTime(ts) + toIntervalDay(31)"
    assert wanted(Keep())["feedback"] == ""
