"""The join's worker: as soon as something is loaded or has arrived, the sessions, runs, feedback and orders it concerns are joined."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.config import ImpactConfig
from sojourn_collector.join.backend_read import Backends
from sojourn_collector.join.inbox_copy import InboxCopy, Languages, Normalise, Records, Sift, all_of, as_kept, as_said
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.linker import Linker, cut
from sojourn_collector.join.ranges import LoadProgress, Ranges, SoleRange, progress_name
from sojourn_collector.join.relink import Relink
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.join.run_join import RunJoin
from sojourn_collector.join.session_join import SessionJoin
from sojourn_collector.join.turn import Turn
from sojourn_collector.join.versions import Versions
from sojourn_collector.store.client import Store, StoreError
from sojourn_collector.store.control import Control
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.numbering import first_of
from sojourn_collector.store.turns import Turns

_log = logging.getLogger(__name__)
VERSION = "join_version"
_SEQS_AT_ONCE = 64
_RUNS_AT_ONCE = 500
"""Scripted runs are short; each reading of their spans costs the engine the same, whether for a hundred or for five times as many."""
_SESSIONS_AT_ONCE = 100
_LONGEST_PAUSE = 1.0
_LONGEST_RETRY = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


class JoinWorker:
    """Joins until it is cancelled. What it had done survives a crash; doing a part of it twice changes nothing."""

    def __init__(
        self,
        store: Store,
        control: Control,
        journeys: JourneyFolder,
        impact: ImpactConfig,
        loader: LoadProgress,
        *,
        normalise: Normalise,
        clock: Callable[[], datetime] = _now,
        ranges: Ranges | None = None,
        turn: Turn | None = None,
        counts: RunCounts | None = None,
        turns: Turns | None = None,
        sift: Sift = all_of,
        records: Records = as_kept,
        languages: Languages = as_said,
    ) -> None:
        """`ranges` and `turn` are there where several collectors share a control database; `counts` is told of every run that is over, `languages` notes
        in which language answers are."""
        counts = counts or RunCounts()
        self._store = store
        self._control = control
        self._journeys = journeys
        self._loader = loader
        self._clock = clock
        self._abandon = impact.windows.abandon
        self._ranges = ranges or SoleRange(loader)
        self._turn = turn
        self._still = (turns or Turns()).join
        self._versions = Versions(clock, 0, turn)
        linker = Linker(store, timedelta(seconds=impact.windows.identity))
        relink = Relink(store, linker, self._versions)
        self._inbox = InboxCopy(store, control, linker, relink, self._versions, normalise, clock, sift, records, languages)
        self._sessions = SessionJoin(
            store, journeys, linker, relink, self._versions, normalise, clock, self._abandon, counts, languages, impact.visit_attributes
        )
        self._backends = Backends(store)
        self._runs = RunJoin(store, journeys, self._versions, counts)
        self._trying: dict[str, tuple[datetime, datetime]] = {}
        self._joined: dict[int, int] = {}
        """By node: everything loaded up to here is joined; empty before the start."""
        self.written_version = 0
        """Every row the join wrote up to this version is in the tables, and no row will get a lower one, also after a restart."""
        self.problem = ""
        """Why the join stands still, in one sentence; empty while it goes on."""

    @property
    def joined_seq(self) -> int:
        """Everything that this collector loaded up to here is joined; -1 before the start, and while another collector joins."""
        return self._joined.get(self._ranges.own, -1)

    async def run(self) -> None:
        """Join until cancelled. An engine or control database that does not answer is waited for. Raises LeaseLostError."""
        self._joined.clear()  # another collector may have joined since the last time
        try:
            await self._run()
        finally:
            self._joined.clear()

    async def _run(self) -> None:
        retry = 0.1
        while True:
            try:
                await self.catch_up()
            except (StoreError, ControlUnavailableError) as error:
                if str(error) != self.problem:
                    _log.warning("the join waits: %s", error)
                self.problem = str(error)
                await asyncio.sleep(retry)
                retry = min(retry * 2, _LONGEST_RETRY)
                continue
            self.problem, retry = "", 0.1
            await self._pause()

    async def catch_up(self) -> None:
        """Join all there is to be joined now. Raises what the store raises; what was joined till then is remembered."""
        if not self._joined:
            await self._begin()
        going = True
        while going:
            async with self._still:
                going = await self._some()

    async def _some(self) -> bool:
        """Join the next portion of each node; whether there was one."""
        await self._journeys.refresh()
        self._control.inbox.arrived.clear()
        await self._inbox.run()
        await self._settle()
        joined = [node for node, loaded in (await self._ranges.loaded()).items() if await self._join_some(node, loaded)]
        if self._versions.highest != self.written_version:
            await self._note({})
        return bool(joined)

    async def _join_some(self, node: int, loaded: int) -> bool:
        """Join some of what a node has loaded and nobody joined; False when there is nothing."""
        if node not in self._joined:
            self._joined[node] = await self._control.progress.get(progress_name(node), first_of(node))
        joined = self._joined[node]
        until = min(loaded, joined + _SEQS_AT_ONCE)
        if until <= joined:
            return False
        await self._join_range(joined, until)
        await self._note({progress_name(node): until})
        self._joined[node] = until
        return True

    async def _note(self, progress: dict[str, int]) -> None:
        """Keep how far the join has come, and the highest version it wrote."""
        await self._control.progress.set_many({**progress, VERSION: self._versions.highest}, None if self._turn is None else self._turn.lease)
        self.written_version = self._versions.highest

    async def _begin(self) -> None:
        """Where the last process stopped, and which runs it left being tried."""
        self._versions.highest = self.written_version = await self._control.progress.get(VERSION)
        if self._turn is not None and self._turn.lease is not None:
            self._versions.highest = max(self._versions.highest, self._turn.lease.reserved)
        reach = self._clock() - timedelta(seconds=self._abandon) - timedelta(days=32)
        rows = await self._store.query("join_unsettled", since=reach)
        late = timedelta(seconds=self._abandon)
        self._trying = {row["session_id"]: (row["began"], row["last_seen"] + late) for row in rows}
        own = self._ranges.own
        self._joined = {own: await self._control.progress.get(progress_name(own), first_of(own))}

    async def _join_range(self, after: int, until: int) -> None:
        runs = await self._store.query("join_touched_runs", after=after, until=until, deadline=60.0)
        for batch in cut(runs, _RUNS_AT_ONCE):
            await self._runs.join({row["run_id"]: row["first"] for row in batch})
        sessions = await self._store.query("join_touched_sessions", after=after, until=until, deadline=60.0)
        touched = {row["session_id"]: row["first"] for row in sessions}
        for id_, first in (await self._backends.touched(after, until)).items():
            touched[id_] = min(first, touched.get(id_, first))
        for batch in cut(sorted(touched.items(), key=lambda one: (one[1], one[0])), _SESSIONS_AT_ONCE):
            await self._join_sessions(dict(batch))

    async def _settle(self) -> None:
        """Runs whose customers have been idle for long enough are over now."""
        now = self._clock()
        due = [(id_, began) for id_, (began, until) in self._trying.items() if until <= now]
        for batch in cut(due, _SESSIONS_AT_ONCE):
            await self._join_sessions(dict(batch))

    async def _join_sessions(self, touched: Mapping[str, datetime]) -> None:
        trying = await self._sessions.join(touched)
        for id_ in touched:
            self._trying.pop(id_, None)
        self._trying |= trying

    async def _pause(self) -> None:
        """Until something is loaded, arrives, or is due."""
        due = min((until for _, until in self._trying.values()), default=None)
        pause = _LONGEST_PAUSE if due is None else min(_LONGEST_PAUSE, max(0.01, (due - self._clock()).total_seconds()))
        waiting: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._loader.wait_beyond(self.joined_seq)),
            asyncio.create_task(self._control.inbox.arrived.wait()),
        ]
        try:
            await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
