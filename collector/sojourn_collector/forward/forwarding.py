"""Forwarding as a whole: every destination of collector.yaml with its folder under `data/forward`, fed from the journal.

A journal file is linked into each folder when it is closed, and at the latest before the loader lets it go. No destination waits for another, and none
holds up what comes in; what they may keep on the disk is bounded.
"""

import asyncio
import contextlib
import errno
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_collector.config import is_loopback
from sojourn_collector.counters import Counters
from sojourn_collector.exposition import Sample
from sojourn_collector.forward.erase import Scrub, erase_pending
from sojourn_collector.forward.forwarder import Forwarder, HeadersError, Pace
from sojourn_collector.forward.outlet import Outlet
from sojourn_collector.forward.queue import Queue, Waiting
from sojourn_collector.forward_config import Destination, HeaderValue
from sojourn_collector.store.journal import Journal, JournalFile

log = logging.getLogger("sojourn.forward")

LOOK_EVERY: Final = 5.0
"""Seconds between looks at the bounds, and the age at which an open journal file is closed for the destinations while the engine is away."""
KEEP_FREE: Final = 512 << 20
"""Free bytes on the disk below which the oldest files of whoever has more than `KEEP_WAITING` are dropped: what comes in goes first."""
KEEP_WAITING: Final = 64 << 20
ORPHANS_KEPT: Final = 7 * 86_400.0
"""Seconds for which the folder of a destination that is no longer configured is kept."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class ForwardError(Exception):
    """Forwarding cannot start as it is configured; the text is one sentence with the cure."""


def headers_of(destination: Destination, environ: Mapping[str, str]) -> Callable[[], dict[str, str]]:
    """Reads the values of the destination's headers anew each time, so that a new one is found. The function raises HeadersError."""

    def read() -> dict[str, str]:
        return {name: value.prefix + _value(f"forward: {destination.name}: headers: {name}", value, environ) for name, value in destination.headers.items()}

    return read


def _value(what: str, value: HeaderValue, environ: Mapping[str, str]) -> str:
    try:
        text = value.file.read_text(encoding="utf-8").strip() if value.file else environ.get(value.env or "", "").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise HeadersError(f"{what}: {value.file} cannot be read ({getattr(error, 'strerror', None) or 'it is not text'}); put the value there") from error
    where = value.file or f"the environment variable {value.env}"
    if not text:
        raise HeadersError(f"{what}: {where} is empty; put the value there")
    if not (text.isascii() and text.isprintable()):
        raise HeadersError(f"{what}: {where} holds more than one line of plain text; a header cannot carry that")
    return text


def is_self(endpoint: str, listeners: Sequence[tuple[str, int]]) -> bool:
    """Whether a destination is one of these listeners of ours, as far as its address tells; the rest is told by the batch ids."""
    parts = urlsplit(endpoint)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    return any(port == ours and (host == at or (is_loopback(host) and (is_loopback(at) or at in ("0.0.0.0", "::")))) for at, ours in listeners)


