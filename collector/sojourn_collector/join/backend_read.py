"""Reading what backends say of visits: which traces one failed in, their spans, and the visits they concern.

Only traces that a backend failed in are looked at; the table `failed_traces` tells which, so that no visit is held against all spans.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.join.backend_said import MOST_SPANS
from sojourn_collector.join.linker import cut
from sojourn_collector.store.client import Store

MOST_TRACES = 2000
"""Traces of one visit that are asked for."""
MOST_FAILED = 200
"""Of these, the first in which a backend failed are read."""
_ASKED_AT_ONCE = 500  # ids travel in the query's address
_READ_AT_ONCE = 50
_AROUND = timedelta(hours=1)
"""How far from its failure the rest of a request is looked for."""
_PAGE_OPEN = timedelta(days=1)
"""How long a page may have been open when a request of it fails: all its requests are of one trace."""


class Backends:
    """What backends say, by visit."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, visits: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        """For `with_backends`: the spans of the traces of these visits' rows that a backend failed in. Raises what the store raises."""
        traces = {id_: list(dict.fromkeys(row["trace_id"] for row in rows if row["trace_id"]))[:MOST_TRACES] for id_, rows in visits.items()}
        wanted = list(dict.fromkeys(trace for own in traces.values() for trace in own))
        if not wanted:
            return {}
        since = min(row["ts"] for rows in visits.values() for row in rows)
        failed: dict[str, dict[str, Any]] = {}
        for batch in cut(wanted, _ASKED_AT_ONCE):
            failed |= {row["id"]: row for row in await self._store.query("join_failed_traces", traces=list(batch), since=since, deadline=60.0)}
        if not failed:
            return {}
        own_failed = {id_: [trace for trace in own if trace in failed][:MOST_FAILED] for id_, own in traces.items()}
        spans = await self._spans([failed[trace] for trace in dict.fromkeys(trace for own in own_failed.values() for trace in own)])
        return {id_: [row for trace in own for row in spans.get(trace, ())] for id_, own in own_failed.items()}

    async def touched(self, after: int, until: int) -> dict[str, datetime]:
        """The visits that spans of backends in the journal files (after, until] concern, and the earliest time touched in each."""
        found: dict[str, datetime] = {}
        traces = await self._store.query("join_touched_traces", after=after, until=until, deadline=60.0)
        for batch in cut(traces, _ASKED_AT_ONCE):
            since, last = min(row["began"] for row in batch) - _PAGE_OPEN, max(row["ended"] for row in batch) + _AROUND
            rows = await self._store.query("join_sessions_of_traces", traces=[row["id"] for row in batch], since=since, until=last, deadline=60.0)
            for row in rows:
                found[row["session_id"]] = min(row["first"], found.get(row["session_id"], row["first"]))
        return found

    async def _spans(self, failed: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for batch in cut(sorted(failed, key=lambda row: (row["began"], row["id"])), _READ_AT_ONCE):
            since, until = min(row["began"] for row in batch) - _AROUND, max(row["ended"] for row in batch) + _AROUND
            rows = await self._store.query("join_backend_spans", traces=[row["id"] for row in batch], since=since, until=until, most=MOST_SPANS, deadline=60.0)
            for row in rows:
                found.setdefault(row["trace"], []).append(row)
        return found
