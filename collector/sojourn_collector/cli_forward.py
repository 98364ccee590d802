"""`sojourn-collector forward`: what waits for each destination, and what it refused for good. Read from the data folder, whether a collector runs or not."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sojourn_collector.config import CollectorConfig
from sojourn_collector.forward.queue import Queue, why_aside


def listed(config: CollectorConfig) -> Iterator[dict[str, Any]]:
    """Every destination that is configured or has a folder yet, by name."""
    root = config.data / "forward"
    endpoints = {one.name: one.endpoint for one in config.forward}
    folders = {path.name for path in root.iterdir() if path.is_dir()} if root.is_dir() else set()
    for name in sorted(endpoints.keys() | folders):
        queue = Queue(root / name, config.data / "journal", ())
        waiting = queue.waiting()
        yield {
            "name": name,
            "endpoint": endpoints.get(name),
            "waiting_files": len(waiting),
            "waiting_bytes": sum(one.size for one in waiting),
            "oldest_seconds": round(max(0.0, time.time() - waiting[0].at), 1) if waiting else 0,
            "aside": [{"file": str(one.path), **why_aside(one.path)} for one in queue.aside()],
        }


def show(config: CollectorConfig, *, as_json: bool) -> int:
    """Print them; 0."""
    found = list(listed(config))
    if as_json:
        for one in found:
            print(json.dumps(one))
        return 0
    if not found:
        print("Nothing is forwarded; see forward: in docs/outward.md.")
    for one in found:
        print(f"{one['name']}  {one['endpoint'] or 'no longer configured'}")
        age = f", the oldest for {one['oldest_seconds']:.0f} s" if one["waiting_files"] else ""
        print(f"  waiting: {one['waiting_files']} files, {one['waiting_bytes']} bytes{age}")
        for letter in one["aside"]:
            at = datetime.fromtimestamp(letter["at"], UTC).strftime("%Y-%m-%d %H:%M:%SZ") if letter["at"] else "at a time not known"
            print(f"  set aside {at}: {letter['why']}\n    {letter['file']}")
    return 0
