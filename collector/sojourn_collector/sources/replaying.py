"""Reading once more what a source sent, from what was kept of it; what was never answered by the vendor is asked for again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sojourn_collector.sources.configured import webhook_of
from sojourn_collector.sources.records import EventReading
from sojourn_collector.sources.webhook import no_calls
from sojourn_collector.sources_config import VENDORS
from sojourn_collector.store.control import Control, InboxRow

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many rows are read once more, and how many of them wait for an answer of the vendor's first."""

    rows: int
    waiting: int


async def replay(control: Control, reading: EventReading, source: str, since: datetime | None, now: datetime) -> Replayed:
    """Have rows of a feed, or of a kind, brought to the engine once more. Raises what the control database raises."""
    asking = [kind for kind in VENDORS if webhook_of(kind).calls is not no_calls]
    waiting = await control.webhooks.ask_now(source, since, now)
    rows = waiting + await control.inbox.again(source, since, but=asking)
    after = 0
    while page := await control.inbox.dealt_with(source, since, asking, after, _AT_ONCE):
        after = page[-1].id
        lacking = await asyncio.to_thread(_lacking, reading, page)
        await control.webhooks.again(lacking, [row.id for row in page if row.id not in lacking], now)
        waiting += len(lacking)
        rows += len(page)
    return Replayed(rows, waiting)


def _lacking(reading: EventReading, rows: Sequence[InboxRow]) -> set[int]:
    return {row.id for row in rows if reading.lacks(row)}
