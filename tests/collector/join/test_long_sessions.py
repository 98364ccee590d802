"""Visits of more than two days, as of a till or a page that is never closed: on the real engine."""

from datetime import timedelta
from typing import Any

from tests.collector.join.working import table
from tests.collector.join.world import Browser, World

STEP = 1500.0
"""Seconds between two signs of life, less than the idle time."""


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What must not depend on how the beacons came in."""
    return [(row["run_id"], row["started"], row["ended"], row["end"]) for row in rows]


async def test_a_walk_of_four_days_is_one_however_its_beacons_come(world: World) -> None:
    """A walk that goes on for longer than the join reads back by itself keeps its id and its beginning, and is counted once."""
    b = Browser("till", world.clock() - timedelta(days=4, hours=1))
    pages = [b.page(STEP * n, ("/", "/cart")[n % 2]) for n in range(int(4 * 86_400 / STEP))]
    for start in range(0, len(pages), 46):
        await world.load(pages[start : start + 46])
        await world.join()
    (run,) = await table(world, "runs")
    assert (run["started"], run["end"], run["settled"]) == (b.start, "gave_up", 1)
    assert len((await table(world, "steps"))[0]["arrivals"]) == len(pages) / 2
    (session,) = await table(world, "sessions")
    assert (session["started"], session["pages"]) == (b.start, len(pages))


async def test_a_long_visit_changes_nothing_of_others_in_the_same_load(world: World) -> None:
    """Sessions joined together with one that began days ago are recognised as they are alone."""
    old, new = Browser("till", world.clock() - timedelta(days=6)), Browser("s-1", world.clock() - timedelta(hours=2))
    await world.load([old.page(0, "/"), old.page(60, "/cart")])
    await world.join()
    before = told(await table(world, "runs"))
    await world.load([old.page(5.9 * 86_400, "/"), new.page(0, "/"), new.page(5, "/cart")])
    await world.join()
    found = told(await table(world, "runs"))
    assert found[0] == before[0]
    assert [(start, end) for _, start, _, end in found] == [
        (old.start, "gave_up"),
        (old.start + timedelta(seconds=5.9 * 86_400), "gave_up"),
        (new.start, "gave_up"),
    ]
    assert [(row["session_id"], row["pages"]) for row in await table(world, "sessions")] == [("till", 3), ("s-1", 2)]
