"""Joining sessions: each touched one is read whole, its runs recognised anew, and everything it concerns is written."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sojourn_collector.join.backend_read import Backends
from sojourn_collector.join.inbox_copy import Languages, Normalise, as_said
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.linker import LINKED_TABLES, Linker
from sojourn_collector.join.links import by
from sojourn_collector.join.plan import JourneyPlan, plans_of
from sojourn_collector.join.read_session import Session, milliseconds, read_session
from sojourn_collector.join.real_run import RealRun
from sojourn_collector.join.recognise import recognise
from sojourn_collector.join.relink import Relink
from sojourn_collector.join.rows import run_row, step_rows, withdrawn_runs, withdrawn_steps
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.join.versions import Versions
from sojourn_collector.join.writing import write
from sojourn_collector.store.client import Store
from sojourn_probes import semconv
from sojourn_probes.journey import Journey
from sojourn_probes.semconv import Traffic

_log = logging.getLogger(__name__)
MOST_SIGNALS = 20_000
"""Of one session. No person does that much in one visit; who sends more cannot make the join read it over and over."""
_LONGEST_SESSION = timedelta(days=2)
_FEEDBACK_BEFORE = timedelta(days=1)


class SessionJoin:
    """Recomputes whole sessions. `abandon` is in seconds."""

    def __init__(
        self,
        store: Store,
        journeys: JourneyFolder,
        linker: Linker,
        relink: Relink,
        versions: Versions,
        normalise: Normalise,
        clock: Callable[[], datetime],
        abandon: float,
        counts: RunCounts,
        languages: Languages = as_said,
        attributes: Sequence[str] = (),
    ) -> None:
        """`attributes` of visits become facts of them."""
        self._store = store
        self._journeys = journeys
        self._linker = linker
        self._relink = relink
        self._versions = versions
        self._normalise = normalise
        self._clock = clock
        self._abandon = timedelta(seconds=abandon)
        self._counts = counts
        self._languages = languages
        self._attributes = tuple(attributes)
        self._backends = Backends(store)
        self._planned: tuple[Mapping[str, Journey], tuple[JourneyPlan, ...]] = ({}, ())

    async def join(self, touched: Mapping[str, datetime]) -> dict[str, tuple[datetime, datetime]]:
        """Recompute these sessions, given with the earliest time touched in each.

        Returns those with a run still being tried: when the session began, and when that run will be given up.
        Raises what the store raises; doing it again does no harm.
        """
        trying: dict[str, tuple[datetime, datetime]] = {}
        for since, ids in await self._reaches(touched):
            trying |= await self._join(ids, since)
        return trying

    async def _reaches(self, touched: Mapping[str, datetime]) -> list[tuple[datetime, list[str]]]:
        """How far back to read: the usual time, and for sessions known to have begun before that from their beginning.

        Cut midway, a walk would look begun anew at the cut, beside itself.
        """
        usual = min(touched.values()) - _LONGEST_SESSION
        known = await self._store.query("join_sessions_by_id", sessions=list(touched))
        long = {row["session_id"]: row["started"] for row in known if row["started"] < usual}
        reaches = [(usual, [id_ for id_ in touched if id_ not in long])]
        if long:
            reaches.append((min(long.values()), list(long)))
        return [(since, ids) for since, ids in reaches if ids]

    async def _join(self, ids: list[str], since: datetime) -> dict[str, tuple[datetime, datetime]]:
        sessions = await self._read(ids, since)
        if not sessions:
            return {}
        runs = await self._recognise(sessions)
        version = self._versions.next()
        over = await self._withdraw(ids, runs, since, version)
        # Sessions last: what links look for must not be there before its runs.
        of_steps = [row for s in sessions for run in runs[s.id] for row in step_rows(run, s, version)]
        of_runs = [run_row(run, s, version) for s in sessions for run in runs[s.id]]
        await write(self._store, "steps", of_steps)
        await write(self._store, "runs", of_runs)
        self._counts.real(of_runs, of_steps, over)
        await write(self._store, "sessions", [session.row(version) for session in sessions])
        await self._surveys(sessions)
        await self._link_again(sessions)
        return self._trying(sessions, runs)

    async def _read(self, ids: list[str], since: datetime) -> list[Session]:
        rows: list[dict[str, Any]] = []
        for query in ("join_session_spans", "join_session_events"):
            rows.extend(await self._store.query(query, sessions=ids, since=since, most=MOST_SIGNALS, deadline=60.0))
        groups = by(rows, "session_id")
        said = await self._backends.of(groups)
        found = await asyncio.to_thread(lambda: [read_session(id_, group, self._attributes, said.get(id_, ())) for id_, group in groups.items()])
        return [session for session in found if session is not None]

    async def _recognise(self, sessions: Sequence[Session]) -> dict[str, list[RealRun]]:
        """The runs of each session, in a thread: one of very many signals must not hold up what the collector receives."""
        journeys = self._journeys.all()
        if self._planned[0] is not journeys:
            self._planned = (journeys, plans_of(journeys.values()))
        plans, abandon, now = self._planned[1], self._abandon // timedelta(milliseconds=1), milliseconds(self._clock())

        def runs(session: Session) -> list[RealRun]:
            if session.traffic != Traffic.REAL:
                return []
            return recognise(session.id, session.app, session.signals, plans, abandon=abandon, now=now)

        return await asyncio.to_thread(lambda: {session.id: runs(session) for session in sessions})

    async def _withdraw(self, ids: list[str], runs: Mapping[str, Sequence[RealRun]], since: datetime, version: int) -> set[str]:
        """Take back runs that began elsewhere before a late signal came: their id hangs on their first signal.

        Returns the runs known to be over before this.
        """
        rows_known = await self._store.query("join_known_runs", sessions=ids, since=since)
        over = {row["run_id"] for row in rows_known if row["settled"]}
        known = by(rows_known, "session_id")
        gone = [row for id_, rows in known.items() for row in withdrawn_runs(rows, runs.get(id_, ()), version)]
        if not gone:
            return over
        for start in range(0, len(gone), 100):
            batch = [row["run_id"] for row in gone[start : start + 100]]
            steps = await self._store.query("join_known_steps", runs=batch, since=since)
            await write(self._store, "steps", withdrawn_steps(steps, version))
        await write(self._store, "runs", gone)
        return over

    async def _surveys(self, sessions: Sequence[Session]) -> None:
        """Surveys answered in the page are feedback with the session known for certain."""
        rows = [row for s in sessions if s.traffic == Traffic.REAL for survey in s.surveys if (row := self._survey(s, survey)) is not None]
        await self._languages(rows)
        await write(self._store, "feedback", await self._linker.link(rows))

    def _survey(self, session: Session, record: Mapping[str, Any]) -> dict[str, Any] | None:
        attrs: Mapping[str, str] = record["attrs"]
        survey = attrs.get(semconv.SURVEY_ID, "")
        raw = {
            "source": "beacon",
            "id": str(uuid5(NAMESPACE_URL, f"{session.id}/{survey}/{milliseconds(record['ts'])}")),
            "kind": attrs.get(semconv.SURVEY_KIND, ""),
            "value": attrs.get(semconv.SURVEY_VALUE) or None,
            "scale_min": attrs.get(semconv.SURVEY_SCALE_MIN) or None,
            "scale_max": attrs.get(semconv.SURVEY_SCALE_MAX) or None,
            "comment": attrs.get(semconv.SURVEY_COMMENT, ""),
            "at": record["ts"].astimezone(UTC).isoformat(timespec="milliseconds"),
            "survey_id": survey,
            "session_id": session.id,
            "user_id": session.person.user_id,
            "account_id": session.person.account_id,
        }
        try:
            _, row = self._normalise("feedback", raw, record["accepted"])
        except ValueError as error:
            _log.warning("a survey answer in a page cannot be taken: %s", error)
            return None
        return {**row, "visitor_id": session.person.visitor_id, "version": self._versions.next()}

    async def _link_again(self, sessions: Sequence[Session]) -> None:
        """Feedback, orders and the like that came before these signals did, and what names those orders and tickets."""
        ids = [session.id for session in sessions]
        persons = list({session.person.id for session in sessions if session.person.kind == "user"})
        since = datetime.fromtimestamp(min(session.started for session in sessions) / 1000, UTC) - _FEEDBACK_BEFORE
        changed: dict[str, list[dict[str, Any]]] = {}
        for table in LINKED_TABLES:
            changed[table] = await self._linker.near(table, ids, persons, since)
            await write(self._store, table, [{**row, "version": self._versions.next()} for row in changed[table]])
        await self._relink.after_links(changed["orders"], changed["tickets"])

    def _trying(self, sessions: Sequence[Session], runs: Mapping[str, Sequence[RealRun]]) -> dict[str, tuple[datetime, datetime]]:
        found = {}
        for session in sessions:
            if open_runs := [run for run in runs[session.id] if not run.settled]:
                last = max(run.ended for run in open_runs)
                found[session.id] = (datetime.fromtimestamp(session.started / 1000, UTC), datetime.fromtimestamp(last / 1000, UTC) + self._abandon)
        return found
