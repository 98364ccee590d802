"""Shoppers in a real Chromium, with the snippet as the agent serves it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route

from sojourn_demo.faults import Fault
from sojourn_demo.shop.serve import build_shop, listening
from sojourn_demo.shop.settings import ShopSettings
from sojourn_demo.shoppers.in_browser import BrowserWalkers
from sojourn_demo.shoppers.shopper import Shopper, foresee
from sojourn_demo.shoppers.walk import Tally
from sojourn_demo.shoppers.world import draw_world
from sojourn_probes.chromium import find
from tests.demo.conftest import Receiver

SNIPPET = Path(__file__).parents[2] / "agent" / "sojourn_agent" / "rum" / "rum.js"
pytestmark = pytest.mark.browser


@pytest.fixture
async def snippet(receiver: Receiver) -> AsyncIterator[str]:
    """The agent's listener: the snippet, and a place for its beacons."""

    async def rum(_request: Any) -> FileResponse:
        return FileResponse(SNIPPET, media_type="text/javascript")

    app = Starlette(routes=[Route("/rum.js", rum), Route("/v1/beacons", receiver.beacon, methods=["POST"])])
    async with listening(app, 0) as port:
        yield f"http://127.0.0.1:{port}/rum.js"


def _buyer(seed: int, fails: int) -> tuple[Shopper, Fault]:
    """A shopper in a browser who buys after `fails` failed tries."""
    world = draw_world(seed, 20, 60)
    for shopper in world.incident:
        fate = world.fate(shopper)
        if shopper.walks == "browser" and fate.y1 > 0 and sum(fate.tries) == fails and not shopper.second_thoughts:
            return shopper, world.fault
    raise AssertionError("no such shopper in this world")


async def test_buys_after_a_failure(settings: ShopSettings, receiver: Receiver, snippet: str) -> None:
    """A shopper who meets a failure and tries again buys; beacons name the person, the failed fetch, its trace and the order."""
    shopper, fault = _buyer(2, fails=1)
    fate = foresee(shopper, fault)
    customer = replace(settings.customers[0], id=shopper.user)
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as calls:
        settings = replace(settings, snippet_url=snippet, otlp_url="", customers=(customer,))
        shop = build_shop(settings, calls, pause=0.05)
        shop.switchboard.fault = fault
        async with listening(shop.payments, settings.payments_port), listening(shop.shop, settings.port):
            tally = Tally()
            await BrowserWalkers(find(), settings.origin, tally).walk_all([(shopper, fate)])
    assert (tally.gone, tally.hit, tally.orders, tally.surprises) == (1, 1, 1, [])
    items = [item for beacon in receiver.beacons for item in beacon["items"]]
    assert {beacon["user"] for beacon in receiver.beacons if "user" in beacon} == {shopper.user}
    assert {beacon["app"] for beacon in receiver.beacons} == {"shop"}
    fetches = [item for item in items if item["type"] == "fetch" and item["url"].endswith("/payments")]
    assert [item["status"] for item in sorted(fetches, key=lambda item: item["at"])] == [502, 201]
    conversions = [item for item in items if item["type"] == "conversion"]
    (order,) = shop.feeds.orders.waiting
    assert [(item["name"], item["order"]) for item in conversions] == [("order_completed", order["id"])]
    assert order["session_id"] in {beacon["session"]["id"] for beacon in receiver.beacons}
    assert order["user_id"] == shopper.user


async def test_leaves_when_the_last_step_is_told(settings: ShopSettings, receiver: Receiver, snippet: str) -> None:
    """A shopper who pays no more is gone only when the beacon of the last step is taken: a browser that is closed before takes it along."""
    world = draw_world(2, 20, 60)
    shopper = next(one for one in world.incident if one.walks == "browser" and world.fate(one).tries == (False,) and not one.converts)
    receiver.pause = 1.0
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as calls:
        settings = replace(settings, snippet_url=snippet, otlp_url="")
        shop = build_shop(settings, calls, pause=0.05)
        async with listening(shop.payments, settings.payments_port), listening(shop.shop, settings.port):
            tally = Tally()
            await BrowserWalkers(find(), settings.origin, tally).walk_all([(shopper, world.fate(shopper))])
            items = [item for beacon in receiver.beacons for item in beacon["items"]]
    assert (tally.gone, tally.lost, tally.surprises) == (1, [], [])
    assert [item["status"] for item in items if item["type"] == "fetch" and item["url"].endswith("/payments")] == [201]
