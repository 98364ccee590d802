"""Finds everything a subject is called, through the tables: from a user to visitors, sessions, traces and runs.

A browser that several people use has one visitor id: what others did under it is not the subject's. A session in which two users signed in belongs to
neither alone; of it goes what names the subject.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sojourn_collector.store.client import Store
from sojourn_collector.store.erasure.subject import LINKED, Names, Subject

DEADLINE = 300.0
"""Seconds; the tables are read whole."""
_PREFIXES = {"user:": "users", "visitor:": "visitors", "visit:": "sessions", "author:": "authors"}
_ROUNDS = 10
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """A session and everyone seen in it."""

    id: str
    users: frozenset[str]
    visitors: frozenset[str]


def seen(row: Mapping[str, Any]) -> Seen:
    """A row of the queries of sessions."""
    return Seen(row["session_id"], frozenset(row["users"]), frozenset(row["visitors"]))


async def find(store: Store, subject: Subject) -> Names:
    """All names of the subject. Raises what `Store.query` raises."""
    names = _first(subject)
    if subject.kind == "account":
        rows = await store.query("erase_members", accounts=[subject.name], deadline=DEADLINE)
        names = replace(names, users=frozenset(row["id"] for row in rows))
    whole = bool(names.users or names.visitors or names.accounts)
    for _ in range(_ROUNDS):
        grown = grow(names, await _sessions(store, names), whole=whole)
        if grown == names:
            break
        names = grown
    return await complete(store, names)


async def complete(store: Store, names: Names) -> Names:
    """Add traces, runs, addresses, feedback, orders and the like of these users, visitors and sessions."""
    names = replace(names, traces=names.traces | frozenset(await _traces(store, names)))
    runs = [
        row["run_id"] for sessions, persons in _paired(names) for row in await store.query("erase_runs", sessions=sessions, persons=persons, deadline=DEADLINE)
    ]
    names = replace(names, runs=frozenset(runs))
    if names.users:
        emails = await store.query("erase_emails", users=sorted(names.users), deadline=DEADLINE)
        names = replace(names, emails=names.emails | frozenset(row["email"] for row in emails))
    linked: dict[str, Any] = {table: frozenset(found) for table, found in (await _linked(store, names)).items()}
    return replace(names, **linked)


def _first(subject: Subject) -> Names:
    if subject.kind == "session":
        return Names(sessions=frozenset({subject.name}))
    if subject.kind == "account":
        return Names(accounts=frozenset({subject.name}))
    for prefix, group in _PREFIXES.items():
        if subject.name.startswith(prefix) and len(subject.name) > len(prefix):
            return replace(Names(), **{group: frozenset({subject.name.removeprefix(prefix)})})  # type: ignore[arg-type]
    return Names(users=frozenset({subject.name}), visitors=frozenset({subject.name}))


def grow(names: Names, sessions: Sequence[Seen], *, whole: bool = True) -> Names:
    """One round: visitors of the user's sessions, then sessions of those visitors that no other user was seen under."""
    if not whole:
        return names
    users_of: dict[str, set[str]] = defaultdict(set)
    for session in sessions:
        for visitor in session.visitors:
            users_of[visitor] |= session.users
    users = names.users
    if len(names.visitors) == 1 and users <= names.visitors and not any(users & session.users for session in sessions):
        # A visitor who once signed in is that user; if several did, it is a browser they share. A plain id was taken for a user's too.
        behind = users_of.get(next(iter(names.visitors)), set())
        users |= frozenset(behind) if len(behind) == 1 else frozenset()
    mine, shared = set(names.sessions), set(names.shared)
    # A plain id was taken for both kinds; it is a visitor's only if a visitor is called so.
    visitors = {visitor for visitor in names.visitors if visitor in users_of or visitor not in users}
    for session in sessions:
        if session.users & users:
            (mine if session.users <= users else shared).add(session.id)
            visitors |= session.visitors
    alone = {visitor for visitor in visitors if users_of.get(visitor, set()) <= users}
    shared |= visitors - alone
    for session in sessions:
        if not session.users and session.visitors and session.visitors <= alone:
            mine.add(session.id)
    return replace(names, users=users, visitors=frozenset(alone), sessions=frozenset(mine), shared=frozenset(shared))


async def _sessions(store: Store, names: Names) -> list[Seen]:
    asked: dict[str, Any] = {"users": sorted(names.users), "accounts": sorted(names.accounts)}
    asked |= {"visitors": sorted(names.visitors | names.shared), "sessions": sorted(names.sessions)[:_AT_ONCE]}
    rows = await store.query("erase_sessions", **asked, deadline=DEADLINE)
    return [seen(row) for row in rows]


async def _traces(store: Store, names: Names) -> list[str]:
    found: list[str] = []
    for sessions in _cut(names.sessions):
        rows = await store.query("erase_traces", sessions=sessions, users=sorted(names.users), deadline=DEADLINE)
        found.extend(row["trace"] for row in rows)
    return found


async def _linked(store: Store, names: Names) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {table: set() for table in LINKED}
    traces = list(_cut(names.traces))
    for number, (sessions, persons) in enumerate(_paired(names, least=len(traces))):
        asked: dict[str, Any] = {"users": sorted(names.users), "visitors": sorted(names.visitors), "sessions": sessions, "persons": persons}
        asked |= {"emails": sorted(names.emails), "authors": sorted(names.authors)}
        asked["traces"] = traces[number] if number < len(traces) else []
        for row in await store.query("erase_linked", **asked, deadline=DEADLINE):
            found[row["kind"]].add((row["source"], row["id"]))
    return found


def _paired(names: Names, least: int = 1) -> list[tuple[list[str], list[str]]]:
    """Sessions with their persons, in portions that fit into a request."""
    sessions, persons = list(_cut(names.sessions)), list(_cut(names.persons))
    count = max(len(sessions), len(persons), least)
    return [(sessions[n] if n < len(sessions) else [], persons[n] if n < len(persons) else []) for n in range(count)]


def _cut(ids: Iterable[str]) -> list[list[str]]:
    ordered = sorted(ids)
    return [ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE)] or [[]]
