"""What every way of sending OTLP has in common: who sends, each batch once, and 200 only when it is fsynced in the journal."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from sojourn_collector.config import Limits
from sojourn_collector.counters import Counters
from sojourn_collector.receive import otlp
from sojourn_collector.receive.answers import RefusalError, Taken
from sojourn_collector.receive.batches import Batches, Key
from sojourn_collector.receive.budget import Budget, Held
from sojourn_collector.store import hops
from sojourn_collector.store.client import TENANT
from sojourn_collector.store.control import keys
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.journal import Journal, JournalUnavailableError
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record
from sojourn_probes.semconv import BATCH_HEADER

log = logging.getLogger("sojourn.receive")

PATHS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
LOCAL = "local"
"""Credential of a sender on this machine that gave no key."""

NO_CLOCK_BEFORE = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
"""No clock that goes right says a time before this software was made. What came in then would be given times so old that the tables drop it at once."""

Convert = Callable[[Signal, bytes], Awaitable[bytes]]
"""Makes protobuf of a body in another encoding. Raises RefusalError."""


class KeyCheck(Protocol):
    """Where keys are checked."""

    async def verify(self, presented: str) -> keys.Key | None:
        """The key, or None."""
        ...


class Intake:
    """Takes requests whatever they came by. `active` counts those in work, `budget` the bytes of their bodies, those still arriving included."""

    def __init__(
        self,
        journal: Journal,
        batches: Batches,
        key_check: KeyCheck,
        limits: Limits,
        counters: Counters,
        clock: Callable[[], int] = time.time_ns,
        own: str = "",
    ) -> None:
        """`own` is this collector's id, by which it knows what it forwarded itself."""
        self.limits = limits
        self.counters = counters
        self.active = 0
        self.budget = Budget(limits.in_flight)
        self._large = asyncio.Lock()
        self._journal = journal
        self._batches = batches
        self._key_check = key_check
        self._clock = clock
        self._own = own
        self._circled = False

    async def credential(self, given: str, *, needs_key: bool, peer: str | None = None) -> tuple[str, str]:
        """Who sends with this `authorization`, and for which tenant; `peer` is whom a verified certificate names. Raises RefusalError 401, 403."""
        scheme, _, presented = given.partition(" ")
        challenge = {"www-authenticate": "Bearer"}
        if not given:
            if peer is not None:
                return peer, TENANT
            if needs_key:
                raise RefusalError(401, "A key is needed: send Authorization: Bearer <key>.", "key", challenge)
            return LOCAL, TENANT
        try:
            key = await self._key_check.verify(presented.strip()) if scheme.lower() == "bearer" else None
        except ControlUnavailableError as error:
            raise _no_control(error) from error
        if key is None:
            raise RefusalError(401, "The key is not known or was revoked.", "key", challenge)
        if not key.allows(keys.Scope.OTLP):
            raise RefusalError(403, f"The key {key.name!r} may not send OTLP; it needs the scope {keys.Scope.OTLP}.", "scope")
        return key.sender, key.tenant

    def make_room(self) -> None:
        """Raises RefusalError 503 when too many requests are in work. One still on its way is not: who sends slowly keeps nobody out."""
        if self.active >= self.limits.concurrent:
            raise too_busy()

    async def take(self, signal: Signal, body: bytes, batch: str, sender: tuple[str, str], convert: Convert | None = None, held: Held | None = None) -> Taken:
        """Store one request, a batch id at most once. `sender` is what `credential` said; `held` counts the body. Raises RefusalError."""
        self.make_room()
        self.active += 1
        # In a task of its own: a caller that goes away must not leave a batch half claimed or taken for stored, and what it sent is in work until the end.
        work = asyncio.ensure_future(self._take(signal, body, batch, sender, convert))
        work.add_done_callback(self._ended)
        if held is not None:
            held.until(work)
        try:
            return await asyncio.shield(work)
        finally:
            # A refusal knows the frames it came through: were the work still named in one, they would hold the body until a collection of garbage.
            del work

    def _ended(self, work: "asyncio.Future[Taken]") -> None:
        self.active -= 1
        _seen(work)

    async def _take(self, signal: Signal, body: bytes, batch: str, sender: tuple[str, str], convert: Convert | None) -> Taken:
        credential, tenant = sender
        if self._own in hops.hops(batch):
            return self._came_back(batch)
        digest = hashlib.sha256(body).digest()
        record = Record(tenant, batch, 0, credential, digest, 0, b"")
        if not batch:
            return await self._store(signal, body, record, convert)
        # A batch is one whichever way it comes: what was sent by HTTP is known when it is sent again by gRPC.
        path = f"/v1/{signal}"
        try:
            taken, repeat = await self._batches.once(Key(credential, path, batch), digest, lambda: self._store(signal, body, record, convert))
        except ControlUnavailableError as error:
            raise _no_control(error) from error
        if repeat:
            self.counters.add("sojourn_repeats", path=path)
        return taken

    def _came_back(self, batch: str) -> Taken:
        """It is here already, so it is a repeat, whoever has sent it on."""
        self.counters.add("sojourn_circles")
        if not self._circled:
            log.error("batch %s was forwarded by this collector and came back: look at forward: of the collectors it went through", batch)
            self._circled = True
        return Taken(message="This batch was forwarded by this collector itself and came back; it is here already. Look at forward: in collector.yaml.")

    async def _checked(self, signal: Signal, body: bytes, now: int) -> otlp.Checked:
        if len(body) <= otlp.PARSED_WHOLE:
            return otlp.check(signal, body, now)
        # In a thread others are let in between two items; one at a time, because of the memory.
        async with self._large:
            return await asyncio.to_thread(otlp.check, signal, body, now)

    async def _store(self, signal: Signal, body: bytes, record: Record, convert: Convert | None) -> Taken:
        if convert is not None:
            body = await convert(signal, body)
        now = self._clock()
        if now < NO_CLOCK_BEFORE:
            said = datetime.fromtimestamp(now / 1e9, UTC).date().isoformat()
            raise RefusalError(503, f"The clock of the collector's machine says {said}, which cannot be; set it.", "clock", {"retry-after": "30"})
        checked = await self._checked(signal, body, now)
        if checked.items:
            whole = Record(record.tenant, record.batch, now, record.credential, record.digest, checked.items, checked.body)
            key = Key(record.credential, f"/v1/{signal}", record.batch)
            try:
                with self._batches.stored(key, record.digest):
                    seq = await self._journal.append(signal, whole)
                    self._batches.kept(key, record.digest, seq, now)
            except JournalUnavailableError as error:
                raise RefusalError(503, f"The request cannot be kept just now: {error}.", "journal", {"retry-after": "5"}) from error
        self.counters.add("sojourn_accepted", checked.items, signal=signal)
        if checked.taken.rejected:
            self.counters.add("sojourn_rejected", checked.taken.rejected, signal=signal, reason="ids")
        if checked.moved:
            self.counters.add("sojourn_moved_times", checked.moved, signal=signal)
        return checked.taken


def _seen(work: asyncio.Future[Any]) -> None:
    """Take notice of an error whose caller has gone away."""
    if not work.cancelled():
        work.exception()


def _no_control(error: ControlUnavailableError) -> RefusalError:
    return RefusalError(503, str(error), "control", {"retry-after": "2"})


def batch_id(given: str) -> str:
    """The batch's name, empty when it has none. Raises RefusalError 400."""
    batch = given.strip().strip('"')
    if len(batch) > 200 or not (batch.isascii() and batch.isprintable()):
        raise RefusalError(400, f"The {BATCH_HEADER} header must be at most 200 printable ASCII characters.", "batch")
    return batch


def too_busy() -> RefusalError:
    """503."""
    return RefusalError(503, "Too many requests are in work; come back in a second.", "busy", {"retry-after": "1"})
