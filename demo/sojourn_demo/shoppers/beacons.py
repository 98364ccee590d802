"""Beacons as the snippet would send them, for shoppers without a browser. The wire format is in `docs/beacons.md`."""

import asyncio
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from sojourn_demo.shoppers.shopper import Shopper
from sojourn_demo.shoppers.wire import Wire, WireError

TRIES: Final = 6

ZONES: Final = (("Europe/Berlin", 0.5), ("Europe/Vienna", 0.2), ("Europe/Zurich", 0.15), ("Europe/Amsterdam", 0.15))
CHANNELS: Final = (("direct", 0.35), ("search", 0.25), ("paid_search", 0.15), ("email", 0.15), ("social", 0.1))
"""Where shoppers are and how they come, with their shares; by dice of their own, so that a world stays as its seed made it."""


class BeaconLostError(Exception):
    """The agent did not take a beacon after all tries."""


def now_ms() -> int:
    """Wall clock in milliseconds, as a browser has it."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Ids:
    """Trace and span id of something the browser did; `traceparent` hands them to the shop."""

    trace: str
    span: str

    @property
    def traceparent(self) -> str:
        """The W3C header, sampled."""
        return f"00-{self.trace}-{self.span}-01"


@dataclass(slots=True)
class Visit:
    """One visit of one shopper: its session, the page it is on and what has happened there."""

    shopper: Shopper
    origin: str
    dice: random.Random
    cart: float = 0.0
    previous: str = ""
    session: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: int = field(default_factory=now_ms)
    path: str = ""
    page: str = ""
    zone: str = ""
    channel: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    _page_ids: Ids = field(default_factory=lambda: Ids("", ""))

    def __post_init__(self) -> None:
        dice = random.Random(self.shopper.id)
        self.zone, self.channel = (dice.choices([word for word, _ in rows], [share for _, share in rows])[0] for rows in (ZONES, CHANNELS))

    def ids(self, *, on_page: bool = False) -> Ids:
        """Fresh ids; `on_page` keeps the trace of the page."""
        trace = self._page_ids.trace if on_page else f"{self.dice.getrandbits(128) | 1:032x}"
        return Ids(trace, f"{self.dice.getrandbits(64) | 1:016x}")

    def open_page(self, path: str, ids: Ids, began: int) -> None:
        """A page was loaded: a page view that began at `began` (ms), and its vitals."""
        self.path, self.page, self._page_ids = path, f"{self.dice.getrandbits(64):016x}", ids
        took = max(now_ms() - began, 1)
        view = {"type": "page_view", "at": began, "duration": took, "trace": ids.trace, "span": ids.span, "url": self._url(path), "nav": "navigate"}
        if self.channel:
            view["channel"], self.channel = self.channel, ""
        self.items.append(view)
        lcp = round(took + self.dice.lognormvariate(6.2, 0.35), 1)
        rating = "good" if lcp <= 2500 else "needs-improvement" if lcp <= 4000 else "poor"
        vital = {"name": "LCP", "value": lcp, "delta": lcp, "id": f"v4-{self.page}", "rating": rating, "nav": "navigate"}
        self.items.append({"type": "web_vital", "at": began + round(lcp), **vital})

    def fetched(self, method: str, path: str, ids: Ids, began: int, status: int) -> None:
        """The page's script called the shop."""
        item = {"type": "fetch", "at": began, "duration": max(now_ms() - began, 1), "trace": ids.trace, "span": ids.span, "parent": self._page_ids.span}
        self.items.append({**item, "method": method, "url": self._url(path), "status": status})

    def broke(self, name: str, message: str) -> None:
        """The page's script threw."""
        self.items.append({"type": "error", "at": now_ms(), "name": name, "message": message, "trace": self._page_ids.trace, "span": self._page_ids.span})

    def converted(self, order: str, value: float) -> None:
        """The order is placed."""
        self.items.append({"type": "conversion", "at": now_ms(), "name": "order_completed", "value": value, "currency": "EUR", "order": order})

    def beacon(self, app: str) -> dict[str, Any]:
        """What the snippet would send when the page is left; forgets the items."""
        shopper, items = self.shopper, self.items
        self.items = []
        session: dict[str, Any] = {"id": self.session, "start": self.started}
        if self.previous:
            session["previous"] = self.previous
        body: dict[str, Any] = {"v": 1, "id": str(uuid.uuid4()), "app": app, "sent": now_ms(), "session": session, "consent": shopper.consent}
        for name in ("visitor", "user", "account"):
            if value := getattr(shopper, name):
                body[name] = value
        device = shopper.device
        body |= {
            "sample_rate": 1,
            "release": "1.0",
            "page": {"id": self.page, "url": self._url(self.path)},
            "device": {"type": device.type, "browser": device.browser, "os": device.os, "language": device.language, "zone": self.zone, "webdriver": False},
        }
        if self.cart:
            body["cart"] = {"value": self.cart, "currency": "EUR"}
        return body | {"items": items}

    def _url(self, path: str) -> str:
        return f"{self.origin}{path}"


async def post_beacon(wire: Wire, intake: str, origin: str, body: dict[str, Any], user_agent: str) -> None:
    """Send a beacon to the agent at `intake` until it is taken; the same id every time. Raises BeaconLostError when it never is."""
    headers = {"origin": origin, "content-type": "text/plain;charset=UTF-8", "user-agent": user_agent}
    content, reason = json.dumps(body).encode(), ""
    for number in range(TRIES):
        try:
            answer = await wire.request("POST", f"{intake}/v1/beacons", headers, content)
        except WireError as error:
            reason = f"the agent did not answer ({error})"
        else:
            if answer.status == 204:
                return
            reason = f"the agent answered {answer.status}: {answer.text[:200]}"
            if answer.status not in {408, 429} and answer.status < 500:
                break
        await asyncio.sleep(min(0.2 * 2**number, 3.0))
    raise BeaconLostError(reason)
