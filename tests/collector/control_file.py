"""Control databases in files, for tests that are not about how one is made."""

import tempfile
from functools import cache
from pathlib import Path

from sojourn_collector.store.control.control import Control


def open_control(path: Path) -> Control:
    """The database at `path`; a new one is a copy of one that was brought to this version before, which a test need not wait for again."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty())
    return Control.open(path)


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "control.sqlite"
        Control.open(path).close()
        return path.read_bytes()
