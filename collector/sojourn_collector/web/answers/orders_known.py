"""Up to when all orders are known: the slowest feed decides.

A sender's watermark is its word for it. A feed that gives none is known up to its newest order: by when that was placed, for what was received last may be a
refund of an old one, and a file of the night knows nothing of the morning it was read in.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.store.control.watermarks import FEED_LENGTH
from sojourn_collector.web.answers.times import from_ms

ACTIVE = timedelta(days=7)
"""A feed of which nothing has come for so long is over and holds nothing back."""

AGAIN = timedelta(hours=20)
"""A feed that has only ever come within so short a time is a file that was imported once, and no more is waited for."""

API = "api"
"""The feed of orders that name none; where any sender gives watermarks it is theirs."""


@dataclass(frozen=True, slots=True)
class OrdersKnown:
    """How many orders there are and up to when they are known (None = none were ever received); `slowest` = the feed that only its newest order
    speaks for, "" = all have given their word."""

    count: int
    until: datetime | None
    slowest: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of orders: when its `newest` was placed, and when anything came of it `first` and `last`."""

    name: str
    newest: datetime
    first: datetime
    last: datetime


def orders_known(orders: int, feeds: Iterable[Feed], watermark: datetime | None, promised: Collection[str], now: datetime) -> OrdersKnown:
    """What is known by `now`.

    :param orders: how many there are.
    :param watermark: that of the slowest sender; None = nobody gave one.
    :param promised: feeds whose senders gave one.
    """
    if not orders:
        return OrdersKnown(0, watermark)
    covered = {*promised, API} if watermark is not None else set(promised)
    listed = [feed for feed in feeds if feed.name[:FEED_LENGTH] not in covered]
    live = [feed for feed in listed if now - feed.last <= ACTIVE and feed.last - feed.first >= AGAIN]
    if not live and watermark is None:
        # None comes again and again: what the last of them brought is what there is.
        live = sorted(listed, key=lambda feed: feed.newest)[-1:]
    if not live:
        return OrdersKnown(orders, watermark)
    slowest = min(live, key=lambda feed: feed.newest)
    return OrdersKnown(orders, watermark) if watermark is not None and watermark <= slowest.newest else OrdersKnown(orders, slowest.newest, slowest.name)


def feeds_of(row: dict[str, Any]) -> list[Feed]:
    """The feeds of a row of `orders_seen`."""
    return [Feed(str(name), *map(from_ms, times)) for name, *times in row["feeds"]]
