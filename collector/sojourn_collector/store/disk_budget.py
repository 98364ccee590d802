"""Room on disk: when the tables take more than they may, or the volume runs full, the oldest days of raw data go, and everybody is told.

Only spans, log records and metrics go, whole days, the oldest first, never today's; runs, sums, feedback and orders stay. `system.parts` and
`system.disks` say the same of an embedded engine and of a server; of a cluster they know one host only, so there it is not looked at.
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from sojourn_collector.counters import Counters
from sojourn_collector.keep_config import Keep
from sojourn_collector.store.client import Store, StoreError
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.control.progress import Progress

log = logging.getLogger("sojourn.disk")

RAW = ("spans", "events", "metrics")
BESIDE = ("trace_times", "failed_traces")
"""Tables that say where raw data are, and go with them."""
RAW_GONE_BEFORE = "raw_gone_before"
"""Progress: days since 1970; raw data of earlier days were dropped for want of room."""
EVERY = 15.0
"""Seconds between two looks."""
SLACK = 0.05
"""Part of the budget that is freed beyond it, so that not every look drops something."""
DAY = re.compile(r"\d{4}-\d\d-\d\d")
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class DiskState:
    """What the last look found, in bytes; `leaving` is what the engine removes by itself in a while. None = not looked yet, or no limit."""

    used: int | None = None
    raw: int | None = None
    leaving: int | None = None
    free: int | None = None
    budget: int | None = None
    least_free: int | None = None
    gone_before: date | None = None
    last_dropped: str = ""
    trouble: str = ""

    def report(self) -> dict[str, Any]:
        """As `/readyz` shows it."""
        return {
            "used_bytes": self.used,
            "raw_bytes": self.raw,
            "budget_bytes": self.budget,
            "free_bytes": self.free,
            "least_free_bytes": self.least_free,
            "raw_gone_before": self.gone_before.isoformat() if self.gone_before else None,
            "last_dropped": self.last_dropped,
            "trouble": self.trouble,
        }


class DiskBudget:
    """Looks after the room the tables take. `state` is what the last look found."""

    def __init__(self, store: Store, progress: Progress, keep: Keep, counters: Counters, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._progress = progress
        self._keep = keep
        self._counters = counters
        self._clock = clock
        self._noted = 0
        self._gone = 0
        self._last = ""
        self.state = DiskState(budget=keep.disk, least_free=keep.free)

    async def run(self) -> None:
        """Look until cancelled; an engine or control database that does not answer is looked at later."""
        while True:
            try:
                await self.look()
            except (StoreError, ControlUnavailableError) as error:
                log.debug("the room on disk could not be looked at: %s", error)
            await asyncio.sleep(EVERY)

    async def look(self) -> DiskState:
        """See how much room is taken and left, and drop days where it is too much. Raises what the store raises."""
        if not self._gone:
            self._gone = self._noted = await self._progress.get(RAW_GONE_BEFORE)
        parts, free = await self._measure()
        need, why = self._need(parts, free)
        today = self._clock().astimezone(UTC).date()
        for day, tables in days_of(parts).items():
            if need <= 0 or day >= today:
                break
            await self._drop(day, tables, why)
            need -= sum(tables.values())
        if need > 0 or why:
            parts, free = await self._measure()
        self._state(parts, free, need)
        await self._note()
        return self.state

    async def _measure(self) -> tuple[list[dict[str, Any]], int]:
        parts, disks = await asyncio.gather(self._store.query("disk_parts"), self._store.query("disk_free"))
        return parts, int(disks[0]["free"]) if disks else 0

    def _need(self, parts: Sequence[Mapping[str, Any]], free: int) -> tuple[int, str]:
        """How many bytes are to be freed, and the sentence that says why; 0 and nothing when there is room."""
        used, leaving = _sum(parts, "bytes"), _sum(parts, "leaving")
        need, why = 0, ""
        if self._keep.disk is not None and used > self._keep.disk:
            need = used - int(self._keep.disk * (1 - SLACK))
            why = f"the tables took {shown(used)}, keep.disk allows {shown(self._keep.disk)}"
        # What is on its way out counts as free: else the next look would drop another day for what this one has freed already.
        if self._keep.free is not None and free + leaving < self._keep.free:
            short = int(self._keep.free * (1 + SLACK)) - free - leaving
            if short > need:
                need, why = short, f"the volume had {shown(free)} left, keep.free wants {shown(self._keep.free)}"
        return need, why

    async def _drop(self, day: date, tables: Mapping[str, int], why: str) -> None:
        self._gone = max(self._gone, (day - EPOCH).days + 1)
        await self._note()  # first, so that no crash leaves a gap nobody knows of
        for table in (one for one in (*RAW, *BESIDE) if one in tables):
            size = tables[table]
            await self._store.statement(f"ALTER TABLE {table} DROP PARTITION '{day.isoformat()}'")
            if table not in BESIDE:
                self._last = f"{table} of {day} ({shown(size)}): {why}"
                log.warning("dropped %s", self._last)
                self._counters.add("sojourn_raw_days_dropped", table=table)

    async def _note(self) -> None:
        if self._gone == self._noted:
            return
        try:
            await self._progress.set(RAW_GONE_BEFORE, self._gone)
        except (SQLAlchemyError, ControlUnavailableError) as error:
            # A full disk may be why: room comes first, the next look notes it.
            log.error("what was dropped could not be noted: %s", error)
        else:
            self._noted = self._gone

    def _state(self, parts: Sequence[Mapping[str, Any]], free: int, need: int) -> None:
        used, raw = _sum(parts, "bytes"), _sum([row for row in parts if row["table"] in RAW], "bytes")
        trouble = ""
        if need > 0 and self._need(parts, free)[0] > 0:
            over = self._keep.disk is not None and used > self._keep.disk
            what = f"take {shown(used)}, more than keep.disk allows ({shown(self._keep.disk or 0)})" if over else f"leave {shown(free)} of their volume"
            trouble = f"The tables {what}, and of raw data only today's are left, which stay; give them more room, keep less or send less."
            if trouble != self.state.trouble:
                log.error("%s", trouble)
        gone = EPOCH + timedelta(days=self._gone) if self._gone else None
        self.state = DiskState(used, raw, _sum(parts, "leaving"), free, self._keep.disk, self._keep.free, gone, self._last, trouble)


def days_of(parts: Sequence[Mapping[str, Any]]) -> dict[date, dict[str, int]]:
    """Bytes by table of each day of raw data, the oldest day first; days with nothing but what says where they are, are none."""
    days: dict[date, dict[str, int]] = defaultdict(dict)
    for row in parts:
        if row["table"] in (*RAW, *BESIDE) and DAY.fullmatch(row["partition"]) and row["n"]:
            days[date.fromisoformat(row["partition"])][row["table"]] = int(row["bytes"])
    return {day: days[day] for day in sorted(days) if any(table in RAW for table in days[day])}


def _sum(parts: Sequence[Mapping[str, Any]], column: str) -> int:
    return sum(int(row[column]) for row in parts)


def shown(size: int) -> str:
    """Bytes as a person reads them, such as `1.5 GiB`."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"
