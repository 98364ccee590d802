"""The inbox of sources as a place: feedback, orders and people as they were sent."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from sojourn_collector.store.control.inbox import Inbox, InboxRow
from sojourn_collector.store.erasure.subject import Names, Orders

_AT_ONCE = 2000
KINDS = ("feedback", "orders", "people", "accounts")
"""The sources whose rows are about somebody, in the order of a copy; a test holds that it is all of them."""
OF_A_PERSON = ("user_id", "user.id", "session_id", "session.id", "trace_id", "account_id", "probe_mark")
"""Keys an order loses when it is kept without its person."""


class InboxPlace:
    """Rows of the inbox."""

    name = "inbox"

    def __init__(self, inbox: Inbox, tenant: str) -> None:
        self._inbox = inbox
        self._tenant = tenant

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
            if row.kind == "orders" and orders == "strip":
                await self._inbox.rewrite(row.id, stripped(row.body))
            else:
                await self._inbox.remove([row.id])
        return found

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The rows as they were sent, personal data in free text already taken out."""
        for kind in KINDS:
            async for row in self._theirs(names):
                if row.kind == kind:
                    yield f"inbox_{kind}", {"source": row.source, "received": row.received_at.isoformat(), "row": json.loads(row.body)}

    async def _theirs(self, names: Names) -> AsyncIterator[InboxRow]:
        after = 0
        while rows := await self._inbox.after(after, _AT_ONCE):
            for row in rows:
                if row.tenant == self._tenant and is_theirs(row, names):
                    yield row
            after = rows[-1].id


def names_in(kind: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Whom a row of a source names, by kind of name."""
    if kind == "people":
        return {"user": _text(body.get("id"))}
    if kind == "accounts":
        return {"account": _text(body.get("id"))}
    return {
        "user": _text(body.get("user_id") or body.get("user.id")),
        "session": _text(body.get("session_id") or body.get("session.id")),
        "trace": _text(body.get("trace_id")).lower(),
    }


def is_theirs(row: InboxRow, names: Names) -> bool:
    """Whether a row is the subject's: it was found to be, or names their user, or nobody's user and their session or trace."""
    if (row.source, row.source_key) in (names.feedback if row.kind == "feedback" else names.orders if row.kind == "orders" else ()):
        return True
    named = names_in(row.kind, json.loads(row.body))
    if named.get("user"):
        return named["user"] in names.users
    return named.get("account", "") in names.accounts or named.get("session", "") in names.sessions or named.get("trace", "") in names.traces


def stripped(body: str) -> str:
    """An order as it stays: what was bought when for how much, without who and where."""
    row = {key: value for key, value in json.loads(body).items() if key not in OF_A_PERSON}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
