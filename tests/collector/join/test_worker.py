"""The join worker on the real engine."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.join.ranges import progress_name
from sojourn_collector.store.client import EngineUnavailable, Store
from tests.collector.control_file import open_control
from tests.collector.join.working import at, buys, keep, probe_run, shopper, table
from tests.collector.join.world import Browser, World, journeys


async def test_a_shopper_who_pays_becomes_a_session_a_run_and_steps(world: World) -> None:
    """A session that walks the whole journey is stored with one finished run and the steps it reached."""
    b = shopper(world, user_id="u1", account_id="a1")
    await world.load(*buys(b, "o-1"))
    await world.join()
    (session,) = await table(world, "sessions")
    assert (session["person_id"], session["person_kind"], session["account_id"], session["traffic"]) == ("user:u1", "user", "a1", "real")
    assert (session["pages"], session["errors"], session["order_ids"], session["device"], session["sample_rate"]) == (4, 0, ["o-1"], "mobile", 0.5)
    assert session["trace_ids"] == [b.trace(n).hex() for n in range(1, 6)]
    assert (session["started"], session["ended"]) == (b.start, b.start + timedelta(seconds=12))
    (run,) = await table(world, "runs")
    assert (run["journey"], run["end"], run["outcome"], run["settled"], run["severity"]) == ("checkout", "finished", "passed", 1, 0.0)
    assert (run["person_id"], run["session_id"], run["device"]) == ("user:u1", "s-1", "mobile")
    steps = await table(world, "steps")
    assert [(s["step"], s["number"], s["done"], s["arrivals"]) for s in steps] == [
        ("home", 1, 1, [b.start]),
        ("cart", 2, 1, [b.start + timedelta(seconds=5)]),
        ("pay", 4, 1, [b.start + timedelta(seconds=9), b.start + timedelta(seconds=11)]),
    ]


async def test_a_hit_keeps_what_failed(world: World) -> None:
    """A step that was hit names the failing request, its trace and when it was felt."""
    b = shopper(world, ago=4000)
    spans = [b.page(0, "/"), b.page(5, "/checkout/pay", attrs={"sojourn.cart.value": "62.5", "sojourn.cart.currency": "EUR"})]
    await world.load([*spans, b.fetch(9, "/checkout/pay", "/payments", 502, 0.25)])
    await world.join()
    pay = (await table(world, "steps"))[-1]
    assert (pay["hit"], pay["stopped"], pay["severity"], pay["outcome"]) == (1, 1, 1.0, "failed")
    assert (pay["hit_method"], pay["hit_path"], pay["hit_status"], pay["hit_trace_id"]) == ("POST", "/payments", 502, b.trace(3).hex())
    assert (pay["failure_kind"], pay["failure_message"]) == ("status", "502 from POST /payments")
    assert pay["failures"] == [b.start + timedelta(seconds=9.25)]
    assert (pay["cart_value"], pay["cart_currency"]) == (62.5, "EUR")
    (run,) = await table(world, "runs")
    assert (run["end"], run["outcome"], run["failure_step"], run["settled"]) == ("stopped", "failed", "pay", 1)
    assert (await table(world, "sessions"))[0]["errors"] == 1


async def test_a_blocked_tracker_stops_nobody(world: World) -> None:
    """In the tables, too: who leaves a page whose tracker was held back gave up unhurt, with an error in the visit; at their own API they were stopped."""
    for session, origin, own in (("s-1", "https://www.google-analytics.com", "false"), ("s-2", "https://api.shop.example", "true")):
        b = shopper(world, session, ago=4000)
        asked = b.fetch(9, "/cart", "/g/collect", 0)
        asked["attrs"] |= {"url.full": f"{origin}/g/collect", "error.type": "network", "sojourn.request.own": own}
        await world.load([b.page(5, "/cart", attrs={"url.full": "https://shop.example/cart"}), asked])
    await world.join()
    assert {(r["session_id"], r["end"], r["severity"]) for r in await table(world, "runs")} == {("s-1", "gave_up", 0.0), ("s-2", "stopped", 1.0)}
    assert [s["errors"] for s in await table(world, "sessions")] == [1, 1]


async def test_a_run_settles_when_abandon_has_passed(world: World) -> None:
    """A run is `trying` until its customer was idle for `abandon`; the worker settles it without any new signal."""
    b = shopper(world, ago=10)
    await world.load([b.page(0, "/"), b.page(5, "/cart")])
    await world.join()
    assert [(r["end"], r["settled"]) for r in await table(world, "runs")] == [("trying", 0)]
    world.clock.forward(1794)
    await world.join()
    assert [(r["end"], r["settled"]) for r in await table(world, "runs")] == [("trying", 0)]
    world.clock.forward(2)
    await world.join()
    assert [(r["end"], r["settled"]) for r in await table(world, "runs")] == [("gave_up", 1)]
    assert {s["settled"] for s in await table(world, "steps")} == {1}


async def test_runs_left_trying_are_settled_after_a_restart(world: World) -> None:
    """A worker that starts later settles what the one before left being tried."""
    b = shopper(world, ago=10)
    await world.load([b.page(0, "/")])
    await world.join()
    world.clock.forward(3600)
    await world.new_worker().catch_up()
    assert [(r["end"], r["settled"]) for r in await table(world, "runs")] == [("gave_up", 1)]


async def test_an_early_signal_that_comes_late_moves_the_run(world: World) -> None:
    """When a late signal moves a run's start, the run under its old id is withdrawn and none counts twice."""
    b = shopper(world)
    first, second, third = b.page(0, "/"), b.page(5, "/cart"), b.page(9, "/checkout/pay")
    await world.load([second, third])
    await world.join()
    old = (await table(world, "runs"))[0]["run_id"]
    await world.load([first])
    await world.join()
    (run,) = await table(world, "runs")
    assert run["started"] == b.start
    assert run["run_id"] != old
    assert {(s["run_id"], s["step"]) for s in await table(world, "steps")} == {(run["run_id"], step) for step in ("home", "cart", "pay")}


