"""What the shop tells the collector by itself: orders, survey answers, accounts and people.

Rows wait in memory until the collector has taken them; a collector that is down costs nothing but patience. The orders feed
carries a watermark each second, also when nothing was sold: "everything up to this time has been sent".
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx2

log = logging.getLogger(__name__)

EVERY: Final = 0.5
MOST_ROWS: Final = 1000
PATIENCE: Final = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Feed:
    """One kind of rows on its way to `POST {url}/api/v1/in/{kind}`."""

    kind: str
    url: str
    key: str
    watermark: bool = False
    now: Callable[[], datetime] = _now
    waiting: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0
    refused: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Queue a row."""
        self.waiting.append(dict(row))

    def add_now(self, row: Mapping[str, Any]) -> None:
        """Queue a row about something that happened just now."""
        self.waiting.append({"at": self.now().isoformat(), **row})

    async def send(self, client: httpx2.AsyncClient) -> bool:
        """Send what waits and return True when the collector has answered for it.

        The time of the watermark is read before the rows are: a row added later is later than it.
        """
        upto, rows = self.now(), self.waiting[:MOST_ROWS]
        if not rows and not self.watermark:
            return True
        complete = self.watermark and len(rows) == len(self.waiting)
        try:
            answer = await client.post(
                f"{self.url}/api/v1/in/{self.kind}",
                params={"watermark": upto.isoformat()} if complete else None,
                headers={"authorization": f"Bearer {self.key}", "content-type": "application/json"},
                content=json.dumps(rows).encode(),
            )
        except httpx2.HTTPError as error:
            log.info("%s feed: the collector cannot be reached (%s), %d rows wait", self.kind, type(error).__name__, len(rows))
            return False
        return self._settle(answer, rows)

    def _settle(self, answer: httpx2.Response, rows: list[dict[str, Any]]) -> bool:
        if answer.status_code not in {200, 400, 413}:
            log.warning("%s feed: the collector answered %d, %d rows wait: %s", self.kind, answer.status_code, len(rows), answer.text[:200])
            return False
        refused = len(rows) if answer.status_code != 200 else int(answer.json().get("rejected", 0))
        if refused:
            log.error("%s feed: %d of %d rows refused: %s", self.kind, refused, len(rows), answer.text[:500])
        del self.waiting[: len(rows)]
        self.sent += len(rows) - refused
        self.refused += refused
        return True


@dataclass(slots=True)
class Feeds:
    """The four feeds of the shop. Without a collector's address they keep their rows and send nothing."""

    url: str
    key: str
    now: Callable[[], datetime] = _now
    every: float = EVERY
    orders: Feed = field(init=False)
    feedback: Feed = field(init=False)
    accounts: Feed = field(init=False)
    people: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.orders = Feed("orders", self.url, self.key, watermark=True, now=self.now)
        self.feedback = Feed("feedback", self.url, self.key, now=self.now)
        self.accounts = Feed("accounts", self.url, self.key, now=self.now)
        self.people = Feed("people", self.url, self.key, now=self.now)

    @property
    def all(self) -> tuple[Feed, ...]:
        """Every feed, accounts first so that people find theirs."""
        return (self.accounts, self.people, self.orders, self.feedback)

    async def run(self) -> None:
        """Send for ever; each feed backs off by itself up to five seconds while the collector is away."""
        if not self.url:
            return
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client, asyncio.TaskGroup() as group:
            for feed in self.all:
                group.create_task(self._keep_sending(feed, client))

    async def _keep_sending(self, feed: Feed, client: httpx2.AsyncClient) -> None:
        pause = self.every
        while True:
            pause = self.every if await feed.send(client) else min(pause * 2, PATIENCE)
            await asyncio.sleep(pause)
