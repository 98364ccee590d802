"""Feeds on loopback, a puller before a real control database, and what becomes of the inbox."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.counters import Counters
from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.sources import normalise
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.fetching import Bounds
from sojourn_collector.sources.pulling import Pulling
from sojourn_collector.sources.records import EventReading, Records
from sojourn_collector.store.control import Control
from sojourn_collector.store.control.feeds import FeedState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = b"an author key"
ENVIRON = {"TOKEN": "token-of-ours"}
LOCAL = {"insecure": True, "internal": ["127.0.0.1/32"]}


def settings(kind: str, **more: Any) -> FeedSettings:
    """As collector.yaml would have it, allowed to ask this machine."""
    return FeedSettings.model_validate({"kind": kind, **LOCAL, **more})


@dataclass
class Desk:
    """A puller of some feeds; `now` is moved by hand."""

    control: Control
    feeds: Mapping[str, FeedSettings]
    bounds: Bounds = field(default_factory=lambda: Bounds(deadline=5.0))
    environ: Mapping[str, str] = field(default_factory=lambda: ENVIRON)
    now: datetime = NOW
    counters: Counters = field(default_factory=Counters)

    def __post_init__(self) -> None:
        self.pulling = self.new()

    def new(self) -> Pulling:
        """A puller as after a restart."""
        return Pulling(self.control, self.feeds, KEY, self.environ, self.counters, lambda: self.now, self.bounds)

    async def pull(self, name: str = "feed", after: float = 0) -> FeedState:
        """Ask it, so many seconds later."""
        self.now += timedelta(seconds=after)
        return await self.pulling.pull(name)

    async def rows(self) -> list[dict[str, Any]]:
        """Bring all that waits to where the engine would get it; rows that cannot be brought are marked with their reason."""
        records = Records(self.control, EventReading({}, self.feeds), Secrets({}, KEY), lambda: self.now)
        found = []
        for row in await self.control.inbox.waiting():
            ((made, wrong),) = await records([row])
            for record in made:
                try:
                    found.append(normalise(record.kind, record.row, row.received_at)[1])
                except ValueError as error:
                    wrong.append(str(error))
            await self.control.inbox.mark([row.id], self.now, {row.id: "; ".join(wrong)} if wrong else None)
        return found

    async def kept(self) -> list[dict[str, Any]]:
        """What lies in the inbox."""
        return [json.loads(row.body)["event"] for row in await self.control.inbox.after(0)]

    async def errors(self) -> list[str]:
        """What is said of rows in the inbox."""
        return [row.error for row in await self.control.inbox.after(0) if row.error]
