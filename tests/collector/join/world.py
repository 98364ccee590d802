"""A small world for tests of the join: a checkout journey, what a shopper's browser said, and a load that is always done."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector.config import ImpactConfig, Windows
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.worker import JoinWorker
from sojourn_collector.sources import normalise
from sojourn_collector.sources.language import tell_languages
from sojourn_collector.store.client import Store
from sojourn_collector.store.control import Control

CHECKOUT = """
id: checkout
name: Buy one item
base_url: http://shop.example
goal: {event: order_completed}
steps:
  - {id: home, name: Home page, customers: {reached: {page: /}}}
  - {id: cart, name: Cart, customers: {reached: {page: /cart}}}
  - id: confirm
    http: {url: /confirm}
  - id: pay
    name: Pay
    browser: [{goto: /checkout/pay}]
    degraded_if: [lcp > 2500ms, total > 4s]
    customers: {reached: {page: "/checkout/*"}, done: {event: order_completed}}
"""


def journeys(folder: Path, *texts: str) -> JourneyFolder:
    """A folder with these journey files."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts or (CHECKOUT,)):
        (folder / f"{number}.yaml").write_text(text)
    return JourneyFolder(folder)


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        """The time."""
        return self.moment

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


class Loaded:
    """How far the load has come, as a test says."""

    def __init__(self) -> None:
        self.loaded_seq = 0
        self._changed = asyncio.Condition()

    async def wait_beyond(self, seq: int) -> int:
        """Wait until `loaded_seq` exceeds `seq`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.loaded_seq > seq)
        return self.loaded_seq

    async def done(self, seq: int) -> None:
        """Everything up to `seq` is in the tables."""
        async with self._changed:
            self.loaded_seq = max(seq, self.loaded_seq)
            self._changed.notify_all()


class World:
    """A store, a control database and a worker, and shoppers whose browsers write straight into the tables."""

    def __init__(self, store: Store, control: Control, folder: JourneyFolder, *, abandon: float = 1800.0, identity: float = 259_200.0) -> None:
        self.store = store
        self.control = control
        self.clock = Clock()
        self.loaded = Loaded()
        self.impact = ImpactConfig(windows=Windows(abandon=abandon, identity=identity))
        self.journeys = folder
        self.worker = self.new_worker()
        self._seq = 0

    def new_worker(self) -> JoinWorker:
        """A worker as after a restart."""
        return JoinWorker(self.store, self.control, self.journeys, self.impact, self.loaded, normalise=normalise, clock=self.clock, languages=tell_languages)

    async def load(self, spans: Sequence[Mapping[str, Any]] = (), events: Sequence[Mapping[str, Any]] = ()) -> None:
        """Put a journal file's rows into the tables."""
        self._seq += 1
        await self.store.insert("spans", [{"seq": self._seq, **row} for row in spans])
        await self.store.insert("events", [{"seq": self._seq, **row} for row in events])
        await self.loaded.done(self._seq)

    async def join(self) -> None:
        """Join all there is."""
        await self.worker.catch_up()

    async def one(self, query: str, **parameters: Any) -> dict[str, Any]:
        """The only row of a query."""
        rows = await self.store.query(query, **parameters)
        assert len(rows) == 1, rows
        return rows[0]


class Browser:
    """What one browser session says, as rows of spans and events. Times are seconds after `start`."""

    def __init__(self, session: str, start: datetime, **resource: str) -> None:
        self.session = session
        self.start = start
        self.columns = {"session_id": session, "traffic": "real", "app": "shop"}
        names = {"user_id", "visitor_id", "account_id", "traffic", "app", "run_id"}
        self.columns |= {key: value for key, value in resource.items() if key in names}
        self.res = {"sojourn.device": "mobile", "sojourn.browser": "Chrome 156", "sojourn.consent": "granted", "sojourn.sample_rate": "0.5"}
        self._made = 0

    def page(self, at: float, path: str, *, duration: float = 0.5, attrs: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A page view."""
        return self._span("page_view", at, duration, {"url.path": path, "sojourn.page.path": path, **(attrs or {})})

    def fetch(self, at: float, page: str, path: str, status: int, duration: float = 0.1) -> dict[str, Any]:
        """A request of a page."""
        own = {"http.request.method": "POST", "url.path": path, "sojourn.page.path": page, "http.response.status_code": str(status)}
        return self._span("fetch", at, duration, own)

    def event(self, at: float, name: str, page: str = "", **attrs: str) -> dict[str, Any]:
        """A log record; attribute names are given with `__` for dots."""
        own = {"sojourn.page.path": page} | {key.replace("__", "."): value for key, value in attrs.items()}
        moment = self.start + timedelta(seconds=at)
        return {"ts": moment, "accepted": moment, "name": name, "attrs": own, "res": self.res, **self.columns}

    def order(self, at: float, order_id: str = "") -> dict[str, Any]:
        """A conversion."""
        own = {"sojourn__conversion__name": "order_completed"} | ({"sojourn__order__id": order_id} if order_id else {})
        return self.event(at, "sojourn.conversion", "/checkout/thanks", **own)

    def _span(self, kind: str, at: float, duration: float, attrs: dict[str, str]) -> dict[str, Any]:
        self._made += 1
        moment = self.start + timedelta(seconds=at)
        return {
            "ts": moment,
            "accepted": moment,
            "duration_ns": int(duration * 1e9),
            "span_type": kind,
            "name": kind,
            "trace_id": self.trace(self._made),
            "span_id": self._made.to_bytes(8, "big"),
            "attrs": attrs,
            "res": self.res,
            **self.columns,
        }

    def trace(self, number: int) -> bytes:
        """Trace id of the n-th span made, from 1; every span begins a trace of its own."""
        return (f"{self.session}"[-8:].rjust(8, "x") + f"{number:08}").encode()
