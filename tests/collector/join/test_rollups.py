"""Sums by hour and day on the real engine: counted once, counted again after late data, the same after a crash, nobody's identity in them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.join.rollups import ROLLED_VERSION, Rollups, midnight, runs_of
from sojourn_collector.join.turn import Turn
from sojourn_collector.store.buckets import ACCURACY, STEP, bucket, merged, quantile
from sojourn_collector.store.catalogue import FOLDER
from sojourn_collector.store.client import EngineUnavailable
from sojourn_collector.store.control.leases import LeaseLostError, Leases
from tests.collector.join.working import buys
from tests.collector.join.world import Browser, World

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 19, 12, 20, tzinfo=UTC)


def counting(world: World, zone: ZoneInfo = BERLIN, *, turn: Turn | None = None) -> Rollups:
    """Rollups as after a restart."""
    return Rollups(world.store, world.control, zone, 400, lambda: world.worker.written_version, world.clock, turn=turn)


async def sums(world: World, table: str = "run_sums", every: str = "day") -> list[dict[str, Any]]:
    """What the table says of journeys, without versions."""
    sql = f"SELECT * EXCEPT (tenant, version, deleted) FROM {table} FINAL WHERE tenant = {{t:String}} AND every = {{e:String}} AND journey != '' ORDER BY ALL"
    return await world.store._rows(sql, {"t": world.store.tenant, "e": every}, 10)


@pytest.fixture
def tomorrow(world: World) -> World:
    """The world, on the morning after `NOON`'s day; shoppers come in the past."""
    world.clock.moment = NOON + timedelta(hours=20)
    return world


async def test_a_day_that_is_over_is_counted_by_hour_and_by_day(tomorrow: World) -> None:
    """A shopper who paid and one who was stopped are in the sums of their hour and of their day in the zone of the report."""
    happy, sad = Browser("s-1", NOON, user_id="u1"), Browser("s-2", NOON + timedelta(hours=2), user_id="u2")
    await tomorrow.load(*buys(happy, "o-1"))
    await tomorrow.load([sad.page(0, "/"), sad.page(5, "/cart"), sad.page(9, "/checkout/pay"), sad.fetch(10, "/checkout/pay", "/payments", 502)])
    await tomorrow.join()
    await counting(tomorrow).catch_up()
    (day,) = await sums(tomorrow)
    assert day["t"] == datetime(2026, 11, 19, tzinfo=UTC)
    assert [day[key] for key in ("runs", "finished", "stopped", "gave_up", "trying", "people", "anonymous", "units")] == [2, 1, 1, 0, 0, 2, 0, 2]
    assert (day["w_sum"], day["w_squares"], day["w_severity"]) == (4.0, 8.0, 2.0)  # each was sampled at a half, one was stopped
    assert quantile(day["took"], 0.5) == pytest.approx(12_000, rel=ACCURACY)
    hours = await sums(tomorrow, every="hour")
    assert [(row["t"], row["runs"]) for row in hours] == [(NOON.replace(minute=0), 1), (NOON.replace(hour=14, minute=0), 1)]
    pay = next(row for row in await sums(tomorrow, "step_sums") if row["step"] == "pay")
    assert [pay[key] for key in ("reached", "done", "hit", "stopped", "abandoned", "people", "people_hit", "number")] == [2, 1, 1, 1, 0, 2, 1, 4]


async def test_a_day_is_counted_again_when_a_late_signal_comes(tomorrow: World) -> None:
    """What the join writes anew for a day long over is in its sums after the next pass, once; other days are not touched."""
    shopper = Browser("s-1", NOON, user_id="u1")
    spans, events = buys(shopper, "o-1")
    await tomorrow.load(spans[:3])
    await tomorrow.join()
    rollups = counting(tomorrow)
    await rollups.catch_up()
    (day,) = await sums(tomorrow)
    assert (day["runs"], day["finished"], day["gave_up"]) == (1, 0, 1)
    await tomorrow.load(spans[3:], events)
    await tomorrow.join()
    assert await rollups.catch_up() == 2  # this hour and this day
    (day,) = await sums(tomorrow)
    assert (day["runs"], day["finished"], day["gave_up"]) == (1, 1, 0)
    assert await rollups.catch_up() == 0


async def test_a_run_that_moved_to_the_day_before_leaves_nothing_behind(tomorrow: World) -> None:
    """A late signal that makes a run begin before midnight takes its sums with it: where nothing is left, nothing is told."""
    start = datetime(2026, 11, 19, 23, 1, tzinfo=UTC)  # one minute after midnight in Berlin
    shopper = Browser("s-1", start, user_id="u1")
    spans, events = buys(shopper)
    tomorrow.clock.moment = start + timedelta(hours=26)
    await tomorrow.load(spans, events)
    await tomorrow.join()
    rollups = counting(tomorrow)
    await rollups.catch_up()
    assert [row["t"].date() for row in await sums(tomorrow)] == [date(2026, 11, 20)]
    await tomorrow.load([Browser("s-1", start - timedelta(minutes=5), user_id="u1").page(0, "/")])
    await tomorrow.join()
    await rollups.catch_up()
    assert [(row["t"].date(), row["runs"]) for row in await sums(tomorrow)] == [(date(2026, 11, 19), 1)]
    assert [row["t"].hour for row in await sums(tomorrow, every="hour")] == [22]
    assert {row["t"].date() for row in await sums(tomorrow, "step_sums")} == {date(2026, 11, 19)}


