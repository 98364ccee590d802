"""Keys of senders and scripts: shown once, stored as a digest, compared in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.tables import keys

_PREFIX = "sj"
_LONGEST = 200


class Scope(StrEnum):
    """What a key may do. `admin` may do everything; `page` is for keys that stand in pages, where everybody reads them."""

    SOURCES = "sources"
    PAGE = "page"
    OTLP = "otlp"
    READ = "read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown: everything but its secret.

    `sender` is who uses it, the same for a key and those that follow it by rotation: batches and watermarks are known by it.
    `revoked_at` may lie ahead: until then the key is good.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    tenant: str
    created_at: datetime
    revoked_at: datetime | None = None
    sender: str = ""

    def allows(self, scope: Scope) -> bool:
        """Whether this key may do `scope`."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made with its whole text, `sj_<id>_<secret>`, which is never to be had again."""

    key: Key
    text: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r}, text='[redacted]')"


class Keys:
    """Makes, checks, lists and revokes keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, scopes: Iterable[Scope], *, tenant: str = "default", now: datetime | None = None, sender: str = "") -> NewKey:
        """Make a key; `sender` is that of a key it follows. Raises ValueError when the name is empty or there is no scope."""
        made, row = _new(name, scopes, tenant, now or datetime.now(UTC), sender)
        await self._database.write(lambda connection: connection.execute(insert(keys), row))
        return made

    async def verify(self, presented: str, now: datetime | None = None) -> Key | None:
        """The key whose whole text is `presented`; None when it is malformed, unknown, wrong or revoked by `now`."""
        prefix, _, rest = presented.partition("_")
        id_, _, secret = rest.partition("_")
        if prefix != _PREFIX or not id_ or not secret or len(presented) > _LONGEST or not presented.isascii():
            return None
        query = select(keys).where(keys.c.id == id_)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        # An unknown id costs the same comparison as a known one.
        expected = row["sha256"] if row is not None else _digest("")
        right = hmac.compare_digest(_digest(secret), expected)
        if row is None or not right or (row["revoked_at"] is not None and row["revoked_at"] <= (now or datetime.now(UTC))):
            return None
        return _key(row)

    async def list(self) -> "list[Key]":
        """Every key ever made, oldest first, revoked ones included."""
        query = select(keys).order_by(keys.c.created_at, keys.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [_key(row) for row in rows]

    async def revoke(self, id_: str, *, now: datetime | None = None) -> bool:
        """Make a key worthless from now on. False when there is no such key or it is revoked already."""
        at = now or datetime.now(UTC)
        good = keys.c.revoked_at.is_(None) | (keys.c.revoked_at > at)

        def work(connection: Connection) -> bool:
            return connection.execute(update(keys).where(keys.c.id == id_, good).values(revoked_at=at)).rowcount == 1

        return await self._database.write(work)

    async def rotate(self, id_: str, overlap: timedelta, *, now: datetime | None = None) -> NewKey | None:
        """Make the key that follows this one: same name, scopes, tenant and sender. The old one is good for `overlap` more.

        None when there is no such key, or it is revoked or rotated already.
        """
        at = now or datetime.now(UTC)

        def work(connection: Connection) -> NewKey | None:
            ends = update(keys).where(keys.c.id == id_, keys.c.revoked_at.is_(None)).values(revoked_at=at + overlap)
            if connection.execute(ends).rowcount != 1:
                return None
            old = _key(connection.execute(select(keys).where(keys.c.id == id_)).mappings().one())
            made, row = _new(old.name, old.scopes, old.tenant, at, old.sender)
            connection.execute(insert(keys), row)
            return made

        return await self._database.write(work)


def _new(name: str, scopes: Iterable[Scope], tenant: str, now: datetime, sender: str) -> tuple[NewKey, dict[str, Any]]:
    """A key and its row. Raises ValueError."""
    wanted = frozenset(Scope(scope) for scope in scopes)
    if not name.strip() or len(name) > _LONGEST:
        raise ValueError(f"a key needs a name of 1 to {_LONGEST} characters")
    if not wanted:
        raise ValueError(f"a key needs a scope: {', '.join(Scope)}")
    ident = secrets.token_hex(6)
    key = Key(ident, name.strip(), wanted, tenant, now, sender=sender or ident)
    secret = secrets.token_hex(32)
    row = {
        "id": key.id,
        "name": key.name,
        "scope": " ".join(sorted(wanted)),
        "sha256": _digest(secret),
        "tenant": tenant,
        "created_at": key.created_at,
        "revoked_at": None,
        "sender": key.sender,
    }
    return NewKey(key, f"{_PREFIX}_{key.id}_{secret}"), row


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: RowMapping) -> Key:
    scopes = frozenset(Scope(word) for word in row["scope"].split())
    return Key(row["id"], row["name"], scopes, row["tenant"], row["created_at"], row["revoked_at"], row["sender"] or row["id"])
