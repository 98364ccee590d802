"""Keeps the evidence of failed browser steps within its bounds: the oldest goes first."""

import time
from pathlib import Path


def prune(folder: Path, *, max_bytes: int, max_age: float, now: float | None = None) -> int:
    """Remove what is older than `max_age` (seconds) and the oldest beyond `max_bytes`. Returns how many files went."""
    moment = time.time() if now is None else now
    files = []
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file():
            stat = path.stat()
            files.append((stat.st_mtime, stat.st_size, path))
    kept = removed = 0
    for changed, size, path in sorted(files, reverse=True):
        kept += size
        if kept > max_bytes or changed < moment - max_age:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
