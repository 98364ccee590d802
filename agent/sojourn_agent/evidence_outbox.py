"""Which evidence still has to go where: a small file for each piece and destination, beside the evidence itself, so that a restart forgets nothing.

`<folder>/<destination>/<name>.json` waits; `<name>.dead` was refused for good and says why. The evidence lies in its own folder, whose bounds
(`evidence:` in agent.yaml) also bound what waits: a piece that had to go there goes here too, counted.
"""

import asyncio
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sojourn_agent.spool_segments import sync_folder
from sojourn_probes.result import RunResult

WAITS: Final = ".json"
DEAD: Final = ".dead"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of evidence and what it belongs to. `name` is the file's name, which the step's span carries."""

    name: str
    run: str
    journey: str
    step: str
    kind: str
    attempt: int


def pieces_of(result: RunResult) -> list[Piece]:
    """The evidence of a run, every attempt."""
    return [
        Piece(name, result.run_id, result.journey_id, step.id, kind, step.attempt)
        for attempt in result.attempts
        for step in attempt.steps
        for kind, name in step.evidence.items()
    ]


class EvidenceOutbox:
    """What waits for each of `destinations`. `evidence` is the folder the pieces lie in."""

    def __init__(self, folder: Path, evidence: Path, destinations: Sequence[str]) -> None:
        self.folder = folder
        self.evidence = evidence
        self.dropped = dict.fromkeys(destinations, 0)
        """Pieces that were removed from this host before the destination had them, since the start."""
        self._waiting: dict[str, dict[str, None]] = {name: dict.fromkeys(_names(folder / name, WAITS)) for name in destinations}
        self._grown = {name: asyncio.Event() for name in destinations}

    def forget_others(self) -> None:
        """Remove what waits for destinations that are not told to take evidence any more."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.is_dir() and path.name not in self._waiting:
                log.warning("%d pieces of evidence waited for %s, which is not told to take any; they stay on this host", len(_names(path, WAITS)), path.name)
                shutil.rmtree(path, ignore_errors=True)

    async def put(self, pieces: Sequence[Piece]) -> None:
        """Send these to every destination; durable when this returns. A disk that takes nothing is said, and holds nobody up."""
        if not pieces or not self._waiting:
            return
        try:
            await asyncio.to_thread(self._write, pieces)
        except OSError as error:
            log.error("%d pieces of evidence stay on this host: %s cannot be written: %s", len(pieces), self.folder, error.strerror or error)
            return
        for destination, names in self._waiting.items():
            names.update((piece.name, None) for piece in pieces)
            self._grown[destination].set()

    def waiting(self, destination: str) -> int:
        """How many pieces this destination has not got yet."""
        return len(self._waiting[destination])

    def first(self, destination: str) -> str | None:
        """The name of the piece to be sent next."""
        return next(iter(self._waiting[destination]), None)

    async def grown(self, destination: str) -> None:
        """Wait until something was put in."""
        await self._grown[destination].wait()
        self._grown[destination].clear()

    def to_the_end(self, destination: str, name: str) -> None:
        """Let the others go first."""
        self._waiting[destination].pop(name, None)
        self._waiting[destination][name] = None

    async def read(self, destination: str, name: str) -> tuple[Piece, bytes] | None:
        """The piece and its content; None when one of the two is not there any more, or damaged."""
        return await asyncio.to_thread(self._read, destination, name)

    async def finish(self, destination: str, name: str) -> None:
        """This piece needs nothing more."""
        await asyncio.to_thread(self._path(destination, name).unlink, missing_ok=True)
        self._waiting[destination].pop(name, None)

    async def drop(self, destination: str, name: str) -> None:
        """This piece is not here any more."""
        self.dropped[destination] += 1
        log.error("the evidence %s was removed from this host before %s had it", name, destination)
        await self.finish(destination, name)

    async def bury(self, destination: str, name: str, status: int, reason: str) -> None:
        """The destination will never take this piece. Raises OSError."""
        await asyncio.to_thread(self._bury, destination, name, {"status": status, "reason": reason, "at": int(time.time())})
        await self.finish(destination, name)

    def dead(self, destination: str) -> int:
        """How many pieces that are still on this host were refused for good."""
        return len(_names(self.folder / destination, DEAD))

    async def tidy(self) -> None:
        """Give up what is not on this host any more."""
        for destination, names in self._waiting.items():
            for name in await asyncio.to_thread(self._lost, list(names)):
                await self.drop(destination, name)
            await asyncio.to_thread(self._forget_dead, destination)

    def _lost(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not (self.evidence / name).exists()]

    def _forget_dead(self, destination: str) -> None:
        for name in self._lost(_names(self.folder / destination, DEAD)):
            self._path(destination, name, DEAD).unlink(missing_ok=True)

    def _path(self, destination: str, name: str, suffix: str = WAITS) -> Path:
        return self.folder / destination / f"{name}{suffix}"

    def _write(self, pieces: Sequence[Piece]) -> None:
        for destination in self._waiting:
            for piece in pieces:
                _write(self._path(destination, piece.name), asdict(piece))
            sync_folder(self.folder / destination)

    def _read(self, destination: str, name: str) -> tuple[Piece, bytes] | None:
        try:
            piece = Piece(**json.loads(self._path(destination, name).read_bytes()))
            return piece, (self.evidence / piece.name).read_bytes()
        except (OSError, ValueError, TypeError):
            return None

    def _bury(self, destination: str, name: str, why: dict[str, object]) -> None:
        _write(self._path(destination, name, DEAD), why)
        sync_folder(self.folder / destination)


def _names(folder: Path, suffix: str) -> list[str]:
    # A run's id begins with its time: by name is by age.
    return sorted(path.name.removesuffix(suffix) for path in folder.glob(f"*{suffix}")) if folder.is_dir() else []


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def on_disk(folder: Path, destination: str) -> tuple[int, int]:
    """How many pieces wait, and how many were refused for good; for a command beside the running agent."""
    return len(_names(folder / destination, WAITS)), len(_names(folder / destination, DEAD))
