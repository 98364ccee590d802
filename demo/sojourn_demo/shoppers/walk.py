"""How a shopper without a browser walks: it asks the shop for the same pages, with `traceparent`, and sends the beacons itself."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sojourn_demo.shoppers.beacons import BeaconLostError, Visit, now_ms, post_beacon
from sojourn_demo.shoppers.shopper import Answer, Fate, Shopper
from sojourn_demo.shoppers.wire import Wire, WireError

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Tally:
    """What came of the shoppers, for the progress line and for doubts about the truth."""

    gone: int = 0
    hit: int = 0
    orders: int = 0
    lost: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Walker:
    """Walks shoppers through the shop at `origin` and reports to the agent at `intake`. One for all shoppers."""

    wire: Wire
    origin: str
    intake: str
    tally: Tally
    app: str = "shop"
    sleep: Sleep = asyncio.sleep

    async def walk(self, shopper: Shopper, fate: Fate) -> None:
        """Walk one shopper from its first page to its last, and see that what happened is what was foreseen."""
        journey = _Errand(self, shopper)
        try:
            await journey.run()
        except WireError as error:
            self.tally.surprises.append(f"{shopper.id}: the shop did not answer ({error})")
        except BeaconLostError as error:
            self.tally.lost.append(f"{shopper.id}: {error}")
        else:
            if tuple(journey.tries) != fate.tries or journey.bought != (fate.y1 > 0):
                self.tally.surprises.append(f"{shopper.id}: foreseen {fate.tries} and {fate.y1}, seen {tuple(journey.tries)} and bought={journey.bought}")
        self.tally.gone += 1
        self.tally.hit += any(journey.tries)
        self.tally.orders += journey.bought


@dataclass(slots=True)
class _Errand:
    """One shopper's way. `tries` holds True for each failed try to pay."""

    walker: Walker
    shopper: Shopper
    dice: random.Random = field(init=False)
    visit: Visit = field(init=False)
    tries: list[bool] = field(default_factory=list)
    bought: bool = False
    payment: str = ""

    def __post_init__(self) -> None:
        self.dice = random.Random(f"way of {self.shopper.id}")
        self.visit = self._new_visit()

    async def run(self) -> None:
        shopper = self.shopper
        await self._page("/")
        if shopper.leaves_at == "home":
            return await self._leave()
        await self._page(f"/products/{shopper.product}")
        if shopper.leaves_at == "product":
            return await self._leave()
        await self._post("/cart", f"product={shopper.product}&quantity={shopper.quantity}", form=True)
        self.visit.cart = float(shopper.amount)
        await self._page("/cart")
        if shopper.leaves_at == "cart":
            return await self._leave()
        through = await self._arrive()
        if through and shopper.second_thoughts:
            await self._page("/cart")
            through = await self._arrive()
        for _ in range(shopper.reloads):
            if through:
                break
            through = await self._arrive()
        if not through and shopper.returns_after is not None:
            through = await self._come_back(shopper.returns_after)
        if through and shopper.converts and not (any(self.tries) and shopper.put_off):
            await self._buy()
        await self._answer(shopper.answer_if_hit if any(self.tries) else shopper.answer_if_not)
        return await self._leave()

    async def _arrive(self) -> bool:
        """Come to the pay page, which opens a payment at once; True when that went well."""
        body = await self._page("/checkout/pay")
        if "broken-checkout.js" in body:
            self.visit.broke("TypeError", "Cannot read properties of undefined (reading 'connect')")
            self.tries.append(True)
            return False
        status, answer = await self._post("/payments", {})
        self.payment = answer.get("payment", "")
        self.tries.append(status >= 500)
        return status == 201

    async def _come_back(self, after: float) -> bool:
        """Give up, return in a new visit after `after` seconds and try once more; the cart is still there."""
        await self._leave()
        await self.walker.sleep(after)
        before, cart = self.visit.session, self.visit.cart
        self.visit = self._new_visit(before)
        self.visit.cart = cart
        await self._page("/")
        await self._page("/cart")
        return await self._arrive()

    async def _buy(self) -> None:
        status, order = await self._post("/orders", {"payment": self.payment, "session": self.visit.session})
        if status != 201:
            return
        self.bought = True
        await self._page(order["next"])
        self.visit.converted(order["order"], float(order["amount"]))
        self.visit.cart = 0.0

    async def _answer(self, answer: Answer | None) -> None:
        if answer is not None:
            said = {"value": answer.value, "comment": answer.comment, "survey": "after-visit", "session": self.visit.session}
            await self._post("/survey", said)

    async def _page(self, path: str) -> str:
        """Leave the page before, open `path`, look at it for a moment."""
        if self.visit.items:
            await self._leave()
        ids, began = self.visit.ids(), now_ms()
        answer = await self.walker.wire.request("GET", f"{self.walker.origin}{path}", self._headers(ids.traceparent))
        if answer.status != 200:
            raise WireError(f"{path} answered {answer.status}")
        self.visit.open_page(path.partition("?")[0], ids, began)
        await self.walker.sleep(self.shopper.pace * self.dice.uniform(0.5, 1.5))
        return answer.text

    async def _post(self, path: str, body: dict[str, Any] | str, *, form: bool = False) -> tuple[int, Any]:
        """Post as the page's script would; a form is a navigation and has no fetch of its own."""
        ids, began = self.visit.ids(on_page=True), now_ms()
        headers = self._headers(ids.traceparent) | {"content-type": "application/x-www-form-urlencoded" if form else "application/json"}
        content = str(body) if form else json.dumps(body)
        answer = await self.walker.wire.request("POST", f"{self.walker.origin}{path}", headers, content.encode())
        if not form:
            self.visit.fetched("POST", path, ids, began, answer.status)
        return answer.status, answer.json()

    async def _leave(self) -> None:
        """Send what happened on the page."""
        if self.visit.items:
            body = self.visit.beacon(self.walker.app)
            await post_beacon(self.walker.wire, self.walker.intake, self.walker.origin, body, self.shopper.device.user_agent)

    def _new_visit(self, previous: str = "") -> Visit:
        return Visit(self.shopper, self.walker.origin, random.Random(self.dice.getrandbits(64)), previous=previous)

    def _headers(self, traceparent: str) -> dict[str, str]:
        cookies = {"shopper": self.shopper.id, "user": self.shopper.user, "consent": self.shopper.consent}
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items() if value)
        return {"traceparent": traceparent, "cookie": cookie, "user-agent": self.shopper.device.user_agent}