async def test_a_crash_in_between_changes_nothing(tomorrow: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass that ends half way is done again by the next process; no sum is doubled, none is missing."""
    for number in range(3):
        await tomorrow.load(*buys(Browser(f"s-{number}", NOON - timedelta(days=number), user_id=f"u{number}")))
    await tomorrow.join()
    insert, calls = tomorrow.store.insert, 0

    async def dies(table: str, rows: Any, token: str | None = None, *, deadline: float = 60.0) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise EngineUnavailable("The engine is gone.")
        await insert(table, rows, token, deadline=deadline)

    monkeypatch.setattr(tomorrow.store, "insert", dies)
    with pytest.raises(EngineUnavailable):
        await counting(tomorrow).catch_up()
    assert await tomorrow.control.progress.get(ROLLED_VERSION) == 0
    monkeypatch.setattr(tomorrow.store, "insert", insert)
    await counting(tomorrow).catch_up()
    whole = [(row["t"].day, row["runs"], row["finished"]) for row in await sums(tomorrow)]
    assert whole == [(17, 1, 1), (18, 1, 1), (19, 1, 1)]
    before = [await sums(tomorrow, table, every) for table in ("run_sums", "step_sums") for every in ("hour", "day")]
    await tomorrow.control.progress.set(ROLLED_VERSION, 0)
    await counting(tomorrow).catch_up()
    assert [await sums(tomorrow, table, every) for table in ("run_sums", "step_sums") for every in ("hour", "day")] == before


async def test_a_collector_whose_turn_is_over_notes_nothing(tomorrow: World) -> None:
    """Of several collectors one counts: when another took over meanwhile, what this one counted is left to it to count again."""
    leases = Leases(tomorrow.control.database)
    turn = Turn(leases, 1, tomorrow.clock)
    turn.lease = await leases.take("join", 1, 60.0)
    assert turn.lease is not None
    await tomorrow.load(*buys(Browser("s-1", NOON, user_id="u1")))
    await tomorrow.join()
    rollups = counting(tomorrow, turn=turn)
    await leases.give_back(turn.lease)
    assert await leases.take("join", 2, 60.0) is not None
    with pytest.raises(LeaseLostError):
        await rollups.catch_up()
    assert await tomorrow.control.progress.get(ROLLED_VERSION) == 0
    await counting(tomorrow).catch_up()
    assert [row["runs"] for row in await sums(tomorrow)] == [1]


async def test_an_hour_is_counted_when_it_is_over_and_a_day_then(world: World) -> None:
    """What is still going on is not summed up; it is as soon as it is over, though nothing was written since."""
    start = datetime(2026, 11, 19, 12, 20, tzinfo=UTC)
    world.clock.moment = start + timedelta(minutes=39)
    await world.load(*buys(Browser("s-1", start, user_id="u1")))
    await world.join()
    rollups = counting(world)
    await rollups.catch_up()
    assert await sums(world, every="hour") == []
    world.clock.forward(60)
    await rollups.catch_up()
    assert [row["runs"] for row in await sums(world, every="hour")] == [1]
    assert await sums(world) == []
    world.clock.moment = midnight(date(2026, 11, 20), BERLIN)
    await counting(world).catch_up()
    assert [row["runs"] for row in await sums(world)] == [1]


async def test_another_zone_counts_the_days_anew(tomorrow: World) -> None:
    """With another zone in impact.yaml the days have other bounds: each is counted anew under its date."""
    await tomorrow.load(*buys(Browser("s-1", datetime(2026, 11, 18, 23, 30, tzinfo=UTC), user_id="u1")))
    await tomorrow.join()
    await counting(tomorrow).catch_up()
    assert [row["t"].day for row in await sums(tomorrow)] == [19]
    await counting(tomorrow, ZoneInfo("America/New_York")).catch_up()
    assert [row["t"].day for row in await sums(tomorrow)] == [18]


async def test_no_sum_holds_an_identity(tomorrow: World) -> None:
    """Neither the person, nor the account, nor the session is anywhere in the sums, hashed or not: there is no column that could hold one."""
    await tomorrow.load(*buys(Browser("s-secret", NOON, user_id="u-secret", account_id="a-secret"), "o-secret"))
    await tomorrow.join()
    await counting(tomorrow).catch_up()
    for table in ("run_sums", "step_sums"):
        for row in [*await sums(tomorrow, table), *await sums(tomorrow, table, "hour")]:
            assert "secret" not in str(row)
            texts = {key for key, value in row.items() if isinstance(value, str)}
            assert texts <= {"journey", "traffic", "location", "every", "step", "name"}


def test_the_queries_use_the_buckets_of_the_code():
    """The width of a bucket is written out in SQL; it is the same as in store/buckets.py."""
    for name in ("roll_runs", "roll_steps"):
        assert repr(STEP) in (FOLDER / f"{name}.sql").read_text()


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.75, 0.95, 1.0]))
def test_a_quantile_of_buckets_is_within_one_percent(values: list[float], q: float):
    """Whatever the durations: the answer is within 1 % of the value at that rank, also when the counts came in two parts."""
    half = len(values) // 2
    parts = [merged({bucket(value): 1} for value in part) for part in (values[:half], values[half:])]
    exact = sorted(values)[int(q * (len(values) - 1))]
    assert quantile(merged(parts), q) == pytest.approx(exact, rel=ACCURACY * 1.0001)


def test_nothing_has_no_quantile():
    """No durations, no answer."""
    assert quantile({}, 0.5) is None


def test_moments_that_follow_one_another_are_asked_for_at_once():
    """Groups end at a gap and at the most."""
    hour = timedelta(hours=1)
    moments = [NOON + number * hour for number in (0, 1, 2, 5, 6)]
    assert [[round((at - NOON) / hour) for at in group] for group in runs_of(moments, hour, 2)] == [[0, 1], [2], [5, 6]]
    assert list(runs_of([], hour, 2)) == []
