"""Problems worked out before. One is worked out again when something it was made of has changed: its incident, a step, an order or an answer of its
people, how far orders are known, an erasure. What changes all the time is worked out again as often as the machine can bear; `as_of` of a problem says
when that was.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sojourn_collector.context import Context
from sojourn_collector.join.worker import VERSION
from sojourn_collector.score.ranking import Hurt
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.past_evidence import EvidenceDays
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.weeks import STEPS_OF_FOLLOW_UP
from sojourn_collector.web.answers.window import RUN_LENGTH
from sojourn_collector.web.models import Problem

T = TypeVar("T")

KEPT = 300.0
"""Seconds after which a problem is worked out anew whatever happened: names, backend spans and the usual are not watched."""

OLD = timedelta(days=1)
KEPT_OLD = 3600.0
"""The same for a problem that has been over for longer than `OLD`: it stays in the report until its money is final."""

REST = 5.0
"""A problem that keeps changing rests, once it is worked out, for so many times what that took."""

LONGEST_REST = 60.0

LONG_WORK = 5.0
"""A problem that took longer is told as it was last, and worked out anew meanwhile: nobody who asks waits for it."""

OVERDUE = 900.0
"""Seconds beyond `KEPT` after which it is waited for all the same: nothing of it was worked out meanwhile."""

MOST_NAMES = 100_000
"""People, visits, orders and answers that may change at once; with more, everything has changed."""

MOST = 200
"""Problems kept; of more, those not asked for the longest are forgotten."""


@dataclass(frozen=True, slots=True)
class Worked:
    """A problem, which people and which visits were hurt, by which problems are ordered, and who was hit: id → whether that is an anonymous visit.

    `names` = everyone and everything whose change changes it: its people and visits, and as `orders/…` and `feedback/…` what was theirs.
    """

    problem: Problem
    people: Hurt
    visits: Hurt
    hit: Mapping[str, bool]
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Changes:
    """What the join wrote under versions (after, written], and the erasures so far; without a stamp nothing remembered may be told.

    `names`: orders and answers that were written, and whose they are; None = too many to tell.
    """

    after: int
    written: int
    erasures: int | None
    names: frozenset[str] | None = frozenset()
    minutes: Mapping[tuple[str, str], Sequence[int]] = field(default_factory=dict)

    def touch(self, found: Found, names: frozenset[str]) -> bool:
        """Whether something of this problem or its people was written."""
        if self.names is None:
            return True
        first, last = to_ms(found.incident.window_from - RUN_LENGTH) // 60_000, to_ms(found.incident.window_to) // 60_000
        return any(first <= minute <= last for minute in self.minutes.get((found.journey, found.step), ())) or not self.names.isdisjoint(names)


@dataclass
class _Entry:
    worked: Worked
    facts: tuple[Any, ...]
    written: int
    erasures: int
    at: float
    took: float
    kept: float = KEPT


@dataclass
class _Told:
    """An answer shared by several; none before `until` is set."""

    until: float = 0.0
    known: bool = False
    answer: Any = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    last: float = 0.0
    """Up to when it may be told while it is asked for anew; afterwards it is forgotten."""


class ProblemMemory:
    """What one process remembers of the problems it told. `monotonic` is a clock in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self.working = asyncio.Lock()
        """Held while problems are worked out: who asks meanwhile waits, and finds most of them done."""
        self.days = EvidenceDays()
        """Evidence of days that are over."""
        self.due = asyncio.Event()
        """Set while something is to be worked out anew that was told as it was: `renew` does it."""
        self._due: dict[tuple[Any, ...], Callable[[], Awaitable[object]]] = {}
        self._renewing: set[tuple[Any, ...]] = set()
        self._once: dict[tuple[Any, ...], _Told] = {}

    async def changes(self, context: Context, found: Iterable[Found], config: str) -> Changes:
        """What was written since these problems were worked out or last found unchanged. Raises what the store raises."""
        known = [(one, entry) for one in found if (entry := self._entries.get((config, one.id))) is not None]
        # Read before the rows are: what is written in between is then found changed once more.
        written, erasures = await asyncio.gather(context.control.progress.get(VERSION), context.control.erasures.stamp())
        if not known or erasures is None:
            return Changes(written, written, erasures)
        after = min(entry.written for _, entry in known)
        if after >= written:
            return Changes(after, written, erasures)
        since = min(one.incident.window_from for one, _ in known) - RUN_LENGTH
        steps, *names = await asyncio.gather(
            context.store.query("changed_steps", after=after, since=since),
            context.store.query("changed_orders", after=after, most=MOST_NAMES),
            context.store.query("changed_feedback", after=after, most=MOST_NAMES),
        )
        touched = frozenset(name for (row,) in names for name in row["names"] if name)
        countable = all(len(row["names"]) <= MOST_NAMES for (row,) in names)
        return Changes(after, written, erasures, touched if countable else None, {(row["journey"], row["step"]): row["minutes"] for row in steps})

    def recall(
        self, found: Found, changes: Changes, config: str, known_until: float, *, waiting: bool = False, anew: Callable[[], Awaitable[object]] | None = None
    ) -> Worked | None:
        """The problem where what is remembered of it is still true.

        :param known_until: up to when orders are known, as far as that matters to this problem, in seconds since 1970.
        :param waiting: somebody works problems out at this moment: one that keeps changing is told as it was rather than waited for.
        :param anew: works it out anew: where that took long it is told as it was, and this is kept for `renew`.
        """
        entry, facts = self._entries.get((config, found.id)), _facts(found, known_until)
        # Whom an erasure touched is told no more, and a problem that is another by now is not told as it was.
        if entry is None or entry.erasures != changes.erasures or entry.facts[:-1] != facts[:-1]:
            return None
        if not self._still(entry, found, changes, facts, waiting):
            if anew is None or entry.took <= LONG_WORK or self._monotonic() - entry.at > entry.kept + OVERDUE:
                return None
            self._ask_for((config, found.id), anew)
        self._entries.move_to_end((config, found.id))
        return entry.worked

    async def renew(self) -> None:
        """Work out, one after the other, what was told as it was; one that cannot be keeps no other from it. Raises, after all, what the store raised last."""
        self.due.clear()
        # Single questions first: a problem may take half a minute.
        due, self._due = dict(sorted(self._due.items(), key=lambda one: one[0][0] != "once")), {}
        self._renewing = {*due}
        failed: StoreError | ControlUnavailableError | None = None
        try:
            # Beside what others wait for, which is not this.
            for key, anew in due.items():
                try:
                    await anew()
                except (StoreError, ControlUnavailableError) as error:
                    failed = error
                self._renewing.discard(key)
        finally:
            self._renewing.clear()
        if failed is not None:
            raise failed

    async def keep(self, found: Found, changes: Changes, config: str, known_until: float, work: Callable[[], Awaitable[Worked]]) -> Worked:
        """Have the problem worked out, and remember it."""
        began = self._monotonic()
        worked = await work()
        if changes.erasures is not None:
            took = self._monotonic() - began
            old = found.incident.state != "failing" and worked.problem.as_of - found.incident.window_to > OLD
            facts = _facts(found, known_until)
            self._entries[config, found.id] = _Entry(worked, facts, changes.written, changes.erasures, began, took, KEPT_OLD if old else KEPT)
            self._entries.move_to_end((config, found.id))
            while len(self._entries) > MOST:
                self._entries.popitem(last=False)
        return worked

    async def once(self, key: tuple[Any, ...], seconds: float, ask: Callable[[], Awaitable[T]], *, beside: float = 0.0) -> T:
        """The answer to a question about no single person, asked anew after so many seconds; who asks meanwhile waits for the same answer.

        :param beside: for so many seconds more it is told as it was, and kept for `renew` to ask anew; then who asks waits.
        """
        now = self._monotonic()
        self._once = {known: one for known, one in self._once.items() if now < max(one.until, one.last) or one.lock.locked()}
        told = self._once.setdefault(key, _Told())
        if told.known and told.until <= now < told.last:
            self._ask_for(("once", *key), lambda: self._tell(told, seconds, ask, beside))
            answer: T = told.answer
            return answer
        return await self._tell(told, seconds, ask, beside)

    async def _tell(self, told: _Told, seconds: float, ask: Callable[[], Awaitable[T]], beside: float) -> T:
        async with told.lock:
            if not told.known or self._monotonic() >= told.until:
                told.answer = await ask()
                told.known, told.until = True, self._monotonic() + seconds
                told.last = told.until + beside
            answer: T = told.answer
            return answer

    def _ask_for(self, key: tuple[Any, ...], anew: Callable[[], Awaitable[object]]) -> None:
        """Have something worked out anew by `renew`, if that is not being done."""
        if key not in self._renewing:
            self._due[key] = anew
            self.due.set()

    def _still(self, entry: _Entry, found: Found, changes: Changes, facts: tuple[Any, ...], waiting: bool) -> bool:
        age = self._monotonic() - entry.at
        if age > entry.kept:
            return False
        if age <= entry.took + min(LONGEST_REST, REST * entry.took) or (waiting and found.incident.state == "failing"):
            return True
        if entry.facts != facts or found.incident.state == "failing" or entry.written < changes.after or changes.touch(found, entry.worked.names):
            return False
        entry.written = max(entry.written, changes.written)
        return True


def _facts(found: Found, known_until: float) -> tuple[Any, ...]:
    """What must be the same for a problem to be; the last of them may wait while the problem rests."""
    incident = found.incident
    over = None if incident.state == "failing" else (incident.window_to, incident.last_evidence)
    return (incident.state, incident.window_from, over, known_until)


def known_step(known_until: datetime | None, final_at: datetime, outcome: float, steps: int = STEPS_OF_FOLLOW_UP) -> float:
    """Up to when orders are known, in steps too small to matter, and no further than they matter to a problem that is final then: exactly so once it is."""
    if known_until is None:
        return 0.0
    if known_until >= final_at:
        return final_at.timestamp()
    step = timedelta(seconds=outcome) / steps
    return (known_until.timestamp() // step.total_seconds()) * step.total_seconds()
