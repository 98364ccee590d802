"""Keeps erased people from coming back: what is loaded or brought in later and happened before they were erased goes again, before the join sees it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.inbox import InboxRow
from sojourn_collector.store.control.said import OwnRows, Reading
from sojourn_collector.store.erasure.find import grow, seen
from sojourn_collector.store.erasure.inbox import names_in
from sojourn_collector.store.erasure.statements import RAW
from sojourn_collector.store.erasure.subject import Names
from sojourn_collector.store.erasure.work import lent
from sojourn_collector.store.turns import Turns

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEADLINE = 60.0
_GROUPS = {"user": "users", "visitor": "visitors", "session": "sessions", "trace": "traces", "account": "accounts"} | {
    "email": "emails",
    "author": "authors",
}


class Tombstones:
    """Tombstones in memory. They hold digests, so names are looked at by theirs."""

    def __init__(self, store: Store, control: Control, turns: Turns, *, shared: bool = False, reading: Reading | None = None) -> None:
        """`shared`: other collectors leave tombstones too, so they are read again for each file. `reading` reads the inbox's rows."""
        self._reading = reading or OwnRows()
        self._store = store
        self.shared = shared
        self._control = control
        self._turns = turns
        self._buried: dict[str, datetime] = {}
        self._traces = False

    @property
    def active(self) -> bool:
        """Whether there are any; without them nothing is looked at."""
        return self.shared or bool(self._buried)

    async def read(self) -> None:
        """Take in what the control database holds."""
        await self._control.erasures.key()
        found = [one for one in await self._control.erasures.tombstones() if one.tenant == self._store.tenant]
        self._traces = any(one.kind == "trace" for one in found)
        self._buried = {one.digest: one.erased_at for one in found}

    def erased_at(self, kind: str, name: str) -> datetime | None:
        """When somebody of this name was erased; None when nobody was."""
        if not name or not self._buried or (kind == "trace" and not self._traces):
            return None
        return self._buried.get(self._control.erasures.digest_now(kind, name))

    def among(self, found: Iterable[tuple[str, str]]) -> dict[datetime, Names]:
        """The erased ones among names given with their kind, by the moment they were erased."""
        groups: dict[datetime, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for kind, name in found:
            if (moment := self.erased_at(kind, name)) is not None:
                groups[moment][_GROUPS[kind]].add(name)
        return {moment: Names.from_dict(by) for moment, by in groups.items()}

    async def loaded(self, seq: int) -> int:
        """A journal file was loaded: take out of its rows what is older than an erasure. How many that were. Raises what the store raises."""
        if self.shared:
            # Read after the rows are in: whoever buries a name later finds them there.
            await self.read()
        if not self._buried:
            return 0
        rows = await self._store.query("erase_in_file", seq=seq, deadline=_DEADLINE)
        gone = 0
        for moment, names in self.among((row["kind"], row["name"]) for row in rows if row["tenant"] == self._store.tenant).items():
            rows = await self._store.query("erase_file_sessions", seq=seq, deadline=_DEADLINE)
            # A visit that nobody knew of yet, of a visitor or user that was erased.
            names = grow(names, [seen(row) for row in rows])
            async with self._turns.join, lent(self._store, names, f"s{seq}", seq=seq, before=(moment - _EPOCH) // timedelta(microseconds=1)) as work:
                for table in RAW:
                    gone += await work.delete(table)
        return gone

    async def sift(self, rows: Sequence[InboxRow]) -> list[InboxRow]:
        """Rows of the inbox that may go on to the engine: of erased people older rows are dropped for good, and orders lose their person."""
        if self.shared:
            await self.read()
        if not self._buried:
            return list(rows)
        kept = []
        for row in rows:
            if row.tenant != self._store.tenant or not self._of_erased(row):
                kept.append(row)
            elif (bare := self._reading.stripped(row)) is not None:
                await self._control.inbox.rewrite(row.id, bare)
                kept.append(replace(row, body=bare))
            else:
                await self._control.inbox.remove([row.id])
        return kept

    def _of_erased(self, row: InboxRow) -> bool:
        """Whether a row tells of somebody who was erased after it happened."""
        for said in self._reading.said(row):
            moments = [moment for kind, name in names_in(said.kind, said.row).items() if (moment := self.erased_at(kind, name))]
            if moments and said.at < max(moments):
                return True
        return False
