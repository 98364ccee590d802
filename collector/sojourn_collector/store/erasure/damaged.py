"""What was found damaged as a place: files put aside that nobody can look into, so that all of them go with every erasure."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.erasure.subject import Names, Orders


class DamagedPlace:
    """Journal files in `data/damaged`, and parts that were taken out of the embedded engine's tables. What was said of them stays."""

    name = "damaged files"

    def __init__(self, data: Path) -> None:
        self._damaged = Damaged(data / "damaged")
        self._engine = data / "engine"

    async def count(self, names: Names) -> dict[str, int]:
        """Files and parts, whoever's they are."""
        found = len(await asyncio.to_thread(self._things))
        return {"damaged files": found} if found else {}

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Remove them all. Raises OSError."""

        def remove() -> int:
            found = self._things()
            for path in found:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            return len(found)

        removed = await asyncio.to_thread(remove)
        return {"damaged files": removed} if removed else {}

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Nothing: it cannot be told whose they are."""
        return
        yield

    def _things(self) -> list[Path]:
        return [*self._damaged.files(), *self._engine.glob("data/store/*/*/detached/*")]
