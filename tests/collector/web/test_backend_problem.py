"""A problem that only the backends saw: browsers heard 200, and the report tells whom it hurt."""

from datetime import timedelta
from pathlib import Path

import httpx2

from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.api import build_api
from sojourn_collector.web.measures import build_measures
from tests.collector.control_file import open_control
from tests.collector.join.backends import answered
from tests.collector.join.working import shopper
from tests.collector.join.world import World, journeys
from tests.collector.web.asking import asking
from tests.collector.web.stage import context_of


async def people_of(client: httpx2.AsyncClient, ident: str) -> set[str]:
    """Who is listed as hit."""
    answer = await client.get(f"/api/v1/problems/{ident}/people", params={"met": "hit"})
    return {one["person_id"] for one in answer.json()["items"]}


async def test_a_problem_that_only_backends_saw(store: Store, tmp_path: Path) -> None:
    """Four people pay, their browsers hear 200, three backends say 500: one problem, of these three, whose cause is the request and the service."""
    control = open_control(tmp_path / "joining.sqlite")
    world = World(store, control, journeys(tmp_path / "journeys"))
    for number in range(4):
        b = shopper(world, f"s-{number}", ago=300 - 2 * number, user_id=f"u{number}")
        spans = [b.page(0, "/"), b.page(5, "/checkout/pay"), b.fetch(10, "/checkout/pay", "/payments", 200)]
        await world.load([*spans, *([answered(b, spans[2], 500)] if number < 3 else [])])
    await world.join()
    context = context_of(store, tmp_path, now=world.clock() + timedelta(seconds=1))
    (problem,) = (await impact(context)).problems
    assert (problem.step.id, problem.people.hit, problem.people.reached) == ("pay", 3, 4)
    assert problem.cause is not None
    assert (problem.cause.summary, problem.cause.seen) == ("500 from POST /payments (service shop)", 3)
    assert {one.person_id for one in problem.who} == {"user:u0", "user:u1", "user:u2"}
    async with asking(build_measures(context), build_api(context)) as client:
        assert await people_of(client, problem.id) == {"user:u0", "user:u1", "user:u2"}
    context.control.close()
    control.close()
