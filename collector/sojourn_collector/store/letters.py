"""What is done with dead letters: read, put back into the journal, thrown away. Each is a journal record that the engine refused, in a file of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.store import record as records
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.dead_letters import DeadLetter
from sojourn_collector.store.journal import SIGNALS, Journal
from sojourn_collector.store.letter_error import LetterError
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record

REQUESTS: dict[str, Any] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}


@dataclass(frozen=True, slots=True)
class Opened:
    """A dead letter with the record in it."""

    letter: DeadLetter
    signal: Signal
    record: Record

    def as_dict(self) -> dict[str, Any]:
        """All that is known of it, the request as JSON where it can be read."""
        record = self.record
        try:
            request: Any = MessageToDict(REQUESTS[self.signal].FromString(record.body))
        except (DecodeError, ValueError, RecursionError):
            request = None
        return {
            "id": self.letter.id,
            "signal": self.signal,
            "reason": self.letter.reason,
            "at": self.letter.at.isoformat(),
            "file": self.letter.file,
            "tenant": record.tenant,
            "sender": record.credential,
            "batch": record.batch,
            "received": datetime.fromtimestamp(record.received / 1e9, UTC).isoformat(),
            "items": record.items,
            "bytes": len(record.body),
            "request": request,
        }


class Letters:
    """The dead letters of one data folder, that of the collector `node`. `journal` is only needed to put one back."""

    def __init__(
        self,
        control: Control,
        folder: Path,
        journal: Journal | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        node: int = 0,
    ) -> None:
        self._control = control
        self._folder = folder
        self._journal = journal
        self._clock = clock
        self._node = node
        self._turn = asyncio.Lock()

    async def open(self, ident: int) -> Opened:
        """The letter of this id. Raises LetterError."""
        letter = await self._get(ident)
        path = self._folder / letter.file
        try:
            found = [record for _, _, record in records.read(path.read_bytes())]
        except OSError as error:
            raise LetterError(f"the file of dead letter {ident} cannot be read ({error.strerror}): {path}") from error
        signal = next((known for known in SIGNALS if known == letter.signal), None)
        if not found or signal is None:
            raise LetterError(f"the file of dead letter {ident} is damaged: {path}")
        return Opened(letter, signal, found[0])

    async def replay(self, ident: int, actor: str) -> int:
        """Put the letter's record back into the journal, as it came; returns the journal file's number. Raises LetterError, JournalUnavailableError.

        What the engine refuses again becomes a dead letter again, with a new id. The letter is let go only once the journal has it: a crash between the
        two leaves it in the list, and it is never lost; put back again it is there twice.
        """
        assert self._journal is not None
        async with self._turn:  # two who ask at once put it back once
            opened = await self.open(ident)
            seq = await self._journal.append(opened.signal, opened.record)
            await self._away(opened.letter, actor, "dead-letter.replay")
        return seq

    async def discard(self, ident: int, actor: str) -> None:
        """Throw the letter away for good. Raises LetterError."""
        letter = await self._get(ident)
        await self._away(letter, actor, "dead-letter.discard")

    async def _get(self, ident: int) -> DeadLetter:
        letter = await self._control.dead_letters.get(ident)
        if letter is None:
            raise LetterError(f"there is no dead letter {ident}; see: sojourn-collector dead-letters")
        if letter.node != self._node:
            host = next((one.host for one in await self._control.nodes.list() if one.number == letter.node), "")
            where = f"node {letter.node}" + (f" ({host})" if host else "")
            raise LetterError(f"the file of dead letter {ident} lies on {where}, and this is node {self._node}; ask there")
        return letter

    async def _away(self, letter: DeadLetter, actor: str, action: str) -> None:
        await self._control.audit.add(self._clock(), actor, action, str(letter.id), f"{letter.signal}: {letter.reason}"[:1000])
        await self._control.dead_letters.remove(letter.id)
        (self._folder / letter.file).unlink(missing_ok=True)
