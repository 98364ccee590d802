"""What a row of the inbox says, in the form of our own sources. Vendors' events say it in theirs; who can read those hands a `Reading` in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from sojourn_collector.store.control.inbox import InboxRow

OF_A_PERSON: Final = frozenset(("user_id", "user.id", "session_id", "session.id", "trace_id", "account_id", "probe_mark", "email", "email_sha256"))
"""Keys an order loses when it is kept without its person."""


@dataclass(frozen=True, slots=True)
class Said:
    """A row of the source `kind`, which may be a part of one, and when what it tells of happened."""

    kind: str
    row: Mapping[str, Any]
    at: datetime

    @property
    def id(self) -> str:
        """The row's id in its feed."""
        return str(self.row.get("id", ""))


class Record(NamedTuple):
    """A row of the source `kind` as it goes to the engine, and when each of its keys was said, where events said them one by one."""

    kind: str
    row: dict[str, Any]
    times: Mapping[str, datetime] = {}


class Reading(Protocol):
    """Reads rows of the inbox."""

    def said(self, row: InboxRow) -> list[Said]:
        """What it says. A row that cannot be read says nothing."""
        ...

    def stripped(self, row: InboxRow) -> str | None:
        """The body as it stays without its person: orders alone. None when nothing of it stays."""
        ...


class OwnRows:
    """Rows in our own form."""

    def said(self, row: InboxRow) -> list[Said]:
        """The row itself; people and accounts are as they are told."""
        body = json.loads(row.body)
        return [Said(row.kind, body, _happened(row, body))]

    def stripped(self, row: InboxRow) -> str | None:
        """An order as it stays: what was bought when for how much, without who and where."""
        return bare(json.loads(row.body)) if row.kind == "orders" else None


def bare(order: Mapping[str, Any]) -> str:
    """An order without its person, as JSON."""
    return json.dumps({key: value for key, value in order.items() if key not in OF_A_PERSON}, ensure_ascii=False, separators=(",", ":"))


def _happened(row: InboxRow, body: Mapping[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(body["at"]))
    except (KeyError, ValueError):
        return row.received_at
    return moment if moment.tzinfo is not None else row.received_at
