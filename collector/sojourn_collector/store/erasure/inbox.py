"""The inbox of sources as a place: feedback, orders, tickets and people as they were sent, and events of vendors."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from sojourn_collector.store.control.inbox import Inbox, InboxRow
from sojourn_collector.store.control.said import OwnRows, Reading, Said
from sojourn_collector.store.erasure.subject import Names, Orders, is_word

_AT_ONCE = 2000
_TABLE_OF = {"mentions": "feedback"}
"""Where rows of a source lie in the engine, where the table has another name."""


class InboxPlace:
    """Rows of the inbox. `reading` says what they say."""

    name = "inbox"

    def __init__(self, inbox: Inbox, tenant: str, reading: Reading | None = None) -> None:
        self._inbox = inbox
        self._tenant = tenant
        self._reading = reading or OwnRows()

    async def count(self, names: Names) -> dict[str, int]:
        """Rows by source."""
        found: dict[str, int] = {}
        async for row in self._theirs(names):
            found[f"inbox {row.kind}"] = found.get(f"inbox {row.kind}", 0) + 1
        return found

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Delete them; orders may stay without their person."""
        found = await self.count(names)
        async for row in self._theirs(names):
            bare = self._reading.stripped(row) if orders == "strip" else None
            if bare is not None:
                await self._inbox.rewrite(row.id, bare)
            else:
                await self._inbox.remove([row.id])
        return found

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The rows as they were sent, personal data in free text already taken out."""
        for kind in await self._inbox.kinds():
            async for row in self._theirs(names):
                if row.kind == kind:
                    yield f"inbox_{kind}", {"source": row.source, "received": row.received_at.isoformat(), "row": json.loads(row.body)}

    async def _theirs(self, names: Names) -> AsyncIterator[InboxRow]:
        after = 0
        while rows := await self._inbox.after(after, _AT_ONCE):
            for row in rows:
                if row.tenant == self._tenant and is_theirs(row, names, self._reading):
                    yield row
            after = rows[-1].id


def names_in(kind: str, row: Mapping[str, Any]) -> dict[str, str]:
    """Whom a row of a source names, by kind of name."""
    if kind == "people":
        return {"user": _text(row.get("id")), "email": _text(row.get("email_sha256"))}
    if kind == "owners":
        return {"email": _text(row.get("email_sha256"))}
    if kind == "accounts":
        return {"account": _text(row.get("id"))}
    if kind == "deals":
        return {"account": _text(row.get("account_id"))}
    return {
        "user": _text(row.get("user_id") or row.get("user.id")),
        "visitor": _text(row.get("visitor_id")),
        "session": _text(row.get("session_id") or row.get("session.id")),
        "trace": _text(row.get("trace_id")).lower(),
        "email": _text(row.get("email_sha256")),
        "author": _text(row.get("author_digest")),
    }


def is_theirs(row: InboxRow, names: Names, reading: Reading) -> bool:
    """Whether anything a row says is the subject's, or an event of a vendor speaks of them in a field that nothing is read from."""
    said = reading.said(row)
    if any(_is_theirs(row.source, one, names) for one in said):
        return True
    if len(said) == 1 and said[0].kind == row.kind:
        return False
    words = {name for name in names.known if is_word(name)} | names.emails
    return bool(words) and any(text.removeprefix("sha256:") in words for text in _texts(json.loads(row.body)))


def _is_theirs(source: str, said: Said, names: Names) -> bool:
    """It was found to be, or names their user or their digest as an author, or nobody's user and their session, trace or address."""
    if (source, said.id) in names.linked().get(_TABLE_OF.get(said.kind, said.kind), ()):
        return True
    named = names_in(said.kind, said.row)
    if named.get("author", "") in names.authors:
        return True
    if named.get("user"):
        return named["user"] in names.users
    return (
        named.get("account", "") in names.accounts
        or named.get("visitor", "") in names.visitors
        or named.get("session", "") in names.sessions
        or named.get("trace", "") in names.traces
        or named.get("email", "") in names.emails
    )


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str):
            yield one


def _text(value: Any) -> str:
    return "" if value is None else str(value)
