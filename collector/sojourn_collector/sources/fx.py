"""Orders in other currencies get the rate of their day as they are brought to the engine; when the rates change, those they concern are brought again."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sojourn_collector.sources.fx_rates import Rates, read_rates
from sojourn_collector.store.control import Control

log = logging.getLogger("sojourn.sources")

Normalise = Callable[[str, dict[str, Any], datetime], tuple[str, dict[str, Any]]]
BRING_ORDERS: Final = ("orders", "segment", "shopify", "stripe")
"""Kinds of rows in the inbox that orders are made of."""
LOOK_EVERY: Final = 30.0
"""Seconds between looks at the file."""
_UNTIL, _DIGEST = "fx_until", "fx_digest"


class Fx:
    """The rates in force. `path` is the file, None for no conversion; `currency` the report's, `zone` whose midnight begins a day."""

    def __init__(self, path: Path | None, currency: str, zone: str) -> None:
        """Reads the file. Raises ConfigError."""
        self._path = path
        self._currency = currency
        self._zone = ZoneInfo(zone)
        self._stamp: tuple[int, int] | None = None
        self.rates = Rates()
        self.read()

    def read(self) -> bool:
        """Read the file if it is another than before; whether it was. Raises ConfigError, and keeps the rates there were."""
        if self._path is None:
            return False
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
        except OSError:
            stamp = None
        if stamp is not None and stamp == self._stamp:
            return False
        self.rates = read_rates(self._path, self._currency)
        self._stamp = stamp
        return True

    def rate(self, currency: str, day: date) -> float | None:
        """What one unit was worth in the report's currency on that day; None where that is not known."""
        rate = self.rates.rate(currency, day)
        return None if rate is None else float(rate)

    def converting(self, normalise: Normalise) -> Normalise:
        """`normalise`, whose orders have the rate of their day."""

        def converted(kind: str, raw: dict[str, Any], received: datetime) -> tuple[str, dict[str, Any]]:
            table, row = normalise(kind, raw, received)
            return table, {**row, **self._told(row)} if table == "orders" else row

        return converted

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        rate = self.rate(row["currency"], row["ts"].astimezone(self._zone).date())
        return {"rate": 0.0, "rate_currency": ""} if rate is None else {"rate": rate, "rate_currency": self._currency}

    async def watch(self, control: Control) -> None:
        """Look at the file for ever. Raises ConfigError when it cannot be read any more, and what the control database raises."""
        while True:
            await asyncio.to_thread(self.read)
            await self.settle(control)
            await asyncio.sleep(LOOK_EVERY)

    async def settle(self, control: Control) -> int:
        """Have orders brought again whose rate is another than when they were; how many rows of the inbox that are."""
        until, last = await control.progress.get(_UNTIL), self.rates.last
        known = date.fromordinal(until) if until else None
        if known is not None and (last is None or last < known or self.rates.digest(known) != await control.progress.get(_DIGEST)):
            since: date | None = date.min  # rates that were in force are others now, and it is not known which
        elif last is None or last == known:
            since = None
        else:
            since = self.rates.first(known or date.min)
        if since is None:
            return 0
        # An order is at most a day ahead of its arrival, and a day begins at most 14 hours before that of UTC.
        moment = None if since <= date(2000, 1, 3) else datetime.combine(since - timedelta(days=2), time(), UTC)
        rows = sum([await control.inbox.again(kind, moment) for kind in BRING_ORDERS])
        await control.progress.set_many({_UNTIL: 0 if last is None else last.toordinal(), _DIGEST: 0 if last is None else self.rates.digest(last)})
        if rows:
            log.info("rates of exchange changed: %d rows of orders are brought to the engine again", rows)
        return rows