async def test_joining_twice_changes_nothing(world: World) -> None:
    """A range of the journal joined a second time, as after a crash, leaves the same rows."""
    b = shopper(world, user_id="u1")
    await world.load(*buys(b))
    await world.join()
    before = {name: [{**row, "version": 0} for row in await table(world, name)] for name in ("sessions", "runs", "steps")}
    await world.control.progress.set(progress_name(0), 0)
    await world.new_worker().catch_up()
    assert {name: [{**row, "version": 0} for row in await table(world, name)] for name in ("sessions", "runs", "steps")} == before


async def test_versions_never_go_back(world: World) -> None:
    """A clock set back does not let older rows win: a session joined later replaces the earlier one all the same."""
    b = shopper(world)
    await world.load([b.page(0, "/")])
    await world.join()
    world.clock.forward(-86_400)
    await world.load([b.page(5, "/cart")])
    await world.new_worker().catch_up()
    assert (await table(world, "sessions"))[0]["pages"] == 2


async def test_versions_of_what_settled_by_itself_never_go_back(world: World) -> None:
    """What the join wrote without anything being loaded counts too: after a restart with a clock set back no row gets a lower version."""
    b = shopper(world)
    await world.load([b.page(0, "/")])
    await world.join()
    world.clock.forward(86_400)
    await world.join()
    (settled,) = await table(world, "runs")
    assert (settled["settled"], settled["version"] <= world.worker.written_version) == (1, True)
    world.clock.forward(-86_400)
    again = world.new_worker()
    await again.catch_up()
    assert again.written_version == world.worker.written_version


async def test_someone_who_signs_in_midway_had_the_whole_session(world: World) -> None:
    """A session that begins without a user and ends with one belongs to the user, its earlier run included."""
    b = shopper(world)
    await world.load([b.page(0, "/")])
    await world.join()
    assert (await table(world, "runs"))[0]["person_id"] == "visit:s-1"
    b.columns["user_id"] = "u7"
    await world.load([b.page(5, "/cart")])
    await world.join()
    (run,) = await table(world, "runs")
    assert (run["person_id"], run["person_kind"]) == ("user:u7", "user")
    assert {s["person_id"] for s in await table(world, "steps")} == {"user:u7"}