class Forwarding:
    """All destinations. `open` before the journal takes anything, `run` while the collector does."""

    def __init__(
        self,
        destinations: Sequence[Destination],
        data: Path,
        journal: Journal,
        counters: Counters,
        environ: Mapping[str, str],
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._destinations = destinations
        self._root = data / "forward"
        self._journal = journal
        self._journal_folder = data / "journal"
        self._counters = counters
        self._environ = environ
        self._pace = pace
        self._clock = clock
        self._closed: asyncio.Queue[JournalFile] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sizes: dict[str, tuple[int, int, float]] = {}
        self.forwarders: dict[str, Forwarder] = {}

    async def open(self) -> None:
        """Prepare each destination's folder; a new one gets what comes from now on. The journal must be open. Raises ForwardError."""
        self._loop = asyncio.get_running_loop()
        for one in self._destinations:
            read = headers_of(one, self._environ)
            queue = Queue(self._root / one.name, self._journal_folder, one.signals)
            try:
                await asyncio.to_thread(read)
                await asyncio.to_thread(queue.open, self._journal.last_seq)
                outlet = await asyncio.to_thread(Outlet, one)
            except HeadersError as error:
                raise ForwardError(str(error)) from error
            except OSError as error:
                raise ForwardError(f"forward: {one.name}: {error.filename or one.ca_file} cannot be used ({error.strerror or error})") from error
            self.forwarders[one.name] = Forwarder(one, queue, outlet, self._counters, self._journal.id, read, pace=self._pace, clock=self._clock)
            self._counters.add("sojourn_forward_tries", 0, destination=one.name)
            for signal in one.signals:
                for name in ("sojourn_forward_delivered_items", "sojourn_forward_set_aside"):
                    self._counters.add(name, 0, destination=one.name, signal=signal)
            for reason in ("bytes", "age", "disk"):
                self._counters.add("sojourn_forward_dropped_items", 0, destination=one.name, reason=reason)
        if self._destinations:
            self._journal.on_closed = self._closed.put_nowait
            self._journal.before_retired = self._keep
            for file in self._journal.closed:
                self._closed.put_nowait(file)
        await asyncio.to_thread(self._orphans)

    async def close(self) -> None:
        """Close the connections."""
        for forwarder in self.forwarders.values():
            await forwarder.close()

    async def run(self) -> None:
        """Forward until cancelled."""
        if not self.forwarders:
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed())
            group.create_task(self._watch())
            for forwarder in self.forwarders.values():
                group.create_task(_for_ever(forwarder), name=f"forward {forwarder.destination.name}")

    # --- In ----------------------------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        """Link files as they are closed."""
        while True:
            file = await self._closed.get()
            if not file.spoiled:  # one with bytes of a refused group is cut by the loader first
                await asyncio.to_thread(self._link, file)

    def _link(self, file: JournalFile) -> None:
        """Link one file into every folder that takes it, in a thread. What fails is tried again before the loader lets the file go."""
        for forwarder in self.forwarders.values():
            with contextlib.suppress(OSError):
                if forwarder.queue.take(file):
                    self._on_loop(forwarder.arrived.set)

    def _keep(self, file: JournalFile) -> None:
        """Link a file that is about to go, in a thread. Raises OSError only for a full disk: then the journal keeps it till there is room."""
        for name, forwarder in self.forwarders.items():
            try:
                new = forwarder.queue.take(file)
            except OSError as error:
                if error.errno in _FULL:
                    raise
                log.error("%s: its folder does not take %s (%s); %d items are not forwarded", name, file.path.name, error.strerror, file.items)
                self._on_loop(self._dropped, name, file.items, "folder")
                continue
            if new:
                self._on_loop(forwarder.arrived.set)

    def _on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *arguments)

    def _dropped(self, name: str, items: int, reason: str) -> None:
        self._counters.add("sojourn_forward_dropped_items", items, destination=name, reason=reason)

    # --- Bounds ------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await self._journal.close_aged(LOOK_EVERY)
            for name, forwarder in self.forwarders.items():
                try:
                    dropped = await asyncio.to_thread(self.bound, forwarder)
                except OSError as error:
                    log.warning("%s: its folder cannot be looked at (%s)", name, error.strerror or error)
                    continue
                for reason, (files, items) in dropped.items():
                    self._dropped(name, items, reason)
                    log.error("%s: %d files with %d unsent items were dropped (%s); see max_bytes and max_age", name, files, items, reason)
                if dropped:
                    forwarder.arrived.set()
            await asyncio.sleep(LOOK_EVERY)

    def bound(self, forwarder: Forwarder) -> dict[str, tuple[int, int]]:
        """Drop what is too old or too much of one destination, oldest first; files and items dropped by reason. Raises OSError."""
        queue, destination = forwarder.queue, forwarder.destination
        queue.tidy()
        waiting = sorted((*queue.waiting(), *queue.aside()), key=lambda one: one.at)
        left = sum(one.size for one in waiting)
        now, dropped = self._clock(), dict[str, tuple[int, int]]()
        kept: list[Waiting] = []
        for one in waiting:
            reason = (
                "age"
                if now - one.at > destination.max_age
                else "bytes"
                if left > destination.max_bytes
                else "disk"
                if left > KEEP_WAITING and shutil.disk_usage(queue.folder).free < KEEP_FREE
                else ""
            )
            if not reason:
                kept.append(one)
                continue
            files, items = dropped.get(reason, (0, 0))
            with contextlib.suppress(FileNotFoundError):  # sent meanwhile
                dropped[reason] = (files + 1, items + queue.drop(one.path))
            left -= one.size
        pending = [one for one in kept if one.path.parent == queue.folder]
        self._sizes[destination.name] = (left, len(pending), max(0.0, now - pending[0].at) if pending else 0.0)
        return dropped

    def _orphans(self) -> None:
        """Folders of destinations that are no longer configured: said, and thrown away after a week."""
        if not self._root.is_dir():
            return
        for folder in sorted(path for path in self._root.iterdir() if path.is_dir() and path.name not in self.forwarders):
            newest = max((path.stat().st_mtime for path in folder.rglob("*") if path.is_file()), default=0.0)
            if self._clock() - newest > ORPHANS_KEPT:
                shutil.rmtree(folder)
                log.warning("the folder of the destination %s, which is no longer configured, was thrown away", folder.name)
            else:
                log.warning("the destination %s is no longer configured; what waits for it in %s is kept for a week", folder.name, folder)

    # --- Asked -------------------------------------------------------------------------------------------------------

    async def erase(self, scrub: Scrub) -> int:
        """Scrub what waits for every destination; returns how many requests were changed. Raises OSError.

        Load the journal first: a file of it that is not closed yet is linked here later, with everything in it.
        """
        queues = {name: forwarder.queue for name, forwarder in self.forwarders.items()}
        changed = await asyncio.to_thread(erase_pending, self._root, scrub, queues)
        for forwarder in self.forwarders.values():
            forwarder.arrived.set()
        return changed

    def report(self) -> dict[str, Any]:
        """How each destination fares, for /readyz. None of them makes the collector unready."""
        return {name: {"state": _state(one), "reason": one.alarm or one.trouble, **self._waits(name)} for name, one in self.forwarders.items()}

    def _waits(self, name: str) -> dict[str, float]:
        size, files, oldest = self._sizes.get(name, (0, 0, 0.0))
        return {"waiting_bytes": size, "waiting_files": files, "oldest_seconds": round(oldest, 1)}

    def samples(self) -> Iterator[Sample]:
        """Gauges of each destination; what waits is as of the last look, at most `LOOK_EVERY` seconds ago."""
        for name, one in self.forwarders.items():
            for key, value in self._waits(name).items():
                yield Sample(f"sojourn_forward_{key}", {"destination": name}, value)
            yield Sample("sojourn_forward_held", {"destination": name}, float(bool(one.alarm)))
            yield Sample("sojourn_forward_trouble", {"destination": name}, float(bool(one.trouble)))


async def _for_ever(forwarder: Forwarder) -> None:
    """An error of ours in one destination's way does not end the others'."""
    while True:
        try:
            await forwarder.run()
        except Exception as error:  # a fault of ours may be of any kind; it is logged and shown
            log.exception("forwarding to %s failed; it starts again", forwarder.destination.name)
            forwarder.trouble = f"forwarding failed ({type(error).__name__}); it starts again"
        await asyncio.sleep(LOOK_EVERY)


def _state(forwarder: Forwarder) -> str:
    return "held" if forwarder.alarm else "trouble" if forwarder.trouble else "ok"
