"""Erases: finds all names of a subject, leaves tombstones, goes through every place, waits until nothing is on disk. Goes on where it was after a crash."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from sojourn_collector.store.client import Store, StoreError
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.erasures import DONE, ErasureRow
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.erasure.authors import by_digest
from sojourn_collector.store.erasure.find import find
from sojourn_collector.store.erasure.others import Others
from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.subject import Names, Orders, Subject
from sojourn_collector.store.erasure.tables import Tables
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.evidence.blobs import BlobsUnavailableError
from sojourn_collector.store.turns import Turns

log = logging.getLogger("sojourn.erasure")
TRACES_BURIED = timedelta(days=31)
"""How long a tombstone of a trace stays: no sender has older data, and its id names nobody by itself."""
_LONGEST_RETRY = 10.0
_LOOK_EVERY = 0.5
_LOOK_AGAIN = 5.0
"""Seconds; another collector on the same control database may have been asked."""
PASSING = (StoreError, OSError, ControlUnavailableError, BlobsUnavailableError)
"""What stops an erasure for a while: it is written down and tried again."""


class Loading(Protocol):
    """How far what was accepted is in the tables."""

    @property
    def last_seq(self) -> int:
        """Newest journal file."""
        ...

    @property
    def loaded_seq(self) -> int:
        """Up to which file everything is in the tables."""
        ...


class Loaded(Protocol):
    """Waiting for the loader."""

    async def wait_beyond(self, seq: int) -> int:
        """Wait until more than `seq` is loaded."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What an erasure would take: all names, and how much lies where."""

    names: Names
    counts: dict[str, int]


class Eraser:
    """Runs erasures, one at a time."""

    def __init__(
        self,
        store: Store,
        control: Control,
        turns: Turns,
        tombstones: Tombstones,
        places: Sequence[Place],
        journal: Loading,
        loader: Loaded,
        clock: Callable[[], datetime],
        look_every: float = _LOOK_EVERY,
        others: Others | None = None,
    ) -> None:
        """`look_every` in seconds: how often it looks whether replaced files are gone. `others` is there where several collectors share a control database."""
        self._others = others
        self._store = store
        self._control = control
        self._turns = turns
        self._tombstones = tombstones
        self.places = places
        self._journal = journal
        self._loader = loader
        self._clock = clock
        self._look_every = look_every
        self._asked = asyncio.Event()

    async def caught_up(self) -> None:
        """Wait until what was accepted before now is in the tables."""
        until = self._journal.last_seq
        while self._journal.loaded_seq < until:
            await self._loader.wait_beyond(self._journal.loaded_seq)

    async def look(self, subject: Subject) -> Look:
        """What an erasure would take; changes nothing. Raises SubjectError, what the store raises."""
        names = await find(self._store, await by_digest(self._control, subject, self._clock()))
        counts: dict[str, int] = {}
        for place in self.places:
            counts |= await place.count(names)
        return Look(names, counts)

    async def ask(self, subject: Subject, actor: str, orders: Orders) -> int:
        """Put an erasure on the list; its id. What happened before now is what goes. Raises SubjectError."""
        at = self._clock()
        subject = await by_digest(self._control, subject, at)
        ident = await self._control.erasures.add(self._store.tenant, subject.kind, subject.name, actor, orders, at)
        row = await self._control.erasures.get(ident)
        assert row is not None
        await self._control.audit.add(at, actor, "erasure.ask", row.subject, f"erasure {ident} of a {subject.kind}")
        self._asked.set()
        return ident

    async def run(self) -> None:
        """Work the list off, for ever. What goes wrong is written down and tried again."""
        retry = 0.5
        while True:
            self._asked.clear()
            try:
                await self.work()
            except PASSING as error:
                log.warning("an erasure waits: %s", error)
                await asyncio.sleep(retry)
                retry = min(retry * 2, _LONGEST_RETRY)
                continue
            retry = 0.5
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._asked.wait()

    async def work(self) -> None:
        """Do every erasure that is not done. Raises one of `PASSING`; what was done till then stays done."""
        for row in await self._control.erasures.open():
            try:
                await self._erase(row)
            except PASSING as error:
                await self._control.erasures.note(row.id, note=str(error)[:500])
                raise

    async def _erase(self, row: ErasureRow) -> None:
        if "name" not in row.work:
            await self._forget_names(row)
            return
        subject = Subject(row.work["kind"], row.work["name"])
        await self._state(row, "loading what was accepted before")
        await self.caught_up()
        await self._state(row, "finding names")
        counts = dict(row.counts)
        await self._turns.load.acquire()
        try:
            await self._turns.join.acquire()
        except BaseException:
            self._turns.load.release()
            raise
        try:
            try:
                names = await self._bury(row, union(Names.from_dict(row.work.get("names", {})), await find(self._store, subject)))
            finally:
                self._turns.load.release()
            for place in self.places:
                await self._state(row, f"erasing: {place.name}")
                for what, number in (await place.erase(names, cast("Orders", row.orders))).items():
                    counts[what] = counts.get(what, 0) + number
                await self._control.erasures.note(row.id, counts=counts)
        finally:
            self._turns.join.release()
        away: list[str] = []
        if self._others is not None:
            await self._state(row, "waiting for other collectors")
            away = await self._others.all_done(row.id)
        await self._state(row, "waiting for replaced files to go")
        await self._gone()
        await self._finish(row, counts, away)

    async def _bury(self, row: ErasureRow, names: Names) -> Names:
        """Write the names down, on disk before the first row goes: after a crash nobody could find them any more. Then leave tombstones."""
        while True:
            await self._control.erasures.note(row.id, work={**row.work, "names": names.as_dict()})
            await self._control.erasures.bury(self._store.tenant, names.by_kind(), row.erased_at)
            await self._tombstones.read()
            if not self._tombstones.shared:
                return names
            # Another collector may have loaded more under new names; what it loads from now on it looks at itself.
            grown = union(names, await find(self._store, Subject(row.work["kind"], row.work["name"])))
            if grown == names:
                return names
            names = grown

    async def _gone(self) -> None:
        for tables in (place for place in self.places if isinstance(place, Tables)):
            await tables.settled(self._look_every)

    async def _finish(self, row: ErasureRow, counts: dict[str, int], away: Sequence[str]) -> None:
        now = self._clock()
        kept = {what: number for what, number in counts.items() if number}
        said = ", ".join(f"{number} of {what}" for what, number in kept.items()) or "nothing was kept"
        note = f"the disks of {', '.join(away)} were not gone through: it was away; erase again when it is back" if away else ""
        said += f"; {note}" if note else ""
        await self._control.audit.add(now, row.actor, "erasure.done", row.subject, f"erasure {row.id} of a {row.kind}: {said}")
        await self._control.erasures.forget_traces(now - TRACES_BURIED)
        await self._control.erasures.note(row.id, state="rewriting the control database", work={}, counts=kept, note=note)
        await self._forget_names(row)

    async def _forget_names(self, row: ErasureRow) -> None:
        await self._control.compact()
        await self._control.erasures.note(row.id, state=DONE, done_at=self._clock())
        await self._tombstones.read()

    async def _state(self, row: ErasureRow, state: str) -> None:
        log.info("erasure %d: %s", row.id, state)
        await self._control.erasures.note(row.id, state=state, note="")


def union(one: Names, other: Names) -> Names:
    """All names of both."""
    joined: dict[str, Any] = {field.name: getattr(one, field.name) | getattr(other, field.name) for field in fields(Names)}
    return Names(**joined)
