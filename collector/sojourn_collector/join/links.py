"""Linking feedback, orders, tickets and invitations to sessions: by an explicit key, else to the same person's last visit, else not at all. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

EXPLICIT = "explicit"
INFERRED = "inferred"
UNLINKED = "unlinked"
_CONFIDENCE = {EXPLICIT: 1.0, INFERRED: 0.5, UNLINKED: 0.0}
_AHEAD = timedelta(seconds=5)
"""How much later than feedback or an order its visit may seem to begin: clocks of shop and browser differ."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables know that bears on a batch of rows."""

    sessions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    by_trace: Mapping[str, str] = field(default_factory=dict)
    by_order: Mapping[str, str] = field(default_factory=dict)
    by_person: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    runs: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    by_ticket: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a row belongs. `join` is explicit, inferred or unlinked; without a session the person may still be known by name."""

    session_id: str
    person_id: str
    run_ids: tuple[str, ...]
    join: str
    synthetic: bool

    @property
    def confidence(self) -> float:
        """How sure the link is, 0 to 1."""
        return _CONFIDENCE[self.join]


def link(row: Mapping[str, Any], known: Known, *, identity: timedelta) -> Link:
    """Link one row. `identity` is how long after a visit something is still held to come from it."""
    session_id, join = _explicit(row, known), EXPLICIT
    if not session_id:
        session_id, join = _last_visit(row, known, identity), INFERRED
    if not session_id:
        return Link("", f"user:{row['user_id']}" if row["user_id"] else "", (), UNLINKED, False)
    session = known.sessions[session_id]
    runs = tuple(run["run_id"] for run in known.runs.get(session_id, ()) if run["started"] <= row["ts"] + _AHEAD and _of_journey(row, run))
    return Link(session_id, session["person_id"], runs, join, session["traffic"] == "synthetic")


def linked(row: Mapping[str, Any], found: Link) -> dict[str, Any]:
    """The columns a link gives a row. An order of a probe's session is the probe's."""
    columns: dict[str, Any] = {
        "session_id": found.session_id,
        "person_id": found.person_id,
        "join": found.join,
        "join_confidence": found.confidence,
    }
    if "amount" in row:
        return {**columns, "run_id": found.run_ids[-1] if found.run_ids else "", "probe": bool(row.get("probe")) or found.synthetic}
    return {**columns, "run_ids": list(found.run_ids)}


def order_key(row: Mapping[str, Any]) -> str:
    """The order a row is or speaks of."""
    return str((row.get("purchase") or row["id"]) if "amount" in row else row["order_id"])


def earliest(rows: Iterable[Mapping[str, Any]]) -> datetime:
    """The earliest time in a batch that is not empty."""
    moment: datetime = min(row["ts"] for row in rows)
    return moment


def by(rows: Iterable[Mapping[str, Any]], column: str) -> dict[str, list[Mapping[str, Any]]]:
    """Rows grouped by a column."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return dict(groups)


def _explicit(row: Mapping[str, Any], known: Known) -> str:
    """The session named by its id, else by a trace, else by an order, else by a ticket; only one the tables have."""
    named = (known.by_trace.get(row["trace_id"], ""), known.by_order.get(order_key(row), ""), known.by_ticket.get(row.get("ticket_id", ""), ""))
    for session_id in (row["given_session_id"], *named):
        if session_id and session_id in known.sessions:
            return str(session_id)
    return ""


def _last_visit(row: Mapping[str, Any], known: Known, identity: timedelta) -> str:
    """The last session of the same person that began before and ended at most `identity` earlier."""
    visits = known.by_person.get(f"user:{row['user_id']}", ()) if row["user_id"] else ()
    near = [visit for visit in visits if visit["started"] <= row["ts"] + _AHEAD and visit["ended"] >= row["ts"] - identity]
    return str(max(near, key=lambda visit: (visit["started"], visit["session_id"]))["session_id"]) if near else ""


def _of_journey(row: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    return not row.get("journey") or row["journey"] == run["journey"]