async def test_without_consent_a_visit_is_its_own_person(world: World) -> None:
    """Sessions without identity are visits; a consented visitor id makes a visitor."""
    one, two = shopper(world, "s-1"), shopper(world, "s-2", visitor_id="v9")
    await world.load([one.page(0, "/"), two.page(1, "/")])
    await world.join()
    assert {(s["person_id"], s["person_kind"]) for s in await table(world, "sessions")} == {("visit:s-1", "visit"), ("visitor:v9", "visitor")}


async def test_a_probe_in_a_browser_makes_no_customer(world: World) -> None:
    """A session with a verified mark is stored as synthetic with its run, and no real run is recognised in it."""
    b = shopper(world)
    spans, events = buys(b, "o-9")
    spans[2] |= {"traffic": "synthetic", "run_id": "run-1"}
    await world.load(spans, events)
    await keep(world, "orders", id="o-9", at=at(world.clock()), amount="9.90", currency="EUR", session_id="s-1")
    await world.join()
    (session,) = await table(world, "sessions")
    assert (session["traffic"], session["run_id"]) == ("synthetic", "run-1")
    assert await table(world, "runs") == []
    (order,) = await table(world, "orders")
    assert (order["join"], order["probe"]) == ("explicit", 1)


async def test_a_session_found_to_be_a_probes_loses_its_runs(world: World) -> None:
    """When the mark comes with a later beacon, the real runs recognised before are withdrawn."""
    b = shopper(world)
    await world.load([b.page(0, "/")])
    await world.join()
    assert len(await table(world, "runs")) == 1
    b.columns |= {"traffic": "synthetic", "run_id": "run-1"}
    await world.load([b.page(5, "/cart")])
    await world.join()
    assert (await table(world, "runs"), await table(world, "steps")) == ([], [])


async def test_a_synthetic_run_is_stored_with_every_attempt(world: World) -> None:
    """A probe's run becomes one row of runs and a row of steps for each attempt, numbered as the journey numbers them."""
    await world.load(probe_run(world, "run-7", "failed"))
    await world.join()
    (run,) = await table(world, "runs")
    assert (run["traffic"], run["outcome"], run["attempts"], run["failure_step"], run["location"]) == ("synthetic", "failed", 2, "pay", "eu")
    assert (run["settled"], run["trace_ids"], run["journey_version"]) == (1, [b"0123456789abcdef".hex()], "v1")
    steps = await table(world, "steps")
    assert [(s["step"], s["attempt"], s["number"], s["outcome"], s["done"]) for s in steps] == [
        ("home", 1, 1, "passed", 1),
        ("home", 2, 1, "passed", 1),
        ("pay", 1, 4, "failed", 0),
        ("pay", 2, 4, "failed", 0),
    ]
    assert steps[-1]["failure_message"] == "got 502"
    assert {s["hit"] for s in steps} == {0}


async def test_a_synthetic_run_waits_for_its_root(world: World) -> None:
    """Without its root span a run has no rows yet; they come with the root."""
    root, *steps = probe_run(world, "run-8", "failed")
    await world.load(steps)
    await world.join()
    assert await table(world, "runs") == []
    await world.load([root])
    await world.join()
    assert len(await table(world, "runs")) == 1
    assert len(await table(world, "steps")) == 4


