"""Erasure in what waits to be forwarded. What a destination already has is out of reach: it must be told by its own means."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.forward.items import Attributes, sift
from sojourn_collector.forward.queue import ASIDE, Queue, signal_of
from sojourn_collector.store import record as records
from sojourn_collector.store.load_sql import Signal

Scrub = Callable[[Signal, bytes], bytes | None]
"""What is left of a request, b"" = nothing, None = it needs no change."""


def scrub_of(subject: Mapping[str, Collection[str]]) -> Scrub:
    """Takes out every item that carries one of these values: attribute name to values, such as {"user.id": {"u12"}}, on itself or its resource."""
    wanted = {name: frozenset(values) for name, values in subject.items()}
    marks = [value.encode() for values in wanted.values() for value in values]

    def keep(resource: Attributes, own: Attributes) -> bool:
        return not any(own.get(name) in values or resource.get(name) in values for name, values in wanted.items())

    def scrub(signal: Signal, body: bytes) -> bytes | None:
        if not any(mark in body for mark in marks):
            return None  # a look at the bytes is a thousand times cheaper than reading every attribute
        try:
            left, _, gone = sift(signal, body, keep)
        except DecodeError:
            return b""
        return left if gone else None

    return scrub


def erase_pending(root: Path, scrub: Scrub, queues: Mapping[str, Queue] | None = None) -> int:
    """Scrub every file that waits, or is set aside, under `data/forward`, folders of destinations no longer configured included.

    Works in this thread; returns how many requests were changed. `queues` are those of the running collector, by name. Raises OSError.
    """
    changed = 0
    for folder in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else ():
        queue = (queues or {}).get(folder.name) or Queue(folder, root.parent / "journal", ())
        for path in (*folder.glob("*.pb"), *(folder / ASIDE).glob("*.pb")):
            try:
                found = [record for _, _, record in records.read(path.read_bytes())]
            except FileNotFoundError:
                continue  # sent meanwhile
            left = {number: new for number, record in enumerate(found) if record.body and (new := scrub(signal_of(path), record.body)) is not None}
            if not left:
                continue
            changed += len(left)
            if path.parent.name == ASIDE and not any(left.values()):
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)
            else:
                queue.rewrite(path, left)
    return changed
