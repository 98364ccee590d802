"""Claims of this node on batches, where several collectors share a control database: made before a batch goes to disk, settled after, given up without it.

Settling is done by the loader before it loads a file. What waits there for long, because the engine is down, is settled from here, so that the other
collectors can answer a repeat.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sojourn_collector.receive.answers import RefusalError
from sojourn_collector.store.control.claims import BatchName, Claims, Entry, Whose
from sojourn_collector.store.control.errors import ControlUnavailableError

SETTLE_AFTER = 1.0
"""Seconds after which a kept batch is settled from here."""


class Claiming:
    """Claims batches, and remembers what is to be settled or given up. `run` does that, until it is cancelled."""

    def __init__(self, claims: Claims, clock: Callable[[], float] = time.monotonic) -> None:
        self._claims = claims
        self._clock = clock
        self._kept: dict[BatchName, tuple[float, Entry]] = {}
        self._not_kept: set[BatchName] = set()

    async def known(self, name: BatchName, digest: bytes) -> bytes | None:
        """Claim a batch. None when it is to be stored here, the digest of its body when it is stored already.

        Raises RefusalError 503 while another collector has it in work, 409 when that has another body; ControlUnavailableError.
        """
        self._not_kept.discard(name)
        try:
            claim = await self._claims.claim(name, digest.hex(), datetime.now(UTC))
        except ControlUnavailableError:
            self._not_kept.add(name)  # the claim may be there all the same
            raise
        if claim.body_sha256 != digest.hex() or claim.whose is Whose.SETTLED:
            return bytes.fromhex(claim.body_sha256)
        if claim.whose is Whose.UNDECIDED:
            raise RefusalError(503, "Another collector has this batch in work; come back in a second.", "claimed", {"retry-after": "1"})
        return None

    def kept(self, name: BatchName, entry: Entry) -> None:
        """The batch is on this node's disk."""
        self._kept[name] = (self._clock(), entry)

    def not_kept(self, name: BatchName) -> None:
        """The batch was claimed, and nothing of it is on disk."""
        self._not_kept.add(name)

    def settled(self, name: BatchName) -> None:
        """The loader settled the batch."""
        self._kept.pop(name, None)

    async def run(self) -> None:
        """Settle what waits for long and give up what is not kept. Failing that, it is done the next time."""
        while True:
            await asyncio.sleep(SETTLE_AFTER / 4)
            due = self._clock() - SETTLE_AFTER
            await self.flush(lambda since, due=due: since <= due)  # type: ignore[misc]

    async def flush(self, due: Callable[[float], bool] = lambda _: True) -> None:
        """Settle what was kept at a `due` moment, give up what was not kept. A database that does not answer is asked again by the next call."""
        entries = {name: entry for name, (since, entry) in self._kept.items() if due(since)}
        dropped = set(self._not_kept)
        try:
            await self._claims.settle(entries)
            for name in entries:
                self._kept.pop(name, None)
            await self._claims.give_up(dropped)
            self._not_kept -= dropped
        except ControlUnavailableError:
            return
