"""A spool in memory with the same face as the one on disk, for tests of what writes to it."""

import time
from dataclasses import dataclass, field

from sojourn_agent.spool import MAX_BODY, Signal, SpoolUnavailable
from sojourn_probes.ids import new_run_id


@dataclass(slots=True)
class MemorySpool:
    """Keeps (signal, body, batch id) of every append in `batches`. While `unavailable` is set it refuses with that text."""

    batches: list[tuple[Signal, bytes, str]] = field(default_factory=list)
    unavailable: str = ""

    async def append(self, signal: Signal, body: bytes) -> str:
        """Keep `body`; see `SpoolWriter`."""
        if len(body) > MAX_BODY:
            raise ValueError(f"a batch of {len(body)} bytes is over the {MAX_BODY} a batch may have; make smaller ones")
        if self.unavailable:
            raise SpoolUnavailable(self.unavailable)
        batch = new_run_id(time.time())
        self.batches.append((signal, body, batch))
        return batch

    def of(self, signal: Signal) -> list[bytes]:
        """The bodies of one signal, in order."""
        return [body for kept, body, _ in self.batches if kept == signal]