async def test_an_engine_that_is_down_is_waited_for(world: World, tmp_path: Path) -> None:
    """While the engine is away the inbox keeps its rows and the worker says why it waits; when it is back all is joined."""
    up, endpoint = False, world.store._endpoint

    def where() -> Any:
        return endpoint() if up else None

    world.store._endpoint = where
    b = shopper(world)
    await keep(world, "orders", id="o-1", at=at(world.clock()), amount=1, currency="EUR", session_id="s-1")
    with pytest.raises(EngineUnavailable):
        await world.join()
    running = asyncio.create_task(world.worker.run())
    try:
        async with asyncio.timeout(30):
            while not world.worker.problem:
                await asyncio.sleep(0.01)
            assert await world.control.inbox.count_waiting() == 1
            up = True
            await world.load(*buys(b))
            while world.worker.problem or world.worker.joined_seq < 1 or await world.control.inbox.count_waiting():
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await world.new_worker().catch_up()
    assert [(o["session_id"], o["join"]) for o in await table(world, "orders")] == [("s-1", "explicit")]
    assert len(await table(world, "runs")) == 1


async def test_the_worker_wakes_by_itself(world: World) -> None:
    """The running worker joins what is loaded and what arrives without being asked, and settles when a run is due."""
    running = asyncio.create_task(world.worker.run())
    try:
        async with asyncio.timeout(30):
            b = shopper(world)
            await world.load([b.page(0, "/")])
            while not await table(world, "runs"):
                await asyncio.sleep(0.02)
            await keep(world, "orders", id="o-1", at=at(world.clock()), amount=1, currency="EUR", session_id="s-1")
            while not await table(world, "orders"):
                await asyncio.sleep(0.02)
            world.clock.forward(3600)
            while (await table(world, "runs"))[0]["settled"] == 0:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_many_sessions_in_one_load(world: World) -> None:
    """More sessions than one query takes are all joined."""
    spans = [Browser(f"s-{n}-{'x' * 60}", world.clock() - timedelta(seconds=60)).page(0, "/") for n in range(250)]
    await world.load(spans)
    await world.join()
    assert len(await table(world, "sessions")) == 250
    assert len(await table(world, "runs")) == 250


async def test_hostile_values_in_beacons_are_stored_as_they_can(world: World) -> None:
    """Quotes, NUL, astral characters, absurd numbers and ids in signals neither break the join nor another session."""
    bad = Browser("'; DROP TABLE runs; --\\\x00\t😀{x:String}", world.clock() - timedelta(seconds=60))
    odd = {"sojourn.cart.value": "1e999", "http.response.status_code": "99999999999", "sojourn.sample_rate": "nan"}
    good = shopper(world)
    fetch = bad.fetch(1, "/", "/x", 500) | {"attrs": {"url.path": "/x", "sojourn.page.path": "/", "http.response.status_code": "-7"}}
    await world.load([bad.page(0, "/", attrs=odd), fetch, good.page(0, "/")], [bad.event(2, "exception", "/", exception__type="é\x00" * 9000)])
    await world.join()
    assert {s["session_id"] for s in await table(world, "sessions")} == {bad.session, "s-1"}
    assert len(await table(world, "runs")) == 2


async def test_a_changed_journey_file_is_taken_without_a_restart(world: World, tmp_path: Path) -> None:
    """After a journey file changes, sessions joined from then on are held against the new one; a bad file changes nothing."""
    file = tmp_path / "journeys" / "0.yaml"
    file.write_text(file.read_text().replace("id: checkout", "id: purchase"))
    await world.load([shopper(world).page(0, "/")])
    await world.join()
    assert [r["journey"] for r in await table(world, "runs")] == ["purchase"]
    file.write_text("id: [")
    await world.load([shopper(world, "s-2").page(0, "/")])
    await world.join()
    assert [r["journey"] for r in await table(world, "runs")] == ["purchase", "purchase"]
    assert world.journeys.problem.startswith(f"{file}:")


async def test_tenants_do_not_meet(world: World, store: Store, tmp_path: Path) -> None:
    """What one tenant's worker joins is nothing another tenant's queries see."""
    other_store = Store(store._endpoint, tenant=f"{store.tenant}-other")
    control = open_control(tmp_path / "other.sqlite")
    try:
        other = World(other_store, control, journeys(tmp_path / "journeys-other"))
        await world.load([shopper(world).page(0, "/")])
        await world.join()
        await other.loaded.done(5)
        await other.join()
        assert await table(other, "sessions") == []
    finally:
        control.close()
        await other_store.close()
